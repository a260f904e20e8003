/* The short text form: one line per record. Layout of the Collector's debug exporter, verbosity
 * normal. */
#include "base/digest.h"
#include "base/num.h"
#include "telemetry/otlp_dump.h"

/* Attributes of a list of KeyValue as key=value; returns how many. */
static u32 pairs(struct buf *out, struct str msg, u32 num, const char *before, const char *between)
{
    struct pb_field f;
    u32 n = 0;
    for (struct pb_in in = pb_in(msg); pb_next(&in, &f);) {
        if (f.num != num || f.wire != PB_BYTES) continue;
        buf_cstr(out, n++ ? between : before);
        buf_str(out, dump_text(f.b, OTLP_key_value_key));
        buf_ch(out, '=');
        dump_value(out, dump_text(f.b, OTLP_key_value_value));
    }
    return n;
}

static void schema(struct buf *out, struct str msg)
{
    struct str url = dump_text(msg, OTLP_resource_spans_schema_url);
    if (url.n) buf_printf(out, " [" STR_FMT "]", STR_ARG(url));
}

static void resource(struct buf *out, const struct dump_at *at, struct str msg)
{
    static const char *const titles[] = {"ResourceTraces", "ResourceMetrics", "ResourceLog"};
    buf_printf(out, "%s #%u", titles[at->signal], at->index);
    schema(out, msg);
    pairs(out, dump_text(msg, OTLP_RESOURCE), OTLP_resource_attributes, " ", " ");
    buf_ch(out, '\n');
}

static void scope(struct buf *out, const struct dump_at *at, struct str msg)
{
    static const char *const titles[] = {"ScopeTraces", "ScopeMetrics", "ScopeLog"};
    struct str s = dump_text(msg, OTLP_SCOPE), name = dump_text(s, OTLP_scope_name),
               version = dump_text(s, OTLP_scope_version);
    buf_printf(out, "%s #%u", titles[at->signal], at->index);
    if (name.n) buf_printf(out, " " STR_FMT, STR_ARG(name));
    if (version.n) buf_printf(out, "@" STR_FMT, STR_ARG(version));
    schema(out, msg);
    pairs(out, s, OTLP_scope_attributes, " ", " ");
    buf_ch(out, '\n');
}

static void hex(struct buf *out, struct str id)
{
    hex_encode(out, id.p, id.n);
}

static void span(struct buf *out, const struct dump_at *at, struct str msg)
{
    buf_str(out, dump_text(msg, OTLP_span_name));
    buf_ch(out, ' ');
    hex(out, dump_text(msg, OTLP_span_trace_id));
    buf_ch(out, ' ');
    hex(out, dump_text(msg, OTLP_span_span_id));
    pairs(out, msg, OTLP_span_attributes, " ", " ");
    buf_ch(out, '\n');
}

static void log_record(struct buf *out, const struct dump_at *at, struct str msg)
{
    dump_value(out, dump_text(msg, OTLP_log_record_body));
    buf_ch(out, ' ');
    pairs(out, msg, OTLP_log_record_attributes, "", " ");
    buf_ch(out, '\n');
}

/* --- points: name{attributes} and then what the kind holds --- */

static void number(struct buf *out, struct str p)
{
    buf_ch(out, ' ');
    if (dump_has(p, OTLP_number_point_as_int))
        buf_printf(out, "%lld", (long long)dump_number(p, OTLP_number_point_as_int));
    else if (dump_has(p, OTLP_number_point_as_double))
        num_f64_g(out, pb_f64(dump_number(p, OTLP_number_point_as_double)));
}

static void optional(struct buf *out, struct str p, u32 num, const char *name)
{
    if (!dump_has(p, num)) return;
    buf_printf(out, " %s=", name);
    num_f64_g(out, pb_f64(dump_number(p, num)));
}

static void bucket(struct buf *out, f64 bound, u64 count)
{
    buf_cstr(out, " le");
    num_f64_g(out, bound);
    buf_printf(out, "=%llu", (unsigned long long)count);
}

static void histogram(struct buf *out, struct str p)
{
    struct dump_list counts = dump_numbers(p, OTLP_histogram_point_bucket_counts, PB_FIXED64);
    struct dump_list bounds = dump_numbers(p, OTLP_histogram_point_explicit_bounds, PB_FIXED64);
    u64 count, bound;
    buf_printf(out, " count=%llu", (unsigned long long)dump_number(p, OTLP_histogram_point_count));
    optional(out, p, OTLP_histogram_point_sum, "sum");
    optional(out, p, OTLP_histogram_point_min, "min");
    optional(out, p, OTLP_histogram_point_max, "max");
    while (dump_next(&counts, &count)) {
        if (dump_next(&bounds, &bound))
            bucket(out, pb_f64(bound), count);
        else
            buf_printf(out, " %llu", (unsigned long long)count);
    }
}

/* From the largest index down: the bounds ascend. */
static void negative_buckets(struct buf *out, struct str b, i32 scale)
{
    struct buf counts = BUF_INIT(SIZE_MAX);
    i64 offset = (i32)pb_zigzag(dump_number(b, OTLP_buckets_offset));
    for (size_t at = dump_bucket_counts(b, &counts); at-- > 0;)
        bucket(out, -dump_exponential_bound(scale, offset + (i64)at),
               pb_load64(counts.p + at * sizeof(u64)));
    buf_done(&counts);
}

static void positive_buckets(struct buf *out, struct str b, i32 scale)
{
    struct dump_list l = dump_numbers(b, OTLP_buckets_bucket_counts, PB_VARINT);
    i64 index = (i32)pb_zigzag(dump_number(b, OTLP_buckets_offset));
    for (u64 count; dump_next(&l, &count);)
        bucket(out, dump_exponential_bound(scale, ++index), count);
}

static void exponential(struct buf *out, struct str p)
{
    i32 scale = (i32)pb_zigzag(dump_number(p, OTLP_exponential_point_scale));
    u64 zero = dump_number(p, OTLP_exponential_point_zero_count);
    buf_printf(out, " count=%llu",
               (unsigned long long)dump_number(p, OTLP_exponential_point_count));
    optional(out, p, OTLP_exponential_point_sum, "sum");
    optional(out, p, OTLP_exponential_point_min, "min");
    optional(out, p, OTLP_exponential_point_max, "max");
    negative_buckets(out, dump_text(p, OTLP_exponential_point_negative), scale);
    if (zero) buf_printf(out, " zero=%llu", (unsigned long long)zero);
    positive_buckets(out, dump_text(p, OTLP_exponential_point_positive), scale);
}

static void summary(struct buf *out, struct str p)
{
    struct pb_field f;
    buf_printf(out, " count=%llu sum=%f",
               (unsigned long long)dump_number(p, OTLP_summary_point_count),
               pb_f64(dump_number(p, OTLP_summary_point_sum)));
    for (struct pb_in in = pb_in(p); pb_next(&in, &f);) {
        if (f.num != OTLP_summary_point_quantile_values || f.wire != PB_BYTES) continue;
        buf_cstr(out, " q");
        num_f64_g(out, pb_f64(dump_number(f.b, OTLP_quantile_quantile)));
        buf_ch(out, '=');
        num_f64_g(out, pb_f64(dump_number(f.b, OTLP_quantile_value)));
    }
}

static void point(struct buf *out, const struct dump_at *at, struct str metric, struct str p)
{
    static void (*const values[])(struct buf *, struct str) = {
        [OTLP_metric_gauge] = number,        [OTLP_metric_sum] = number,
        [OTLP_metric_histogram] = histogram, [OTLP_metric_exponential_histogram] = exponential,
        [OTLP_metric_summary] = summary,
    };
    buf_str(out, dump_text(metric, OTLP_metric_name));
    buf_ch(out, '{');
    pairs(out, p, dump_point_of(at->field)->attributes, "", ",");
    buf_ch(out, '}');
    values[at->field](out, p);
    buf_ch(out, '\n');
}

const struct dump_style dump_normal = {
    .resource = resource, .scope = scope, .span = span, .log = log_record, .point = point};
