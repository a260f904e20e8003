/* The files that targets name by globs: `__path__` is a pattern (components/common/glob.h),
 * `__path_exclude__` one of what to leave out. Looked up again every period, on the offload pool:
 * a huge or hanging directory costs the loop nothing, and one look at a time is under way.
 * local.file_match exports what is found; loki.source.file reads it.
 *
 * Belongs to one shard, used on its worker. */
#ifndef COMPONENTS_COMMON_FILE_MATCH_H
#define COMPONENTS_COMMON_FILE_MATCH_H

#include "runtime/component.h"

/* One file, never a folder: target is its place in the list, path absolute. */
struct file_found {
    u32 target;
    struct str path;
};
struct files_found {
    struct value targets;       /* those that were looked for */
    const struct file_found *v; /* by target, then by path */
    size_t n;
    struct value list; /* with .make_list: a target for each file, __path__ being the path */
};

struct file_match_conf {
    struct value targets;          /* a reference is kept */
    i64 period, ignore_older_than; /* ns; the second 0: whatever their age */
    bool make_list;
    /* The first result, and each later one that differs in its files. What f points to lives
     * during the call. */
    void (*found)(void *arg, const struct files_found *f);
    void *arg;
};
struct file_match;
struct file_match *file_match_new(struct shard *s);
/* In run and apply: looks at once, then every period. Says by the component's log which targets
 * have no path or a malformed one, which folders cannot be read, and when there are too many files
 * (FILE_MATCH_MAX: the rest is left out). */
void file_match_set(struct file_match *m, const struct file_match_conf *conf);
/* found() is not called any more. Takes NULL. */
void file_match_free(struct file_match *m);

#define FILE_MATCH_MAX 200000u

#endif
