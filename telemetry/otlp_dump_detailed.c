/* The long text form: every field on a line of its own. Layout of the Collector's debug exporter,
 * verbosity detailed. */
#include "base/clock.h"
#include "base/digest.h"
#include "telemetry/otlp_dump.h"

/* --- lines --- */

static void line(struct buf *out, const char *title, struct str text)
{
    buf_printf(out, "%s: ", title);
    buf_str(out, text);
    buf_ch(out, '\n');
}

static void count_line(struct buf *out, const char *title, u64 n)
{
    buf_printf(out, "%s: %llu\n", title, (unsigned long long)n);
}

static void id_line(struct buf *out, const char *title, struct str id)
{
    buf_printf(out, "%s: ", title);
    hex_encode(out, id.p, id.n);
    buf_ch(out, '\n');
}

/* 2024-11-22 00:00:02.5 +0000 UTC */
static void time_line(struct buf *out, const char *title, u64 ns)
{
    struct buf t = BUF_INIT(64);
    time_rfc3339(&t, (i64)ns, false);
    ssize_t day = str_chr(buf_view(&t), 'T');
    if (day > 0) t.p[day] = ' ';
    buf_printf(out, "%s: " STR_FMT " +0000 UTC\n", title, (int)(t.n ? t.n - 1 : 0), t.p ? t.p : "");
    buf_done(&t);
}

static const char *name_of(const char *const *names, size_t n, u64 v)
{
    return v < n ? names[v] : "";
}

static void typed_value(struct buf *out, struct str any_value)
{
    struct otlp_value v = otlp_value_read(any_value);
    buf_printf(out, "%s(", otlp_vtype_name(v.type));
    otlp_value_text(out, &v);
    buf_ch(out, ')');
}

/* A titled list of KeyValue; nothing when it is empty. */
static void attributes(struct buf *out, struct str msg, u32 num, const char *title,
                       const char *indent)
{
    struct pb_field f;
    bool first = true;
    for (struct pb_in in = pb_in(msg); pb_next(&in, &f);) {
        if (f.num != num || f.wire != PB_BYTES) continue;
        if (first) buf_printf(out, "%s\n", title);
        first = false;
        buf_printf(out, "%s-> " STR_FMT ": ", indent, STR_ARG(dump_text(f.b, OTLP_key_value_key)));
        typed_value(out, dump_text(f.b, OTLP_key_value_value));
        buf_ch(out, '\n');
    }
}
#define INDENT "     "
#define DEEPER "          "

/* --- resources and scopes --- */

static void resource(struct buf *out, const struct dump_at *at, struct str msg)
{
    static const char *const titles[] = {"ResourceSpans", "ResourceMetrics", "ResourceLog"};
    buf_printf(out, "%s #%u\n", titles[at->signal], at->index);
    line(out, "Resource SchemaURL", dump_text(msg, OTLP_resource_spans_schema_url));
    attributes(out, dump_text(msg, OTLP_RESOURCE), OTLP_resource_attributes,
               "Resource attributes:", INDENT);
}

static void scope(struct buf *out, const struct dump_at *at, struct str msg)
{
    static const char *const titles[] = {"ScopeSpans", "ScopeMetrics", "ScopeLogs"};
    struct str s = dump_text(msg, OTLP_SCOPE);
    buf_printf(out, "%s #%u\n%s SchemaURL: " STR_FMT "\n", titles[at->signal], at->index,
               titles[at->signal], STR_ARG(dump_text(msg, OTLP_scope_spans_schema_url)));
    buf_printf(out, "InstrumentationScope " STR_FMT " " STR_FMT "\n",
               STR_ARG(dump_text(s, OTLP_scope_name)), STR_ARG(dump_text(s, OTLP_scope_version)));
    attributes(out, s, OTLP_scope_attributes, "InstrumentationScope attributes:", INDENT);
}

/* --- spans --- */

static void event(struct buf *out, struct str e)
{
    line(out, INDENT "-> Name", dump_text(e, OTLP_event_name));
    time_line(out, INDENT "-> Timestamp", dump_number(e, OTLP_event_time_unix_nano));
    count_line(out, INDENT "-> DroppedAttributesCount",
               dump_number(e, OTLP_event_dropped_attributes_count));
    attributes(out, e, OTLP_event_attributes, INDENT "-> Attributes::", DEEPER);
}

static void link(struct buf *out, struct str l)
{
    id_line(out, INDENT "-> Trace ID", dump_text(l, OTLP_link_trace_id));
    id_line(out, INDENT "-> ID", dump_text(l, OTLP_link_span_id));
    line(out, INDENT "-> TraceState", dump_text(l, OTLP_link_trace_state));
    count_line(out, INDENT "-> DroppedAttributesCount",
               dump_number(l, OTLP_link_dropped_attributes_count));
    attributes(out, l, OTLP_link_attributes, INDENT "-> Attributes::", DEEPER);
}

/* A titled list of sub-messages, each under "Item #n". */
static void list(struct buf *out, struct str msg, u32 num, const char *title, const char *item,
                 void (*print)(struct buf *, struct str))
{
    struct pb_field f;
    u32 n = 0;
    for (struct pb_in in = pb_in(msg); pb_next(&in, &f);) {
        if (f.num != num || f.wire != PB_BYTES) continue;
        if (n == 0) buf_printf(out, "%s\n", title);
        buf_printf(out, "%s #%u\n", item, n++);
        print(out, f.b);
    }
}

static void span_status(struct buf *out, struct str status)
{
    static const char *const codes[] = {"Unset", "Ok", "Error"};
    buf_printf(out, "    Status code    : %s\n",
               name_of(codes, ARRAY_LEN(codes), dump_number(status, OTLP_status_code)));
    line(out, "    Status message ", dump_text(status, OTLP_status_message));
}

static void span(struct buf *out, const struct dump_at *at, struct str s)
{
    static const char *const kinds[] = {"Unspecified", "Internal", "Server",
                                        "Client",      "Producer", "Consumer"};
    struct str state = dump_text(s, OTLP_span_trace_state);
    buf_printf(out, "Span #%u\n", at->index);
    id_line(out, "    Trace ID       ", dump_text(s, OTLP_span_trace_id));
    id_line(out, "    Parent ID      ", dump_text(s, OTLP_span_parent_span_id));
    id_line(out, "    ID             ", dump_text(s, OTLP_span_span_id));
    line(out, "    Name           ", dump_text(s, OTLP_span_name));
    line(out, "    Kind           ",
         str_of(name_of(kinds, ARRAY_LEN(kinds), dump_number(s, OTLP_span_kind))));
    if (state.n) line(out, "    TraceState     ", state);
    time_line(out, "    Start time     ", dump_number(s, OTLP_span_start_time_unix_nano));
    time_line(out, "    End time       ", dump_number(s, OTLP_span_end_time_unix_nano));
    span_status(out, dump_text(s, OTLP_span_status));
    count_line(out, "    DroppedAttributesCount",
               dump_number(s, OTLP_span_dropped_attributes_count));
    count_line(out, "    DroppedEventsCount", dump_number(s, OTLP_span_dropped_events_count));
    count_line(out, "    DroppedLinksCount", dump_number(s, OTLP_span_dropped_links_count));
    attributes(out, s, OTLP_span_attributes, "Attributes:", INDENT);
    list(out, s, OTLP_span_events, "Events:", "SpanEvent", event);
    list(out, s, OTLP_span_links, "Links:", "SpanLink", link);
}

/* --- logs --- */

static void severity_line(struct buf *out, u64 number)
{
    static const char *const names[] = {"Trace", "Debug", "Info", "Warn", "Error", "Fatal"};
    const char *name = number == 0 ? "Unspecified" : number <= 24 ? names[(number - 1) / 4] : "";
    u64 step = number && number <= 24 ? (number - 1) % 4 : 0;
    buf_printf(out, "SeverityNumber: %s", name);
    if (step) buf_printf(out, "%llu", (unsigned long long)step + 1);
    buf_printf(out, "(%lld)\n", (long long)number);
}

static void log_record(struct buf *out, const struct dump_at *at, struct str r)
{
    struct str name = dump_text(r, OTLP_log_record_event_name);
    buf_printf(out, "LogRecord #%u\n", at->index);
    time_line(out, "ObservedTimestamp", dump_number(r, OTLP_log_record_observed_time_unix_nano));
    time_line(out, "Timestamp", dump_number(r, OTLP_log_record_time_unix_nano));
    line(out, "SeverityText", dump_text(r, OTLP_log_record_severity_text));
    severity_line(out, dump_number(r, OTLP_log_record_severity_number));
    if (name.n) line(out, "EventName", name);
    buf_cstr(out, "Body: ");
    typed_value(out, dump_text(r, OTLP_log_record_body));
    buf_ch(out, '\n');
    attributes(out, r, OTLP_log_record_attributes, "Attributes:", INDENT);
    id_line(out, "Trace ID", dump_text(r, OTLP_log_record_trace_id));
    id_line(out, "Span ID", dump_text(r, OTLP_log_record_span_id));
    count_line(out, "Flags", dump_number(r, OTLP_log_record_flags));
}

/* --- metrics --- */

/* The data that is set; its field number, 0 for none. */
static u32 data_of(struct str metric, struct str *ret)
{
    u32 found = 0;
    struct pb_field f;
    for (struct pb_in in = pb_in(metric); pb_next(&in, &f);) {
        if (!dump_point_of(f.num)) continue;
        found = f.num;
        *ret = f.b;
    }
    return found;
}

static void metric(struct buf *out, const struct dump_at *at, struct str m)
{
    static const char *const temporalities[] = {"Unspecified", "Delta", "Cumulative"};
    struct str data = {0};
    u32 kind = data_of(m, &data);
    bool has_temporality = kind == OTLP_metric_sum || kind == OTLP_metric_histogram ||
                           kind == OTLP_metric_exponential_histogram;
    buf_printf(out, "Metric #%u\nDescriptor:\n", at->index);
    line(out, INDENT "-> Name", dump_text(m, OTLP_metric_name));
    line(out, INDENT "-> Description", dump_text(m, OTLP_metric_description));
    line(out, INDENT "-> Unit", dump_text(m, OTLP_metric_unit));
    line(out, INDENT "-> DataType", str_of(kind ? dump_point_of(kind)->type : "Empty"));
    attributes(out, m, OTLP_metric_metadata, INDENT "-> Metadata:", DEEPER);
    if (kind == OTLP_metric_sum)
        line(out, INDENT "-> IsMonotonic",
             dump_number(data, OTLP_sum_is_monotonic) ? STR("true") : STR("false"));
    if (has_temporality)
        line(out, INDENT "-> AggregationTemporality",
             str_of(name_of(temporalities, ARRAY_LEN(temporalities),
                            dump_number(data, OTLP_sum_aggregation_temporality))));
}

static void float_line(struct buf *out, struct str p, u32 num, const char *title)
{
    if (dump_has(p, num)) buf_printf(out, "%s: %f\n", title, pb_f64(dump_number(p, num)));
}

static void value_line(struct buf *out, struct str p, u32 as_int, u32 as_double, const char *title)
{
    if (dump_has(p, as_int))
        buf_printf(out, "%s: %lld\n", title, (long long)dump_number(p, as_int));
    else
        float_line(out, p, as_double, title);
}

static void number(struct buf *out, struct str p)
{
    value_line(out, p, OTLP_number_point_as_int, OTLP_number_point_as_double, "Value");
}

static void histogram(struct buf *out, struct str p)
{
    struct dump_list bounds = dump_numbers(p, OTLP_histogram_point_explicit_bounds, PB_FIXED64);
    struct dump_list counts = dump_numbers(p, OTLP_histogram_point_bucket_counts, PB_FIXED64);
    u64 v;
    count_line(out, "Count", dump_number(p, OTLP_histogram_point_count));
    float_line(out, p, OTLP_histogram_point_sum, "Sum");
    float_line(out, p, OTLP_histogram_point_min, "Min");
    float_line(out, p, OTLP_histogram_point_max, "Max");
    for (u32 i = 0; dump_next(&bounds, &v); i++)
        buf_printf(out, "ExplicitBounds #%u: %f\n", i, pb_f64(v));
    for (u32 i = 0; dump_next(&counts, &v); i++)
        buf_printf(out, "Buckets #%u, Count: %llu\n", i, (unsigned long long)v);
}

static void side(struct buf *out, struct str buckets, i32 scale, bool negative)
{
    struct buf counts = BUF_INIT(SIZE_MAX);
    size_t n = dump_bucket_counts(buckets, &counts);
    i64 offset = (i32)pb_zigzag(dump_number(buckets, OTLP_buckets_offset));
    for (size_t k = 0; k < n; k++) {
        size_t at = negative ? n - 1 - k : k;
        f64 lower = dump_exponential_bound(scale, offset + (i64)at),
            upper = dump_exponential_bound(scale, offset + (i64)at + 1);
        unsigned long long count = pb_load64(counts.p + at * sizeof(u64));
        if (negative)
            buf_printf(out, "Bucket [%f, %f), Count: %llu\n", -upper, -lower, count);
        else
            buf_printf(out, "Bucket (%f, %f], Count: %llu\n", lower, upper, count);
    }
    buf_done(&counts);
}

static void exponential(struct buf *out, struct str p)
{
    i32 scale = (i32)pb_zigzag(dump_number(p, OTLP_exponential_point_scale));
    u64 zero = dump_number(p, OTLP_exponential_point_zero_count);
    count_line(out, "Count", dump_number(p, OTLP_exponential_point_count));
    float_line(out, p, OTLP_exponential_point_sum, "Sum");
    float_line(out, p, OTLP_exponential_point_min, "Min");
    float_line(out, p, OTLP_exponential_point_max, "Max");
    side(out, dump_text(p, OTLP_exponential_point_negative), scale, true);
    if (zero) buf_printf(out, "Bucket [0, 0], Count: %llu\n", (unsigned long long)zero);
    side(out, dump_text(p, OTLP_exponential_point_positive), scale, false);
}

static void summary(struct buf *out, struct str p)
{
    struct pb_field f;
    u32 n = 0;
    count_line(out, "Count", dump_number(p, OTLP_summary_point_count));
    buf_printf(out, "Sum: %f\n", pb_f64(dump_number(p, OTLP_summary_point_sum)));
    for (struct pb_in in = pb_in(p); pb_next(&in, &f);)
        if (f.num == OTLP_summary_point_quantile_values && f.wire == PB_BYTES)
            buf_printf(out, "QuantileValue #%u: Quantile %f, Value %f\n", n++,
                       pb_f64(dump_number(f.b, OTLP_quantile_quantile)),
                       pb_f64(dump_number(f.b, OTLP_quantile_value)));
}

static void exemplar(struct buf *out, struct str e)
{
    id_line(out, INDENT "-> Trace ID", dump_text(e, OTLP_exemplar_trace_id));
    id_line(out, INDENT "-> Span ID", dump_text(e, OTLP_exemplar_span_id));
    time_line(out, INDENT "-> Timestamp", dump_number(e, OTLP_exemplar_time_unix_nano));
    value_line(out, e, OTLP_exemplar_as_int, OTLP_exemplar_as_double, INDENT "-> Value");
    attributes(out, e, OTLP_exemplar_filtered_attributes, INDENT "-> FilteredAttributes:", DEEPER);
}

/* All kinds of points have their times in the same fields. */
static void point(struct buf *out, const struct dump_at *at, struct str m, struct str p)
{
    static void (*const values[])(struct buf *, struct str) = {
        [OTLP_metric_gauge] = number,        [OTLP_metric_sum] = number,
        [OTLP_metric_histogram] = histogram, [OTLP_metric_exponential_histogram] = exponential,
        [OTLP_metric_summary] = summary,
    };
    const struct dump_point *kind = dump_point_of(at->field);
    buf_printf(out, "%s #%u\n", kind->title, at->index);
    attributes(out, p, kind->attributes, "Data point attributes:", INDENT);
    time_line(out, "StartTimestamp", dump_number(p, OTLP_number_point_start_time_unix_nano));
    time_line(out, "Timestamp", dump_number(p, OTLP_number_point_time_unix_nano));
    values[at->field](out, p);
    if (kind->exemplars) list(out, p, kind->exemplars, "Exemplars:", "Exemplar", exemplar);
}

const struct dump_style dump_detailed = {.resource = resource,
                                         .scope = scope,
                                         .metric = metric,
                                         .span = span,
                                         .log = log_record,
                                         .point = point};
