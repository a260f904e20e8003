/* Tests of the conversion from OTLP to series: each kind of metric as exposition text, names, what
 * is left out, series that are let go. */
#include "components/otelcol/exporter_prometheus.h"
#include "base/num.h"
#include "telemetry/testing.h"

static struct series_table *table;
static struct prom_convert convert;

static int setup(void **state)
{
    struct prom_conf conf = {.add_metric_suffixes = true, .include_scope_labels = true};

    table = series_table_new();
    prom_convert_init(&convert, &conf, table, NULL);
    return 0;
}

static int teardown(void **state)
{
    struct series_stats st;

    prom_convert_done(&convert);
    series_table_stats(table, &st);
    assert_int_equal(st.series, 0);
    series_table_free(table);
    return 0;
}

/* --- what was made, as text --- */

static void print_value(struct buf *b, u64 bits)
{
    if (bits == SAMPLE_STALE_BITS)
        buf_cstr(b, "stale");
    else
        num_f64_g(b, sample_value(bits));
}

static void print_histogram(struct buf *b, const struct histogram_sample *s)
{
    const struct histogram *h = s->h;

    series_text(s->series, b);
    buf_printf(b, " schema=%d count=%d sum=%g zero=%d spans=", h->schema, (int)h->count.i, h->sum,
               (int)h->zero_count.i);
    for (u32 i = 0; i < h->n_pos_spans; i++)
        buf_printf(b, "%d+%u ", h->pos_spans[i].offset, h->pos_spans[i].length);
    buf_cstr(b, "deltas=");
    for (u32 i = 0; i < h->n_pos; i++)
        buf_printf(b, "%d ", (int)h->pos_deltas[i]);
    buf_printf(b, "@%d\n", (int)s->time);
}

static void print_exemplar(struct buf *b, const struct exemplar_sample *e)
{
    buf_cstr(b, "exemplar ");
    series_text(e->series, b);
    buf_printf(b, " %g", e->value);
    for (u32 i = 0; i < e->n_labels; i++)
        buf_printf(b, " " STR_FMT "=" STR_FMT, STR_ARG(e->labels[i].name),
                   STR_ARG(e->labels[i].value));
    buf_ch(b, '\n');
}

static void print(struct buf *b, const struct samples *s)
{
    for (u32 i = 0; i < s->n; i++) {
        series_text(s->v[i].series, b);
        buf_ch(b, ' ');
        print_value(b, s->v[i].bits);
        buf_printf(b, " @%d\n", (int)s->v[i].time);
    }
    for (u32 i = 0; i < s->n_histograms; i++)
        print_histogram(b, &s->histograms[i]);
    for (u32 i = 0; i < s->n_exemplars; i++)
        print_exemplar(b, &s->exemplars[i]);
    for (u32 i = 0; i < s->n_meta; i++)
        buf_printf(b, "meta " STR_FMT " %d " STR_FMT " " STR_FMT "\n", STR_ARG(s->meta[i].family),
                   (int)s->meta[i].type, STR_ARG(s->meta[i].help), STR_ARG(s->meta[i].unit));
}

static void assert_made(const char *json, const char *want)
{
    struct batch *from = batch_of_json(SIGNAL_METRICS, json), *made = batch_new(SIGNAL_METRICS);
    struct buf got = BUF_INIT(1 << 16);

    prom_convert_begin(&convert, 5000);
    for (u32 i = 0; i < from->n_slices; i++)
        assert_int_equal(
            prom_convert_request(&convert, str_n(from->slices[i].p, from->slices[i].n)), 0);
    assert_int_equal(sample_builder_seal(convert.out, made), 0);
    print(&got, made->samples);
    assert_text(buf_view(&got), want);
    buf_done(&got);
    batch_unref(made);
    batch_unref(from);
}

/* A request with one metric of a resource and a scope. */
#define REQUEST(resource, scope, metric)                                                           \
    "{\"resourceMetrics\":[{\"resource\":{\"attributes\":[" resource "]},"                         \
    "\"scopeMetrics\":[{\"scope\":{" scope "},\"metrics\":[" metric "]}]}]}"
#define ATTR_JSON(k, v) "{\"key\":\"" k "\",\"value\":{\"stringValue\":\"" v "\"}}"
#define AT              "\"timeUnixNano\":\"2000000000\""
#define SERVICE                                                                                    \
    ATTR_JSON("service.name", "shop")                                                              \
    "," ATTR_JSON("service.namespace", "eu") "," ATTR_JSON("service.instance.id",                  \
                                                           "i1") "," ATTR_JSON("host.name", "h")

static void gauges(void **state)
{
    assert_made(REQUEST(SERVICE, "\"name\":\"lib\",\"version\":\"2\"",
                        "{\"name\":\"queue.size\",\"unit\":\"By\",\"gauge\":{\"dataPoints\":[{"
                        "\"attributes\":[" ATTR_JSON("queue.name", "a") "]," AT
                                                                        ",\"asInt\":\"7\"}]}}"),
                "{__name__=\"queue_size_bytes\", instance=\"i1\", job=\"eu/shop\", "
                "otel_scope_name=\"lib\", otel_scope_version=\"2\", queue_name=\"a\"} 7 @2000\n");
}

static void counters(void **state)
{
    assert_made(REQUEST("", "",
                        "{\"name\":\"reqs\",\"sum\":{\"aggregationTemporality\":2,"
                        "\"isMonotonic\":true,\"dataPoints\":[{" AT ",\"asDouble\":1.5,"
                        "\"exemplars\":[{\"timeUnixNano\":\"1\",\"asDouble\":1,"
                        "\"traceId\":\"0102030405060708090a0b0c0d0e0f10\","
                        "\"spanId\":\"0102030405060708\"}]}]}}"),
                "{__name__=\"reqs_total\"} 1.5 @2000\n"
                "exemplar {__name__=\"reqs_total\"} 1 span_id=0102030405060708 "
                "trace_id=0102030405060708090a0b0c0d0e0f10\n");
    assert_made(REQUEST("", "",
                        "{\"name\":\"level\",\"sum\":{\"aggregationTemporality\":2,"
                        "\"dataPoints\":[{" AT ",\"asDouble\":2}]}}"),
                "{__name__=\"level\"} 2 @2000\n");
}

static void deltas_are_dropped(void **state)
{
    assert_made(REQUEST("", "",
                        "{\"name\":\"d\",\"sum\":{\"aggregationTemporality\":1,"
                        "\"isMonotonic\":true,\"dataPoints\":[{" AT ",\"asDouble\":2},{" AT
                        ",\"asDouble\":3}]}}"),
                "");
    assert_int_equal(convert.dropped.delta_sums, 2);
    assert_made(REQUEST("", "",
                        "{\"name\":\"d\",\"histogram\":{\"dataPoints\":[{" AT
                        ",\"count\":\"1\"}]}}"),
                "");
    assert_int_equal(convert.dropped.not_cumulative, 1);
}

static void histograms(void **state)
{
    assert_made(
        REQUEST("", "",
                "{\"name\":\"h\",\"unit\":\"s\",\"histogram\":{\"aggregationTemporality\":2,"
                "\"dataPoints\":[{" AT ",\"count\":\"6\",\"sum\":9,"
                "\"bucketCounts\":[\"1\",\"2\",\"3\"],\"explicitBounds\":[1,2.5],"
                "\"exemplars\":[{\"asDouble\":1,\"spanId\":\"0102030405060708\"}]}]}}"),
        "{__name__=\"h_seconds_sum\"} 9 @2000\n"
        "{__name__=\"h_seconds_count\"} 6 @2000\n"
        "{__name__=\"h_seconds_bucket\", le=\"1\"} 1 @2000\n"
        "{__name__=\"h_seconds_bucket\", le=\"2.5\"} 3 @2000\n"
        "{__name__=\"h_seconds_bucket\", le=\"+Inf\"} 6 @2000\n"
        "exemplar {__name__=\"h_seconds_bucket\", le=\"2.5\"} 1 span_id=0102030405060708\n");
}

static void own_bounds(void **state)
{
    convert.conf.convert_classic_histograms_to_nhcb = true;
    assert_made(REQUEST("", "",
                        "{\"name\":\"h\",\"histogram\":{\"aggregationTemporality\":2,"
                        "\"dataPoints\":[{" AT ",\"count\":\"6\",\"sum\":9,"
                        "\"bucketCounts\":[\"1\",\"2\",\"3\"],\"explicitBounds\":[1,2.5]}]}}"),
                "{__name__=\"h\"} schema=-53 count=6 sum=9 zero=0 spans=0+3 deltas=1 1 1 @2000\n");
}

static void exponential_histograms(void **state)
{
    assert_made(
        REQUEST("", "",
                "{\"name\":\"e\",\"exponentialHistogram\":{\"aggregationTemporality\":2,"
                "\"dataPoints\":[{" AT ",\"count\":\"8\",\"sum\":3,\"scale\":1,\"zeroCount\":\"2\","
                "\"positive\":{\"offset\":-1,\"bucketCounts\":[\"1\",\"0\",\"2\",\"0\",\"0\",\"0\","
                "\"0\",\"3\"]}}]}}"),
        "{__name__=\"e\"} schema=1 count=8 sum=3 zero=2 spans=0+3 4+1 deltas=1 -1 2 1 @2000\n");
    assert_made(REQUEST("", "",
                        "{\"name\":\"e\",\"exponentialHistogram\":{\"aggregationTemporality\":2,"
                        "\"dataPoints\":[{" AT ",\"count\":\"6\",\"sum\":3,\"scale\":9,"
                        "\"positive\":{\"offset\":0,\"bucketCounts\":[\"1\",\"2\",\"3\"]}}]}}"),
                "{__name__=\"e\"} schema=8 count=6 sum=3 zero=0 spans=1+2 deltas=3 0 @2000\n");
    assert_made(REQUEST("", "",
                        "{\"name\":\"e\",\"exponentialHistogram\":{\"aggregationTemporality\":2,"
                        "\"dataPoints\":[{" AT ",\"scale\":-5}]}}"),
                "");
    assert_int_equal(convert.dropped.scales, 1);
}

static void summaries(void **state)
{
    assert_made(REQUEST("", "",
                        "{\"name\":\"s\",\"summary\":{\"dataPoints\":[{" AT
                        ",\"count\":\"4\",\"sum\":2,\"quantileValues\":[{\"quantile\":0.5,"
                        "\"value\":1},{\"quantile\":1,\"value\":3}]}]}}"),
                "{__name__=\"s_sum\"} 2 @2000\n"
                "{__name__=\"s_count\"} 4 @2000\n"
                "{__name__=\"s\", quantile=\"0.5\"} 1 @2000\n"
                "{__name__=\"s\", quantile=\"1\"} 3 @2000\n");
}

static void infos(void **state)
{
    convert.conf.include_target_info = convert.conf.include_scope_info = true;
    convert.conf.include_scope_labels = false;
    assert_made(REQUEST(SERVICE, "\"name\":\"lib\",\"attributes\":[" ATTR_JSON("a.b", "c") "]", ""),
                "{__name__=\"target_info\", host_name=\"h\", instance=\"i1\", job=\"eu/shop\"} 1 "
                "@5000\n"
                "{__name__=\"otel_scope_info\", a_b=\"c\", instance=\"i1\", job=\"eu/shop\", "
                "otel_scope_name=\"lib\"} 1 @5000\n");
}

#define ONE_GAUGE(at, more)                                                                        \
    REQUEST(ATTR_JSON("zone", "r"), "",                                                            \
            "{\"name\":\"g\",\"description\":\"help\",\"unit\":\"1\",\"gauge\":{\"dataPoints\":[{" \
            "\"timeUnixNano\":\"" at "\",\"asDouble\":1,"                                          \
            "\"attributes\":[" ATTR_JSON("zone", "p") "]" more "}]}}")

static void resources_win(void **state)
{
    convert.conf.resource_to_telemetry_conversion = convert.conf.honor_metadata = true;
    assert_made(ONE_GAUGE("2000000000", ""), "{__name__=\"g_ratio\", zone=\"r\"} 1 @2000\n"
                                             "meta g_ratio 2 help 1\n");
}

static void older_points_are_left_out(void **state)
{
    assert_made(ONE_GAUGE("2000000000", ""), "{__name__=\"g_ratio\", zone=\"p\"} 1 @2000\n");
    assert_made(ONE_GAUGE("1999000000", ""), "");
    assert_made(ONE_GAUGE("2000000000", ",\"flags\":1"),
                "{__name__=\"g_ratio\", zone=\"p\"} stale @2000\n");
}

static void starts_are_zero(void **state)
{
    static const char json[] =
        REQUEST("", "",
                "{\"name\":\"c\",\"sum\":{\"aggregationTemporality\":2,\"isMonotonic\":true,"
                "\"dataPoints\":[{" AT ",\"startTimeUnixNano\":\"1000000000\",\"asDouble\":4}]}}");

    convert.conf.start_timestamp_zero_ingestion = true;
    assert_made(json, "{__name__=\"c_total\"} 0 @1000\n{__name__=\"c_total\"} 4 @2000\n");
    assert_made(json, "{__name__=\"c_total\"} 4 @2000\n");
}

static void series_are_let_go(void **state)
{
    struct series_stats st;

    assert_made(ONE_GAUGE("2000000000", ""), "{__name__=\"g_ratio\", zone=\"p\"} 1 @2000\n");
    prom_convert_sweep(&convert);
    assert_int_equal(convert.n_gone, 0);
    prom_convert_sweep(&convert);
    assert_int_equal(convert.n_gone, 1);
    prom_convert_begin(&convert, 0);
    series_table_stats(table, &st);
    assert_int_equal(st.series, 0);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(gauges),
        T(counters),
        T(deltas_are_dropped),
        T(histograms),
        T(own_bounds),
        T(exponential_histograms),
        T(summaries),
        T(infos),
        T(resources_win),
        T(older_points_are_left_out),
        T(starts_are_zero),
        T(series_are_let_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
