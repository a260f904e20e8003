/* One batch at a time: taken, held while the outputs are full, kept when there is no memory. */
#include "components/common/log_source.h"

#include "components/common/source_testing.h"

struct self {
    struct source_world w;
    struct log_source source;
    struct labels *labels;
    int room, acked;
    enum ack_outcome outcome;
};

static void on_room(void *arg)
{
    ((struct self *)arg)->room++;
}

static void on_ack(void *arg, enum ack_outcome outcome, const struct ack_failure *f)
{
    struct self *self = arg;

    self->acked++;
    self->outcome = outcome;
}

static int set_up(void **state)
{
    struct self *self = *state = xnew(struct self);
    const struct label l = {STR("a"), STR("b")};

    source_world_init(&self->w);
    self->labels = labels_intern(self->w.host.labels, &l, 1);
    log_source_init(&self->source, &self->w.shard, &(struct capsule_list){0}, on_room, self);
    return 0;
}

static int tear_down(void **state)
{
    struct self *self = *state;

    if (self->source.out) log_source_done(&self->source);
    labels_unref(self->labels);
    loop_turn(self->w.loop, 0);
    source_world_free(&self->w);
    free(self);
    return 0;
}

static bool send_line(struct self *self)
{
    struct log_entry e = {.time = 1, .line = STR("hello")};

    assert_int_equal(log_builder_add(log_source_builder(&self->source), self->labels, &e), 0);
    return log_source_send(&self->source,
                           ack_new(ACK_DELIVERED, self->w.loop, on_ack, self));
}

static struct batch *take(void)
{
    assert_true(the_fanout->got.n > 0);
    struct batch *b = the_fanout->got.v[0];
    vec_remove(&the_fanout->got, 0);
    return b;
}

static void test_sends_with_its_ack(void **state)
{
    struct self *self = *state;

    assert_true(send_line(self));
    struct batch *b = take();
    assert_int_equal(b->items, 1);
    assert_text(b->logs->streams[0].v[0].line, "hello");
    loop_turn(self->w.loop, 0);
    assert_int_equal(self->acked, 0);
    batch_unref(b);
    loop_turn(self->w.loop, 0);
    assert_int_equal(self->acked, 1);
    assert_int_equal(self->outcome, ACK_OK);
}

static void test_nothing_added_is_nothing_sent(void **state)
{
    struct self *self = *state;

    assert_true(
        log_source_send(&self->source, ack_new(ACK_DELIVERED, self->w.loop, on_ack, self)));
    assert_int_equal(the_fanout->got.n, 0);
    loop_turn(self->w.loop, 0);
    assert_int_equal(self->acked, 1);
}

static void test_holds_while_full(void **state)
{
    struct self *self = *state;

    the_fanout->full = true;
    assert_false(send_line(self));
    assert_true(log_source_blocked(&self->source));
    assert_false(log_source_idle(&self->source));
    the_fanout->ready(the_fanout->arg);
    assert_int_equal(self->room, 0); /* full again */
    the_fanout->full = false;
    the_fanout->ready(the_fanout->arg);
    assert_int_equal(self->room, 1);
    assert_true(log_source_idle(&self->source));
    batch_unref(take());
}

static void test_keeps_entries_until_there_is_memory(void **state)
{
    struct self *self = *state;

    struct log_entry e = {.time = 1, .line = STR("hello")};
    assert_int_equal(log_builder_add(log_source_builder(&self->source), self->labels, &e), 0);
    atomic_store(&self->w.budget.limit, 1);
    assert_false(
        log_source_send(&self->source, ack_new(ACK_DELIVERED, self->w.loop, on_ack, self)));
    assert_true(log_source_blocked(&self->source));
    source_world_advance(&self->w, NS_PER_SEC);
    assert_int_equal(self->room, 0);
    atomic_store(&self->w.budget.limit, 0);
    source_world_advance(&self->w, NS_PER_SEC);
    assert_int_equal(self->room, 1);
    assert_int_equal(self->acked, 0);
    batch_unref(take());
    loop_turn(self->w.loop, 0);
    assert_int_equal(self->outcome, ACK_OK);
}

static void test_what_is_held_at_the_end_is_abandoned(void **state)
{
    struct self *self = *state;

    the_fanout->full = true;
    assert_false(send_line(self));
    log_source_done(&self->source);
    loop_turn(self->w.loop, 0);
    assert_int_equal(self->outcome, ACK_ABANDONED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_sends_with_its_ack, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_nothing_added_is_nothing_sent, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_holds_while_full, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_keeps_entries_until_there_is_memory, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_what_is_held_at_the_end_is_abandoned, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
