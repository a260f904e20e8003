/* import.string: custom components from a text, such as another component's export. */
#include "base/xalloc.h"
#include "runtime/import/import_impl.h"

struct args {
    struct opt_secret_text content;
};

static const struct row rows[] = {
    ATTR(struct args, content, .required = true,
         .doc = "The text to import: declare and import blocks."),
};
static const struct schema schema = SCHEMA(struct args, rows);

static struct import_fetch *fetch(const struct import_ctx *ctx, struct plan *plan,
                                  import_fetched_fn fn, void *arg)
{
    const struct args *a = plan->args;
    struct import_content *c = import_content_new(NULL);

    if (import_content_add(c, ctx->id, a->content.s) == 0) {
        fn(arg, c, NULL);
        return NULL;
    }
    import_content_unref(c);
    fn(arg, NULL, "the content is too large");
    return NULL;
}

static void cancel(struct import_fetch *f) {}

/* Another content is another evaluation. */
static struct import_watch *watch(const struct import_ctx *ctx, struct plan *plan,
                                  struct import_content *current, const struct import_events *ev,
                                  void *arg)
{
    return NULL;
}

const struct import_kind import_string_kind = {
    .def =
        {
            .name = "import.string",
            .summary = "Imports custom components from a text.",
            .example = "import.string \"lib\" {\n\tcontent = `declare \"nothing\" { }`\n}\n",
            .args = &schema,
        },
    .may_import_files = true,
    .fetch = fetch,
    .cancel = cancel,
    .watch = watch,
    .unwatch = import_watch_free,
};
