/* Load, ready, stop: the controller's front. */
#include "runtime/controller_impl.h"

#include <errno.h>

struct controller *controller_new(const struct controller_conf *conf)
{
    struct controller *c = xnew(struct controller);
    c->host = conf->host;
    c->workers = conf->workers;
    c->loop = conf->loop;
    c->compile = conf->compile;
    c->removal_deadline = conf->removal_deadline;
    c->commit_timer = timer_new(conf->loop, commit_waited_enough, c);
    c->root = home_new(c, NULL, "", false);
    c->log = c->root->log;
    return c;
}

void controller_free(struct controller *c)
{
    if (!c) return;
    ASSERT(!c->root->module && c->teardowns == 0 && !c->load.tmpl);
    home_unref(c->root);
    timer_free(c->commit_timer);
    free(c);
}

static struct str text_at(const struct span *at)
{
    struct str line = at->file ? source_line(at->file, at->start.line) : (struct str){0};
    bool inside = at->start.line == at->end.line && at->start.col > 0 &&
                  at->start.col <= at->end.col && at->end.col <= line.n;
    return inside ? str_n(line.p + at->start.col - 1, at->end.col - at->start.col + 1)
                  : (struct str){0};
}

static struct str first_name(struct str chain)
{
    const char *dot = chain.n ? memchr(chain.p, '.', chain.n) : NULL;
    return dot ? str_n(chain.p, (size_t)(dot - chain.p)) : chain;
}

/* Fields by which Alloy's lines name what the warning is of. */
static void warn(struct logger *log, const struct diag *d, struct str place)
{
    struct str what = text_at(&d->span);
    switch (d->code) {
    case DIAG_DEPRECATED:
        log_warn(log, d->message, F_STR("function", what), F_STR("at", place));
        return;
    case DIAG_SHADOW:
        log_warn(log, d->message, F_STR("component", what), F_STR("stdlib_name", first_name(what)),
                 F_STR("at", place));
        return;
    default: log_warn(log, d->message, F_STR("at", place));
    }
}

/* Warnings do not stop a load; they are said in the log. */
static void log_warnings(struct controller *c, struct diags *diags)
{
    size_t kept = 0;
    vec_each (&diags->list, d) {
        if (d->severity == SEV_ERROR) {
            diags->list.v[kept++] = *d;
            continue;
        }
        struct diag where = *d;
        where.message = "";
        struct buf place = BUF_INIT(64 * 1024);
        diag_line(&where, &place);
        buf_truncate(&place, place.n - 2); /* the colon before the empty message */
        warn(c->log, d, buf_view(&place));
        buf_done(&place);
    }
    diags->list.n = kept;
}

/* ---- one load, maybe in several attempts ---- */

static void fetched(void *controller);

/* Whoever wants a rebuild gets it with any load, if that succeeds. */
static void load_begin(struct controller *c, struct template *t, const char *module_path,
                       bool rebuild)
{
    ASSERT(!c->load.tmpl);
    c->load = (struct pending_load){.tmpl = t,
                                    .module_path = xstrdup(module_path),
                                    .rebuild = rebuild,
                                    .wanted = c->rebuild_wanted && !rebuild,
                                    .fetches = fetches_new(c, fetched, c)};
    c->rebuild_wanted = false;
}

static void load_end(struct controller *c)
{
    struct pending_load l = c->load;
    c->load = (struct pending_load){0};
    fetches_free(l.fetches);
    template_unref(l.tmpl);
    free(l.module_path);
}

static int load_try(struct controller *c, struct diags *diags)
{
    struct generation g;
    int err = generation_build(c, &c->load, &g, diags);
    if (err == -EINPROGRESS) return err;
    if (err < 0 && c->load.wanted) controller_rebuild(c);
    if (err == 0) {
        commit(c, &g);
        generation_done(&g);
    }
    load_end(c);
    return err;
}

static void reject(struct node_state *s, void *arg) /* arg: the reason, a text */
{
    if (s->kind == NODE_IMPORT) import_node_reject(s, arg);
}

/* What was found in the meantime does not fit what runs: that goes on as it is. */
static void rebuild_failed(struct controller *c, const struct diags *diags)
{
    struct buf why = BUF_INIT(64 * 1024);
    buf_cstr(&why, "the new content does not load: ");
    diags_line(diags, &why);
    log_error(c->log, "failed to follow a change of modules", F_STR("err", buf_view(&why)));
    module_each(c->root->module, reject, buf_err(&why) ? (char *)"it does not load" : why.p);
    buf_done(&why);
}

/* A load that had to wait has come to its end. */
static void load_finish(struct controller *c, bool rebuild, int err, struct diags *diags)
{
    if (rebuild && err < 0) rebuild_failed(c, diags);
    if (!rebuild && c->on_loaded) c->on_loaded(c->on_loaded_arg, err, diags);
    if (c->rebuild_wanted) controller_rebuild(c);
}

static void load_resume(struct controller *c)
{
    struct diags diags;
    bool rebuild = c->load.rebuild;
    diags_init(&diags);
    int err = load_try(c, &diags);
    if (err != -EINPROGRESS) load_finish(c, rebuild, err, &diags);
    diags_done(&diags);
}

static void resume_turn(struct msg *m)
{
    struct controller *c = container_of(m, struct controller, resume);
    if (c->load.tmpl) load_resume(c); /* else it was stopped meanwhile */
}

/* Not from within the source's own call. */
static void fetched(void *arg)
{
    struct controller *c = arg;
    c->resume.fn = resume_turn;
    loop_defer(c->loop, &c->resume);
}

int controller_load(struct controller *c, struct template *t, const char *module_path,
                    struct diags *diags)
{
    ASSERT(controller_settled(c) && !c->stopping);
    template_adopt(t, &c->compile);
    log_warnings(c, diags); /* those of prepare are logged where they arise */
    load_begin(c, t, module_path, false);
    return load_try(c, diags);
}

/* ---- building again what runs ---- */

static void rebuild_turn(struct msg *m)
{
    struct controller *c = container_of(m, struct controller, rebuild);
    c->rebuild_posted = false;
    if (!c->rebuild_wanted || c->stopping || !controller_settled(c))
        return; /* settling asks again */
    load_begin(c, template_ref(c->root->module->tmpl), c->root->module->module_path, true);
    load_resume(c);
}

void controller_rebuild(struct controller *c)
{
    c->rebuild_wanted = true;
    if (c->rebuild_posted || c->stopping) return;
    c->rebuild_posted = true;
    c->rebuild.fn = rebuild_turn;
    loop_defer(c->loop, &c->rebuild);
}

/* ---- the rest ---- */

void controller_stop(struct controller *c, i64 deadline, void (*done)(void *arg), void *arg)
{
    ASSERT(!c->stopping);
    c->stopping = true;
    c->on_stopped = done;
    c->on_stopped_arg = arg;
    if (c->load.tmpl) load_end(c);
    commit_nothing(c, deadline);
}

bool controller_settled(const struct controller *c)
{
    return !c->committing && !c->load.tmpl;
}

struct load_counts controller_counts(const struct controller *c)
{
    return c->counts;
}

const struct compile_opts *controller_compile_opts(const struct controller *c)
{
    return &c->compile;
}

void controller_on_settled(struct controller *c, void (*fn)(void *arg), void *arg)
{
    c->on_settled = fn;
    c->on_settled_arg = arg;
}

void controller_on_loaded(struct controller *c, void (*fn)(void *arg, int err, struct diags *diags),
                          void *arg)
{
    c->on_loaded = fn;
    c->on_loaded_arg = arg;
}

bool controller_ready(const struct controller *c)
{
    return c->root->module != NULL;
}

const struct module *controller_module(const struct controller *c)
{
    return c->root->module;
}

/* ---- by global id ---- */

static const struct home *home_in(const struct home *h, struct str id);

/* A home's id begins with that of the home it stands in, so the search goes down one path. */
static const struct home *home_below(const struct node_state *s, struct str id)
{
    for (size_t i = 0; i < s->n_inner; i++) {
        const struct home *found = home_in(s->inner[i], id);
        if (found) return found;
    }
    return NULL;
}

static bool is_at_or_above(struct str home, struct str id)
{
    return str_starts(id, home) && (id.n == home.n || home.n == 0 || id.p[home.n] == '/');
}

static const struct home *home_in(const struct home *h, struct str id)
{
    struct str own = str_of(h->id);
    if (!is_at_or_above(own, id)) return NULL;
    if (own.n == id.n) return h;
    for (size_t r = 0; h->module && r < h->module->tmpl->n; r++) {
        const struct home *found = home_below(h->module->states[r], id);
        if (found) return found;
    }
    return NULL;
}

const struct module *controller_find_module(const struct controller *c, struct str id)
{
    const struct home *h = home_in(c->root, id);
    return h && (!h->owner || h->owner->kind != NODE_IMPORT) ? h->module : NULL;
}

struct node_state *controller_find(const struct controller *c, struct str global_id)
{
    ssize_t slash = str_rchr(global_id, '/');
    struct str module = slash >= 0 ? str_sub(global_id, 0, (size_t)slash) : STR("");
    struct str local = slash >= 0 ? str_sub(global_id, (size_t)slash + 1, global_id.n) : global_id;
    return module_find(controller_find_module(c, module), local);
}
