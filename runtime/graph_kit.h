/* For the tests of graph and controller: a small registry of fake components and a world to run
 * them in.
 *
 *   fake.sink "x" { mode, fail }          exports receiver (a consumer of everything)
 *   fake.traces "x" { }                   exports receiver (traces only)
 *   fake.source "x" { forward_to, logs_to, note }   exports nothing
 *   fake.value "x" { text }               exports text, which the test may change at run time
 * Each instance counts what happened to it in a table of the kit, by id; counts outlive the
 * instance. */
#ifndef RUNTIME_GRAPH_KIT_H
#define RUNTIME_GRAPH_KIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include "base/xalloc.h"
#include "runtime/controller.h"
#include "runtime/logging.h"
#include "runtime/services.h"
#include "stdlib/stdlib.h"

struct fake_args {
    struct str mode, note, text;
    i64 limit;
    bool fail;
    struct capsule_list forward_to, traces_to;
};
struct fake_plan {
    const struct fake_args *args;
};
struct fake_exports {
    struct capsule_ref receiver;
    struct str text;
};

struct fake_counts {                                 /* of one id */
    int created, applied, stopped, destroyed, order; /* order: when it was stopped */
    struct comp *comp;
    char note[64];
};

struct graph_kit {
    struct host host;
    struct loop *loop;
    struct workers *workers;
    struct func_env env;
    char hostname[STDLIB_HOST_MAX];
    struct stdlib *stdlib;
    struct config_use blocks[4];
    struct compile_opts opts;
    struct diags diags;
    struct controller *controller;
    bool stopped;
};

/* ---- counts: tests run one at a time; the fakes have no other way to reach the test ---- */

static struct map fake_counts;
static int fake_clock;

static inline struct fake_counts *counts_of(const char *id)
{
    struct fake_counts *c = map_get(&fake_counts, str_of(id));
    if (!c) {
        c = xnew(struct fake_counts);
        map_put(&fake_counts, str_of(id), c);
    }
    return c;
}

/* ---- the components ---- */

static inline int fake_prepare(struct prepare *p, const void *args, void *plan)
{
    const struct fake_args *a = args;
    ((struct fake_plan *)plan)->args = a;
    if (!str_is(a->mode, "refused")) return 0;
    diag_error(p->diags, DIAG_VALUE_INVALID, p->block->span, "mode \"refused\" is refused");
    return -EINVAL;
}

static inline void fake_note(struct comp *c)
{
    const struct fake_plan *p = c->plan;
    snprintf(counts_of(c->id)->note, sizeof(counts_of(c->id)->note), STR_FMT,
             STR_ARG(p->args->note));
}

static inline void fake_publish(struct comp *c, struct str text)
{
    struct fake_exports e = {.text = text};
    bool traces = strcmp(c->def->name, "fake.traces") == 0;
    if (traces || strcmp(c->def->name, "fake.sink") == 0)
        e.receiver.c =
            comp_sink(c, &capsule_otelcol_consumer, 0, traces ? SIGNALS_TRACES : SIGNALS_ANY);
    comp_export(c, &e);
    if (e.receiver.c) capsule_unref(e.receiver.c);
}

static inline int fake_create(struct comp *c, char **ret_err)
{
    const struct fake_plan *p = c->plan;
    if (p->args->fail) {
        *ret_err = xstrdup("told to fail");
        return -EINVAL;
    }
    counts_of(c->id)->created++;
    counts_of(c->id)->comp = c;
    fake_note(c);
    if (c->def->exports) fake_publish(c, p->args->text);
    return 0;
}

static inline int fake_configure(struct comp *c, const void *old, char **ret_err)
{
    counts_of(c->id)->applied += old != NULL;
    fake_note(c);
    return 0;
}

static inline int fake_run(struct shard *s)
{
    return 0;
}

static inline int fake_apply(struct shard *s, const void *plan)
{
    return 0;
}

static inline void fake_stop(struct shard *s)
{
    struct fake_counts *n = counts_of(s->comp->id);
    n->stopped++;
    n->order = ++fake_clock;
    if (strcmp(n->note, "hangs") != 0) shard_stopped(s);
}

static inline void fake_shard_done(struct shard *s) {}

static inline void fake_destroy(struct comp *c)
{
    counts_of(c->id)->destroyed++;
    counts_of(c->id)->comp = NULL;
}

static inline enum push fake_push(struct shard *s, u32 port, struct batch *b)
{
    batch_unref(b);
    return PUSH_TAKEN;
}

static const struct row fake_sink_rows[] = {
    ATTR(struct fake_args, mode, .doc = "m", .def = "\"a\""),
    ATTR(struct fake_args, limit, .doc = "l", .def = "1"),
    ATTR(struct fake_args, note, .doc = "n", .def = "\"\""),
    ATTR(struct fake_args, fail, .doc = "f", .def = "false"),
};
static const struct schema fake_sink_schema = SCHEMA(struct fake_args, fake_sink_rows);
static const struct row fake_source_rows[] = {
    ATTR(struct fake_args, forward_to, .doc = "f", .required = true,
         .capsule = &capsule_otelcol_consumer, .signals = SIGNALS_LOGS),
    ATTR(struct fake_args, traces_to, .doc = "t", .def = "[]", .capsule = &capsule_otelcol_consumer,
         .signals = SIGNALS_TRACES),
    ATTR(struct fake_args, note, .doc = "n", .def = "\"\""),
};
static const struct schema fake_source_schema = SCHEMA(struct fake_args, fake_source_rows);
static const struct row fake_value_rows[] = {
    ATTR(struct fake_args, text, .doc = "t", .def = "\"\""),
    ATTR(struct fake_args, note, .doc = "n", .def = "\"\""),
};
static const struct schema fake_value_schema = SCHEMA(struct fake_args, fake_value_rows);

static const struct row receiver_rows[] = {
    ATTR(struct fake_exports, receiver, .doc = "r", .capsule = &capsule_otelcol_consumer,
         .signals = SIGNALS_ANY),
};
static const struct schema receiver_schema = SCHEMA(struct fake_exports, receiver_rows);
static const struct row traces_rows[] = {
    ATTR(struct fake_exports, receiver, .doc = "r", .capsule = &capsule_otelcol_consumer,
         .signals = SIGNALS_TRACES),
};
static const struct schema traces_schema = SCHEMA(struct fake_exports, traces_rows);
static const struct row text_rows[] = {ATTR(struct fake_exports, text, .doc = "t")};
static const struct schema text_schema = SCHEMA(struct fake_exports, text_rows);

#define FAKE(nm, args_, exports_, ...)                                                             \
    {                                                                                              \
        .name = nm, .summary = nm, .example = "", .args = args_, .exports = exports_,              \
        .placement = PLACE_CONTROL, .plan_size = sizeof(struct fake_plan), .self_size = 8,         \
        .prepare = fake_prepare, .create = fake_create, .configure = fake_configure,               \
        .run = fake_run, .apply = fake_apply, .stop = fake_stop, .shard_done = fake_shard_done,    \
        .destroy = fake_destroy, .push = fake_push, ##__VA_ARGS__                                  \
    }

static const struct component_def fake_new =
    FAKE("fake.new", &fake_value_schema, NULL, .stability = STABILITY_EXPERIMENTAL);
static const struct component_def fake_sink =
    FAKE("fake.sink", &fake_sink_schema, &receiver_schema);
static const struct component_def fake_source = FAKE("fake.source", &fake_source_schema, NULL);
static const struct component_def fake_traces =
    FAKE("fake.traces", &fake_value_schema, &traces_schema);
static const struct component_def fake_value = FAKE("fake.value", &fake_value_schema, &text_schema);
static const struct component_def *const fakes[] = {&fake_new, &fake_sink, &fake_source,
                                                    &fake_traces, &fake_value};

/* ---- the world ---- */

static inline void kit_init_at(struct graph_kit *k, enum stability min)
{
    *k = (struct graph_kit){0};
    fake_counts = (struct map){0};
    fake_clock = 0;
    k->host.clock = &clock_system;
    k->host.metrics = metrics_new();
    k->loop = loop_new("control", 0, &clock_system);
    k->workers = workers_new(&k->host, 1, k->loop);
    func_env_process(&k->env, k->hostname, "v0");
    k->stdlib = stdlib_new(&k->env);
    k->blocks[0] = (struct config_use){&labelstore_def, NULL};
    k->blocks[1] = (struct config_use){&cluster_def, NULL};
    k->opts = (struct compile_opts){.registry = {fakes, ARRAY_LEN(fakes)},
                                    .configs = k->blocks,
                                    .n_configs = 2,
                                    .stdlib = stdlib_scope(k->stdlib),
                                    .min_stability = min};
    diags_init(&k->diags);
    k->controller = controller_new(&(struct controller_conf){.host = &k->host,
                                                             .workers = k->workers,
                                                             .loop = k->loop,
                                                             .compile = k->opts,
                                                             .removal_deadline = 300 * NS_PER_MS});
}

static inline void kit_init(struct graph_kit *k)
{
    kit_init_at(k, STABILITY_GA);
}

static inline void kit_on_stopped(void *arg)
{
    ((struct graph_kit *)arg)->stopped = true;
}

static inline void kit_settle(struct graph_kit *k)
{
    for (int i = 0; i < 1000 && !controller_settled(k->controller); i++)
        loop_turn(k->loop, 5 * NS_PER_MS);
    assert_true(controller_settled(k->controller));
    for (int i = 0; i < 5; i++)
        loop_turn(k->loop, 0);
}

static inline void kit_done(struct graph_kit *k)
{
    controller_stop(k->controller, clock_mono(&clock_system) + 5 * NS_PER_SEC, kit_on_stopped, k);
    for (int i = 0; i < 1000 && !k->stopped; i++)
        loop_turn(k->loop, 5 * NS_PER_MS);
    assert_true(k->stopped);
    if (k->host.offload) assert_true(offload_settle(k->host.offload, k->loop, 5 * NS_PER_SEC));
    controller_free(k->controller);
    workers_free(k->workers);
    diags_done(&k->diags);
    stdlib_free(k->stdlib);
    offload_free(k->host.offload); /* its threads may still be about to wake the loop */
    loop_free(k->loop);
    metrics_free(k->host.metrics);
    map_done(&fake_counts, free);
}

static inline int kit_trees(struct graph_kit *k, const char *text, struct tree_set *ret)
{
    struct source_set s = {0};
    char *err = NULL;
    diags_clear(&k->diags);
    assert_int_equal(source_set_add(&s, "t.alloy", str_of(text), &err), 0);
    int parsed = source_set_parse(&s, ret, &k->diags);
    source_set_done(&s);
    return parsed;
}

static inline struct template *kit_compile(struct graph_kit *k, const char *text, bool check)
{
    struct tree_set trees;
    struct template *t = NULL;
    struct compile_opts o = k->opts;
    o.check = check;
    if (kit_trees(k, text, &trees) < 0 || template_compile(&o, &trees, &k->diags, &t) < 0)
        return NULL;
    return t;
}

static inline int kit_load(struct graph_kit *k, const char *text)
{
    struct template *t = kit_compile(k, text, false);
    if (!t) return -EINVAL;
    int err = controller_load(k->controller, t, "/etc", &k->diags);
    kit_settle(k);
    return err;
}

/* The n-th fault as one line. */
static inline const char *kit_fault(struct graph_kit *k, size_t n)
{
    static char line[1024];
    struct buf b = BUF_INIT(sizeof(line));
    assert_true(n < k->diags.list.n);
    diag_line(&k->diags.list.v[n], &b);
    snprintf(line, sizeof(line), STR_FMT, STR_ARG(buf_view(&b)));
    buf_done(&b);
    return line;
}

#endif
