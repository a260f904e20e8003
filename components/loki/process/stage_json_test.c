/* stage.json and stage.split_json. */
#include "components/loki/process/stage_cases.h"

#define DOC                                                                                        \
    "{\"log\":\"a\\\\nb\\\\u00e9\",\"a\":{\"b\":\"x\",\"c\":[1,{\"k\":\"<\"}]},\"n\":1e21,"        \
    "\"f\":0.25,\"yes\":true,\"no\":null,\"x1\":\"1\",\"x2\":{\"y\":2}}"

static void extracts(void **state)
{
    static const struct extract_case cases[] = {
        {"stage.json { expressions = { out = \"log\", deep = \"a.b\", yes = \"\" } }",
         "out,deep,yes", DOC, "{deep=\"x\", out=\"a\\nb\xC3\xA9\", yes=\"true\"}"},
        {"stage.json { expressions = { n = \"\", f = \"\" } }", "n,f", DOC,
         "{f=\"0.25\", n=\"1000000000000000000000\"}"},
        {"stage.json { expressions = { c = \"a.c\", q = \"\\\"a\\\".\\\"b\\\"\" } }", "c,q", DOC,
         "{c=\"[1,{\\\"k\\\":\\\"\\\\u003c\\\"}]\", q=\"x\"}"},
        /* null and missing are not convertible */
        {"stage.json { expressions = { no = \"\", gone = \"a.z.z\" } }", "no,gone", DOC, "{}"},
        {"stage.json { expressions = { k = \"a.c[1].k\", len = \"length(a.c)\", b = \"a.b\" } }",
         "k,len,b", DOC, "{b=\"x\", k=\"<\", len=\"2\"}"},
        {"stage.json { expressions = { bad = \"length(f)\", b = \"a.b\" } }", "bad,b", DOC,
         "{b=\"x\"}"},
        {"stage.json { expressions = { all = \"@\" } }", "all", "{\"a\": 1, \"a\": [ 2 ]}",
         "{all=\"{\\\"a\\\":[2]}\"}"},
        {"stage.json { expressions = { a = \"\" } }", "a", "{\"a\":1,\"a\":2}", "{a=\"2\"}"},
        {"stage.json { regex = \"^x\" }", "x1,x2,f", DOC, "{x1=\"1\", x2=\"{\\\"y\\\":2}\"}"},
        {"stage.json {\nregex = \"^x\"\nexpressions = { l = \"a.c[0]\" }\n}", "x1,l,f", DOC,
         "{l=\"1\", x1=\"1\"}"},
    };
    EXTRACT_ALL(cases);
    process_case(
        "stage.json { expressions = { a = \"\" } }\nstage.labels { values = { a = \"\" } }",
        "{} {\"a\":\"\\xff!\"}", "{a=\"\xEF\xBF\xBD!\"} {\"a\":\"\xFF!\"}\n");
}

static void reads_a_source(void **state)
{
    static const char stages[] = "stage.json {\nsource = \"doc\"\nexpressions = { a = \"\" }\n}\n"
                                 "stage.labels { values = { a = \"\" } }";

    process_case(stages, "{doc=\"{\\\"a\\\":1}\"} x", "{a=\"1\", doc=\"{\\\"a\\\":1}\"} x\n");
    process_case(stages, "{other=\"1\"} x", "{other=\"1\"} x\n");
}

static void leaves_what_is_broken(void **state)
{
    static const char *const broken[] = {"no json",  "[1]", "1",          "{\"a\":1",
                                         "{\"a\":}", "",    "{\"a\":1}x", "{\"b\":1e}"};

    for (size_t i = 0; i < sizeof(broken) / sizeof(*broken); i++) {
        char *in = xprintf("{} %s", broken[i]), *want = xprintf("{} %s\n", broken[i]);

        process_case("stage.json { expressions = { a = \"\" } }", in, want);
        process_case("stage.json { expressions = { a = \"b[0]\" } }", in, want);
        process_case("stage.json {\nexpressions = { a = \"\" }\ndrop_malformed = true\n}", in, "");
        process_case("stage.json {\nexpressions = { a = \"b[0]\" }\ndrop_malformed = true\n}", in,
                     "");
        free(in);
        free(want);
    }
    process_case("stage.json {\nexpressions = { a = \"\" }\ndrop_malformed = true\n}", "{} null",
                 "{} null\n");
}

static void many_expressions(void **state)
{
    struct buf b = BUF_INIT(1 << 20), doc = BUF_INIT(1 << 20);
    char *in;

    buf_cstr(&b, "stage.json { expressions = {");
    for (int i = 0; i < 100; i++) {
        buf_printf(&b, "k%d = \"v%d\",", i, i);
        buf_printf(&doc, "%s\"v%d\":%d", i ? "," : "{", i, i);
    }
    buf_cstr(&b, "} }\nstage.labels { values = { k99 = \"\", k0 = \"\" } }");
    buf_ch(&doc, '}');
    in = xprintf("{} " STR_FMT, STR_ARG(buf_view(&doc)));
    char *want = xprintf("{k0=\"0\", k99=\"99\"} " STR_FMT "\n", STR_ARG(buf_view(&doc)));
    process_case(b.p, in, want);
    free(in);
    free(want);
    buf_done(&b);
    buf_done(&doc);
}

static void faults(void **state)
{
    process_fault("stage.json { }", "JMES expressions or regex is required");
    process_fault("stage.json {\nexpressions = { a = \"\" }\nsource = \"\"\n}", "empty source");
    process_fault("stage.json { expressions = { a = \"b[\" } }",
                  "could not compile JMES expression of \"a\": expected an index, a slice or * in "
                  "[ ] (a list of expressions needs a . in front), at character 3 of b[");
    process_fault("stage.json { regex = \"(\" }", "error parsing regexp: missing closing ): `(`");
}

/* --- split_json --- */

static void splits(void **state)
{
    static const char stages[] = "stage.split_json { }";

    process_case(stages, "{a=\"1\"} [1, {\"b\" : [2]} ,\"x\",null]",
                 "{a=\"1\"} 1\n{a=\"1\"} {\"b\" : [2]}\n{a=\"1\"} \"x\"\n{a=\"1\"} null\n");
    process_case(stages, "{}  [1] ", "{} 1\n");
    process_case(stages, "{} []\nnext", "{} next\n");
    process_case(stages, "{} [1,2\n[1] x\n{} {\"a\":[1]}\n", "{} [1,2\n{} [1] x\n{} {\"a\":[1]}\n");
    process_case("stage.split_json { source = \"doc\" }", "{doc=\"[1,2]\"} x\nplain",
                 "{doc=\"[1,2]\"} 1\n{doc=\"[1,2]\"} 2\n{} plain\n");
    process_fault("stage.split_json { source = \"\" }", "source cannot be empty");
}

/* What follows works on each element. */
static void splits_then_extracts(void **state)
{
    process_case("stage.split_json { }\nstage.json { expressions = { k = \"\" } }\n"
                 "stage.labels { values = { k = \"\" } }",
                 "{} [{\"k\":1},{\"k\":2},3]", "{k=\"1\"} {\"k\":1}\n{k=\"2\"} {\"k\":2}\n{} 3\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(extracts),
        cmocka_unit_test(reads_a_source),
        cmocka_unit_test(leaves_what_is_broken),
        cmocka_unit_test(many_expressions),
        cmocka_unit_test(faults),
        cmocka_unit_test(splits),
        cmocka_unit_test(splits_then_extracts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
