/* Tests of components/common/http_calls.h under virtual time: who is answered when and how, in
 * which order requests wait, and that a batch and its ack end exactly once whoever leaves first. */
#include "components/common/http_calls.h"

#include "components/common/source_testing.h"

struct world {
    struct source_world w;
    struct http_calls calls;
    struct http_req requests[200]; /* known by address only */
    bool full;
    VEC(struct batch *) taken;
    struct buf said; /* "request end text;" */
    i64 wait;
    int ended;
};

static enum push push(void *arg, struct batch *b)
{
    struct world *k = arg;

    if (k->full) return PUSH_FULL;
    vec_push(&k->taken, b);
    return PUSH_TAKEN;
}

static void answer(void *arg, struct http_req *r, enum http_call_end end, const char *text,
                   i64 wait)
{
    static const char *const ends[] = {
        [CALL_TAKEN] = "taken", [CALL_REFUSED] = "refused", [CALL_AGAIN] = "again"};
    struct world *k = arg;

    buf_printf(&k->said, "%d %s%s%s;", (int)(r - k->requests), ends[end], text ? " " : "",
               text ? text : "");
    k->wait = wait;
}

static void ended(void *arg)
{
    ((struct world *)arg)->ended++;
}

static const struct http_calls_rules rules = {.push = push, .answer = answer, .ended = ended};

static int set_up(void **state)
{
    struct world *k = *state = xnew(struct world);

    source_world_init(&k->w);
    k->said = BUF_INIT(1 << 20);
    http_calls_init(&k->calls, &k->w.shard, &rules, k);
    return 0;
}

static void drop_taken(struct world *k)
{
    vec_each (&k->taken, b)
        batch_unref(*b);
    vec_clear(&k->taken);
    loop_turn(k->w.loop, 0);
}

static int tear_down(void **state)
{
    struct world *k = *state;

    http_calls_done(&k->calls);
    drop_taken(k);
    vec_done(&k->taken);
    buf_done(&k->said);
    source_world_free(&k->w);
    free(k);
    return 0;
}

static void submit(struct world *k, int i)
{
    struct batch *b = batch_new(SIGNAL_LOGS);

    batch_seal(b);
    http_calls_submit(&k->calls, &k->requests[i], b);
}

/* What the pipeline says of the batch it took as the i-th. */
static void accept(struct world *k, size_t i)
{
    batch_accept(k->taken.v[i]);
    loop_turn(k->w.loop, 0);
}

static void fail_taken(struct world *k, size_t i, enum ack_outcome outcome,
                       const struct ack_failure *f)
{
    batch_fail(k->taken.v[i], outcome, f);
    batch_unref(k->taken.v[i]);
    vec_remove(&k->taken, i);
    loop_turn(k->w.loop, 0);
}

static void answered_when_the_next_queue_has_it(void **state)
{
    struct world *k = *state;

    submit(k, 0);
    submit(k, 1);
    assert_int_equal(k->taken.n, 2);
    assert_int_equal(k->said.n, 0);
    assert_false(http_calls_idle(&k->calls));
    accept(k, 1);
    accept(k, 0);
    assert_buf(&k->said, "1 taken;0 taken;");
    assert_true(http_calls_idle(&k->calls));
    assert_int_equal(k->ended, 2);
}

static void answered_with_what_the_pipeline_says(void **state)
{
    struct world *k = *state;

    for (int i = 0; i < 4; i++)
        submit(k, i);
    fail_taken(k, 0, ACK_FAILED, &(struct ack_failure){.text = "bad"});
    fail_taken(k, 0, ACK_FAILED,
               &(struct ack_failure){.retryable = true, .text = "full", .retry_delay = 7});
    assert_int_equal(k->wait, 7);
    fail_taken(k, 0, ACK_DROPPED, NULL);
    fail_taken(k, 0, ACK_ABANDONED, NULL);
    assert_true(k->wait > 0);
    assert_buf(&k->said, "0 refused bad;1 again full;2 taken;3 again shutting down;");
}

static void waits_in_order_for_room(void **state)
{
    struct world *k = *state;

    k->full = true;
    submit(k, 0);
    submit(k, 1);
    k->full = false;
    submit(k, 2); /* does not overtake */
    assert_int_equal(k->taken.n, 0);
    http_calls_ready(&k->calls);
    assert_int_equal(k->taken.n, 3);
    for (size_t i = 0; i < 3; i++)
        accept(k, i);
    assert_buf(&k->said, "0 taken;1 taken;2 taken;");
}

static void waits_for_a_moment_only(void **state)
{
    struct world *k = *state;

    k->full = true;
    submit(k, 0);
    source_world_advance(&k->w, 2 * NS_PER_SEC);
    submit(k, 1);
    assert_int_equal(k->said.n, 0);
    source_world_advance(&k->w, 1500 * NS_PER_MS);
    loop_turn(k->w.loop, 0);
    assert_buf(&k->said, "0 again the pipeline has no room;");
    assert_true(k->wait > 0);
    source_world_advance(&k->w, 2 * NS_PER_SEC);
    loop_turn(k->w.loop, 0);
    assert_buf(&k->said, "1 again the pipeline has no room;");
    assert_true(http_calls_idle(&k->calls));
}

static void too_many_do_not_wait(void **state)
{
    struct world *k = *state;

    k->full = true;
    for (int i = 0; i < 128; i++)
        submit(k, i);
    assert_int_equal(k->said.n, 0);
    submit(k, 128);
    assert_buf(&k->said, "128 again the pipeline has no room;");
    k->full = false;
    http_calls_ready(&k->calls);
    assert_int_equal(k->taken.n, 128);
}

/* The client is told to come again; what comes of its data later is nobody's. */
static void an_ack_that_is_late_is_answered_for(void **state)
{
    struct world *k = *state;

    http_calls_timeout(&k->calls, 10 * NS_PER_SEC);
    submit(k, 0);
    source_world_advance(&k->w, 7 * NS_PER_SEC);
    assert_int_equal(k->said.n, 0);
    source_world_advance(&k->w, 2 * NS_PER_SEC);
    loop_turn(k->w.loop, 0);
    assert_buf(&k->said, "0 again the pipeline has not answered in time;");
    assert_false(http_calls_idle(&k->calls)); /* its ack is out */
    accept(k, 0);
    assert_int_equal(k->said.n, 0);
    assert_true(http_calls_idle(&k->calls));
}

static void clients_that_leave(void **state)
{
    struct world *k = *state;

    submit(k, 0);
    k->full = true;
    submit(k, 1);
    http_calls_gone(&k->calls, &k->requests[0]);
    http_calls_gone(&k->calls, &k->requests[1]); /* waits: given up */
    http_calls_gone(&k->calls, &k->requests[2]); /* nobody knows it */
    k->full = false;
    http_calls_ready(&k->calls);
    assert_int_equal(k->taken.n, 1);
    accept(k, 0);
    assert_int_equal(k->said.n, 0);
    assert_true(http_calls_idle(&k->calls));
}

/* Acks that come when the shard is over find nobody. */
static void the_shard_is_over(void **state)
{
    struct world *k = *state;

    submit(k, 0);
    k->full = true;
    submit(k, 1);
    http_calls_done(&k->calls);
    accept(k, 0);
    drop_taken(k);
    assert_int_equal(k->said.n, 0);
    http_calls_init(&k->calls, &k->w.shard, &rules, k);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(answered_when_the_next_queue_has_it),
        TEST(answered_with_what_the_pipeline_says),
        TEST(waits_in_order_for_room),
        TEST(waits_for_a_moment_only),
        TEST(too_many_do_not_wait),
        TEST(an_ack_that_is_late_is_answered_for),
        TEST(clients_that_leave),
        TEST(the_shard_is_over),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
