/* RFC 3339 times: known ones, every day of four centuries against the C library, what is refused.
 */
#include "base/test.h"

#include <errno.h>
#include <time.h>
#include "base/clock.h"
#include "base/rfc3339.h"

static void known_times(void **state)
{
    static const struct {
        const char *text;
        i64 ns;
    } cases[] = {
        {"1970-01-01T00:00:00Z", 0},
        {"2023-11-14T22:13:20Z", 1700000000000000000},
        {"2023-11-14T22:13:20.000000001Z", 1700000000000000001},
        {"2023-11-14T22:13:20.5Z", 1700000000500000000},
        {"2023-11-14T22:13:20,25Z", 1700000000250000000},
        {"2023-11-14T22:13:20.123456789999Z", 1700000000123456789},
        {"2023-11-15T00:13:20+02:00", 1700000000000000000},
        {"2023-11-14T18:43:20.1-03:30", 1700000000100000000},
        {"1969-12-31T23:59:59.999999999Z", -1},
        {"2262-04-11T23:47:16.854775807Z", INT64_MAX},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        i64 ns = 42;
        assert_int_equal(rfc3339_parse(str_of(cases[i].text), &ns), 0);
        if (ns != cases[i].ns) fail_msg("%s: %lld", cases[i].text, (long long)ns);
    }
}

static void every_day(void **state)
{
    for (time_t t = -9000000000; t < 9000000000; t += 86400) {
        struct tm tm;
        char text[64];
        i64 ns;
        gmtime_r(&t, &tm);
        (void)strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
        assert_int_equal(rfc3339_parse(str_of(text), &ns), 0);
        if (ns != (i64)t * NS_PER_SEC) fail_msg("%s", text);
    }
}

static void refused(void **state)
{
    static const char *const cases[] = {
        "",
        "2023-11-14",
        "2023-11-14T22:13:20",
        "2023-11-14 22:13:20Z",
        "2023-11-14T22:13:20z",
        "2023-11-14T22:13:20.Z",
        "2023-11-14T22:13:20+0200",
        "2023-11-14T22:13:20+25:00",
        "2023-11-14T22:13:20+02:60",
        "2023-11-14T22:13:20Zx",
        "2023-11-14T24:00:00Z",
        "2023-11-14T22:60:00Z",
        "2023-11-14T22:13:60Z",
        "2023-13-14T22:13:20Z",
        "2023-00-14T22:13:20Z",
        "2023-02-29T22:13:20Z",
        "1900-02-29T22:13:20Z",
        "2023-11-31T22:13:20Z",
        "2023-11-00T22:13:20Z",
        "x023-11-14T22:13:20Z",
    };
    i64 ns = 42;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        if (rfc3339_parse(str_of(cases[i]), &ns) != -EINVAL) fail_msg("%s", cases[i]);
    assert_int_equal(rfc3339_parse(STR("2262-04-11T23:47:16.854775808Z"), &ns), -ERANGE);
    assert_int_equal(rfc3339_parse(STR("9999-12-31T23:59:59Z"), &ns), -ERANGE);
    assert_int_equal(rfc3339_parse(STR("0000-01-01T00:00:00Z"), &ns), -ERANGE);
    assert_int_equal(ns, 42);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_times),
        cmocka_unit_test(every_day),
        cmocka_unit_test(refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
