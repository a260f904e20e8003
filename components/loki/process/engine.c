/* Running entries through the stages. */
#include "components/loki/process/engine_int.h"

#include <errno.h>

#define NO_MEMORY_WAIT (100 * NS_PER_MS)

/* --- frames --- */

void frame_init(struct frame *f, struct pipeline *p)
{
    *f = (struct frame){0};
    entry_labels_init(&f->labels, p->memo);
    arena_init(&f->scratch, 4096);
    f->e.labels = &f->labels;
    f->e.extracted = ex_new();
    f->e.scratch = &f->scratch;
}

void frame_done(struct frame *f)
{
    entry_labels_done(&f->labels);
    ex_free(f->e.extracted);
    arena_done(&f->scratch);
    origins_done(&f->merged);
}

static struct frame *frame_push(struct pipeline *p)
{
    if (p->depth == p->frames.n) {
        struct frame *f = xnew(struct frame);
        frame_init(f, p);
        vec_push(&p->frames, f);
    }
    return p->frames.v[p->depth++];
}

static void frame_pop(struct pipeline *p)
{
    struct frame *f = p->frames.v[--p->depth];

    arena_rewind(&f->scratch);
    if (UNLIKELY(f->merged.n > 0)) origins_done(&f->merged);
}

/* --- out --- */

static bool lies_in(struct str part, struct str whole)
{
    return part.p >= whole.p && part.p + part.n <= whole.p + whole.n;
}

/* What lies in the batch's roots is not copied. */
static int add_out(struct pipeline *p, const struct frame *f, struct labels *l,
                   const struct log_entry *e)
{
    bool rooted = f->root.p && !f->held && !f->e.meta_changed;

    if (!rooted || !lies_in(e->line, f->root)) return log_builder_add(p->out, l, e);
    if (!p->kept_roots) log_builder_keep_logs(p->out, p->from->logs);
    p->kept_roots = true;
    return log_builder_add_slice(p->out, l, e);
}

static void note_origins(struct pipeline *p, const struct frame *f)
{
    size_t n = p->out_from.n;

    if (f->held || f->merged.n > 0)
        frame_origins(p, f, &p->out_from);
    else if (n == 0 || p->out_from.v[n - 1] != p->from)
        origins_add(&p->out_from, p->from);
}

static bool put_out(struct pipeline *p, const struct frame *f)
{
    struct log_entry e = {f->e.time, f->e.line, f->e.meta, f->e.n_meta};
    struct labels *l = entry_labels_intern(f->e.labels);

    if (!l || add_out(p, f, l, &e)) return false;
    note_origins(p, f);
    if (UNLIKELY(comp_tapped(p->shard->comp))) log_tap(p->shard->comp, true, l->text, &e);
    return true;
}

int pipeline_take(struct pipeline *p, struct batch **ret)
{
    *ret = NULL;
    if (!log_builder_items(p->out)) return 0;
    struct batch *made = batch_derive(p->out_from.v[0]);
    for (size_t i = 1; i < p->out_from.n; i++) {
        const struct batch *from = p->out_from.v[i];
        for (u32 k = 0; k < from->n_acks; k++)
            batch_add_ack(made, from->acks[k]);
        made->own |= from->own;
    }
    if (log_builder_seal(p->out, made) < 0) {
        batch_unref(made);
        return -ENOMEM;
    }
    origins_done(&p->out_from);
    p->kept_roots = false;
    *ret = made;
    return 0;
}

/* --- run --- */

bool pipeline_run(struct pipeline *p, struct frame *f, u32 at, u32 *ret_at)
{
    u32 n = p->plan->n;

    while (at < n) {
        struct stage_run *r = &p->runs[at];
        *ret_at = at;
        switch (r->ops->run(r, &f->e)) {
        case STAGE_PASS: at++; break;
        case STAGE_SKIP: at = p->plan->steps[at].skip; break;
        case STAGE_DROP:
        case STAGE_HELD: return true;
        case STAGE_WAIT:
            p->wait_ns = r->wait_ns;
            if (!p->forced) return false;
            at++;
        }
    }
    *ret_at = n;
    p->wait_ns = NO_MEMORY_WAIT;
    return put_out(p, f);
}

static void begin_entry(struct frame *f, struct labels *labels, const struct log_entry *e)
{
    struct entry *to = &f->e;

    entry_labels_begin(&f->labels, labels);
    ex_begin(to->extracted, labels);
    to->time = e->time;
    to->line = f->root = e->line;
    to->meta = e->meta;
    to->n_meta = e->n_meta;
    to->cap_meta = 0;
    to->meta_changed = false;
    f->held = NULL;
}

/* False: a copy of it waits. */
static bool feed_entry(struct pipeline *p, struct labels *labels, const struct log_entry *e)
{
    struct frame *f = frame_push(p);
    u32 at;

    if (UNLIKELY(comp_tapped(p->shard->comp))) log_tap(p->shard->comp, false, labels->text, e);
    begin_entry(f, labels, e);
    bool done = pipeline_run(p, f, 0, &at);
    if (!done) pipeline_wait(p, &f->e, at);
    frame_pop(p);
    return list_empty(&p->waiting);
}

static void set_from(struct pipeline *p, struct batch *b)
{
    if (p->from == b) return;
    batch_unref(p->from);
    batch_unref(p->origin);
    p->from = b ? batch_ref(b) : NULL;
    p->origin = NULL;
    p->kept_roots = false;
}

static bool feed_rest(struct pipeline *p, const struct logs *l, struct feed *at)
{
    for (; at->stream < l->n_streams; at->stream++, at->entry = 0) {
        const struct log_stream *s = &l->streams[at->stream];
        while (at->entry < s->n)
            if (!feed_entry(p, s->labels, &s->v[at->entry++])) return false;
    }
    return true;
}

bool pipeline_feed(struct pipeline *p, struct batch *b, struct feed *at)
{
    p->inside = true;
    set_from(p, b);
    bool all = feed_rest(p, b->logs, at);
    if (all) set_from(p, NULL);
    p->inside = false;
    return all;
}

/* --- entries that wait --- */

static void move_all(struct list *from, struct list *to)
{
    list_each (from, node) {
        list_del(node);
        list_add_tail(to, node);
    }
}

/* What makes a new entry wait while an older one goes on is in front of those that waited before.
 */
static void resume(struct pipeline *p)
{
    struct list rest;

    list_init(&rest);
    move_all(&p->waiting, &rest);
    while (!list_empty(&rest) && list_empty(&p->waiting)) {
        struct held_entry *h = list_item(rest.next, struct held_entry, node);
        list_del(&h->node);
        held_run(h, h->at);
    }
    move_all(&rest, &p->waiting);
}

bool pipeline_resume(struct pipeline *p)
{
    bool inside = p->inside;

    p->inside = true;
    resume(p);
    p->inside = inside;
    return list_empty(&p->waiting);
}

bool pipeline_waits(const struct pipeline *p)
{
    return !list_empty(&p->waiting);
}

i64 pipeline_wait_ns(const struct pipeline *p)
{
    return MAX(p->wait_ns, NS_PER_MS);
}

void pipeline_flush(struct pipeline *p, bool all)
{
    p->inside = true;
    p->forced = all;
    if (all) resume(p);
    for (u32 i = 0; i < p->plan->n; i++)
        if (p->runs[i].ops->flush) p->runs[i].ops->flush(&p->runs[i]);
    p->forced = false;
    p->inside = false;
}

/* --- entries that a stage makes --- */

static void share_entry(struct frame *f, const struct frame *from, struct str line)
{
    entry_labels_share(&f->labels, &from->labels);
    ex_share(f->e.extracted, from->e.extracted);
    f->e.time = from->e.time;
    f->e.line = line;
    f->e.meta = from->e.meta;
    f->e.n_meta = from->e.n_meta;
    f->e.cap_meta = 0; /* the array is another's: copied before it is changed */
    f->e.meta_changed = from->e.meta_changed;
    f->root = from->root;
    f->held = from->held;
    origins_add_all(&f->merged, &from->merged);
}

void stage_emit(struct stage_run *r, const struct entry *e, struct str line)
{
    struct pipeline *p = r->pipeline;
    struct frame *f = frame_push(p);
    u32 at = r->at + 1;

    share_entry(f, container_of(e, const struct frame, e), line);
    bool done = list_empty(&p->waiting) && pipeline_run(p, f, at, &at);
    if (!done) pipeline_wait(p, &f->e, at);
    frame_pop(p);
}

/* --- life --- */

static void open_stage(struct pipeline *p, u32 i)
{
    const struct step *step = &p->plan->steps[i];
    struct shard *s = p->shard;
    struct stage_run *r = &p->runs[i];

    *r = (struct stage_run){.ops = step->ops,
                            .plan = step->plan,
                            .state = xcalloc(1, step->ops->state_size + 1),
                            .pipeline = p,
                            .comp = s->comp,
                            .shard = s,
                            .loop = s->worker->loop,
                            .clock = s->comp->host->clock,
                            .at = i};
    if (step->ops->open) step->ops->open(r);
}

struct pipeline *pipeline_new(struct shard *s, const struct pipeline_plan *plan,
                              struct stage_counters *c, void (*kick)(void *arg), void *arg)
{
    struct pipeline *p = xnew(struct pipeline);

    p->plan = plan;
    p->shard = s;
    p->counters = c;
    p->kick = kick;
    p->arg = arg;
    p->memo = label_memo_new(s->comp->host->labels);
    p->out = log_builder_new(s->comp->host->data_budget);
    list_init(&p->held);
    list_init(&p->waiting);
    p->runs = xcalloc(plan->n + 1, sizeof(*p->runs));
    for (u32 i = 0; i < plan->n; i++)
        open_stage(p, i);
    return p;
}

static void close_stage(struct stage_run *r)
{
    if (r->ops->close) r->ops->close(r);
    free(r->state);
}

static void leave_shared(struct pipeline *p)
{
    vec_each (&p->shared, m)
        shared_leave(p->shard->comp, *m);
    vec_done(&p->shared);
}

static void abandon_all(struct list *held)
{
    list_each (held, node) {
        struct held_entry *h = list_item(node, struct held_entry, node);
        vec_each (&h->from, b)
            batch_fail(*b, ACK_ABANDONED, NULL);
        held_free(h);
    }
}

static void abandon_out(struct pipeline *p)
{
    vec_each (&p->out_from, b)
        batch_fail(*b, ACK_ABANDONED, NULL);
    origins_done(&p->out_from);
}

void pipeline_free(struct pipeline *p)
{
    if (!p) return;
    for (u32 i = 0; i < p->plan->n; i++)
        close_stage(&p->runs[i]);
    leave_shared(p);
    abandon_all(&p->held);
    abandon_all(&p->waiting);
    abandon_out(p);
    set_from(p, NULL);
    vec_each (&p->frames, f) {
        frame_done(*f);
        free(*f);
    }
    vec_done(&p->frames);
    log_builder_free(p->out);
    label_memo_free(p->memo);
    free(p->runs);
    free(p);
}

void pipeline_rebase(struct pipeline *p, const struct pipeline_plan *plan)
{
    ASSERT(plan->n == p->plan->n);
    label_memo_clear(p->memo);
    p->plan = plan;
    for (u32 i = 0; i < plan->n; i++)
        p->runs[i].plan = plan->steps[i].plan;
}
