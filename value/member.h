/* One row's member of a struct: from a value, and back. The two switches over the kinds of
 * attributes. */
#ifndef VALUE_MEMBER_H
#define VALUE_MEMBER_H

#include "value/convert.h"
#include "value/schema.h"

/* Converts v into member (memory in arena). 0, or -EINVAL with *f and *ret_code set and the member
 * as it was. Attribute kinds only. */
int member_set(const struct row *row, struct value v, struct arena *arena, void *member,
               struct vfault *f, enum diag_code *ret_code);
/* The zero of an attribute kind, where it is not all zero bytes. */
void member_zero(const struct row *row, void *member);
/* Bounds and choices of a value that was set. */
int member_check(const struct row *row, const void *member, struct vfault *f,
                 enum diag_code *ret_code);
/* The member as a value (owned); unset optional ones are null. */
struct value member_get(const struct row *row, const void *member);
/* sizeof the C type of a kind; 0 for blocks, whose size the table says. */
size_t kind_size(enum kind k);

/* Whether v fits the shape (parts are converted in the arena and dropped with it). 0, or -EINVAL
 * with *f set. Null fits. */
int shape_judge(const struct shape *s, struct value v, struct arena *a, struct vfault *f);

/* Keeps a reference to v as long as the arena lives. */
struct value arena_value(struct arena *a, struct value v);

#endif
