/* stage.metrics: metrics of what entries say, on the process's /metrics. A metric has a series for
 * each label set; one that saw no entry for max_idle_duration goes away. */
#include <errno.h>
#include <stdlib.h>
#include "base/map.h"
#include "base/num.h"
#include "base/vec.h"
#include "components/loki/process/metric_args.h"
#include "components/loki/process/stage.h"

#define SERIES_MAX 100000 /* of one metric on one worker */
#define LABELS_MAX (METRIC_LABELS - 2)

struct series {
    struct labels *stream; /* a reference; its address is the key */
    struct metric *metric;
    f64 gauge;
    i64 used;
};
struct custom {
    struct map series;
    bool full; /* said */
};
struct state {
    struct custom *v; /* one for each of the plan's metrics */
    struct timer *timer;
};

/* --- series --- */

static void make_name(struct buf *b, struct str name)
{
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        buf_ch(b, letter || (i > 0 && c >= '0' && c <= '9') ? c : '_');
    }
}

/* A name of the series' own labels, or one that another label came to: it cannot be there twice. */
static bool taken(const char *name, const struct metric_label *v, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(v[i].name, name) == 0) return true;
    return strcmp(name, "component_id") == 0 || strcmp(name, "component_path") == 0;
}

static size_t make_labels(const struct labels *l, struct metric_label *out)
{
    size_t n = 0;

    for (u32 i = 0; i < l->n && n < LABELS_MAX; i++) {
        struct buf b = BUF_INIT(1 << 16);
        if (str_starts(l->v[i].name, STR("__"))) continue;
        make_name(&b, l->v[i].name);
        char *name = buf_take(&b, NULL);
        if (taken(name, out, n))
            free(name);
        else
            out[n++] = (struct metric_label){name, l->v[i].value.p};
    }
    return n;
}

static struct metric *make_metric(struct stage_run *r, const struct metric_plan *m,
                                  const struct labels *l)
{
    struct metric_label labels[LABELS_MAX] = {{0}};
    size_t n = make_labels(l, labels);
    struct metric *made = shard_metric(r->shard, m->desc, labels, n);

    for (size_t i = 0; i < n; i++)
        free((char *)labels[i].name);
    return made;
}

static struct series *series_new(struct stage_run *r, const struct metric_plan *m, struct custom *c,
                                 struct labels *stream)
{
    if (c->series.live >= SERIES_MAX) {
        if (!c->full)
            log_warn(r->comp->log, "a metric has too many series; new ones are not counted",
                     F_CSTR("metric", m->desc->name));
        c->full = true;
        return NULL;
    }
    struct series *s = xnew(struct series);
    s->stream = labels_ref(stream);
    s->metric = make_metric(r, m, stream);
    map_put(&c->series, str_n((const char *)&s->stream, sizeof(s->stream)), s);
    return s;
}

static struct series *series_of(struct stage_run *r, const struct metric_plan *m, struct custom *c,
                                const struct entry *e)
{
    struct labels *stream = entry_stream(e);

    if (!stream) return NULL;
    struct series *s = map_get(&c->series, str_n((const char *)&stream, sizeof(stream)));
    if (!s) s = series_new(r, m, c, stream);
    if (s) s->used = clock_mono(r->clock);
    return s;
}

static void series_free(struct stage_run *r, struct custom *c, struct series *s)
{
    map_del(&c->series, str_n((const char *)&s->stream, sizeof(s->stream)));
    shard_metric_free(r->shard, s->metric);
    labels_unref(s->stream);
    free(s);
}

static void free_unused(struct stage_run *r, struct custom *c, i64 until)
{
    VEC(struct series *) old = {0};

    map_each (&c->series, e)
        if (((struct series *)e->value)->used <= until) vec_push(&old, e->value);
    vec_each (&old, s)
        series_free(r, c, *s);
    vec_done(&old);
}

static void on_timer(void *arg)
{
    struct stage_run *r = arg;
    const struct metrics_plan *plan = r->plan;
    struct state *s = r->state;

    for (size_t i = 0; i < plan->n; i++)
        free_unused(r, &s->v[i], clock_mono(r->clock) - plan->v[i].args->max_idle_duration.ns);
}

/* --- values --- */

static bool text_number(struct str s, f64 *ret)
{
    i64 ns;

    if (num_parse_f64(s, ret) == 0) return true;
    if (dur_parse(s, &ns, NULL)) return false;
    *ret = (f64)ns / (f64)NS_PER_SEC;
    return true;
}

static bool number(const struct ex_value *v, f64 *ret)
{
    switch (v->type) {
    case EX_FLOAT: *ret = v->f; return true;
    case EX_INT: *ret = (f64)v->i; return true;
    case EX_BOOL: *ret = v->b; return true;
    case EX_STRING: return text_number(v->s, ret);
    case EX_NULL:
    case EX_OTHER: return false;
    }
    return false;
}

/* The value that an entry has for the metric; false: the entry does not count. */
static bool value_of(const struct metric_plan *m, struct entry *e, f64 *ret)
{
    const struct metric_args *a = m->args;
    struct str text;

    *ret = 1;
    if (a->match_all) {
        if (a->count_entry_bytes) *ret = (f64)e->line.n;
        return true;
    }
    const struct ex_value *v = ex_get(e->extracted, m->source);
    if (!v) return false;
    if (a->value.n && (!ex_string(v, e->scratch, &text) || !str_eq(text, a->value))) return false;
    return !m->needs_number || number(v, ret);
}

static void record(const struct metric_plan *m, struct series *s, f64 v)
{
    switch (m->action) {
    case ACTION_INC: s->gauge += 1; break;
    case ACTION_DEC: s->gauge -= 1; break;
    case ACTION_ADD: s->gauge += v; break;
    case ACTION_SUB: s->gauge -= v; break;
    case ACTION_SET: s->gauge = v; break;
    case ACTION_OBSERVE: metric_observe(s->metric, v); return;
    }
    metric_set(s->metric, s->gauge);
}

static enum stage_result run(struct stage_run *r, struct entry *e)
{
    const struct metrics_plan *plan = r->plan;
    struct state *state = r->state;
    f64 v;

    for (size_t i = 0; i < plan->n; i++) {
        const struct metric_plan *m = &plan->v[i];
        if (!value_of(m, e, &v)) continue;
        if (m->desc->kind == METRIC_COUNTER && !(v >= 0)) continue; /* counters only grow */
        struct series *s = series_of(r, m, &state->v[i], e);
        if (s) record(m, s, v);
    }
    return STAGE_PASS;
}

/* --- life --- */

static void open_stage(struct stage_run *r)
{
    const struct metrics_plan *plan = r->plan;
    struct state *s = r->state;

    s->v = xcalloc(plan->n + 1, sizeof(*s->v));
    s->timer = timer_new(r->loop, on_timer, r);
    if (plan->n) timer_every(s->timer, MAX(plan->shortest_idle / 4, NS_PER_SEC / 4));
}

static void close_stage(struct stage_run *r)
{
    const struct metrics_plan *plan = r->plan;
    struct state *s = r->state;

    for (size_t i = 0; i < plan->n; i++) {
        free_unused(r, &s->v[i], INT64_MAX);
        map_done(&s->v[i].series, NULL);
    }
    free(s->v);
    timer_free(s->timer);
}

const struct stage_ops metrics_stage = {
    .plan_size = sizeof(struct metrics_plan),
    .state_size = sizeof(struct state),
    .prepare = metrics_prepare,
    .open = open_stage,
    .run = run,
    .close = close_stage,
};
