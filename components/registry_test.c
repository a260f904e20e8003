/* Every component of the build: sorted, found by name, and with tables that keep the rules of schemas. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "runtime/component.h"

static void sorted_and_found(void **state)
{
    (void)state;
    assert_true(registry_count > 0);
    for (size_t i = 0; i < registry_count; i++) {
        const struct component_def *d = registry_all[i];
        assert_ptr_equal(registry_find(str_of(d->name)), d);
        if (i > 0)
            assert_true(strcmp(registry_all[i - 1]->name, d->name) < 0);
    }
    assert_null(registry_find(STR("otelcol.receiver")));
    assert_null(registry_find(STR("")));
}

static void described(void **state)
{
    (void)state;
    for (size_t i = 0; i < registry_count; i++) {
        const struct component_def *d = registry_all[i];
        assert_non_null(d->summary);
        assert_non_null(d->args);
        assert_non_null(d->prepare);
        assert_non_null(d->example);
        assert_non_null(strstr(d->example, d->name));
    }
}

static void tables_keep_the_rules(void **state)
{
    (void)state;
    struct buf problems = BUF_INIT(1 << 20);
    for (size_t i = 0; i < registry_count; i++) {
        const struct component_def *d = registry_all[i];
        const struct schema *const tables[] = {d->args, d->exports, d->debug};
        for (size_t t = 0; t < ARRAY_LEN(tables); t++)
            if (tables[t])
                schema_lint(tables[t], d->name, &problems);
    }
    assert_string_equal(problems.p ? problems.p : "", "");
    buf_done(&problems);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(sorted_and_found), cmocka_unit_test(described), cmocka_unit_test(tables_keep_the_rules)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
