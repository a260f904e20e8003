/* For tests of imports: a loop, a temporary folder, plans from text, and what a fetch or a watch
 * answered. Time is the system's; a test that waits for a deadline sets `fake`. */
#ifndef RUNTIME_IMPORT_KIT_H
#define RUNTIME_IMPORT_KIT_H

#include <errno.h>
#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/test.h"
#include "parser/parser.h"
#include "runtime/import/import_impl.h"
#include "value/decode.h"

struct import_bench {
    bool fake;
    struct clock_fake clock;
    struct offload *pool;
    struct net *net;
    struct loop *loop;
    struct host host;
    struct import_ctx ctx;
    char dir[64];
    /* the last answers */
    int n_fetched, n_changed, n_health;
    struct import_content *content;
    char *err;
    enum health health;
    char *said;
    struct import_watch *watch;
    const struct import_kind *kind;
    bool unwatch_on_change;
};

static int kit_setup(struct import_bench *b)
{
    clock_fake_init(&b->clock, 0);
    (void)snprintf(b->dir, sizeof(b->dir), "/tmp/weir-import-XXXXXX");
    assert_non_null(mkdtemp(b->dir));
    b->pool = offload_new(2);
    b->net = net_new(b->pool);
    b->loop = loop_new("test", 0, b->fake ? &b->clock.clock : &clock_system);
    b->host = (struct host){.clock = loop_clock(b->loop),
                            .net = b->net,
                            .offload = b->pool,
                            .storage_path = b->dir,
                            .user_agent = "Weir/test"};
    b->ctx = (struct import_ctx){.host = &b->host, .loop = b->loop, .id = "import.test.lib"};
    return 0;
}

static int kit_remove(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    return remove(path);
}

static void kit_teardown(struct import_bench *b)
{
    if (b->watch) b->kind->unwatch(b->watch);
    import_content_unref(b->content);
    free(b->err);
    free(b->said);
    assert_true(offload_settle(b->pool, b->loop, 60 * NS_PER_SEC));
    net_free(b->net);
    offload_free(b->pool);
    loop_free(b->loop);
    assert_int_equal(nftw(b->dir, kit_remove, 16, FTW_DEPTH | FTW_PHYS), 0);
}

/* --- files --- */

UNUSED static char *kit_path(struct import_bench *b, const char *name)
{
    return xprintf("%s/%s", b->dir, name);
}

/* Written beside and renamed over, as editors do. */
UNUSED static void kit_put_n(struct import_bench *b, const char *name, const char *text, size_t n)
{
    char *path = kit_path(b, name), *beside = xprintf("%s.tmp", path);
    FILE *f = fopen(beside, "w");

    assert_non_null(f);
    assert_int_equal(fwrite(text, 1, n, f), n);
    fclose(f);
    assert_int_equal(rename(beside, path), 0);
    free(beside);
    free(path);
}

UNUSED static void kit_put(struct import_bench *b, const char *name, const char *text)
{
    kit_put_n(b, name, text, strlen(text));
}

/* --- plans --- */

/* The body of an import block; faults are appended to faults, then NULL is returned. */
UNUSED static struct plan *kit_plan_or(const struct import_kind *kind, const char *text,
                                       struct buf *faults)
{
    struct diags diags;
    struct plan *p = plan_new(&kind->def);

    diags_init(&diags);
    struct source *src = source_new(NULL, str_of(text));
    struct tree *tree = parse_file(src, &diags);
    if (!tree || decode_body(kind->def.args, NULL, &tree->body, NULL, &p->arena, p->args, &diags)) {
        diags_line(&diags, faults);
        plan_unref(p);
        p = NULL;
    }
    tree_free(tree);
    source_unref(src);
    diags_done(&diags);
    return p;
}

UNUSED static struct plan *kit_plan(const struct import_kind *kind, const char *text)
{
    struct buf faults = BUF_INIT(1 << 16);
    struct plan *p = kit_plan_or(kind, text, &faults);

    if (!p) fail_msg("%s: %s", text, faults.p);
    buf_done(&faults);
    return p;
}

UNUSED static void kit_refuses(const struct import_kind *kind, const char *text, const char *want)
{
    struct buf faults = BUF_INIT(1 << 16);
    struct plan *p = kit_plan_or(kind, text, &faults);

    assert_null(p);
    assert_buf(&faults, want);
    buf_done(&faults);
}

/* --- waiting --- */

/* Turns the loop until *count passes n. The wait is in real time and ends with what is waited for;
 * its limit is for slow machines. */
UNUSED static void kit_wait(struct import_bench *b, const int *count, int n)
{
    for (i64 until = clock_mono(&clock_system) + 30 * NS_PER_SEC;
         *count <= n && clock_mono(&clock_system) < until;)
        loop_turn(b->loop, 100 * NS_PER_MS);
    if (*count <= n) fail_msg("nothing happened");
}

/* --- fetching --- */

static void kit_fetched(void *arg, struct import_content *content, const char *err)
{
    struct import_bench *b = arg;

    b->n_fetched++;
    import_content_unref(b->content);
    free(b->err);
    b->content = content;
    b->err = err ? xstrdup(err) : NULL;
}

UNUSED static void kit_fetch_plan(struct import_bench *b, const struct import_kind *kind,
                                  struct plan *p)
{
    int n = b->n_fetched;
    struct import_fetch *f = kind->fetch(&b->ctx, p, kit_fetched, b);

    assert_true(f != NULL || b->n_fetched == n + 1);
    kit_wait(b, &b->n_fetched, n);
}

UNUSED static void kit_fetch(struct import_bench *b, const struct import_kind *kind,
                             const char *text)
{
    struct plan *p = kit_plan(kind, text);

    kit_fetch_plan(b, kind, p);
    plan_unref(p);
}

UNUSED static void kit_expect_text(const struct import_bench *b, size_t i, const char *text)
{
    if (!b->content) fail_msg("no content: %s", b->err);
    assert_true(i < b->content->files.n);
    assert_text(str_n(b->content->files.v[i].text, b->content->files.v[i].n), text);
}

UNUSED static void kit_expect_error(const struct import_bench *b, const char *part)
{
    assert_null(b->content);
    assert_non_null(b->err);
    if (!strstr(b->err, part)) fail_msg("\"%s\" is not in: %s", part, b->err);
}

/* --- watching --- */

static void kit_changed(void *arg, struct import_content *content)
{
    struct import_bench *b = arg;

    b->n_changed++;
    import_content_unref(b->content);
    b->content = content;
    if (!b->unwatch_on_change) return;
    b->kind->unwatch(b->watch);
    b->watch = NULL;
}

static void kit_health(void *arg, enum health h, const char *text)
{
    struct import_bench *b = arg;

    b->n_health++;
    b->health = h;
    free(b->said);
    b->said = xstrdup(text);
}

/* Fetches once, and watches from then on. */
UNUSED static void kit_watch(struct import_bench *b, const struct import_kind *kind,
                             const char *text)
{
    static const struct import_events events = {kit_changed, kit_health};
    struct plan *p = kit_plan(kind, text);

    kit_fetch_plan(b, kind, p);
    if (!b->content) fail_msg("%s", b->err);
    b->kind = kind;
    b->watch = kind->watch(&b->ctx, p, b->content, &events, b);
    plan_unref(p);
}

UNUSED static void kit_expect_health(const struct import_bench *b, enum health h, const char *part)
{
    assert_int_equal(b->health, h);
    if (!strstr(b->said, part)) fail_msg("\"%s\" is not in: %s", part, b->said);
}

#endif
