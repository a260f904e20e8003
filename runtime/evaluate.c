/* One node's evaluation: its body decoded in the module's scope, then prepared. Pure: nothing
 * running is touched. */
#include "runtime/controller_impl.h"

#include <errno.h>
#include "parser/source.h"
#include "runtime/args_equal.h"
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

int node_evaluate(struct controller *c, const struct module *m, const struct node *n,
                  struct logger *log, struct plan **ret, struct diags *diags)
{
    struct plan *p = plan_new(n->def);
    struct prepare prep = {
        .host = c->host, .block = n->block, .arena = &p->arena, .diags = diags, .log = log};
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

void node_evaluated(struct node_state *s, const struct diags *faults)
{
    i64 now = clock_real(s->ctl->host->clock);
    if (!faults) {
        node_health_set(&s->health, HEALTH_EVAL, HEALTH_HEALTHY, now, "component evaluated");
        return;
    }
    struct buf text = BUF_INIT(64 * 1024);
    buf_cstr(&text, "component evaluation failed: ");
    diags_line(faults, &text);
    node_health_set(&s->health, HEALTH_EVAL, HEALTH_UNHEALTHY, now,
                    buf_err(&text) ? "component evaluation failed" : text.p);
    buf_done(&text);
}
