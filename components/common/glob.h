/* Globs of paths in the dialect of doublestar, which Alloy's users write:
 *
 *     *  any run of characters but /        ?  one character but /
 *     **  as a whole segment: any number of folders; at the end: all that is below
 *     [abc] [a-z] [^a] [!a]  one character but /      {a,b/c}  one of these, nesting
 *     \c  the character itself
 *
 * Matching takes time in proportion to pattern times path, whatever the pattern. Compiled globs are
 * immutable and may be used by several threads. */
#ifndef COMPONENTS_COMMON_GLOB_H
#define COMPONENTS_COMMON_GLOB_H

#include <sys/stat.h>
#include "base/str.h"

#define GLOB_PATTERN_MAX 4096

struct glob;
struct glob_seen;
/* NULL when malformed: *ret_why (may be NULL) says why, constant text. */
struct glob *glob_compile(struct str pattern, const char **ret_why);
void glob_free(struct glob *g); /* takes NULL */
bool glob_match(const struct glob *g, struct str path);

struct glob_walk {
    /* A file that matches, or what a link that matches leads to; never a folder. st: what stat says
     * of it; NULL when that was not asked for (names_only) and its folder says that it is a plain
     * file. False ends the walk. */
    bool (*file)(void *arg, struct str path, const struct stat *st);
    /* A folder that may hold matches and cannot be read (err: errno); may be NULL. What vanished
     * meanwhile, or never was, is not told. */
    void (*unreadable)(void *arg, struct str path, int err);
    void *arg;
    bool names_only;
    struct glob_seen *seen; /* glob_seen.h: what the walk went by is added; may be NULL */
};
/* Walks the file system; relative patterns begin at `dir`. Paths are given absolute, without "."
 * and empty segments. Links to folders are followed, except where they lead back to a folder on the
 * way. Blocks: for pool threads. */
void glob_walk(const struct glob *g, const char *dir, const struct glob_walk *w);

#endif
