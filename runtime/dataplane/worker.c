/* Worker threads: one loop each, started when the first instance lands on them, asleep while
 * nothing happens. The control loop counts as worker 0, so that CONTROL instances have a shard like
 * all others. Everything here runs on the control loop, except the threads' own bodies. */
#include <signal.h>
#include <time.h>
#include "base/xalloc.h"
#include "runtime/dataplane/dataplane.h"

/* Components keep their data on the heap; what runs on this stack is shallow and known. */
#define STACK_SIZE ((size_t)512 * 1024)
/* Turns without progress after which what is still alive is taken to be stuck. */
#define IDLE_TURNS 16
#define ACK_TURNS  2 /* an ack may send its own answer to one more loop */
/* A stuck worker must not keep the process from ending. */
#define JOIN_SECONDS 2

static const struct metric_desc batches_refused = {
    .name = "weir_dataplane_batches_refused_total",
    .help = "Batches answered with a retryable failure because their component was stopping or had "
            "failed to start.",
    .kind = METRIC_COUNTER,
};
static const struct metric_desc batches_dropped = {
    .name = "weir_dataplane_batches_dropped_total",
    .help = "Batches dropped because nothing takes them any more.",
    .kind = METRIC_COUNTER,
};
static const struct metric_desc batches_abandoned = {
    .name = "weir_dataplane_batches_abandoned_total",
    .help = "Batches whose outcome was not known when their component was shut down.",
    .kind = METRIC_COUNTER,
};

static struct metric *own_metric(const struct host *host, const struct metric_desc *desc)
{
    return host->metrics ? metric_new(host->metrics, desc, NULL, 0) : NULL;
}

static void worker_init(struct worker_rt *w, struct workers *set, int index)
{
    char name[16];

    (void)snprintf(name, sizeof(name), "weir-%d", index);
    w->set = set;
    w->pub.index = index;
    w->pub.loop = index ? loop_new(name, index, set->host->clock) : set->control;
}

struct workers *workers_new(const struct host *host, int n, struct loop *control)
{
    struct workers *set = xnew(struct workers);

    ASSERT(n > 0 && n < METRIC_WRITERS);
    set->host = host;
    set->control = control;
    set->n = n;
    set->all = xcalloc((size_t)n + 1, sizeof(*set->all));
    for (int i = 0; i <= n; i++)
        worker_init(&set->all[i], set, i);
    set->refused = own_metric(host, &batches_refused);
    set->dropped = own_metric(host, &batches_dropped);
    set->abandoned = own_metric(host, &batches_abandoned);
    return set;
}

static void *worker_main(void *arg)
{
    struct worker_rt *w = arg;

    loop_run(w->pub.loop);
    http_client_free(w->pub.http);
    w->pub.http = NULL;
    return NULL;
}

/* Signals are the control loop's. */
static int start_thread(struct worker_rt *w, pthread_attr_t *attr)
{
    sigset_t all, old;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    int rc = pthread_create(&w->thread, attr, worker_main, w);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    return rc;
}

void worker_start(struct worker_rt *w)
{
    pthread_attr_t attr;

    if (w->started || w->pub.index == 0) return;
    ASSERT(pthread_attr_init(&attr) == 0);
    ASSERT(pthread_attr_setstacksize(&attr, STACK_SIZE) == 0);
    ASSERT(start_thread(w, &attr) ==
           0); /* like memory of our own choosing: without it nothing can go on */
    pthread_attr_destroy(&attr);
    w->started = true;
}

void worker_equip(struct worker_rt *w)
{
    if (!w->pub.http && w->set->host->net)
        w->pub.http = http_client_new(w->set->host->net, w->pub.loop);
}

static bool join_until(struct worker_rt *w, const struct timespec *until)
{
    int rc = w->started ? pthread_timedjoin_np(w->thread, NULL, until) : 0;

    if (rc) log_error(w->set->host->log, "a worker does not end", F_INT("worker", w->pub.index));
    return rc == 0;
}

/* True when all have ended. */
static bool stop_threads(struct workers *set)
{
    struct timespec until;
    bool all = true;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += JOIN_SECONDS;
    for (int i = 1; i <= set->n; i++)
        if (set->all[i].started) loop_stop(set->all[i].pub.loop);
    for (int i = 1; i <= set->n; i++)
        all &= join_until(&set->all[i], &until);
    return all;
}

/* Messages that were on the way when the threads ended (acks, credits, last references) are
 * delivered here: the first turns even when no instance waits for them. */
static void settle_rest(struct workers *set)
{
    u32 was = set->instances;

    for (int idle = 0; idle < (set->instances > 0 ? IDLE_TURNS : ACK_TURNS); idle++) {
        for (int i = 0; i <= set->n; i++)
            loop_turn(set->all[i].pub.loop, 0);
        if (set->instances != was) idle = 0;
        was = set->instances;
    }
    if (set->instances > 0)
        log_error(set->host->log, "components are still referenced at exit",
                  F_UINT("count", set->instances));
}

static void free_metrics(struct workers *set)
{
    struct metrics *m = set->host->metrics;

    if (!m) return;
    metric_free(m, set->refused);
    metric_free(m, set->dropped);
    metric_free(m, set->abandoned);
}

void workers_free(struct workers *set)
{
    if (!set) return;
    if (!stop_threads(set)) return; /* the process ends; what a stuck thread uses must stay */
    settle_rest(set);
    for (int i = 1; i <= set->n; i++)
        loop_free(set->all[i].pub.loop);
    http_client_free(set->all[0].pub.http);
    free_metrics(set);
    free(set->all);
    free(set);
}
