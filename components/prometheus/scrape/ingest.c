/* A body becomes samples. A line that was there last time costs a hash and a number; everything
 * about labels happens when a line is new. */
#include <errno.h>

#include "base/hash.h"
#include "base/utf8.h"
#include "components/prometheus/scrape/ingest.h"

#define FUTURE_MAX_MS (10 * 60 * 1000)
#define META_EVERY    (600 * NS_PER_SEC) /* metadata is told again */

int ingest_fail(struct ingest *in, const char *fmt, ...)
{
    va_list ap;

    if (in->failed) return -EINVAL;
    in->failed = true;
    va_start(ap, fmt);
    vsnprintf(in->r->error, sizeof(in->r->error), fmt, ap);
    va_end(ap);
    return -EINVAL;
}

int ingest_no_memory(struct ingest *in)
{
    return ingest_fail(in, "no memory for the samples: the data budget is used up");
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
        return ingest_fail(
            in, "label_limit exceeded (metric: %.50s, number of labels: %zu, limit: %lld)",
            metric.p ? metric.p : "", is, (long long)limit);
    return ingest_fail(in, fmt, (int)MIN(metric.n, (size_t)50), metric.p,
                       (int)MIN(name.n, (size_t)50), name.p, is, (long long)limit);
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
    int rc = ingest_fail(in, "line %zu: invalid metric name or label names: " STR_FMT,
                         in->e.sample_line, (int)MIN(b.n, (size_t)200), b.p ? b.p : "");
    buf_done(&b);
    return rc;
}

/* A new reference to the series of these labels with those of the target; NULL with the scrape
 * failed. */
static struct series *finish_series(struct ingest *in, struct label_set *set)
{
    add_target_labels(in, set);
    add_type_and_unit(in, set);
    label_set_filter(set, has_value, NULL);
    if (set->err == 0 && !label_set_has(set, STR("__name__"))) {
        (void)ingest_fail(in, "line %zu: missing metric name (__name__ label)", in->e.sample_line);
        return NULL;
    }
    if (!names_ok(in, set)) (void)bad_names(in, set);
    if (in->failed || check_limits(in, set) != 0) return NULL;
    struct series *s = label_set_series(set, in->s->keeper.table);
    if (!s) (void)ingest_no_memory(in);
    return s;
}

static struct series *make_series(struct ingest *in)
{
    struct label_set *set = &in->s->set;
    int rc = exposition_labels(&in->e, set);

    if (rc == 0) return finish_series(in, set);
    (void)(rc == -ENOMEM ? ingest_no_memory(in) : ingest_fail(in, "%s", in->e.error));
    return NULL;
}

/* --- samples --- */

int ingest_series(struct ingest *in, u64 hash, bool expected, u32 flags, struct label_set *set,
                  struct series **ret)
{
    struct scrape_cache *c = &in->t->cache;
    int found = cache_find(c, hash, expected, flags, ret);
    size_t length = set ? 0 : in->e.series.n; /* of a text that can be expected */

    in->is_new = found == 0;
    if (found != 0) return found;
    *ret = set ? finish_series(in, set) : make_series(in);
    if (!*ret) return 0;
    return cache_add(c, hash, (u32)MIN(length, (size_t)UINT32_MAX), flags, *ret) ? 1 : 2;
}

u64 ingest_hash(const struct label_set *set)
{
    u64 h = 0x6e686362; /* apart from those of lines */

    for (u32 i = 0; i < set->n; i++)
        h = hash_bytes(set->v[i].value.p, set->v[i].value.n,
                       hash_bytes(set->v[i].name.p, set->v[i].name.n, h));
    return h;
}

static bool over_limit(struct ingest *in)
{
    if (in->args->sample_limit <= 0 || in->r->kept <= in->args->sample_limit) return false;
    in->over_samples = true;
    return true;
}

bool ingest_wanted(struct ingest *in, int found, bool timed, i64 time)
{
    in->r->kept++;
    if (found == 2 && !timed) {
        metric_inc(in->s->meters[METER_DUPLICATES]);
        return false;
    }
    if (timed && time > in->now_ms + FUTURE_MAX_MS) {
        metric_inc(in->s->meters[METER_OUT_OF_BOUNDS]);
        return false;
    }
    return !over_limit(in);
}

static int put_native(struct ingest *in, struct series *s, i64 time, i64 start)
{
    int rc = put_histogram(in, s, time, start, in->e.histogram);
    return rc != 0 ? rc : put_exemplars(in, s, time);
}

static int put_sample(struct ingest *in, struct series *s, i64 time, bool histogram)
{
    i64 start = 0;

    if (UNLIKELY(in->args->start_timestamp_zero_ingestion)) {
        start = starts_find(in);
        if (starts_put(in, s, start, time, histogram) != 0) return -EINVAL;
    }
    if (histogram) return put_native(in, s, time, start);
    if (sample_builder_add(in->s->builder, s, time, in->e.bits) != 0) return ingest_no_memory(in);
    if (UNLIKELY(in->e.exemplar.labels.p)) return put_exemplar(in, s, &in->e.exemplar, time);
    return 0;
}

static int take_sample(struct ingest *in, bool histogram)
{
    struct series *s = NULL;
    bool timed = in->e.has_time && in->args->honor_timestamps;
    i64 time = timed ? in->e.time : in->now_ms;

    in->r->samples++;
    int found = ingest_series(in, in->e.hash, in->e.expected, timed ? LINE_TIMED : 0, NULL, &s);
    if (found == 0) return -EINVAL;
    return ingest_wanted(in, found, timed, time) ? put_sample(in, s, time, histogram) : 0;
}

/* Lines that are not series of their own under some settings. 0: go on, the line is done. */
static int take_line(struct ingest *in, bool histogram)
{
    int rc = 0;

    if (UNLIKELY(in->t->spec.nhcb)) rc = histogram ? nhcb_native(in) : nhcb_take(in);
    if (rc < 0 || (rc > 0 && !in->t->spec.classic_too)) return MIN(rc, 0);
    if (!histogram && starts_is_line(in)) return 0;
    return take_sample(in, histogram);
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
    return sample_builder_meta(in->s->builder, &in->meta) == 0 ? 0 : ingest_no_memory(in);
}

/* What a line is depends on its family where `le`, `quantile` or labels of type and unit do. */
static void set_seed(struct ingest *in)
{
    bool labels = in->args->enable_type_and_unit_labels;
    enum metric_type type = in->e.type;

    in->e.seed = type == TYPE_HISTOGRAM ? 1 : type == TYPE_SUMMARY ? 2 : 0;
    if (labels) in->e.seed = hash_bytes(in->meta.unit.p, in->meta.unit.n, (u64)type + 3);
    in->e.seed ^= hash_process_seed();
}

static struct str keep(struct ingest *in, struct str s)
{
    return in->e.format == EXPOSITION_PROTOBUF ? s : arena_str(&in->t->texts, s);
}

static int take_family(struct ingest *in, enum exposition_event event)
{
    if (nhcb_flush(in) != 0) return -EINVAL;
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
    case EXPOSITION_SAMPLE: return take_line(in, false) == 0;
    case EXPOSITION_HISTOGRAM: return take_line(in, true) == 0;
    case EXPOSITION_TYPE:
    case EXPOSITION_HELP:
    case EXPOSITION_UNIT: return take_family(in, event) == 0;
    case EXPOSITION_ERROR: (void)ingest_fail(in, "%s", in->e.error); return false;
    case EXPOSITION_END: break;
    }
    if (in->has_meta && in->args->honor_metadata) (void)tell_meta(in);
    (void)nhcb_flush(in);
    return false;
}

static void judge(struct ingest *in)
{
    if (in->over_samples) {
        metric_inc(in->s->meters[METER_EXCEEDED_SAMPLES]);
        (void)ingest_fail(in, "sample limit exceeded");
    }
    if (in->over_buckets) {
        metric_inc(in->s->meters[METER_EXCEEDED_BUCKETS]);
        (void)ingest_fail(in, "histogram bucket limit exceeded");
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
    starts_forget(g->t, s);
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
    map_done(&t->started, NULL);
    t->started = (struct map){0};
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

static void read_lines(struct ingest *in, const struct exposition_conf *conf)
{
    if (in->args->start_timestamp_zero_ingestion) starts_read(in, conf);
    exposition_init(&in->e, conf);
    set_seed(in);
    while (step(in, cache_expected(&in->t->cache)))
        ;
    judge(in);
    exposition_done(&in->e);
    nhcb_done(in);
    map_done(&in->starts, NULL);
}

int scrape_ingest(struct target *t, struct str body, enum exposition_format format, i64 time_ms,
                  struct scrape_result *r)
{
    struct ingest in = {
        .t = t, .s = t->owner, .args = t->owner->plan->args, .now_ms = time_ms, .r = r};
    struct going g = {.t = t, .time = time_ms};

    tell_again(t);
    cache_begin(&t->cache);
    read_lines(&in, &(struct exposition_conf){.format = format,
                                              .body = body,
                                              .native_histograms = t->spec.native,
                                              .classic_too = t->spec.classic_too || t->spec.nhcb});
    r->added = t->cache.added;
    arena_rewind(&t->texts);
    if (in.failed) return -EINVAL;
    cache_end(&t->cache, in.args->track_timestamps_staleness, on_gone, &g);
    say_lost_markers(&g);
    return 0;
}
