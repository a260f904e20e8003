/* What a node does wrong by itself, before its body is looked at: an unknown name, no label, an id
 * that is taken, a gate. Spec: language.md 14, runtime.md 2, 9 and 20. */
#include "runtime/compile/compile.h"
#include "value/fault.h"

static void fault(struct compiler *c, struct node *n, enum diag_code code, const char *fmt, ...)
    PRINTF(4, 5);
static void fault(struct compiler *c, struct node *n, enum diag_code code, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    diag_vadd(c->diags, SEV_ERROR, code, n->block->name_span, fmt, ap);
    va_end(ap);
    n->has_errors = true;
}

/* ---- ids ---- */

static void check_duplicate(struct compiler *c, struct node *n)
{
    const struct node *first = map_get(&c->t->by_id, str_of(n->id));
    if (!first || first == n) return;
    n->has_errors = true;
    struct span at = n->block->name_span;
    at.end = (struct pos){at.start.line, at.start.col + (u32)strlen(n->id) - 1};
    if (n->kind == NODE_SERVICE && !c->o->check) {
        diag_error(c->diags, DIAG_NODE_DUPLICATE, at, "duplicate definition of \"%s\"", n->id);
        return;
    }
    struct diag where = {.span = first->block->name_span, .message = ""};
    struct buf place = BUF_INIT(SIZE_MAX / 2);
    diag_line(&where, &place);
    buf_truncate(&place, place.n - 2); /* "FILE:LINE:COL: " without its message */
    diag_error(c->diags, DIAG_NODE_DUPLICATE, at, "block %s already declared at " STR_FMT, n->id,
               STR_ARG(buf_view(&place)));
    buf_done(&place);
}

/* ---- names ---- */

#define SUGGESTED_MAX 200000 /* names; some tens of milliseconds */

bool may_suggest(struct compiler *c, size_t n)
{
    c->u->suggested += n;
    return c->u->suggested <= SUGGESTED_MAX;
}

static void hint_component(struct compiler *c, struct diag *d, struct str name)
{
    struct suggestion near = {0};
    if (!may_suggest(c, c->o->registry.n + c->labels.live)) return;
    for (size_t i = 0; i < c->o->registry.n; i++)
        suggestion_offer(&near, name, str_of(c->o->registry.all[i]->name));
    const char *foreign;
    for (size_t i = 0; c->o->registry.foreign_name && (foreign = c->o->registry.foreign_name(i));
         i++)
        if (!str_is(name, foreign)) /* known, but gone from Alloy */
            suggestion_offer(&near, name, str_of(foreign));
    map_each (&c->labels, e)
        suggestion_offer(&near, name, e->key);
    suggestion_hint(&near, c->diags, d);
}

static void check_unknown(struct compiler *c, struct node *n)
{
    if (n->def) return;
    n->has_errors = true;
    struct diag *d = diag_error(c->diags, DIAG_COMPONENT_UNKNOWN, n->block->name_span,
                                "cannot find the definition of component name \"%s\"", n->name);
    hint_component(c, d, n->block->name);
}

/* A declare is named without a dot, what an import holds with one. */
static void check_custom(struct compiler *c, struct node *n)
{
    if (n->kind != NODE_CUSTOM) return;
    const struct node *target = &compiler_out(c, n->custom.up)->nodes[n->custom.rank];
    if (names_fit(target, &n->custom)) return;
    struct str rest = n->block->name, first = str_cut(&rest, '.');
    bool dotted = rest.n > 0;
    fault(c, n, DIAG_MODULE_UNKNOWN,
          "Failed to build component: loading custom component controller: custom component config "
          "not found in the registry, namespace: \"" STR_FMT "\", componentName: \"" STR_FMT "\"",
          STR_ARG(dotted ? first : rest), STR_ARG(dotted ? rest : first));
}

/* ---- labels ---- */

static void check_component_label(struct compiler *c, struct node *n)
{
    fault(c, n, DIAG_COMPONENT_LABEL, "component \"%s\" must have a label", n->name);
    diag_hint(c->diags, &vec_last(&c->diags->list), "%s \"default\" { ... }", n->name);
}

static void check_label(struct compiler *c, struct node *n)
{
    bool labelled = n->block->has_label;
    switch (n->kind) {
    case NODE_COMPONENT:
        if (!labelled && n->def) check_component_label(c, n);
        return;
    case NODE_CUSTOM: /* a running one may do without */
        if (!labelled && c->o->check) check_component_label(c, n);
        return;
    case NODE_DECLARE:
    case NODE_ARGUMENT:
    case NODE_EXPORT:
    case NODE_IMPORT:
    case NODE_FOREACH:
        if (!labelled) fault(c, n, DIAG_COMPONENT_LABEL, "%s block must have a label", n->name);
        if (n->kind == NODE_DECLARE && str_is(n->block->label, "declare"))
            fault(c, n, DIAG_COMPONENT_LABEL, "'declare' is not a valid label for a declare block");
        return;
    case NODE_CONFIG:
    case NODE_SERVICE: return;
    }
    UNREACHABLE();
}

/* ---- gates ---- */

/* What the gate calls a node: config block "foreach", component "name". */
static const char *gate_subject(const struct compiler *c, const struct node *n)
{
    if (n->kind != NODE_FOREACH) return "component";
    return c->o->check ? "foreach block" : "config block";
}

static void check_gates(struct compiler *c, struct node *n)
{
    bool gated = n->kind == NODE_COMPONENT || n->kind == NODE_FOREACH;
    if (!gated || !n->def) return;
    if (n->def->community && !c->o->community) {
        fault(c, n, DIAG_STABILITY,
              "the component \"%s\" is a community component. Use the "
              "--feature.community-components.enabled command-line "
              "flag to enable community components",
              n->def->name);
    } else if (!n->def->community && n->def->stability > c->o->min_stability) {
        const char *level = stability_name(n->def->stability);
        fault(c, n, DIAG_STABILITY,
              "%s \"%s\" is at stability level \"%s\", which is below the minimum allowed "
              "stability level \"%s\". "
              "Use --stability.level command-line flag to enable \"%s\" features",
              gate_subject(c, n), n->def->name, level, stability_name(c->o->min_stability), level);
    }
}

static void check_foreign(struct compiler *c, struct node *n)
{
    if (n->kind != NODE_COMPONENT || !n->def || !n->def->foreign) return;
    if (c->o->allow_foreign) {
        diag_add(
            c->diags, SEV_WARNING, DIAG_COMPONENT_FOREIGN, n->block->name_span,
            "component \"%s\" cannot run in this build of Weir (it is known, and its arguments "
            "were checked)",
            n->def->name);
        return;
    }
    fault(c, n, DIAG_COMPONENT_FOREIGN,
          "component \"%s\" is known, but this build of Weir cannot run it", n->def->name);
}

static void check_service(struct compiler *c, struct node *n)
{
    if (n->config && !n->def->args)
        fault(c, n, DIAG_NODE_PLACE, "service \"%s\" does not support being configured", n->id);
}

void findings_check(struct compiler *c, struct node *n)
{
    check_unknown(c, n);
    check_custom(c, n);
    check_label(c, n);
    check_duplicate(c, n);
    check_gates(c, n);
    check_foreign(c, n);
    check_service(c, n);
}
