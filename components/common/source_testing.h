/* A stand-in for the runtime in tests of log sources: one shard on one loop with virtual time, a data
 * folder of its own, and a fan-out that keeps what it is given. It defines functions of
 * runtime/component.h itself, so each test program includes it once and pulls in no runtime. */
#ifndef COMPONENTS_COMMON_SOURCE_TESTING_H
#define COMPONENTS_COMMON_SOURCE_TESTING_H

#include <stdlib.h>
#include <unistd.h>
#include "base/test.h"
#include "base/vec.h"
#include "base/xalloc.h"
#include "parser/parser.h"
#include "runtime/component.h"
#include "telemetry/log_batch.h"
#include "value/decode.h"

struct fanout {
    void (*ready)(void *arg);
    void *arg;
    bool full;
    VEC(struct batch *) got;
};

struct source_world {
    struct clock_fake clock;
    struct loop *loop;
    struct budget budget;
    struct host host;
    struct comp comp;
    struct worker worker;
    struct shard shard;
    struct arena arena; /* plans */
    struct diags diags;
    char folder[64]; /* of the test; <folder>/data is the component's */
    int stopped;
    enum health health;
    char *health_text;
};

static struct source_world *the_world;
static struct fanout *the_fanout;

/* --- the runtime's functions --- */

const struct capsule_type capsule_logs_receiver = {.name = "loki.LogsReceiver"};

void comp_export(struct comp *c, const void *exports) {}
void comp_health(struct comp *c, enum health h, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    free(the_world->health_text);
    the_world->health_text = xvprintf(fmt, ap);
    the_world->health = h;
    va_end(ap);
}
char *comp_data_dir(struct comp *c, char **ret_err)
{
    return xprintf("%s/data", the_world->folder);
}
struct metric *comp_metric(struct comp *c, const struct metric_desc *d,
                           const struct metric_label *labels, size_t n)
{
    return metric_new(c->host->metrics, d, labels, n);
}
struct metric *shard_metric(struct shard *s, const struct metric_desc *d,
                            const struct metric_label *labels, size_t n)
{
    return metric_new(s->comp->host->metrics, d, labels, n);
}
void shard_metrics(struct shard *s, const struct metric_desc *const *d, size_t n,
                   const struct metric_label *labels, size_t n_labels, struct metric **ret)
{
    for (size_t i = 0; i < n; i++)
        ret[i] = shard_metric(s, d[i], labels, n_labels);
}
void shard_metric_free(struct shard *s, struct metric *m)
{
    metric_free(s->comp->host->metrics, m);
}
void shard_stopped(struct shard *s)
{
    the_world->stopped++;
}
struct fanout *fanout_new(struct shard *s, void (*ready)(void *arg), void *arg)
{
    struct fanout *f = xnew(struct fanout);
    f->ready = ready;
    f->arg = arg;
    return the_fanout = f;
}
void fanout_set(struct fanout *f, const struct capsule_list *sinks) {}
size_t fanout_branches(const struct fanout *f)
{
    return 1;
}
enum push fanout_push(struct fanout *f, struct batch *b)
{
    if (f->full) return PUSH_FULL;
    vec_push(&f->got, b);
    return PUSH_TAKEN;
}
bool fanout_full(const struct fanout *f)
{
    return f->full;
}
bool fanout_holds(const struct fanout *f)
{
    return false;
}
void fanout_free(struct fanout *f)
{
    vec_each (&f->got, b)
        batch_unref(*b);
    vec_done(&f->got);
    free(f);
    the_fanout = NULL;
}

/* --- the world --- */

static inline void source_world_init(struct source_world *w)
{
    *w = (struct source_world){0};
    the_world = w;
    (void)snprintf(w->folder, sizeof(w->folder), "/tmp/weir-test-XXXXXX");
    assert_non_null(mkdtemp(w->folder));
    char *data = xprintf("mkdir %s/data", w->folder);
    assert_int_equal(system(data), 0);
    free(data);
    clock_fake_init(&w->clock, NS_PER_SEC);
    w->loop = loop_new("test", 1, &w->clock.clock);
    budget_init(&w->budget, 0);
    w->host = (struct host){.clock = &w->clock.clock,
                            .metrics = metrics_new(),
                            .labels = label_table_new(),
                            .offload = offload_new(1),
                            .data_budget = &w->budget,
                            .stop_deadline = 25 * NS_PER_SEC};
    w->worker = (struct worker){.index = 1, .loop = w->loop};
    w->comp = (struct comp){.host = &w->host, .id = "test", .local_id = "test"};
    w->shard = (struct shard){.comp = &w->comp, .worker = &w->worker};
    arena_init(&w->arena, 0);
    diags_init(&w->diags);
    metric_set_writer(1);
}

static inline void source_world_free(struct source_world *w)
{
    char *rm = xprintf("rm -rf %s", w->folder);

    (void)offload_settle(w->host.offload, w->loop, NS_PER_SEC);
    offload_free(w->host.offload);
    loop_turn(w->loop, 0);
    loop_free(w->loop);
    diags_done(&w->diags);
    arena_done(&w->arena);
    metrics_free(w->host.metrics);
    assert_int_equal(label_table_count(w->host.labels), 0);
    label_table_free(w->host.labels);
    assert_int_equal(budget_used(&w->budget), 0);
    free(w->health_text);
    assert_int_equal(system(rm), 0);
    free(rm);
}

static inline void source_world_advance(struct source_world *w, i64 ns)
{
    clock_fake_advance(&w->clock, ns);
    loop_turn(w->loop, 0);
}

/* Turns until jobs of the pool are answered. */
static inline void source_world_settle(struct source_world *w)
{
    loop_turn(w->loop, 0);
    assert_true(offload_settle(w->host.offload, w->loop, 10 * NS_PER_SEC));
    loop_turn(w->loop, 0);
}

/* --- files --- */

/* <folder>/name; one of a few texts in turn. */
static inline const char *source_path(const struct source_world *w, const char *name)
{
    static char paths[8][256];
    static int next;
    char *p = paths[next++ % 8];

    (void)snprintf(p, sizeof(paths[0]), "%s/%s", w->folder, name);
    return p;
}

static inline void write_file_text(const char *path, const char *mode, struct str text)
{
    FILE *f = fopen(path, mode);

    assert_non_null(f);
    assert_int_equal(fwrite(text.p, 1, text.n, f), text.n);
    assert_int_equal(fclose(f), 0);
}

/* Owned, terminated; NULL when there is no such file. */
static inline char *read_file_text(const char *path)
{
    FILE *f = fopen(path, "r");
    struct buf b = BUF_INIT(1 << 26);

    if (!f) return NULL;
    for (int c; (c = fgetc(f)) != EOF;)
        buf_ch(&b, (char)c);
    (void)fclose(f);
    return buf_take(&b, NULL);
}

#endif
