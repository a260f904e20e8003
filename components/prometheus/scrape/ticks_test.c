/* Tests of ticks: places in the interval, clocks that jump, timers that are early or late. */
#include "components/prometheus/scrape/ticks.h"
#include "base/clock.h"
#include "base/test.h"

#define S NS_PER_SEC

static void places(void **state)
{
    i64 now = 1700000000 * S + 7;

    for (u64 place = 0; place < 40 * (u64)S; place += 777777777) {
        i64 at = tick_first(place, 15 * S, now);
        assert_true(at > now && at <= now + 15 * S);
        assert_int_equal(at % (15 * S), (i64)(place % (15 * (u64)S)));
        assert_int_equal(tick_first(place, 15 * S, at), at + 15 * S);
    }
}

static void one_after_the_other(void **state)
{
    i64 due = tick_first(3 * (u64)S, 10 * S, 1000 * S);

    assert_int_equal(due, 1003 * S);
    assert_int_equal(tick_after(due, 3 * (u64)S, 10 * S, due + 1), due + 10 * S);
    assert_int_equal(tick_after(due, 3 * (u64)S, 10 * S, due + 9 * S), due + 10 * S);
    assert_int_equal(tick_after(due, 3 * (u64)S, 10 * S, due - 130 * NS_PER_MS), due + 10 * S);
}

static void missed_ticks_are_not_made_up_for(void **state)
{
    assert_int_equal(tick_after(1003 * S, 3 * (u64)S, 10 * S, 1013 * S), 1023 * S);
    assert_int_equal(tick_after(1003 * S, 3 * (u64)S, 10 * S, 1057 * S), 1063 * S);
}

static void a_clock_that_jumps(void **state)
{
    /* an hour ahead, an hour back: on the grid at once, one interval away at most */
    assert_int_equal(tick_after(1003 * S, 3 * (u64)S, 10 * S, 4604 * S), 4613 * S);
    assert_int_equal(tick_after(4603 * S, 3 * (u64)S, 10 * S, 1004 * S), 1013 * S);
    /* a little back: the grid is kept */
    assert_int_equal(tick_after(1003 * S, 3 * (u64)S, 10 * S, 1001 * S), 1013 * S);
    assert_int_equal(tick_early(1003 * S, 10 * S, 1001 * S), 2 * S);
    assert_int_equal(tick_early(4603 * S, 10 * S, 1004 * S), 0);
}

static void times_of_samples(void **state)
{
    assert_int_equal(tick_time(1003 * S, 10 * S, 1003 * S + NS_PER_MS), 1003 * S);
    assert_int_equal(tick_time(1003 * S, 10 * S, 1003 * S + 3 * NS_PER_MS),
                     1003 * S + 3 * NS_PER_MS);
    assert_int_equal(tick_time(1003 * S, 10 * S, 1002 * S), 1002 * S);
    /* 1 % of a short interval is less than 2 ms */
    assert_int_equal(tick_time(S, 100 * NS_PER_MS, S + 1500000), S + 1500000);
    assert_int_equal(tick_early(1003 * S, 10 * S, 1003 * S), 0);
    assert_int_equal(tick_early(1003 * S, 10 * S, 1004 * S), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(places),
        cmocka_unit_test(one_after_the_other),
        cmocka_unit_test(missed_ticks_are_not_made_up_for),
        cmocka_unit_test(a_clock_that_jumps),
        cmocka_unit_test(times_of_samples),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
