/* Timers on the loop's own clock, so that they follow virtual time in tests: a binary heap ordered
 * by due time. libev only gets one alarm for the soonest (loop.c). */
#include "base/assert.h"
#include "net/loop_private.h"

#define NOWHERE SIZE_MAX

struct timer {
    struct loop *loop;
    void (*fn)(void *arg);
    void *arg;
    i64 due, every;
    size_t place; /* in the heap, or NOWHERE */
};

static void put(struct timers *ts, size_t i, struct timer *t)
{
    ts->heap.v[i] = t;
    t->place = i;
}

static void sift_up(struct timers *ts, size_t i, struct timer *t)
{
    while (i > 0) {
        size_t parent = (i - 1) / 2;
        if (ts->heap.v[parent]->due <= t->due) break;
        put(ts, i, ts->heap.v[parent]);
        i = parent;
    }
    put(ts, i, t);
}

static void sift_down(struct timers *ts, size_t i, struct timer *t)
{
    for (;;) {
        size_t child = 2 * i + 1;
        if (child >= ts->heap.n) break;
        if (child + 1 < ts->heap.n && ts->heap.v[child + 1]->due < ts->heap.v[child]->due) child++;
        if (ts->heap.v[child]->due >= t->due) break;
        put(ts, i, ts->heap.v[child]);
        i = child;
    }
    put(ts, i, t);
}

static void insert(struct timers *ts, struct timer *t)
{
    vec_push(&ts->heap, t);
    sift_up(ts, ts->heap.n - 1, t);
}

static void take_out(struct timers *ts, struct timer *t)
{
    size_t i = t->place;
    struct timer *last = vec_pop(&ts->heap);

    t->place = NOWHERE;
    if (last == t) return;
    if (i > 0 && last->due < ts->heap.v[(i - 1) / 2]->due)
        sift_up(ts, i, last);
    else
        sift_down(ts, i, last);
}

static void start(struct timer *t, i64 after_ns, i64 every)
{
    i64 now = loop_now(t->loop);

    timer_stop(t);
    t->due = after_ns > INT64_MAX - now ? INT64_MAX : now + MAX(after_ns, 0);
    t->every = every;
    insert(&t->loop->timers, t);
}

struct timer *timer_new(struct loop *l, void (*fn)(void *arg), void *arg)
{
    struct timer *t = xnew(struct timer);

    *t = (struct timer){.loop = l, .fn = fn, .arg = arg, .place = NOWHERE};
    return t;
}

void timer_start(struct timer *t, i64 after_ns)
{
    start(t, after_ns, 0);
}

void timer_every(struct timer *t, i64 every_ns)
{
    ASSERT(every_ns > 0);
    start(t, every_ns, every_ns);
}

void timer_stop(struct timer *t)
{
    if (timer_active(t)) take_out(&t->loop->timers, t);
}

bool timer_active(const struct timer *t)
{
    return t->place != NOWHERE;
}

void timer_free(struct timer *t)
{
    if (!t) return;
    timer_stop(t);
    free(t);
}

/* A repeating timer keeps its beat; beats missed while the loop was held up are skipped, not made
 * up for. */
static void rearm(struct timers *ts, struct timer *t, i64 now)
{
    t->due += t->every;
    if (t->due <= now) t->due = now + t->every;
    insert(ts, t);
}

/* A callback may start, stop and free any timer; one that it starts with no delay waits for the
 * next round, so that I/O is never starved. */
void timers_run(struct timers *ts, i64 now)
{
    for (size_t left = ts->heap.n; left > 0 && ts->heap.n > 0; left--) {
        struct timer *t = ts->heap.v[0];
        if (t->due > now) break;
        take_out(ts, t);
        if (t->every) rearm(ts, t, now);
        t->fn(t->arg);
    }
}

i64 timers_next(const struct timers *ts, i64 now)
{
    return ts->heap.n == 0 ? -1 : MAX(ts->heap.v[0]->due - now, 0);
}
