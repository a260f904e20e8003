/* Tests of components/common/target_status.h: what was published is what is seen, for as long as
 * somebody looks at it, also while a thread publishes all the time. */
#include <pthread.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "components/common/target_status.h"

static struct status_list *list_of(const char *name, i64 offset)
{
    struct target_status *s = target_status_new(str_of(name), STR("{a=\"b\"}"), STR(""));
    struct status_list *l = status_list_new(1);

    target_status_at(s, offset);
    status_list_add(l, s);
    target_status_unref(s);
    return l;
}

static void shows_what_was_published(void **state)
{
    struct status_board b = {0};

    (void)state;
    assert_null(status_board_get(&b));
    status_board_set(&b, list_of("one", 7));
    struct status_list *seen = status_board_get(&b);
    status_board_set(&b, list_of("two", 8));
    assert_string_equal(seen->v[0]->name, "one");
    assert_string_equal(seen->v[0]->labels, "{a=\"b\"}");
    assert_int_equal(target_status_offset(seen->v[0]), 7);
    status_list_unref(seen);
    seen = status_board_get(&b);
    assert_string_equal(seen->v[0]->name, "two");
    status_list_unref(seen);
    status_board_set(&b, NULL);
    assert_null(status_board_get(&b));
}

static void counts_without_publishing(void **state)
{
    struct status_board b = {0};
    struct target_status *s = target_status_new(STR("x"), STR("{}"), STR("broken"));
    struct status_list *l = status_list_new(1);

    (void)state;
    status_list_add(l, s);
    status_board_set(&b, l);
    target_status_at(s, 42);
    target_status_runs(s, true);
    struct status_list *seen = status_board_get(&b);
    assert_int_equal(target_status_offset(seen->v[0]), 42);
    assert_true(target_status_is_running(seen->v[0]));
    assert_string_equal(seen->v[0]->error, "broken");
    status_list_unref(seen);
    status_board_set(&b, NULL);
    target_status_unref(s);
}

#define ROUNDS 20000

static void *publish(void *board)
{
    for (i64 i = 1; i <= ROUNDS; i++)
        status_board_set(board, list_of("busy", i));
    return NULL;
}

static void is_read_while_it_changes(void **state)
{
    struct status_board b = {0};
    pthread_t thread;
    i64 last = 0;

    (void)state;
    assert_int_equal(pthread_create(&thread, NULL, publish, &b), 0);
    while (last < ROUNDS) {
        struct status_list *l = status_board_get(&b);
        if (!l) continue;
        assert_string_equal(l->v[0]->name, "busy");
        assert_true(target_status_offset(l->v[0]) >= last);
        last = target_status_offset(l->v[0]);
        status_list_unref(l);
    }
    pthread_join(thread, NULL);
    status_board_set(&b, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shows_what_was_published),
        cmocka_unit_test(counts_without_publishing),
        cmocka_unit_test(is_read_while_it_changes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
