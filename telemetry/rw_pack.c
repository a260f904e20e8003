/* A 1.0 request in snappy's block format, without its text ever being made. Nearly all of a request
 * is labels that stood in it before, and which those are is known without comparing a byte: values
 * are symbols, so the same text is the same address, and of one shape the names are the same. So a
 * series is compared with earlier ones of its shape by pointers, a run of equal labels is one copy,
 * and what was not there before goes in as it is. This takes a fifth of the time of writing the
 * text and searching it for repetitions, and the result is smaller.
 *
 * Where to look: the series before; the one behind that which the series before was copied from (an
 * exposition goes through the same things metric by metric); where the value was last seen. */
#include <errno.h>
#include <stdlib.h>
#include "base/budget.h"
#include "base/xalloc.h"
#include "telemetry/rw_impl.h"
#include "telemetry/snap_writer.h"

#define CONTENTS_MAX (2 + RW_SAMPLE_MAX)
#define COPY_WORTH   6    /* shorter repetitions are written out, unless a copy goes on */
#define N_SEEN       4096 /* a power of two */

/* A TimeSeries of the request. */
struct row {
    const struct series *series;
    const struct rw_plan *plan;
    u32 at, size; /* in the text: where it begins, bytes behind its head */
    u32 ends;   /* index in pack.ends of where its labels begin; then where each one ends, external
                   ones behind it included */
    u32 source; /* 1 + the row, other than the one before, that labels were copied from last */
    u32 n;      /* bytes of: */
    char contents[CONTENTS_MAX]; /* of a sample, tag and length in front */
};
/* The label that a value was last written in. */
struct seen {
    const struct symbol *symbol;
    u32 row, label;
};
struct rw_pack {
    struct snap_writer w;
    struct row *rows;
    u32 *ends;
    u32 n_rows, cap_rows, n_ends, cap_ends;
    struct seen *seen;
    const struct rw_external *ext; /* of the last row's plan */
    /* Of the row at hand. */
    const struct row *last; /* the one before; NULL: there is none, or it has other names */
    const struct row *next; /* behind that which the one before was copied from; likewise */
    const struct row *from; /* that was copied from last; NULL: none yet */
};

struct rw_pack *rw_pack_new(void)
{
    struct rw_pack *k = xnew(struct rw_pack);

    snap_init(&k->w);
    k->seen = xcalloc(N_SEEN, sizeof(*k->seen));
    return k;
}

void rw_pack_free(struct rw_pack *k)
{
    if (!k) return;
    snap_done(&k->w);
    free(k->rows);
    free(k->ends);
    free(k->seen);
    free(k);
}

void rw_pack_reset(struct rw_pack *k)
{
    snap_reset(&k->w);
    k->n_rows = k->n_ends = 0;
    memset(k->seen, 0, N_SEEN * sizeof(*k->seen));
}

size_t rw_pack_size(const struct rw_pack *k)
{
    return k->w.plain;
}

struct str rw_pack_bytes(struct rw_pack *k)
{
    return snap_end(&k->w);
}

/* --- room --- */

static bool grow(void **v, u32 *cap, u64 need, size_t size)
{
    u64 n = MAX(need, (u64)*cap * 2);

    if (need <= *cap) return true;
    void *more = n <= UINT32_MAX ? budget_realloc(*v, (size_t)n * size) : NULL;
    if (!more) return false;
    *v = more;
    *cap = (u32)n;
    return true;
}

/* For a series of n labels: then nothing fails until it is written, and nothing moves. */
static bool make_room(struct rw_pack *k, u32 n, size_t text)
{
    return grow((void **)&k->rows, &k->cap_rows, (u64)k->n_rows + 1, sizeof(*k->rows)) &&
           grow((void **)&k->ends, &k->cap_ends, (u64)k->n_ends + n + 1, sizeof(*k->ends)) &&
           snap_room(&k->w, text, 6 * ((size_t)n + 2));
}

/* --- looking for what was there before --- */

static u32 *ends_of(const struct rw_pack *k, const struct row *r)
{
    return &k->ends[r->ends];
}

static bool is_alike(const struct row *a, const struct row *b)
{
    return a->series->shape == b->series->shape && a->plan == b->plan;
}

static void look_back(struct rw_pack *k, const struct row *r)
{
    k->last = k->next = k->from = NULL;
    if (r == k->rows) return;
    u32 source = r[-1].source;
    if (is_alike(r - 1, r)) k->last = r - 1;
    if (source && is_alike(&k->rows[source], r)) k->next = &k->rows[source];
}

static struct seen *seen_of(const struct rw_pack *k, const struct symbol *s)
{
    return &k->seen[((u32)((uintptr_t)s >> 4) * 0x9e3779b1u >> 16) & (N_SEEN - 1)];
}

static bool has(const struct row *r, u32 i, const struct symbol *value)
{
    return r && r->series->values[i] == value;
}

/* A row of the same names with the same value of label i. */
static const struct row *find(const struct rw_pack *k, const struct row *r, u32 i)
{
    const struct symbol *value = r->series->values[i];

    if (has(k->last, i, value)) return k->last;
    if (has(k->from, i, value)) return k->from;
    if (has(k->next, i, value)) return k->next;
    const struct seen *s = seen_of(k, value);
    return s->symbol == value && s->label == i && is_alike(&k->rows[s->row], r) ? &k->rows[s->row]
                                                                                : NULL;
}

/* --- labels --- */

static void copy(struct rw_pack *k, size_t from, size_t to)
{
    snap_copy(&k->w, from, to - from);
}

/* Label i, which both have, and those behind it that they have in common; the first that they have
 * not. */
static u32 copy_labels(struct rw_pack *k, struct row *r, const struct row *from, u32 i)
{
    struct symbol *const *mine = r->series->values, *const *theirs = from->series->values;
    u32 n = series_n(r->series), *to = ends_of(k, r);
    const u32 *of = ends_of(k, from);
    u32 shift = (u32)k->w.plain - of[i], start = of[i];

    do {
        i++;
        to[i] = of[i] + shift;
    } while (i < n && mine[i] == theirs[i]);
    copy(k, start, of[i]);
    if (from + 1 != r) r->source = (u32)(from - k->rows) + 1;
    k->from = from;
    return i;
}

static size_t common(struct str a, struct str b)
{
    size_t n = MIN(a.n, b.n), i = 0;

    for (; n - i >= 8; i += 8) {
        u64 diff = pb_load64(a.p + i) ^ pb_load64(b.p + i);
        if (diff) return i + (size_t)__builtin_ctzll(diff) / 8;
    }
    while (i < n && a.p[i] == b.p[i])
        i++;
    return i;
}

static size_t label_size(struct str name, struct str value)
{
    return rw_text_size(rw_label_body(name.n, value.n));
}

static void put_varint(struct rw_pack *k, u64 v)
{
    pb_put_varint(snap_literal_at(&k->w, pb_varint_size(v)), v);
}

static void put_byte(struct rw_pack *k, u32 tag)
{
    *snap_literal_at(&k->w, 1) = (char)tag;
}

/* Another value of the same name begins at `at`: its name is copied, and what the values have in
 * common at their beginning. */
static void put_changed(struct rw_pack *k, struct label l, struct str old, size_t at)
{
    size_t body = rw_label_body(l.name.n, l.value.n), same = common(l.value, old);
    size_t old_body = rw_label_body(l.name.n, old.n),
           value_at = at + rw_text_size(old_body) - old.n;

    if (old.n == l.value.n) {
        copy(k, at, value_at + same);
    } else {
        size_t name_at = at + 1 + pb_varint_size(old_body);
        put_byte(k, PB_TAG(V1_LABEL, PB_BYTES));
        put_varint(k, body);
        copy(k, name_at, name_at + rw_text_size(l.name.n) + 1);
        put_varint(k, l.value.n);
        if (same < COPY_WORTH) same = 0;
        if (same) copy(k, value_at, value_at + same);
    }
    snap_literal(&k->w, l.value.p + same, l.value.n - same);
}

static void put_label(struct rw_pack *k, struct label l)
{
    rw_put_label(snap_literal_at(&k->w, label_size(l.name, l.value)), l.name, l.value);
}

/* The same label in a series of other names. */
static bool copy_label(struct rw_pack *k, const struct seen *s, struct label l)
{
    const struct row *r = &k->rows[s->row];
    size_t at = ends_of(k, r)[s->label];

    if (!str_eq(r->series->shape->names[s->label], l.name)) return false;
    copy(k, at, at + label_size(l.name, l.value));
    return true;
}

/* External labels that stand before label i (n: behind the last). */
static void put_external(struct rw_pack *k, const struct rw_external *e, const struct rw_plan *plan,
                         u32 i)
{
    for (u32 at = 0; at < plan->n; at++)
        if (plan->v[at].before == i)
            snap_literal(&k->w, e->wire[plan->v[at].ext].p, e->wire[plan->v[at].ext].n);
}

/* Those behind label i. */
static void follow(struct rw_pack *k, const struct row *r, const struct rw_external *e, u32 i)
{
    const struct row *last = k->last;

    if (!last) {
        put_external(k, e, r->plan, i + 1);
        return;
    }
    struct label l = series_label(last->series, i);
    size_t at = ends_of(k, last)[i] + label_size(l.name, l.value), end = ends_of(k, last)[i + 1];
    if (at < end) copy(k, at, end);
}

/* A label that no series of these names had. */
static void new_label(struct rw_pack *k, struct row *r, const struct rw_external *e, u32 i)
{
    struct symbol *value = r->series->values[i];
    struct label l = series_label(r->series, i);
    struct seen *s = seen_of(k, value);
    const struct row *last = k->last;

    if (s->symbol != value || !copy_label(k, s, l)) {
        if (last)
            put_changed(k, l, symbol_str(last->series->values[i]), ends_of(k, last)[i]);
        else
            put_label(k, l);
    }
    follow(k, r, e, i);
    *s = (struct seen){value, (u32)(r - k->rows), i};
    ends_of(k, r)[i + 1] = (u32)k->w.plain;
}

static void put_labels(struct rw_pack *k, struct row *r, const struct rw_external *e)
{
    u32 n = series_n(r->series), i = 0;

    if (r->plan->n && !r->plan->v[0].before)
        put_external(k, e, r->plan, 0); /* the first are first */
    ends_of(k, r)[0] = (u32)k->w.plain;
    look_back(k, r);
    while (i < n) {
        const struct row *from = find(k, r, i);
        if (from)
            i = copy_labels(k, r, from, i);
        else
            new_label(k, r, e, i++);
    }
}

/* --- a series --- */

/* Mostly the same as the last one's, which a copy under way then covers. */
static void put_head(struct rw_pack *k, const struct row *r)
{
    const struct row *last = r > k->rows ? r - 1 : NULL;

    if (last && last->size == r->size && snap_goes_on(&k->w, last->at)) {
        copy(k, last->at, last->at + rw_text_size(r->size) - r->size);
        return;
    }
    put_byte(k, PB_TAG(V1_SERIES, PB_BYTES));
    put_varint(k, r->size);
}

/* Mostly that of the row before. */
static const struct rw_plan *plan_of(struct rw_pack *k, const struct series *s,
                                     struct rw_external *ext)
{
    const struct row *last = k->n_rows ? &k->rows[k->n_rows - 1] : NULL;

    if (last && last->series->shape == s->shape && k->ext == ext) return last->plan;
    k->ext = ext;
    return rw_plan_of(ext, s->shape);
}

/* A TimeSeries up to its one member, which has `member` bytes, and takes `max` at most with what is
 * there. NULL with *ret_err. */
static struct row *open_row(struct rw_pack *k, const struct series *s, struct rw_external *ext,
                            size_t member, size_t max, int *ret_err)
{
    const struct rw_plan *plan = plan_of(k, s, ext);
    size_t size = s->wire + plan->wire + member, whole = rw_text_size(size);

    *ret_err = k->w.plain + whole > max                      ? -E2BIG
               : !make_room(k, series_n(s) + plan->n, whole) ? -ENOMEM
                                                             : 0;
    if (*ret_err) return NULL;
    struct row *r = &k->rows[k->n_rows];
    r->series = s;
    r->plan = plan;
    r->at = (u32)k->w.plain;
    r->size = (u32)size;
    r->ends = k->n_ends;
    r->source = r->n = 0;
    put_head(k, r);
    put_labels(k, r, ext);
    k->n_rows++;
    k->n_ends += series_n(s) + 1;
    return r;
}

/* --- samples --- */

static u32 end_of(const struct rw_pack *k, const struct row *r)
{
    return ends_of(k, r)[series_n(r->series)];
}

/* Bytes that both end with, up to eight: the time, and the high end of the value. */
static u32 common_tail(const struct row *a, const struct row *b)
{
    if (a->n < 8 || b->n < 8) return 0;
    u64 diff = pb_load64(a->contents + a->n - 8) ^ pb_load64(b->contents + b->n - 8);
    return diff ? (u32)__builtin_clzll(diff) / 8 : 8;
}

static void put_common(struct rw_pack *k, const struct row *r, u32 at, size_t from, u32 n)
{
    if (n >= COPY_WORTH || snap_goes_on(&k->w, from))
        snap_copy(&k->w, from, n);
    else
        snap_literal(&k->w, r->contents + at, n);
}

/* What the labels were copied from begins alike (zero bytes of the value's low end stand first),
 * the sample before ends alike (with its time). */
static void put_contents(struct rw_pack *k, const struct row *r)
{
    const struct row *last = r > k->rows ? r - 1 : NULL, *from = k->from ? k->from : last;
    u32 head = 0, tail = 0;

    if (from) head = (u32)common(str_n(r->contents, r->n), str_n(from->contents, from->n));
    if (last) tail = MIN(common_tail(r, last), r->n - head);
    if (head) put_common(k, r, 0, end_of(k, from), head);
    snap_literal(&k->w, r->contents + head, r->n - head - tail);
    if (tail) put_common(k, r, r->n - tail, end_of(k, last) + last->n - tail, tail);
}

int rw_pack_sample(struct rw_pack *k, const struct series *s, struct rw_external *ext, i64 time,
                   u64 bits, size_t max)
{
    size_t n = rw_sample_size(time, bits);
    int err;
    struct row *r = open_row(k, s, ext, rw_text_size(n), max, &err);

    if (!r) return err;
    r->contents[0] = (char)PB_TAG(V1_SAMPLE, PB_BYTES);
    r->contents[1] = (char)n;
    r->n = (u32)(rw_put_sample(r->contents + 2, time, bits) - r->contents);
    put_contents(k, r);
    return 0;
}

int rw_pack_member(struct rw_pack *k, const struct series *s, struct rw_external *ext, u32 num,
                   struct str contents, size_t max)
{
    int err;

    if (!open_row(k, s, ext, rw_text_size(contents.n), max, &err)) return err;
    put_byte(k, PB_TAG(num, PB_BYTES));
    put_varint(k, contents.n);
    snap_literal(&k->w, contents.p, contents.n);
    return 0;
}
