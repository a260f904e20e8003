/* Real processes: /bin/sh and what it starts. Their deadlines run on a fake clock. */
#include <errno.h>
#include <signal.h>
#include <unistd.h>
#include "base/test.h"
#include "net/child.h"

struct bench {
    struct clock_fake clock;
    struct loop *loop;
    struct child *child;
    int n_done;
    int status, signal;
    bool timed_out, out_cut;
    char out[256], err[256];
};

static void open_bench(struct bench *b)
{
    *b = (struct bench){0};
    clock_fake_init(&b->clock, 0);
    b->loop = loop_new("test", 0, &b->clock.clock);
}

static void close_bench(struct bench *b)
{
    loop_free(b->loop);
}

static void on_done(void *arg, const struct child_result *r)
{
    struct bench *b = arg;

    b->n_done++;
    b->status = r->status;
    b->signal = r->signal;
    b->timed_out = r->timed_out;
    b->out_cut = r->out_cut;
    (void)snprintf(b->out, sizeof(b->out), STR_FMT, STR_ARG(r->out));
    (void)snprintf(b->err, sizeof(b->err), STR_FMT, STR_ARG(r->err));
}

static void start(struct bench *b, const char *script, size_t max)
{
    const char *const argv[] = {"sh", "-c", script, NULL};
    const char *const env[] = {"WORD=seen", NULL};
    struct child_conf conf = {
        .argv = argv, .env = env, .cwd = "/", .max_output = max, .timeout = NS_PER_SEC};

    assert_int_equal(child_start(b->loop, &conf, on_done, b, &b->child), 0);
}

/* Turns the loop until the child is done; the wait is in real time, and long enough for a slow
 * machine. */
static void wait_done(struct bench *b)
{
    for (i64 until = clock_mono(&clock_system) + 60 * NS_PER_SEC;
         !b->n_done && clock_mono(&clock_system) < until;)
        loop_turn(b->loop, NS_PER_SEC);
    assert_int_equal(b->n_done, 1);
}

static void collects_output_and_status(void **state)
{
    struct bench b;

    open_bench(&b);
    start(&b, "echo $WORD; echo $HOME; pwd; read x || echo no input; echo bad >&2; exit 7", 256);
    wait_done(&b);
    assert_string_equal(b.out, "seen\n\n/\nno input\n");
    assert_string_equal(b.err, "bad\n");
    assert_int_equal(b.status, 7);
    assert_int_equal(b.signal, 0);
    assert_false(b.timed_out || b.out_cut);
    close_bench(&b);
}

static void keeps_the_head_of_output_and_the_tail_of_errors(void **state)
{
    struct bench b;

    open_bench(&b);
    start(&b,
          "i=0; while [ $i -lt 3000 ]; do echo 12345678; echo 12345678 >&2; i=$((i+1)); done;"
          "printf end >&2",
          12);
    wait_done(&b);
    assert_string_equal(b.out, "12345678\n123");
    assert_string_equal(b.err, "12345678\nend");
    assert_true(b.out_cut);
    close_bench(&b);
}

static void names_what_is_missing(void **state)
{
    const char *const argv[] = {"no-such-program-anywhere", NULL}, *const env[] = {NULL};
    struct child_conf conf = {.argv = argv, .env = env, .timeout = NS_PER_SEC};
    struct bench b;

    open_bench(&b);
    assert_int_equal(child_start(b.loop, &conf, on_done, &b, &b.child), -ENOENT);
    close_bench(&b);
}

/* The shell waits for a grandchild: both go, and the pipe that it holds keeps nobody. */
static void kills_the_whole_group_at_the_deadline(void **state)
{
    struct bench b;

    open_bench(&b);
    start(&b, "sleep 1000 & echo $!; wait", 64);
    loop_turn(b.loop, 0);
    clock_fake_advance(&b.clock, 2 * NS_PER_SEC);
    wait_done(&b);
    assert_true(b.timed_out);
    assert_int_equal(b.signal, SIGKILL);
    assert_int_equal(b.status, -1);
    close_bench(&b);
}

static void does_not_wait_for_what_stays_behind(void **state)
{
    struct bench b;

    open_bench(&b);
    start(&b, "sleep 1000 & echo started", 64);
    wait_done(&b);
    assert_int_equal(b.status, 0);
    assert_string_equal(b.out, "started\n");
    close_bench(&b);
}

static void cancels_without_calling_back(void **state)
{
    struct bench b;

    open_bench(&b);
    start(&b, "sleep 1000", 64);
    child_cancel(b.child);
    for (int i = 0; i < 5; i++)
        loop_turn(b.loop, 10 * NS_PER_MS);
    assert_int_equal(b.n_done, 0);
    start(&b, "sleep 1000", 64); /* ... and one that still runs when the loop goes */
    close_bench(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(collects_output_and_status),
        cmocka_unit_test(keeps_the_head_of_output_and_the_tail_of_errors),
        cmocka_unit_test(names_what_is_missing),
        cmocka_unit_test(kills_the_whole_group_at_the_deadline),
        cmocka_unit_test(does_not_wait_for_what_stays_behind),
        cmocka_unit_test(cancels_without_calling_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
