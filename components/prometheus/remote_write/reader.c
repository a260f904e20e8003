/* Reading the log for an endpoint: series by their numbers, relabelled once each, and samples to
 * the senders. */
#include <errno.h>
#include "base/xalloc.h"
#include "components/prometheus/remote_write/write.h"

#define TURN_RECORDS 64                /* of one turn of the loop */
#define READ_AGAIN   (100 * NS_PER_MS) /* memory is out, or the disk does not answer */
#define GONE         ((uintptr_t)2)    /* of a view: the rules drop the series */

/* --- views --- */

static struct view *view_new(struct endpoint *e, u32 segment)
{
    struct view *v = xnew(struct view);

    v->refs = 1;
    v->names = names_of(e->write, segment);
    v->relabel = relabel_empty(e->relabel) ? NULL : relabel_ref(e->relabel);
    return v;
}

void view_unref(struct view *v)
{
    if (!v || --v->refs > 0) return;
    for (size_t i = 0; i < v->made.n; i++)
        if (v->made.v[i] > GONE)
            series_unref(write_table(v->names->write), item_series(v->made.v[i]));
    vec_done(&v->made);
    names_unref(v->names);
    relabel_unref(v->relabel);
    free(v);
}

struct view *remote_view(struct endpoint *e, u32 segment)
{
    if (e->view && e->view->names->segment == segment) return e->view;
    view_unref(e->view);
    return e->view = view_new(e, segment);
}

void remote_view_anew(struct endpoint *e)
{
    struct view *old = e->view; /* keeps the table while the new one finds it */

    if (!old) return;
    e->view = view_new(e, old->names->segment);
    view_unref(old);
}

static bool is_same(const struct label_set *a, const struct label_set *b)
{
    if (a->n != b->n) return false;
    for (u32 i = 0; i < a->n; i++)
        if (!str_eq(a->v[i].name, b->v[i].name) || !str_eq(a->v[i].value, b->v[i].value))
            return false;
    return true;
}

/* What the rules leave of a series, with a reference. */
static uintptr_t result(struct write *w, struct series *s, const struct label_set *before,
                        const struct label_set *after)
{
    struct series *made;

    if (before->err || after->err) return 0;
    if (after->n == 0) return GONE;
    if (is_same(before, after)) return (uintptr_t)series_ref(s); /* no copy is made */
    made = label_set_series(after, write_table(w));
    return made ? (uintptr_t)made | ITEM_FINAL : 0;
}

/* What is sent for a series, rules applied: 0: memory is out. */
static uintptr_t make(struct endpoint *e, const struct view *v, struct series *s)
{
    struct write *w = e->write;
    struct label_set before, after;
    bool limited = false;

    label_set_init(&before);
    label_set_init(&after);
    rw_external_load(w->external, s, &before);
    rw_external_load(w->external, s, &after);
    bool kept = relabel_apply(v->relabel, &after, &limited);
    uintptr_t ret = kept || after.err ? result(w, s, &before, &after) : GONE;
    if (limited && !w->limited_told) {
        w->limited_told = true;
        log_warn(write_log(w), RELABEL_LIMITED, F_CSTR("remote_name", e->conf->remote));
    }
    label_set_done(&before);
    label_set_done(&after);
    return ret;
}

/* GONE, or what an item says of its series; 0: memory is out. */
static uintptr_t sent_as(struct endpoint *e, struct view *v, u32 number, struct series *s)
{
    if (!v->relabel) return (uintptr_t)s;
    while (v->made.n <= number)
        vec_push(&v->made, 0);
    if (!v->made.v[number]) v->made.v[number] = make(e, v, s);
    return v->made.v[number];
}

/* --- records --- */

struct taking {
    struct endpoint *endpoint;
    struct view *view;
    struct piece *piece;
    i64 oldest; /* ms; what is older is not sent */
    u32 lost;
    u32 at; /* items of the record looked at */
};

/* An earlier turn ran out of memory behind this item. */
static bool was_taken(struct taking *t)
{
    return t->at++ < t->endpoint->taken;
}

static void lost(struct taking *t)
{
    struct endpoint *e = t->endpoint;

    if (!t->lost) return;
    remote_dropped(e, ITEM_SAMPLE, DROP_LOST, t->lost);
    if (t->view->told) return;
    t->view->told = true;
    log_warn(write_log(e->write),
             "samples of the log cannot be sent: the record that names their series is damaged",
             F_CSTR("remote_name", e->conf->remote), F_UINT("segment", t->view->names->segment),
             F_UINT("samples", t->lost));
}

/* False: the item goes nowhere, and is the caller's. */
static bool pass_on(struct taking *t, u32 number, enum item_kind kind, i64 time, u64 bits)
{
    struct endpoint *e = t->endpoint;
    struct series *s = names_get(t->view->names, number);

    if (!s) {
        t->lost++;
        return false;
    }
    if (time < t->oldest) {
        remote_dropped(e, kind, DROP_OLD, 1);
        return false;
    }
    uintptr_t as = sent_as(e, t->view, number, s);
    if (as == GONE || !as) {
        remote_dropped(e, kind, as ? DROP_SERIES : DROP_LOST, 1);
        return false;
    }
    sender_add(remote_sender(e, item_series(as)->id),
               (struct item){as | (uintptr_t)kind << 1, time, bits}, t->piece);
    return true;
}

static int take_floats(struct taking *t, const struct record_view *r)
{
    struct sample_cursor c = record_samples(r);
    int got;

    while ((got = sample_next(&c)) > 0)
        if (!was_taken(t)) (void)pass_on(t, c.number, ITEM_SAMPLE, c.time, c.bits);
    return got;
}

static int take_histograms(struct taking *t, const struct record_view *r)
{
    struct item_cursor c = record_histograms(r);
    struct histogram_sample *h;
    u32 number;
    int got;

    if (!t->endpoint->conf->args->send_native_histograms) return 0;
    while ((got = histogram_next(&c, &number, &h)) > 0)
        if (was_taken(t) || !pass_on(t, number, ITEM_HISTOGRAM, h->time, (u64)(uintptr_t)h))
            free(h);
    return got;
}

static int take_exemplars(struct taking *t, const struct record_view *r)
{
    struct item_cursor c = record_exemplars(r);
    struct exemplar_sample *x;
    u32 number;
    int got;

    if (!t->endpoint->conf->args->send_exemplars) return 0;
    while ((got = exemplar_next(&c, &number, &x)) > 0)
        if (was_taken(t) || !pass_on(t, number, ITEM_EXEMPLAR, x->has_time ? x->time : INT64_MAX,
                                     (u64)(uintptr_t)x))
            free(x);
    return got;
}

static void broken(struct endpoint *e, struct disk_place after)
{
    remote_meters_broken(e);
    log_warn(write_log(e->write), "a record of the log cannot be read and is passed over",
             F_CSTR("remote_name", e->conf->remote), F_UINT("segment", after.segment),
             F_UINT("before_offset", after.offset));
}

static i64 oldest_sent(const struct endpoint *e)
{
    i64 limit = e->conf->args->queue_config.sample_age_limit.ns;

    return limit > 0 ? remote_real(e->write) - limit / NS_PER_MS : INT64_MIN;
}

static bool is_known(const struct endpoint *e, struct disk_place after)
{
    return after.segment < e->known.segment ||
           (after.segment == e->known.segment && after.offset <= e->known.offset);
}

static struct piece *piece_new(struct endpoint *e, struct view *v, struct disk_place after)
{
    struct piece *p = xnew(struct piece);

    *p = (struct piece){.after = after, .view = v};
    v->refs++;
    list_add_tail(&e->pieces, &p->link);
    return p;
}

/* Memory is out: the rest of the record comes again. What was taken of it is a piece of its own,
 * behind which the record is not done with. */
static int interrupted(struct taking *t, struct disk_place before)
{
    t->endpoint->taken = MAX(t->endpoint->taken, t->at);
    t->piece->after = before;
    lost(t);
    return -ENOMEM;
}

static int take_items(struct taking *t, const struct record_view *r)
{
    int err = take_floats(t, r);

    if (!err) err = take_histograms(t, r);
    return err ? err : take_exemplars(t, r);
}

int remote_take(struct endpoint *e, struct str payload, struct disk_place before,
                struct disk_place after)
{
    struct taking t = {
        .endpoint = e, .view = remote_view(e, after.segment), .oldest = oldest_sent(e)};
    struct record_view r;
    int err = record_open(payload, &r);

    if (!err) err = names_learn(t.view->names, &r);
    if (err == -ENOMEM) return err;
    if (!is_known(e, after)) {
        t.piece = piece_new(e, t.view, after);
        if (!err) err = take_items(&t, &r);
        if (err == -ENOMEM) return interrupted(&t, before);
        lost(&t);
        remote_meters_read(e, after);
    }
    if (err) broken(e, after);
    e->taken = 0;
    pieces_pop(e);
    return 0;
}

void pieces_pop(struct endpoint *e)
{
    list_each (&e->pieces, at) {
        struct piece *p = list_item(at, struct piece, link);
        if (p->open) return;
        if (e->reader) disk_reader_done(e->reader, p->after);
        list_del(&p->link);
        view_unref(p->view);
        free(p);
    }
}

static void unreadable(struct endpoint *e)
{
    if (!e->unreadable)
        log_error(write_log(e->write),
                  "the log on disk cannot be read: its samples wait, and it is tried again",
                  F_CSTR("remote_name", e->conf->remote),
                  F_CSTR("err", disk_log_error(e->write->journal.log)));
    e->unreadable = true;
}

/* 1: a record was read; 0: there is none, or no room; -errno: it is there, later maybe. */
static int read_one(struct endpoint *e)
{
    struct disk_place after, before;
    struct str payload;
    u8 kind;

    if (!e->reader || remote_full(e)) return 0;
    before = disk_reader_at(e->reader);
    int got = disk_reader_next(e->reader, &kind, &payload, &after);
    if (got < 0) unreadable(e);
    if (got <= 0) return got;
    e->unreadable = false;
    if (kind != RECORD_PUSH) {
        broken(e, after);
    } else if (remote_take(e, payload, before, after)) {
        disk_reader_seek(e->reader, before);
        return -ENOMEM;
    }
    return 1;
}

void remote_read(struct endpoint *e, i64 now, i64 *ret_at)
{
    int got = 1;

    for (int i = 0; i < TURN_RECORDS && got > 0; i++)
        got = read_one(e);
    if (got) *ret_at = MIN(*ret_at, got > 0 ? now : now + READ_AGAIN);
}

/* --- what expires --- */

static u64 skip_unread(struct endpoint *e, u32 segment, struct disk_place *ret_after)
{
    struct record_view r;
    struct disk_place after, at = disk_reader_at(e->reader);
    struct str payload;
    u64 n = 0;
    u8 kind;

    while (disk_reader_next(e->reader, &kind, &payload, &after) > 0) {
        if (after.segment > segment) {
            disk_reader_seek(e->reader, at);
            break;
        }
        *ret_after = at = after;
        if (!is_known(e, after) && record_open(payload, &r) == 0) n += r.n_samples + r.n_histograms;
    }
    return n;
}

void remote_skip(struct endpoint *e, u32 segment)
{
    struct disk_place next = {segment + 1, 0}, after = next;
    u64 unread = 0, waiting = 0;

    if (!e->reader) return;
    vec_each (&e->senders, s)
        waiting += sender_expire(*s, segment);
    if (disk_reader_at(e->reader).segment <= segment) unread = skip_unread(e, segment, &after);
    if (unread) remote_dropped(e, ITEM_SAMPLE, DROP_OLD, unread);
    if (disk_reader_at(e->reader).segment <= segment) {
        disk_reader_seek(e->reader, next);
        e->taken = 0;
    }
    pieces_pop(e);
    if (list_empty(&e->pieces)) disk_reader_done(e->reader, next);
    if (unread + waiting)
        log_warn(write_log(e->write),
                 "samples are given up: they are older than max_keepalive_time",
                 F_CSTR("remote_name", e->conf->remote), F_CSTR("url", e->conf->url),
                 F_UINT("samples", unread + waiting));
    remote_meters_pending(e);
}
