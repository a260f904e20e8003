/* The turn of a loop: wait, I/O, mailbox, then timers and deferred work before the next wait.
 * Idle it holds one alarm at most, and none when no timer runs. */
#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include "base/assert.h"
#include "base/metric.h"
#include "net/loop_private.h"

/* Rounds of deferred work that may beget deferred work before I/O gets its turn. */
#define DEFER_ROUNDS 16

static void run_list(struct msg *m)
{
    for (struct msg *next; m; m = next) {
        next = m->next; /* m may be gone once its fn ran */
        m->fn(m);
    }
}

static struct msg *take_deferred(struct loop *l)
{
    struct msg *m = l->deferred;

    l->deferred = NULL;
    l->deferred_end = &l->deferred;
    return m;
}

static void run_deferred(struct loop *l)
{
    for (int round = 0; l->deferred && round < DEFER_ROUNDS; round++)
        run_list(take_deferred(l));
}

static void update_now(struct loop *l)
{
    l->now = clock_mono(l->clock);
}

/* Due timers, deferred work. Deferred work comes last: timers may defer. */
static void settle(struct loop *l)
{
    update_now(l);
    timers_run(&l->timers, l->now);
    run_deferred(l);
}

static void set_alarm(struct loop *l)
{
    i64 next = l->deferred ? 0 : timers_next(&l->timers, l->now);
    i64 at = next < 0 ? 0 : l->now + next;

    if (at == l->alarm_at && (!at || ev_is_active(&l->alarm))) return;
    l->alarm_at = at;
    ev_timer_stop(l->ev, &l->alarm);
    if (!at) return;
    ev_now_update(l->ev);
    ev_timer_set(&l->alarm, (f64)next / (f64)NS_PER_SEC, 0);
    ev_timer_start(l->ev, &l->alarm);
}

static void on_before_wait(struct ev_loop *ev, ev_prepare *w, int revents)
{
    struct loop *l = container_of(w, struct loop, before_wait);

    settle(l);
    set_alarm(l);
    if (atomic_load(&l->stop)) ev_break(ev, EVBREAK_ALL);
}

static void on_after_wait(struct ev_loop *ev, ev_check *w, int revents)
{
    update_now(container_of(w, struct loop, after_wait));
}

static void on_alarm(struct ev_loop *ev, ev_timer *w, int revents)
{
    container_of(w, struct loop, alarm)->alarm_at = 0; /* on_before_wait runs what is due */
}

static void on_wake(struct ev_loop *ev, ev_async *w, int revents)
{
    run_list(mailbox_take(&container_of(w, struct loop, wake)->mailbox));
}

static void set_owner(struct loop *l)
{
    atomic_store_explicit(&l->thread, (uintptr_t)pthread_self(), memory_order_relaxed);
}

struct loop *loop_new(const char *name, int index, const struct clock *clock)
{
    struct loop *l = xnew(struct loop);

    ASSERT(index >= 0 && index < METRIC_WRITERS);
    l->ev = ev_loop_new(EVFLAG_AUTO | EVFLAG_NOENV);
    ASSERT(l->ev);
    l->clock = clock;
    l->index = index;
    l->deferred_end = &l->deferred;
    list_init(&l->members);
    list_init(&l->children);
    (void)snprintf(l->name, sizeof(l->name), "%s", name); /* the kernel's limit for thread names */
    update_now(l);
    set_owner(l);
    ev_async_init(&l->wake, on_wake);
    ev_async_start(l->ev, &l->wake);
    ev_prepare_init(&l->before_wait, on_before_wait);
    ev_prepare_start(l->ev, &l->before_wait);
    ev_check_init(&l->after_wait, on_after_wait);
    ev_set_priority(&l->after_wait, EV_MAXPRI); /* before any callback that asks for the time */
    ev_check_start(l->ev, &l->after_wait);
    ev_timer_init(&l->alarm, on_alarm, 0, 0);
    return l;
}

void loop_free(struct loop *l)
{
    if (!l) return;
    inotify_hub_free(l->inotify);
    children_free(l);
    ev_loop_destroy(l->ev);
    vec_done(&l->timers.heap);
    free(l->scratch);
    free(l);
}

void loop_run(struct loop *l)
{
    set_owner(l);
    metric_set_writer(l->index);
    if (l->index > 0) prctl(PR_SET_NAME, l->name); /* the main thread keeps the program's name */
    update_now(l);
    while (!atomic_load(&l->stop))
        ev_run(l->ev, 0);
    atomic_store(&l->stop, false);
}

void loop_stop(struct loop *l)
{
    atomic_store(&l->stop, true);
    ev_async_send(l->ev, &l->wake);
}

static void on_turn_over(struct ev_loop *ev, ev_timer *w, int revents) {}

/* A turn that may wait gets an alarm of its own, so that it ends in time. */
void loop_turn(struct loop *l, i64 wait_ns)
{
    ev_timer limit;

    if (wait_ns <= 0) {
        ev_run(l->ev, EVRUN_NOWAIT);
    } else {
        ev_now_update(l->ev);
        ev_timer_init(&limit, on_turn_over, (f64)wait_ns / (f64)NS_PER_SEC, 0);
        ev_timer_start(l->ev, &limit);
        ev_run(l->ev, EVRUN_ONCE);
        ev_timer_stop(l->ev, &limit);
    }
    settle(l);
}

char *loop_scratch(struct loop *l, size_t *ret_n)
{
    if (!l->scratch) l->scratch = xmalloc(LOOP_SCRATCH);
    *ret_n = LOOP_SCRATCH;
    return l->scratch;
}

int loop_index(const struct loop *l)
{
    return l->index;
}

const struct clock *loop_clock(const struct loop *l)
{
    return l->clock;
}

i64 loop_now(const struct loop *l)
{
    return l->now;
}

bool loop_is_mine(const struct loop *l)
{
    return atomic_load_explicit(&l->thread, memory_order_relaxed) == (uintptr_t)pthread_self();
}

void loop_post(struct loop *l, struct msg *m)
{
    if (mailbox_push(&l->mailbox, m)) ev_async_send(l->ev, &l->wake);
}

void loop_defer(struct loop *l, struct msg *m)
{
    m->next = NULL;
    *l->deferred_end = m;
    l->deferred_end = &m->next;
}
