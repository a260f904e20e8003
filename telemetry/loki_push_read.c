/* Reading Loki's push request from protobuf. A stream is walked twice, since its labels may stand
 * behind its entries: once for the labels and to see that it is whole, once for the entries. */
#include "telemetry/loki_push.h"

#include <errno.h>
#include <stdlib.h>
#include "base/xalloc.h"
#include "telemetry/pb.h"

enum { PUSH_STREAM = 1, STREAM_LABELS = 1, STREAM_ENTRY = 2, STREAM_HASH = 3 };
enum { ENTRY_TIME = 1, ENTRY_LINE = 2, ENTRY_META = 3 };

struct reading {
    const struct loki_push_reader *r;
    const char *start; /* of the body, for offsets in errors */
    struct label *meta;
    u32 cap;
    int err;      /* what ends the reading */
    char *broken; /* with -EBADMSG */
    char *refused;
};

static int broken(struct reading *d, const char *at, const char *what)
{
    if (d->err) return d->err;
    d->err = -EBADMSG;
    d->broken =
        xprintf("the push request is broken at byte %zu: %s", (size_t)(at - d->start), what);
    return d->err;
}

static const char *const wrong_type = "a field has the wrong wire type";
static const char *const cut_off = "a field is cut off or no field at all";

static struct label *meta_slot(struct reading *d, u32 n)
{
    if (n == d->cap) {
        d->cap = d->cap ? d->cap * 2 : 8;
        d->meta = xrealloc(d->meta, d->cap * sizeof(*d->meta));
    }
    return &d->meta[n];
}

static int read_pair(struct reading *d, struct str bytes, struct label *ret)
{
    struct pb_in in = pb_in(bytes);
    struct pb_field f;

    *ret = (struct label){STR(""), STR("")};
    while (pb_next(&in, &f)) {
        if (f.num != 1 && f.num != 2) continue;
        if (f.wire != PB_BYTES) return broken(d, f.at, wrong_type);
        *(f.num == 1 ? &ret->name : &ret->value) = f.b;
    }
    return in.bad ? broken(d, in.p, cut_off) : 0;
}

/* Seconds and nanoseconds as Go adds them: wrapping, nanoseconds of any size. */
static int read_time(struct reading *d, struct str bytes, i64 *ret)
{
    u64 v[2] = {0, 0};
    struct pb_in in = pb_in(bytes);
    struct pb_field f;

    while (pb_next(&in, &f)) {
        if (f.num != 1 && f.num != 2) continue;
        if (f.wire != PB_VARINT) return broken(d, f.at, wrong_type);
        v[f.num - 1] = f.v;
    }
    *ret = (i64)(v[0] * (u64)NS_PER_SEC + (u64)(i64)(i32)v[1]);
    return in.bad ? broken(d, in.p, cut_off) : 0;
}

static int entry_field(struct reading *d, const struct pb_field *f, struct log_entry *e)
{
    if (f->num < ENTRY_TIME || f->num > ENTRY_META) return 0;
    if (f->wire != PB_BYTES) return broken(d, f->at, wrong_type);
    if (f->num == ENTRY_TIME) return read_time(d, f->b, &e->time);
    if (f->num == ENTRY_LINE) {
        e->line = f->b;
        return 0;
    }
    if (e->n_meta == LOKI_PUSH_MAX_META)
        return broken(d, f->at, "more than 4096 pairs of structured metadata in one entry");
    return read_pair(d, f->b, meta_slot(d, e->n_meta++));
}

/* stream NULL: the entry is only looked through. */
static int read_entry(struct reading *d, struct str bytes, void *stream)
{
    struct log_entry e = {.line = STR("")};
    struct pb_in in = pb_in(bytes);
    struct pb_field f;

    while (!d->err && pb_next(&in, &f))
        entry_field(d, &f, &e);
    if (in.bad) broken(d, in.p, cut_off);
    if (d->err || !stream) return d->err;
    e.meta = d->meta;
    d->err = d->r->entry(d->r->arg, stream, &e);
    return d->err;
}

static int find_labels(struct reading *d, struct str bytes, struct str *ret)
{
    struct pb_in in = pb_in(bytes);
    struct pb_field f;

    while (pb_next(&in, &f)) {
        if (f.num > STREAM_HASH) continue;
        if (f.wire != (f.num == STREAM_HASH ? PB_VARINT : PB_BYTES))
            return broken(d, f.at, wrong_type);
        if (f.num == STREAM_LABELS) *ret = f.b;
    }
    return in.bad ? broken(d, in.p, cut_off) : 0;
}

static void *open_stream(struct reading *d, struct str labels)
{
    char *why = NULL;
    void *stream = d->r->stream(d->r->arg, labels, &why);

    if (stream) return stream;
    free(d->refused);
    d->refused = why ? why : xstrdup("a stream was refused");
    return NULL;
}

static int read_stream(struct reading *d, struct str bytes)
{
    struct str labels = STR("");
    struct pb_in in = pb_in(bytes);
    struct pb_field f;

    if (find_labels(d, bytes, &labels)) return d->err;
    void *stream = open_stream(d, labels);
    while (!d->err && pb_next(&in, &f))
        if (f.num == STREAM_ENTRY) read_entry(d, f.b, stream);
    return d->err;
}

/* What is to be told: a broken body before streams that were refused. */
static int finish(struct reading *d, char **ret_err)
{
    int err = d->err ? d->err : d->refused ? -EINVAL : 0;

    free(d->meta);
    if (err == -EINVAL && !d->err) {
        *ret_err = d->refused;
        d->refused = NULL;
    }
    if (d->broken) *ret_err = d->broken;
    free(d->refused);
    return err;
}

int loki_push_read(struct str body, const struct loki_push_reader *r, char **ret_err)
{
    struct reading d = {.r = r, .start = body.p};
    struct pb_in in = pb_in(body);
    struct pb_field f;

    while (!d.err && pb_next(&in, &f)) {
        if (f.num != PUSH_STREAM) continue;
        if (f.wire != PB_BYTES)
            broken(&d, f.at, wrong_type);
        else
            read_stream(&d, f.b);
    }
    if (in.bad) broken(&d, in.p, cut_off);
    return finish(&d, ret_err);
}
