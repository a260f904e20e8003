/* One node's evaluation: its body decoded in the module's scope, then prepared. Pure: nothing
 * running is touched. */
#include "runtime/controller_impl.h"

#include <errno.h>
#include <stdarg.h>
#include "parser/source.h"
#include "runtime/compile/blocks.h"
#include "value/args_equal.h"
#include "value/decode.h"

static void release_source(void *arg)
{
    source_unref(arg);
}

/* Spans inside the arguments point into the text they came from. */
static void keep_source(struct plan *p, const struct block *b)
{
    struct source *src = (struct source *)b->span.file;
    if (src) arena_cleanup(&p->arena, release_source, source_ref(src));
}

static int decode_node(const struct module *m, const struct node *n, struct plan *p,
                       struct diags *diags)
{
    if (!n->def->args) return 0;
    if (!n->block) {
        decode_defaults(n->def->args, &p->arena, p->args);
        return 0;
    }
    keep_source(p, n->block);
    struct export_scope scope;
    module_scope(m, n, &scope);
    int err = decode_body(n->def->args, n->block, &n->block->body, &scope.scope, &p->arena, p->args,
                          diags);
    export_scope_done(&scope);
    return err;
}

int node_evaluate(const struct module *m, const struct node *n, struct logger *log,
                  struct plan **ret, struct diags *diags)
{
    struct plan *p = plan_new(n->def);
    struct prepare prep = {
        .host = m->home->host, .block = n->block, .arena = &p->arena, .diags = diags, .log = log};
    int err = decode_node(m, n, p, diags);
    if (!err && n->def->prepare) err = n->def->prepare(&prep, p->args, p->data);
    if (err) {
        plan_unref(p);
        return -EINVAL;
    }
    *ret = p;
    return 0;
}

bool node_changed(const struct node_state *s, const struct plan *p)
{
    if (!s->plan) return true;
    return s->def->args && !args_equal(s->def->args, s->plan->args, p->args);
}

/* ---- faults ---- */

/* Components and foreach blocks are built, config blocks and imports are evaluated. */
static const char *fault_prefix(const struct node *n)
{
    return node_is_component(n) ? "Failed to build component"
                                : "Failed to evaluate node for config block";
}

void node_fault(struct diags *diags, const struct node *n, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    char *why = xvprintf(fmt, ap);
    va_end(ap);
    diag_error(diags, DIAG_COMPONENT_BUILD, n->block ? n->block->span : NO_SPAN, "%s: %s",
               fault_prefix(n), why);
    free(why);
}

void node_log_fault(struct node_state *s, const struct diags *faults)
{
    struct buf text = BUF_INIT(64 * 1024);
    diags_line(faults, &text);
    log_error(s->home->log, "failed to evaluate config", F_CSTR("node", node_state_local_id(s)),
              F_STR("err", buf_view(&text)));
    buf_done(&text);
}

void node_evaluated(struct node_state *s, const struct diags *faults)
{
    i64 now = clock_real(s->ctl->host->clock);
    s->failed = faults != NULL;
    if (!faults) {
        node_health_evaluated(&s->health, s->kind, now, NULL);
        return;
    }
    struct buf text = BUF_INIT(64 * 1024);
    diags_line(faults, &text);
    node_health_evaluated(&s->health, s->kind, now, buf_err(&text) ? "too long to tell" : text.p);
    buf_done(&text);
}

/* ---- arguments of modules ---- */

int node_argument(const struct module *m, const struct node *n, const struct plan *p,
                  struct value *ret, struct diags *diags)
{
    const struct argument_args *a = p->args;
    const struct value *given =
        m->args.type == V_OBJECT ? value_member(m->args, n->block->label) : NULL;
    if (!given && !a->optional) {
        node_fault(diags, n, "missing required argument \"" STR_FMT "\" to module",
                   STR_ARG(n->block->label));
        return -EINVAL;
    }
    struct object_builder b = {.ordered = true};
    object_set_take(&b, STR("value"), value_ref(given ? *given : a->def));
    *ret = object_done(&b);
    return 0;
}
