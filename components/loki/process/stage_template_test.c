/* stage.template and stage.replace. */
#include "components/loki/process/testing.h"

#define EXTRACT(re) "stage.regex { expression = `" re "` }\n"
#define SHOW        "\nstage.output { source = \"r\" }"

struct table {
    const char *stages, *in, *out;
};

static void run_table(const struct table *t, size_t n)
{
    for (size_t i = 0; i < n; i++)
        process_case(t[i].stages, t[i].in, t[i].out);
}

static void test_template(void **state)
{
    static const struct table t[] = {
        {EXTRACT(
             "(?P<r>\\w+)") "stage.template {\n source = \"r\"\n template = \"{{ ToUpper .Value "
                            "}}-{{ .Entry | len }}-{{ .r }}-{{ .none }}\"\n}" SHOW,
         "abc def", "{} ABC-7-abc-<no value>\n"},
        {"stage.template {\n source = \"r\"\n template = \"{{ .Value }}{{ .app }}\"\n}" SHOW,
         "{app=\"x\"} l", "{app=\"x\"} <no value>x\n"},
        {"stage.template {\n source = \"r\"\n template = \"{{ range $k, $v := . }}{{ $k }}={{ $v "
         "}} {{ end "
         "}}\"\n}" SHOW,
         "{a=\"1\", F=\"2\"} l", "{F=\"2\", a=\"1\"} Entry=l F=2 a=1 \n"},
        /* an empty result removes the value */
        {EXTRACT("(?P<r>\\w+)") "stage.template {\n source = \"r\"\n template = \"\"\n}" SHOW,
         "abc def", "{} abc def\n"},
        /* failing changes nothing */
        {EXTRACT(
             "(?P<r>\\w+)") "stage.template {\n source = \"r\"\n template = \"x{{ ToUpper .none "
                            "}}\"\n}" SHOW,
         "abc def", "{} abc\n"},
        {EXTRACT("(?P<r>\\w+)") "stage.template {\n source = \"r\"\n template = \"{{ repeat "
                                "100000000 .r "
                                "}}\"\n}" SHOW,
         "abc def", "{} abc\n"},
    };
    run_table(t, ARRAY_LEN(t));
}

static void test_template_faults(void **state)
{
    process_fault("stage.template {\n source = \"\"\n template = \"x\"\n}",
                  "template source value is required");
    process_fault("stage.template {\n source = \"a\"\n template = \"{{ nope }}\"\n}",
                  "template: pipeline_template:1: function \"nope\" not defined");
    process_fault("stage.template {\n source = \"a\"\n template = \"a\\n{{ .x\"\n}",
                  "template: pipeline_template:2: unclosed action");
}

static void test_replace(void **state)
{
    static const struct table t[] = {
        {"stage.replace {\n expression = \"password (\\\\S+)\"\n replace = \"****\"\n}",
         "user a password x1 and password y2\nnothing",
         "{} user a password **** and password ****\n{} nothing\n"},
        {"stage.replace {\n expression = \"(\\\\d+)\\\\.(\\\\d+)\"\n replace = \"<{{ .Value "
         "}}>\"\n}",
         "v 1.22 w 3.4", "{} v <1>.<22> w <3>.<4>\n"},
        {"stage.replace {\n expression = \"secret=(\\\\w*)\"\n}",
         "a secret=abc b secret=", "{} a secret= b secret=\n"},
        {"stage.replace {\n expression = \"abc\"\n replace = \"x\"\n}", "abc",
         "{} abc\n"}, /* no group */
        {EXTRACT("(?P<r>\\w+) ") "stage.replace {\n expression = \"(?P<n>b)\"\n source = \"r\"\n "
                                 "replace = "
                                 "\"[{{ .app }}{{ .Value | ToUpper }}]\"\n}\nstage.labels { values "
                                 "= { n = "
                                 "\"\" } }" SHOW,
         "{app=\"q\"} abcb line", "{app=\"q\", n=\"[qB]\"} a[qB]c[qB]\n"},
        {"stage.replace {\n expression = \"(x)\"\n source = \"none\"\n replace = \"y\"\n}", "x",
         "{} x\n"},
        /* nested and optional groups, empty matches */
        {"stage.replace {\n expression = \"((a)b)|(c)\"\n replace = \"<{{ .Value }}>\"\n}", "abc",
         "{} <ab><c>\n"},
        {"stage.replace {\n expression = \"(x*)\"\n replace = \"-\"\n}", "axxb", "{} -a-b-\n"},
        {"stage.replace {\n expression = \"(b)\"\n replace = \"{{ ToUpper .none }}\"\n}", "abc",
         "{} abc\n"},
    };
    run_table(t, ARRAY_LEN(t));
    process_fault("stage.replace { expression = \"\" }", "expression is required");
    process_fault("stage.replace { expression = \"(a\" }",
                  "error parsing regexp: missing closing ): `(a`");
    process_fault("stage.replace {\n expression = \"(a)\"\n replace = \"{{ x }}\"\n}",
                  "template: pipeline_template:1: function \"x\" not defined");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_template),
        cmocka_unit_test(test_template_faults),
        cmocka_unit_test(test_replace),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
