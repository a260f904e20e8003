/* Permits: the limit, and fairness between workers. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "components/common/permits.h"

static void limit_holds(void **state)
{
    (void)state;
    struct permits p = {.limit = 2, .sharers = 1};
    struct permits_share s = {0};
    assert_true(permits_take(&p, &s));
    assert_true(permits_take(&p, &s));
    assert_false(permits_take(&p, &s));
    assert_false(s.hungry); /* it holds some */
    permits_give(&p, &s);
    assert_true(permits_take(&p, &s));
}

static void one_may_use_all(void **state)
{
    (void)state;
    struct permits p = {.limit = 4, .sharers = 2};
    struct permits_share s = {0};
    for (int i = 0; i < 4; i++)
        assert_true(permits_take(&p, &s));
}

static void hungry_come_first(void **state)
{
    (void)state;
    struct permits p = {.limit = 4, .sharers = 2};
    struct permits_share a = {0}, b = {0};
    for (int i = 0; i < 4; i++)
        assert_true(permits_take(&p, &a));
    assert_false(permits_take(&p, &b));
    assert_true(b.hungry);
    permits_give(&p, &a);
    assert_false(permits_take(&p, &a)); /* three are more than its part */
    assert_true(permits_take(&p, &b));
    assert_false(b.hungry);
}

static void a_single_permit_goes_round(void **state)
{
    (void)state;
    struct permits p = {.limit = 1, .sharers = 2};
    struct permits_share a = {0}, b = {0};
    assert_true(permits_take(&p, &a));
    assert_false(permits_take(&p, &b));
    permits_give(&p, &a);
    assert_false(permits_take(&p, &a)); /* queues behind b */
    assert_true(permits_take(&p, &b));
    permits_give(&p, &b);
    assert_true(permits_take(&p, &a));
}

static void sated_stand_in_nobodys_way(void **state)
{
    (void)state;
    struct permits p = {.limit = 1, .sharers = 2};
    struct permits_share a = {0}, b = {0};
    assert_true(permits_take(&p, &a));
    assert_false(permits_take(&p, &b));
    permits_sated(&p, &b);
    permits_give(&p, &a);
    assert_true(permits_take(&p, &a));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(limit_holds), cmocka_unit_test(one_may_use_all),
        cmocka_unit_test(hungry_come_first), cmocka_unit_test(a_single_permit_goes_round),
        cmocka_unit_test(sated_stand_in_nobodys_way)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
