/* Tests of base/lru.h: who leaves, what is found, and that everything held is let go. */
#include "base/lru.h"
#include "base/budget.h"
#include "base/test.h"

static char keys[5000];
static int held, left_last;

static void let_go(void *arg, void *key, void *value)
{
    assert_ptr_equal(arg, keys);
    left_last = (int)((char *)key - keys);
    assert_true(!value || value == (char *)key + 1);
    held--;
}

static struct lru *cache(u32 max)
{
    return lru_new(&(struct lru_conf){.max = max, .let_go = let_go, .arg = keys});
}

/* What becomes of a key is the address behind it. */
static void put(struct lru *c, int i, i64 now)
{
    assert_true(lru_put(c, &keys[i], &keys[i] + 1, now));
    held++;
}

static bool has(struct lru *c, int i, i64 now)
{
    void *value = NULL;
    bool found = lru_get(c, &keys[i], now, &value);

    if (found) assert_ptr_equal(value, &keys[i] + 1);
    return found;
}

static void end(struct lru *c)
{
    assert_int_equal(lru_count(c), held);
    lru_free(c);
    assert_int_equal(held, 0);
}

static void the_least_used_leaves(void **state)
{
    struct lru *c = cache(3);

    assert_false(has(c, 1, 0));
    for (int i = 1; i <= 3; i++)
        put(c, i, 0);
    assert_true(has(c, 1, 0));
    put(c, 4, 0);
    assert_int_equal(left_last, 2);
    assert_false(has(c, 2, 0));
    assert_true(has(c, 1, 0) && has(c, 3, 0) && has(c, 4, 0));
    put(c, 5, 0);
    assert_int_equal(left_last, 1);
    end(c);
}

static void one_entry(void **state)
{
    struct lru *c = cache(1);

    put(c, 1, 0);
    put(c, 2, 0);
    assert_false(has(c, 1, 0));
    assert_true(has(c, 2, 0));
    end(c);
}

static void nothing_may_be_the_value(void **state)
{
    struct lru *c = cache(3);
    void *value = keys;

    assert_true(lru_put(c, keys, NULL, 0));
    held++;
    assert_true(lru_get(c, keys, 0, &value));
    assert_null(value);
    assert_true(lru_del(c, keys));
    assert_false(lru_del(c, keys));
    end(c);
}

static void many(void **state)
{
    enum { N = 4000, MAX_ENTRIES = 3000 };
    struct lru *c = cache(MAX_ENTRIES);

    for (int i = 0; i < N; i++)
        put(c, i, 0);
    assert_int_equal(lru_count(c), MAX_ENTRIES);
    for (int i = 0; i < N; i++)
        assert_int_equal(has(c, i, 0), i >= N - MAX_ENTRIES);
    end(c);
}

static void taken_out_and_put_again(void **state)
{
    struct lru *c = cache(0);

    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 500; i++)
            put(c, i, 0);
        for (int i = 0; i < 500; i += 2)
            assert_true(lru_del(c, &keys[i]));
        for (int i = 0; i < 500; i++)
            assert_int_equal(has(c, i, 0), i % 2);
        assert_int_equal(lru_count(c), 250);
        assert_int_equal(lru_expire(c, 1, 1000), 250);
    }
    end(c);
}

static void those_not_asked_for_expire(void **state)
{
    struct lru *c = cache(0);

    for (int i = 0; i < 10; i++)
        put(c, i, i);
    assert_true(has(c, 0, 100));
    assert_int_equal(lru_expire(c, 6, 3), 3);
    assert_int_equal(lru_expire(c, 6, 100), 2);
    assert_int_equal(lru_expire(c, 6, 100), 0);
    assert_true(has(c, 0, 100) && has(c, 6, 100));
    assert_false(has(c, 1, 100) || has(c, 5, 100));
    end(c);
}

static void without_memory_nothing_is_held(void **state)
{
    for (long n = 1; n < 6; n++) {
        struct lru *c = cache(0);
        budget_fail_nth(n);
        bool taken = lru_put(c, keys, keys + 1, 0);
        budget_fail_nth(0);
        held += taken;
        assert_int_equal(has(c, 0, 0), taken);
        end(c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_least_used_leaves),
        cmocka_unit_test(one_entry),
        cmocka_unit_test(nothing_may_be_the_value),
        cmocka_unit_test(many),
        cmocka_unit_test(taken_out_and_put_again),
        cmocka_unit_test(those_not_asked_for_expire),
        cmocka_unit_test(without_memory_nothing_is_held),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
