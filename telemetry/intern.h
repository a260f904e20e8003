/* A table of immutable, counted things of which one copy of each exists: label values, shapes,
 * series. In parts with a lock of their own, held for a few pointers' time; what is put in is made
 * outside of it. Growing moves the pointers of one part.
 *
 * A node is embedded at the start of the thing. Find by hash and a comparison of the owner; a node
 * whose count fell to zero is unlinked in the same lock, so what is found is always alive. Any
 * thread. */
#ifndef TELEMETRY_INTERN_H
#define TELEMETRY_INTERN_H

#include "base/refcount.h"

struct intern_node {
    struct refs refs;
    u32 hash;
    struct intern_node *next; /* in the table's chain */
};

#define INTERN_PARTS 16
struct intern_part;
struct intern {
    struct intern_part *parts;
    bool (*same)(const struct intern_node *node, const void *key);
};
void intern_init(struct intern *t, bool (*same)(const struct intern_node *node, const void *key));
void intern_done(struct intern *t); /* of an empty table */
size_t intern_count(const struct intern *t);

/* A new reference, or NULL. */
struct intern_node *intern_find(struct intern *t, u32 hash, const void *key);
/* Puts `mine` in (its one reference is the caller's), unless another thread was faster: then that
 * one, with a new reference, and mine stays the caller's. */
struct intern_node *intern_put(struct intern *t, struct intern_node *mine, const void *key);
/* Drops a reference; true: it was the last, nobody finds the node any more, the caller frees it. */
bool intern_unref(struct intern *t, struct intern_node *n) WARN_UNUSED;

#endif
