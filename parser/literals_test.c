/* What string literals and keys mean. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "parser/literals.h"

static void expect_text(const char *raw, struct str want)
{
    struct arena a;
    arena_init(&a, 0);
    struct str got = literal_unquote(&a, str_of(raw));
    assert_int_equal(got.n, want.n);
    if (want.n) assert_memory_equal(got.p, want.p, want.n);
    arena_done(&a);
}

static void test_unquote(void **state)
{
    expect_text("\"\"", STR(""));
    expect_text("\"plain\"", STR("plain"));
    expect_text("\"\\a\\b\\f\\n\\r\\t\\v\\\\\\\"\"", STR("\a\b\f\n\r\t\v\\\""));
    expect_text("\"\\101\\x42\\u0043\\U00000044\"", STR("ABCD"));
    expect_text("\"\\xff\\377\\000\"", STR("\xff\xff\0"));
    expect_text("\"\\u00e9\\U0001F600\"", STR("é😀"));
    expect_text("`a\\n\r\nb`", STR("a\\n\nb"));
}

/* The lexer has reported these; they must only not read or write out of bounds. */
static void test_unquote_broken(void **state)
{
    static const char *const broken[] = {"\"",      "\"\\",    "\"\\u1\"", "\"\\U0\"", "\"\\x\"",
                                         "\"\\7\"", "\"\\q\"", "\"\\\"",   "`"};
    struct arena a;
    arena_init(&a, 0);
    for (size_t i = 0; i < ARRAY_LEN(broken); i++)
        assert_true(literal_unquote(&a, str_of(broken[i])).n <= strlen(broken[i]));
    arena_done(&a);
}

static void test_field_key(void **state)
{
    assert_true(str_is(literal_field_key(STR("\"a\\nb\"")), "a\\nb"));
    assert_true(str_is(literal_field_key(STR("`k`")), "k"));
    assert_true(str_is(literal_field_key(STR("\"\"")), "\"\""));
    assert_true(str_is(literal_field_key(STR("``")), "``"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_unquote),
        cmocka_unit_test(test_unquote_broken),
        cmocka_unit_test(test_field_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
