/* Places in a container's log: what is read twice and what is not, and their text. */
#include "base/test.h"

#include "components/loki/docker/mark.h"

#define T(n) (1700000000 * NS_PER_SEC + (n))

static void the_last_second_is_told_apart(void **state)
{
    /* The log, in the engine's order: stdout and stderr out of step, two lines of one time. */
    static const struct {
        enum docker_stream from;
        i64 time;
    } log[] = {
        {DOCKER_STDOUT, T(1)}, {DOCKER_STDERR, T(5)}, {DOCKER_STDOUT, T(4)}, {DOCKER_STDOUT, T(4)},
        {DOCKER_STDOUT, T(4)}, {DOCKER_STDERR, T(5)}, {DOCKER_STDERR, T(9)}, {DOCKER_STDOUT, T(9)},
    };

    for (size_t cut = 0; cut <= ARRAY_LEN(log); cut++) { /* the connection ends after so many */
        struct docker_mark m = {0};
        struct docker_catch_up c;
        for (size_t i = 0; i < cut; i++)
            docker_mark_pass(&m, log[i].from, log[i].time);
        docker_catch_up_init(&c, &m);
        for (size_t i = 0; i < ARRAY_LEN(log); i++)
            assert_int_equal(docker_catch_up_knows(&c, log[i].from, log[i].time), i < cut);
    }
}

static void a_clock_that_went_back_loses_nothing(void **state)
{
    struct docker_mark m = {0};
    struct docker_catch_up c;

    docker_mark_pass(&m, DOCKER_STDOUT, T(10));
    docker_catch_up_init(&c, &m);
    assert_true(docker_catch_up_knows(&c, DOCKER_STDOUT, T(10)));
    assert_false(docker_catch_up_knows(&c, DOCKER_STDOUT, T(11)));
    assert_false(docker_catch_up_knows(&c, DOCKER_STDOUT, T(3))); /* newer, whatever it says */
}

static void seconds(void **state)
{
    struct docker_mark m = {0};

    assert_int_equal(docker_mark_second(&m), 0);
    assert_int_equal(docker_mark_since(&m), 0);
    docker_mark_pass(&m, DOCKER_STDERR, T(NS_PER_SEC - 1));
    assert_int_equal(docker_mark_second(&m), 1700000000);
    assert_int_equal(docker_mark_since(&m), 1699999999);
    docker_mark_pass(&m, DOCKER_STDOUT, -5);
    assert_int_equal(docker_mark_second(&m), 1700000000);
}

static void text(void **state)
{
    struct docker_mark m = {0}, back = {0};
    struct buf b = BUF_INIT(1024);
    static const char *const bad[] = {"",         "1:1",      "1:1,",
                                      "1:1,2",    "1:1,2:",   "x:1,2:2",
                                      "1:1,2:-1", "1:1,2:2,", "1:1,2:4294967296"};

    docker_mark_pass(&m, DOCKER_STDOUT, T(7));
    docker_mark_pass(&m, DOCKER_STDOUT, T(7));
    docker_mark_text(&m, &b);
    assert_text(buf_view(&b), "1700000000000000007:2,0:0");
    assert_true(docker_mark_parse(buf_view(&b), &back));
    assert_memory_equal(&m, &back, sizeof(m));
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(docker_mark_parse(str_of(bad[i]), &back));
    buf_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_second_is_told_apart),
        cmocka_unit_test(a_clock_that_went_back_loses_nothing),
        cmocka_unit_test(seconds),
        cmocka_unit_test(text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
