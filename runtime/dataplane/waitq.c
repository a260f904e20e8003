/* Waiting for room: who was told FULL, in order, and how they are woken. Runs on the loop of the
 * thing waited for (a shard) or of the one who waits (a proxy). Waking is deferred, so that a push
 * never runs inside another one's wake-up; and it ends at the first FULL, so that one free place
 * costs one attempt whatever the number of those who wait. */
#include "runtime/dataplane/dataplane.h"

void waitq_init(struct waitq *q, struct loop *loop, void (*fn)(struct msg *m))
{
    list_init(&q->waiting);
    q->msg.fn = fn;
    q->queued = false;
    q->loop = loop;
}

void waitq_add(struct waitq *q, struct waiter *w)
{
    ASSERT(list_empty(&w->node));
    list_add_tail(&q->waiting, &w->node);
}

void waiter_cancel(struct waiter *w)
{
    list_del(&w->node);
}

void waitq_kick(struct waitq *q)
{
    if (q->queued || list_empty(&q->waiting)) return;
    q->queued = true;
    loop_defer(q->loop, &q->msg);
}

/* Moves all nodes of `from` to the front of `to`. */
static void move_to_front(struct list *to, struct list *from)
{
    if (list_empty(from)) return;
    from->prev->next = to->next;
    to->next->prev = from->prev;
    to->next = from->next;
    from->next->prev = to;
    list_init(from);
}

void waitq_run(struct waitq *q)
{
    struct list turn;

    q->queued = false;
    list_init(&turn);
    move_to_front(&turn, &q->waiting);
    while (!list_empty(&turn)) {
        struct waiter *w = list_item(turn.next, struct waiter, node);

        list_del(&w->node);
        if (w->retry(w)) break;
    }
    move_to_front(&q->waiting, &turn);
}
