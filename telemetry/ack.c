/* Acknowledgements: a count, and the worst outcome so far. Outcomes are rare, so each one that is
 * worse than all before is kept as a record on a stack whose top is always the worst; readers never
 * wait and nothing is freed before the ack is. */
#include "telemetry/ack.h"

#include "base/xalloc.h"

/* One recorded outcome. Immutable once it is on the stack. */
struct record {
    struct record *below;
    int rank;
    enum ack_outcome outcome;
    struct ack_failure failure; /* text points at text[] */
    char text[];
};

struct ack {
    struct refs refs;
    enum ack_stage stage;
    struct loop *loop;
    ack_fn fn;
    void *arg;
    struct msg msg;
    _Atomic(struct record *) worst;
};

struct ack *ack_new(enum ack_stage stage, struct loop *loop, ack_fn fn, void *arg)
{
    struct ack *a = xnew(struct ack);
    refs_init(&a->refs);
    a->stage = stage;
    a->loop = loop;
    a->fn = fn;
    a->arg = arg;
    atomic_init(&a->worst, NULL);
    return a;
}

struct ack *ack_ref(struct ack *a)
{
    refs_get(&a->refs);
    return a;
}

enum ack_stage ack_stage(const struct ack *a)
{
    return a->stage;
}

static void ack_free(struct ack *a)
{
    for (struct record *r = atomic_load_explicit(&a->worst, memory_order_relaxed), *below; r;
         r = below) {
        below = r->below;
        free(r);
    }
    free(a);
}

/* On the source's loop: tells it, and is gone. */
static void ack_complete(struct msg *m)
{
    struct ack *a = container_of(m, struct ack, msg);
    const struct record *r = atomic_load_explicit(&a->worst, memory_order_acquire);
    enum ack_outcome outcome = r ? r->outcome : ACK_OK;
    a->fn(a->arg, outcome, outcome == ACK_FAILED ? &r->failure : NULL);
    ack_free(a);
}

void ack_unref(struct ack *a)
{
    if (!refs_put(&a->refs)) return;
    a->msg.fn = ack_complete;
    loop_post(a->loop, &a->msg);
}

/* A permanent failure weighs more than a retryable one: sending all of it again cannot help. */
static int rank_of(enum ack_outcome outcome, const struct ack_failure *f)
{
    static const int ranks[] = {
        [ACK_OK] = 0, [ACK_DROPPED] = 1, [ACK_FAILED] = 2, [ACK_ABANDONED] = 4};
    return ranks[outcome] + (outcome == ACK_FAILED && !(f && f->retryable) ? 1 : 0);
}

static struct record *record_new(enum ack_outcome outcome, int rank, const struct ack_failure *f)
{
    const char *text = f && f->text ? f->text : "";
    size_t n = strlen(text) + 1;
    struct record *r = xmalloc(sizeof(*r) + n);
    *r = (struct record){.rank = rank, .outcome = outcome};
    if (f) r->failure = *f;
    r->failure.text = memcpy(r->text, text, n);
    return r;
}

void ack_fail(struct ack *a, enum ack_outcome outcome, const struct ack_failure *f)
{
    int rank = rank_of(outcome, f);
    struct record *top = atomic_load_explicit(&a->worst, memory_order_acquire), *r = NULL;
    while ((top ? top->rank : 0) < rank) {
        if (!r) r = record_new(outcome, rank, f);
        r->below = top;
        if (atomic_compare_exchange_weak_explicit(&a->worst, &top, r, memory_order_acq_rel,
                                                  memory_order_acquire))
            return;
    }
    free(r);
}
