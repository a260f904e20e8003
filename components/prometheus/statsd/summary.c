/* Sliding quantiles. */
#include "components/prometheus/statsd/summary.h"

#include <math.h>
#include <stdlib.h>
#include "base/xalloc.h"

#define FEW 16 /* a value that stands for so many is kept so often */

/* v is the value at ranks from (the sum of g so far) to that plus delta. */
struct tuple {
    f64 v;
    u64 g, delta;
};
struct sketch {
    struct tuple *t;
    f64 *fresh; /* not yet among the tuples */
    u32 n, n_fresh, cap_fresh;
    u64 count; /* of the tuples */
};
struct statsd_summary {
    const struct statsd_options *o;
    i64 turns_at; /* when the next slice begins */
    u32 at;
    struct sketch v[]; /* o->age_buckets */
};

static i64 slice(const struct statsd_summary *s)
{
    return MAX(s->o->max_age / s->o->age_buckets, (i64)1);
}

static size_t size_of(const struct statsd_options *o)
{
    return sizeof(struct statsd_summary) + o->age_buckets * sizeof(struct sketch);
}

static bool take(struct statsd_room *room, size_t n)
{
    if (n > room->max - MIN(room->used, room->max)) return false;
    room->used += n;
    return true;
}

static void reset(struct sketch *k, struct statsd_room *room)
{
    room->used -= k->n * sizeof(*k->t) + k->cap_fresh * sizeof(*k->fresh);
    free(k->t);
    free(k->fresh);
    *k = (struct sketch){0};
}

struct statsd_summary *statsd_summary_new(const struct statsd_options *o, i64 now,
                                          struct statsd_room *room)
{
    if (!take(room, size_of(o))) return NULL;
    struct statsd_summary *s = xcalloc(1, size_of(o));
    s->o = o;
    s->turns_at = now + slice(s);
    return s;
}

void statsd_summary_free(struct statsd_summary *s, struct statsd_room *room)
{
    if (!s) return;
    for (u32 i = 0; i < s->o->age_buckets; i++)
        reset(&s->v[i], room);
    room->used -= size_of(s->o);
    free(s);
}

static void turn(struct statsd_summary *s, i64 now, struct statsd_room *room)
{
    i64 gone = now < s->turns_at ? 0 : 1 + (now - s->turns_at) / slice(s);

    for (i64 i = 0; i < MIN(gone, (i64)s->o->age_buckets); i++) {
        s->at = (s->at + 1) % s->o->age_buckets;
        reset(&s->v[s->at], room);
    }
    s->turns_at += gone * slice(s);
}

/* --- the sketch --- */

/* How far two neighbours may lie apart. Twice the error is what the paper allows; a quarter less
 * keeps the error also where ranks a little below a quantile's are allowed more than it. */
#define APART 1.5
static f64 allowed(const struct statsd_options *o, f64 rank, f64 n)
{
    f64 least = INFINITY;

    for (size_t i = 0; i < o->n_quantiles; i++) {
        f64 q = o->quantiles[i].quantile, e = APART * o->quantiles[i].error;
        f64 f = rank < q * n ? e * (n - rank) / (1 - q) : q > 0 ? e * rank / q : e * n;
        least = MIN(least, f);
    }
    return isinf(least) ? 1 : least;
}

/* From the greatest down: a tuple goes into the next while that stays within what is allowed. */
static u32 compress(const struct statsd_options *o, struct tuple *t, u32 n, u64 count)
{
    u32 to = n - 1;
    u64 rank = count - t[n - 1].g; /* of what stands before t[to] */

    for (u32 i = n - 1; i-- > 1;) {
        rank -= t[i].g;
        if ((f64)(t[i].g + t[to].g + t[to].delta) <= allowed(o, (f64)rank, (f64)count))
            t[to].g += t[i].g;
        else
            t[--to] = t[i];
    }
    if (n > 1) t[--to] = t[0];
    memmove(t, t + to, (n - to) * sizeof(*t));
    return n - to;
}

static int by_value(const void *a, const void *b)
{
    f64 x = *(const f64 *)a, y = *(const f64 *)b;

    return (x > y) - (x < y);
}

/* Merges sorted values into the tuples: all, n + n_add of them. */
static void merge(const struct statsd_options *o, struct sketch *k, const struct tuple *add,
                  u32 n_add, u64 count, struct tuple *to)
{
    u32 i = 0, j = 0, n = 0;
    u64 rank = 0;

    while (i < k->n || j < n_add) {
        bool old = j == n_add || (i < k->n && k->t[i].v <= add[j].v);
        bool inside = i > 0 && i < k->n;
        to[n] = old ? k->t[i++] : add[j++];
        if (!old && inside) {
            f64 may = floor(allowed(o, (f64)rank, (f64)count)) - 1;
            to[n].delta = may > 0 ? (u64)may : 0;
        }
        rank += to[n++].g;
    }
}

static bool fold(const struct statsd_options *o, struct sketch *k, const struct tuple *add,
                 u32 n_add, u64 weight, struct statsd_room *room)
{
    u32 n = k->n + n_add;

    if (!take(room, n * sizeof(*k->t))) return false;
    struct tuple *to = xmalloc(n * sizeof(*to));
    merge(o, k, add, n_add, k->count + weight, to);
    k->count += weight;
    u32 left = compress(o, to, n, k->count);
    room->used -= (k->n + n - left) * sizeof(*k->t);
    free(k->t);
    k->t = xrealloc(to, left * sizeof(*to));
    k->n = left;
    return true;
}

/* What is fresh becomes tuples. */
static bool settle(const struct statsd_options *o, struct sketch *k, struct statsd_room *room)
{
    struct tuple *add = xmalloc(MAX(k->n_fresh, 1U) * sizeof(*add));

    qsort(k->fresh, k->n_fresh, sizeof(*k->fresh), by_value);
    for (u32 i = 0; i < k->n_fresh; i++)
        add[i] = (struct tuple){k->fresh[i], 1, 0};
    bool ok = k->n_fresh == 0 || fold(o, k, add, k->n_fresh, k->n_fresh, room);
    free(add);
    if (ok) k->n_fresh = 0;
    return ok;
}

static bool grow_fresh(const struct statsd_options *o, struct sketch *k, struct statsd_room *room)
{
    u32 want = MIN(k->cap_fresh ? 2 * k->cap_fresh : 8U, o->buf_cap);

    if (want <= k->cap_fresh || !take(room, (want - k->cap_fresh) * sizeof(*k->fresh)))
        return false;
    k->fresh = xrealloc(k->fresh, want * sizeof(*k->fresh));
    k->cap_fresh = want;
    return true;
}

static bool add_one(const struct statsd_options *o, struct sketch *k, f64 v,
                    struct statsd_room *room)
{
    if (k->n_fresh == k->cap_fresh && !grow_fresh(o, k, room) &&
        (k->cap_fresh == 0 || !settle(o, k, room)))
        return false;
    k->fresh[k->n_fresh++] = v;
    return true;
}

bool statsd_summary_add(struct statsd_summary *s, f64 v, u64 times, i64 now,
                        struct statsd_room *room)
{
    struct sketch *k;
    bool ok = true;

    turn(s, now, room);
    k = &s->v[s->at];
    if (times > FEW) { /* the first and the last of them */
        const struct tuple both[] = {{v, 1, 0}, {v, times - 1, 0}};
        return fold(s->o, k, both, 2, times, room);
    }
    while (times-- > 0 && ok)
        ok = add_one(s->o, k, v, room);
    return ok;
}

/* --- questions --- */

/* Of all slices together. */
struct found {
    struct tuple t;
    u32 from; /* twice the slice; one more for what was fresh */
};

static int by_found(const void *a, const void *b)
{
    return by_value(&((const struct found *)a)->t.v, &((const struct found *)b)->t.v);
}

static size_t gather(const struct statsd_summary *s, struct found *to, u64 *ret_count)
{
    size_t n = 0;

    *ret_count = 0;
    for (u32 i = 0; i < s->o->age_buckets; i++) {
        const struct sketch *k = &s->v[i];
        for (u32 j = 0; j < k->n; j++)
            to[n++] = (struct found){k->t[j], 2 * i};
        for (u32 j = 0; j < k->n_fresh; j++)
            to[n++] = (struct found){{k->fresh[j], 1, 0}, 2 * i + 1};
        *ret_count += k->count + k->n_fresh;
    }
    qsort(to, n, sizeof(*to), by_found);
    return n;
}

/* A value may stand before as many of another slice's as that one's next greater tuple covers. */
static void widen(const struct statsd_summary *s, struct found *v, size_t n)
{
    u64 *slack = xcalloc(2 * (size_t)s->o->age_buckets, sizeof(*slack)), sum = 0;

    for (size_t i = n; i-- > 0;) {
        u64 own = slack[v[i].from], covers = v[i].t.g + v[i].t.delta - 1;
        v[i].t.delta += sum - own;
        slack[v[i].from] = covers;
        sum += covers - own;
    }
    free(slack);
}

/* The value whose rank is off least, wherever it is within what is known of it. */
static f64 at_rank(const struct found *v, size_t n, f64 rank)
{
    f64 sum = 0, least = INFINITY, best = v[0].t.v;

    for (size_t i = 0; i < n; i++) {
        sum += (f64)v[i].t.g;
        f64 off = MAX(fabs(sum - rank), fabs(sum + (f64)v[i].t.delta - rank));
        if (off >= least) continue;
        least = off;
        best = v[i].t.v;
    }
    return best;
}

void statsd_summary_read(struct statsd_summary *s, i64 now, struct statsd_room *room, f64 *ret)
{
    size_t most = 1;
    u64 count;

    turn(s, now, room);
    for (u32 i = 0; i < s->o->age_buckets; i++)
        most += s->v[i].n + s->v[i].n_fresh;
    struct found *all = xmalloc(most * sizeof(*all));
    size_t n = gather(s, all, &count);
    widen(s, all, n);
    for (size_t i = 0; i < s->o->n_quantiles; i++)
        ret[i] = n > 0 ? at_rank(all, n, ceil(s->o->quantiles[i].quantile * (f64)count)) : NAN;
    free(all);
}
