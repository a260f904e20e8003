/* Waiting for room: order, the end of a round at the first FULL, cancelling, no second wake-up for
 * one kick. */
#include "runtime/dataplane/dataplane_kit.h"

struct customer {
    struct waiter waiter;
    char name;
    int wants; /* attempts that meet FULL before one succeeds */
    struct shop *shop;
};
struct shop {
    struct waitq q;
    char log[64];
    size_t n;
    int rounds;
    struct waiter *leaves; /* goes away during the next attempt of another */
};

static void on_round(struct msg *m)
{
    struct shop *s = container_of(m, struct shop, q.msg);

    s->rounds++;
    waitq_run(&s->q);
}

static bool retry(struct waiter *w)
{
    struct customer *c = container_of(w, struct customer, waiter);
    struct shop *s = c->shop;

    s->log[s->n++] = c->name;
    if (s->leaves) waiter_cancel(s->leaves);
    s->leaves = NULL;
    if (c->wants-- <= 0) return false;
    waitq_add(&s->q, w);
    return true;
}

static void enter(struct shop *s, struct customer *c, char name, int wants)
{
    *c = (struct customer){.waiter.retry = retry, .name = name, .wants = wants, .shop = s};
    list_init(&c->waiter.node);
    waitq_add(&s->q, &c->waiter);
}

struct fixture {
    struct kit kit;
    struct shop shop;
    struct customer a, b, c;
};

static void open_shop(struct fixture *f, int a_wants)
{
    memset(&f->shop, 0, sizeof(f->shop));
    kit_init(&f->kit, 1);
    waitq_init(&f->shop.q, f->kit.control, on_round);
    enter(&f->shop, &f->a, 'a', a_wants);
    enter(&f->shop, &f->b, 'b', 0);
    enter(&f->shop, &f->c, 'c', 0);
}

static void round_of(struct fixture *f)
{
    waitq_kick(&f->shop.q);
    loop_turn(f->kit.control, 0);
}

static void wakes_in_order(void **state)
{
    struct fixture f;

    open_shop(&f, 0);
    round_of(&f);
    assert_string_equal(f.shop.log, "abc");
    round_of(&f);
    assert_int_equal(f.shop.rounds, 1); /* nobody waits: no wake-up */
    kit_done(&f.kit);
}

static void ends_at_full_and_goes_behind(void **state)
{
    struct fixture f;

    open_shop(&f, 1);
    round_of(&f);
    assert_string_equal(f.shop.log, "a");
    round_of(&f);
    assert_string_equal(f.shop.log, "abca");
    kit_done(&f.kit);
}

static void kicks_are_one_round(void **state)
{
    struct fixture f;

    open_shop(&f, 0);
    waitq_kick(&f.shop.q);
    waitq_kick(&f.shop.q);
    assert_int_equal(f.shop.n, 0); /* deferred, not from within */
    round_of(&f);
    assert_int_equal(f.shop.rounds, 1);
    kit_done(&f.kit);
}

static void leaving_while_others_are_woken(void **state)
{
    struct fixture f;

    open_shop(&f, 0);
    f.shop.leaves = &f.b.waiter;
    round_of(&f);
    assert_string_equal(f.shop.log, "ac");
    kit_done(&f.kit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wakes_in_order),
        cmocka_unit_test(ends_at_full_and_goes_behind),
        cmocka_unit_test(kicks_are_one_round),
        cmocka_unit_test(leaving_while_others_are_woken),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
