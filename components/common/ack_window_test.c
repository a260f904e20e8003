/* Acknowledged ranges: order, gaps, failures, restarts, and acks that outlive their window. */
#include "components/common/ack_window.h"

#include <stdlib.h>
#include "base/test.h"

struct world {
    struct clock_fake clock;
    struct loop *loop;
    struct ack_window *w;
    int advanced, broken;
    bool retryable;
};

static void on_advanced(void *arg)
{
    ((struct world *)arg)->advanced++;
}

static void on_broken(void *arg, enum ack_outcome outcome, const struct ack_failure *f)
{
    struct world *k = arg;

    k->broken++;
    k->retryable = f && f->retryable;
}

static int set_up(void **state)
{
    struct world *k = *state = calloc(1, sizeof(*k));

    clock_fake_init(&k->clock, 0);
    k->loop = loop_new("test", 1, &k->clock.clock);
    k->w = ack_window_new(&(struct ack_window_conf){
        .loop = k->loop, .start = 100, .advanced = on_advanced, .broken = on_broken, .arg = k});
    return 0;
}

static int tear_down(void **state)
{
    struct world *k = *state;

    ack_window_free(k->w);
    loop_turn(k->loop, 0);
    loop_free(k->loop);
    free(k);
    return 0;
}

static void complete(struct world *k, struct ack *a, enum ack_outcome outcome,
                     const struct ack_failure *f)
{
    if (outcome != ACK_OK) ack_fail(a, outcome, f);
    ack_unref(a);
    loop_turn(k->loop, 0);
}

static void test_moves_in_order(void **state)
{
    struct world *k = *state;
    struct ack *a = ack_window_open(k->w, 110), *b = ack_window_open(k->w, 120),
               *c = ack_window_open(k->w, 130);

    complete(k, b, ACK_OK, NULL);
    assert_int_equal(ack_window_done(k->w), 100);
    assert_int_equal(k->advanced, 0);
    complete(k, a, ACK_DROPPED, NULL);
    assert_int_equal(ack_window_done(k->w), 120);
    assert_int_equal(k->advanced, 1);
    assert_int_equal(ack_window_open_ranges(k->w), 1);
    complete(k, c, ACK_FAILED, &(struct ack_failure){.text = "too old"});
    assert_int_equal(ack_window_done(k->w), 130);
    assert_int_equal(k->broken, 0);
}

static void test_bytes_without_entries(void **state)
{
    struct world *k = *state;
    struct ack *a = ack_window_open(k->w, 110);

    ack_window_skip(k->w, 115);
    assert_int_equal(ack_window_done(k->w), 100);
    complete(k, a, ACK_OK, NULL);
    assert_int_equal(ack_window_done(k->w), 115);
    ack_window_skip(k->w, 116);
    assert_int_equal(ack_window_done(k->w), 116);
    assert_int_equal(k->advanced, 2);
}

static void test_does_not_pass_what_was_not_delivered(void **state)
{
    struct world *k = *state;
    struct ack *a = ack_window_open(k->w, 110), *b = ack_window_open(k->w, 120),
               *c = ack_window_open(k->w, 130);

    complete(k, b, ACK_FAILED, &(struct ack_failure){.retryable = true, .text = "down"});
    assert_int_equal(k->broken, 1);
    assert_true(k->retryable);
    complete(k, c, ACK_ABANDONED, NULL);
    assert_int_equal(k->broken, 1); /* told once */
    complete(k, a, ACK_OK, NULL);
    assert_int_equal(ack_window_done(k->w), 110);
    assert_true(ack_window_is_broken(k->w));

    ack_window_restart(k->w, ack_window_done(k->w));
    assert_false(ack_window_is_broken(k->w));
    assert_int_equal(ack_window_open_ranges(k->w), 0);
    complete(k, ack_window_open(k->w, 140), ACK_ABANDONED, NULL);
    assert_int_equal(k->broken, 2);
}

static void test_restart_forgets_what_is_on_its_way(void **state)
{
    struct world *k = *state;
    struct ack *old = ack_window_open(k->w, 110);

    ack_window_restart(k->w, 0);
    struct ack *fresh = ack_window_open(k->w, 5);
    complete(k, old, ACK_ABANDONED, NULL);
    assert_int_equal(k->broken, 0);
    complete(k, fresh, ACK_OK, NULL);
    assert_int_equal(ack_window_done(k->w), 5);
}

static void test_acks_outlive_the_window(void **state)
{
    struct world *k = *state;
    struct ack *a = ack_window_open(k->w, 110), *b = ack_window_open(k->w, 120);

    complete(k, b, ACK_OK, NULL);
    ack_window_free(k->w);
    k->w = NULL;
    complete(k, a, ACK_OK, NULL);
    assert_int_equal(k->advanced, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_moves_in_order, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_bytes_without_entries, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_does_not_pass_what_was_not_delivered, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_restart_forgets_what_is_on_its_way, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_acks_outlive_the_window, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
