/* Tests of base/clock.h. */
#include "base/clock.h"
#include <stdlib.h>
#include <time.h>
#include "base/test.h"

static void fake_clock(void **state)
{
    struct clock_fake f;

    clock_fake_init(&f, 5 * NS_PER_SEC);
    i64 mono = clock_mono(&f.clock);
    clock_fake_advance(&f, 7);
    assert_int_equal(clock_mono(&f.clock), mono + 7);
    assert_int_equal(clock_real(&f.clock), 5 * NS_PER_SEC + 7);
}

static void system_clock(void **state)
{
    i64 before = clock_mono(&clock_system);

    assert_true(clock_mono(&clock_system) >= before);
    assert_true(clock_real(&clock_system) > INT64_C(1577836800) * NS_PER_SEC);
}

static void rfc3339(void **state)
{
    static const struct {
        i64 ns;
        const char *text;
    } cases[] = {
        {0, "1970-01-01T00:00:00Z"},
        {1, "1970-01-01T00:00:00.000000001Z"},
        {INT64_C(1714564800123456789), "2024-05-01T12:00:00.123456789Z"},
        {INT64_C(1714564800120000000), "2024-05-01T12:00:00.12Z"},
        {-1, "1969-12-31T23:59:59.999999999Z"},
        {INT64_MAX, "2262-04-11T23:47:16.854775807Z"},
        {INT64_MIN, "1677-09-21T00:12:43.145224192Z"},
    };
    struct buf b = BUF_INIT(100);

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        time_rfc3339(&b, cases[i].ns, false);
        assert_buf(&b, cases[i].text);
    }
    buf_done(&b);
}

static void local_time(void **state)
{
    struct buf b = BUF_INIT(100);

    setenv("TZ", "XXX-05:30", 1);
    tzset();
    time_rfc3339(&b, 0, true);
    assert_buf(&b, "1970-01-01T05:30:00+05:30");
    setenv("TZ", "XXX+03", 1);
    tzset();
    time_rfc3339(&b, 0, true);
    assert_buf(&b, "1969-12-31T21:00:00-03:00");
    setenv("TZ", "UTC0", 1);
    tzset();
    time_rfc3339(&b, 0, true);
    assert_buf(&b, "1970-01-01T00:00:00Z");
    buf_done(&b);
}

static void randomness(void **state)
{
    u8 bytes[64] = {0}, zeroes[64] = {0};

    random_bytes(bytes, sizeof(bytes));
    assert_memory_not_equal(bytes, zeroes, sizeof(bytes));
    assert_true(random_u64() != random_u64());
    for (int i = 0; i < 1000; i++) {
        f64 v = random_unit();
        assert_true(v >= 0 && v < 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fake_clock), cmocka_unit_test(system_clock), cmocka_unit_test(rfc3339),
        cmocka_unit_test(local_time), cmocka_unit_test(randomness),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
