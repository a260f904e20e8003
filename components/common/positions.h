/* The positions file of a log source, in Alloy's format (spec pipelines A.3): what was read of each
 * stream, by path and label text. Kept in memory, written to a temporary file and renamed.
 *
 * Belongs to one worker, with the exception of loading (control loop, before anybody uses it).
 * Saving runs on the offload pool within a second of a change; positions_save writes at once.
 * Entries whose path is gone are forgotten by and by, except cursor- and journal- ones (looked at on
 * the pool, too). A failed write is told through health and tried again. */
#ifndef COMPONENTS_COMMON_POSITIONS_H
#define COMPONENTS_COMMON_POSITIONS_H

#include "runtime/component.h"

struct positions;
/* Reads <data dir of c>/positions.yml; missing or empty: none. A file cut short or otherwise not in
 * the format fails with Alloy's text ("invalid yaml positions file [P]: ..."): -errno and owned
 * *ret_err. In create, on the control loop. */
int positions_load(struct comp *c, struct positions **ret, char **ret_err);
/* The same from Promtail's or the static agent's file (path: offset, labels become "{}"), only when
 * the new file was absent or empty. A missing one is fine, a malformed one is logged and ignored, one
 * that cannot be read is an error (it would mean to read everything again). */
int positions_load_legacy(struct positions *p, const char *path, char **ret_err);
void positions_free(struct positions *p); /* takes NULL */

/* Starts saving on changes. Worker that owns it from now on. */
void positions_start(struct positions *p, struct shard *s);
/* The value; .p NULL when there is none. Valid until the next call that changes. */
struct str positions_get(const struct positions *p, struct str path, struct str labels);
void positions_put(struct positions *p, struct str path, struct str labels, struct str value);
void positions_put_number(struct positions *p, struct str path, struct str labels, u64 value);
/* The same with a note of ours about what the value belongs to (which file had that path). Notes
 * stand in a file of their own (positions-notes.yml) that Alloy does not know: a note counts as long
 * as the value is the one it was written with. */
void positions_put_noted(struct positions *p, struct str path, struct str labels, u64 value,
                         struct str note);
/* The note of the value; .p NULL when there is none. Valid as a value is. */
struct str positions_note(const struct positions *p, struct str path, struct str labels);
void positions_del(struct positions *p, struct str path, struct str labels);
size_t positions_count(const struct positions *p);
/* Calls fn for each entry; it changes none. */
void positions_each(const struct positions *p,
                    void (*fn)(void *arg, struct str path, struct str labels), void *arg);
/* Writes now and waits for the disk (stop), when anything is unsaved. Says why not (log, health). */
void positions_save(struct positions *p);
/* Stops saving by itself. A save that is under way is waited for, a few seconds at most. */
void positions_stop(struct positions *p);

#endif
