/* Tests of the conversion from series to OTLP: what samples with and without metadata become, read
 * as OTLP/JSON. */
#include "components/otelcol/receiver_prometheus.h"
#include "base/json.h"
#include "telemetry/testing.h"

static struct series_table *table;
static struct sample_builder *builder;
static struct otel_gather gather;
static VEC(struct series *) made;

static int setup(void **state)
{
    table = series_table_new();
    builder = sample_builder_new(NULL);
    otel_gather_init(&gather);
    return 0;
}

static int teardown(void **state)
{
    otel_gather_done(&gather);
    sample_builder_free(builder);
    vec_each (&made, s)
        series_unref(table, *s);
    vec_done(&made);
    series_table_free(table);
    return 0;
}

/* A series of job j and instance h:1; more: name and value, or NULL. */
static struct series *series(const char *name, const char *label, const char *value)
{
    struct label v[4] = {{STR("__name__"), str_of(name)},
                         {STR("instance"), STR("h:1")},
                         {STR("job"), STR("j")},
                         {str_of(label), str_of(value)}};
    struct series *s = series_intern(table, v, label ? 4 : 3);

    vec_push(&made, s);
    return s;
}

static void add(const char *name, const char *label, const char *value, f64 v)
{
    assert_int_equal(sample_builder_add(builder, series(name, label, value), 2000, sample_bits(v)),
                     0);
}

static void meta(const char *family, enum metric_type type)
{
    struct metric_meta m = {str_of(family), STR("about"), STR(""), type};

    assert_int_equal(sample_builder_meta(builder, &m), 0);
}

/* The metrics of the one scope as JSON. */
static void assert_metrics(const char *want)
{
    struct batch *batch = batch_new(SIGNAL_METRICS);
    struct buf bytes = BUF_INIT(1 << 20), json = BUF_INIT(1 << 20);
    struct otel_origin origin = {STR("o"), STR("1")};

    assert_int_equal(sample_builder_seal(builder, batch), 0);
    otel_gather_samples(&gather, batch->samples);
    assert_int_equal(otel_gather_write(&gather, &origin, &bytes), 0);
    struct batch *out = batch_new(SIGNAL_METRICS);
    struct blob *root = blob_take_buf(&bytes, NULL);
    batch_add_slice(out, root, root->p, root->n, gather.n_points);
    blob_unref(root);
    assert_int_equal(otlp_to_json(out, &json), 0);
    ssize_t at = str_find(buf_view(&json), STR("\"metrics\":"));
    assert_true(at >= 0);
    struct str got = str_sub(buf_view(&json), (size_t)at + 10, json.n);
    if (!str_starts(got, str_of(want))) assert_text(got, want);
    buf_done(&json);
    batch_unref(out);
    batch_unref(batch);
}

#define POINT "\"timeUnixNano\":\"2000000000\""
#define TYPED(t)                                                                                   \
    "\"metadata\":[{\"key\":\"prometheus.type\",\"value\":{\"stringValue\":\"" t "\"}}]"

static void unknown_is_a_gauge(void **state)
{
    add("a_total", "x", "y", 3);
    assert_metrics("[{\"name\":\"a_total\",\"gauge\":{\"dataPoints\":[{\"attributes\":[{\"key\":"
                   "\"x\",\"value\":{\"stringValue\":\"y\"}}]," POINT
                   ",\"asDouble\":3}]}," TYPED("unknown") "}]");
}

static void counters(void **state)
{
    meta("a", TYPE_COUNTER);
    add("a_total", NULL, NULL, 3);
    assert_metrics(
        "[{\"name\":\"a_total\",\"description\":\"about\",\"sum\":{\"dataPoints\":[{" POINT
        ",\"asDouble\":3}],\"aggregationTemporality\":2,\"isMonotonic\":true}," TYPED(
            "counter") "}]");
}

static void histograms(void **state)
{
    meta("h", TYPE_HISTOGRAM);
    add("h_bucket", "le", "1.0", 1);
    add("h_bucket", "le", "+Inf", 4);
    add("h_bucket", "le", "0.5", 1);
    add("h_count", NULL, NULL, 4);
    add("h_sum", NULL, NULL, 9);
    add("h_created", NULL, NULL, 1);
    assert_metrics(
        "[{\"name\":\"h\",\"description\":\"about\",\"histogram\":{\"dataPoints\":[{"
        "\"startTimeUnixNano\":\"1000000000\"," POINT
        ",\"count\":\"4\",\"sum\":9,\"bucketCounts\":[\"1\",\"0\",\"3\"],"
        "\"explicitBounds\":[0.5,1]}],\"aggregationTemporality\":2}," TYPED("histogram") "}]");
}

static void summaries(void **state)
{
    meta("s", TYPE_SUMMARY);
    add("s", "quantile", "0.5", 1);
    add("s_count", NULL, NULL, 4);
    add("s_sum", NULL, NULL, 9);
    assert_metrics("[{\"name\":\"s\",\"description\":\"about\",\"summary\":{\"dataPoints\":[{" POINT
                   ",\"count\":\"4\",\"sum\":9,\"quantileValues\":[{\"quantile\":0.5,\"value\":1}]"
                   "}]}," TYPED("summary") "}]");
}

static void stale_has_no_value(void **state)
{
    assert_int_equal(sample_builder_add(builder, series("g", NULL, NULL), 2000, SAMPLE_STALE_BITS),
                     0);
    assert_metrics("[{\"name\":\"g\",\"gauge\":{\"dataPoints\":[{" POINT
                   ",\"asDouble\":0,\"flags\":1}]}," TYPED("unknown") "}]");
}

static void native_histograms(void **state)
{
    struct histogram_span spans[] = {{1, 2}, {1, 1}};
    i64 deltas[] = {2, 1, -1};
    struct histogram h = {.schema = -1,
                          .sum = 5,
                          .count.i = 7,
                          .n_pos_spans = 2,
                          .pos_spans = spans,
                          .n_pos = 3,
                          .pos_deltas = deltas};

    assert_int_equal(sample_builder_histogram(
                         builder, &(struct histogram_sample){.series = series("n", NULL, NULL),
                                                             .time = 2000,
                                                             .start = 1000,
                                                             .h = &h}),
                     0);
    assert_metrics("[{\"name\":\"n\",\"exponentialHistogram\":{\"dataPoints\":[{"
                   "\"startTimeUnixNano\":\"1000000000\"," POINT ",\"count\":\"7\",\"sum\":5,"
                   "\"scale\":-1,\"positive\":{\"bucketCounts\":[\"2\",\"3\",\"0\",\"2\"]},"
                   "\"negative\":{}}],\"aggregationTemporality\":2}," TYPED("histogram") "}]");
}

static void without_a_job(void **state)
{
    struct label v[] = {{STR("__name__"), STR("a")}};
    struct batch *batch = batch_new(SIGNAL_METRICS);
    struct series *s = series_intern(table, v, 1);

    vec_push(&made, s);
    assert_int_equal(sample_builder_add(builder, s, 1, 1), 0);
    assert_int_equal(sample_builder_seal(builder, batch), 0);
    otel_gather_samples(&gather, batch->samples);
    assert_int_equal(gather.n_points, 0);
    assert_int_equal(gather.no_job, 1);
    batch_unref(batch);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(unknown_is_a_gauge), T(counters),          T(histograms),    T(summaries),
        T(stale_has_no_value), T(native_histograms), T(without_a_job),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
