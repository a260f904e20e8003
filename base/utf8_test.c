/* Tests of base/utf8.h. */
#include "base/utf8.h"
#include "base/test.h"

static void every_character_round_trips(void **state)
{
    struct buf b = BUF_INIT(8);

    for (u32 c = 0; c <= 0x10FFFF; c++) {
        bool bad, surrogate = c >= 0xD800 && c <= 0xDFFF;
        u32 back;

        buf_reset(&b);
        utf8_encode(&b, c);
        size_t width = utf8_decode(buf_view(&b), &back, &bad);
        if (width != b.n || bad || back != (surrogate ? UTF8_INVALID : c) ||
            !utf8_valid(buf_view(&b)))
            fail_msg("U+%04X", c);
    }
    buf_reset(&b);
    utf8_encode(&b, 0x110000);
    assert_buf(&b, "\xEF\xBF\xBD");
    buf_done(&b);
}

static void bad_bytes(void **state)
{
    static const char *const cases[] = {
        "\x80",         "\xBF",         "\xC0\x80",         "\xC1\xBF",         "\xE0\x9F\xBF",
        "\xED\xA0\x80", "\xED\xBF\xBF", "\xF0\x8F\xBF\xBF", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80",
        "\xFF",         "\xC3",         "\xE2\x82",         "\xF0\x9F\x98",     "\xE2\x82\x41",
        "\xC3\xC3",
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct str s = str_of(cases[i]);
        bool bad;
        u32 c;

        assert_int_equal(utf8_decode(s, &c, &bad), 1);
        assert_true(bad);
        assert_int_equal(c, UTF8_INVALID);
        assert_false(utf8_valid(s));
    }
    assert_true(utf8_valid(
        STR("plain text of many bytes, \xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80 and more")));
    assert_false(utf8_valid(STR("plain text of many bytes, \xC3")));
    assert_true(utf8_valid((struct str){0}));
}

/* Whatever stands where in a text of whatever length, and wherever that lies in memory. */
static void every_place(void **state)
{
    char room[260];

    for (size_t n = 1; n <= 200; n++)
        for (size_t at = 0; at < n; at++) {
            char *p = room + n % 16 + 1;
            memset(room, '\xFF', sizeof(room));
            memset(p, 'x', n);
            if (!utf8_valid(str_n(p, n))) fail_msg("%zu bytes", n);
            p[at] = '\xC3';
            if (utf8_valid(str_n(p, n))) fail_msg("%zu of %zu bytes", at, n);
            if (at + 1 == n) continue;
            p[at + 1] = '\xA9';
            if (!utf8_valid(str_n(p, n))) fail_msg("two bytes at %zu of %zu", at, n);
        }
}

static void categories(void **state)
{
    assert_true(utf8_is_letter('a') && utf8_is_letter('Z') && utf8_is_letter(0xE9) &&
                utf8_is_letter(0x4E2D));
    assert_false(utf8_is_letter('_') || utf8_is_letter('[') || utf8_is_letter('0') ||
                 utf8_is_letter(0x20AC));
    assert_true(utf8_is_digit('0') && utf8_is_digit(0x0663) && utf8_is_digit(0xFF19));
    assert_false(utf8_is_digit('a') || utf8_is_digit(0xB2) || utf8_is_digit(0x2167));
    assert_true(utf8_is_space(' ') && utf8_is_space('\v') && utf8_is_space(0x85) &&
                utf8_is_space(0x3000));
    assert_false(utf8_is_space(0x200B) || utf8_is_space('x'));
    assert_true(utf8_is_print(' ') && utf8_is_print('~') && utf8_is_print(0x1F600) &&
                utf8_is_print(0x301));
    assert_false(utf8_is_print('\n') || utf8_is_print(0x7F) || utf8_is_print(0xA0) ||
                 utf8_is_print(0xAD) || utf8_is_print(0x378) || utf8_is_print(0x10FFFF));
}

static void cases(void **state)
{
    static const u32 pairs[][2] = {{'a', 'A'},         {0xE9, 0xC9},     {0x3C3, 0x3A3},
                                   {0x101, 0x100},     {0x1E9, 0x1E8},   {0x10D0, 0x1C90},
                                   {0x10428, 0x10400}, {0x1F80, 0x1F88}, {0xFF, 0x178}};

    for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
        assert_int_equal(utf8_upper(pairs[i][0]), pairs[i][1]);
        assert_int_equal(utf8_lower(pairs[i][1]), pairs[i][0]);
        assert_int_equal(utf8_lower(pairs[i][0]), pairs[i][0]);
    }
    assert_int_equal(utf8_lower(0x130), 'i');
    assert_int_equal(utf8_lower(0x212A), 'k');
    assert_int_equal(utf8_upper(0x17F), 'S');
    assert_int_equal(utf8_upper(0xDF), 0xDF); /* its full mapping is two letters */
    assert_int_equal(utf8_lower(0x10FFFF), 0x10FFFF);
}

static void quoting(void **state)
{
    struct buf b = BUF_INIT(1000);

    utf8_quote(&b, STR("a\"b\\c\a\b\f\n\r\t\v\x01\x7F \xC3\xA9\xFF\xC2\xA0\xF3\xA0\x80\x81"));
    assert_buf(&b,
               "\"a\\\"b\\\\c\\a\\b\\f\\n\\r\\t\\v\\x01\\x7f \xC3\xA9\\xff\\u00a0\\U000e0001\"");
    utf8_quote(&b, STR(""));
    assert_buf(&b, "\"\"");
    buf_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_character_round_trips),
        cmocka_unit_test(bad_bytes),
        cmocka_unit_test(every_place),
        cmocka_unit_test(categories),
        cmocka_unit_test(cases),
        cmocka_unit_test(quoting),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
