/* Back-off: growth, jitter, the server's lower bound, the end. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "components/common/backoff.h"

static const struct backoff_conf conf = {.initial = 5 * NS_PER_SEC,
                                         .max = 30 * NS_PER_SEC,
                                         .max_elapsed = 300 * NS_PER_SEC,
                                         .multiplier = 1.5,
                                         .randomization = 0.5};

static void grows_to_the_maximum(void **state)
{
    (void)state;
    struct backoff b = {0};
    const i64 want[] = {5000, 7500, 11250, 16875, 25312, 30000, 30000};
    for (size_t i = 0; i < ARRAY_LEN(want); i++)
        assert_int_equal(backoff_next(&b, &conf, 0.5, 0) / NS_PER_MS, want[i]);
}

static void jitter_stays_within_its_part(void **state)
{
    (void)state;
    struct backoff low = {0}, high = {0};
    assert_int_equal(backoff_next(&low, &conf, 0, 0), 2500 * NS_PER_MS);
    i64 top = backoff_next(&high, &conf, 0.999999, 0);
    assert_true(top > 7400 * NS_PER_MS && top < 7500 * NS_PER_MS);
}

static void server_delay_is_a_lower_bound(void **state)
{
    (void)state;
    struct backoff b = {0};
    assert_int_equal(backoff_next(&b, &conf, 0.5, 60 * NS_PER_SEC), 60 * NS_PER_SEC);
    assert_int_equal(backoff_next(&b, &conf, 0.5, NS_PER_SEC), 7500 * NS_PER_MS);
}

static void ends(void **state)
{
    (void)state;
    struct backoff_conf forever = conf;
    forever.max_elapsed = 0;
    assert_true(backoff_fits(&conf, 0, 290 * NS_PER_SEC, 10 * NS_PER_SEC));
    assert_false(backoff_fits(&conf, 0, 290 * NS_PER_SEC, 10 * NS_PER_SEC + 1));
    assert_true(backoff_fits(&forever, 0, 290 * NS_PER_SEC, 1000 * NS_PER_SEC));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(grows_to_the_maximum), cmocka_unit_test(jitter_stays_within_its_part),
        cmocka_unit_test(server_delay_is_a_lower_bound), cmocka_unit_test(ends)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
