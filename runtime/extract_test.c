/* Which configurations are found in YAML, and where they are shown. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include "runtime/extract.h"

/* Every configuration as "text|text;", then every fault in one line. */
static void assert_found(const char *yaml, const char *want)
{
    struct source_set file = {0};
    source_sets sets = {0};
    struct diags diags;
    char *err = NULL;
    struct buf b = BUF_INIT(100000);
    diags_init(&diags);
    assert_int_equal(source_set_add(&file, "f", str_of(yaml), &err), 0);
    int rc = extract_yaml(&file, &sets, &diags);
    assert_int_equal(rc, diags.n_errors ? -EINVAL : 0);
    vec_each (&sets, s) {
        for (size_t i = 0; i < s->files.n; i++)
            buf_printf(&b, "%s" STR_FMT, i ? "|" : "", STR_ARG(s->files.v[i]->text));
        buf_ch(&b, ';');
    }
    vec_each (&diags.list, d)
        diag_line(d, &b);
    assert_string_equal(b.p ? b.p : "", want);
    buf_done(&b);
    extract_done(&sets);
    source_set_done(&file);
    diags_done(&diags);
}

static void test_values(void **state)
{
    assert_found("alloy: {configMap: {content: a}}", "a;");
    assert_found("weir: {configMap: {content: a}}\nalloy: {configMap: {content: b}}", "b;a;");
    assert_found("sub: {alloy: {configMap: {content: a}}}", "a;");
    assert_found("x: {y: {alloy: {configMap: {content: a}}}}",
                 "f:1:1: there is no configuration in this YAML");
    assert_found("alloy: {configMap: {content: [a]}}",
                 "f:1:30: configMap.content must be a text that holds the configuration");
}

static void test_config_maps(void **state)
{
    assert_found("kind: ConfigMap\napiVersion: v1\ndata: {a.alloy: x, b.txt: y, c.river: z}",
                 "x|z;");
    assert_found("kind: ConfigMap\napiVersion: v1\ndata: {a.alloy: x}\n---\nkind: ConfigMap\n"
                 "apiVersion: v1\ndata: {a.alloy: y}",
                 "x;y;");
    assert_found("kind: List\nitems: [{kind: Secret, data: {a.alloy: n}}, {kind: ConfigMap, data: "
                 "{a.alloy: y}}]",
                 "y;");
    assert_found("kind: Secret\napiVersion: v1\ndata: {a.alloy: x}",
                 "f:1:1: there is no configuration in this YAML");
}

static void test_faults(void **state)
{
    assert_found("", "f:1:1: there is no configuration in this YAML");
    assert_found("a: [", "f:1:5: this is not valid YAML: did not find expected node content");
    assert_found("é: *x", "f:1:5: this is not valid YAML: unknown anchor referenced: x");
    assert_found("alloy: {configMap: {content: a}}\n--- [",
                 "a;f:2:6: this is not valid YAML: did not "
                 "find expected node content");
}

static void test_names(void **state)
{
    assert_true(extract_by_name("d/values.yaml"));
    assert_true(extract_by_name("values.yml"));
    assert_false(extract_by_name("values.alloy"));
    assert_false(extract_by_name("-"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_config_maps),
        cmocka_unit_test(test_faults),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
