/* Tests of components/common/series_cache.h: who leaves, what is retired, what is found. */
#include "components/common/series_cache.h"
#include "base/budget.h"
#include "base/test.h"

static struct series_table *table;
static struct series_keeper keeper;

static int setup(void **state)
{
    table = series_table_new();
    series_keeper_init(&keeper, table);
    return 0;
}

static size_t alive(void)
{
    struct series_stats st;

    series_table_stats(table, &st);
    return st.series;
}

static int teardown(void **state)
{
    series_keeper_done(&keeper);
    assert_int_equal(alive(), 0);
    series_table_free(table);
    return 0;
}

static struct series *make(int i)
{
    char text[16];

    (void)snprintf(text, sizeof(text), "%d", i);
    return series_intern(table, &(struct label){STR("n"), str_of(text)}, 1);
}

/* What becomes of i is i + 1000. */
static void put(struct series_cache *c, int i, i64 now)
{
    struct series *in = make(i);

    series_cache_put(c, in, make(i + 1000), now);
    series_unref(table, in);
}

static bool has(struct series_cache *c, int i, i64 now)
{
    struct series *in = make(i), *out = NULL, *want = make(i + 1000);
    bool found = series_cache_get(c, in, now, &out);

    if (found) assert_ptr_equal(out, want);
    series_unref(table, in);
    series_unref(table, want);
    return found;
}

static void the_least_used_leaves(void **state)
{
    struct series_cache *c = series_cache_new(&keeper, 3);

    assert_false(has(c, 1, 0));
    for (int i = 1; i <= 3; i++)
        put(c, i, 0);
    assert_true(has(c, 1, 0));
    put(c, 4, 0);
    assert_false(has(c, 2, 0));
    assert_true(has(c, 1, 0) && has(c, 3, 0) && has(c, 4, 0));
    assert_int_equal(series_cache_count(c), 3);
    series_cache_free(c);
}

static void nothing_may_be_the_result(void **state)
{
    struct series_cache *c = series_cache_new(&keeper, 3);
    struct series *in = make(1), *out = in;

    series_cache_put(c, in, NULL, 0);
    assert_true(series_cache_get(c, in, 0, &out));
    assert_null(out);
    assert_true(series_cache_del(c, in));
    assert_false(series_cache_del(c, in));
    series_unref(table, in);
    series_cache_free(c);
}

/* A result that left lives as long as a batch of this or an earlier epoch. */
static void results_are_retired(void **state)
{
    struct series_cache *c = series_cache_new(&keeper, 1);

    put(c, 1, 0);
    struct series_epoch *batch = series_epoch_now(&keeper);
    put(c, 2, 0);
    assert_int_equal(alive(), 3); /* 1001, 2, 1002 */
    struct series_epoch *later = series_epoch_now(&keeper);
    series_epoch_unref(batch);
    assert_int_equal(alive(), 2);
    series_epoch_unref(later);
    series_cache_free(c);
}

static void taken_out_and_put_again(void **state)
{
    struct series_cache *c = series_cache_new(&keeper, 0);

    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 500; i++)
            put(c, i, 0);
        for (int i = 0; i < 500; i += 2) {
            struct series *in = make(i);
            assert_true(series_cache_del(c, in));
            series_unref(table, in);
        }
        for (int i = 0; i < 500; i++)
            assert_int_equal(has(c, i, 0), i % 2);
        assert_int_equal(series_cache_count(c), 250);
        assert_int_equal(series_cache_expire(c, 1, 1000), 250);
        assert_int_equal(series_cache_count(c), 0);
    }
    series_cache_free(c);
}

static void those_not_asked_for_expire(void **state)
{
    struct series_cache *c = series_cache_new(&keeper, 0);

    for (int i = 0; i < 10; i++)
        put(c, i, i);
    assert_true(has(c, 0, 100));
    assert_int_equal(series_cache_expire(c, 6, 3), 3);
    assert_int_equal(series_cache_expire(c, 6, 100), 2);
    assert_int_equal(series_cache_expire(c, 6, 100), 0);
    assert_true(has(c, 0, 100) && has(c, 6, 100));
    assert_false(has(c, 1, 100) || has(c, 5, 100));
    series_cache_free(c);
}

/* HOSTILE builds: without memory nothing is remembered, and nothing leaks. */
static void without_memory(void **state)
{
    for (long n = 1; n < 8; n++) {
        struct series_cache *c = series_cache_new(&keeper, 0);
        struct series *in = make(1), *out = make(2);
        budget_fail_nth(n);
        series_cache_put(c, in, out, 0);
        budget_fail_nth(0);
        struct series *found = NULL;
        if (series_cache_get(c, in, 0, &found)) assert_non_null(found);
        series_unref(table, in);
        series_cache_free(c);
    }
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(the_least_used_leaves),   T(nothing_may_be_the_result),  T(results_are_retired),
        T(taken_out_and_put_again), T(those_not_asked_for_expire), T(without_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
