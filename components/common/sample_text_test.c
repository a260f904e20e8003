/* Tests of components/common/sample_text.h: both formats, escapes, exemplars. */
#include "components/common/sample_text.h"
#include "base/test.h"

static struct series_table *table;
static struct series_keeper keeper;
static struct sample_builder *builder;

static int setup(void **state)
{
    table = series_table_new();
    series_keeper_init(&keeper, table);
    builder = sample_builder_new(NULL);
    struct series_epoch *e = series_epoch_now(&keeper);
    sample_builder_keep(builder, e);
    series_epoch_unref(e);
    return 0;
}

static int teardown(void **state)
{
    sample_builder_free(builder);
    series_keeper_done(&keeper);
    series_table_free(table);
    return 0;
}

static struct series *series(const char *name, const char *label, const char *value)
{
    const struct label v[] = {{STR("__name__"), str_of(name)}, {str_of(label), str_of(value)}};
    struct series *s = series_intern(table, v, 2);

    series_retire(&keeper, s);
    return s;
}

static void assert_prints(enum sample_text format, const char *want)
{
    struct batch *b = batch_new(SIGNAL_METRICS);
    struct buf out = BUF_INIT(1 << 16);

    assert_int_equal(sample_builder_seal(builder, b), 0);
    sample_text(b->samples, format, &out);
    assert_buf(&out, want);
    buf_done(&out);
    batch_unref(b);
}

static void add(const char *name, const char *label, const char *value, f64 v, i64 time)
{
    assert_int_equal(sample_builder_add(builder, series(name, label, value), time, sample_bits(v)),
                     0);
}

static void plain_text(void **state)
{
    add("up", "job", "a\"b\\c\nd", 1, 1700000000000);
    add("dotted.name", "a.b", "x", 0.5, -1500);
    add("x", "empty", "", 1e9, 0);
    assert_prints(SAMPLE_TEXT, "up{job=\"a\\\"b\\\\c\\nd\"} 1 1700000000000\n"
                               "{\"dotted.name\",\"a.b\"=\"x\"} 0.5 -1500\nx 1e+09 0\n");
}

static void openmetrics(void **state)
{
    const struct metric_meta m = {STR("up"), STR("Is \"it\" up?\n"), STR("s"), TYPE_INFO};
    const struct label own[] = {{STR("trace_id"), STR("t")}};

    assert_int_equal(sample_builder_meta(builder, &m), 0);
    add("up", "job", "a", 1, 1700000000123);
    add("up", "job", "b", 2, -1500);
    const struct exemplar_sample e = {.series = series("up", "job", "b"),
                                      .time = 2,
                                      .has_time = true,
                                      .value = 3,
                                      .labels = own,
                                      .n_labels = 1};
    assert_int_equal(sample_builder_exemplar(builder, &e), 0);
    assert_prints(SAMPLE_OPENMETRICS,
                  "# HELP up Is \\\"it\\\" up?\\n\n# TYPE up info\n# UNIT up s\n"
                  "up{job=\"a\"} 1 1700000000.123\n"
                  "up{job=\"b\"} 2 -1.500 # {trace_id=\"t\"} 3 0.002\n# EOF\n");
}

static void types_of_text(void **state)
{
    const struct metric_meta m[] = {{STR("a"), STR("h\\i"), STR("s"), TYPE_INFO},
                                    {STR("b"), {NULL, 0}, {NULL, 0}, TYPE_COUNTER}};

    for (size_t i = 0; i < ARRAY_LEN(m); i++)
        assert_int_equal(sample_builder_meta(builder, &m[i]), 0);
    assert_prints(SAMPLE_TEXT, "# HELP a h\\\\i\n# TYPE a untyped\n# TYPE b counter\n");
}

static void native_histograms(void **state)
{
    const struct histogram h = {.is_float = true, .count.f = 2.5, .sum = 7};
    const struct histogram_sample s = {.series = series("h", "a", "b"), .time = 5, .h = &h};

    assert_int_equal(sample_builder_histogram(builder, &s), 0);
    assert_prints(SAMPLE_TEXT, "h_count{a=\"b\"} 2.5 5\nh_sum{a=\"b\"} 7 5\n");
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {T(plain_text), T(openmetrics), T(types_of_text),
                                       T(native_histograms)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
