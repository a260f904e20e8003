/* The fan-out and the ways to its sinks: one held batch per branch, independence, credit windows,
 * plans that change what is held, outcomes across branches. */
#include "runtime/dataplane/dataplane_kit.h"

#define WINDOW 8 /* batches on the way to another worker */

struct world {
    struct kit k;
    struct tally out, in[2];
    struct node source, to[2];
    struct fake_args a;
};

/* Two ONE consumers on workers 1 and 2; a ONE source joins the first that it names. */
static void world_open(struct world *w, enum mode first, enum mode second)
{
    enum mode modes[] = {first, second};

    memset(w, 0, sizeof(*w));
    kit_init(&w->k, 2);
    tally_init(&w->out, &w->k);
    w->a = (struct fake_args){.tally = &w->out, .n = 40, .cap = 3};
    for (int i = 0; i < 2; i++) {
        struct fake_args a = w->a;
        tally_init(&w->in[i], &w->k);
        a.tally = &w->in[i];
        a.mode = modes[i];
        node_up(&w->to[i], &w->k, &fake_consumers[PLACE_ONE], a, NULL);
    }
}

static void start_source(struct world *w, struct node **to)
{
    node_up(&w->source, &w->k, &fake_sources[PLACE_ONE], w->a, to);
}

static void open_gate(struct world *w, int i)
{
    atomic_store(&w->in[i].gate, true);
    comp_ready(instance_comp(w->to[i].inst));
}

static void world_close(struct world *w)
{
    node_down(&w->source);
    node_down(&w->to[0]);
    node_down(&w->to[1]);
    kit_done(&w->k);
}

/* All that workers still do on account of what was posted. */
static void quiesce(struct world *w)
{
    for (int round = 0; round < 3; round++) {
        kit_flush(&w->k, 1);
        kit_flush(&w->k, 2);
        loop_turn(w->k.control, 0);
    }
}

static void one_held_batch_on_the_same_worker(void **state)
{
    struct world w;

    world_open(&w, MODE_GATE, MODE_TAKE);
    start_source(&w, TO(&w.to[0], &w.to[1]));
    kit_until(&w.k, w.out.full == 1);
    quiesce(&w);
    assert_int_equal(w.out.pushed, 1);
    assert_int_equal(w.in[1].taken, 1); /* the other branch had it all the same */
    assert_int_equal(tally_acks(&w.out), 0);
    open_gate(&w, 0);
    kit_until(&w.k, w.out.acks[ACK_OK] == 40);
    assert_int_equal(w.in[0].disorder + w.in[1].disorder, 0);
    world_close(&w);
}

/* Nobody took it: the producer keeps it, so that the refusal reaches who can wait. */
static void refused_by_all(void **state)
{
    struct world w;

    world_open(&w, MODE_GATE, MODE_TAKE);
    start_source(&w, TO(&w.to[0]));
    kit_until(&w.k, w.out.full == 1);
    quiesce(&w);
    assert_int_equal(w.out.pushed, 0);
    open_gate(&w, 0);
    kit_until(&w.k, w.out.acks[ACK_OK] == 40);
    assert_int_equal(w.in[0].taken, 40);
    assert_int_equal(w.in[0].disorder, 0);
    world_close(&w);
}

static void window_to_another_worker(void **state)
{
    struct world w;

    world_open(&w, MODE_TAKE, MODE_GATE);
    start_source(&w, TO(&w.to[0], &w.to[1]));
    kit_until(&w.k, w.out.full == 1);
    quiesce(&w);
    assert_int_equal(w.out.pushed, WINDOW + 1);
    assert_int_equal(w.in[0].taken, WINDOW + 1);
    assert_int_equal(w.in[1].refused,
                     1); /* the rest queues behind the first: no attempt for each */
    open_gate(&w, 1);
    kit_until(&w.k, w.out.acks[ACK_OK] == 40);
    assert_int_equal(w.in[1].taken, 40);
    assert_int_equal(w.in[1].disorder, 0);
    world_close(&w);
}

static void window_counts_bytes(void **state)
{
    struct world w;

    world_open(&w, MODE_TAKE, MODE_GATE);
    w.a.bytes = (size_t)3 * 1024 * 1024;
    start_source(&w, TO(&w.to[0], &w.to[1]));
    kit_until(&w.k, w.out.full == 1);
    quiesce(&w);
    assert_int_equal(w.out.pushed, 2); /* one on the way, one held */
    open_gate(&w, 1);
    kit_until(&w.k, w.out.acks[ACK_OK] == 40);
    world_close(&w);
}

/* --- what is held when the plan changes --- */

static void held_for_a_branch_that_stays(void **state)
{
    struct world w;

    world_open(&w, MODE_GATE, MODE_TAKE);
    start_source(&w, TO(&w.to[0], &w.to[1]));
    kit_until(&w.k, w.out.full == 1);
    node_apply(&w.source, w.a, TO(&w.to[0]));
    kit_until(&w.k, w.source.applied == 1);
    assert_int_equal(tally_acks(&w.out), 0);
    open_gate(&w, 0);
    kit_until(&w.k, w.out.acks[ACK_OK] == 40);
    assert_int_equal(w.in[0].taken, 40);
    assert_int_equal(w.in[0].disorder, 0);
    assert_int_equal(w.in[1].taken, 1); /* it had taken the held one before */
    world_close(&w);
}

static void held_for_a_branch_that_vanished(void **state)
{
    struct world w;

    world_open(&w, MODE_GATE, MODE_TAKE);
    start_source(&w, TO(&w.to[0], &w.to[1]));
    kit_until(&w.k, w.out.full == 1);
    node_apply(&w.source, w.a, TO(&w.to[1]));
    kit_until(&w.k, tally_acks(&w.out) == 40);
    assert_int_equal(w.out.acks[ACK_DROPPED], 1);
    assert_int_equal(w.out.acks[ACK_OK], 39);
    assert_int_equal(w.in[0].taken, 0);
    assert_true(metric_value(w.k.workers->dropped) == 1);
    world_close(&w);
}

static void nothing_to_send_to(void **state)
{
    struct world w;

    world_open(&w, MODE_TAKE, MODE_TAKE);
    start_source(&w, TO(NULL));
    kit_until(&w.k, w.out.acks[ACK_DROPPED] == 40);
    assert_true(metric_value(w.k.workers->dropped) == 40);
    world_close(&w);
}

/* --- outcomes --- */

static void unsupported_signal(void **state)
{
    struct world w;

    world_open(&w, MODE_TAKE, MODE_TAKE);
    w.a.signal = SIGNAL_METRICS; /* fakes take traces and logs */
    start_source(&w, TO(&w.to[0]));
    kit_until(&w.k, w.out.acks[ACK_FAILED] == 40);
    assert_int_equal(w.out.retryable, 0);
    assert_int_equal(w.in[0].taken, 0);
    world_close(&w);
}

static void worst_outcome_of_all_branches(void **state)
{
    struct world w;

    world_open(&w, MODE_TAKE, MODE_KEEP);
    start_source(&w, TO(&w.to[0], &w.to[1]));
    kit_until(&w.k, w.in[0].taken == 40 && w.in[1].held == 40);
    assert_int_equal(tally_acks(&w.out), 0); /* one branch still has them */
    world_close(&w);
    assert_int_equal(w.out.acks[ACK_ABANDONED], 40);
}

/* --- stopping with something held --- */

static void gone_source_is_still_delivered(void **state)
{
    struct world w;

    world_open(&w, MODE_TAKE, MODE_GATE);
    w.a.n = WINDOW;
    start_source(&w, TO(&w.to[0], &w.to[1]));
    kit_until(&w.k, w.in[1].refused == 1 && w.out.pushed == WINDOW);
    node_down(&w.source);
    node_stop(&w.to[1], 20 * SEC);
    quiesce(&w);
    assert_int_equal(w.in[1].stopped, 0); /* first what waits in front of it */
    open_gate(&w, 1);
    kit_until(&w.k, w.to[1].gone);
    assert_int_equal(w.in[1].taken, WINDOW);
    kit_until(&w.k, w.out.acks[ACK_OK] == WINDOW);
    node_free(&w.to[1]);
    node_down(&w.to[0]);
    kit_done(&w.k);
}

static void closing_has_an_end(void **state)
{
    struct world w;

    world_open(&w, MODE_TAKE, MODE_GATE);
    w.a.n = WINDOW;
    start_source(&w, TO(&w.to[0], &w.to[1]));
    kit_until(&w.k, w.in[1].refused == 1 && w.out.pushed == WINDOW);
    node_down(&w.source);
    node_stop(&w.to[1], 20 * SEC);
    quiesce(&w);
    kit_advance(&w.k, 10 * SEC);
    kit_until(&w.k, w.to[1].gone && tally_acks(&w.out) == WINDOW);
    assert_int_equal(w.in[1].stopped, 1);
    assert_int_equal(w.out.retryable, WINDOW);
    node_free(&w.to[1]);
    node_down(&w.to[0]);
    kit_done(&w.k);
}

/* The source cannot stop: its branch is blocked. At the deadline what it holds is abandoned. */
static void deadline_abandons_what_is_held(void **state)
{
    struct world w;

    world_open(&w, MODE_GATE, MODE_TAKE);
    start_source(&w, TO(&w.to[0], &w.to[1]));
    kit_until(&w.k, w.out.full == 1);
    node_stop(&w.source, 5 * SEC);
    quiesce(&w);
    assert_int_equal(w.source.gone, 0);
    kit_advance(&w.k, 5 * SEC);
    kit_until(&w.k, w.source.gone && tally_acks(&w.out) == 2);
    assert_int_equal(w.out.acks[ACK_ABANDONED],
                     2); /* the held one, and the one that was told FULL */
    assert_int_equal(w.out.done, 1);
    assert_true(metric_value(w.k.workers->abandoned) == 1);
    node_free(&w.source);
    node_down(&w.to[0]);
    node_down(&w.to[1]);
    kit_done(&w.k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_held_batch_on_the_same_worker),
        cmocka_unit_test(refused_by_all),
        cmocka_unit_test(window_to_another_worker),
        cmocka_unit_test(window_counts_bytes),
        cmocka_unit_test(held_for_a_branch_that_stays),
        cmocka_unit_test(held_for_a_branch_that_vanished),
        cmocka_unit_test(nothing_to_send_to),
        cmocka_unit_test(unsupported_signal),
        cmocka_unit_test(worst_outcome_of_all_branches),
        cmocka_unit_test(gone_source_is_still_delivered),
        cmocka_unit_test(closing_has_an_end),
        cmocka_unit_test(deadline_abandons_what_is_held),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
