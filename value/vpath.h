/* Where inside a value: members and elements, outermost first; and a fault found there. Keys are
 * borrowed from the value. */
#ifndef VALUE_VPATH_H
#define VALUE_VPATH_H

#include "base/buf.h"

#define VPATH_MAX 16 /* deeper steps are left out: conversions nest as deep as schemas do */

struct vstep {
    struct str key; /* p NULL: an element */
    size_t index;
};
struct vpath {
    struct vstep step[VPATH_MAX];
    size_t n;
};

/* Puts a step in front: a caller adds its own on the way out. */
void vpath_member(struct vpath *p, struct str key);
void vpath_element(struct vpath *p, size_t index);
/* ".name[2]", from step `from` on. */
void vpath_text(const struct vpath *p, size_t from, struct buf *out);

/* text is owned; a zeroed vfault is no fault. */
struct vfault {
    char *text;
    struct vpath path;
};
/* Sets it and returns -EINVAL, for `return vfault_set(...)`. */
int vfault_set(struct vfault *f, const char *fmt, ...) PRINTF(2, 3);
void vfault_done(struct vfault *f);

#endif
