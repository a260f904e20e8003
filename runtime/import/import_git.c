/* import.git: a file or folder of a git repository, by the git program. An attempt is a chain of
 * steps, blocking ones on the offload pool and commands as child processes:
 *
 *     open (folder, lock) · git init (first time) · git fetch · git checkout · read · close
 *
 * A branch or tag is fetched without its history; what may be a hash or an expression of git needs
 * all of it. Attempts at one clone are one at a time, by a lock: a load that fetches with new
 * arguments may meet the watch of the old ones. Control loop. */
#include <ctype.h>
#include <errno.h>
#include "base/xalloc.h"
#include "net/child.h"
#include "runtime/import/git.h"

#define TIMEOUT     (120 * NS_PER_SEC)
#define LATE        "failed to update module: no answer within 2m"
#define RETRY_LOCK  (100 * NS_PER_MS)
#define OUTPUT_MAX  ((size_t)16 * 1024)
#define WHOLE_DEPTH "2147483647" /* git's word for all of it, also after a fetch of less */

struct import_fetch;
typedef void step_fn(struct import_fetch *f);

/* Freed when its last step is over, which may be after it was answered. */
struct import_fetch {
    struct import_ctx ctx;
    struct plan *plan;
    const struct git_args *args; /* the plan's */
    import_fetched_fn fn;        /* NULL once called, or cancelled */
    void *arg;
    i64 deadline;
    struct timer *limit, *retry;
    struct git_clone clone;
    struct git_env env;
    struct child *child;
    step_fn *next; /* after the running step */
    struct job job;
    int opened; /* what git_clone_open said */
    struct import_content *content;
    char *err; /* owned; the first failure */
};

static void answer(struct import_fetch *f, struct import_content *content, const char *err)
{
    import_fetched_fn fn = f->fn;

    f->fn = NULL;
    timer_stop(f->limit);
    if (fn)
        fn(f->arg, content, err);
    else
        import_content_unref(content);
}

/* --- the last step --- */

static void close_work(struct job *j)
{
    struct import_fetch *f = container_of(j, struct import_fetch, job);

    git_clone_close(&f->clone);
}

static void closed(struct job *j)
{
    struct import_fetch *f = container_of(j, struct import_fetch, job);
    char *text = f->err ? xprintf("failed to update module: %s", f->err) : NULL;

    answer(f, f->content, text);
    free(text);
    git_env_done(&f->env);
    timer_free(f->limit);
    timer_free(f->retry);
    plan_unref(f->plan);
    free(f->err);
    free(f);
}

static void run_job(struct import_fetch *f, void (*work)(struct job *j),
                    void (*done)(struct job *j))
{
    f->job = (struct job){.reply_to = f->ctx.loop, .work = work, .done = done};
    offload_run(f->ctx.host->offload, &f->job);
}

static void close_up(struct import_fetch *f)
{
    run_job(f, close_work, closed);
}

/* The first failure counts; nobody wants the content of an attempt that was given up. */
static void go_on(struct import_fetch *f, char *err, step_fn *next)
{
    if (!err && !f->fn) err = xstrdup("cancelled");
    f->err = err;
    if (err)
        close_up(f);
    else
        next(f);
}

/* --- commands --- */

static char *command_fault(const struct import_fetch *f, const struct child_result *r)
{
    if (r->status == 0) return NULL;
    if (r->timed_out) return xstrdup("git did not end within 2m");
    if (r->signal) return xprintf("git was ended by signal %d", r->signal);
    char *said = git_env_complaint(&f->env, r->err);
    char *text = xprintf("git: %s", *said ? said : "failed without a word");
    free(said);
    return text;
}

static void command_done(void *arg, const struct child_result *r)
{
    struct import_fetch *f = arg;

    f->child = NULL;
    go_on(f, command_fault(f, r), f->next);
}

static void run_git(struct import_fetch *f, const char *const *argv, step_fn *next)
{
    struct child_conf conf = {
        .argv = argv,
        .env = (const char *const *)f->env.vars.v,
        .max_output = OUTPUT_MAX,
        .timeout = MAX(f->deadline - loop_now(f->ctx.loop), NS_PER_SEC),
    };

    f->next = next;
    int err = child_start(f->ctx.loop, &conf, command_done, f, &f->child);
    if (err == -ENOENT)
        go_on(f, xstrdup("import.git needs the git program, and none is installed"), NULL);
    else if (err)
        go_on(f, xprintf("git cannot be started: %s", strerror(-err)), NULL);
}

/* --- the steps --- */

static void read_work(struct job *j)
{
    struct import_fetch *f = container_of(j, struct import_fetch, job);

    f->content = git_clone_read(&f->clone, f->args, &f->err);
}

static void read_done(struct job *j)
{
    close_up(container_of(j, struct import_fetch, job));
}

static void read_content(struct import_fetch *f)
{
    run_job(f, read_work, read_done);
}

/* Names are looked up at the server; hashes and expressions here, in the whole history. */
static bool is_plain_name(struct str r)
{
    bool hex = true;

    for (size_t i = 0; i < r.n; i++) {
        u8 c = (u8)r.p[i];
        if (!isalnum(c) && !strchr("._/-", c)) return false;
        hex &= isxdigit(c) != 0;
    }
    return !(hex && r.n >= 4);
}

static void checkout(struct import_fetch *f)
{
    char *commit = is_plain_name(f->args->revision)
                       ? xstrdup("FETCH_HEAD^{commit}")
                       : xprintf(STR_FMT "^{commit}", STR_ARG(f->args->revision));
    const char *const argv[] = {
        "git",     "--git-dir", f->clone.git_dir, "--work-tree", f->clone.tree, "checkout",
        "--quiet", "--force",   "--detach",       commit,        "--",          NULL};

    run_git(f, argv, read_content);
    free(commit);
}

static void fetch_commits(struct import_fetch *f)
{
    const char *const named[] = {
        "git",       "--git-dir", f->clone.git_dir, "fetch",
        "--quiet",   "--force",   "--no-tags",      "--no-recurse-submodules",
        "--depth=1", "--",        f->env.url,       f->args->revision.p,
        NULL};
    const char *const whole[] = {"git",
                                 "--git-dir",
                                 f->clone.git_dir,
                                 "fetch",
                                 "--quiet",
                                 "--force",
                                 "--tags",
                                 "--prune",
                                 "--update-head-ok",
                                 "--no-recurse-submodules",
                                 "--depth=" WHOLE_DEPTH,
                                 "--",
                                 f->env.url,
                                 "+refs/heads/*:refs/heads/*",
                                 NULL};

    run_git(f, is_plain_name(f->args->revision) ? named : whole, checkout);
}

static void init(struct import_fetch *f)
{
    const char *const argv[] = {"git", "init", "--quiet", "--template=", f->clone.tree, NULL};

    run_git(f, argv, fetch_commits);
}

static void open_up(void *arg);

static void open_work(struct job *j)
{
    struct import_fetch *f = container_of(j, struct import_fetch, job);

    f->opened = git_clone_open(&f->clone, f->ctx.host->storage_path, f->ctx.id, f->args, &f->err);
}

static void opened(struct job *j)
{
    struct import_fetch *f = container_of(j, struct import_fetch, job);
    char *err = f->err;

    if (f->opened == -EAGAIN && f->fn && loop_now(f->ctx.loop) < f->deadline) {
        timer_start(f->retry, RETRY_LOCK);
        return;
    }
    if (f->opened == -EAGAIN) err = xstrdup("the clone is in use");
    if (!err) git_env_init(&f->env, f->args, &f->clone);
    go_on(f, err, f->clone.fresh ? init : fetch_commits);
}

static void open_up(void *arg)
{
    run_job(arg, open_work, opened);
}

/* --- attempts --- */

/* A running command is killed; close_up follows. A job cannot be: it ends when it ends. */
static void give_up(struct import_fetch *f)
{
    bool waits = timer_active(f->retry);

    f->fn = NULL;
    timer_stop(f->limit);
    timer_stop(f->retry);
    if (f->child) child_cancel(f->child);
    if (f->child || waits) go_on(f, NULL, NULL);
    f->child = NULL;
}

static void timed_out(void *arg)
{
    struct import_fetch *f = arg;

    answer(f, NULL, LATE);
    give_up(f);
}

static struct import_fetch *start(const struct import_ctx *ctx, struct plan *plan,
                                  import_fetched_fn fn, void *arg)
{
    struct import_fetch *f = xnew(struct import_fetch);

    *f = (struct import_fetch){.ctx = *ctx, .plan = plan_ref(plan), .args = plan->args, .fn = fn};
    f->arg = arg;
    f->clone.lock = -1;
    f->deadline = loop_now(ctx->loop) + TIMEOUT;
    f->limit = timer_new(ctx->loop, timed_out, f);
    f->retry = timer_new(ctx->loop, open_up, f);
    open_up(f);
    return f;
}

static struct import_fetch *fetch(const struct import_ctx *ctx, struct plan *plan,
                                  import_fetched_fn fn, void *arg)
{
    struct import_fetch *f = start(ctx, plan, fn, arg);

    timer_start(f->limit, TIMEOUT);
    return f;
}

/* Without the limit of a load: commands end by their own, and a second attempt would only wait
 * behind a file system that hangs. */
static struct import_watch *watch(const struct import_ctx *ctx, struct plan *plan,
                                  struct import_content *current, const struct import_events *ev,
                                  void *arg)
{
    static const struct import_source source = {.fetch = start,
                                                .cancel = give_up,
                                                .well = "module updated",
                                                .patience = TIMEOUT + 5 * NS_PER_SEC,
                                                .late = LATE};
    const struct git_args *a = plan->args;
    struct import_watch *w = import_watch_new(&source, ctx, plan, current, ev, arg);

    import_watch_every(w, a->pull_frequency.ns);
    return w;
}

const struct import_kind import_git_kind = {
    .def =
        {
            .name = "import.git",
            .summary = "Imports custom components from a git repository, and follows it.",
            .example = "import.git \"lib\" {\n"
                       "\trepository = \"https://git.example.com/modules.git\"\n"
                       "\trevision   = \"main\"\n"
                       "\tpath       = \"lib\"\n"
                       "}\n",
            .args = &git_args_schema,
        },
    .may_import_files = true,
    .fetch = fetch,
    .cancel = give_up,
    .watch = watch,
    .unwatch = import_watch_free,
};
