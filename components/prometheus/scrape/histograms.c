/* Native histograms and exemplars on their way into the batch. */
#include <errno.h>

#include "components/prometheus/scrape/ingest.h"
#include "telemetry/histogram.h"

#define EXEMPLARS_MAX 100 /* of a native histogram */

/* --- exemplars --- */

int put_exemplar(struct ingest *in, struct series *s, const struct exposition_exemplar *x, i64 time)
{
    struct label_set *set = &in->s->scratch;
    int rc = exposition_exemplar_labels(&in->e, x->labels, set);
    bool old;

    if (rc != 0) return rc == -ENOMEM ? ingest_no_memory(in) : ingest_fail(in, "%s", in->e.error);
    struct exemplar_sample e = {.series = s,
                                .time = x->has_time ? x->time : time,
                                .has_time = x->has_time,
                                .value = x->value,
                                .labels = set->v,
                                .n_labels = set->n};
    bool fresh = exemplar_is_new(&in->t->exemplars, &e, &old);
    if (old) metric_inc(in->s->meters[METER_EXEMPLARS_OLD]);
    if (!fresh) return 0;
    return sample_builder_exemplar(in->s->builder, &e) == 0 ? 0 : ingest_no_memory(in);
}

static int by_time(const void *a, const void *b)
{
    const struct exposition_exemplar *x = a, *y = b;
    return x->time < y->time ? -1 : x->time > y->time;
}

int put_exemplar_list(struct ingest *in, struct series *s, struct exposition_exemplar *v, size_t n,
                      i64 time)
{
    i64 newest = exemplar_newest(&in->t->exemplars, s);

    if (n > 1) qsort(v, n, sizeof(*v), by_time);
    for (size_t i = 0; i < n; i++)
        if (v[i].time > newest && put_exemplar(in, s, &v[i], time) != 0) return -EINVAL;
    return 0;
}

int put_exemplars(struct ingest *in, struct series *s, i64 time)
{
    struct exposition_exemplar v[EXEMPLARS_MAX], x;
    size_t n = 0;

    while (n < EXEMPLARS_MAX && exposition_histogram_exemplar(&in->e, &x)) {
        if (!x.has_time) continue;
        x.labels = arena_str(&in->t->texts, x.labels);
        v[n++] = x;
    }
    return put_exemplar_list(in, s, v, n, time);
}

/* --- buckets --- */

/* False: it cannot have as few buckets as it must. */
static bool fit(const struct ingest *in, struct histogram *h, struct arena *a)
{
    i64 limit = in->args->native_histogram_bucket_limit;
    i32 most = in->s->plan->max_schema;

    if (histogram_is_exponential(h) && h->schema > most && histogram_lower(h, most, a) != 0)
        return false;
    return limit <= 0 || histogram_limit(h, (u32)limit, a) == 0;
}

int put_histogram(struct ingest *in, struct series *s, i64 time, i64 start,
                  const struct histogram *h)
{
    struct histogram mine = *h;
    struct histogram_sample hs = {.series = s, .time = time, .start = start, .h = &mine};
    struct arena lists;

    arena_init(&lists, 0);
    bool fits = fit(in, &mine, &lists);
    int rc = fits ? sample_builder_histogram(in->s->builder, &hs) : 0;
    arena_done(&lists);
    if (!fits) in->over_buckets = true;
    return rc == 0 ? 0 : ingest_no_memory(in);
}
