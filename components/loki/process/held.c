/* Entries that outlive their batch: held by stages, or waiting. Their texts are copies charged to
 * the data budget, and they keep the acks of the batches that they came in. */
#include <errno.h>
#include "components/loki/process/engine_int.h"

#define TEXT_MAX ((size_t)1 << 30)

/* --- origins --- */

#define LOOK_BACK 8 /* a double costs an entry in a list, no more */

void origins_add(origins *o, struct batch *b)
{
    for (size_t i = o->n; i > 0 && i + LOOK_BACK > o->n; i--)
        if (o->v[i - 1] == b) return;
    vec_push(o, batch_ref(b));
}

void origins_done(origins *o)
{
    vec_each (o, b)
        batch_unref(*b);
    vec_done(o);
}

void origins_add_all(origins *o, const origins *from)
{
    for (size_t i = 0; i < from->n; i++)
        origins_add(o, from->v[i]);
}

void frame_origins(struct pipeline *p, const struct frame *f, origins *into)
{
    origins_add_all(into, &f->merged);
    if (f->held) {
        origins_add_all(into, &f->held->from);
        return;
    }
    if (!p->origin) {
        p->origin = batch_derive(p->from);
        batch_accept(p->origin); /* we have a copy: who pushed it need not wait for the end of it */
    }
    origins_add(into, p->origin);
}

/* --- copies --- */

static const struct label *copy_meta(struct arena *a, const struct entry *e)
{
    struct label *v = arena_array(a, struct label, e->n_meta + 1);

    for (u32 i = 0; i < e->n_meta; i++)
        v[i] = (struct label){arena_str(a, e->meta[i].name), arena_str(a, e->meta[i].value)};
    return v;
}

static struct labels *first_labels(const struct entry *e)
{
    return labels_ref((struct labels *)ex_labels(e->extracted));
}

/* Everything that e consists of; false when memory is out. */
static bool copy_entry(struct held_entry *h, const struct entry *e)
{
    struct labels *stream = entry_stream(e);
    struct entry *to = &h->f.e;

    if (!stream) return false;
    buf_str(&h->text, e->line);
    h->base = labels_ref(stream);
    h->first = first_labels(e);
    entry_labels_begin(&h->f.labels, h->base);
    ex_copy(to->extracted, e->extracted, h->first, &h->f.scratch);
    to->time = e->time;
    to->line = buf_view(&h->text);
    to->meta = copy_meta(&h->f.scratch, e);
    to->n_meta = e->n_meta;
    to->cap_meta = e->n_meta + 1;
    to->meta_changed = true;
    return !buf_err(&h->text);
}

static i64 size_of(const struct held_entry *h)
{
    return (i64)(sizeof(*h) + arena_size(&h->f.scratch) + h->text.cap);
}

/* Charges what it grew by. */
static bool charge(struct held_entry *h, bool forced)
{
    struct budget *budget = h->p->shard->comp->host->data_budget;
    i64 more = size_of(h) - h->charged;

    if (budget && forced) budget_force(budget, more);
    if (budget && !forced && !budget_take(budget, more)) return false;
    h->charged += more;
    return true;
}

struct held_entry *held_new(struct pipeline *p, const struct entry *e, bool forced)
{
    struct held_entry *h = xnew(struct held_entry);
    const struct frame *f = container_of(e, const struct frame, e);

    h->p = p;
    buf_init(&h->text, TEXT_MAX);
    frame_init(&h->f, p);
    h->f.held = h;
    list_init(&h->node);
    bool ok = copy_entry(h, e);
    if (ok && charge(h, forced)) {
        frame_origins(p, f, &h->from);
        list_add_tail(&p->held, &h->node);
        return h;
    }
    held_free(h);
    return NULL;
}

void held_free(struct held_entry *h)
{
    struct budget *budget = h->p->shard->comp->host->data_budget;

    list_del(&h->node);
    if (budget) budget_give(budget, h->charged);
    frame_done(&h->f);
    buf_done(&h->text);
    labels_unref(h->base);
    labels_unref(h->first);
    origins_done(&h->from);
    free(h);
}

/* --- waiting --- */

/* Memory is out even for a copy: the source is told that the entry did not get through. */
static void abandon(struct pipeline *p, const struct entry *e)
{
    origins from = {0};

    frame_origins(p, container_of(e, const struct frame, e), &from);
    vec_each (&from, b)
        batch_fail(*b, ACK_ABANDONED, NULL);
    origins_done(&from);
    log_error(p->shard->comp->log, "an entry was lost: memory is out");
}

static void wait_at(struct held_entry *h, u32 at)
{
    h->at = at;
    list_del(&h->node);
    list_add_tail(&h->p->waiting, &h->node);
}

void pipeline_wait(struct pipeline *p, const struct entry *e, u32 at)
{
    struct held_entry *h = held_new(p, e, true);

    if (h)
        wait_at(h, at);
    else
        abandon(p, e);
}

void held_run(struct held_entry *h, u32 at)
{
    struct pipeline *p = h->p;
    bool done = false;

    if (list_empty(&p->waiting)) done = pipeline_run(p, &h->f, at, &at);
    if (done)
        held_free(h);
    else
        wait_at(h, at);
}

/* --- what stages call --- */

struct held_entry *stage_hold(struct stage_run *r, const struct entry *e)
{
    return held_new(r->pipeline, e, false);
}

void held_join(struct stage_run *r, const struct entry *e, struct held_entry *h)
{
    frame_origins(r->pipeline, container_of(e, const struct frame, e), &h->from);
}

int held_append(struct held_entry *h, struct str text)
{
    size_t before = h->text.n;

    buf_str(&h->text, text);
    if (!buf_err(&h->text) && charge(h, false)) {
        h->f.e.line = buf_view(&h->text);
        return 0;
    }
    h->text.err = 0;
    buf_truncate(&h->text, before);
    h->f.e.line = buf_view(&h->text);
    return -ENOMEM;
}

void held_merge(struct stage_run *r, struct held_entry *h, struct entry *e)
{
    origins_add_all(&container_of(e, struct frame, e)->merged, &h->from);
    held_free(h);
}

struct held_entry *held_again(struct stage_run *r, struct held_entry *h)
{
    struct held_entry *copy = held_new(r->pipeline, &h->f.e, false);

    if (copy) origins_done(&copy->from);
    return copy;
}

void held_clear_line(struct held_entry *h)
{
    buf_reset(&h->text);
    h->f.e.line = STR("");
}

struct entry *held_view(struct held_entry *h)
{
    return &h->f.e;
}

void held_drop(struct held_entry *h)
{
    held_free(h);
}

void stage_release(struct stage_run *r, struct held_entry *h)
{
    struct pipeline *p = r->pipeline;

    list_del(&h->node);
    held_run(h, r->at + 1);
    if (!p->inside) p->kick(p->arg);
}
