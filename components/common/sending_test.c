/* The sending machinery with a transport that answers when it is told to, on a clock that stands
 * still. The runtime's part is played here. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "components/common/sending.h"

#define IN_FLIGHT_MAX 16

/* --- the runtime's part --- */

static int n_ready, n_stopped;
static enum health said;

void comp_ready(struct comp *c)
{
    (void)c;
    n_ready++;
}

void shard_stopped(struct shard *s)
{
    (void)s;
    n_stopped++;
}

void comp_health(struct comp *c, enum health h, const char *fmt, ...)
{
    (void)c;
    (void)fmt;
    said = h;
}

static struct metrics *metrics;
struct metric *comp_metric(struct comp *c, const struct metric_desc *d,
                           const struct metric_label *labels, size_t n)
{
    (void)c;
    return metric_new(metrics, d, labels, n);
}

/* --- an exporter --- */

struct rig {
    struct clock_fake clock;
    struct loop *loop;
    struct budget data;
    struct host host;
    struct comp comp;
    struct worker worker;
    struct shard shard;
    struct sending_shared shared;
    struct sending_conf conf;
    struct sending sending;
    struct send_req *flight[IN_FLIGHT_MAX]; /* attempts under way */
    int n_flight, n_starts, n_cancels;
};

static void start(void *arg, struct send_req *r)
{
    struct rig *g = arg;
    assert_true(g->n_flight < IN_FLIGHT_MAX);
    g->flight[g->n_flight++] = r;
    g->n_starts++;
}

static void forget(struct rig *g, struct send_req *r)
{
    int i = 0;
    while (g->flight[i] != r)
        i++;
    g->flight[i] = g->flight[--g->n_flight];
}

static void cancel(void *arg, struct send_req *r)
{
    struct rig *g = arg;
    forget(g, r);
    g->n_cancels++;
}

static const struct send_ops ops = {.start = start, .cancel = cancel};

static void answer(struct rig *g, enum send_verdict v, i64 delay)
{
    struct send_req *r = g->flight[0];
    forget(g, r);
    sending_done_one(
        r, &(struct send_result){.verdict = v, .delay = delay, .text = "endpoint says no"});
}

static void rig_init(struct rig *g, struct sending_conf conf)
{
    *g = (struct rig){.conf = conf};
    n_ready = n_stopped = 0;
    said = HEALTH_UNKNOWN;
    metrics = metrics_new();
    clock_fake_init(&g->clock, 1000 * NS_PER_SEC);
    clock_fake_advance(&g->clock, NS_PER_SEC);
    g->loop = loop_new("t", 1, &g->clock.clock);
    loop_turn(g->loop, 0);
    budget_init(&g->data, 0);
    g->host = (struct host){
        .clock = &g->clock.clock, .data_budget = &g->data, .stop_deadline = 20 * NS_PER_SEC};
    g->comp = (struct comp){.host = &g->host, .id = "otelcol.exporter.test.x"};
    g->worker = (struct worker){.index = 1, .loop = g->loop};
    g->shard = (struct shard){.comp = &g->comp, .worker = &g->worker};
    sending_create(&g->shared, &g->comp, "test");
    sending_configure(&g->shared, &g->conf);
    sending_run(&g->sending, &g->shard, &g->shared, &g->conf, &ops, g);
}

static void rig_done(struct rig *g)
{
    sending_free(&g->sending);
    sending_destroy(&g->shared);
    assert_int_equal(budget_used(&g->data), 0);
    for (int s = 0; s < SIGNAL_COUNT; s++)
        assert_int_equal(budget_used(&g->shared.lanes[s].units), 0);
    loop_turn(g->loop, 0); /* acks that wait to be told */
    loop_free(g->loop);
    metrics_free(metrics);
}

static void pass(struct rig *g, i64 ns)
{
    clock_fake_advance(&g->clock, ns);
    loop_turn(g->loop, 0);
    loop_turn(g->loop, 0);
}

static struct sending_conf plain(i64 limit, i32 consumers)
{
    return (struct sending_conf){.queued = true,
                                 .sizer = SIZER_REQUESTS,
                                 .limit = limit,
                                 .consumers = consumers,
                                 .retry = true,
                                 .backoff = {.initial = 5 * NS_PER_SEC,
                                             .max = 30 * NS_PER_SEC,
                                             .max_elapsed = 60 * NS_PER_SEC,
                                             .multiplier = 1.5,
                                             .randomization = 0}};
}

/* --- batches with acks --- */

struct told {
    int n;
    enum ack_outcome outcome;
    bool retryable;
};

static void tell(void *arg, enum ack_outcome outcome, const struct ack_failure *f)
{
    struct told *t = arg;
    t->n++;
    t->outcome = outcome;
    t->retryable = f && f->retryable;
}

/* One ResourceSpans with one ScopeSpans with `items` empty spans. */
static struct batch *make_batch(struct rig *g, u32 items, enum ack_stage stage, struct told *t)
{
    u8 wire[256];
    size_t n = 0;
    wire[n++] = 0x0a, wire[n++] = (u8)(2 + 2 * items);
    wire[n++] = 0x12, wire[n++] = (u8)(2 * items);
    for (u32 i = 0; i < items; i++)
        wire[n++] = 0x12, wire[n++] = 0;
    struct blob *root = blob_new(n, NULL);
    assert_non_null(root);
    memcpy(root->p, wire, n);
    root->n = n;
    struct batch *b = batch_new(SIGNAL_TRACES);
    batch_add_slice(b, root, root->p, n, items);
    blob_unref(root);
    if (t) {
        struct ack *a = ack_new(stage, g->loop, tell, t);
        batch_add_ack(b, a);
        ack_unref(a);
    }
    batch_seal(b);
    return b;
}

static enum push push(struct rig *g, u32 items)
{
    struct batch *b = make_batch(g, items, ACK_ACCEPTED, NULL);
    enum push p = sending_push(&g->sending, b);
    if (p == PUSH_FULL) batch_unref(b);
    return p;
}

static f64 count(const struct metric *m)
{
    return metric_value(m);
}

/* --- tests --- */

static void queue_and_consumers_are_bounded(void **state)
{
    (void)state;
    struct rig g;
    rig_init(&g, plain(3, 2));
    for (int i = 0; i < 3; i++)
        assert_int_equal(push(&g, 1), PUSH_TAKEN);
    assert_int_equal(g.n_flight, 2);
    assert_int_equal(push(&g, 1), PUSH_FULL);
    assert_int_equal(n_ready, 0);
    answer(&g, SEND_OK, 0);
    assert_int_equal(n_ready, 1);
    assert_int_equal(g.n_flight, 2);
    assert_int_equal(push(&g, 1), PUSH_TAKEN);
    assert_true(count(g.shared.lanes[SIGNAL_TRACES].sent) == 1);
    rig_done(&g);
}

static void sizers_count(void **state)
{
    (void)state;
    struct rig g;
    struct sending_conf conf = plain(10, 1);
    conf.sizer = SIZER_ITEMS;
    rig_init(&g, conf);
    assert_int_equal(push(&g, 7), PUSH_TAKEN);
    assert_int_equal(push(&g, 4), PUSH_FULL);
    assert_int_equal(push(&g, 3), PUSH_TAKEN);
    assert_int_equal(push(&g, 11), PUSH_TAKEN); /* fits never: refused for good */
    assert_true(count(g.shared.lanes[SIGNAL_TRACES].enqueue_failed) == 11);
    rig_done(&g);
}

static void the_queue_is_the_receivers_boundary(void **state)
{
    (void)state;
    struct rig g;
    struct told accepted = {0}, delivered = {0};
    rig_init(&g, plain(10, 1));
    struct batch *a = make_batch(&g, 1, ACK_ACCEPTED, &accepted),
                 *b = make_batch(&g, 1, ACK_DELIVERED, &delivered);
    sending_push(&g.sending, a);
    sending_push(&g.sending, b);
    pass(&g, 0);
    assert_int_equal(accepted.n, 1);
    assert_int_equal(accepted.outcome, ACK_OK);
    assert_int_equal(delivered.n, 0);
    answer(&g, SEND_OK, 0);
    answer(&g, SEND_OK, 0);
    pass(&g, 0);
    assert_int_equal(delivered.n, 1);
    assert_int_equal(delivered.outcome, ACK_OK);
    rig_done(&g);
}

static void late_answers_wait_for_the_endpoint(void **state)
{
    (void)state;
    struct rig g;
    struct told t = {0};
    struct sending_conf conf = plain(10, 1);
    conf.answer_late = true;
    conf.retry = false;
    rig_init(&g, conf);
    sending_push(&g.sending, make_batch(&g, 1, ACK_ACCEPTED, &t));
    pass(&g, 0);
    assert_int_equal(t.n, 0);
    answer(&g, SEND_RETRY, 0);
    pass(&g, 0);
    assert_int_equal(t.n, 1);
    assert_int_equal(t.outcome, ACK_FAILED);
    assert_true(t.retryable);
    rig_done(&g);
}

static void retries_until_the_time_is_over(void **state)
{
    (void)state;
    struct rig g;
    struct told t = {0};
    rig_init(&g, plain(10, 1));
    sending_push(&g.sending, make_batch(&g, 2, ACK_DELIVERED, &t));
    answer(&g, SEND_RETRY, 0);
    assert_int_equal(said, HEALTH_UNHEALTHY);
    pass(&g, 5 * NS_PER_SEC - 1);
    assert_int_equal(g.n_flight, 0);
    pass(&g, 1);
    assert_int_equal(g.n_flight, 1);
    answer(&g, SEND_RETRY, 20 * NS_PER_SEC); /* the server's delay is longer than ours */
    pass(&g, 10 * NS_PER_SEC);
    assert_int_equal(g.n_flight, 0);
    pass(&g, 10 * NS_PER_SEC);
    assert_int_equal(g.n_flight, 1);
    answer(&g, SEND_RETRY, 50 * NS_PER_SEC); /* past max_elapsed_time */
    pass(&g, 0);
    assert_int_equal(t.n, 1);
    assert_int_equal(t.outcome, ACK_FAILED);
    assert_true(count(g.shared.lanes[SIGNAL_TRACES].failed) == 2);
    assert_int_equal(push(&g, 1), PUSH_TAKEN);
    answer(&g, SEND_OK, 0);
    assert_int_equal(said, HEALTH_HEALTHY);
    rig_done(&g);
}

static void permanent_failures_are_not_retried(void **state)
{
    (void)state;
    struct rig g;
    struct told t = {0};
    rig_init(&g, plain(10, 1));
    sending_push(&g.sending, make_batch(&g, 1, ACK_DELIVERED, &t));
    answer(&g, SEND_PERMANENT, 0);
    pass(&g, 0);
    assert_int_equal(t.outcome, ACK_FAILED);
    assert_false(t.retryable);
    assert_int_equal(g.n_starts, 1);
    rig_done(&g);
}

static void blocking_callers_wait_for_room(void **state)
{
    (void)state;
    struct rig g;
    struct told t = {0};
    struct sending_conf conf = plain(1, 1);
    conf.block = true;
    rig_init(&g, conf);
    assert_int_equal(push(&g, 1), PUSH_TAKEN);
    assert_int_equal(sending_push(&g.sending, make_batch(&g, 1, ACK_ACCEPTED, &t)), PUSH_TAKEN);
    pass(&g, NS_PER_SEC);
    assert_int_equal(t.n, 0);
    answer(&g, SEND_OK, 0);
    pass(&g, 0);
    assert_int_equal(t.n, 1);
    assert_int_equal(g.n_flight, 1);
    rig_done(&g);
}

static struct sending_conf batching(void)
{
    struct sending_conf conf = plain(100, 4);
    conf.batching = true;
    conf.batch_sizer = SIZER_ITEMS;
    conf.batch_min = 4;
    conf.batch_max = 5;
    conf.flush_timeout = 200 * NS_PER_MS;
    return conf;
}

static void small_requests_are_merged(void **state)
{
    (void)state;
    struct rig g;
    rig_init(&g, batching());
    push(&g, 1);
    push(&g, 2);
    assert_int_equal(g.n_flight, 0);
    push(&g, 1);
    assert_int_equal(g.n_flight, 1);
    assert_int_equal(g.flight[0]->batch->items, 4);
    push(&g, 1);
    pass(&g, 199 * NS_PER_MS);
    assert_int_equal(g.n_flight, 1);
    pass(&g, NS_PER_MS);
    assert_int_equal(g.n_flight, 2);
    assert_int_equal(budget_used(&g.shared.lanes[SIGNAL_TRACES].units), 4);
    rig_done(&g);
}

static void large_requests_are_split(void **state)
{
    (void)state;
    struct rig g;
    struct told t = {0};
    rig_init(&g, batching());
    sending_push(&g.sending, make_batch(&g, 11, ACK_DELIVERED, &t));
    assert_int_equal(g.n_flight, 2);
    pass(&g, 200 * NS_PER_MS);
    assert_int_equal(g.n_flight, 3);
    for (int i = 0; i < 3; i++) {
        pass(&g, 0);
        assert_int_equal(t.n, 0);
        answer(&g, SEND_OK, 0);
    }
    pass(&g, 0);
    assert_int_equal(t.n, 1);
    assert_int_equal(t.outcome, ACK_OK);
    assert_true(count(g.shared.lanes[SIGNAL_TRACES].sent) == 11);
    rig_done(&g);
}

static void stop_drains_with_one_attempt_each(void **state)
{
    (void)state;
    struct rig g;
    struct told waiting = {0}, queued = {0};
    rig_init(&g, plain(10, 1));
    sending_push(&g.sending, make_batch(&g, 1, ACK_DELIVERED, &waiting));
    sending_push(&g.sending, make_batch(&g, 1, ACK_DELIVERED, &queued));
    answer(&g, SEND_RETRY, 0);
    assert_int_equal(g.n_flight, 0);
    sending_stop(&g.sending);
    assert_int_equal(g.n_flight, 1); /* the wait is cut short */
    answer(&g, SEND_RETRY, 0);
    assert_int_equal(n_stopped, 0);
    answer(&g, SEND_OK, 0);
    assert_int_equal(n_stopped, 1);
    pass(&g, 0);
    assert_int_equal(waiting.outcome, ACK_ABANDONED);
    assert_int_equal(queued.outcome, ACK_OK);
    rig_done(&g);
}

static void stop_abandons_what_is_left(void **state)
{
    (void)state;
    struct rig g;
    struct told sent = {0}, queued = {0};
    rig_init(&g, plain(10, 1));
    sending_push(&g.sending, make_batch(&g, 1, ACK_DELIVERED, &sent));
    sending_push(&g.sending, make_batch(&g, 1, ACK_DELIVERED, &queued));
    sending_stop(&g.sending);
    pass(&g, 15 * NS_PER_SEC);
    assert_int_equal(n_stopped, 1);
    assert_int_equal(g.n_cancels, 1);
    assert_int_equal(sent.outcome, ACK_ABANDONED);
    assert_int_equal(queued.outcome, ACK_ABANDONED);
    assert_true(count(g.shared.lanes[SIGNAL_TRACES].failed) == 2);
    rig_done(&g);
}

static void a_larger_limit_takes_effect(void **state)
{
    (void)state;
    struct rig g;
    rig_init(&g, plain(1, 1));
    push(&g, 1);
    assert_int_equal(push(&g, 1), PUSH_FULL);
    struct sending_conf larger = plain(2, 2);
    sending_configure(&g.shared, &larger);
    sending_apply(&g.sending, &larger);
    assert_true(n_ready > 0);
    assert_int_equal(push(&g, 1), PUSH_TAKEN);
    assert_int_equal(g.n_flight, 2);
    rig_done(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(queue_and_consumers_are_bounded),
        cmocka_unit_test(sizers_count),
        cmocka_unit_test(the_queue_is_the_receivers_boundary),
        cmocka_unit_test(late_answers_wait_for_the_endpoint),
        cmocka_unit_test(retries_until_the_time_is_over),
        cmocka_unit_test(permanent_failures_are_not_retried),
        cmocka_unit_test(blocking_callers_wait_for_room),
        cmocka_unit_test(small_requests_are_merged),
        cmocka_unit_test(large_requests_are_split),
        cmocka_unit_test(stop_drains_with_one_attempt_each),
        cmocka_unit_test(stop_abandons_what_is_left),
        cmocka_unit_test(a_larger_limit_takes_effect),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
