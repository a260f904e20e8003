/* import.file: a file, or all *.alloy files of a folder. Reading runs on the offload pool: a file
 * system that hangs keeps one of its threads, never the loop. */
#include "base/xalloc.h"
#include "runtime/import/import_impl.h"

#define PAUSE   (30 * NS_PER_MS) /* between a change and reading: writers take their time */
#define TIMEOUT (10 * NS_PER_SEC)
#define LATE    "failed to read file: no answer within 10s"

struct args {
    struct str filename, detector;
    struct dur poll_frequency;
};

static const struct row rows[] = {
    ATTR(struct args, detector, .doc = "How changes are noticed: fsnotify or poll.",
         .def = "\"fsnotify\"", .one_of = ONE_OF_TEXT("fsnotify", "poll")),
    ATTR(struct args, filename, .required = true,
         .doc = "File to import, or a directory whose `*.alloy` files are imported together."),
    ATTR(struct args, poll_frequency,
         .doc = "How often the file is looked at, for poll and where changes cannot be watched.",
         .def = "\"1m\""),
};

static void validate(const void *args, const struct span *at, struct diags *diags);
static const struct schema schema = SCHEMA(struct args, rows, .validate = validate);

static void validate(const void *args, const struct span *at, struct diags *diags)
{
    const struct args *a = args;

    if (a->poll_frequency.ns <= 0)
        diag_error(diags, DIAG_VALUE_INVALID, schema_span(&schema, at, "poll_frequency"),
                   "poll_frequency must be greater than 0");
}

/* Freed when the pool has let go of it, which may be after it was answered. */
struct import_fetch {
    struct job job;
    struct plan *plan;
    const char *path; /* the plan's */
    struct import_content *content;
    char *err;
    struct timer *limit;
    import_fetched_fn fn; /* NULL once called, or cancelled */
    void *arg;
};

static void read_it(struct job *j)
{
    struct import_fetch *f = container_of(j, struct import_fetch, job);

    f->content = import_read(f->path, NULL, &f->err);
}

static void answer(struct import_fetch *f, struct import_content *content, const char *err)
{
    import_fetched_fn fn = f->fn;

    f->fn = NULL;
    if (f->limit) timer_stop(f->limit);
    if (fn)
        fn(f->arg, content, err);
    else
        import_content_unref(content);
}

static void read_done(struct job *j)
{
    struct import_fetch *f = container_of(j, struct import_fetch, job);

    answer(f, f->content, f->err);
    timer_free(f->limit);
    plan_unref(f->plan);
    free(f->err);
    free(f);
}

static void timed_out(void *arg)
{
    answer(arg, NULL, LATE);
}

static void cancel(struct import_fetch *f)
{
    f->fn = NULL;
    if (f->limit) timer_stop(f->limit);
}

/* Without a limit: a watch has patience of its own, and does not start a second read. */
static struct import_fetch *start(const struct import_ctx *ctx, struct plan *plan,
                                  import_fetched_fn fn, void *arg)
{
    struct import_fetch *f = xnew(struct import_fetch);
    const struct args *a = plan->args;

    *f = (struct import_fetch){.plan = plan_ref(plan), .path = a->filename.p, .fn = fn, .arg = arg};
    f->job = (struct job){.reply_to = ctx->loop, .work = read_it, .done = read_done};
    offload_run(ctx->host->offload, &f->job);
    return f;
}

static struct import_fetch *fetch(const struct import_ctx *ctx, struct plan *plan,
                                  import_fetched_fn fn, void *arg)
{
    struct import_fetch *f = start(ctx, plan, fn, arg);

    f->limit = timer_new(ctx->loop, timed_out, f);
    timer_start(f->limit, TIMEOUT);
    return f;
}

static struct import_watch *watch(const struct import_ctx *ctx, struct plan *plan,
                                  struct import_content *current, const struct import_events *ev,
                                  void *arg)
{
    static const struct import_source source = {
        .fetch = start, .cancel = cancel, .well = "read file", .patience = TIMEOUT, .late = LATE};
    const struct args *a = plan->args;
    struct import_watch *w = import_watch_new(&source, ctx, plan, current, ev, arg);

    if (str_is(a->detector, "poll"))
        import_watch_every(w, a->poll_frequency.ns);
    else
        import_watch_path(w, a->filename.p, PAUSE, a->poll_frequency.ns);
    return w;
}

const struct import_kind import_file_kind = {
    .def =
        {
            .name = "import.file",
            .summary = "Imports custom components from a file or a directory, and follows it.",
            .example = "import.file \"lib\" {\n\tfilename = \"modules/lib.alloy\"\n}\n",
            .args = &schema,
        },
    .may_import_files = true,
    .fetch = fetch,
    .cancel = cancel,
    .watch = watch,
    .unwatch = import_watch_free,
};
