/* Tests of durations and byte sizes in base/num.h. */
#include <errno.h>
#include <stdlib.h>
#include "base/num.h"
#include "base/test.h"

static void durations(void **state)
{
    static const struct {
        const char *text;
        i64 ns;
    } cases[] = {
        {"0", 0},
        {"-0", 0},
        {"5s", 5 * NS_PER_SEC},
        {"1.5h", 5400 * NS_PER_SEC},
        {"-1m30s", -90 * NS_PER_SEC},
        {"+1h1h", 7200 * NS_PER_SEC},
        {".5s", 500 * NS_PER_MS},
        {"1.s", NS_PER_SEC},
        {"3us", 3000},
        {"3\xC2\xB5s", 3000},
        {"3\xCE\xBCs", 3000},
        {"7ns", 7},
        {"0.9ns", 0},
        {"0.3333333333333333333h", INT64_C(1200000000000)},
        {"9223372036854775807ns", INT64_MAX},
        {"-9223372036854775808ns", INT64_MIN},
    };
    i64 ns;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(dur_parse(str_of(cases[i].text), &ns, NULL), 0);
        if (ns != cases[i].ns) fail_msg("%s is %lld", cases[i].text, (long long)ns);
    }
}

static void duration_faults(void **state)
{
    static const struct {
        const char *text, *err;
    } cases[] = {
        {"", "time: invalid duration \"\""},
        {"-", "time: invalid duration \"-\""},
        {"x", "time: invalid duration \"x\""},
        {".s", "time: invalid duration \".s\""},
        {"5", "time: missing unit in duration \"5\""},
        {"1s5", "time: missing unit in duration \"1s5\""},
        {"1d", "time: unknown unit \"d\" in duration \"1d\""},
        {"1 s", "time: unknown unit \" s\" in duration \"1 s\""},
        {"1\"", "time: unknown unit \"\\\"\" in duration \"1\\\"\""},
        {"1\xC3\xA9", "time: unknown unit \"\\xc3\\xa9\" in duration \"1\\xc3\\xa9\""},
        {"9223372036854775808ns", "time: invalid duration \"9223372036854775808ns\""},
        {"99999999999999999999s", "time: invalid duration \"99999999999999999999s\""},
        {"3000000h", "time: invalid duration \"3000000h\""},
    };
    i64 ns = 42;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char *err = NULL;

        assert_int_equal(dur_parse(str_of(cases[i].text), &ns, &err), -EINVAL);
        assert_string_equal(err, cases[i].err);
        free(err);
    }
    assert_int_equal(ns, 42);
}

static void duration_texts(void **state)
{
    static const struct {
        i64 ns;
        const char *text;
    } cases[] = {
        {0, "0s"},
        {7, "7ns"},
        {1500, "1.5\xC2\xB5s"},
        {100 * NS_PER_MS, "100ms"},
        {1234567, "1.234567ms"},
        {1500 * NS_PER_MS, "1.5s"},
        {150 * NS_PER_SEC, "2m30s"},
        {3600 * NS_PER_SEC, "1h0m0s"},
        {-90 * NS_PER_SEC, "-1m30s"},
        {INT64_MAX, "2562047h47m16.854775807s"},
        {INT64_MIN, "-2562047h47m16.854775808s"},
    };
    struct buf b = BUF_INIT(100);

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        i64 back;

        dur_format(&b, cases[i].ns);
        assert_int_equal(dur_parse(buf_view(&b), &back, NULL), 0);
        assert_true(back == cases[i].ns);
        assert_buf(&b, cases[i].text);
    }
    buf_done(&b);
}

static void sizes(void **state)
{
    static const struct {
        const char *text;
        i64 bytes;
    } cases[] = {
        {"0", 0},
        {"10B", 10},
        {"1KiB", 1024},
        {"1KB", 1024},
        {"1.5MiB", 1572864},
        {"1MiB512KiB", 1572864},
        {"-2GB", INT64_C(-2147483648)},
        {"1TiB", INT64_C(1) << 40},
        {"1PB1B", (INT64_C(1) << 50) + 1},
        {"7EiB", INT64_C(7) << 60},
        {"0.3B", 0},
    };
    i64 n;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(bytesize_parse(str_of(cases[i].text), &n, NULL), 0);
        if (n != cases[i].bytes) fail_msg("%s is %lld", cases[i].text, (long long)n);
    }
}

static void size_faults(void **state)
{
    static const struct {
        const char *text, *err;
        int rc;
    } cases[] = {
        {"", "units: invalid ", -EINVAL},
        {"x", "units: invalid x", -EINVAL},
        {"10", "units: unknown unit  in 10", -EINVAL},
        {"10kB", "units: unknown unit kB in 10kB", -EINVAL},
        {"1KiB1KB", "units: unknown unit KiB in 1KiB1KB", -EINVAL},
        {"1XiB", "units: unknown unit XiB in 1XiB", -EINVAL},
        {"1BiB", "units: unknown unit BiB in 1BiB", -EINVAL},
        {".B", "units: invalid .B", -EINVAL},
        {"8EB", "units: overflow parsing unit", -ERANGE},
    };
    i64 n = 42;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char *err = NULL;

        assert_int_equal(bytesize_parse(str_of(cases[i].text), &n, &err), cases[i].rc);
        assert_string_equal(err, cases[i].err);
        free(err);
    }
    assert_int_equal(n, 42);
}

static void size_texts(void **state)
{
    struct buf b = BUF_INIT(100);

    bytesize_format(&b, 0);
    assert_buf(&b, "0B");
    bytesize_format(&b, 1572864);
    assert_buf(&b, "1MiB512KiB");
    bytesize_format(&b, 1025);
    assert_buf(&b, "1KiB1B");
    bytesize_format(&b, INT64_MAX);
    assert_buf(&b, "7EiB1023PiB1023TiB1023GiB1023MiB1023KiB1023B");
    buf_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(durations),      cmocka_unit_test(duration_faults),
        cmocka_unit_test(duration_texts), cmocka_unit_test(sizes),
        cmocka_unit_test(size_faults),    cmocka_unit_test(size_texts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
