/* For the tests of collectors: a tree of files in a temporary folder, one run, its text.
 *
 *     struct unix_test t;
 *     unix_test_begin(&t);
 *     unix_test_file(&t, "proc/loadavg", "0.1 0.2 0.3 1/2 3\n");
 *     assert_int_equal(unix_test_run(&t, &collector_loadavg, NULL), 0);
 *     assert_text(unix_test_text(&t), "# HELP node_load1 ...");
 *     unix_test_end(&t);
 *
 * Roots are proc/, sys/, fs/ and udev/ in the folder. */
#ifndef COMPONENTS_PROMETHEUS_UNIX_TESTING_H
#define COMPONENTS_PROMETHEUS_UNIX_TESTING_H

#include <ftw.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/test.h"
#include "components/prometheus/unix/collector.h"
#include "net/loop.h"
#include "runtime/component.h"
#include "value/decode.h"

struct unix_test {
    char dir[64];
    char roots[UNIX_ROOTS][80];
    struct arena arena; /* of plans */
    struct expo *out;
    struct buf text;
    struct collect c;
    const struct collector_def *def;
    struct clock_fake clock;
    struct diags diags;
};

static inline void unix_test_begin(struct unix_test *t)
{
    static const char *const names[UNIX_ROOTS] = {"proc", "sys", "fs", "udev"};

    *t = (struct unix_test){.dir = "/tmp/unix_test.XXXXXX"};
    assert_non_null(mkdtemp(t->dir));
    arena_init(&t->arena, 0);
    buf_init(&t->text, (size_t)4 << 20);
    t->out = expo_new((size_t)4 << 20);
    clock_fake_init(&t->clock, 1700000000 * NS_PER_SEC);
    for (int i = 0; i < UNIX_ROOTS; i++) {
        snprintf(t->roots[i], sizeof(t->roots[i]), "%s/%s", t->dir, names[i]);
        assert_int_equal(mkdir(t->roots[i], 0755), 0);
    }
}

static inline void unix_test_make_room(const char *path)
{
    char *copy = xstrdup(path);

    for (char *p = strchr(copy + 1, '/'); p; p = strchr(p + 1, '/')) {
        *p = 0;
        mkdir(copy, 0755); /* most are there */
        *p = '/';
    }
    free(copy);
}

/* A file with its folders; text NULL: a folder alone. */
static inline void unix_test_file(struct unix_test *t, const char *path, const char *text)
{
    char *full = xprintf("%s/%s%s", t->dir, path, text ? "" : "/");

    unix_test_make_room(full);
    if (text) {
        FILE *f = fopen(full, "w");

        assert_non_null(f);
        fputs(text, f);
        fclose(f);
    }
    free(full);
}

static inline void unix_test_symlink(struct unix_test *t, const char *to, const char *path)
{
    char *full = xprintf("%s/%s", t->dir, path);

    unix_test_make_room(full);
    assert_int_equal(symlink(to, full), 0);
    free(full);
}

/* The defaults of all arguments; change what the test is about. */
static inline struct unix_args unix_test_args(struct unix_test *t)
{
    struct unix_args args;

    decode_defaults(&unix_args_schema, &t->arena, &args);
    return args;
}

static inline void unix_test_forget(struct unix_test *t)
{
    if (t->def && t->def->done) t->def->done(t->c.state);
    free(t->c.state);
    t->c.state = NULL;
    t->def = NULL;
}

/* Runs it; args NULL: the defaults. State is kept between runs of one collector. Returns what
 * collect did. */
static inline int unix_test_run(struct unix_test *t, const struct collector_def *def,
                                const struct unix_args *args)
{
    struct unix_args defaults = unix_test_args(t);
    struct prepare p = {.arena = &t->arena, .diags = &t->diags};
    struct collector_prepare pr = {.p = &p, .arena = &t->arena, .args = args ? args : &defaults};
    void *plan = arena_alloc(&t->arena, def->plan_size + 1);

    if (def->prepare) assert_int_equal(def->prepare(&pr, plan), 0);
    if (t->def != def) {
        unix_test_forget(t);
        t->c.state = xcalloc(1, def->state_size + 1);
        t->def = def;
    }
    expo_reset(t->out);
    t->c.plan = plan;
    t->c.out = t->out;
    t->c.arena = &t->arena;
    t->c.clock = &t->clock.clock;
    t->c.error = NULL;
    for (int i = 0; i < UNIX_ROOTS; i++)
        t->c.roots[i] = t->roots[i];
    return def->collect(&t->c);
}

static inline struct str unix_test_text(struct unix_test *t)
{
    buf_reset(&t->text);
    expo_write(t->out, EXPO_TEXT, &t->text);
    assert_text(expo_faults(t->out), "");
    return buf_view(&t->text);
}

/* The text has this line. */
static inline void unix_test_line(struct unix_test *t, const char *line)
{
    struct str rest = unix_test_text(t), got;

    while (unix_line(&rest, &got))
        if (str_is(got, line)) return;
    print_error("no line \"%s\" in\n" STR_FMT, line, STR_ARG(buf_view(&t->text)));
    fail();
}

static inline int unix_test_remove(const char *path, const struct stat *st, int kind,
                                   struct FTW *at)
{
    (void)st, (void)kind, (void)at;
    return remove(path);
}

static inline void unix_test_end(struct unix_test *t)
{
    unix_test_forget(t);
    nftw(t->dir, unix_test_remove, 16, FTW_DEPTH | FTW_PHYS);
    diags_done(&t->diags);
    expo_free(t->out);
    arena_done(&t->arena);
    buf_done(&t->text);
}

#endif
