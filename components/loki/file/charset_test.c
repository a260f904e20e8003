/* Encodings: where lines end, what their text is, the mark at the start of a file. */
#include "components/loki/file/charset.h"

#include <errno.h>
#include "base/test.h"

static struct charset *of(const char *name)
{
    struct charset *c = NULL;

    assert_int_equal(charset_new(str_of(name), &c), 0);
    return c;
}

static void test_names(void **state)
{
    struct charset *c;

    assert_null(of(""));
    assert_null(of("utf-8"));
    assert_int_equal(charset_new(STR("no-such-thing"), &c), -EINVAL);
    charset_free(c = of("windows-1251"));
    assert_non_null(c);
}

static void test_line_ends(void **state)
{
    const struct str le = {"a\0\x0a\x01\n\0b\0\n\0c", 11}; /* U+010A is no newline */
    struct charset *c = of("UTF-16LE");

    assert_int_equal(charset_width(c), 2);
    assert_int_equal(charset_line_end(c, le), 6);
    assert_int_equal(charset_last_end(c, le), 10);
    assert_int_equal(charset_line_end(c, str_sub(le, 10, 11)), 0);
    assert_int_equal(charset_chomp(c, str_sub(le, 0, 6)).n, 4);
    charset_free(c);
    assert_int_equal(charset_line_end(NULL, STR("ab\nc\nd")), 3);
    assert_int_equal(charset_last_end(NULL, STR("ab\nc\nd")), 5);
    assert_int_equal(charset_last_end(NULL, STR("")), 0);
}

static void expect(const char *name, struct str in, const char *want)
{
    struct buf out = BUF_INIT(1 << 20);
    struct charset *c = of(name);

    charset_decode(c, in, &out);
    assert_buf(&out, want);
    buf_done(&out);
    charset_free(c);
}

static void test_decoding(void **state)
{
    expect("iso-8859-15", STR("\xa4"), "\xe2\x82\xac");
    expect("windows-1252", STR("\x80"), "\xe2\x82\xac");
    expect("UTF-16", (struct str){"\0a\xd8\x3d\xde\x00", 6}, "a\xf0\x9f\x98\x80");
    expect("UTF-16BE", (struct str){"\xdc\x00\0a", 4},
           "\xef\xbf\xbd"
           "a");
    expect("UTF-16LE", (struct str){"a\0b", 3}, "a\xef\xbf\xbd");
    expect("Shift_JIS", STR("\x83\x65"), "\xe3\x83\x86");
}

static void test_marks(void **state)
{
    size_t n;

    assert_int_equal(charset_bom(STR("\xef\xbb\xbf x"), &n), BOM_UTF8);
    assert_int_equal(n, 3);
    assert_int_equal(charset_bom(STR("\xfe\xff"), &n), BOM_UTF16_BE);
    assert_int_equal(charset_bom((struct str){"\xff\xfe\0\0", 4}, &n), BOM_UTF16_LE);
    assert_int_equal(charset_bom((struct str){"\0\0\xfe\xff", 4}, &n), BOM_UNKNOWN);
    assert_int_equal(n, 4);
    assert_int_equal(charset_bom(STR("\xef\xbb"), &n), BOM_MAYBE);
    assert_int_equal(charset_bom(STR("\xef\n"), &n), BOM_NONE);
    assert_int_equal(charset_bom(STR("a"), &n), BOM_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_line_ends),
        cmocka_unit_test(test_decoding),
        cmocka_unit_test(test_marks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
