/* Tests of base/num.h: numbers. Durations and sizes are in units_test.c. */
#include "base/num.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include "base/test.h"

static void integers(void **state)
{
    i64 i = 7;
    u64 u = 7;

    assert_int_equal(num_parse_i64(STR("-9223372036854775808"), &i), 0);
    assert_true(i == INT64_MIN);
    assert_int_equal(num_parse_i64(STR("+12"), &i), 0);
    assert_int_equal(i, 12);
    assert_int_equal(num_parse_i64(STR("9223372036854775808"), &i), -ERANGE);
    assert_int_equal(num_parse_i64(STR("-9223372036854775809"), &i), -ERANGE);
    assert_int_equal(num_parse_i64(STR("99999999999999999999x"), &i), -EINVAL);
    assert_int_equal(num_parse_i64(STR(""), &i), -EINVAL);
    assert_int_equal(num_parse_i64(STR("-"), &i), -EINVAL);
    assert_int_equal(num_parse_i64(STR(" 1"), &i), -EINVAL);
    assert_int_equal(i, 12); /* untouched by failures */
    assert_int_equal(num_parse_u64(STR("18446744073709551615"), &u), 0);
    assert_true(u == UINT64_MAX);
    assert_int_equal(num_parse_u64(STR("18446744073709551616"), &u), -ERANGE);
    assert_int_equal(num_parse_u64(STR("+1"), &u), -EINVAL);
}

static void float_syntax(void **state)
{
    static const struct {
        const char *text;
        f64 value;
    } good[] = {
        {"0", 0},
        {"1.", 1},
        {".5", 0.5},
        {"00.5", 0.5},
        {"-1.5e3", -1500},
        {"1E+2", 100},
        {"1e-400", 0},
        {"0x1p4", 16},
        {"0X.8P1", 1},
        {"-0x1.8p-1", -0.75},
        {"1_0", 10},
        {"0x_1p4", 16},
        {"1e1_0", 1e10},
        {"inf", INFINITY},
        {"-Infinity", -INFINITY},
        {"+INF", INFINITY},
        {"0.1", 0.1},
        {"123456789012345678901234567890", 123456789012345678901234567890.0},
        {"9007199254740993", 9007199254740992.0},
        {"4.9e-324", 4.9e-324},
        {"1.7976931348623157e308", 1.7976931348623157e308},
        {"100000000000000000000000", 1e23},
        {"12345678901234567", 12345678901234568.0},
    };
    static const char *const bad[] = {"",     ".",  "+",    "1e",   "1e+",     "0x1",   "0x",
                                      "0xp1", "1x", "1 ",   " 1",   "--1",     "+nan",  "infin",
                                      "_1",   "1_", "1__0", "1_.5", "0x1p-2_", "1e5.5", "1.2.3"};
    f64 v;

    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        assert_int_equal(num_parse_f64(str_of(good[i].text), &v), 0);
        if (v != good[i].value) fail_msg("%s is %.17g", good[i].text, v);
    }
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        if (num_parse_f64(str_of(bad[i]), &v) != -EINVAL) fail_msg("\"%s\" was taken", bad[i]);
    }
    assert_int_equal(num_parse_f64(STR("NaN"), &v), 0);
    assert_true(isnan(v));
    assert_int_equal(num_parse_f64(STR("1e400"), &v), -ERANGE);
    assert_int_equal(num_parse_f64(STR("-0"), &v), 0);
    assert_true(signbit(v));
}

typedef void form(struct buf *, f64);

static void assert_form(form *fn, f64 v, const char *want)
{
    struct buf b = BUF_INIT(1000);

    fn(&b, v);
    assert_buf(&b, want);
    buf_done(&b);
}

static void plain_form(void **state)
{
    assert_form(num_f64_plain, 0, "0");
    assert_form(num_f64_plain, -0.0, "-0");
    assert_form(num_f64_plain, 3.0, "3");
    assert_form(num_f64_plain, -2.5, "-2.5");
    assert_form(num_f64_plain, 0.1, "0.1");
    assert_form(num_f64_plain, 1e21, "1000000000000000000000");
    assert_form(num_f64_plain, 1e-7, "0.0000001");
    assert_form(num_f64_plain, 123456.789, "123456.789");
    assert_form(num_f64_plain, 9007199254740993.0, "9007199254740992");
    assert_form(num_f64_plain, INFINITY, "+Inf");
    assert_form(num_f64_plain, -INFINITY, "-Inf");
    assert_form(num_f64_plain, NAN, "NaN");
}

static void general_forms(void **state)
{
    assert_form(num_f64_g, 0, "0");
    assert_form(num_f64_g, 1, "1");
    assert_form(num_f64_g, 0.25, "0.25");
    assert_form(num_f64_g, 100000, "100000");
    assert_form(num_f64_g, 1e6, "1e+06");
    assert_form(num_f64_g, 1234567, "1.234567e+06");
    assert_form(num_f64_g, 0.0001, "0.0001");
    assert_form(num_f64_g, 0.00001, "1e-05");
    assert_form(num_f64_g, -0.0, "-0");
    assert_form(num_f64_g, -120, "-120");
    assert_form(num_f64_g, 9007199254740991, "9.007199254740991e+15");
    assert_form(num_f64_g, -9007199254740990, "-9.00719925474099e+15");
    assert_form(num_f64_g, 9007199254740992, "9.007199254740992e+15");
    assert_form(num_f64_g, 1e15, "1e+15");
    assert_form(num_f64_g, 5e-324, "5e-324");
    assert_form(num_f64_g, 1.7976931348623157e308, "1.7976931348623157e+308");
}

static void json_forms(void **state)
{
    assert_form(num_f64_json, 0, "0");
    assert_form(num_f64_json, 1e-6, "0.000001");
    assert_form(num_f64_json, 1e-7, "1e-7");
    assert_form(num_f64_json, 1.5e-10, "1.5e-10");
    assert_form(num_f64_json, 1e20, "100000000000000000000");
    assert_form(num_f64_json, 1e21, "1e+21");
    assert_form(num_f64_json_wide, 1e-7, "1e-07");
    assert_form(num_f64_json_wide, 12.5, "12.5");
}

/* Every form reads back as the same value, at powers of two (uneven gaps) and at random bits. */
static void round_trips(void **state)
{
    struct buf b = BUF_INIT(1000);
    u64 bits = 12345;

    for (int i = -1074; i < 1024 + 20000; i++) {
        f64 v = ldexp(1, i), back;

        if (i >= 1024) {
            bits = bits * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
            memcpy(&v, &bits, sizeof(v));
            if (!isfinite(v)) continue;
        }
        num_f64_g(&b, v);
        assert_int_equal(num_parse_f64(buf_view(&b), &back), 0);
        if (back != v) fail_msg("%.17g came back from %s", v, b.p);
        buf_reset(&b);
    }
    buf_done(&b);
}

/* Whole numbers take a way of their own: digits, point and sign as C writes them. */
static void whole_numbers(void **state)
{
    struct buf b = BUF_INIT(1000);
    u64 bits = 99;

    for (int i = 0; i < 20000; i++) {
        char want[40];
        bits = bits * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        i64 v = (i64)(bits >> (11 + i % 53));
        if (i % 3 == 0) v = v / 1000 * 1000;

        num_f64_plain(&b, (f64)v);
        snprintf(want, sizeof(want), "%lld", (long long)v);
        assert_string_equal(b.p, want);
        buf_reset(&b);
        num_f64_g(&b, -(f64)v);
        assert_true(strtod(b.p, NULL) == -(f64)v);
        buf_reset(&b);
    }
    buf_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_numbers), cmocka_unit_test(integers),
        cmocka_unit_test(float_syntax),  cmocka_unit_test(plain_form),
        cmocka_unit_test(general_forms), cmocka_unit_test(json_forms),
        cmocka_unit_test(round_trips),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
