/* A small pool of threads for calls that block. Threads start with the first jobs, never more than
 * there are jobs waiting, so that a process that never blocks has none. Signals stay with the
 * control loop. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include "base/assert.h"
#include "base/vec.h"
#include "net/loop.h"

#define SETTLE_TURN (10 * NS_PER_MS) /* jobs that answer another loop do not wake this one */

struct offload {
    pthread_mutex_t lock;
    pthread_cond_t work;
    struct msg *head, **tail;
    VEC(pthread_t) threads;
    size_t max, idle, queued;
    _Atomic size_t open; /* given, and not answered yet */
    _Atomic size_t
        busy; /* threads with a job: one may still be waking a loop that has the answer */
    bool closing;
};

static void on_done(struct msg *m)
{
    struct job *j = container_of(m, struct job, msg);
    struct offload *o = j->pool;

    j->done(j);
    o->open--; /* after it: what it asks for in turn is counted first */
}

static struct job *next_job(struct offload *o)
{
    struct msg *m = o->head;

    o->head = m->next;
    if (!o->head) o->tail = &o->head;
    o->queued--;
    return container_of(m, struct job, msg);
}

/* A job without a loop to answer to may free itself in work(): it is not touched after. */
static void run_job(struct offload *o, struct job *j)
{
    struct loop *reply_to = j->reply_to;

    j->work(j);
    if (!reply_to) {
        o->open--;
        return;
    }
    j->msg.fn = on_done;
    loop_post(reply_to, &j->msg);
}

static void *worker(void *arg)
{
    struct offload *o = arg;

    prctl(PR_SET_NAME, "offload");
    pthread_mutex_lock(&o->lock);
    for (;;) {
        while (!o->head && !o->closing) {
            o->idle++;
            pthread_cond_wait(&o->work, &o->lock);
            o->idle--;
        }
        if (!o->head) break;
        struct job *j = next_job(o);
        o->busy++;
        pthread_mutex_unlock(&o->lock);
        run_job(o, j);
        o->busy--;
        pthread_mutex_lock(&o->lock);
    }
    pthread_mutex_unlock(&o->lock);
    return NULL;
}

/* New threads inherit the mask: they are made with every signal blocked. */
static int start_thread(struct offload *o)
{
    sigset_t all, was;
    pthread_t t;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &was);
    int err = pthread_create(&t, NULL, worker, o);
    pthread_sigmask(SIG_SETMASK, &was, NULL);
    if (!err) vec_push(&o->threads, t);
    return -err;
}

struct offload *offload_new(int threads)
{
    struct offload *o = xnew(struct offload);

    ASSERT(threads > 0);
    pthread_mutex_init(&o->lock, NULL);
    pthread_cond_init(&o->work, NULL);
    o->tail = &o->head;
    o->max = (size_t)threads;
    return o;
}

void offload_free(struct offload *o)
{
    if (!o) return;
    pthread_mutex_lock(&o->lock);
    o->closing = true;
    pthread_cond_broadcast(&o->work);
    pthread_mutex_unlock(&o->lock);
    vec_each (&o->threads, t)
        pthread_join(*t, NULL);
    vec_done(&o->threads);
    pthread_cond_destroy(&o->work);
    pthread_mutex_destroy(&o->lock);
    free(o);
}

/* In this order: a thread is busy until after its job was counted as answered. */
static bool is_settled(struct offload *o)
{
    return o->open == 0 && o->busy == 0;
}

bool offload_settle(struct offload *o, struct loop *l, i64 wait_ns)
{
    i64 end = clock_mono(&clock_system) + wait_ns;

    while (!is_settled(o) && clock_mono(&clock_system) < end)
        loop_turn(l, SETTLE_TURN);
    return is_settled(o);
}

/* With no thread at all the job would never run; a thread that cannot be started is then worth an
 * abort (out of memory). */
void offload_run(struct offload *o, struct job *j)
{
    j->msg.next = NULL;
    j->pool = o;
    o->open++;
    pthread_mutex_lock(&o->lock);
    ASSERT(!o->closing);
    *o->tail = &j->msg;
    o->tail = &j->msg.next;
    o->queued++;
    if (o->queued > o->idle && o->threads.n < o->max) {
        int err = start_thread(o);
        ASSERT(err == 0 || o->threads.n > 0);
    }
    pthread_cond_signal(&o->work);
    pthread_mutex_unlock(&o->lock);
}
