/* A stand-in for the runtime in tests of otelcol components: one shard on one loop with virtual
 * time, and fan-outs that keep what they are given. It defines the functions of runtime/component.h
 * itself, so each test program includes it once and pulls in no runtime. */
#ifndef COMPONENTS_OTELCOL_TESTING_H
#define COMPONENTS_OTELCOL_TESTING_H

#include "base/vec.h"
#include "base/xalloc.h"
#include "parser/parser.h"
#include "runtime/component.h"
#include "telemetry/testing.h"
#include "value/decode.h"

struct fanout {
    bool holds; /* a branch has a batch that another one took */
    void (*ready)(void *arg);
    void *arg;
    bool full;
    VEC(struct batch *) got;
};

struct world {
    struct clock_fake clock;
    struct loop *loop;
    struct budget budget;
    struct host host;
    struct comp comp;
    struct worker worker;
    struct shard shard;
    struct arena arena; /* plans */
    struct diags diags;
    int ready, stopped;
};

static struct fanout *fanouts[SIGNAL_COUNT]; /* in the order otel_outputs makes them */
static size_t n_fanouts;

/* --- the runtime's functions --- */

const struct capsule_type capsule_otelcol_consumer = {.name = "otelcol.Consumer"};

void comp_export(struct comp *c, const void *exports) {}
struct metric *comp_metric(struct comp *c, const struct metric_desc *d,
                           const struct metric_label *labels, size_t n)
{
    return metric_new(c->host->metrics, d, labels, n);
}
struct capsule *comp_sink(struct comp *c, const struct capsule_type *type, u32 port, u32 signals)
{
    return NULL;
}
void capsule_unref(struct capsule *c) {}
void shard_ready(struct shard *s)
{
    container_of(s, struct world, shard)->ready++;
}
void shard_stopped(struct shard *s)
{
    container_of(s, struct world, shard)->stopped++;
}
struct fanout *fanout_new(struct shard *s, void (*ready)(void *arg), void *arg)
{
    struct fanout *f = xnew(struct fanout);
    f->ready = ready;
    f->arg = arg;
    return fanouts[n_fanouts++ % SIGNAL_COUNT] = f;
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
    return f->holds;
}
void fanout_free(struct fanout *f)
{
    vec_each (&f->got, b)
        batch_unref(*b);
    vec_done(&f->got);
    free(f);
}

/* --- building a component --- */

/* The one name tests may use: `consumer`, for lists of outputs. */
static bool lookup_consumer(const struct scope *s, struct str name, struct value *ret)
{
    if (!str_is(name, "consumer")) return false;
    *ret = value_capsule(&capsule_otelcol_consumer, NULL);
    return true;
}

/* Decodes and prepares the text of a block; the plan lives in w->arena. NULL with diagnostics when
 * it is refused. */
static inline void *world_plan(struct world *w, const struct component_def *def, const char *body)
{
    static const struct scope scope = {.lookup = lookup_consumer};
    char *text = xprintf("c \"c\" {\n%s\n}\n", body);
    struct source *src = source_new("test", str_of(text));
    struct tree *tree = parse_file(src, &w->diags);
    void *args = arena_alloc(&w->arena, def->args->size),
         *plan = arena_alloc(&w->arena, def->plan_size);
    free(text);
    source_unref(src);
    if (!tree) return NULL;
    const struct block *block = tree->body.stmts[0].block;
    struct prepare p = {.host = &w->host, .block = block, .arena = &w->arena, .diags = &w->diags};
    int err = decode_body(def->args, block, &block->body, &scope, &w->arena, args, &w->diags);
    if (!err) err = def->prepare(&p, args, plan);
    arena_cleanup(&w->arena, (void (*)(void *))tree_free, tree);
    return err ? NULL : plan;
}

static inline void world_init(struct world *w)
{
    *w = (struct world){0};
    clock_fake_init(&w->clock, NS_PER_SEC);
    w->loop = loop_new("test", 1, &w->clock.clock);
    budget_init(&w->budget, 0);
    w->host = (struct host){
        .clock = &w->clock.clock, .metrics = metrics_new(), .data_budget = &w->budget};
    w->worker = (struct worker){.index = 1, .loop = w->loop};
    arena_init(&w->arena, 0);
    diags_init(&w->diags);
    metric_set_writer(1);
}

/* Builds and runs it. */
static inline void world_up(struct world *w, const struct component_def *def, const char *body)
{
    char *err = NULL;
    world_init(w);
    void *plan = world_plan(w, def, body);
    if (!plan) print_error("%s\n", w->diags.list.v[0].message);
    assert_non_null(plan);
    w->comp = (struct comp){.def = def,
                            .host = &w->host,
                            .shared = arena_alloc(&w->arena, def->shared_size + 1),
                            .plan = plan};
    w->shard = (struct shard){.comp = &w->comp,
                              .worker = &w->worker,
                              .self = arena_alloc(&w->arena, def->self_size),
                              .plan = plan};
    assert_int_equal(def->create(&w->comp, &err), 0);
    assert_int_equal(def->run(&w->shard), 0);
}

static inline void world_apply(struct world *w, const char *body)
{
    void *plan = world_plan(w, w->comp.def, body);
    assert_non_null(plan);
    assert_int_equal(w->comp.def->apply(&w->shard, plan), 0);
    w->shard.plan = plan;
}

static inline void world_free(struct world *w)
{
    loop_free(w->loop);
    diags_done(&w->diags);
    arena_done(&w->arena);
    metrics_free(w->host.metrics);
}

/* What is left may be on its way; nothing of it may stay in memory. */
static inline void world_down(struct world *w)
{
    w->comp.def->shard_done(&w->shard);
    loop_turn(w->loop, 0);
    assert_int_equal(budget_used(&w->budget), 0);
    world_free(w);
}

static inline void world_advance(struct world *w, i64 ns)
{
    clock_fake_advance(&w->clock, ns);
    loop_turn(w->loop, 0);
}

static inline enum push world_push(struct world *w, struct batch *b)
{
    return w->comp.def->push(&w->shard, 0, b);
}

/* Room again behind the fan-out of a signal. */
static inline void world_open(enum signal s)
{
    fanouts[s]->full = false;
    fanouts[s]->ready(fanouts[s]->arg);
}

/* The text of one expected diagnostic among those of a refused block. */
static inline void expect_fault(const struct component_def *def, const char *body, u32 line,
                                const char *message)
{
    struct world w;
    bool found = false;
    world_init(&w);
    assert_null(world_plan(&w, def, body));
    vec_each (&w.diags.list, d)
        found |= strcmp(d->message, message) == 0 && d->span.start.line == line + 1;
    if (!found)
        vec_each (&w.diags.list, d)
            print_error("got line %u: %s\n", d->span.start.line - 1, d->message);
    assert_true(found);
    world_free(&w);
}

/* --- what came out --- */

/* The next batch that came out, NULL when there is none. */
static inline struct batch *take_out(enum signal s)
{
    struct fanout *f = fanouts[s];
    if (f->got.n == 0) return NULL;
    struct batch *b = f->got.v[0];
    vec_remove(&f->got, 0);
    return b;
}

#endif
