/* Tests of components/common/prom_names.h: the rules of spec pipelines D.9. */
#include "components/common/prom_names.h"
#include "base/test.h"

static void assert_name(const char *name, const char *unit, enum prom_kind kind, const char *want)
{
    struct buf b = BUF_INIT(4096);

    prom_metric_name(&b, str_of(name), str_of(unit), kind);
    assert_text(buf_view(&b), want);
    buf_done(&b);
}

static void units(void **state)
{
    assert_name("http.server.duration", "ms", PROM_OTHER, "http_server_duration_milliseconds");
    assert_name("http.server.duration.milliseconds", "ms", PROM_OTHER,
                "http_server_duration_milliseconds");
    assert_name("net.io", "By/s", PROM_GAUGE, "net_io_bytes_per_second");
    assert_name("a", "{requests}/s", PROM_OTHER, "a_per_second");
    assert_name("a", "{x}", PROM_OTHER, "a");
    assert_name("a", "widgets.made", PROM_OTHER, "a_widgets_made");
    assert_name("a", " s ", PROM_OTHER, "a_seconds");
    assert_name("a.second", "By/s", PROM_OTHER, "a_second_bytes");
    assert_name("a", "/", PROM_OTHER, "a");
}

static void kinds(void **state)
{
    assert_name("requests", "1", PROM_COUNTER, "requests_total");
    assert_name("total.requests", "", PROM_COUNTER, "requests_total");
    assert_name("requests_total", "s", PROM_COUNTER, "requests_seconds_total");
    assert_name("load", "1", PROM_GAUGE, "load_ratio");
    assert_name("load.ratio.x", "1", PROM_GAUGE, "load_x_ratio");
    assert_name("load", "%", PROM_GAUGE, "load_percent");
    assert_name("3rd", "", PROM_OTHER, "_3rd");
    assert_name("\xc3\xa4.b--c", "", PROM_OTHER, "\xc3\xa4_b_c");
    assert_name("", "", PROM_COUNTER, "total");
}

static void many_words(void **state)
{
    struct buf name = BUF_INIT(4096), out = BUF_INIT(8192);

    for (int i = 0; i < 1000; i++)
        buf_cstr(&name, "a.");
    prom_metric_name(&out, buf_view(&name), STR("By/s"), PROM_COUNTER);
    assert_true(str_ends(buf_view(&out), STR("_bytes_per_second_total")));
    buf_done(&name);
    buf_done(&out);
}

static void plain_names(void **state)
{
    static const char *const cases[][2] = {
        {"http.server.duration", "http_server_duration"},
        {"..a--b:c_", "a_b:c_"},
        {"a.", "a"},
        {"1a", "_1a"},
        {"", ""},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf b = BUF_INIT(100);
        prom_metric_name_plain(&b, str_of(cases[i][0]));
        assert_text(buf_view(&b), cases[i][1]);
        buf_done(&b);
    }
}

static void labels(void **state)
{
    static const char *const cases[][2] = {
        {"service.name", "service_name"},
        {"a..b", "a__b"},
        {"1st", "key_1st"},
        {"_x", "key_x"},
        {".x", "key_x"},
        {"._x", "__x"},
        {"__x", "__x"},
        {"_", "key_"},
        {"", ""},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf b = BUF_INIT(100);
        prom_label_name(&b, str_of(cases[i][0]));
        assert_text(buf_view(&b), cases[i][1]);
        buf_done(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(units),       cmocka_unit_test(kinds),  cmocka_unit_test(many_words),
        cmocka_unit_test(plain_names), cmocka_unit_test(labels),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
