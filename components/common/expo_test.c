/* What an exporter gathers, as text. */
#include "components/common/expo.h"

#include <errno.h>
#include <math.h>
#include "base/test.h"

static struct expo *e;
static struct buf out;

static int setup(void **state)
{
    (void)state;
    e = expo_new((size_t)1 << 20);
    buf_init(&out, (size_t)1 << 20);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    expo_free(e);
    buf_done(&out);
    return 0;
}

static void test_text(void **state)
{
    (void)state;
    struct expo_family *f = expo_counter(e, "x_seconds_total", "Seconds\\of \"work\"\nin all.");

    expo_add(f, 1e6, EXPO_L("mode", "user"), EXPO_L("cpu", "1"));
    expo_add(f, 2.5, EXPO_L("cpu", "0"), EXPO_L("mode", "a\"b\\c\nd"), EXPO_L("none", ""));
    expo_gauge1(e, "load1", "Load.", 0.25);
    expo_untyped1(e, "odd", "", NAN);
    expo_gauge(e, "empty", "No sample.");
    expo_write(e, EXPO_TEXT, &out);
    assert_buf(&out, "# HELP load1 Load.\n# TYPE load1 gauge\nload1 0.25\n"
                     "# HELP odd \n# TYPE odd untyped\nodd NaN\n"
                     "# HELP x_seconds_total Seconds\\\\of \"work\"\\nin all.\n"
                     "# TYPE x_seconds_total counter\n"
                     "x_seconds_total{cpu=\"0\",mode=\"a\\\"b\\\\c\\nd\",none=\"\"} 2.5\n"
                     "x_seconds_total{cpu=\"1\",mode=\"user\"} 1e+06\n");
    assert_text(expo_faults(e), "");
    assert_int_equal(expo_count(e), 4);
    assert_true(expo_has(e, "load1"));
    assert_false(expo_has(e, "load5"));
}

static void test_openmetrics(void **state)
{
    (void)state;
    struct expo_family *h = expo_family(e, EXPO_HISTOGRAM, "t", "Took.");
    struct expo_label le = EXPO_L("le", "+Inf");

    expo_counter1(e, "a_total", "A \"quoted\" one.", 3);
    expo_counter1(e, "b", "B.", 1e21);
    expo_sample(h, "_bucket", 2, &le, 1);
    expo_sample_at(h, "_sum", INFINITY, 1500, NULL, 0);
    expo_sample(h, "_count", 2, NULL, 0);
    expo_untyped1(e, "u", "U.", 1);
    expo_write(e, EXPO_OPENMETRICS, &out);
    assert_buf(&out, "# HELP a A \\\"quoted\\\" one.\n# TYPE a counter\na_total 3.0\n"
                     "# HELP b B.\n# TYPE b counter\nb_total 1e+21\n"
                     "# HELP t Took.\n# TYPE t histogram\nt_bucket{le=\"+Inf\"} 2.0\n"
                     "t_sum +Inf 1.500\nt_count 2.0\n"
                     "# HELP u U.\n# TYPE u unknown\nu 1.0\n# EOF\n");
}

static void test_faults(void **state)
{
    (void)state;
    expo_gauge1(e, "a", "A.", 1, EXPO_L("x", "1"));
    expo_gauge1(e, "a", "Another.", 2, EXPO_L("x", "1"));
    expo_gauge1(e, "a", "", 3, EXPO_L("x", "2"));
    expo_counter1(e, "a", "A.", 4);
    expo_counter1(e, "a", "A.", 5);
    expo_gauge1(e, "0-bad", "A.", 1);
    expo_write(e, EXPO_TEXT, &out);
    assert_buf(&out, "# HELP a A.\n# TYPE a gauge\na{x=\"1\"} 1\na{x=\"2\"} 3\n");
    assert_text(expo_faults(e), "a has two help texts: the first is kept\n"
                                "a is a gauge, and a counter too: samples of the second type are "
                                "left out\n"
                                "\"0-bad\" is no name of a metric: its samples are left out\n"
                                "a{x=\"1\"} is there twice: one of them is left out\n");
    expo_reset(e);
    assert_text(expo_faults(e), "");
    expo_write(e, EXPO_TEXT, &out);
    assert_int_equal(out.n, 0);
}

static void test_bad_utf8(void **state)
{
    (void)state;
    expo_gauge1(e, "a", "A.", 1, EXPO_LS("x", STR("\xff\xc3\xa9")));
    expo_write(e, EXPO_TEXT, &out);
    assert_buf(&out, "# HELP a A.\n# TYPE a gauge\na{x=\"\xef\xbf\xbd\xc3\xa9\"} 1\n");
}

static void test_limit(void **state)
{
    (void)state;
    struct expo *small = expo_new(40000);
    struct expo_family *f = expo_gauge(small, "a", "A.");

    for (int i = 0; i < 2000; i++) {
        char text[16];

        snprintf(text, sizeof(text), "%d", i);
        expo_add(f, i, EXPO_L("n", text));
    }
    assert_int_equal(expo_err(small), -E2BIG);
    assert_in_range(expo_count(small), 10, 1000);
    assert_true(str_starts(expo_faults(small), STR("the samples take more than 40000 bytes")));
    expo_free(small);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_text, setup, teardown),
        cmocka_unit_test_setup_teardown(test_openmetrics, setup, teardown),
        cmocka_unit_test_setup_teardown(test_faults, setup, teardown),
        cmocka_unit_test_setup_teardown(test_bad_utf8, setup, teardown),
        cmocka_unit_test_setup_teardown(test_limit, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
