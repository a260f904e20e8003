/* Tests of base/budget.h, with threads for TSan. */
#include "base/budget.h"
#include <pthread.h>
#include <stdlib.h>
#include "base/test.h"

static void taking_and_giving(void **state)
{
    struct budget b;

    budget_init(&b, 100);
    assert_true(budget_take(&b, 60));
    assert_false(budget_take(&b, 41));
    assert_int_equal(budget_used(&b), 60);
    assert_true(budget_has(&b, 40));
    assert_false(budget_has(&b, 41));
    assert_true(budget_take(&b, 40));
    budget_force(&b, 50);
    assert_int_equal(budget_used(&b), 150);
    assert_false(budget_take(&b, 1));
    budget_give(&b, 150);
    assert_int_equal(budget_used(&b), 0);
    assert_false(budget_take(&b, INT64_MAX));
}

static void without_limit(void **state)
{
    struct budget b;

    budget_init(&b, 0);
    assert_true(budget_take(&b, INT64_MAX / 2));
    assert_true(budget_has(&b, INT64_MAX / 2));
    budget_give(&b, INT64_MAX / 2);
}

static void *worker(void *arg)
{
    struct budget *b = arg;
    intptr_t refused = 0;

    for (int i = 0; i < 20000; i++) {
        if (!budget_take(b, 3)) {
            refused++;
            continue;
        }
        if (budget_used(b) > 8) abort();
        budget_give(b, 3);
    }
    return (void *)refused;
}

/* Never more than two of three hold their 3 of 8 at once. */
static void shared_by_threads(void **state)
{
    pthread_t t[3];
    struct budget b;

    budget_init(&b, 8);
    for (size_t i = 0; i < ARRAY_LEN(t); i++)
        assert_int_equal(pthread_create(&t[i], NULL, worker, &b), 0);
    for (size_t i = 0; i < ARRAY_LEN(t); i++)
        pthread_join(t[i], NULL);
    assert_int_equal(budget_used(&b), 0);
}

static void allocation(void **state)
{
    char *p = budget_alloc(0);

    assert_non_null(p);
    p = budget_realloc(p, 100);
    assert_non_null(p);
    memset(p, 1, 100);
    free(p);
}

#ifdef HOSTILE
static void nth_fails(void **state)
{
    void *a, *b, *c;

    budget_fail_nth(2);
    a = budget_alloc(1), b = budget_alloc(1), c = budget_alloc(1);
    assert_non_null(a);
    assert_null(b);
    assert_non_null(c);
    free(a);
    free(c);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(taking_and_giving), cmocka_unit_test(without_limit),
        cmocka_unit_test(shared_by_threads), cmocka_unit_test(allocation),
#ifdef HOSTILE
        cmocka_unit_test(nth_fails),
#endif
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
