/* The cache of reverse names, with answers of our own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include "base/xalloc.h"
#include "net/reverse_names.h"

static _Atomic int n_asked;

static char *made_up(const char *ip)
{
    n_asked++;
    return xprintf("%s", *ip == '9' ? "" : "host.example.org.");
}

struct setup {
    struct clock_fake clock;
    struct loop *loop;
    struct offload *pool;
    struct reverse_names *r;
    int n_answered;
    char last[64];
};

static void answered(void *arg, struct str ip)
{
    struct setup *s = arg;

    s->n_answered++;
    (void)snprintf(s->last, sizeof(s->last), "%.*s", STR_ARG(ip));
}

static void start(struct setup *s, size_t capacity)
{
    *s = (struct setup){0};
    n_asked = 0;
    clock_fake_init(&s->clock, 0);
    s->loop = loop_new("t", 0, &s->clock.clock);
    s->pool = offload_new(2);
    s->r = reverse_names_new(s->pool, s->loop, capacity, answered, s);
}

static void finish(struct setup *s)
{
    reverse_names_free(s->r);
    assert_true(offload_settle(s->pool, s->loop, 5 * NS_PER_SEC));
    offload_free(s->pool);
    loop_free(s->loop);
}

static void settle(struct setup *s)
{
    assert_true(offload_settle(s->pool, s->loop, 5 * NS_PER_SEC));
}

static void names_are_asked_once(void **state)
{
    struct setup s;

    reverse_names_ask = made_up;
    start(&s, 10);
    assert_null(reverse_names_get(s.r, STR("1.2.3.4")).p);
    assert_null(reverse_names_get(s.r, STR("1.2.3.4")).p);
    settle(&s);
    assert_int_equal(s.n_answered, 1);
    assert_string_equal(s.last, "1.2.3.4");
    assert_string_equal(reverse_names_get(s.r, STR("1.2.3.4")).p, "host.example.org.");
    assert_null(reverse_names_get(s.r, STR("9.9.9.9")).p);
    settle(&s);
    assert_string_equal(reverse_names_get(s.r, STR("9.9.9.9")).p, "");
    assert_int_equal(n_asked, 2);
    clock_fake_advance(&s.clock, 61 * NS_PER_SEC);
    loop_turn(s.loop, 0);
    assert_string_equal(reverse_names_get(s.r, STR("9.9.9.9")).p, ""); /* and is asked again */
    assert_string_equal(reverse_names_get(s.r, STR("1.2.3.4")).p, "host.example.org.");
    settle(&s);
    assert_int_equal(n_asked, 3);
    finish(&s);
}

static void memory_is_bounded(void **state)
{
    struct setup s;
    char ip[32];

    reverse_names_ask = made_up;
    start(&s, 4);
    for (int i = 0; i < 100; i++) {
        (void)snprintf(ip, sizeof(ip), "10.0.0.%d", i);
        assert_null(reverse_names_get(s.r, str_of(ip)).p);
    }
    settle(&s);
    assert_true(n_asked <= 8); /* those asked at once, and those that are remembered */
    assert_non_null(reverse_names_get(s.r, STR("10.0.0.99")).p);
    assert_null(reverse_names_get(s.r, STR("10.0.0.5")).p);
    finish(&s); /* with a question on its way */
}

static void the_real_one(void **state)
{
    struct setup s;

    start(&s, 4);
    assert_null(reverse_names_get(s.r, STR("127.0.0.1")).p);
    assert_null(reverse_names_get(s.r, STR("no address")).p);
    settle(&s);
    assert_non_null(strstr(reverse_names_get(s.r, STR("127.0.0.1")).p, "localhost"));
    assert_string_equal(reverse_names_get(s.r, STR("no address")).p, "");
    finish(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_real_one), /* before the others replace it */
        cmocka_unit_test(names_are_asked_once),
        cmocka_unit_test(memory_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
