/* A body becomes samples. A line that was there last time costs a hash and a number; everything
 * about labels happens when a line is new. */
#include <errno.h>

#include "base/hash.h"
#include "base/utf8.h"
#include "components/prometheus/scrape/scrape.h"
#include "telemetry/histogram.h"

#define FUTURE_MAX_MS           (10 * 60 * 1000)
#define HISTOGRAM_EXEMPLARS_MAX 100
#define META_EVERY              (600 * NS_PER_SEC) /* metadata is told again */

struct ingest {
    struct target *t;
    struct scraper *s;
    const struct scrape_args *args;
    struct exposition e;
    i64 now_ms;
    struct scrape_result *r;
    bool failed, over_samples, over_buckets;
    struct metric_meta meta; /* of the family at hand */
    bool has_meta;
};

static int fail(struct ingest *in, const char *fmt, ...) PRINTF(2, 3);
static int fail(struct ingest *in, const char *fmt, ...)
{
    va_list ap;

    if (in->failed) return -EINVAL;
    in->failed = true;
    va_start(ap, fmt);
    vsnprintf(in->r->error, sizeof(in->r->error), fmt, ap);
    va_end(ap);
    return -EINVAL;
}

static int no_memory(struct ingest *in)
{
    return fail(in, "no memory for the samples: the data budget is used up");
}

/* --- labels of a new series --- */

static bool class_ok(struct str s, bool colon)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool letter =
            (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (colon && c == ':');
        if (!letter && (i == 0 || c < '0' || c > '9')) return false;
    }
    return s.n > 0;
}

static bool names_ok(const struct ingest *in, const struct label_set *set)
{
    for (u32 i = 0; i < set->n; i++) {
        if (in->s->plan->utf8 && set->v[i].name.n > 0) continue; /* the parser saw to the rest */
        if (!class_ok(set->v[i].name, false)) return false;
        if (str_is(set->v[i].name, "__name__") && !class_ok(set->v[i].value, true)) return false;
    }
    return true;
}

static bool is_target_label(const struct target *t, struct str name)
{
    for (u32 i = 0; i < t->spec.n_labels; i++)
        if (str_eq(t->spec.labels[i].name, name)) return true;
    return false;
}

/* An exposed label gives way to the target's: exported_, as often as it takes. */
static void move_exposed(struct ingest *in, struct label_set *set, struct str name)
{
    struct buf b = BUF_INIT(1 << 20);
    struct str value = label_set_keep(set, label_set_get(set, name));

    buf_str(&b, name);
    do {
        struct str old = label_set_keep(set, buf_view(&b));
        buf_reset(&b);
        buf_cstr(&b, "exported_");
        buf_str(&b, old);
    } while (label_set_has(set, buf_view(&b)) || is_target_label(in->t, buf_view(&b)));
    if (value.n) label_set_put(set, buf_view(&b), value);
    buf_done(&b);
}

static void add_target_labels(struct ingest *in, struct label_set *set)
{
    const struct target_spec *spec = &in->t->spec;

    for (u32 i = 0; i < spec->n_labels; i++) {
        const struct label *l = &spec->labels[i];
        bool exposed = label_set_has(set, l->name);
        if (exposed && in->args->honor_labels) continue;
        if (exposed) move_exposed(in, set, l->name);
        label_set_put_view(set, l->name, l->value);
    }
}

static const char *type_label(enum metric_type type)
{
    static const char *const names[] = {
        [TYPE_COUNTER] = "counter",     [TYPE_GAUGE] = "gauge",
        [TYPE_HISTOGRAM] = "histogram", [TYPE_GAUGEHISTOGRAM] = "gaugehistogram",
        [TYPE_SUMMARY] = "summary",     [TYPE_INFO] = "info",
        [TYPE_STATESET] = "stateset"};
    return names[type];
}

static void add_type_and_unit(struct ingest *in, struct label_set *set)
{
    if (!in->args->enable_type_and_unit_labels) return;
    const char *type = type_label(in->e.type);
    if (type) label_set_put(set, STR("__type__"), str_of(type));
    if (in->meta.unit.n) label_set_put(set, STR("__unit__"), in->meta.unit);
}

static bool has_value(const struct label *l, void *arg)
{
    return l->value.n > 0;
}

static int over_labels(struct ingest *in, const char *fmt, struct str metric, struct str name,
                       size_t is, i64 limit)
{
    metric_inc(in->s->meters[METER_EXCEEDED_LABELS]);
    if (!name.p)
        return fail(in, "label_limit exceeded (metric: %.50s, number of labels: %zu, limit: %lld)",
                    metric.p ? metric.p : "", is, (long long)limit);
    return fail(in, fmt, (int)MIN(metric.n, (size_t)50), metric.p, (int)MIN(name.n, (size_t)50),
                name.p, is, (long long)limit);
}

static int check_limits(struct ingest *in, const struct label_set *set)
{
    const struct scrape_args *a = in->args;
    struct str metric = label_set_get(set, STR("__name__"));

    if (a->label_limit > 0 && set->n > a->label_limit)
        return over_labels(in, "", label_set_keep(&in->s->set, metric), (struct str){0}, set->n,
                           a->label_limit);
    for (u32 i = 0; i < set->n; i++) {
        const struct label *l = &set->v[i];
        if (a->label_name_length_limit > 0 && (i64)l->name.n > a->label_name_length_limit)
            return over_labels(in,
                               "label_name_length_limit exceeded (metric: %.*s, label name: %.*s, "
                               "length: %zu, limit: %lld)",
                               metric, l->name, l->name.n, a->label_name_length_limit);
        if (a->label_value_length_limit > 0 && (i64)l->value.n > a->label_value_length_limit)
            return over_labels(in,
                               "label_value_length_limit exceeded (metric: %.*s, label name: %.*s, "
                               "length: %zu, limit: %lld)",
                               metric, l->name, l->value.n, a->label_value_length_limit);
    }
    return 0;
}

static int bad_names(struct ingest *in, const struct label_set *set)
{
    struct buf b = BUF_INIT(1 << 20);

    label_set_text(set, &b);
    int rc = fail(in, "line %zu: invalid metric name or label names: " STR_FMT, in->e.sample_line,
                  (int)MIN(b.n, (size_t)200), b.p ? b.p : "");
    buf_done(&b);
    return rc;
}

/* A new reference; NULL with the scrape failed. */
static struct series *make_series(struct ingest *in)
{
    struct label_set *set = &in->s->set;
    int rc = exposition_labels(&in->e, set);

    if (rc != 0) {
        (void)(rc == -ENOMEM ? no_memory(in) : fail(in, "%s", in->e.error));
        return NULL;
    }
    add_target_labels(in, set);
    add_type_and_unit(in, set);
    label_set_filter(set, has_value, NULL);
    if (set->err == 0 && !label_set_has(set, STR("__name__"))) {
        (void)fail(in, "line %zu: missing metric name (__name__ label)", in->e.sample_line);
        return NULL;
    }
    if (!names_ok(in, set)) (void)bad_names(in, set);
    if (in->failed || check_limits(in, set) != 0) return NULL;
    struct series *s = label_set_series(set, in->s->keeper.table);
    if (!s) (void)no_memory(in);
    return s;
}

/* --- samples --- */

/* The series of the line at hand: 1, 2 when it was there already, 0 with the scrape failed. */
static int find_series(struct ingest *in, u32 flags, struct series **ret)
{
    struct scrape_cache *c = &in->t->cache;
    int found = cache_find(c, in->e.hash, in->e.expected, flags, ret);

    if (found != 0) return found;
    *ret = make_series(in);
    if (!*ret) return 0;
    return cache_add(c, in->e.hash, (u32)MIN(in->e.series.n, (size_t)UINT32_MAX), flags, *ret) ? 1
                                                                                               : 2;
}

static bool over_limit(struct ingest *in)
{
    if (in->args->sample_limit <= 0 || in->r->kept <= in->args->sample_limit) return false;
    in->over_samples = true;
    return true;
}

static int put_exemplar(struct ingest *in, struct series *s, const struct exposition_exemplar *x,
                        i64 time)
{
    struct label_set *set = &in->s->scratch;
    int rc = exposition_exemplar_labels(&in->e, x->labels, set);
    bool old;

    if (rc != 0) return rc == -ENOMEM ? no_memory(in) : fail(in, "%s", in->e.error);
    struct exemplar_sample e = {.series = s,
                                .time = x->has_time ? x->time : time,
                                .has_time = x->has_time,
                                .value = x->value,
                                .labels = set->v,
                                .n_labels = set->n};
    bool fresh = exemplar_is_new(&in->t->exemplars, &e, &old);
    if (old) metric_inc(in->s->meters[METER_EXEMPLARS_OLD]);
    if (!fresh) return 0;
    return sample_builder_exemplar(in->s->builder, &e) == 0 ? 0 : no_memory(in);
}

/* --- native histograms --- */

static int by_time(const void *a, const void *b)
{
    const struct exposition_exemplar *x = a, *y = b;
    return x->time < y->time ? -1 : x->time > y->time;
}

/* Those of a native histogram that are not yet sent, in order of time. */
static u32 read_exemplars(struct ingest *in, const struct series *s,
                          struct exposition_exemplar v[HISTOGRAM_EXEMPLARS_MAX])
{
    i64 newest = exemplar_newest(&in->t->exemplars, s);
    struct exposition_exemplar x;
    u32 n = 0;

    while (n < HISTOGRAM_EXEMPLARS_MAX && exposition_histogram_exemplar(&in->e, &x)) {
        if (!x.has_time || x.time <= newest) continue;
        x.labels = arena_str(&in->t->texts, x.labels);
        v[n++] = x;
    }
    qsort(v, n, sizeof(*v), by_time);
    return n;
}

static int put_exemplars(struct ingest *in, struct series *s, i64 time)
{
    struct exposition_exemplar v[HISTOGRAM_EXEMPLARS_MAX];
    u32 n = read_exemplars(in, s, v);

    for (u32 i = 0; i < n; i++)
        if (put_exemplar(in, s, &v[i], time) != 0) return -EINVAL;
    return 0;
}

/* With as many buckets as it may have; false: it cannot be made to. */
static bool fit(const struct ingest *in, struct histogram *h, struct arena *a)
{
    i64 limit = in->args->native_histogram_bucket_limit;
    i32 most = in->s->plan->max_schema;

    if (histogram_is_exponential(h) && h->schema > most && histogram_lower(h, most, a) != 0)
        return false;
    return limit <= 0 || histogram_limit(h, (u32)limit, a) == 0;
}

static int put_histogram(struct ingest *in, struct series *s, i64 time)
{
    struct histogram h = *in->e.histogram;
    struct histogram_sample hs = {.series = s, .time = time, .h = &h};
    struct arena lists;

    arena_init(&lists, 0);
    bool fits = fit(in, &h, &lists);
    int rc = fits ? sample_builder_histogram(in->s->builder, &hs) : 0;
    arena_done(&lists);
    if (!fits) in->over_buckets = true;
    if (!fits || rc != 0) return rc != 0 ? no_memory(in) : 0;
    return put_exemplars(in, s, time);
}

static int put_sample(struct ingest *in, struct series *s, i64 time, bool histogram)
{
    if (histogram) return put_histogram(in, s, time);
    if (sample_builder_add(in->s->builder, s, time, in->e.bits) != 0) return no_memory(in);
    if (UNLIKELY(in->e.exemplar.labels.p)) return put_exemplar(in, s, &in->e.exemplar, time);
    return 0;
}

static int take_sample(struct ingest *in, bool histogram)
{
    struct series *s = NULL;
    bool timed = in->e.has_time && in->args->honor_timestamps;
    i64 time = timed ? in->e.time : in->now_ms;

    in->r->samples++;
    int found = find_series(in, timed ? LINE_TIMED : 0, &s);
    if (found == 0) return -EINVAL;
    in->r->kept++;
    if (found == 2 && !timed) {
        metric_inc(in->s->meters[METER_DUPLICATES]);
        return 0;
    }
    if (timed && time > in->now_ms + FUTURE_MAX_MS) {
        metric_inc(in->s->meters[METER_OUT_OF_BOUNDS]);
        return 0;
    }
    return over_limit(in) ? 0 : put_sample(in, s, time, histogram);
}

/* --- families --- */

static u64 meta_hash(const struct metric_meta *m)
{
    u64 h = hash_bytes(m->help.p, m->help.n, (u64)m->type + 1);
    return hash_bytes(m->unit.p, m->unit.n, h) | 1;
}

static int tell_meta(struct ingest *in)
{
    struct map *told = &in->t->families;
    void *hash = (void *)(uintptr_t)meta_hash(&in->meta); // NOLINT

    in->has_meta = false;
    if (map_get(told, in->meta.family) == hash) return 0;
    (void)map_put(told, in->meta.family, hash);
    return sample_builder_meta(in->s->builder, &in->meta) == 0 ? 0 : no_memory(in);
}

/* What a line is depends on its family where `le`, `quantile` or labels of type and unit do. */
static void set_seed(struct ingest *in)
{
    bool labels = in->args->enable_type_and_unit_labels;
    enum metric_type type = in->e.type;

    in->e.seed = type == TYPE_HISTOGRAM ? 1 : type == TYPE_SUMMARY ? 2 : 0;
    if (labels) in->e.seed = hash_bytes(in->meta.unit.p, in->meta.unit.n, (u64)type + 3);
}

static struct str keep(struct ingest *in, struct str s)
{
    return in->e.format == EXPOSITION_PROTOBUF ? s : arena_str(&in->t->texts, s);
}

static int take_family(struct ingest *in, enum exposition_event event)
{
    if (in->has_meta && !str_eq(in->e.family, in->meta.family) && in->args->honor_metadata &&
        tell_meta(in) != 0)
        return -EINVAL;
    if (!str_eq(in->e.family, in->meta.family)) {
        in->meta = (struct metric_meta){.family = keep(in, in->e.family)};
    }
    in->has_meta = true;
    in->meta.type = event == EXPOSITION_TYPE ? in->e.type : in->meta.type;
    if (event == EXPOSITION_HELP && in->args->honor_metadata) in->meta.help = keep(in, in->e.text);
    if (event == EXPOSITION_UNIT) in->meta.unit = keep(in, in->e.text);
    set_seed(in);
    return 0;
}

/* --- the whole --- */

static bool step(struct ingest *in, const struct line *l)
{
    enum exposition_event event = exposition_next(&in->e, l ? l->hash : 0, l ? line_length(l) : 0);

    switch (event) {
    case EXPOSITION_SAMPLE: return take_sample(in, false) == 0;
    case EXPOSITION_HISTOGRAM: return take_sample(in, true) == 0;
    case EXPOSITION_TYPE:
    case EXPOSITION_HELP:
    case EXPOSITION_UNIT: return take_family(in, event) == 0;
    case EXPOSITION_ERROR: (void)fail(in, "%s", in->e.error); return false;
    case EXPOSITION_END: break;
    }
    if (in->has_meta && in->args->honor_metadata) (void)tell_meta(in);
    return false;
}

static void judge(struct ingest *in)
{
    if (in->over_samples) {
        metric_inc(in->s->meters[METER_EXCEEDED_SAMPLES]);
        (void)fail(in, "sample limit exceeded");
    }
    if (in->over_buckets) {
        metric_inc(in->s->meters[METER_EXCEEDED_BUCKETS]);
        (void)fail(in, "histogram bucket limit exceeded");
    }
}

struct going {
    struct target *t;
    i64 time;
    bool failed;
};

static void on_gone(void *arg, struct series *s, bool stale, bool leaves)
{
    struct going *g = arg;
    struct scraper *sc = g->t->owner;

    if (stale && sample_builder_add(sc->builder, s, g->time, SAMPLE_STALE_BITS) != 0)
        g->failed = true;
    if (!leaves) return;
    exemplar_forget(&g->t->exemplars, s);
    series_retire(&sc->keeper, s);
}

static void say_lost_markers(const struct going *g)
{
    if (g->failed)
        log_error(g->t->owner->shard->comp->log,
                  "no memory for staleness markers: series that ended look alive for five minutes",
                  F_STR("target", g->t->spec.url));
}

void scrape_all_stale(struct target *t, i64 time_ms)
{
    struct going g = {.t = t, .time = time_ms};

    cache_fail(&t->cache, t->owner->plan->args->track_timestamps_staleness, on_gone, &g);
    exemplar_memory_done(&t->exemplars); /* what this scrape had told was not sent */
    say_lost_markers(&g);
}

void scrape_forget(struct target *t)
{
    struct going g = {.t = t};

    cache_forget(&t->cache, on_gone, &g);
}

static void tell_again(struct target *t)
{
    i64 now = loop_now(t->owner->shard->worker->loop);

    if (now - t->meta_told < META_EVERY) return;
    t->meta_told = now;
    map_done(&t->families, NULL);
    t->families = (struct map){0};
}

int scrape_ingest(struct target *t, struct str body, enum exposition_format format, i64 time_ms,
                  struct scrape_result *r)
{
    struct ingest in = {
        .t = t, .s = t->owner, .args = t->owner->plan->args, .now_ms = time_ms, .r = r};
    struct going g = {.t = t, .time = time_ms};

    tell_again(t);
    cache_begin(&t->cache);
    exposition_init(&in.e, &(struct exposition_conf){.format = format,
                                                     .body = body,
                                                     .native_histograms = t->spec.native,
                                                     .classic_too = t->spec.classic_too});
    while (step(&in, cache_expected(&t->cache)))
        ;
    judge(&in);
    r->added = t->cache.added;
    exposition_done(&in.e);
    arena_rewind(&t->texts);
    if (in.failed) return -EINVAL;
    cache_end(&t->cache, in.args->track_timestamps_staleness, on_gone, &g);
    say_lost_markers(&g);
    return 0;
}
