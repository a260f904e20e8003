/* What a source shows of its targets (debug_info): a worker counts, the control loop reads, neither
 * waits for the other for longer than it takes to copy a pointer.
 *
 * A status is shared by the worker and by who shows it: texts never change, the rest is atomic. The
 * list of them is immutable; another one is published when targets come or go, or when a text is to
 * be another. */
#ifndef COMPONENTS_COMMON_TARGET_STATUS_H
#define COMPONENTS_COMMON_TARGET_STATUS_H

#include <stdatomic.h>
#include "base/refcount.h"
#include "base/str.h"

struct target_status {
    struct refs refs;
    const char *name, *labels, *error; /* behind it; error: "" when there is none */
    _Atomic i64 offset;
    _Atomic bool running;
};
struct target_status *target_status_new(struct str name, struct str labels, struct str error);
struct target_status *target_status_ref(struct target_status *s);
void target_status_unref(struct target_status *s); /* takes NULL; any thread */

static inline void target_status_at(struct target_status *s, i64 offset)
{
    atomic_store_explicit(&s->offset, offset, memory_order_relaxed);
}
static inline void target_status_runs(struct target_status *s, bool running)
{
    atomic_store_explicit(&s->running, running, memory_order_relaxed);
}
static inline i64 target_status_offset(struct target_status *s)
{
    return atomic_load_explicit(&s->offset, memory_order_relaxed);
}
static inline bool target_status_is_running(struct target_status *s)
{
    return atomic_load_explicit(&s->running, memory_order_relaxed);
}

struct status_list {
    struct refs refs;
    size_t n, room;
    struct target_status *v[];
};
/* An empty one, with room for so many. */
struct status_list *status_list_new(size_t room);
/* Before it is published. A reference is taken. */
void status_list_add(struct status_list *l, struct target_status *s);
void status_list_unref(struct status_list *l); /* takes NULL; any thread */

/* Where the list stands; zeroed is empty. In the instance's shared part. */
struct status_board {
    _Atomic bool held; /* while the pointer is read or exchanged */
    struct status_list *list;
};
/* The list there is from now on; the reference is taken over. NULL: none (and the end). */
void status_board_set(struct status_board *b, struct status_list *l);
/* A new reference; NULL: nothing was published. */
struct status_list *status_board_get(struct status_board *b);

#endif
