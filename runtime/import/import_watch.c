/* Watching a source: an attempt each time a clock or the file says so, one at a time. Other content
 * is handed over, equal content is not. A failure is told once for each text: as health, and as one
 * line of the log; so is its end. Control loop. */
#include "base/xalloc.h"
#include "runtime/import/import_impl.h"

struct import_watch {
    const struct import_source *src;
    struct import_ctx ctx;
    struct plan *plan;
    struct import_content *current;
    struct import_events ev;
    void *arg;
    struct timer *every, *patience;
    struct file_watch *file;
    struct import_fetch *fetch; /* NULL while not busy */
    bool busy, again;           /* again: told to look while looking */
    char *fault;                /* of the last attempt; NULL: it went well */
};

static void report(struct import_watch *w, const char *fault)
{
    bool same = w->fault && fault ? strcmp(w->fault, fault) == 0 : !w->fault && !fault;

    if (same) return;
    free(w->fault);
    w->fault = fault ? xstrdup(fault) : NULL;
    if (fault)
        log_error(w->ctx.log, "failed to update imported content", F_CSTR("err", fault));
    else
        log_info(w->ctx.log, "imported content can be read again");
    w->ev.health(w->arg, fault ? HEALTH_UNHEALTHY : HEALTH_HEALTHY, fault ? fault : w->src->well);
}

static void look(void *arg);

/* The last thing done with w: whoever gets the content may end the watch. */
static void hand_over(struct import_watch *w, struct import_content *content)
{
    import_content_unref(w->current);
    w->current = import_content_ref(content);
    w->ev.changed(w->arg, content);
}

/* It was rewritten while it was read, and may be half of something: the watch comes again. */
static bool is_overtaken(struct import_watch *w)
{
    return w->file && !file_watch_holds(w->file);
}

static void fetched(void *arg, struct import_content *content, const char *err)
{
    struct import_watch *w = arg;
    bool again = w->again;

    w->busy = w->again = false;
    w->fetch = NULL;
    timer_stop(w->patience);
    if (is_overtaken(w)) {
        import_content_unref(content);
        return;
    }
    report(w, content ? NULL : err);
    if (again) look(w);
    if (content && (!w->current || !import_content_equal(content, w->current)))
        hand_over(w, content);
    else
        import_content_unref(content);
}

static void look(void *arg)
{
    struct import_watch *w = arg;

    if (w->busy) {
        w->again = true;
        return;
    }
    w->busy = true;
    if (w->src->patience) timer_start(w->patience, w->src->patience);
    struct import_fetch *f = w->src->fetch(&w->ctx, w->plan, fetched, w);
    if (w->busy) w->fetch = f;
}

/* The attempt stays: another one would only wait behind it. */
static void run_out_of_patience(void *arg)
{
    struct import_watch *w = arg;

    report(w, w->src->late);
}

struct import_watch *import_watch_new(const struct import_source *src, const struct import_ctx *ctx,
                                      struct plan *plan, struct import_content *current,
                                      const struct import_events *ev, void *arg)
{
    struct import_watch *w = xnew(struct import_watch);

    *w = (struct import_watch){.src = src, .ctx = *ctx, .ev = *ev, .arg = arg};
    w->plan = plan_ref(plan);
    w->patience = timer_new(ctx->loop, run_out_of_patience, w);
    if (current) w->current = import_content_ref(current);
    if (current) ev->health(arg, HEALTH_HEALTHY, src->well);
    return w;
}

void import_watch_every(struct import_watch *w, i64 every_ns)
{
    if (every_ns <= 0) return;
    w->every = timer_new(w->ctx.loop, look, w);
    timer_every(w->every, every_ns);
}

static bool is_module_name(const char *name)
{
    return str_ends(str_of(name), STR(".alloy"));
}

void import_watch_path(struct import_watch *w, const char *path, i64 debounce_ns, i64 poll_ns)
{
    w->file = file_watch_new(w->ctx.loop, path, debounce_ns, poll_ns, look, w);
    file_watch_entries(w->file, is_module_name);
    file_watch_suspect(w->file); /* it may have changed since `current` was read */
}

void import_watch_free(struct import_watch *w)
{
    if (!w) return;
    if (w->fetch) w->src->cancel(w->fetch);
    file_watch_free(w->file);
    timer_free(w->every);
    timer_free(w->patience);
    plan_unref(w->plan);
    import_content_unref(w->current);
    free(w->fault);
    free(w);
}
