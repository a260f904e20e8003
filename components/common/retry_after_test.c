/* Retry-After: seconds and dates. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>

#include "components/common/retry_after.h"

#define NOW (INT64_C(784111777) * NS_PER_SEC) /* Sun, 06 Nov 1994 08:49:37 GMT */

static void seconds(void **state)
{
    (void)state;
    assert_int_equal(retry_after_parse(STR("7"), NOW), 7 * NS_PER_SEC);
    assert_int_equal(retry_after_parse(STR("0"), NOW), 0);
    assert_int_equal(retry_after_parse(STR("-5"), NOW), 0);
    assert_int_equal(retry_after_parse(STR(""), NOW), 0);
    assert_int_equal(retry_after_parse(STR("1.5"), NOW), 0);
    assert_true(retry_after_parse(STR("9223372036854775807"), NOW) > 0);
}

static void dates(void **state)
{
    (void)state;
    i64 at;
    assert_int_equal(http_date_parse(STR("Sun, 06 Nov 1994 08:49:37 GMT"), &at), 0);
    assert_int_equal(at, NOW);
    assert_int_equal(retry_after_parse(STR("Sun, 06 Nov 1994 08:50:37 GMT"), NOW), 60 * NS_PER_SEC);
    assert_int_equal(retry_after_parse(STR("Sun, 06 Nov 1994 08:48:37 GMT"), NOW), 0);
}

static void not_dates(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "Sun, 6 Nov 1994 08:49:37 GMT",  "Sun, 06 Nov 1994 08:49:37",
        "Sun, 06 Foo 1994 08:49:37 GMT", "Sun, 00 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 24:00:00 GMT", "Sun, 06 Nov 0001 08:49:37 GMT"};
    i64 at = 5;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(http_date_parse(str_of(bad[i]), &at), -EINVAL);
    assert_int_equal(at, 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(seconds), cmocka_unit_test(dates),
                                       cmocka_unit_test(not_dates)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
