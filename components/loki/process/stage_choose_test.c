/* Stages that let entries go: drop, limit, match with its selectors. */
#include "components/loki/process/selector.h"
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

/* --- drop --- */

static void test_drop(void **state)
{
    static const struct table t[] = {
        {"stage.drop { longer_than = \"3B\" }", "abcd\nabc", "{} abc\n"},
        {"stage.drop { older_than = \"1m\" }", "@939000000000 old\n@940000000000 edge\nnew",
         "{} @940000000000 edge\n{} new\n"},
        {"stage.drop { expression = \"b+\" }", "abc\nac", "{} ac\n"},
        {"stage.drop { source = \"a\" }", "{a=\"\"} x\ny", "{} y\n"},
        {"stage.drop { source = \"a, b\" }", "{a=\"1\"} x\n{a=\"1\", b=\"2\"} y", "{a=\"1\"} x\n"},
        {"stage.drop {\n source = \"a\"\n value = \"1\"\n}", "{a=\"1\"} x\n{a=\"11\"} y\nz",
         "{a=\"11\"} y\n{} z\n"},
        {"stage.drop {\n source = \"a,b\"\n separator = \"#\"\n expression = \"^1#2$\"\n}",
         "{a=\"1\", b=\"2\"} x\n{a=\"1\"} y", "{a=\"1\"} y\n"},
        {"stage.drop {\n source = \"a\"\n expression = \"^$\"\n}", "x\n{a=\"1\"} y",
         "{a=\"1\"} y\n"}, /* a missing value is an empty one here */
        {"stage.drop {\n longer_than = \"2B\"\n expression = \"a\"\n}", "abc\nab\nbbb",
         "{} ab\n{} bbb\n"},
    };
    run_table(t, ARRAY_LEN(t));
    process_case_counted("stage.drop {\n expression = \"x\"\n drop_counter_reason = \"mine\"\n}",
                         "x\ny\nx", "{} y\n",
                         "loki_process_dropped_lines_total{reason=\"mine\"} 2");
}

static void test_drop_faults(void **state)
{
    process_fault("stage.drop { }", "drop stage config must contain at least one of `source`, "
                                    "`expression`, `older_than` or `longer_than`");
    process_fault("stage.drop {\n source = \"a\"\n value = \"b\"\n expression = \"c\"\n}",
                  "drop stage config error, `value` and `expression` cannot both be defined at "
                  "the same time");
    process_fault("stage.drop { value = \"b\" }",
                  "drop stage config must contain `source` if `value` is specified");
}

/* --- limit --- */

static void test_limit_drop(void **state)
{
    process_case_counted("stage.limit {\n rate = 2\n burst = 3\n drop = true\n}",
                         "1\n2\n3\n4\n!wait 500ms\n5\n6\n!wait 10s\n7\n8\n9\n10",
                         "{} 1\n{} 2\n{} 3\n{} 5\n{} 7\n{} 8\n{} 9\n",
                         "loki_process_dropped_lines_total{reason=\"ratelimit_drop_stage\"} 3");
}

static void test_limit_by_label(void **state)
{
    process_case_counted(
        "stage.limit {\n rate = 1\n burst = 1\n drop = true\n by_label_name = \"a\"\n}",
        "{a=\"1\"} 1\n{a=\"1\"} 2\n{a=\"2\"} 3\n4\n5", "{a=\"1\"} 1\n{a=\"2\"} 3\n{} 4\n{} 5\n",
        "loki_process_dropped_lines_by_label_total{label_name=\"a\",label_value=\"1\"} 1");
}

/* Without drop the source is held back; nothing is lost, and order holds. */
static void test_limit_waits(void **state)
{
    struct process w;

    process_up(&w, "stage.limit {\n rate = 10\n burst = 2\n}\nstage.static_labels { values = { l "
                   "= \"1\" } }");
    process_in(&w, "1\n2\n3\n4\n5");
    process_expect(&w, "{l=\"1\"} 1\n{l=\"1\"} 2\n");
    struct log_builder *b = log_builder_new(&w.budget);
    process_add(&w, b, STR("6"));
    assert_int_equal(process_push(&w, b), PUSH_FULL);
    log_builder_free(b);
    process_advance(&w, 100 * NS_PER_MS + NS_PER_MS);
    process_expect(&w, "{l=\"1\"} 3\n");
    for (int i = 0; i < 5; i++)
        process_advance(&w, 101 * NS_PER_MS);
    process_expect(&w, "{l=\"1\"} 4\n{l=\"1\"} 5\n");
    assert_true(w.ready > 0);
    assert_int_equal(w.pending, 0);
    process_down(&w);
}

static void test_limit_replaced(void **state)
{
    struct process w;

    process_up(&w, "stage.limit {\n rate = 1\n burst = 1\n}");
    process_in(&w, "1\n2\n3");
    process_apply(&w,
                  "stage.limit {\n rate = 1\n burst = 1\n}"); /* the same: the bucket is empty */
    process_expect(&w, "{} 1\n");
    process_apply(&w, "");
    process_expect(&w, "{} 2\n{} 3\n");
    process_down(&w);
}

static void test_limit_faults(void **state)
{
    process_fault("stage.limit {\n rate = 0\n burst = 1\n}",
                  "limit stage failed to parse rate or burst");
    process_fault("stage.limit {\n rate = 1\n burst = 1\n by_label_name = \"a\"\n}",
                  "when ratelimiting by label, drop must be true");
}

/* --- match --- */

static void test_match(void **state)
{
    static const struct table t[] = {
        {"stage.match {\n selector = `{a=\"1\"}`\n stage.static_labels { values = { m = \"y\" } "
         "}\n}\nstage.static_labels { values = { n = \"z\" } }",
         "{a=\"1\"} x\n{a=\"2\"} y", "{a=\"1\", m=\"y\", n=\"z\"} x\n{a=\"2\", n=\"z\"} y\n"},
        {"stage.match {\n selector = `{a=~\"1|2\"} |= \"err\" != \"not\"`\n action = \"drop\"\n}",
         "{a=\"1\"} err\n{a=\"2\"} err not\n{a=\"12\"} err", "{a=\"2\"} err not\n{a=\"12\"} err\n"},
        /* nested, and labels extracted again */
        {"stage.match {\n selector = `{a=\"1\"}`\n stage.static_labels { values = { b = \"2\" } "
         "}\n stage.match {\n selector = `{b=\"2\"}`\n stage.labels { values = { c = \"b\" } }\n "
         "}\n}",
         "{a=\"1\"} x", "{a=\"1\", b=\"2\", c=\"2\"} x\n"},
    };
    run_table(t, ARRAY_LEN(t));
    process_case_counted("stage.match {\n selector = `{a!=\"\"}`\n action = \"drop\"\n}",
                         "{a=\"1\"} x\ny", "{} y\n",
                         "loki_process_dropped_lines_total{reason=\"match_stage\"} 1");
}

static void test_match_faults(void **state)
{
    process_fault("stage.match { selector = \"\" }", "selector statement required for match stage");
    process_fault("stage.match { selector = `{a=\"1\"}` }",
                  "match stage requires at least one additional stage to be defined in '- stages'");
    process_fault("stage.match {\n selector = `{a=\"1\"}`\n action = \"x\"\n}",
                  "match stage action should be 'keep' or 'drop'");
    process_fault("stage.match {\n selector = `{a=\"1\"}`\n action = \"drop\"\n stage.decolorize "
                  "{ }\n}",
                  "match stage configured to drop entries cannot contains stages");
    process_fault("stage.match {\n selector = `{a=1}`\n action = \"drop\"\n}",
                  "invalid selector syntax for match stage: parse error at line 1, col 4: syntax "
                  "error: unexpected character '1', expecting STRING");
    process_fault("stage.match {\n selector = `{a=\"1\"}`\n stage.output { source = \"\" }\n}",
                  "output source value is required if output is specified");
}

static void test_selector_faults(void **state)
{
    static const struct {
        const char *text, *error;
    } t[] = {
        {"", "line 1, col 1: syntax error: unexpected $end, expecting {"},
        {"{}", "line 1, col 2: syntax error: unexpected }, expecting IDENTIFIER"},
        {"{a=\"1\",}", "line 1, col 8: syntax error: unexpected }, expecting IDENTIFIER"},
        {"{a=`1`}", "line 1, col 4: syntax error: unexpected character '`', expecting STRING"},
        {"{a\n=\n~}", "line 3, col 1: syntax error: unexpected character '~', expecting STRING"},
        {"{a=\"1\"} |= ", "line 1, col 12: syntax error: unexpected $end, expecting STRING"},
        {"{a=\"1\"} | json", "line 1, col 9: syntax error: unexpected character '|', expecting |=, "
                             "!=, |~, !~ or the end"},
        {"{a=\"\\q\"}", "line 1, col 4: literal not terminated or with an invalid escape"},
        {"{a=\"", "line 1, col 4: literal not terminated or with an invalid escape"},
        {"{a=~\"(\"}", "line 1, col 5: error parsing regexp: missing closing ): `(`"},
    };
    for (size_t i = 0; i < ARRAY_LEN(t); i++) {
        char *err = NULL, *want = xprintf("parse error at %s", t[i].error);
        assert_null(selector_parse(str_of(t[i].text), &err));
        assert_string_equal(err, want);
        free(err);
        free(want);
    }
}

#define DROP(selector) "stage.match {\n selector = `" selector "`\n action = \"drop\"\n}"

static void test_selectors(void **state)
{
    static const struct table t[] = {
        {DROP("{ a = \"1\" , b != \"2\" } // comment\n /* and */ |~ \"x\\\\d\" !~ \"y$\""),
         "{a=\"1\"} x1\n{a=\"1\"} x1y\n{a=\"1\", b=\"2\"} x1",
         "{a=\"1\"} x1y\n{a=\"1\", b=\"2\"} "
         "x1\n"},
        {DROP("{a=\"\\u00e9\\x41\\101\\t\"}"),
         "{a=\"\xc3\xa9"
         "AA\\t\"} x",
         ""},
        {DROP("{a=~\"b.c\"}"), "{a=\"b\\nc\"} x", ""}, /* the dot of labels is any character */
        {DROP("{a=\"\"}"), "x\n{a=\"1\"} y", "{a=\"1\"} y\n"},
        {DROP("{a!~\"1\"}"), "x\n{a=\"1\"} y", "{a=\"1\"} y\n"},
    };
    run_table(t, ARRAY_LEN(t));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_drop),         cmocka_unit_test(test_drop_faults),
        cmocka_unit_test(test_limit_drop),   cmocka_unit_test(test_limit_by_label),
        cmocka_unit_test(test_limit_waits),  cmocka_unit_test(test_limit_replaced),
        cmocka_unit_test(test_limit_faults), cmocka_unit_test(test_match),
        cmocka_unit_test(test_match_faults), cmocka_unit_test(test_selector_faults),
        cmocka_unit_test(test_selectors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
