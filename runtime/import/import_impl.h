/* What the sources of imports share: making content, reading files of it, and the watch that tries
 * again and again. Control loop, but for import_read. */
#ifndef RUNTIME_IMPORT_IMPL_H
#define RUNTIME_IMPORT_IMPL_H

#include "runtime/import/import.h"
#include "runtime/dataplane/instance.h"
#include "runtime/load.h"

/* Without files; module_path is copied and may be NULL. */
struct import_content *import_content_new(const char *module_path);
/* Decodes raw as configuration text is. 0; or -errno: all texts together are too large. */
int import_content_add(struct import_content *c, const char *path, struct str raw);

/* Reads a file, or every *.alloy directly inside a folder. Blocking; any thread. root: symbolic
 * links must not lead out of this folder; NULL: they may lead anywhere. NULL with an owned *ret_err
 * ("failed to read file: ...", "failed to collect files: ..."). */
struct import_content *import_read(const char *path, const char *root, char **ret_err);

/* One way to get content, again and again. */
struct import_source {
    struct import_fetch *(*fetch)(const struct import_ctx *ctx, struct plan *plan,
                                  import_fetched_fn fn, void *arg);
    void (*cancel)(struct import_fetch *f);
    const char *well; /* health text of success */
    i64 patience;     /* ns until an attempt that cannot be ended is called a failure; 0: it ends by
                         itself in time */
    const char *late; /* health text of that */
};

/* Takes references; waits for the first of import_watch_every and import_watch_path. */
struct import_watch *import_watch_new(const struct import_source *src, const struct import_ctx *ctx,
                                      struct plan *plan, struct import_content *current,
                                      const struct import_events *ev, void *arg);
void import_watch_every(struct import_watch *w, i64 every_ns); /* 0: not at all */
void import_watch_path(struct import_watch *w, const char *path, i64 debounce_ns, i64 poll_ns);
void import_watch_free(struct import_watch *w); /* takes NULL */

#endif
