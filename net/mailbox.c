/* The mailbox of a loop. A push is one compare-and-swap; `next` of a message is written before it
 * becomes visible and read after the whole stack was taken, so it needs no atomics of its own.
 * Reversal restores the order of each sender. */
#include "net/loop_private.h"

bool mailbox_push(struct mailbox *b, struct msg *m)
{
    struct msg *head = atomic_load_explicit(&b->head, memory_order_relaxed);

    do {
        m->next = head;
    } while (!atomic_compare_exchange_weak_explicit(&b->head, &head, m, memory_order_release,
                                                    memory_order_relaxed));
    return !head;
}

struct msg *mailbox_take(struct mailbox *b)
{
    struct msg *m = atomic_exchange_explicit(&b->head, NULL, memory_order_acquire);
    struct msg *oldest = NULL;

    while (m) {
        struct msg *next = m->next;
        m->next = oldest;
        oldest = m;
        m = next;
    }
    return oldest;
}
