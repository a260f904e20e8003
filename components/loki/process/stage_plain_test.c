/* Stages that change one entry: cases as in tests/golden/process, and what they refuse. */
#include "components/loki/process/testing.h"

struct table {
    const char *stages, *in, *out;
};

static void run_table(const struct table *t, size_t n)
{
    for (size_t i = 0; i < n; i++)
        process_case(t[i].stages, t[i].in, t[i].out);
}

#define EXTRACT(re) "stage.regex { expression = `" re "` }\n"

static void test_static_labels(void **state)
{
    static const struct table t[] = {
        {"stage.static_labels { values = { a = \"1\", b = \"\" } }", "{a=\"0\"} x",
         "{a=\"1\"} x\n"},
        {"stage.static_labels { values = { a = \"1\", b = null } }", "x", "{a=\"1\"} x\n"},
        {"stage.static_labels { values = { \"with.dot\" = \"1\" } }", "x", "{with.dot=\"1\"} x\n"},
    };
    run_table(t, ARRAY_LEN(t));
}

static void test_labels(void **state)
{
    static const struct table t[] = {
        {EXTRACT("(?P<x>\\w+)=(?P<y>\\w*)") "stage.labels { values = { x = \"\", z = \"y\" } }",
         "k=v", "{x=\"k\", z=\"v\"} k=v\n"},
        {EXTRACT("(?P<x>\\w+)=(?P<y>\\w*)") "stage.labels { values = { x = null, z = \"y\" } }",
         "k=", "{x=\"k\", z=\"\"} k=\n"},
        {"stage.labels { values = { x = \"nothing\" } }", "{x=\"1\"} l", "{x=\"1\"} l\n"},
        {"stage.labels {\n values = { x = \"m\", y = \"n\" }\n source_type = "
         "\"structured_metadata\"\n}",
         "<m=1> l", "{x=\"1\"} <m=1> l\n"},
        {EXTRACT("(?P<x>.*)") "stage.labels { values = { x = \"\" } }", "\\xff", "{} \xff\n"},
    };
    run_table(t, ARRAY_LEN(t));
    process_case("stage.labels { values = {} }", "{a=\"1\"} x", "{a=\"1\"} x\n");
}

static void test_label_filters(void **state)
{
    static const struct table t[] = {
        {"stage.label_drop { values = [\"a\", \"c\"] }", "{a=\"1\", b=\"2\"} x", "{b=\"2\"} x\n"},
        {"stage.label_keep { values = [\"a\", \"c\"] }", "{a=\"1\", b=\"2\"} x", "{a=\"1\"} x\n"},
        {"stage.static_labels { values = { n = \"1\" } }\nstage.label_keep { values = [\"n\"] }\n"
         "stage.static_labels { values = { m = \"2\" } }\nstage.label_drop { values = [\"n\"] }",
         "{a=\"1\"} x\n{a=\"1\"} y", "{m=\"2\"} x\n{m=\"2\"} y\n"},
    };
    run_table(t, ARRAY_LEN(t));
    process_fault("stage.label_drop { values = [] }", "labeldrop stage config cannot be empty");
    process_fault("stage.label_keep { values = [] }", "labelallow stage config cannot be empty");
}

static void test_regex(void **state)
{
    static const struct table t[] = {
        {"stage.regex {\n expression = \"(?P<a>x)|(?P<b>y)\"\n labels_from_groups = true\n}",
         "y\nz\nxy", "{a=\"\", b=\"y\"} y\n{} z\n{a=\"x\", b=\"\"} xy\n"},
        {EXTRACT("^(?P<first>\\S+)") "stage.regex {\n expression = \"(?P<c>.)$\"\n source = "
                                     "\"first\"\n labels_from_groups = true\n}",
         "abc def", "{c=\"c\"} abc def\n"},
        {"stage.regex {\n expression = \"(?P<c>.)$\"\n source = \"none\"\n labels_from_groups = "
         "true\n}",
         "abc", "{} abc\n"},
    };
    run_table(t, ARRAY_LEN(t));
    process_fault("stage.regex { expression = \"(?P<x>a\" }",
                  "error parsing regexp: missing closing ): `(?P<x>a`");
    process_fault("stage.regex { expression = \"\" }", "expression is required");
    process_case("stage.regex { expression = \"a(b)\" }", "ab", "{} ab\n"); /* a warning */
    process_fault("stage.regex {\n expression = \"(?P<a>.)\"\n source = \"\"\n}", "empty source");
}

/* A pattern that would take for ever leaves the entry as it is. */
static void test_regex_limit(void **state)
{
    process_case_counted("stage.regex {\n expression = \"^(?P<x>(((a+)+)+)+)$\"\n "
                         "labels_from_groups = true\n}",
                         "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab",
                         "{} aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab\n",
                         "weir_loki_process_regex_limited_total 1");
}

static void test_output(void **state)
{
    static const struct table t[] = {
        {EXTRACT("msg=(?P<m>\\S*)") "stage.output { source = \"m\" }", "a msg=hello b\nnone",
         "{} hello\n{} none\n"},
        {"stage.output { source = \"a\" }", "{a=\"label\"} x", "{a=\"label\"} label\n"},
    };
    run_table(t, ARRAY_LEN(t));
    process_fault("stage.output { source = \"\" }",
                  "output source value is required if output is specified");
}

static void test_tenant(void **state)
{
    static const struct table t[] = {
        {"stage.tenant { value = \"t\" }", "x", "{__tenant_id__=\"t\"} x\n"},
        {"stage.tenant { label = \"a\" }", "{a=\"t\"} x\ny",
         "{__tenant_id__=\"t\", a=\"t\"} x\n{} y\n"},
        {EXTRACT("t=(?P<t>\\w*)") "stage.tenant { source = \"t\" }", "t=1\nt=\nx",
         "{__tenant_id__=\"1\"} t=1\n{} t=\n{} x\n"},
    };
    run_table(t, ARRAY_LEN(t));
    process_fault("stage.tenant { }", "label, source or value config are required");
    process_fault("stage.tenant {\n value = \"a\"\n source = \"b\"\n}",
                  "label, source and value are mutually exclusive: you should set source, value "
                  "or label but not all");
}

static void test_pack(void **state)
{
    static const struct table t[] = {
        {"stage.pack {\n labels = [\"z\", \"a\", \"a\", \"missing\"]\n ingest_timestamp = false\n}",
         "{a=\"<1>\", b=\"2\", z=\"3\"} @5 li\\ne\\xff",
         "{b=\"2\"} @5 "
         "{\"a\":\"\\\\u003c1\\\\u003e\",\"z\":\"3\",\"_entry\":\"li\\\\ne\\\\ufffd\"}"
         "\n"},
        {EXTRACT("(?P<x>.+)") "stage.pack { labels = [\"x\"] }", "@5 v",
         "{} {\"x\":\"v\",\"_entry\":\"v\"}\n"}, /* the clock's time */
    };
    run_table(t, ARRAY_LEN(t));
}

static void test_decolorize(void **state)
{
    process_case("stage.decolorize { }",
                 "\\x1b[32mgreen\\x1b[0m and \\x1b[1;31mred\\x1b[K\nplain \xc2\xa9\n"
                 "\\x1b]8;;x\\x07link\n\xc2\x9b"
                 "31mx\nend \\x1b",
                 "{} green and red\n{} plain \xc2\xa9\n{} link\n{} x\n{} end \\x1b\n");
}

static void test_sampling(void **state)
{
    process_case_counted("stage.sampling { rate = 0 }", "a\nb", "",
                         "loki_process_dropped_lines_total{reason=\"sampling_stage\"} 2");
    process_case("stage.sampling { rate = 1 }", "a\nb", "{} a\n{} b\n");
    process_fault("stage.sampling { rate = 1.5 }",
                  "sampling stage failed to parse rate,Sampling Rate must be between 0.0 and 1.0, "
                  "received 1.500000");
}

static void test_metadata(void **state)
{
    static const struct table t[] = {
        {EXTRACT("id=(?P<id>\\w+)") "stage.structured_metadata { values = { id = \"\", t = "
                                    "\"app\" } }",
         "{app=\"a\", b=\"c\"} <id=old,k=v> id=7", "{b=\"c\"} <id=7,k=v,t=a> id=7\n"},
        {"stage.structured_metadata { regex = \"^p_\" }", "{p_a=\"1\", p_b=\"2\", q=\"3\"} x",
         "{q=\"3\"} <p_a=1,p_b=2> x\n"},
        {"stage.structured_metadata { values = { a = \"none\" } }", "x", "{} x\n"},
        {EXTRACT("(?P<x>.*)") "stage.structured_metadata { values = { x = \"\" } }", "\\xff",
         "{} \xff\n"},
        {EXTRACT("(?P<x>.*)") "stage.structured_metadata { regex = \"^x$\" }", "\\xff",
         "{} \xff\n"},
        {"stage.regex {\n expression = \"(?P<x>.*)\"\n labels_from_groups = true\n}", "\\xff",
         "{} \xff\n"},
        {"stage.pattern {\n pattern = \"<x>!\"\n labels_from_groups = true\n}", "\\xff!",
         "{} \xff!\n"},
        {"stage.structured_metadata_drop { values = [\"a\", \"c\"] }", "<a=1,b=2,c=3> x\n<b=1> y",
         "{} <b=2> x\n{} <b=1> y\n"},
    };
    run_table(t, ARRAY_LEN(t));
    process_fault("stage.structured_metadata_drop { values = [] }",
                  "structured_metadata_drop stage config cannot be empty");
    process_fault("stage.structured_metadata { regex = \"(\" }",
                  "error parsing regexp: missing closing ): `(`");
}

static void test_truncate(void **state)
{
    static const struct table t[] = {
        {"stage.truncate { rule { limit = \"4B\" } }", "123456\n1234", "{} 1234\n{} 1234\n"},
        {"stage.truncate { rule {\n limit = \"4B\"\n suffix = \"..\"\n} }", "123456", "{} 12..\n"},
        {"stage.truncate {\n rule {\n limit = \"2B\"\n source_type = \"label\"\n sources = "
         "[\"a\"]\n}\nrule {\n limit = \"1B\"\n source_type = \"structured_metadata\"\n}\nrule { "
         "limit = \"3B\" }\n}\nstage.labels { values = { t = \"truncated\" } }",
         "{a=\"xyz\", b=\"xyz\"} <k=vw> 12345",
         "{a=\"xy\", b=\"xyz\", t=\"label,line,structured_metadata\"} <k=v> 123\n"},
        {EXTRACT("(?P<v>.*)") "stage.truncate { rule {\n limit = \"2B\"\n source_type = "
                              "\"extracted\"\n} }\nstage.labels { values = { v = \"\", t = "
                              "\"truncated\" } }",
         "abcd", "{t=\"extracted\", v=\"ab\"} abcd\n"},
    };
    run_table(t, ARRAY_LEN(t));
    process_case_counted("stage.truncate { rule { limit = \"1B\" } }", "ab\nabc\na",
                         "{} a\n{} a\n{} a\n",
                         "loki_process_truncated_fields_total{field=\"line\"} 2");
    process_fault("stage.truncate { rule {\n limit = \"1B\"\n suffix = \"...\"\n} }",
                  "suffix length cannot exceed limit");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_static_labels), cmocka_unit_test(test_labels),
        cmocka_unit_test(test_label_filters), cmocka_unit_test(test_regex),
        cmocka_unit_test(test_regex_limit),   cmocka_unit_test(test_output),
        cmocka_unit_test(test_tenant),        cmocka_unit_test(test_pack),
        cmocka_unit_test(test_decolorize),    cmocka_unit_test(test_sampling),
        cmocka_unit_test(test_metadata),      cmocka_unit_test(test_truncate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
