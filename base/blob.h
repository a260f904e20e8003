/* A counted run of bytes from outside, shared without copying: a request body becomes the root
 * buffer of the batches cut from it. Allocation goes through budget_alloc and may fail. Bytes are
 * written before the blob is shared, never after. Thread safe as far as counts go. */
#ifndef BASE_BLOB_H
#define BASE_BLOB_H

#include "base/buf.h"
#include "base/budget.h"
#include "base/refcount.h"
#include "base/str.h"

struct blob {
    struct refs refs;
    struct budget *budget; /* charged with cap while the blob lives; may be NULL */
    size_t n, cap;
    char *p;
};

/* NULL when memory or the budget is out. n starts at 0. budget may be NULL. */
struct blob *blob_new(size_t cap, struct budget *budget) WARN_UNUSED;
/* Grows an unshared blob to at least cap; -ENOMEM leaves it as it was. */
int blob_grow(struct blob *b, size_t cap) WARN_UNUSED;
/* Moves the contents of a buf into a new blob; the buf is empty afterwards. The budget is charged
 * whatever its limit says: the bytes are in memory already. */
struct blob *blob_take_buf(struct buf *from, struct budget *budget);
struct blob *blob_ref(struct blob *b);
void blob_unref(struct blob *b); /* takes NULL */
static inline struct str blob_view(const struct blob *b)
{
    return (struct str){b->p, b->n};
}

#endif
