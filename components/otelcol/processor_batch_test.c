/* otelcol.processor.batch: triggers, sizes, groups, back-pressure and stopping under virtual time;
 * nothing is lost. */
#include "components/otelcol/testing.h"

extern const struct component_def otelcol_processor_batch;
#define DEF (&otelcol_processor_batch)

/* A batch of n spans in one ResourceSpans. */
static struct batch *spans(int n)
{
    struct buf json = BUF_INIT(1 << 20);
    buf_cstr(&json, "{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[");
    for (int i = 0; i < n; i++)
        buf_printf(&json, "%s{\"name\":\"s%d\"}", i ? "," : "", i);
    buf_cstr(&json, "]}]}]}");
    struct batch *b = batch_of_json(SIGNAL_TRACES, json.p);
    buf_done(&json);
    return b;
}

static void push(struct world *w, int n)
{
    assert_int_equal(world_push(w, spans(n)), PUSH_TAKEN);
}

static void expect_out(u32 items)
{
    struct batch *b = take_out(SIGNAL_TRACES);
    assert_non_null(b);
    assert_int_equal(b->items, items);
    batch_unref(b);
}

static void expect_nothing(void)
{
    assert_null(take_out(SIGNAL_TRACES));
}

#define SETTINGS(size, max, time)                                                                  \
    "send_batch_size = " #size "\nsend_batch_max_size = " #max "\ntimeout = \"" time "\"\noutput " \
    "{}"

static void size_sends_at_once(void **state)
{
    struct world w;
    world_up(&w, DEF, SETTINGS(10, 0, "1s"));
    push(&w, 4);
    push(&w, 4);
    expect_nothing();
    push(&w, 4);
    expect_out(12);
    expect_nothing();
    world_down(&w);
}

static void time_sends_what_is_there(void **state)
{
    struct world w;
    world_up(&w, DEF, SETTINGS(10, 0, "1s"));
    push(&w, 3);
    world_advance(&w, 999 * NS_PER_MS);
    expect_nothing();
    world_advance(&w, 2 * NS_PER_MS);
    expect_out(3);
    world_advance(&w, 5 * NS_PER_SEC);
    expect_nothing();
    world_down(&w);
}

static void largest_size_cuts(void **state)
{
    struct world w;
    world_up(&w, DEF, SETTINGS(10, 12, "1s"));
    push(&w, 30);
    expect_out(12);
    expect_out(12);
    expect_nothing();
    world_advance(&w, 1001 * NS_PER_MS);
    expect_out(6);
    world_down(&w);
}

static void zero_sends_everything_at_once(void **state)
{
    struct world w;
    world_up(&w, DEF, SETTINGS(10, 0, "0s"));
    push(&w, 1);
    expect_out(1);
    world_down(&w);
    world_up(&w, DEF, SETTINGS(0, 0, "1s"));
    push(&w, 3);
    expect_out(3);
    world_down(&w);
}

static void holds_while_downstream_is_full(void **state)
{
    struct world w;
    world_up(&w, DEF, SETTINGS(10, 12, "1s"));
    fanouts[SIGNAL_TRACES]->full = true;
    push(&w, 8);
    push(&w, 8); /* one batch beyond the largest size */
    struct batch *more = spans(1);
    assert_int_equal(world_push(&w, more), PUSH_FULL);
    world_advance(&w, 10 * NS_PER_SEC);
    expect_nothing();
    world_open(SIGNAL_TRACES);
    assert_true(w.ready > 0);
    expect_out(12);
    assert_int_equal(world_push(&w, more), PUSH_TAKEN);
    world_advance(&w, 1001 * NS_PER_MS);
    expect_out(5);
    world_down(&w);
}

/* --- acks --- */

static void count(void *arg, enum ack_outcome outcome, const struct ack_failure *f)
{
    ((int *)arg)[outcome]++;
}

static struct batch *acked(struct world *w, int n, enum ack_stage stage, int *outcomes)
{
    struct batch *b = spans(n);
    struct ack *a = ack_new(stage, w->loop, count, outcomes);
    batch_add_ack(b, a);
    ack_unref(a);
    return b;
}

static void accepts_and_passes_delivery_on(void **state)
{
    struct world w;
    int accepted[4] = {0}, delivered[4] = {0};
    world_up(&w, DEF, SETTINGS(10, 0, "1s"));
    world_push(&w, acked(&w, 5, ACK_ACCEPTED, accepted));
    world_push(&w, acked(&w, 2, ACK_DELIVERED, delivered));
    loop_turn(w.loop, 0);
    assert_int_equal(accepted[ACK_OK], 1);
    assert_int_equal(delivered[ACK_OK], 0);
    push(&w, 5);
    expect_out(12);
    loop_turn(w.loop, 0);
    assert_int_equal(delivered[ACK_OK], 1);
    world_down(&w);
}

static void shared_batches_are_not_accepted_for_others(void **state)
{
    struct world w;
    int accepted[4] = {0};
    world_up(&w, DEF, SETTINGS(10, 0, "1s"));
    struct batch *b = acked(&w, 5, ACK_ACCEPTED, accepted), *other = batch_ref(b);
    world_push(&w, b);
    loop_turn(w.loop, 0);
    assert_int_equal(accepted[ACK_OK], 0);
    batch_unref(other);
    loop_turn(w.loop, 0);
    assert_int_equal(accepted[ACK_OK], 1);
    world_down(&w);
}

static void what_is_left_is_abandoned(void **state)
{
    struct world w;
    int delivered[4] = {0};
    world_up(&w, DEF, SETTINGS(10, 0, "1s"));
    world_push(&w, acked(&w, 5, ACK_DELIVERED, delivered));
    DEF->shard_done(&w.shard);
    loop_turn(w.loop, 0);
    assert_int_equal(delivered[ACK_ABANDONED], 1);
    world_free(&w);
}

/* --- groups --- */

static enum push push_as(struct world *w, int n, const char *tenant)
{
    struct batch *b = spans(n);
    b->client = client_info_new(STR("10.0.0.1"));
    client_info_add(b->client, STR("x-tenant"), str_of(tenant));
    client_info_add(b->client, STR("other"), STR("y"));
    return world_push(w, b);
}

#define GROUPED                                                                                    \
    "send_batch_size = 10\ntimeout = \"1s\"\nmetadata_keys = "                                     \
    "[\"X-Tenant\"]\nmetadata_cardinality_limit = 2\noutput {}"

static void metadata_is_never_mixed(void **state)
{
    struct world w;
    world_up(&w, DEF, GROUPED);
    push_as(&w, 6, "a");
    push_as(&w, 6, "b");
    expect_nothing();
    push_as(&w, 6, "a");
    struct batch *b = take_out(SIGNAL_TRACES);
    assert_int_equal(b->items, 12);
    assert_int_equal(b->client->n_metadata, 1);
    assert_string_equal(b->client->metadata[0].value, "a");
    batch_unref(b);
    world_advance(&w, 1001 * NS_PER_MS);
    expect_out(6);
    world_down(&w);
}

static void combinations_are_limited(void **state)
{
    struct world w;
    int outcomes[4] = {0};
    world_up(&w, DEF, GROUPED);
    push_as(&w, 1, "a");
    push_as(&w, 1, "b");
    assert_int_equal(world_push(&w, acked(&w, 1, ACK_ACCEPTED, outcomes)), PUSH_TAKEN);
    loop_turn(w.loop, 0);
    assert_int_equal(outcomes[ACK_FAILED], 1);
    push_as(&w, 1, "b");
    world_advance(&w, 1001 * NS_PER_MS);
    expect_out(1);
    expect_out(2);
    world_down(&w);
}

/* --- plans and stopping --- */

static void new_settings_keep_what_waits(void **state)
{
    struct world w;
    world_up(&w, DEF, SETTINGS(10, 0, "1s"));
    push(&w, 5);
    world_apply(&w, SETTINGS(5, 0, "1s"));
    expect_out(5);
    push_as(&w, 2, "a");
    world_apply(&w, GROUPED);
    expect_out(2);
    push_as(&w, 1, "a");
    expect_nothing();
    world_down(&w);
}

static void stop_sends_everything(void **state)
{
    struct world w;
    world_up(&w, DEF, SETTINGS(10, 12, "1s"));
    fanouts[SIGNAL_TRACES]->full = true;
    push(&w, 25);
    DEF->stop(&w.shard);
    assert_int_equal(w.stopped, 0);
    world_open(SIGNAL_TRACES);
    assert_int_equal(w.stopped, 1);
    expect_out(12);
    expect_out(12);
    expect_out(1);
    world_down(&w);
}

static void downstream_failures_end_here(void **state)
{
    struct world w;
    int accepted[4] = {0};
    world_up(&w, DEF, SETTINGS(1, 0, "1s"));
    world_push(&w, acked(&w, 1, ACK_ACCEPTED, accepted));
    struct batch *b = take_out(SIGNAL_TRACES);
    batch_fail(b, ACK_FAILED, &(struct ack_failure){.text = "no"});
    batch_unref(b);
    loop_turn(w.loop, 0);
    assert_int_equal(accepted[ACK_OK], 1);
    world_down(&w);
}

static void batches_without_items_end_here(void **state)
{
    struct world w;
    int accepted[4] = {0};
    world_up(&w, DEF, SETTINGS(0, 0, "1s"));
    world_push(&w, acked(&w, 0, ACK_ACCEPTED, accepted));
    expect_nothing();
    loop_turn(w.loop, 0);
    assert_int_equal(accepted[ACK_OK], 1);
    world_down(&w);
}

static void faults(void **state)
{
    expect_fault(DEF, "send_batch_size = 10\nsend_batch_max_size = 5\noutput {}", 2,
                 "send_batch_max_size must be greater or equal to send_batch_size when not 0");
    expect_fault(DEF, "metadata_keys = [\"a\", \"A\"]\noutput {}", 1,
                 "duplicate entry in metadata_keys: \"A\" (case-insensitive)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(size_sends_at_once),
        cmocka_unit_test(time_sends_what_is_there),
        cmocka_unit_test(largest_size_cuts),
        cmocka_unit_test(zero_sends_everything_at_once),
        cmocka_unit_test(holds_while_downstream_is_full),
        cmocka_unit_test(accepts_and_passes_delivery_on),
        cmocka_unit_test(shared_batches_are_not_accepted_for_others),
        cmocka_unit_test(what_is_left_is_abandoned),
        cmocka_unit_test(metadata_is_never_mixed),
        cmocka_unit_test(combinations_are_limited),
        cmocka_unit_test(new_settings_keep_what_waits),
        cmocka_unit_test(stop_sends_everything),
        cmocka_unit_test(downstream_failures_end_here),
        cmocka_unit_test(batches_without_items_end_here),
        cmocka_unit_test(faults),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
