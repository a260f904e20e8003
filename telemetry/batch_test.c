/* Acks and batches: exactly one completion on the source's loop, the worst outcome wins, references
 * and pinned bytes add up. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <pthread.h>
#include "telemetry/batch.h"

struct seen {
    int calls;
    enum ack_outcome outcome;
    bool retryable;
    char text[64];
};

static void on_ack(void *arg, enum ack_outcome outcome, const struct ack_failure *f)
{
    struct seen *s = arg;
    s->calls++;
    s->outcome = outcome;
    if (!f) return;
    s->retryable = f->retryable;
    snprintf(s->text, sizeof(s->text), "%s", f->text);
}

static struct loop *loop;

static int make_loop(void **state)
{
    loop = loop_new("test", 1, &clock_system);
    return 0;
}

static int free_loop(void **state)
{
    loop_free(loop);
    return 0;
}

static void completes_once_on_the_loop(void **state)
{
    struct seen s = {0};
    struct ack *a = ack_new(ACK_DELIVERED, loop, on_ack, &s);
    ack_unref(ack_ref(a));
    ack_unref(a);
    assert_int_equal(s.calls, 0);
    loop_turn(loop, 0);
    loop_turn(loop, 0);
    assert_int_equal(s.calls, 1);
    assert_int_equal(s.outcome, ACK_OK);
}

static struct seen outcome_of(const enum ack_outcome *outcomes, const struct ack_failure *failures,
                              size_t n)
{
    struct seen s = {0};
    struct ack *a = ack_new(ACK_ACCEPTED, loop, on_ack, &s);
    for (size_t i = 0; i < n; i++)
        ack_fail(a, outcomes[i], &failures[i]);
    ack_unref(a);
    loop_turn(loop, 0);
    assert_int_equal(s.calls, 1);
    return s;
}

static void worst_outcome_wins(void **state)
{
    const enum ack_outcome all[] = {ACK_DROPPED, ACK_FAILED, ACK_FAILED, ACK_OK, ACK_ABANDONED};
    const struct ack_failure f[] = {
        {0}, {.retryable = true, .text = "first"}, {.retryable = true, .text = "second"}, {0}, {0}};
    struct seen s = outcome_of(all, f, 3);
    assert_int_equal(s.outcome, ACK_FAILED);
    assert_true(s.retryable);
    assert_string_equal(s.text, "first");
    assert_int_equal(outcome_of(all, f, 5).outcome, ACK_ABANDONED);
    assert_int_equal(outcome_of(all, f, 1).outcome, ACK_DROPPED);
}

static void permanent_outweighs_retryable(void **state)
{
    const enum ack_outcome all[] = {ACK_FAILED, ACK_FAILED, ACK_FAILED};
    const struct ack_failure f[] = {{.retryable = true, .text = "later"},
                                    {.text = "never"},
                                    {.retryable = true, .text = "again"}};
    struct seen s = outcome_of(all, f, 3);
    assert_false(s.retryable);
    assert_string_equal(s.text, "never");
}

/* --- from several threads --- */

#define THREADS 4
#define REFS    2000

static void *drop_many(void *arg)
{
    struct ack *a = arg;
    for (int i = 0; i < REFS; i++) {
        if (i % 100 == 50)
            ack_fail(a, i % 200 == 50 ? ACK_DROPPED : ACK_FAILED,
                     &(struct ack_failure){.retryable = true, .text = "t"});
        ack_unref(a);
    }
    return NULL;
}

static void survives_threads(void **state)
{
    struct seen s = {0};
    pthread_t t[THREADS];
    struct ack *a = ack_new(ACK_ACCEPTED, loop, on_ack, &s);
    for (int i = 0; i < THREADS * REFS; i++)
        ack_ref(a);
    for (int i = 0; i < THREADS; i++)
        pthread_create(&t[i], NULL, drop_many, a);
    for (int i = 0; i < THREADS; i++)
        pthread_join(t[i], NULL);
    assert_int_equal(s.calls, 0);
    ack_unref(a);
    loop_turn(loop, 0);
    assert_int_equal(s.calls, 1);
    assert_int_equal(s.outcome, ACK_FAILED);
}

/* --- batches --- */

static struct batch *batch_with(const char *text, u32 items, struct ack *a)
{
    struct batch *b = batch_new(SIGNAL_LOGS);
    struct blob *root = blob_new(100, NULL);
    memcpy(root->p, text, strlen(text));
    root->n = strlen(text);
    batch_add_slice(b, root, root->p, root->n, items);
    if (a) batch_add_ack(b, a);
    blob_unref(root);
    batch_seal(b);
    return b;
}

static void adds_up(void **state)
{
    struct batch *b = batch_new(SIGNAL_TRACES);
    struct blob *root = blob_new(50, NULL);
    memset(root->p, 'x', 50);
    batch_add_slice(b, root, root->p, 10, 2);
    batch_add_slice(b, root, root->p + 10, 20, 3);
    assert_int_equal(b->items, 5);
    assert_int_equal(b->bytes, 30);
    assert_int_equal(b->pinned, 50);
    blob_unref(root);
    batch_unref(b);
}

static void derived_batches_hold_the_acks(void **state)
{
    struct seen s = {0};
    struct ack *a = ack_new(ACK_ACCEPTED, loop, on_ack, &s);
    struct batch *b = batch_with("abc", 1, a);
    ack_unref(a);
    struct batch *d = batch_derive(b);
    batch_unref(b);
    loop_turn(loop, 0);
    assert_int_equal(s.calls, 0);
    batch_fail(d, ACK_FAILED, &(struct ack_failure){.text = "no"});
    batch_unref(d);
    loop_turn(loop, 0);
    assert_int_equal(s.calls, 1);
    assert_string_equal(s.text, "no");
}

static void merging_keeps_slices_and_acks(void **state)
{
    struct seen one = {0}, two = {0};
    struct ack *a1 = ack_new(ACK_ACCEPTED, loop, on_ack, &one),
               *a2 = ack_new(ACK_DELIVERED, loop, on_ack, &two);
    struct batch *b1 = batch_with("abc", 1, a1), *b2 = batch_with("defg", 2, a2),
                 *all = batch_new(SIGNAL_LOGS);
    b1->client = client_info_new(STR("10.0.0.1"));
    b1->received = 20;
    b2->received = 10;
    ack_unref(a1);
    ack_unref(a2);
    batch_append(all, b1);
    assert_string_equal(all->client->peer_ip, "10.0.0.1");
    batch_append(all, b2);
    assert_null(all->client);
    assert_int_equal(all->received, 10);
    assert_int_equal(all->items, 3);
    assert_int_equal(all->bytes, 7);
    assert_int_equal(all->pinned, 200);
    batch_unref(b1);
    batch_unref(b2);
    batch_seal(all);
    batch_accept(all);
    loop_turn(loop, 0);
    assert_int_equal(one.calls, 1);
    assert_int_equal(two.calls, 0);
    batch_unref(all);
    loop_turn(loop, 0);
    assert_int_equal(two.calls, 1);
}

static void owning_copies_only_what_is_shared(void **state)
{
    struct batch *b = batch_with("abc", 1, NULL);
    assert_ptr_equal(batch_own(b), b);
    struct batch *other = batch_ref(b), *own = batch_own(b);
    assert_ptr_not_equal(own, other);
    assert_ptr_equal(own->slices[0].p, other->slices[0].p);
    batch_unref(own);
    batch_unref(other);
}

static void compacts_below_a_quarter(void **state)
{
    struct budget budget;
    budget_init(&budget, 10);
    struct batch *b = batch_with("abcdefghijklmnopqrst", 1, NULL),
                 *large = batch_with("abcdefghijklmnopqrstuvwxy", 1, NULL);
    assert_int_equal(batch_compact(b, &budget), -ENOMEM);
    assert_int_equal(b->pinned, 100);
    assert_int_equal(batch_compact(b, NULL), 0);
    assert_int_equal(b->pinned, 20);
    assert_memory_equal(b->slices[0].p, "abcdefghijklmnopqrst", 20);
    assert_int_equal(batch_compact(large, NULL), 0);
    assert_int_equal(large->pinned, 100);
    batch_unref(b);
    batch_unref(large);
}

static void client_keeps_all_values(void **state)
{
    struct client_info *c = client_info_new(STR("::1"));
    client_info_add(c, STR("x"), STR("1"));
    client_info_add(c, STR("x"), STR("2"));
    client_info_add_auth(c, STR("user"), STR("me"));
    assert_int_equal(c->n_metadata, 2);
    assert_string_equal(c->metadata[1].value, "2");
    assert_string_equal(c->auth[0].key, "user");
    client_info_unref(client_info_ref(c));
    client_info_unref(c);
    client_info_unref(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(completes_once_on_the_loop),
        cmocka_unit_test(worst_outcome_wins),
        cmocka_unit_test(permanent_outweighs_retryable),
        cmocka_unit_test(survives_threads),
        cmocka_unit_test(adds_up),
        cmocka_unit_test(derived_batches_hold_the_acks),
        cmocka_unit_test(merging_keeps_slices_and_acks),
        cmocka_unit_test(owning_copies_only_what_is_shared),
        cmocka_unit_test(compacts_below_a_quarter),
        cmocka_unit_test(client_keeps_all_values),
    };
    return cmocka_run_group_tests(tests, make_loop, free_loop);
}
