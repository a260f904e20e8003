/* Batches through whole pipelines on 1, 2 and 4 workers, for every placement: in order, none lost,
 * none twice, under back-pressure, while plans change, and while parts stop. */
#include "runtime/dataplane/dataplane_kit.h"

#define FLOW 400

static const int worker_counts[] = {1, 2, 4};

static struct fake_args args_of(struct tally *t)
{
    return (struct fake_args){.tally = t, .n = FLOW, .cap = 3};
}

static int shards_of(const struct node *n)
{
    return (int)n->inst->n_shards;
}

static void check_complete(struct tally *t, int sources)
{
    for (int i = 0; i < sources; i++)
        assert_int_equal(t->next[i], FLOW);
    assert_int_equal(t->taken, sources * FLOW);
    assert_int_equal(t->pushed, sources * FLOW);
    assert_int_equal(t->acks[ACK_OK], sources * FLOW);
    assert_int_equal(tally_acks(t), sources * FLOW);
    assert_int_equal(t->disorder, 0);
}

/* --- every placement into every other --- */

static void check_places(struct tally *t, enum placement consumer, int sources, int workers)
{
    for (int i = 0; i < sources; i++) {
        if (consumer == PLACE_CONTROL) assert_int_equal(t->where[i], 0);
        if (consumer == PLACE_EACH && sources > 1) assert_int_equal(t->where[i], i + 1);
        if (consumer == PLACE_KEYED) assert_int_equal(t->where[i], 1 + i % workers);
    }
}

static void flow(int workers, enum placement from, enum placement to, enum mode mode, bool through)
{
    struct kit k;
    struct tally t;
    struct node source, middle, consumer;
    struct fake_args a = args_of(&t);

    kit_init(&k, workers);
    tally_init(&t, &k);
    a.mode = mode;
    node_up(&consumer, &k, &fake_consumers[to], a, NULL);
    if (through) node_up(&middle, &k, &fake_transforms[PLACE_EACH], a, TO(&consumer));
    node_up(&source, &k, &fake_sources[from], a, TO(through ? &middle : &consumer));
    int sources = shards_of(&source);
    kit_until(&k, tally_acks(&t) == sources * FLOW && t.pushed == sources * FLOW);
    check_complete(&t, sources);
    check_places(&t, to, sources, workers);
    node_down(&source);
    if (through) node_down(&middle);
    node_down(&consumer);
    kit_done(&k);
}

static void flow_all(enum mode mode, bool through)
{
    for (size_t w = 0; w < ARRAY_LEN(worker_counts); w++)
        for (size_t from = 0; from < ARRAY_LEN(fake_sources); from++)
            for (size_t to = 0; to < ARRAY_LEN(fake_consumers); to++)
                flow(worker_counts[w], (enum placement)from, (enum placement)to, mode, through);
}

static void flows(void **state)
{
    flow_all(MODE_TAKE, false);
}

static void flows_under_back_pressure(void **state)
{
    flow_all(MODE_SLOW, false);
}

static void flows_through_a_transform(void **state)
{
    flow_all(MODE_SLOW, true);
}

/* --- a world with one source and two consumers of their own --- */

struct world {
    struct kit k;
    struct tally out, in[2]; /* of the source, of the consumers */
    struct node source, to[2];
    struct fake_args a;
};

static void world_open(struct world *w, int workers, enum placement to, enum mode mode)
{
    kit_init(&w->k, workers);
    tally_init(&w->out, &w->k);
    w->a = args_of(&w->out);
    for (int i = 0; i < 2; i++) {
        struct fake_args a = w->a;
        tally_init(&w->in[i], &w->k);
        a.tally = &w->in[i];
        a.mode = mode;
        node_up(&w->to[i], &w->k, &fake_consumers[to], a, NULL);
    }
}

static void world_close(struct world *w)
{
    node_down(&w->to[0]);
    node_down(&w->to[1]);
    kit_done(&w->k);
}

static void both_branches_get_all(void **state)
{
    struct world w;

    world_open(&w, 2, PLACE_ONE, MODE_SLOW);
    node_up(&w.source, &w.k, &fake_sources[PLACE_EACH], w.a, TO(&w.to[0], &w.to[1]));
    kit_until(&w.k, tally_acks(&w.out) == 2 * FLOW);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(w.in[i].taken, 2 * FLOW);
        assert_int_equal(w.in[i].disorder, 0);
    }
    assert_int_equal(w.out.acks[ACK_OK], 2 * FLOW);
    node_down(&w.source);
    world_close(&w);
}

/* The first consumer stays in every plan and must not notice; the second comes and goes. */
static void apply_under_load(void **state)
{
    struct world w;

    for (size_t n = 0; n < ARRAY_LEN(worker_counts); n++) {
        world_open(&w, worker_counts[n], PLACE_ONE, MODE_SLOW);
        w.a.n = INT32_MAX;
        node_up(&w.source, &w.k, &fake_sources[PLACE_EACH], w.a, TO(&w.to[0], &w.to[1]));
        for (int i = 1; i <= 20; i++) {
            int before = w.in[0].taken;
            node_apply(&w.source, w.a, i % 2 ? TO(&w.to[0]) : TO(&w.to[0], &w.to[1]));
            kit_until(&w.k, w.source.applied == i && w.in[0].taken > before + 20);
        }
        node_down(&w.source);
        kit_until(&w.k, tally_acks(&w.out) >= w.out.pushed && w.in[0].taken == w.out.pushed);
        assert_int_equal(w.in[0].disorder, 0);
        assert_int_equal(w.out.applied, 20 * worker_counts[n]);
        assert_int_equal(w.out.plans_freed, 21);
        world_close(&w);
    }
}

/* --- stopping --- */

/* In order, sources first: all that was taken arrives. */
static void stop_under_load(void **state)
{
    struct world w;

    for (size_t n = 0; n < ARRAY_LEN(worker_counts); n++) {
        world_open(&w, worker_counts[n], PLACE_ONE, MODE_SLOW);
        w.a.n = INT32_MAX;
        node_up(&w.source, &w.k, &fake_sources[PLACE_EACH], w.a, TO(&w.to[0], &w.to[1]));
        kit_until(&w.k, w.in[1].taken > 200);
        node_down(&w.source);
        kit_until(&w.k, w.out.acks[ACK_OK] == w.out.pushed);
        world_close(&w);
        assert_int_equal(w.in[0].taken, w.out.pushed);
        assert_int_equal(w.in[1].taken, w.out.pushed);
        assert_int_equal(w.in[0].disorder + w.in[1].disorder, 0);
    }
}

/* A consumer leaves while the source goes on: pushes fail, retryable, and nothing touches what is
 * gone. */
static void removed_while_others_push(void **state)
{
    struct world w;

    for (size_t n = 0; n < ARRAY_LEN(worker_counts); n++) {
        world_open(&w, worker_counts[n], PLACE_ONE, MODE_SLOW);
        w.a.n = INT32_MAX;
        node_up(&w.source, &w.k, &fake_sources[PLACE_EACH], w.a, TO(&w.to[0], &w.to[1]));
        kit_until(&w.k, w.in[0].taken > 100);
        node_stop(&w.to[0], 2 * SEC);
        kit_until(&w.k, w.to[0].stopped && w.out.retryable > 100);
        kit_advance(&w.k, 2 * SEC);
        kit_until(&w.k, w.to[0].gone);
        int before = w.out.retryable, others = w.in[1].taken;
        kit_until(&w.k, w.out.retryable > before + 100 && w.in[1].taken > others + 100);
        assert_int_equal(w.in[0].destroyed, 1);
        node_down(&w.source);
        kit_until(&w.k, tally_acks(&w.out) >= w.out.pushed);
        node_down(&w.to[1]);
        node_free(&w.to[0]);
        kit_done(&w.k);
        assert_int_equal(w.in[1].taken, w.out.pushed);
        assert_int_equal(w.out.acks[ACK_FAILED], w.out.retryable);
        assert_int_equal(w.in[0].disorder + w.in[1].disorder, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flows),
        cmocka_unit_test(flows_under_back_pressure),
        cmocka_unit_test(flows_through_a_transform),
        cmocka_unit_test(both_branches_get_all),
        cmocka_unit_test(apply_under_load),
        cmocka_unit_test(stop_under_load),
        cmocka_unit_test(removed_while_others_push),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
