/* What a walk with a glob went by, kept so that the next one can be spared: the folders it read,
 * with the time of their last change, and the names it asked for. While none of them has changed,
 * another walk would find the same paths. A few questions stand for reading all folders again.
 *
 * Only file systems whose folders are known to show every change count, and only changes that are
 * old enough for the clock they are stamped with; everything else makes what was seen worthless,
 * and the walk is done again. One thread at a time. */
#ifndef COMPONENTS_COMMON_GLOB_SEEN_H
#define COMPONENTS_COMMON_GLOB_SEEN_H

#include <sys/stat.h>
#include "base/arena.h"
#include "base/vec.h"

#define GLOB_SEEN_MAX 4096u /* questions; beyond, walks are not spared */

struct glob_sight;
struct glob_seen {
    struct arena arena;
    VEC(struct glob_sight) v;
    i64 now; /* wall clock before the walks */
    bool worthless;
};
/* Nothing, seen at `now` (ns). */
void glob_seen_init(struct glob_seen *s, i64 now);
void glob_seen_done(struct glob_seen *s);
/* The same paths would be found: asks the file system. */
bool glob_seen_holds(const struct glob_seen *s);

/* --- for the walk; s may be NULL in each --- */
/* A folder about to be read. */
void glob_saw_folder(struct glob_seen *s, struct str path, int fd, const struct stat *st);
/* What a path led to: NULL, nothing. */
void glob_saw_name(struct glob_seen *s, struct str path, const struct stat *st);
/* Something that may be otherwise the next time. */
void glob_saw_trouble(struct glob_seen *s);

#endif
