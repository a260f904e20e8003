/* Where the rest of a file is that was renamed, copied or compressed while nobody looked: among the
 * files beside its path whose names are the path's with a number or date added, as logrotate, the
 * kubelet and loggers write them. What a file is is known by its first bytes, not by its name. */
#ifndef COMPONENTS_LOKI_FILE_ROTATED_H
#define COMPONENTS_LOKI_FILE_ROTATED_H

#include "base/vec.h"
#include "components/loki/file/handle.h"

typedef VEC(struct handle *) handle_list;

struct lost {
    struct head head;
    u64 ino;    /* its number then; 0: unknown */
    u64 offset; /* read up to here */
    u64 now;    /* number of the file that has the path now; 0: none */
};
/* Appends the file that it became, set to read on at offset, and those that came between it and the
 * one there now, oldest first. False: it was not found. */
bool rotated_rest(const char *path, const struct lost *lost, struct reading *r, handle_list *ret);
/* Only the file that it became, set to read on at offset; NULL: it was not found. */
struct handle *rotated_one(const char *path, const struct lost *lost, struct reading *r);
/* Appends those that were last changed after `since` (ns), oldest first: without those that are
 * among the handles of the list `known`, by number or, compressed meanwhile, by their first bytes,
 * and without the file of the number `now`. */
void rotated_since(const char *path, i64 since, struct handle *known, u64 now, struct reading *r,
                   handle_list *ret);
/* Whether `name` is one that a rotation of `base` leaves; *ret_packed: how it is compressed, or -1.
 */
bool rotated_name(struct str name, struct str base, int *ret_packed);

#endif
