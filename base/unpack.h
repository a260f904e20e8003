/* Streaming decompression: gzip and zlib (zlib), bzip2 (libbz2), bytes in and bytes out, for what
 * is too large to be held as a whole. Concatenated members are one stream. One owner. */
#ifndef BASE_UNPACK_H
#define BASE_UNPACK_H

#include "base/str.h"

enum unpack_format { UNPACK_GZIP, UNPACK_ZLIB, UNPACK_BZIP2 };

struct unpack;
/* NULL when memory is out. */
struct unpack *unpack_new(enum unpack_format f);
void unpack_free(struct unpack *u); /* takes NULL */
/* Takes bytes from the front of *in, which is moved past them, and writes at most n bytes to out.
 * Returns how many were written; 0 with bytes left in *in: call again, with 0 of them left: more
 * input is needed. -EBADMSG: the stream is broken, *ret_err says how (static). -ENOMEM. What follows
 * a member and begins no other (zeros of a tape block) is passed over. */
ssize_t unpack_some(struct unpack *u, struct str *in, char *out, size_t n, const char **ret_err);
/* True between members: input that ends here is complete. */
bool unpack_at_end(const struct unpack *u);

#endif
