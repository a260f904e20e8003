/* LogQL's patterns, and stage.pattern. */
#include <errno.h>
#include "components/loki/process/pattern.h"
#include "components/loki/process/stage_cases.h"

static void matches(void **state)
{
    static const struct {
        const char *pattern, *text, *want; /* values by |; "!" and what is wrong with the pattern */
    } rows[] = {
        {"<ip> - <_> \"<method> <path>\"", "1.2.3.4 - - \"GET /a b\" x", "1.2.3.4|GET|/a b"},
        {"<a>", "all of it", "all of it"},
        {"x<a>", "no", ""},
        {"x<a>", "xyes", "yes"},
        {"<a>,<b>,<c>", "1,2", "1|2"}, /* the literal is not found: the capture takes the rest */
        {"<a>,<b>", ",", "|"},
        {"<a>,<b>", "", ""},
        {"[<a>]", "[1] 2]", "1"},
        {"<a> <_>", "1 2", "1"},
        {"<_> <a>", "1 2 3", "2 3"},
        {"<a>< <1b> <b>", "x< <1b> y", "x|y"}, /* what is no name is literal */
        {"<a", "x", "!at least one capture is required"},
        {"", "x", "!at least one capture is required"},
        {"<_>", "x", "!at least one capture is required"},
        {"text", "x", "!at least one capture is required"},
        {"<a><b>", "x", "!two captures in a row"},
        {"<a><_>", "x", "!two captures in a row"},
        {"<a> <b> <a>", "x", "!the capture <a> stands twice"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct buf b = BUF_INIT(1000);
        struct str values[8];
        const char *err = NULL;
        struct pattern p;
        struct arena a;

        arena_init(&a, 0);
        buf_cstr(&b, "");
        if (pattern_compile(str_of(rows[i].pattern), &a, &p, &err)) {
            buf_printf(&b, "!%.*s", (int)strlen(rows[i].want + 1), err);
        } else {
            u32 n = pattern_match(&p, str_of(rows[i].text), values);
            for (u32 k = 0; k < n; k++)
                buf_printf(&b, "%s" STR_FMT, k ? "|" : "", STR_ARG(values[k]));
        }
        assert_text(buf_view(&b), rows[i].want);
        buf_done(&b);
        arena_done(&a);
    }
}

static void extracts(void **state)
{
    static const struct extract_case cases[] = {
        {"stage.pattern { pattern = \"<ip> <_> <rest>\" }", "ip,rest", "1 2 3 4",
         "{ip=\"1\", rest=\"3 4\"}"},
        {"stage.pattern { pattern = \"x<a>\" }", "a", "none", "{}"},
        {"stage.pattern {\npattern = \"<a> <b>\"\nlabels_from_groups = true\n}", "none", "1 2",
         "{a=\"1\", b=\"2\"}"},
    };
    EXTRACT_ALL(cases);
    process_case("stage.pattern {\npattern = \"<a> <b>\"\nlabels_from_groups = true\n}",
                 "{} \\xff 2", "{b=\"2\"} \xFF 2\n");
    process_case("stage.pattern {\npattern = \"<a>-\"\nsource = \"doc\"\n}\n"
                 "stage.labels { values = { a = \"\" } }",
                 "{doc=\"1-2\"} x\ny", "{a=\"1\", doc=\"1-2\"} x\n{} y\n");
    process_fault("stage.pattern { pattern = \"\" }", "pattern is required");
    process_fault("stage.pattern {\npattern = \"<a>\"\nsource = \"\"\n}", "empty source");
    process_fault("stage.pattern { pattern = \"<a><b>\" }",
                  "failed to parse pattern: two captures in a row (<a><b>): what stands between "
                  "them?");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(matches), cmocka_unit_test(extracts)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
