/* Import nodes: what loads fetch, what was made of it, and what watching finds later. */
#include "runtime/imports.h"

#include <errno.h>
#include "parser/source.h"
#include "value/args_equal.h"
#include "runtime/controller_impl.h"

/* ---- content and its template ---- */

struct imported *imported_ref(struct imported *i)
{
    refs_get(&i->refs);
    return i;
}

void imported_unref(struct imported *i)
{
    if (!i || !refs_put(&i->refs)) return;
    import_content_unref(i->content);
    template_unref(i->tmpl);
    free(i->fault);
    free(i);
}

static const char *label_of(const char *id)
{
    const char *dot = strrchr(id, '.');
    return dot ? dot + 1 : id;
}

static const struct import_kind *kind_of(const struct node_state *s)
{
    return import_kind_find(str_of(s->name));
}

static struct template *compile_nothing(struct controller *c)
{
    struct import_content nothing = {0};
    struct template *t = NULL;
    struct diags diags;
    diags_init(&diags);
    int err = template_compile_import(&c->compile, &nothing, "", "", true, &diags, &t);
    ASSERT(err == 0);
    diags_done(&diags);
    return t;
}

/* Takes fault. */
static struct imported *imported_new(struct import_content *content, struct template *t,
                                     char *fault)
{
    struct imported *i = xnew(struct imported);
    refs_init(&i->refs);
    i->content = import_content_ref(content);
    i->tmpl = t;
    i->fault = fault;
    return i;
}

struct imported *imported_empty(struct controller *c, const struct imported *of, char *fault)
{
    return imported_new(of->content, compile_nothing(c), fault);
}

/* Returns the fault, owned. */
static char *say_bad(const char *id, struct logger *log, bool syntax, const struct diags *diags)
{
    struct buf why = BUF_INIT(64 * 1024);
    buf_printf(&why, "imported content from \"%s\" %s: ", label_of(id),
               syntax ? "cannot be parsed" : "is invalid");
    diags_line(diags, &why);
    char *fault = buf_take(&why, NULL);
    log_error(log, syntax ? "failed to parse file on update" : "failed to process imported content",
              F_CSTR("file", label_of(id)), F_CSTR("err", fault));
    return fault;
}

/* Declares that stand there twice. */
static void say_warnings(const char *id, struct logger *log, const struct diags *diags)
{
    for (size_t i = 0; i < diags->list.n; i++)
        log_warn(log, diags->list.v[i].message, F_CSTR("file", label_of(id)),
                 F_INT("line", diags->list.v[i].span.start.line));
}

static struct imported *compile(struct controller *c, const struct import_kind *kind,
                                const char *id, struct logger *log, struct import_content *content)
{
    struct template *t = NULL;
    struct diags diags;
    char *fault = NULL;
    diags_init(&diags);
    int err = template_compile_import(&c->compile, content, label_of(id), id,
                                      kind->may_import_files, &diags, &t);
    if (err < 0) {
        fault = say_bad(id, log, err == -EBADMSG, &diags);
        t = compile_nothing(c);
    } else {
        say_warnings(id, log, &diags);
    }
    diags_done(&diags);
    return imported_new(content, t, fault);
}

/* ---- fetching for a load ---- */

struct fetch {
    struct fetches *all;
    char *id;
    const struct import_kind *kind;
    const struct component_def *def;
    struct plan *plan;
    struct logger *log;
    struct import_fetch *running;
    struct imported *imported;
    char *err;
    bool answered;
};

struct fetches {
    struct controller *c;
    VEC(struct fetch *) list;
    size_t open;
    bool asking; /* answers may come at once: nobody waits for those */
    void (*idle)(void *arg);
    void *arg;
};

struct fetches *fetches_new(struct controller *c, void (*idle)(void *arg), void *arg)
{
    struct fetches *f = xnew(struct fetches);
    *f = (struct fetches){.c = c, .idle = idle, .arg = arg};
    return f;
}

static void fetch_free(struct fetch *f)
{
    if (f->running) f->kind->cancel(f->running);
    plan_unref(f->plan);
    log_unref(f->log);
    imported_unref(f->imported);
    free(f->err);
    free(f->id);
    free(f);
}

void fetches_free(struct fetches *f)
{
    if (!f) return;
    for (size_t i = 0; i < f->list.n; i++)
        fetch_free(f->list.v[i]);
    vec_done(&f->list);
    free(f);
}

static void answered(void *arg, struct import_content *content, const char *err)
{
    struct fetch *f = arg;
    struct fetches *all = f->all;
    f->running = NULL;
    f->answered = true;
    if (content) {
        f->imported = compile(all->c, f->kind, f->id, f->log, content);
        import_content_unref(content);
    } else {
        f->err = xstrdup(err);
    }
    all->open--;
    if (all->open == 0 && !all->asking) all->idle(all->arg);
}

static struct fetch *find(struct fetches *all, const struct node_state *s, const struct plan *p)
{
    for (size_t i = 0; i < all->list.n; i++) {
        struct fetch *f = all->list.v[i];
        if (f->def == s->def && strcmp(f->id, s->id) == 0 &&
            args_equal(s->def->args, f->plan->args, p->args))
            return f;
    }
    return NULL;
}

static struct fetch *begin(struct fetches *all, const struct node_state *s, struct plan *p)
{
    struct fetch *f = xnew(struct fetch);
    *f = (struct fetch){.all = all,
                        .id = xstrdup(s->id),
                        .kind = kind_of(s),
                        .def = s->def,
                        .plan = plan_ref(p),
                        .log = log_ref(s->log)};
    vec_push(&all->list, f);
    all->open++;
    all->asking = true;
    struct import_fetch *running = f->kind->fetch(
        &(struct import_ctx){
            .host = all->c->host, .loop = all->c->loop, .id = f->id, .log = f->log},
        p, answered, f);
    all->asking = false;
    if (!f->answered) f->running = running;
    return f;
}

enum fetch_answer fetches_ask(struct fetches *all, const struct node_state *s, struct plan *p,
                              struct imported **ret, const char **ret_err)
{
    struct fetch *f = find(all, s, p);
    if (!f) f = begin(all, s, p);
    if (!f->answered) return FETCH_WAIT;
    if (f->err) {
        *ret_err = f->err;
        return FETCH_FAILED;
    }
    *ret = imported_ref(f->imported);
    return FETCH_READY;
}

bool fetches_wait(struct fetches *all, const struct node_state *s, struct plan *p)
{
    struct fetch *f = find(all, s, p);
    if (!f) f = begin(all, s, p);
    return !f->answered;
}

/* ---- what an import node holds ---- */

struct import_node {
    const struct import_kind *kind;
    struct imported *used;  /* by the modules that run */
    struct imported *found; /* by watching, since; a load is to take it */
    struct import_watch *watch;
};

static void drop(struct imported **i)
{
    imported_unref(*i);
    *i = NULL;
}

void import_node_free(struct import_node *n)
{
    if (!n) return;
    n->kind->unwatch(n->watch);
    drop(&n->used);
    drop(&n->found);
    free(n);
}

struct imported *import_node_current(const struct import_node *n)
{
    if (!n) return NULL;
    return n->found ? n->found : n->used;
}

static void say(struct node_state *s, enum health h, const char *text)
{
    node_health_set(&s->health, HEALTH_OWN, h, clock_real(s->ctl->host->clock), text);
}

static void on_changed(void *arg, struct import_content *content)
{
    struct node_state *s = arg;
    struct import_node *n = s->import;
    struct imported *i = compile(s->ctl, n->kind, s->id, s->log, content);
    import_content_unref(content);
    if (i->fault) {
        say(s, HEALTH_UNHEALTHY, i->fault);
        imported_unref(i);
        return;
    }
    drop(&n->found);
    n->found = i;
    controller_rebuild(s->ctl);
}

/* A source that is well again does not make content that is not. */
static void on_health(void *arg, enum health h, const char *text)
{
    struct node_state *s = arg;
    if (h == HEALTH_HEALTHY && s->import && s->import->used && s->import->used->fault) return;
    say(s, h, text);
}

static const struct import_events events = {.changed = on_changed, .health = on_health};

static void watch(struct node_state *s)
{
    struct import_node *n = s->import;
    n->kind->unwatch(n->watch);
    n->watch = n->kind->watch(
        &(struct import_ctx){
            .host = s->ctl->host, .loop = s->ctl->loop, .id = s->id, .log = s->log},
        s->plan, n->used->content, &events, s);
}

static struct import_node *import_node_of(struct node_state *s)
{
    if (!s->import) {
        s->import = xnew(struct import_node);
        s->import->kind = kind_of(s);
    }
    return s->import;
}

void import_node_commit(struct node_state *s, struct imported *i, bool new_arguments)
{
    struct import_node *n = import_node_of(s);
    bool news = i != n->used;
    struct imported *before = n->used;
    n->used = imported_ref(i);
    imported_unref(before);
    drop(&n->found);
    if (new_arguments) watch(s);
    if (i->fault)
        say(s, HEALTH_UNHEALTHY, i->fault);
    else if (news && before)
        say(s, HEALTH_HEALTHY, "content updated");
}

void import_node_reject(struct node_state *s, const char *why)
{
    struct import_node *n = s->import;
    if (!n || !n->found) return;
    drop(&n->found);
    say(s, HEALTH_UNHEALTHY, why);
}
