/* First load and reloads of the configuration path. */
#include "runtime/reload.h"

#include <errno.h>
#include "runtime/prepared.h"
#include "runtime/redact.h"

#define WATCH_QUIET    (250 * NS_PER_MS)
#define DIAGS_TEXT_MAX ((size_t)256 << 10) /* about; shown to people */

struct request {
    struct logger *log; /* of who asks; NULL: the reloader's */
    void (*done)(void *arg, const char *err);
    void *arg;
};

typedef VEC(struct request) request_list;

/* A pool thread at work for the next load. */
struct errand {
    struct job job;
    struct reloader *r; /* NULL: nobody waits any more */
    char *path;
    struct compile_opts compile;
    bool unless_as_tried; /* only the watch asked */
    char tried[2 * SHA256_LEN + 1];
    struct prepared found;
};

struct reloader {
    struct reloader_conf conf;
    char *path;
    request_list waiting;
    bool suspect;          /* the watch saw something */
    struct errand *errand; /* under way, or back while a commit still settles */
    bool errand_back;
    request_list served;        /* by the load under way */
    struct diags *first_faults; /* while the first load waits for its modules */
    int first_err;
    bool stopped;
    struct file_watch *watch;
    bool said_blind;
    char tried_sha256[2 * SHA256_LEN + 1]; /* of the load last tried; "": unread */
    struct source_set sources;             /* last parsed */
    struct load_report report;
};

static void serve(void *arg);
static void on_loaded(void *arg, int err, struct diags *diags);

struct reloader *reloader_new(const struct reloader_conf *conf)
{
    struct reloader *r = xnew(struct reloader);
    r->conf = *conf;
    r->path = xstrdup(conf->path);
    controller_on_settled(conf->controller, serve, r);
    controller_on_loaded(conf->controller, on_loaded, r);
    return r;
}

/* Those that wait now; what comes later waits for the next load. */
static request_list take_waiting(struct reloader *r)
{
    request_list taken = r->waiting;
    r->waiting = (request_list){0};
    return taken;
}

static void answer(request_list *requests, const char *err)
{
    for (size_t i = 0; i < requests->n; i++)
        if (requests->v[i].done) requests->v[i].done(requests->v[i].arg, err);
    vec_done(requests);
}

void reloader_stop(struct reloader *r)
{
    r->stopped = true;
    file_watch_free(r->watch);
    r->watch = NULL;
    request_list left = take_waiting(r);
    answer(&left, "the agent is shutting down");
    answer(&r->served, "the agent is shutting down");
}

static void errand_free(struct errand *e)
{
    prepared_done(&e->found);
    free(e->path);
    free(e);
}

/* One that is still under way frees itself when it comes back. */
static void drop_errand(struct reloader *r)
{
    if (!r->errand) return;
    if (r->errand_back)
        errand_free(r->errand);
    else
        r->errand->r = NULL;
    r->errand = NULL;
}

void reloader_free(struct reloader *r)
{
    if (!r) return;
    controller_on_settled(r->conf.controller, NULL, NULL);
    controller_on_loaded(r->conf.controller, NULL, NULL);
    reloader_stop(r);
    drop_errand(r);
    source_set_done(&r->sources);
    free((char *)r->report.error);
    free((char *)r->report.diags_text);
    free(r->path);
    free(r);
}

/* ---- one load ---- */

static void report(struct reloader *r, const char *sha256, bool ok)
{
    if (r->conf.metrics) config_metrics_loaded(r->conf.metrics, sha256, ok);
}

/* ---- what is kept of a load ---- */

struct load_report reloader_report(const struct reloader *r)
{
    struct load_report report = r->report;
    if (!report.diags_text) report.diags_text = "";
    return report;
}

const struct source_set *reloader_sources(const struct reloader *r)
{
    return r->sources.module_path ? &r->sources : NULL;
}

const char *reloader_path(const struct reloader *r)
{
    return r->path;
}

static char *excerpts(struct reloader *r, const struct diags *diags)
{
    struct buf text = BUF_INIT(SIZE_MAX / 2);
    redact_diags(diags, controller_compile_opts(r->conf.controller), DIAGS_TEXT_MAX, &text);
    return buf_take(&text, NULL);
}

/* Takes error. */
static void keep_report(struct reloader *r, const struct diags *diags, char *error)
{
    struct load_report *p = &r->report;
    free((char *)p->error);
    free((char *)p->diags_text);
    p->when = clock_real(loop_clock(r->conf.loop));
    p->ok = error == NULL;
    p->error = error;
    p->diags_text = excerpts(r, diags);
    p->faults = diags->n_errors;
    if (!p->ok) return;
    p->since = p->when;
    p->counts = controller_counts(r->conf.controller);
}

/* The stages that count as reading, for the metrics: files and syntax. */
static void note_read(struct reloader *r, struct prepared *p)
{
    bool parsed = p->stage >= PREPARED_UNSOUND;
    report(r, p->stage == PREPARED_UNREAD ? NULL : p->files.sha256, parsed);
    if (p->stage == PREPARED_UNREAD) {
        r->tried_sha256[0] = '\0'; /* the same text, back again, is to be loaded */
        return;
    }
    memcpy(r->tried_sha256, p->files.sha256, sizeof(r->tried_sha256));
    if (!parsed) return;
    source_set_done(&r->sources);
    r->sources = p->files;
    p->files = (struct source_set){0};
}

/* As controller_load; faults of the controller are added to p->diags. */
static int load(struct reloader *r, struct prepared *p)
{
    note_read(r, p);
    if (p->stage != PREPARED_WHOLE) return -EINVAL;
    struct template *t = p->tmpl;
    p->tmpl = NULL;
    return controller_load(r->conf.controller, t, r->sources.module_path, &p->diags);
}

/* A failed load is told by its errors. */
static void drop_warnings(struct diags *diags)
{
    size_t kept = 0;
    vec_each (&diags->list, d)
        if (d->severity == SEV_ERROR) diags->list.v[kept++] = *d;
    diags->list.n = kept;
}

/* Nothing else happens before the first load: the loop is ours to turn. */
static int wait_for_first(struct reloader *r, struct diags *diags)
{
    r->first_faults = diags;
    while (r->first_faults)
        loop_turn(r->conf.loop, NS_PER_SEC);
    return r->first_err;
}

int reloader_first(struct reloader *r, struct diags *diags, char **ret_err)
{
    struct prepared p;
    prepared_init(&p, r->path, controller_compile_opts(r->conf.controller), NULL);
    int err = load(r, &p);
    diags_move(diags, &p.diags);
    if (err == -EINPROGRESS) err = wait_for_first(r, diags);
    if (err == 0)
        keep_report(r, diags, NULL);
    else
        drop_warnings(diags);
    if (p.why) *ret_err = xprintf("reading config path \"%s\": %s", r->path, p.why);
    prepared_done(&p);
    return err;
}

/* ---- reloads ---- */

static char *failure_text(struct reloader *r, const struct diags *diags, const char *why, bool read)
{
    struct buf text = BUF_INIT(1 << 20);
    if (read)
        buf_cstr(&text, "error during the initial load: ");
    else
        buf_printf(&text, "reading config path \"%s\": ", r->path);
    if (why)
        buf_cstr(&text, why);
    else
        diags_line(diags, &text);
    return buf_take(&text, NULL);
}

static struct logger *outcome_log(const struct reloader *r)
{
    struct logger *log = r->served.n > 0 ? r->served.v[0].log : NULL;
    return log ? log : r->conf.log;
}

/* why: it could not be read. read: it got as far as parsed trees. */
static void conclude(struct reloader *r, int err, struct diags *diags, const char *why, bool read)
{
    char *text = NULL;
    if (err < 0) {
        drop_warnings(diags);
        text = failure_text(r, diags, why, read);
        log_error(outcome_log(r), "failed to reload config", F_CSTR("err", text));
    } else {
        log_info(outcome_log(r), "config reloaded");
    }
    keep_report(r, diags, text);
    answer(&r->served, text);
}

static void take_in(struct reloader *r, struct prepared *p)
{
    bool asked = r->served.n > 0;
    if (p->stage == PREPARED_UNCHANGED) return;
    if (!asked)
        log_info(r->conf.log, "the configuration changed on disk; reloading",
                 F_CSTR("path", r->path));
    int err = load(r, p);
    if (err != -EINPROGRESS) conclude(r, err, &p->diags, p->why, p->stage >= PREPARED_UNSOUND);
}

/* ---- the errand ---- */

static void run_errand(struct job *j)
{
    struct errand *e = container_of(j, struct errand, job);
    prepared_init(&e->found, e->path, &e->compile, e->unless_as_tried ? e->tried : NULL);
}

static void errand_done(struct job *j)
{
    struct errand *e = container_of(j, struct errand, job);
    if (!e->r) {
        errand_free(e);
        return;
    }
    e->r->errand_back = true;
    serve(e->r);
}

static void send(struct reloader *r)
{
    struct errand *e = xnew(struct errand);
    r->served = take_waiting(r);
    r->suspect = false;
    *e = (struct errand){.job = {.reply_to = r->conf.loop, .work = run_errand, .done = errand_done},
                         .r = r,
                         .path = xstrdup(r->path),
                         .compile = r->conf.aside ? *r->conf.aside
                                                  : *controller_compile_opts(r->conf.controller),
                         .unless_as_tried = r->served.n == 0};
    memcpy(e->tried, r->tried_sha256, sizeof(e->tried));
    r->errand = e;
    r->errand_back = false;
    if (r->conf.offload) {
        offload_run(r->conf.offload, &e->job);
    } else {
        run_errand(&e->job);
        r->errand_back = true;
    }
}

/* ---- requests ---- */

/* What only the watch asked for was rewritten while it was read, and may be half of something: the
 * watch comes again. Somebody who asks gets what is there. */
static bool is_overtaken(struct reloader *r, const struct errand *e)
{
    return e->unless_as_tried && r->watch && !file_watch_holds(r->watch);
}

/* What waits is served once no load and no commit is under way. */
static void serve(void *arg)
{
    struct reloader *r = arg;
    if (r->stopped) return;
    if (!r->errand && controller_settled(r->conf.controller) && (r->waiting.n > 0 || r->suspect))
        send(r);
    if (!r->errand || !r->errand_back || !controller_settled(r->conf.controller)) return;
    struct errand *e = r->errand;
    r->errand = NULL;
    if (!is_overtaken(r, e)) take_in(r, &e->found);
    errand_free(e);
    if (r->waiting.n > 0 || r->suspect) serve(r);
}

static void on_loaded(void *arg, int err, struct diags *diags)
{
    struct reloader *r = arg;
    if (r->first_faults) {
        diags_move(r->first_faults, diags);
        r->first_faults = NULL;
        r->first_err = err;
        return;
    }
    conclude(r, err, diags, NULL, true);
    serve(r);
}

void reloader_request(struct reloader *r, struct logger *log,
                      void (*done)(void *arg, const char *err), void *arg)
{
    vec_push(&r->waiting, ((struct request){log, done, arg}));
    if (r->stopped)
        reloader_stop(r);
    else
        serve(r);
}

/* ---- watching ---- */

static void say_blind(struct reloader *r)
{
    int err = file_watch_blind(r->watch);
    if (!err || r->said_blind) return;
    r->said_blind = true;
    log_warn(r->conf.log, "the system does not report changes of files; looking every few seconds",
             F_CSTR("path", r->path), F_CSTR("err", strerror(-err)));
}

/* An event without a change of the contents (touch, a sidecar that posted already) is no reason to
 * load: the errand compares. */
static void on_change(void *arg)
{
    struct reloader *r = arg;
    say_blind(r);
    r->suspect = true;
    serve(r);
}

void reloader_watch(struct reloader *r)
{
    if (r->watch) return;
    r->watch = file_watch_new(r->conf.loop, r->path, WATCH_QUIET, 0, on_change, r);
    file_watch_entries(r->watch, is_config_name);
    say_blind(r);
    file_watch_suspect(r->watch); /* it may have changed while the first load fetched its modules */
}
