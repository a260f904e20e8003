/* The unpacked bytes of a file descriptor, forwards. Inside of handle.c's room. */
#ifndef COMPONENTS_LOKI_FILE_PACKED_H
#define COMPONENTS_LOKI_FILE_PACKED_H

#include "base/unpack.h" /* the formats */

struct packed;
struct packed *packed_new(enum unpack_format f);
void packed_free(struct packed *p); /* takes NULL */
/* From the start again, the first `skip` unpacked bytes left out. */
void packed_rewind(struct packed *p, u64 skip);
/* Up to n unpacked bytes; less: the file has no more now. Negative: broken, or errno. */
ssize_t packed_read(struct packed *p, int fd, char *out, size_t n, const char **ret_err);
/* What the file has so far ends within a member. */
bool packed_is_cut_short(const struct packed *p);

#endif
