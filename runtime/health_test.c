/* Worst of three, ties, times. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "runtime/health.h"
#include "runtime/compile/template.h"

static void test_worst_wins(void **state)
{
    struct node_health h;
    node_health_init(&h, NODE_COMPONENT, 1);
    assert_string_equal(node_health_worst(&h)->text, "component created");
    assert_int_equal(node_health_worst(&h)->state, HEALTH_UNKNOWN);
    node_health_set(&h, HEALTH_EVAL, HEALTH_HEALTHY, 2, "component evaluated");
    assert_int_equal(node_health_worst(&h)->state, HEALTH_UNKNOWN); /* not run yet */
    node_health_set(&h, HEALTH_RUN, HEALTH_HEALTHY, 3, "started component");
    assert_string_equal(node_health_worst(&h)->text, "started component");
    node_health_set(&h, HEALTH_OWN, HEALTH_UNHEALTHY, 4, "refused");
    assert_string_equal(node_health_worst(&h)->text, "refused");
    node_health_set(&h, HEALTH_RUN, HEALTH_EXITED, 5, "component shut down cleanly");
    assert_int_equal(node_health_worst(&h)->state, HEALTH_EXITED);
    node_health_done(&h);
}

static void test_ties(void **state)
{
    struct node_health h;
    node_health_init(&h, NODE_COMPONENT, 1);
    node_health_set(&h, HEALTH_RUN, HEALTH_HEALTHY, 7, "run");
    node_health_set(&h, HEALTH_EVAL, HEALTH_HEALTHY, 7, "eval");
    assert_string_equal(node_health_worst(&h)->text, "run"); /* the earlier of run, eval, own */
    node_health_set(&h, HEALTH_OWN, HEALTH_HEALTHY, 8, "own");
    assert_string_equal(node_health_worst(&h)->text, "own"); /* the most recent */
    node_health_done(&h);
}

static void test_equal_report_keeps_its_time(void **state)
{
    struct node_health h;
    node_health_init(&h, NODE_COMPONENT, 1);
    node_health_set(&h, HEALTH_OWN, HEALTH_UNHEALTHY, 5, "down");
    node_health_set(&h, HEALTH_OWN, HEALTH_UNHEALTHY, 9, "down");
    assert_int_equal(h.part[HEALTH_OWN].when, 5);
    node_health_set(&h, HEALTH_OWN, HEALTH_UNHEALTHY, 9, "still down");
    assert_int_equal(h.part[HEALTH_OWN].when, 9);
    node_health_done(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_worst_wins),
        cmocka_unit_test(test_ties),
        cmocka_unit_test(test_equal_report_keeps_its_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
