/* Points as OTLP on the wire. Lengths of containers are guessed and put right (telemetry/pb.h). */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include "base/digest.h"
#include "components/otelcol/receiver_prometheus.h"
#include "telemetry/otlp_desc.h"
#include "telemetry/pb.h"

#define NS_PER_MILLI 1000000
#define WIDE         3 /* bytes of the length of a container */
#define NARROW       1
#define CUMULATIVE   2
#define NO_VALUE     1

/* --- attributes --- */

static void add_string(struct buf *b, u32 field, struct str key, struct str value)
{
    size_t kv = pb_open(b, field, NARROW);

    pb_add_bytes(b, OTLP_key_value_key, key);
    size_t any = pb_open(b, OTLP_key_value_value, NARROW);
    pb_add_bytes(b, OTLP_any_value_string_value, value);
    pb_close(b, any, NARROW);
    pb_close(b, kv, NARROW);
}

static void add_attributes(struct buf *b, u32 field, const struct series *s, enum metric_type type)
{
    for (u32 i = 0; i < series_n(s); i++)
        if (otel_label_is_attribute(s->shape->names[i], type))
            add_string(b, field, s->shape->names[i], symbol_str(s->values[i]));
}

static void add_ms(struct buf *b, u32 field, i64 ms)
{
    pb_add_fixed64(b, field, (u64)ms * NS_PER_MILLI);
}

/* --- exemplars --- */

/* An id of up to n bytes: shorter ones get zeroes in front. False: it is no id. */
static bool parse_id(struct str hex, u8 *id, size_t n)
{
    u8 bytes[64];
    size_t got;

    if (hex.n > 2 * n) hex.n = 2 * n;
    if (hex_decode(hex, bytes, sizeof(bytes), &got) < 0) return false;
    memset(id, 0, n);
    memcpy(id + n - got, bytes, got);
    return true;
}

static bool add_id(struct buf *b, const struct label *l)
{
    bool trace = str_ieq(l->name, STR("trace_id")), span = str_ieq(l->name, STR("span_id"));
    size_t n = trace ? 16 : 8;
    u8 id[16];

    if ((!trace && !span) || !parse_id(l->value, id, n)) return false;
    pb_add_bytes(b, trace ? OTLP_exemplar_trace_id : OTLP_exemplar_span_id,
                 str_n((const char *)id, n));
    return true;
}

static void add_exemplars(struct buf *b, u32 field, const struct otel_point *p)
{
    for (size_t i = 0; i < p->exemplars.n; i++) {
        const struct exemplar_sample *e = p->exemplars.v[i];
        size_t at = pb_open(b, field, NARROW);

        add_ms(b, OTLP_exemplar_time_unix_nano, e->has_time ? e->time : p->time);
        pb_add_double(b, OTLP_exemplar_as_double, e->value);
        for (u32 k = 0; k < e->n_labels; k++)
            if (!add_id(b, &e->labels[k]))
                add_string(b, OTLP_exemplar_filtered_attributes, e->labels[k].name,
                           e->labels[k].value);
        pb_close(b, at, NARROW);
    }
}

/* --- points --- */

static void number_point(struct buf *b, const struct otel_metric *m, const struct otel_point *p)
{
    add_attributes(b, OTLP_number_point_attributes, p->series, m->type);
    add_ms(b, OTLP_number_point_start_time_unix_nano, p->start);
    add_ms(b, OTLP_number_point_time_unix_nano, p->time);
    pb_add_double(b, OTLP_number_point_as_double, p->value);
    add_exemplars(b, OTLP_number_point_exemplars, p);
    if (p->stale) pb_add_u64(b, OTLP_number_point_flags, NO_VALUE);
}

static int by_bound(const void *a, const void *b)
{
    f64 x = ((const struct otel_bucket *)a)->bound, y = ((const struct otel_bucket *)b)->bound;

    return (x > y) - (x < y);
}

/* Cumulative counts to counts of each bucket; the last one reaches to infinity. */
static void add_buckets(struct buf *b, const struct otel_point *p)
{
    size_t finite = 0;
    u64 before = 0;

    while (finite < p->buckets.n && !isinf(p->buckets.v[finite].bound))
        finite++;
    size_t at = pb_open(b, OTLP_histogram_point_bucket_counts, NARROW);
    for (size_t i = 0; i <= finite; i++) {
        u64 upto = i < finite ? p->buckets.v[i].cumulative : p->count;
        u64 here = upto > before ? upto - before : 0;
        buf_add(b, &here, sizeof(here));
        before = MAX(upto, before);
    }
    pb_close(b, at, NARROW);
    at = pb_open(b, OTLP_histogram_point_explicit_bounds, NARROW);
    for (size_t i = 0; i < finite; i++)
        buf_add(b, &p->buckets.v[i].bound, sizeof(f64));
    pb_close(b, at, NARROW);
}

static void histogram_point(struct buf *b, const struct otel_metric *m, const struct otel_point *p)
{
    if (p->buckets.n) qsort(p->buckets.v, p->buckets.n, sizeof(*p->buckets.v), by_bound);
    add_attributes(b, OTLP_histogram_point_attributes, p->series, m->type);
    add_ms(b, OTLP_histogram_point_start_time_unix_nano, p->start);
    add_ms(b, OTLP_histogram_point_time_unix_nano, p->time);
    pb_add_fixed64(b, OTLP_histogram_point_count, p->count);
    if (p->has_sum) pb_add_double(b, OTLP_histogram_point_sum, p->sum);
    add_buckets(b, p);
    add_exemplars(b, OTLP_histogram_point_exemplars, p);
    if (p->stale) pb_add_u64(b, OTLP_histogram_point_flags, NO_VALUE);
}

static void summary_point(struct buf *b, const struct otel_metric *m, const struct otel_point *p)
{
    add_attributes(b, OTLP_summary_point_attributes, p->series, m->type);
    add_ms(b, OTLP_summary_point_start_time_unix_nano, p->start);
    add_ms(b, OTLP_summary_point_time_unix_nano, p->time);
    pb_add_fixed64(b, OTLP_summary_point_count, p->count);
    pb_add_double(b, OTLP_summary_point_sum, p->sum);
    for (size_t i = 0; i < p->quantiles.n; i++) {
        size_t at = pb_open(b, OTLP_summary_point_quantile_values, NARROW);
        pb_add_double(b, OTLP_quantile_quantile, p->quantiles.v[i].quantile);
        pb_add_double(b, OTLP_quantile_value, p->quantiles.v[i].value);
        pb_close(b, at, NARROW);
    }
    if (p->stale) pb_add_u64(b, OTLP_summary_point_flags, NO_VALUE);
}

/* --- native histograms --- */

#define DENSE_MAX 100000 /* buckets that empty ones may blow a histogram up to */

struct sparse {
    const struct histogram_span *spans;
    u32 n_spans, n;
    const i64 *deltas;
    const f64 *counts;
};

static u64 whole(f64 v)
{
    return v > 0 && v < 0x1p63 ? (u64)v : 0;
}

static u64 bucket_count(const struct sparse *s, u32 i, i64 *running)
{
    if (s->counts) return whole(s->counts[i]);
    *running += s->deltas[i];
    return *running > 0 ? (u64)*running : 0;
}

/* Writes n counts, empty ones in between; how many there are now. */
static i64 dense_counts(struct buf *b, const struct sparse *s, void (*add)(struct buf *b, u64 v))
{
    i64 running = 0, total = 0;
    u32 taken = 0;

    for (u32 i = 0; i < s->n_spans; i++) {
        for (i64 gap = i > 0 ? s->spans[i].offset : 0; gap > 0 && total < DENSE_MAX; gap--, total++)
            add(b, 0);
        for (u32 k = 0; k < s->spans[i].length && taken < s->n && total < DENSE_MAX; k++, total++)
            add(b, bucket_count(s, taken++, &running));
    }
    return total;
}

static void exponential_side(struct buf *b, u32 field, const struct sparse *s)
{
    size_t side = pb_open(b, field, NARROW);

    if (s->n_spans > 0) {
        i64 offset = (i64)s->spans[0].offset - 1;
        pb_add_u64(b, OTLP_buckets_offset, ((u64)offset << 1 ^ (u64)(offset >> 63)) & UINT32_MAX);
        size_t counts = pb_open(b, OTLP_buckets_bucket_counts, NARROW);
        dense_counts(b, s, pb_add_varint);
        pb_close(b, counts, NARROW);
    }
    pb_close(b, side, NARROW);
}

static struct sparse positive(const struct histogram *h)
{
    return (struct sparse){h->pos_spans, h->n_pos_spans, h->n_pos,
                           h->is_float ? NULL : h->pos_deltas, h->is_float ? h->pos_counts : NULL};
}

static struct sparse negative(const struct histogram *h)
{
    return (struct sparse){h->neg_spans, h->n_neg_spans, h->n_neg,
                           h->is_float ? NULL : h->neg_deltas, h->is_float ? h->neg_counts : NULL};
}

static void exponential_point(struct buf *b, const struct otel_metric *m,
                              const struct otel_point *p)
{
    const struct histogram *h = p->native->h;
    struct sparse pos = positive(h), neg = negative(h);

    add_attributes(b, OTLP_exponential_point_attributes, p->series, m->type);
    add_ms(b, OTLP_exponential_point_start_time_unix_nano, p->native->start);
    add_ms(b, OTLP_exponential_point_time_unix_nano, p->time);
    pb_add_fixed64(b, OTLP_exponential_point_count, h->is_float ? whole(h->count.f) : h->count.i);
    if (!p->stale) pb_add_double(b, OTLP_exponential_point_sum, h->sum);
    pb_add_u64(b, OTLP_exponential_point_scale,
               (u32)((u32)h->schema << 1 ^ (u32)(h->schema >> 31)));
    pb_add_fixed64(b, OTLP_exponential_point_zero_count,
                   h->is_float ? whole(h->zero_count.f) : h->zero_count.i);
    exponential_side(b, OTLP_exponential_point_positive, &pos);
    exponential_side(b, OTLP_exponential_point_negative, &neg);
    pb_add_double(b, OTLP_exponential_point_zero_threshold, h->zero_threshold);
    add_exemplars(b, OTLP_exponential_point_exemplars, p);
    if (p->stale) pb_add_u64(b, OTLP_exponential_point_flags, NO_VALUE);
}

static void add_fixed(struct buf *b, u64 v)
{
    buf_add(b, &v, sizeof(v));
}

/* A native histogram with bounds of its own is a classic one to OTLP. */
static void custom_point(struct buf *b, const struct otel_metric *m, const struct otel_point *p)
{
    const struct histogram *h = p->native->h;
    struct sparse s = positive(h);

    add_attributes(b, OTLP_histogram_point_attributes, p->series, m->type);
    add_ms(b, OTLP_histogram_point_time_unix_nano, p->time);
    pb_add_fixed64(b, OTLP_histogram_point_count, h->is_float ? whole(h->count.f) : h->count.i);
    if (!p->stale) pb_add_double(b, OTLP_histogram_point_sum, h->sum);
    size_t at = pb_open(b, OTLP_histogram_point_bucket_counts, NARROW);
    i64 n = 0;
    for (i64 gap = h->n_pos_spans > 0 ? MIN(h->pos_spans[0].offset, (i32)h->n_custom) : 0; gap > 0;
         gap--, n++)
        add_fixed(b, 0);
    for (n += dense_counts(b, &s, add_fixed); n <= h->n_custom; n++)
        add_fixed(b, 0);
    pb_close(b, at, NARROW);
    at = pb_open(b, OTLP_histogram_point_explicit_bounds, NARROW);
    buf_add(b, h->custom, h->n_custom * sizeof(f64));
    pb_close(b, at, NARROW);
    if (p->stale) pb_add_u64(b, OTLP_histogram_point_flags, NO_VALUE);
}

/* --- metrics --- */

struct form {
    u32 field; /* of Metric */
    void (*point)(struct buf *b, const struct otel_metric *m, const struct otel_point *p);
    bool cumulative, monotonic;
    const char *type; /* "prometheus.type" */
};
static const struct form forms[] = {
    [TYPE_UNKNOWN] = {OTLP_metric_gauge, number_point, false, false, "unknown"},
    [TYPE_COUNTER] = {OTLP_metric_sum, number_point, true, true, "counter"},
    [TYPE_GAUGE] = {OTLP_metric_gauge, number_point, false, false, "gauge"},
    [TYPE_HISTOGRAM] = {OTLP_metric_histogram, histogram_point, true, false, "histogram"},
    [TYPE_GAUGEHISTOGRAM] = {OTLP_metric_gauge, number_point, false, false, "gaugehistogram"},
    [TYPE_SUMMARY] = {OTLP_metric_summary, summary_point, false, false, "summary"},
    [TYPE_INFO] = {OTLP_metric_sum, number_point, true, false, "info"},
    [TYPE_STATESET] = {OTLP_metric_sum, number_point, true, false, "stateset"},
};
static const struct form exponential = {OTLP_metric_exponential_histogram, exponential_point, true,
                                        false, "histogram"};
static const struct form custom = {OTLP_metric_histogram, custom_point, true, false, "histogram"};

static const struct form *form_of(const struct otel_metric *m)
{
    if (!m->native) return &forms[m->type < ARRAY_LEN(forms) ? m->type : TYPE_UNKNOWN];
    return m->points->native->h->schema == -53 ? &custom : &exponential;
}

static struct str otel_unit(struct str unit)
{
    static const struct str units[][2] = {
        {STR("seconds"), STR("s")}, {STR("bytes"), STR("By")},  {STR("ratio"), STR("1")},
        {STR("meters"), STR("m")},  {STR("volts"), STR("V")},   {STR("amperes"), STR("A")},
        {STR("joules"), STR("J")},  {STR("grams"), STR("g")},   {STR("celsius"), STR("Cel")},
        {STR("hertz"), STR("Hz")},  {STR("percent"), STR("%")},
    };
    for (size_t i = 0; i < ARRAY_LEN(units); i++)
        if (str_eq(units[i][0], unit)) return units[i][1];
    return unit;
}

static bool is_whole(const struct otel_metric *m, const struct otel_point *p)
{
    return m->native || m->type != TYPE_HISTOGRAM || p->has_count;
}

/* Some have nothing but the time when they began. */
static bool has_points(const struct otel_metric *m)
{
    for (const struct otel_point *p = m->points; p; p = p->next)
        if (is_whole(m, p)) return true;
    return false;
}

static void write_metric(struct buf *b, const struct otel_metric *m)
{
    const struct form *form = form_of(m);
    size_t metric = pb_open(b, OTLP_RECORDS, WIDE);

    pb_add_bytes(b, OTLP_metric_name, m->name);
    pb_add_bytes(b, OTLP_metric_description, m->help);
    pb_add_bytes(b, OTLP_metric_unit, otel_unit(m->unit));
    size_t data = pb_open(b, form->field, WIDE);
    for (const struct otel_point *p = m->points; p; p = p->next) {
        if (!is_whole(m, p)) continue;
        size_t point = pb_open(b, OTLP_POINTS, NARROW);
        form->point(b, m, p);
        pb_close(b, point, NARROW);
    }
    if (form->cumulative) pb_add_u64(b, OTLP_sum_aggregation_temporality, CUMULATIVE);
    if (form->monotonic) pb_add_u64(b, OTLP_sum_is_monotonic, 1);
    pb_close(b, data, WIDE);
    add_string(b, OTLP_metric_metadata, STR("prometheus.type"), str_of(form->type));
    pb_close(b, metric, WIDE);
}

/* --- scope and resource --- */

static bool same_value(const struct series *a, const struct series *b, struct str label)
{
    return str_eq(series_get(a, label), series_get(b, label));
}

/* otel_scope_info knows scopes by name and version; without the URL of their schema. */
static const struct series *scope_info(const struct otel_resource *r, const struct otel_scope *s)
{
    for (const struct otel_scope *o = r->first; o && !s->info; o = o->next)
        if (o->info && same_value(o->series, s->series, STR("otel_scope_name")) &&
            same_value(o->series, s->series, STR("otel_scope_version")))
            return o->info;
    return s->info;
}

static void write_scope(struct buf *b, const struct otel_resource *r, const struct otel_scope *s,
                        const struct otel_origin *o)
{
    const struct series *info = scope_info(r, s);
    struct str name = series_get(s->series, STR("otel_scope_name"));
    size_t scope_metrics = pb_open(b, OTLP_SCOPES, WIDE);
    size_t scope = pb_open(b, OTLP_SCOPE, NARROW);

    pb_add_bytes(b, OTLP_scope_name, name.p ? name : o->name);
    pb_add_bytes(b, OTLP_scope_version,
                 name.p ? series_get(s->series, STR("otel_scope_version")) : o->version);
    if (info) add_attributes(b, OTLP_scope_attributes, info, TYPE_UNKNOWN);
    pb_close(b, scope, NARROW);
    for (const struct otel_metric *m = s->first; m; m = m->next)
        if (has_points(m)) write_metric(b, m);
    struct str url = series_get(s->series, STR("otel_scope_schema_url"));
    if (url.p) pb_add_bytes(b, OTLP_scope_metrics_schema_url, url);
    pb_close(b, scope_metrics, WIDE);
}

static bool is_here(struct str host)
{
    static const struct str here[] = {STR("localhost"), STR("127.0.0.1"), STR("0.0.0.0"),
                                      STR("::1"),       STR("[::1]"),     STR("::"),
                                      STR("[::]"),      STR("")};

    for (size_t i = 0; i < ARRAY_LEN(here); i++)
        if (str_eq(here[i], host)) return true;
    return false;
}

static void add_resource_string(struct buf *b, const char *key, struct str value)
{
    add_string(b, OTLP_resource_attributes, str_of(key), value);
}

static void write_address(struct buf *b, struct str instance)
{
    ssize_t colon = str_rchr(instance, ':');
    struct str host = colon < 0 ? STR("") : str_sub(instance, 0, (size_t)colon);
    struct str port = colon < 0 ? STR("") : str_sub(instance, (size_t)colon + 1, instance.n);

    if (!is_here(host)) {
        add_resource_string(b, "server.address", host);
        add_resource_string(b, "net.host.name", host);
    }
    add_resource_string(b, "server.port", port);
    add_resource_string(b, "net.host.port", port);
    add_resource_string(b, "url.scheme", STR("http"));
    add_resource_string(b, "http.scheme", STR("http"));
}

static void write_resource(struct buf *b, const struct otel_resource *r)
{
    struct str instance = series_get(r->series, STR("instance"));
    size_t resource = pb_open(b, OTLP_RESOURCE, NARROW);

    add_resource_string(b, "service.name", series_get(r->series, STR("job")));
    add_resource_string(b, "service.instance.id", instance);
    write_address(b, instance);
    if (r->info) add_attributes(b, OTLP_resource_attributes, r->info, TYPE_UNKNOWN);
    pb_close(b, resource, NARROW);
}

int otel_gather_write(struct otel_gather *g, const struct otel_origin *o, struct buf *out)
{
    for (const struct otel_resource *r = g->first; r; r = r->next) {
        if (!r->first) continue; /* target_info alone */
        size_t resource_metrics = pb_open(out, OTLP_RESOURCES, WIDE);
        write_resource(out, r);
        for (const struct otel_scope *s = r->first; s; s = s->next)
            if (s->first) write_scope(out, r, s, o);
        pb_close(out, resource_metrics, WIDE);
    }
    return buf_err(out);
}
