/* Orderly stop of removed nodes: one that refers to another stops before it (sources before sinks,
 * users before what they use), each after the former has drained, so that what drains still finds
 * its next. At half of the time whatever has not been told yet is told as well. */
#include "runtime/controller_impl.h"

struct teardown {
    struct controller *c;
    struct node_state **states;
    size_t n, left;
    i64 deadline;
    struct timer *half;
    bool walking; /* answers may come from within the call that stops */
};

static void walk(struct teardown *t);

static void finish(struct teardown *t)
{
    struct controller *c = t->c;
    timer_free(t->half);
    free(t->states);
    free(t);
    if (--c->teardowns == 0 && c->stopping && c->on_stopped) c->on_stopped(c->on_stopped_arg);
}

static void forget(struct teardown *t, const struct node_state *s)
{
    for (size_t i = 0; i < t->n; i++)
        if (t->states[i] == s) t->states[i] = NULL;
}

static void unblock(struct node_state *s)
{
    for (size_t i = 0; i < s->n_unblocks; i++)
        s->unblocks[i]->blocked_by--;
    s->n_unblocks = 0;
}

void teardown_drained(struct node_state *s)
{
    if (!s->teardown) return;
    unblock(s);
    walk(s->teardown);
}

static void gone(void *arg)
{
    struct node_state *s = arg;
    struct teardown *t = s->teardown;
    s->instance = NULL;
    unblock(s);
    forget(t, s);
    node_state_free(s);
    t->left--;
    walk(t);
}

static void stop_node(struct teardown *t, struct node_state *s)
{
    s->stopping = true;
    if (s->instance)
        instance_stop(s->instance, t->deadline, gone, s);
    else
        gone(s);
}

/* Stops what nothing waits for any more, until a pass finds none. Descending ranks: users first. */
static void walk(struct teardown *t)
{
    if (t->walking) return;
    t->walking = true;
    for (bool again = true; again;) {
        again = false;
        for (size_t i = t->n; i-- > 0;)
            if (t->states[i] && !t->states[i]->stopping && t->states[i]->blocked_by == 0) {
                stop_node(t, t->states[i]);
                again = true; /* it may have drained at once */
            }
    }
    t->walking = false;
    if (t->left == 0) finish(t);
}

/* A node that is stopped out of turn is gone before what it waits for: those must not count down on
 * it. */
static void stop_all(void *arg)
{
    struct teardown *t = arg;
    log_warn(t->c->log, "components take long to stop; stopping the rest at once",
             F_INT("left", (i64)t->left));
    for (size_t i = 0; i < t->n; i++) {
        struct node_state *s = t->states[i];
        if (!s) continue;
        s->n_unblocks = 0;
        s->blocked_by = 0;
    }
    walk(t);
}

void teardown_start(struct controller *c, state_list *states, i64 deadline)
{
    struct teardown *t = xnew(struct teardown);
    *t = (struct teardown){
        .c = c, .states = states->v, .n = states->n, .left = states->n, .deadline = deadline};
    *states = (state_list){0};
    for (size_t i = 0; i < t->n; i++) {
        t->states[i]->teardown = t;
        if (t->states[i]->instance) instance_hurry(t->states[i]->instance);
    }
    c->teardowns++;
    t->half = timer_new(c->loop, stop_all, t);
    timer_start(t->half, MAX((deadline - clock_mono(c->host->clock)) / 2, 0));
    walk(t);
}
