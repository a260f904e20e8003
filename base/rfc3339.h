/* Reading RFC 3339 times with or without a fraction, as Go's RFC3339Nano layout takes them: what
 * stands before each line that Docker, Kubernetes and the CRI write. Pure. */
#ifndef BASE_RFC3339_H
#define BASE_RFC3339_H

#include "base/str.h"

/* The whole text, in nanoseconds since 1970. -EINVAL: no such time; -ERANGE: not representable
 * (before 1677, after 2262). Digits after the ninth of a fraction are cut off. */
int rfc3339_parse(struct str s, i64 *ret_ns);

#endif
