/* The export tree: objects by id, caches dropped on change, clashes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include "runtime/scope.h"

static struct export_scope s;

static int setup(void **state)
{
    export_scope_init(&s, NULL, "/etc/weir");
    return 0;
}

static int teardown(void **state)
{
    export_scope_done(&s);
    return 0;
}

static struct value content(const char *text)
{
    struct object_builder b = {.ordered = true};
    object_set_take(&b, STR("content"), value_cstr(text));
    return object_done(&b);
}

/* local.file.ID.content */
static void expect(const char *id, const char *text)
{
    struct value local;
    assert_true(s.scope.lookup(&s.scope, STR("local"), &local));
    const struct value *file = value_member(local, STR("file"));
    assert_non_null(file);
    const struct value *v = value_member(*file, str_of(id));
    assert_non_null(v);
    v = value_member(*v, STR("content"));
    assert_non_null(v);
    assert_true(str_is(value_text(*v), text));
    value_unref(local);
}

static void test_lookup(void **state)
{
    struct value v;
    assert_int_equal(export_scope_set_take(&s, STR("local.file.a"), content("1")), 0);
    assert_int_equal(export_scope_set_take(&s, STR("local.file.b"), content("2")), 0);
    expect("a", "1");
    expect("b", "2");
    assert_false(s.scope.lookup(&s.scope, STR("file"), &v));
}

static void test_change_is_seen_and_old_values_stay(void **state)
{
    struct value before;
    assert_int_equal(export_scope_set_take(&s, STR("local.file.a"), content("1")), 0);
    assert_true(s.scope.lookup(&s.scope, STR("local"), &before));
    assert_int_equal(export_scope_set_take(&s, STR("local.file.a"), content("2")), 0);
    expect("a", "2");
    const struct value *a = value_member(*value_member(before, STR("file")), STR("a"));
    assert_true(str_is(value_text(*value_member(*a, STR("content"))), "1"));
    value_unref(before);
}

static void test_clash(void **state)
{
    assert_int_equal(export_scope_set_take(&s, STR("a.b"), content("1")), 0);
    assert_int_equal(export_scope_set_take(&s, STR("a.b.c"), content("2")), -EEXIST);
    assert_int_equal(export_scope_set_take(&s, STR("a"), content("3")), -EEXIST);
}

static void test_module_path(void **state)
{
    struct value v;
    assert_true(s.scope.lookup(&s.scope, STR("module_path"), &v));
    assert_true(str_is(value_text(v), "/etc/weir"));
    value_unref(v);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_lookup),
        TEST(test_change_is_seen_and_old_values_stay),
        TEST(test_clash),
        TEST(test_module_path),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
