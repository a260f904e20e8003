/* import.git: the table's place; what fetches follows in the next commits. */
#include "runtime/import_impl.h"

static struct import_fetch *fetch(const struct import_ctx *ctx, struct plan *plan,
                                  import_fetched_fn fn, void *arg)
{
    fn(arg, NULL, "import.git is being built");
    return NULL;
}
static void cancel(struct import_fetch *f) {}
static struct import_watch *watch(const struct import_ctx *ctx, struct plan *plan,
                                  struct import_content *current, const struct import_events *ev,
                                  void *arg)
{
    return NULL;
}

const struct import_kind import_git_kind = {
    .def = {.name = "import.git", .summary = "Imports custom components."},
    .fetch = fetch,
    .cancel = cancel,
    .watch = watch,
    .unwatch = import_watch_free,
};
