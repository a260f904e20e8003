/* Loop, mailbox, timers, descriptors, offload pool. Timers run on a fake clock; nothing sleeps. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>
#include "base/xalloc.h"
#include "net/loop.h"

/* --- timers --- */

struct ticks {
    struct loop *loop;
    struct timer *t, *other;
    int n;
    char order[16];
};

static void tick(void *arg)
{
    ((struct ticks *)arg)->n++;
}

static void timers_follow_the_clock(void **state)
{
    struct clock_fake clock;
    struct ticks k = {0};

    clock_fake_init(&clock, 0);
    struct loop *l = loop_new("t", 0, &clock.clock);
    struct timer *t = timer_new(l, tick, &k);
    timer_start(t, 10 * NS_PER_SEC);
    loop_turn(l, 0);
    assert_int_equal(k.n, 0);
    clock_fake_advance(&clock, 10 * NS_PER_SEC - 1);
    loop_turn(l, 0);
    assert_int_equal(k.n, 0);
    clock_fake_advance(&clock, 1);
    loop_turn(l, 0);
    assert_int_equal(k.n, 1);
    assert_false(timer_active(t));
    timer_every(t, NS_PER_SEC);
    for (int i = 0; i < 3; i++) {
        clock_fake_advance(&clock, NS_PER_SEC);
        loop_turn(l, 0);
    }
    assert_int_equal(k.n, 4);
    clock_fake_advance(&clock, 100 * NS_PER_SEC); /* missed beats are not made up for */
    loop_turn(l, 0);
    loop_turn(l, 0);
    assert_int_equal(k.n, 5);
    timer_free(t);
    loop_free(l);
}

#define MANY 200
static int fired[MANY], n_fired;
static void fire(void *arg)
{
    fired[n_fired++] = (int)(intptr_t)arg;
}

static void timers_fire_in_order_of_due_time(void **state)
{
    struct clock_fake clock;
    struct timer *t[MANY];

    clock_fake_init(&clock, 0);
    struct loop *l = loop_new("t", 0, &clock.clock);
    for (int i = 0; i < MANY; i++) {
        t[i] = timer_new(l, fire, (void *)(intptr_t)((i * 73) % MANY));
        timer_start(t[i], (i * 73) % MANY * NS_PER_MS);
    }
    for (int i = 0; i < MANY; i += 3)
        timer_stop(t[i]);
    clock_fake_advance(&clock, MANY * NS_PER_MS);
    loop_turn(l, 0);
    assert_int_equal(n_fired, MANY - (MANY + 2) / 3);
    for (int i = 1; i < n_fired; i++)
        assert_true(fired[i - 1] < fired[i]);
    for (int i = 0; i < MANY; i++)
        timer_free(t[i]);
    loop_free(l);
}

static void stop_other(void *arg)
{
    struct ticks *k = arg;

    k->n++;
    timer_free(k->other);
    k->other = NULL;
    timer_start(k->t, 0); /* waits for the next round */
}

static void a_timer_may_free_another(void **state)
{
    struct clock_fake clock;
    struct ticks k = {0};

    clock_fake_init(&clock, 0);
    struct loop *l = loop_new("t", 0, &clock.clock);
    k.t = timer_new(l, stop_other, &k);
    k.other = timer_new(l, tick, &k);
    timer_start(k.t, 1);
    timer_start(k.other, 2);
    clock_fake_advance(&clock, 5);
    loop_turn(l, 0);
    assert_true(k.n >= 1 && !k.other);
    timer_free(k.t);
    loop_free(l);
}

static void a_real_alarm_wakes_the_loop(void **state)
{
    struct ticks k = {0};
    struct loop *l = loop_new("t", 0, &clock_system);
    struct timer *t = timer_new(l, tick, &k);

    timer_start(t, 2 * NS_PER_MS);
    while (k.n == 0)
        loop_turn(l, 10 * NS_PER_SEC);
    timer_free(t);
    loop_free(l);
}

/* --- messages --- */

struct note {
    struct msg msg;
    int sender, seq;
    struct inbox *to;
};
struct inbox {
    struct loop *loop;
    int last[4], n, want;
    bool wrong;
};

static void on_note(struct msg *m)
{
    struct note *note = container_of(m, struct note, msg);
    struct inbox *in = note->to;

    if (note->seq != in->last[note->sender] + 1 || !loop_is_mine(in->loop)) in->wrong = true;
    in->last[note->sender] = note->seq;
    if (++in->n == in->want) loop_stop(in->loop);
    free(note);
}

static void post(struct inbox *to, int sender, int seq)
{
    struct note *note = xnew(struct note);

    *note = (struct note){.msg.fn = on_note, .sender = sender, .seq = seq, .to = to};
    loop_post(to->loop, &note->msg);
}

#define NOTES 20000
struct sender {
    struct inbox *to;
    int n;
};
static void *send_all(void *arg)
{
    struct sender *s = arg;

    for (int i = 1; i <= NOTES; i++)
        post(s->to, s->n, i);
    return NULL;
}

static void each_senders_order_is_kept(void **state)
{
    struct inbox in = {.want = 3 * NOTES};
    struct sender s[3];
    pthread_t t[3];

    in.loop = loop_new("t", 1, &clock_system);
    for (int i = 0; i < 3; i++) {
        s[i] = (struct sender){&in, i};
        pthread_create(&t[i], NULL, send_all, &s[i]);
    }
    loop_run(in.loop);
    for (int i = 0; i < 3; i++)
        pthread_join(t[i], NULL);
    assert_int_equal(in.n, 3 * NOTES);
    assert_false(in.wrong);
    loop_free(in.loop);
}

struct defer {
    struct msg msg;
    struct loop *loop;
    int runs, stop_after;
};
static void on_defer(struct msg *m)
{
    struct defer *d = container_of(m, struct defer, msg);

    if (++d->runs < d->stop_after) loop_defer(d->loop, m);
}

static void deferred_work_runs_without_a_wake_up(void **state)
{
    struct loop *l = loop_new("t", 0, &clock_system);
    struct defer d = {.msg.fn = on_defer, .loop = l, .stop_after = 3};

    loop_defer(l, &d.msg);
    loop_turn(l, 0);
    assert_int_equal(d.runs, 3);
    d = (struct defer){
        .msg.fn = on_defer, .loop = l, .stop_after = 1000}; /* begets more: the loop still turns */
    loop_defer(l, &d.msg);
    loop_turn(l, 0);
    assert_true(d.runs < 1000);
    while (d.runs < 1000)
        loop_turn(l, NS_PER_SEC);
    loop_free(l);
}

/* --- descriptors and signals --- */

static void count_io(void *arg, int events)
{
    *(int *)arg += events;
}

static void descriptors_are_watched(void **state)
{
    struct loop *l = loop_new("t", 0, &clock_system);
    int fd[2], got = 0;

    assert_int_equal(pipe(fd), 0);
    struct io *io = io_new(l, fd[0], IO_READ, count_io, &got);
    loop_turn(l, 0);
    assert_int_equal(got, 0);
    assert_int_equal(write(fd[1], "x", 1), 1);
    loop_turn(l, NS_PER_SEC);
    assert_int_equal(got, IO_READ);
    io_set(io, 0);
    loop_turn(l, 0);
    assert_int_equal(got, IO_READ);
    io_free(io);
    close(fd[0]);
    close(fd[1]);
    loop_free(l);
}

static void signals_arrive(void **state)
{
    struct loop *l = loop_new("t", 0, &clock_system);
    struct ticks k = {0};
    struct sigwatch *s = sigwatch_new(l, SIGUSR1, tick, &k);

    raise(SIGUSR1);
    while (k.n == 0)
        loop_turn(l, NS_PER_SEC);
    assert_int_equal(k.n, 1);
    sigwatch_free(s);
    loop_free(l);
}

/* --- offload --- */

struct task {
    struct job job;
    pthread_t ran_on;
    int *left;
    struct loop *loop;
};

static void task_work(struct job *j)
{
    container_of(j, struct task, job)->ran_on = pthread_self();
}

static void task_done(struct job *j)
{
    struct task *t = container_of(j, struct task, job);

    if (--*t->left == 0) loop_stop(t->loop);
}

static void jobs_run_elsewhere_and_answer_here(void **state)
{
    struct loop *l = loop_new("t", 0, &clock_system);
    struct offload *o = offload_new(3);
    struct task tasks[50];
    int left = 50;

    for (int i = 0; i < 50; i++) {
        tasks[i] = (struct task){
            .job = {.reply_to = l, .work = task_work, .done = task_done}, .left = &left, .loop = l};
        offload_run(o, &tasks[i].job);
    }
    loop_run(l);
    assert_int_equal(left, 0);
    for (int i = 0; i < 50; i++)
        assert_false(pthread_equal(tasks[i].ran_on, pthread_self()));
    offload_free(o);
    offload_free(offload_new(1)); /* no job, no thread */
    loop_free(l);
}

struct chain {
    struct job job;
    struct offload *pool;
    int left;
};

static void no_work(struct job *j) {}

static sem_t let_go;

static void wait_for_it(struct job *j)
{
    sem_wait(&let_go);
}

static void again(struct job *j)
{
    struct chain *c = container_of(j, struct chain, job);

    if (--c->left > 0) offload_run(c->pool, &c->job);
}

static void jobs_that_ask_for_more_are_all_answered(void **state)
{
    struct loop *l = loop_new("t", 0, &clock_system);
    struct offload *o = offload_new(2);
    struct chain c = {
        .job = {.reply_to = l, .work = no_work, .done = again}, .pool = o, .left = 20};
    struct job alone = {.work = no_work};

    assert_true(offload_settle(o, l, 0)); /* nothing to wait for */
    offload_run(o, &c.job);
    offload_run(o, &alone);
    assert_true(offload_settle(o, l, 60 * NS_PER_SEC));
    assert_int_equal(c.left, 0);
    offload_free(o);
    loop_free(l);
}

/* The answer may be here while the thread that gave it is still waking the loop. */
static void a_loop_may_go_once_all_is_settled(void **state)
{
    struct loop *l = loop_new("t", 0, &clock_system);
    struct offload *o = offload_new(2);

    for (int i = 0; i < 200; i++) {
        struct loop *other = loop_new("o", 1, &clock_system);
        struct chain c = {
            .job = {.reply_to = other, .work = no_work, .done = again}, .pool = o, .left = 1};

        offload_run(o, &c.job);
        while (c.left > 0)
            loop_turn(other, 0);
        assert_true(offload_settle(o, l, 60 * NS_PER_SEC));
        loop_free(other);
    }
    offload_free(o);
    loop_free(l);
}

static void a_job_that_hangs_is_not_waited_for(void **state)
{
    struct loop *l = loop_new("t", 0, &clock_system);
    struct offload *o = offload_new(1);
    struct chain c = {
        .job = {.reply_to = l, .work = wait_for_it, .done = again}, .pool = o, .left = 1};

    assert_int_equal(sem_init(&let_go, 0, 0), 0);
    offload_run(o, &c.job);
    assert_false(offload_settle(o, l, 0));
    assert_int_equal(c.left, 1);
    assert_int_equal(sem_post(&let_go), 0);
    assert_true(offload_settle(o, l, 60 * NS_PER_SEC));
    offload_free(o);
    loop_free(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(timers_follow_the_clock),
        cmocka_unit_test(timers_fire_in_order_of_due_time),
        cmocka_unit_test(a_timer_may_free_another),
        cmocka_unit_test(a_real_alarm_wakes_the_loop),
        cmocka_unit_test(each_senders_order_is_kept),
        cmocka_unit_test(deferred_work_runs_without_a_wake_up),
        cmocka_unit_test(descriptors_are_watched),
        cmocka_unit_test(signals_arrive),
        cmocka_unit_test(jobs_run_elsewhere_and_answer_here),
        cmocka_unit_test(jobs_that_ask_for_more_are_all_answered),
        cmocka_unit_test(a_loop_may_go_once_all_is_settled),
        cmocka_unit_test(a_job_that_hangs_is_not_waited_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
