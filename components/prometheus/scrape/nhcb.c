/* convert_classic_histograms_to_nhcb: the series of a classic histogram become one native histogram
 * with custom buckets. Lines of one stand together in what targets expose; they are gathered until
 * one of another comes. Source: Prometheus' native histograms, custom buckets (schema -53). */
#include <errno.h>
#include <math.h>

#include "base/hash.h"
#include "base/num.h"
#include "components/prometheus/scrape/ingest.h"
#include "telemetry/histogram.h"

#define BUCKETS_MAX 10000 /* of one histogram */
#define GAP_MAX     2     /* empty buckets that are listed rather than skipped */
#define WHOLE_MAX   9007199254740992.0

enum part { PART_NONE, PART_BUCKET, PART_COUNT, PART_SUM };

static enum part part_of(struct str name, struct str family)
{
    static const char *const suffixes[] = {
        [PART_BUCKET] = "_bucket", [PART_COUNT] = "_count", [PART_SUM] = "_sum"};

    if (family.n == 0 || !str_starts(name, family)) return PART_NONE;
    for (int i = PART_BUCKET; i <= PART_SUM; i++)
        if (str_is(str_sub(name, family.n, name.n), suffixes[i])) return i;
    return PART_NONE;
}

/* --- gathering --- */

static void reset(struct nhcb *n)
{
    n->open = n->has_count = false;
    n->series = NULL;
    n->sum = n->count = 0;
    vec_clear(&n->buckets);
    vec_clear(&n->exemplars);
}

/* `set` has its labels; the sample at hand is the first of it. */
static int begin(struct ingest *in, struct label_set *set, u64 identity)
{
    const struct line *l = cache_expected(&in->t->cache);
    bool timed = in->e.has_time && in->args->honor_timestamps;
    struct series *s = NULL;

    reset(&in->nhcb);
    in->nhcb.time = timed ? in->e.time : in->now_ms;
    in->r->samples++;
    int found =
        ingest_series(in, identity, l && l->hash == identity, timed ? LINE_TIMED : 0, set, &s);
    if (found == 0) return -EINVAL;
    in->nhcb.open = true;
    in->nhcb.identity = identity;
    if (ingest_wanted(in, found, timed, in->nhcb.time)) in->nhcb.series = s;
    return 0;
}

static void add_exemplar(struct ingest *in)
{
    struct exposition_exemplar x = in->e.exemplar;

    if (!x.labels.p || !x.has_time || in->nhcb.exemplars.n == BUCKETS_MAX) return;
    x.labels = arena_str(&in->t->texts, x.labels);
    vec_push(&in->nhcb.exemplars, x);
}

static int add(struct ingest *in, enum part part, f64 le)
{
    struct nhcb *n = &in->nhcb;
    f64 v = sample_value(in->e.bits);

    add_exemplar(in);
    if (part == PART_SUM) {
        n->sum = v;
    } else if (part == PART_COUNT) {
        n->count = v;
        n->has_count = true;
    } else if (n->buckets.n < BUCKETS_MAX) {
        vec_push(&n->buckets, ((struct nhcb_bucket){le, v}));
    } else {
        return ingest_fail(in, "a classic histogram has more than %d buckets", BUCKETS_MAX);
    }
    return 1;
}

/* What the line is part of; its labels without le are in the set then, and *ret_le. */
static enum part read_line(struct ingest *in, struct label_set *set, f64 *ret_le)
{
    if (exposition_labels(&in->e, set) != 0) return PART_NONE; /* told where it is a series */
    enum part part = part_of(label_set_get(set, STR("__name__")), in->meta.family);
    struct str le = label_set_get(set, STR("le"));

    if (part == PART_BUCKET && num_parse_f64(le, ret_le) != 0) return PART_NONE;
    label_set_del(set, STR("le"));
    label_set_put_view(set, STR("__name__"), in->meta.family);
    return part;
}

int nhcb_take(struct ingest *in)
{
    struct label_set *set = &in->s->set;
    f64 le = 0;

    if (in->e.type != TYPE_HISTOGRAM) return 0;
    enum part part = read_line(in, set, &le);
    if (part == PART_NONE) return 0;
    u64 identity = ingest_hash(set);
    if (identity == in->nhcb.native) return 1; /* its classic half */
    if (!in->nhcb.open || in->nhcb.identity != identity) {
        if (nhcb_flush(in) != 0 || begin(in, set, identity) != 0) return -EINVAL;
    }
    return add(in, part, le);
}

int nhcb_native(struct ingest *in)
{
    struct label_set *set = &in->s->set;

    if (nhcb_flush(in) != 0) return -EINVAL;
    in->nhcb.native = exposition_labels(&in->e, set) == 0 ? ingest_hash(set) : 0;
    return 0;
}

/* --- making --- */

static int by_le(const void *a, const void *b)
{
    const struct nhcb_bucket *x = a, *y = b;
    return x->le < y->le ? -1 : x->le > y->le;
}

static bool is_whole(f64 v)
{
    return v >= 0 && v <= WHOLE_MAX && v == trunc(v);
}

/* Sorted, with one for +Inf at the end; false: they are no histogram. */
static bool complete(struct nhcb *n)
{
    struct nhcb_bucket *b = n->buckets.v;

    if (n->buckets.n > 1) qsort(b, n->buckets.n, sizeof(*b), by_le);
    bool has_inf = n->buckets.n > 0 && isinf(b[n->buckets.n - 1].le);
    if (!n->has_count && n->buckets.n > 0) n->count = b[n->buckets.n - 1].count;
    if (!has_inf) vec_push(&n->buckets, ((struct nhcb_bucket){INFINITY, n->count}));
    b = n->buckets.v;
    for (size_t i = 0; i < n->buckets.n; i++) {
        f64 before = i > 0 ? b[i - 1].count : 0;
        if (isnan(b[i].le) || (i > 0 && b[i].le == b[i - 1].le)) return false;
        if (!(b[i].count >= before)) return false;
    }
    return b[n->buckets.n - 1].count == n->count;
}

struct making {
    struct histogram h;
    struct histogram_span *spans;
    f64 *counts, *bounds;
    i64 *deltas;
};

static f64 count_of(const struct nhcb *n, size_t i)
{
    return n->buckets.v[i].count - (i > 0 ? n->buckets.v[i - 1].count : 0);
}

/* How many buckets from i on are empty. */
static size_t gap_at(const struct nhcb *n, size_t i)
{
    size_t k = 0;

    while (i + k < n->buckets.n && count_of(n, i + k) == 0)
        k++;
    return k;
}

static void put_bucket(struct making *m, f64 count, f64 *last)
{
    u32 k = m->h.n_pos++;

    m->counts[k] = count;
    m->deltas[k] = (i64)(count - *last);
    *last = count;
    m->spans[m->h.n_pos_spans - 1].length++;
}

/* Runs of empty buckets are left out between spans, as are those at both ends. */
static void put_buckets(const struct nhcb *n, struct making *m)
{
    size_t behind = 0; /* place behind the last span */
    f64 last = 0;

    for (size_t i = 0; i < n->buckets.n; i++) {
        size_t gap = gap_at(n, i);
        if (i + gap == n->buckets.n) break;
        if (gap > GAP_MAX || m->h.n_pos_spans == 0) {
            i += gap;
            m->spans[m->h.n_pos_spans++] = (struct histogram_span){.offset = (i32)(i - behind)};
        }
        put_bucket(m, count_of(n, i), &last);
        behind = i + 1;
    }
}

static void make(const struct nhcb *n, struct arena *a, struct making *m)
{
    size_t max = n->buckets.n;
    bool whole = is_whole(n->count);

    *m = (struct making){.spans = arena_array(a, struct histogram_span, max),
                         .counts = arena_array(a, f64, max),
                         .bounds = arena_array(a, f64, max),
                         .deltas = arena_array(a, i64, max)};
    for (size_t i = 0; i < max; i++) {
        m->bounds[i] = n->buckets.v[i].le;
        whole = whole && is_whole(n->buckets.v[i].count);
    }
    m->h = (struct histogram){.is_float = !whole,
                              .schema = HISTOGRAM_SCHEMA_CUSTOM,
                              .sum = n->sum,
                              .n_custom = (u32)max - 1,
                              .custom = m->bounds,
                              .pos_spans = m->spans,
                              .pos_counts = m->counts,
                              .pos_deltas = m->deltas};
    put_buckets(n, m);
    if (whole)
        m->h.count.i = (u64)n->count;
    else
        m->h.count.f = n->count;
}

static void say_none(struct ingest *in)
{
    if (in->t->said_nhcb) return;
    in->t->said_nhcb = true;
    log_warn(in->s->shard->comp->log,
             "a classic histogram is not converted: its buckets do not grow, or do not end with "
             "its count",
             F_STR("target", in->t->spec.url), F_STR("family", series_name(in->nhcb.series)));
}

static int send(struct ingest *in)
{
    struct nhcb *n = &in->nhcb;
    struct making m;
    struct arena a;

    if (!n->series) return 0;
    if (!complete(n)) {
        say_none(in);
        return 0;
    }
    arena_init(&a, 0);
    make(n, &a, &m);
    int rc = put_histogram(in, n->series, n->time, 0, &m.h);
    arena_done(&a);
    if (rc != 0) return rc;
    return put_exemplar_list(in, n->series, n->exemplars.v, n->exemplars.n, n->time);
}

int nhcb_flush(struct ingest *in)
{
    int rc = in->nhcb.open ? send(in) : 0;

    reset(&in->nhcb);
    return rc;
}

void nhcb_done(struct ingest *in)
{
    vec_done(&in->nhcb.buckets);
    vec_done(&in->nhcb.exemplars);
}
