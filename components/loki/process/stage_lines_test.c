/* Stages that read container formats and put lines together, and metrics. */
#include "components/loki/process/testing.h"

#define EXTRACT(re) "stage.regex { expression = `" re "` }\n"

struct table {
    const char *stages, *in, *out;
};

static void run_table(const struct table *t, size_t n)
{
    for (size_t i = 0; i < n; i++)
        process_case(t[i].stages, t[i].in, t[i].out);
}

/* --- docker --- */

static void test_docker(void **state)
{
    static const struct table t[] = {
        {"stage.docker { }",
         "{} {\"log\":\"hi\\\\n\",\"stream\":\"stderr\",\"time\":\"1970-01-01T00:00:01.5Z\"}",
         "{stream=\"stderr\"} @1500000000 hi\\n\n"},
        {"stage.docker { }", "{} {\"LOG\":\"hi\",\"x\":[1,{}],\"time\":null}",
         "{stream=\"\"} hi\n"},
        {"stage.docker { }\nstage.labels { values = { output = \"\", timestamp = \"\" } }",
         "{} {\"log\":\"l\",\"stream\":\"s\",\"time\":\"bad\"}",
         "{output=\"l\", stream=\"s\", timestamp=\"bad\"} l\n"},
        {"stage.docker { }",
         "no json\n{} {\"log\":\"\"}\n{} {\"log\":1}\n{} {\"log\":\"a\"} x\n{} {\"log\":\"a\"",
         "{} no json\n{} {\"log\":\"\"}\n{} {\"log\":1}\n{} {\"log\":\"a\"} x\n{} "
         "{\"log\":\"a\"\n"},
    };
    run_table(t, ARRAY_LEN(t));
}

/* --- cri --- */

#define AT "1970-01-01T00:16:40Z "

static void test_cri(void **state)
{
    static const struct table t[] = {
        {"stage.cri { }", "1970-01-01T00:00:01.000000002Z stdout F hello  world",
         "{stream=\"stdout\"} @1000000002 hello  world\n"},
        {"stage.cri { }", AT "stderr F \n" AT "stdout no flag\n" AT "stdout Failed\n" AT "stdout F",
         "{stream=\"stderr\"} \n{stream=\"stdout\"} no flag\n{stream=\"stdout\"} Failed\n"
         "{stream=\"stdout\"} \n"},
        {"stage.cri { }", "what stdout F x\n" AT "stdin F x\n" AT " stdout F x\nx\n",
         "{stream=\"stdout\"} x\n{} " AT "stdin F x\n{} " AT " stdout F x\n{} x\n"},
        {"stage.cri { }\nstage.labels { values = { flags = \"\", content = \"\", time = \"\" } }",
         AT "stdout P a\n" AT "stdout F b",
         "{content=\"b\", flags=\"F\", stream=\"stdout\", time=\"1970-01-01T00:16:40Z\"} ab\n"},
        {"stage.cri { }",
         AT "stdout P one \n" AT "stderr P two \n{a=\"b\"} " AT "stdout F x\n!batch\n" AT
            "stdout P and \n1970-01-01T00:16:41Z stdout F end\n" AT "stderr F done",
         "{a=\"b\", stream=\"stdout\"} x\n{stream=\"stdout\"} @1001000000000 one and end\n"
         "{stream=\"stderr\"} two done\n"},
    };
    run_table(t, ARRAY_LEN(t));
}

static void test_cri_bounds(void **state)
{
    process_case_counted("stage.cri { max_partial_lines = 2 }",
                         "{a=\"1\"} " AT "stdout P 1\n{a=\"2\"} " AT "stdout P 2\n{a=\"3\"} " AT
                         "stdout P 3\n{a=\"3\"} " AT "stdout F .",
                         "{a=\"1\", stream=\"stdout\"} 1\n{a=\"2\", stream=\"stdout\"} 2\n"
                         "{a=\"3\", stream=\"stdout\"} 3.\n",
                         "loki_process_cri_partial_lines_flushed_total 2");
    process_case_counted("stage.cri {\n max_partial_line_size = 4\n "
                         "max_partial_line_size_truncate = true\n}",
                         AT "stdout F 12345\n" AT "stdout P 123\n" AT "stdout P 456\n" AT
                            "stdout F 789\n" AT "stdout F 1234",
                         "{stream=\"stdout\"} 12345\n{stream=\"stdout\"} 1234\n"
                         "{stream=\"stdout\"} 1234\n",
                         "loki_process_cri_lines_truncated_total 1");
    process_fault("stage.cri { max_partial_lines = 0 }",
                  "max_partial_lines must be greater than 0");
}

/* What never ends is sent after a minute, or when the pipeline stops. */
static void test_cri_unfinished(void **state)
{
    process_case("stage.cri { }", AT "stdout P a\n!wait 30s\n!wait 45s\n!wait 15s",
                 "{stream=\"stdout\"} a\n");
    process_case("stage.cri { }", AT "stdout P a\n!flush", "{stream=\"stdout\"} a\n");
}

/* The parts' acks wait for the line. */
static void test_cri_acks(void **state)
{
    struct process w;

    process_up(&w, "stage.cri { }");
    process_in(&w, AT "stdout P a");
    loop_turn(w.loop, 0);
    assert_int_equal(w.pending, 1);
    process_in(&w, AT "stdout F b");
    loop_turn(w.loop, 0);
    assert_int_equal(w.pending, 2);
    process_expect(&w, "{stream=\"stdout\"} ab\n");
    assert_int_equal(w.pending, 0);
    process_down(&w);
}

/* When sources are about to stop, what is held goes on as soon as nothing came for a moment. */
static void test_hurry(void **state)
{
    struct process w;

    process_up(&w, "stage.cri { }");
    loki_process.hurry(&w.shard);
    process_in(&w, AT "stdout P a");
    process_advance(&w, 90 * NS_PER_MS);
    process_in(&w, AT "stdout P b");
    process_advance(&w, 90 * NS_PER_MS);
    process_expect(&w, "");
    process_in(&w, AT "stdout F c\n" AT "stdout P d");
    process_expect(&w, "{stream=\"stdout\"} abc\n");
    process_advance(&w, 100 * NS_PER_MS);
    process_expect(&w, "{stream=\"stdout\"} d\n");
    assert_int_equal(w.pending, 0);
    loki_process.stop(&w.shard);
    process_advance(&w, NS_PER_SEC);
    process_down(&w);
}

/* --- multiline --- */

#define LINES "stage.multiline { firstline = `^\\[` }\n"

static void test_multiline(void **state)
{
    static const struct table t[] = {
        {LINES, "before\n[1] a\n  b\n  c\n[2] d\n!flush",
         "{} before\n{} [1] a\\n  b\\n  c\n{} [2] d\n"},
        {LINES, "{s=\"1\"} [1] a\n{s=\"2\"} [2] b\n{s=\"1\"} c\n{s=\"2\"} d\n!flush",
         "{s=\"1\"} [1] a\\nc\n{s=\"2\"} [2] b\\nd\n"},
        {LINES, "@5 <k=v> [1] a\n@6 <k=w> b\n!wait 2s\n@7 c\n!wait 3s\nd",
         "{} @5 <k=v> [1] a\\nb\\nc\n{} d\n"},
        {LINES, "[1] a\\r\nb\\n\n!flush", "{} [1] a\\nb\n"},
        {"stage.multiline { firstline = `^$` }", "\na\n\n\nb\n!flush", "{} a\n{} \n{} b\n"},
        {"stage.multiline {\n firstline = `^\\[`\n trim_newlines = false\n}",
         "[1] a\\r\nb\\n\n!flush", "{} [1] a\\r\\nb\\n\n"},
        {"stage.multiline {\n firstline = `^\\[`\n max_lines = 2\n}",
         "@5 [1] a\n@6 b\n@7 c\n@8 d\n@9 e\n!flush", "{} @5 [1] a\\nb\n{} @5 c\\nd\n{} @5 e\n"},
        {"stage.multiline {\n firstline = `^\\[`\n max_lines = 1\n}", "@5 [1] a\n@6 b\n!flush",
         "{} @5 [1] a\n{} @5 b\n"},
        /* extracted values are the first line's; what follows sees the block */
        {EXTRACT("(?P<n>\\d)") LINES "stage.labels { values = { n = \"\" } }\nstage.regex {\n "
                                     "expression = \"(?s)(?P<all>.*)\"\n labels_from_groups = "
                                     "true\n}",
         "[1] a\nb 2\n!flush", "{all=\"[1] a\\nb 2\", n=\"1\"} [1] a\\nb 2\n"},
    };
    run_table(t, ARRAY_LEN(t));
    process_fault("stage.multiline { firstline = \"\" }",
                  "multiline stage config must define `firstline` regular expression");
    process_fault("stage.multiline {\n firstline = \"a\"\n max_wait_time = \"0s\"\n}",
                  "max_wait_time must be greater than 0");
    process_fault("stage.multiline { firstline = \"(\" }",
                  "multiline stage first line regex compilation error: error parsing regexp: "
                  "missing closing ): `(`");
}

static void test_multiline_acks(void **state)
{
    struct process w;

    process_up(&w, LINES);
    process_in(&w, "[1] a");
    process_in(&w, "b");
    process_in(&w, "{other=\"1\"} x");
    process_expect(&w, "{other=\"1\"} x\n");
    assert_int_equal(w.pending, 2);
    process_in(&w, "[2] c");
    process_expect(&w, "{} [1] a\\nb\n");
    assert_int_equal(w.pending, 1);
    process_apply(&w, ""); /* other stages: what is held comes out first */
    process_expect(&w, "{} [2] c\n");
    assert_int_equal(w.pending, 0);
    process_down(&w);
}

/* A client that pushed is not kept waiting until the block is whole: it would push again. */
static void test_held_is_accepted(void **state)
{
    struct process w;

    process_up(&w, "stage.cri { }\n" LINES);
    w.receiver = true;
    process_in(&w, "[1] a");
    loop_turn(w.loop, 0);
    assert_int_equal(w.pending, 0);
    process_in(&w, "[1] b\n{other=\"1\"} passes\n" AT "stdout P c");
    loop_turn(w.loop, 0);
    assert_int_equal(w.pending, 1); /* until the next component has what was not held */
    process_expect(&w, "{} [1] a\n{other=\"1\"} passes\n");
    assert_int_equal(w.pending, 0);
    assert_int_equal(w.worst, ACK_OK);
    process_down(&w);
}

static void test_multiline_kept(void **state)
{
    struct process w;

    process_up(&w, LINES);
    process_in(&w, "[1] a");
    process_apply(&w, LINES);
    process_in(&w, "b");
    process_advance(&w, 4 * NS_PER_SEC);
    process_expect(&w, "{} [1] a\\nb\n");
    process_down(&w);
}

/* No room behind: what a timer sends waits, and in order. */
static void test_multiline_no_room(void **state)
{
    struct process w;

    process_up(&w, LINES);
    process_in(&w, "[1] a");
    the_fanout->full = true;
    process_advance(&w, 4 * NS_PER_SEC);
    process_open(&w);
    process_expect(&w, "{} [1] a\n");
    assert_int_equal(w.pending, 0);
    process_down(&w);
}

static void test_held_given_up(void **state)
{
    struct process w;

    process_up(&w, LINES);
    process_in(&w, "[1] a");
    process_down(&w);
    assert_int_equal(w.worst, ACK_ABANDONED);
}

static void test_two_multilines(void **state)
{
    process_case("stage.cri { }\n" LINES,
                 AT "stdout P [1] \n" AT "stdout F a\n" AT "stdout F b\n" AT "stdout F [2]\n!flush",
                 "{stream=\"stdout\"} [1] a\\nb\n{stream=\"stdout\"} [2]\n");
    process_case(LINES "stage.limit {\n rate = 1\n burst = 1\n}",
                 "[1] a\n[2] b\n!wait 1s\n!wait 1s\n!flush\n!wait 1s\n!wait 1s",
                 "{} [1] a\n{} [2] b\n");
}

/* --- metrics --- */

#define METRICS(body) "stage.metrics {\n" body "\n}"

static void test_metrics(void **state)
{
    process_case_counted(METRICS("metric.counter {\n name = \"n\"\n match_all = true\n action = "
                                 "\"inc\"\n}"),
                         "{a=\"1\", __b=\"2\"} x\n{a=\"1\", __b=\"2\"} y",
                         "{__b=\"2\", a=\"1\"} x\n{__b=\"2\", a=\"1\"} y\n",
                         "loki_process_custom_n{a=\"1\"} 2");
    process_case_counted(METRICS("metric.counter {\n name = \"n\"\n match_all = true\n "
                                 "count_entry_bytes = true\n action = \"add\"\n prefix = \"p_\"\n "
                                 "description = \"d\"\n}"),
                         "abc\nde", "{} abc\n{} de\n", "p_n 5");
    process_case_counted(EXTRACT("^(?P<v>\\S*)")
                             METRICS("metric.counter {\n name = \"n\"\n source = \"v\"\n action = "
                                     "\"add\"\n}"),
                         "1.5\n1m\nx\n-3\n0x10", "{} 1.5\n{} 1m\n{} x\n{} -3\n{} 0x10\n",
                         "loki_process_custom_n 61.5");
    process_case_counted(EXTRACT("^(?P<v>\\S*)")
                             METRICS("metric.counter {\n name = \"v\"\n value = \"a\"\n action = "
                                     "\"inc\"\n}"),
                         "a\nb\na", "{} a\n{} b\n{} a\n", "loki_process_custom_v 2");
    process_case_counted(EXTRACT("^(?P<v>\\S*)")
                             METRICS("metric.gauge {\n name = \"v\"\n action = \"sub\"\n}"),
                         "1\n2.5", "{} 1\n{} 2.5\n", "loki_process_custom_v -3.5");
    process_case_counted(
        EXTRACT("^(?P<v>\\S*)") METRICS("metric.histogram {\n name = \"v\"\n buckets = [1, 2]\n}"),
        "0.5\n1.5\n9", "{} 0.5\n{} 1.5\n{} 9\n", "loki_process_custom_v_bucket{le=\"2\"} 2");
}

/* Labels become names that Prometheus knows, each once; those of the component stay its own. */
static void test_metrics_labels(void **state)
{
    process_case_counted(METRICS("metric.counter {\n name = \"n\"\n match_all = true\n action = "
                                 "\"inc\"\n}"),
                         "{a.b=\"1\", a_b=\"2\", component_id=\"mine\"} x",
                         "{a.b=\"1\", a_b=\"2\", component_id=\"mine\"} x\n",
                         "loki_process_custom_n{a_b=\"1\"} 1");
}

static void test_metrics_idle(void **state)
{
    struct process w;
    struct buf b = BUF_INIT(1 << 20);

    process_up(&w, METRICS("metric.counter {\n name = \"n\"\n match_all = true\n action = "
                           "\"inc\"\n max_idle_duration = \"10s\"\n}"));
    process_in(&w, "x");
    process_expect_metric(&w, "loki_process_custom_n 1");
    for (int i = 0; i < 6; i++)
        process_advance(&w, 3 * NS_PER_SEC);
    metrics_write(w.host.metrics, &b, NULL, 0);
    assert_true(str_find(buf_view(&b), STR("loki_process_custom_n 1")) < 0);
    process_expect(&w, "{} x\n");
    buf_done(&b);
    process_down(&w);
}

static void test_metrics_faults(void **state)
{
    process_fault(METRICS("metric.counter {\n name = \"a b\"\n action = \"inc\"\n}"),
                  "\"loki_process_custom_a b\" is not a valid metric name");
    process_fault(METRICS("metric.histogram {\n name = \"a\"\n buckets = [2, 1]\n}"),
                  "the buckets of a histogram must rise");
    process_fault(METRICS("metric.counter {\n name = \"a\"\n action = \"inc\"\n match_all = "
                          "true\n count_entry_bytes = true\n}"),
                  "`count_entry_bytes: true` can only be set with `match_all: true` and "
                  "`action: add`");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_docker),
        cmocka_unit_test(test_cri),
        cmocka_unit_test(test_cri_bounds),
        cmocka_unit_test(test_cri_unfinished),
        cmocka_unit_test(test_cri_acks),
        cmocka_unit_test(test_hurry),
        cmocka_unit_test(test_multiline),
        cmocka_unit_test(test_multiline_acks),
        cmocka_unit_test(test_held_is_accepted),
        cmocka_unit_test(test_multiline_kept),
        cmocka_unit_test(test_multiline_no_room),
        cmocka_unit_test(test_held_given_up),
        cmocka_unit_test(test_two_multilines),
        cmocka_unit_test(test_metrics),
        cmocka_unit_test(test_metrics_labels),
        cmocka_unit_test(test_metrics_idle),
        cmocka_unit_test(test_metrics_faults),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
