/* stage.cri: lines of the container runtime interface, "TIME stdout F text". The parts of a line
 * that the runtime cut are put together, for each stream by itself; what never gets its last part
 * is sent as it is after a minute, so that it does not hold back its file for good. */
#include <errno.h>
#include "base/map.h"
#include "base/rfc3339.h"
#include "base/vec.h"
#include "components/loki/process/cri_line.h"
#include "components/loki/process/stage.h"

#define PATIENCE (60 * NS_PER_SEC)

struct args {
    bool max_partial_line_size_truncate;
    i64 max_partial_line_size, max_partial_lines;
};

static const struct row rows[] = {
    ATTR(struct args, max_partial_line_size_truncate,
         .doc = "Cut lines put together that are longer than max_partial_line_size.",
         .def = "false"),
    ATTR(struct args, max_partial_line_size, .doc = "Most bytes of a line put together; 0: any.",
         .def = "0", .min = 0, .has_min = true),
    ATTR(struct args, max_partial_lines, .doc = "Most streams with an unfinished line.",
         .def = "100"),
};
const struct schema cri_stage_schema = SCHEMA(struct args, rows);

struct partial {
    struct labels *stream; /* a reference; its address is the key */
    struct held_entry *held;
    i64 since; /* when its last part came */
};
struct state {
    struct map partial; /* address of the stream -> struct partial */
    struct timer *timer;
    struct metric *flushed, *cut;
};

static const struct metric_desc flushed_desc = {
    .name = "loki_process_cri_partial_lines_flushed_total",
    .help = "Unfinished lines that stage.cri sent on because there were too many, or for too long.",
    .kind = METRIC_COUNTER};
static const struct metric_desc cut_desc = {
    .name = "loki_process_cri_lines_truncated_total",
    .help = "Lines that stage.cri cut at max_partial_line_size.",
    .kind = METRIC_COUNTER};

/* --- a line --- */

static void set(struct entry *e, const struct cri_line *c)
{
    i64 time;

    ex_put_str(e->extracted, STR("flags"), c->partial ? STR("P") : STR("F"));
    ex_put_str(e->extracted, STR("stream"), c->stream);
    ex_put_str(e->extracted, STR("content"), c->content);
    ex_put_str(e->extracted, STR("time"), c->time);
    entry_label_put(e, STR("stream"), c->stream);
    if (rfc3339_parse(c->time, &time) == 0) e->time = time;
    e->line = c->content;
}

/* --- unfinished lines --- */

static struct str key_of(struct labels *const *l)
{
    return str_n((const char *)l, sizeof(*l));
}

static struct held_entry *forget(struct state *s, struct partial *p)
{
    struct held_entry *h = p->held;

    map_del(&s->partial, key_of(&p->stream));
    labels_unref(p->stream);
    free(p);
    return h;
}

static void truncate(struct stage_run *r, struct entry *e)
{
    const struct args *a = r->plan;
    bool cut = a->max_partial_line_size_truncate && a->max_partial_line_size > 0 &&
               (i64)e->line.n > a->max_partial_line_size;

    if (!cut) return;
    e->line.n = (size_t)a->max_partial_line_size;
    metric_inc(((struct state *)r->state)->cut);
}

static void send(struct stage_run *r, struct partial *p)
{
    struct state *s = r->state;
    struct held_entry *h = forget(s, p);

    metric_inc(s->flushed);
    truncate(r, held_view(h));
    stage_release(r, h);
}

/* Those whose last part came at `until` or before. */
static void send_old(struct stage_run *r, i64 until)
{
    struct state *s = r->state;
    VEC(struct partial *) old = {0};

    map_each (&s->partial, e)
        if (((struct partial *)e->value)->since <= until) vec_push(&old, e->value);
    vec_each (&old, p)
        send(r, *p);
    vec_done(&old);
}

static void on_timer(void *arg)
{
    struct stage_run *r = arg;
    struct state *s = r->state;

    send_old(r, clock_mono(r->clock) - PATIENCE);
    if (s->partial.live > 0) timer_start(s->timer, PATIENCE / 4);
}

static void make_room(struct stage_run *r)
{
    const struct args *a = r->plan;
    struct state *s = r->state;

    if ((i64)s->partial.live < MAX(a->max_partial_lines, 1)) return;
    log_warn(r->comp->log, "partial lines upperbound exceeded, merging it to single line",
             F_INT("threshold", a->max_partial_lines));
    send_old(r, INT64_MAX);
}

/* Of a line that will be cut no more is kept than shows that it was longer. */
static void append(struct stage_run *r, struct held_entry *h, struct str content)
{
    const struct args *a = r->plan;
    size_t had = held_view(h)->line.n, room = (size_t)a->max_partial_line_size + 1;
    bool cut = a->max_partial_line_size_truncate && a->max_partial_line_size > 0;

    if (cut) content.n = MIN(content.n, had < room ? room - had : 0);
    if (held_append(h, content) == 0) return;
    log_warn(r->comp->log, "memory is out for an unfinished line: a part of it is missing");
}

static enum stage_result keep_first(struct stage_run *r, struct entry *e, struct labels *stream)
{
    struct state *s = r->state;

    make_room(r);
    struct held_entry *h = stage_hold(r, e);
    if (!h) return STAGE_PASS; /* memory is out: the part goes on by itself */
    struct partial *p = xnew(struct partial);
    *p = (struct partial){labels_ref(stream), h, clock_mono(r->clock)};
    map_put(&s->partial, key_of(&p->stream), p);
    if (!timer_active(s->timer)) timer_start(s->timer, PATIENCE / 4);
    return STAGE_HELD;
}

/* The finished line, with what the last part says of it. */
static void finish(struct stage_run *r, struct partial *p, struct entry *e)
{
    struct held_entry *h = forget(r->state, p);

    append(r, h, e->line);
    e->line = arena_str(e->scratch, held_view(h)->line);
    held_merge(r, h, e);
}

/* There is nothing to compile: the plan is a copy of the arguments. */
static int prepare(struct prepare *p, const void *args, const struct span *span, void *plan)
{
    const struct args *a = args;

    *(struct args *)plan = *a;
    if (a->max_partial_lines > 0) return 0;
    return stage_fault(p, stage_at(p, span, "max_partial_lines"),
                       "max_partial_lines must be greater than 0");
}

static enum stage_result run(struct stage_run *r, struct entry *e)
{
    struct state *s = r->state;
    struct cri_line c;

    if (!cri_line_cut(e->line, &c)) return STAGE_PASS;
    set(e, &c);
    if (!c.partial && s->partial.live == 0) return STAGE_PASS;
    struct labels *stream = entry_stream(e);
    struct partial *p = stream ? map_get(&s->partial, key_of(&stream)) : NULL;
    if (!p && c.partial && stream) return keep_first(r, e, stream);
    if (p && c.partial) {
        append(r, p->held, e->line);
        held_join(r, e, p->held);
        p->since = clock_mono(r->clock);
        return STAGE_HELD;
    }
    if (!p) return STAGE_PASS; /* only what was put together is cut */
    finish(r, p, e);
    truncate(r, e);
    return STAGE_PASS;
}

/* --- life --- */

static void open_stage(struct stage_run *r)
{
    struct state *s = r->state;

    s->timer = timer_new(r->loop, on_timer, r);
    s->flushed = stage_metric(r, &flushed_desc, NULL, 0);
    s->cut = stage_metric(r, &cut_desc, NULL, 0);
}

static void flush(struct stage_run *r)
{
    send_old(r, INT64_MAX);
}

static void close_stage(struct stage_run *r)
{
    struct state *s = r->state;

    map_each (&s->partial, e) {
        labels_unref(((struct partial *)e->value)->stream);
        free(e->value);
    }
    map_done(&s->partial, NULL);
    timer_free(s->timer);
}

const struct stage_ops cri_stage = {
    .plan_size = sizeof(struct args),
    .prepare = prepare,
    .state_size = sizeof(struct state),
    .open = open_stage,
    .run = run,
    .flush = flush,
    .close = close_stage,
};
