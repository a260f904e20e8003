/* Lines of a source and the encoding check. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "parser/parser.h"

static void test_lines(void **state)
{
    struct source *s = source_new("f", STR("a\n\nbc\n"));
    assert_int_equal(s->n_lines, 4);
    assert_true(str_is(source_line(s, 1), "a"));
    assert_int_equal(source_line(s, 2).n, 0);
    assert_true(str_is(source_line(s, 3), "bc"));
    assert_int_equal(source_line(s, 4).n, 0);
    assert_int_equal(source_line(s, 5).n, 0);
    assert_int_equal(source_line(s, 0).n, 0);
    source_unref(source_ref(s));
    assert_string_equal(s->name, "f");
    source_unref(s);
    source_unref(NULL);
}

static void expect_encoding(struct str text, const char *want)
{
    char *got = source_check_encoding(text);
    if (want)
        assert_string_equal(got, want);
    else
        assert_null(got);
    free(got);
}

static void test_encoding(void **state)
{
    expect_encoding(STR(""), NULL);
    expect_encoding(STR("é"), NULL);
    expect_encoding(STR("\xef\xbb\xbf"
                        "a"),
                    NULL);
    expect_encoding(STR("\xff"), NULL);
    expect_encoding(STR("\xfe\xff"
                        "a"),
                    NULL);
    expect_encoding(STR("\xfe\xff\0a"), "configuration is encoded with UTF-16BE but must be utf8");
    expect_encoding(STR("\xff\xfe"
                        "a\0"),
                    "configuration is encoded with UTF-16LE but must be utf8");
    expect_encoding(STR("\xff\xfe\0\0a\0\0\0"),
                    "configuration is encoded with UTF-32LE but must be utf8");
    expect_encoding(STR("\0\0\xfe\xff\0\0\0a"),
                    "configuration is encoded with UTF-32BE but must be utf8");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_lines),
                                       cmocka_unit_test(test_encoding)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
