/* Load, ready, stop: the controller's front. */
#include "runtime/controller_impl.h"

#include <errno.h>

static struct logger *controller_logger(const struct host *host)
{
    const struct log_field fields[] = {F_CSTR("controller_path", "/"), F_CSTR("controller_id", "")};
    return host->log ? log_child(host->log, fields, ARRAY_LEN(fields)) : NULL;
}

struct controller *controller_new(const struct controller_conf *conf)
{
    struct controller *c = xnew(struct controller);
    c->host = conf->host;
    c->workers = conf->workers;
    c->loop = conf->loop;
    c->compile = conf->compile;
    c->removal_deadline = conf->removal_deadline;
    c->log = controller_logger(conf->host);
    c->commit_timer = timer_new(conf->loop, commit_waited_enough, c);
    c->metrics = controller_metrics_new(c);
    return c;
}

void controller_free(struct controller *c)
{
    if (!c) return;
    ASSERT(!c->module && c->teardowns == 0);
    controller_metrics_free(c->metrics);
    timer_free(c->commit_timer);
    log_unref(c->log);
    free(c);
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
        log_warn(c->log, d->message, F_STR("at", buf_view(&place)));
        buf_done(&place);
    }
    diags->list.n = kept;
}

int controller_load(struct controller *c, struct tree_set *trees, const char *module_path,
                    struct diags *diags)
{
    struct template *t;
    struct generation g;
    ASSERT(!c->committing && !c->stopping);
    if (template_compile(&c->compile, trees, diags, &t) < 0) return -EINVAL;
    log_warnings(c, diags); /* those of prepare are logged where they arise */
    if (generation_build(c, t, module_path, &g, diags) < 0) return -EINVAL;
    commit(c, &g);
    generation_done(&g);
    return 0;
}

void controller_stop(struct controller *c, i64 deadline, void (*done)(void *arg), void *arg)
{
    ASSERT(!c->stopping);
    c->stopping = true;
    c->on_stopped = done;
    c->on_stopped_arg = arg;
    commit_nothing(c, deadline);
}

bool controller_settled(const struct controller *c)
{
    return !c->committing;
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

bool controller_ready(const struct controller *c)
{
    return c->module != NULL;
}

const struct module *controller_module(const struct controller *c)
{
    return c->module;
}
