/* Where imported modules come from: import.file, import.string, import.http, import.git.
 *
 * A kind does two things. It fetches: one answer for given arguments, within a bounded time; all
 * fetching of a load precedes its evaluation (a load that meets content it does not have yet is put
 * back, fetches, and begins anew). And it watches: after the commit it looks for other content and
 * hands it over. It knows nothing of graphs and templates: content is texts. Control loop; whatever
 * blocks runs on the offload pool, child processes are watched from the loop. */
#ifndef RUNTIME_IMPORT_H
#define RUNTIME_IMPORT_H

#include "base/refcount.h"
#include "base/vec.h"
#include "runtime/component.h"

#define IMPORT_CONTENT_MAX ((size_t)16 << 20) /* bytes of all texts of one import */

/* What was fetched; immutable, counted. Texts are as they came, but for UTF-16 with a byte order
 * mark, which became UTF-8: who parses them checks the encoding (a bad text never fails the
 * import).
 */
struct import_file {
    char *path; /* as logged */
    char *text; /* owned, terminated */
    size_t n;
};
struct import_content {
    struct refs refs;
    VEC(struct import_file) files; /* byte order of their names */
    char *module_path;             /* what `module_path` is inside; NULL: as at the importer */
};
struct import_content *import_content_ref(struct import_content *c);
void import_content_unref(struct import_content *c); /* takes NULL */
bool import_content_equal(const struct import_content *a, const struct import_content *b);

struct plan; /* runtime/dataplane/instance.h */
struct import_fetch;
struct import_watch;

/* Who imports. The struct is copied; what it points to lives as long as the fetch or watch. */
struct import_ctx {
    const struct host *host;
    struct loop *loop;
    const char *id;     /* global id of the import node */
    struct logger *log; /* carries config_path and config_id */
};

/* content is owned by the callee, NULL on failure; err then says why, without the node's name. */
typedef void (*import_fetched_fn)(void *arg, struct import_content *content, const char *err);

struct import_events {
    /* Other content than the last handed over; owned by the callee. */
    void (*changed)(void *arg, struct import_content *content);
    /* How the source fares: texts of spec runtime.md 6 ("read file", "failed to read file: ...").
     * Also once from within watch(). unwatch must not be called from here (from changed it may). */
    void (*health)(void *arg, enum health h, const char *text);
};

struct import_kind {
    struct component_def def; /* name, summary, example, args, prepare; no data plane */
    bool may_import_files;    /* false: content must not contain import.file (import.http) */
    /* One attempt, with a reference on the plan. fn is called once, maybe before this returns (NULL
     * is returned then). Bounded: a source that does not answer fails with a reason. */
    struct import_fetch *(*fetch)(const struct import_ctx *ctx, struct plan *plan,
                                  import_fetched_fn fn, void *arg);
    void (*cancel)(struct import_fetch *f); /* fn is not called any more */
    /* Watches or polls from now on, with references on plan and current (what is in use); NULL
     * where there is nothing to watch. */
    struct import_watch *(*watch)(const struct import_ctx *ctx, struct plan *plan,
                                  struct import_content *current, const struct import_events *ev,
                                  void *arg);
    void (*unwatch)(struct import_watch *w); /* takes NULL */
};
extern const struct import_kind import_file_kind, import_string_kind, import_http_kind,
    import_git_kind;
/* By block name ("import.file"); NULL. */
const struct import_kind *import_kind_find(struct str name);

#endif
