/* Running a tree: statements, operands, fields. */
#include "components/common/template/exec.h"

#include <errno.h>
#include <stdlib.h>
#include "base/xalloc.h"

/* --- the run --- */

static void set_failure(struct run *r, int code, const char *text)
{
    if (r->code) return;
    r->code = code;
    r->err = text;
}

struct tval run_fail(struct run *r, const char *fmt, ...)
{
    va_list ap;
    if (r->code) return TV_NIL;
    va_start(ap, fmt);
    char *text = xvprintf(fmt, ap);
    va_end(ap);
    set_failure(r, -EINVAL, arena_strdup(r->arena, str_of(text)));
    free(text);
    return TV_NIL;
}

struct tval run_too_big(struct run *r)
{
    set_failure(r, -E2BIG, "template: the limit of output, steps or memory of one run was reached");
    return TV_NIL;
}

bool run_room(struct run *r, size_t n)
{
    if (n <= MEMORY_LIMIT && arena_size(r->arena) - r->arena_start + n <= MEMORY_LIMIT) return true;
    run_too_big(r);
    return false;
}

void run_steps(struct run *r, size_t n)
{
    r->steps += n;
    if (r->steps > STEP_LIMIT) run_too_big(r);
}

struct buf run_buf(void)
{
    return BUF_INIT(OUTPUT_LIMIT);
}

struct str run_text(struct run *r, struct buf *b)
{
    struct str s = {0};
    if (buf_err(b))
        run_too_big(r);
    else if (run_room(r, b->n))
        s = arena_str(r->arena, buf_view(b));
    buf_done(b);
    return s;
}

/* --- variables --- */

static void push_var(struct run *r, struct str name, struct tval v)
{
    if (r->n_vars == r->cap_vars) {
        size_t cap = r->cap_vars ? 2 * r->cap_vars : 8;
        struct variable *more = arena_array(r->arena, struct variable, cap);
        if (r->n_vars) memcpy(more, r->vars, r->n_vars * sizeof(*more));
        r->vars = more;
        r->cap_vars = cap;
    }
    r->vars[r->n_vars++] = (struct variable){name, v};
}

static struct variable *find_var(struct run *r, struct str name)
{
    for (size_t i = r->n_vars; i-- > 0;)
        if (str_eq(r->vars[i].name, name)) return &r->vars[i];
    return NULL;
}

static void assign(struct run *r, const struct pipe *p, struct str name, struct tval v)
{
    struct variable *var = p->assign ? find_var(r, name) : NULL;
    if (var)
        var->value = v;
    else if (p->assign)
        run_fail(r, "undefined variable: " STR_FMT, STR_ARG(name));
    else
        push_var(r, name, v);
}

/* --- fields --- */

static struct tval map_field(struct run *r, struct tmap *m, struct str name)
{
    if (m->lazy) {
        struct str s = r->data->get(r->data->arg, name);
        return s.p ? tv_str(s) : TV_MISSING;
    }
    struct tval *v = tmap_get(r, m, name);
    if (!v && m->closed) return run_fail(r, "there is no field " STR_FMT, STR_ARG(name));
    return v ? *v : TV_MISSING;
}

/* A field, or a method that takes arguments. */
static struct tval eval_field(struct run *r, struct tval dot, struct str name, struct tval of,
                              const struct command *c, const struct tval *final)
{
    bool has_args = (c && c->n > 1) || final;
    const struct tfunc *method = method_find(of, name);
    if (method) return call_method(r, dot, method, of, c, final);
    if (tv_is_missing(of)) return TV_MISSING;
    if (of.type == T_NIL)
        return run_fail(r, "nil pointer evaluating interface {}." STR_FMT, STR_ARG(name));
    if (has_args && (of.type == T_MAP || of.type == T_CERT))
        return run_fail(r, STR_FMT " is not a method but has arguments", STR_ARG(name));
    if (of.type == T_MAP) return map_field(r, of.map, name);
    if (of.type == T_CERT && str_is(name, "Cert")) return tv_str(of.cert->cert);
    if (of.type == T_CERT && str_is(name, "Key")) return tv_str(of.cert->key);
    return run_fail(r, "can't evaluate field " STR_FMT " in type %s", STR_ARG(name),
                    tv_go_type(of));
}

/* Only the last field gets the arguments. */
static struct tval eval_fields(struct run *r, struct tval dot, const struct node *n, struct tval of,
                               const struct command *c, const struct tval *final)
{
    for (size_t i = 0; i < n->n_fields && !run_failed(r); i++) {
        bool last = i + 1 == n->n_fields;
        of = eval_field(r, dot, n->fields[i], of, last ? c : NULL, last ? final : NULL);
    }
    return of;
}

/* --- operands --- */

static struct tval no_arguments(struct run *r, const struct command *c, const struct tval *final,
                                struct tval v)
{
    if ((c && c->n > 1) || final) return run_fail(r, "can't give argument to non-function");
    return v;
}

static struct tval eval_variable(struct run *r, struct tval dot, const struct node *n,
                                 const struct command *c, const struct tval *final)
{
    struct variable *v = find_var(r, n->text);
    if (!v) return run_fail(r, "undefined variable: " STR_FMT, STR_ARG(n->text));
    if (n->n_fields == 0) return no_arguments(r, c, final, v->value);
    return eval_fields(r, dot, n, v->value, c, final);
}

static struct tval eval_number(const struct number *n)
{
    return n->shows_float || !n->is_int ? tv_float(n->f) : tv_int(n->i);
}

static struct tval eval_chain(struct run *r, struct tval dot, const struct node *n,
                              const struct command *c, const struct tval *final)
{
    return eval_fields(r, dot, n, eval_operand(r, dot, n->of, NULL, NULL), c, final);
}

struct tval eval_operand(struct run *r, struct tval dot, const struct node *n,
                         const struct command *c, const struct tval *final)
{
    run_steps(r, 1);
    if (run_failed(r)) return TV_NIL;
    switch (n->kind) {
    case NODE_FUNCTION: return call_function(r, dot, n, c, final);
    case NODE_FIELD: return eval_fields(r, dot, n, dot, c, final);
    case NODE_CHAIN: return eval_chain(r, dot, n, c, final);
    case NODE_VARIABLE: return eval_variable(r, dot, n, c, final);
    case NODE_PIPE: return no_arguments(r, c, final, eval_pipe(r, dot, n->pipe));
    case NODE_DOT: return no_arguments(r, c, final, dot);
    case NODE_BOOL: return no_arguments(r, c, final, tv_bool(n->truth));
    case NODE_NUMBER: return no_arguments(r, c, final, eval_number(&n->number));
    case NODE_STRING: return no_arguments(r, c, final, tv_str(n->text));
    case NODE_NIL: return run_fail(r, "nil is not a command");
    default: return run_fail(r, "can't evaluate command");
    }
}

struct tval eval_pipe(struct run *r, struct tval dot, const struct pipe *p)
{
    struct tval v = TV_NIL;
    if (!p) return TV_MISSING;
    for (size_t i = 0; i < p->n && !run_failed(r); i++)
        v = eval_operand(r, dot, p->cmds[i].args[0], &p->cmds[i], i > 0 ? &v : NULL);
    for (size_t i = 0; i < p->n_decl && !run_failed(r); i++)
        assign(r, p, p->decl[i], v);
    return v;
}

/* --- statements --- */

enum flow { FLOW_ON, FLOW_BREAK, FLOW_CONTINUE };
static enum flow walk_list(struct run *r, struct tval dot, struct list l);

static void print(struct run *r, struct tval v)
{
    if (v.type == T_NIL)
        buf_cstr(r->out, "<no value>");
    else
        tv_print(r, r->out, v);
    if (buf_err(r->out)) run_too_big(r);
}

static void print_text(struct run *r, struct str s)
{
    buf_str(r->out, s);
    if (buf_err(r->out)) run_too_big(r);
}

static enum flow walk_if(struct run *r, struct tval dot, const struct node *n)
{
    size_t mark = r->n_vars;
    enum flow f = FLOW_ON;
    struct tval v = eval_pipe(r, dot, n->pipe);
    if (!run_failed(r)) {
        bool truth = tv_truth(r, v);
        struct tval inner = truth && n->kind == NODE_WITH ? v : dot;
        f = walk_list(r, inner, truth ? n->body : n->otherwise);
    }
    r->n_vars = mark;
    return f;
}

/* One round; false ends the loop. In "$i, $v :=" the first name is the index; with "=" the outer
 * variables are set. */
static bool round_of(struct run *r, const struct node *n, struct tval index, struct tval elem)
{
    const struct pipe *p = n->pipe;
    size_t mark = r->n_vars;
    run_steps(r, 1);
    if (p->n_decl == 1) assign(r, p, p->decl[0], elem);
    if (p->n_decl == 2) {
        assign(r, p, p->decl[0], index);
        assign(r, p, p->decl[1], elem);
    }
    enum flow f = run_failed(r) ? FLOW_BREAK : walk_list(r, elem, n->body);
    r->n_vars = mark;
    return f != FLOW_BREAK && !run_failed(r);
}

static void range_list(struct run *r, const struct node *n, struct tlist l)
{
    for (size_t i = 0; i < l.n; i++)
        if (!round_of(r, n, tv_int((i64)i), l.v[i])) return;
}

/* Over the keys that were there when it began. */
static void range_map(struct run *r, const struct node *n, struct tmap *m)
{
    size_t len = m->n;
    struct tpair *pairs = arena_memdup(r->arena, m->v, len * sizeof(*pairs));
    for (size_t i = 0; i < len; i++)
        if (!round_of(r, n, tv_str(pairs[i].key), pairs[i].value)) return;
}

static void range_int(struct run *r, const struct node *n, struct tval count)
{
    if (n->pipe->n_decl > 1) {
        run_fail(r, "can't use %lld to iterate over more than one variable", (long long)count.i);
        return;
    }
    for (i64 i = 0; i < count.i; i++) {
        struct tval v = {.type = T_INT, .sub = count.sub, .i = i};
        if (!round_of(r, n, v, v)) return;
    }
}

static bool is_ranged(struct run *r, struct tval v)
{
    if (v.type == T_MAP) tmap_force(r, v.map);
    return (v.type == T_LIST && v.list.n > 0) || (v.type == T_MAP && v.map->n > 0) ||
           (v.type == T_INT && v.i > 0);
}

static bool may_range(struct tval v)
{
    return v.type == T_LIST || v.type == T_MAP || v.type == T_INT || v.type == T_NIL;
}

/* The declarations of its pipe are made in each round, not by evaluating it. */
static struct tval range_value(struct run *r, struct tval dot, const struct node *n)
{
    struct pipe p = *n->pipe;
    p.n_decl = 0;
    return eval_pipe(r, dot, &p);
}

static enum flow walk_range(struct run *r, struct tval dot, const struct node *n)
{
    size_t mark = r->n_vars;
    enum flow f = FLOW_ON;
    struct tval v = range_value(r, dot, n);
    if (run_failed(r)) return FLOW_ON;
    if (!may_range(v)) {
        run_fail(r, "range can't iterate over a value of type %s", tv_go_type(v));
    } else if (!is_ranged(r, v)) {
        f = walk_list(r, dot, n->otherwise);
    } else if (v.type == T_LIST) {
        range_list(r, n, v.list);
    } else if (v.type == T_MAP) {
        range_map(r, n, v.map);
    } else {
        range_int(r, n, v);
    }
    r->n_vars = mark;
    return f;
}

/* A template sees nothing of its caller but the value that it is given, which is its "$". */
static void walk_template(struct run *r, struct tval dot, const struct node *n)
{
    const struct list *l = map_get(&r->t->defined, n->text);
    if (!l) {
        run_fail(r, "template \"" STR_FMT "\" not defined", STR_ARG(n->text));
        return;
    }
    struct tval v = eval_pipe(r, dot, n->pipe);
    struct variable *vars = r->vars;
    size_t n_vars = r->n_vars, cap = r->cap_vars;
    if (run_failed(r)) return;
    r->vars = NULL, r->n_vars = r->cap_vars = 0;
    push_var(r, STR("$"), v);
    walk_list(r, v, *l);
    r->vars = vars, r->n_vars = n_vars, r->cap_vars = cap;
}

static void walk_action(struct run *r, struct tval dot, const struct node *n)
{
    struct tval v = eval_pipe(r, dot, n->pipe);
    if (!run_failed(r) && n->pipe->n_decl == 0) print(r, v);
}

static enum flow walk(struct run *r, struct tval dot, const struct node *n)
{
    switch (n->kind) {
    case NODE_TEXT: print_text(r, n->text); return FLOW_ON;
    case NODE_ACTION: walk_action(r, dot, n); return FLOW_ON;
    case NODE_TEMPLATE: walk_template(r, dot, n); return FLOW_ON;
    case NODE_IF:
    case NODE_WITH: return walk_if(r, dot, n);
    case NODE_RANGE: return walk_range(r, dot, n);
    case NODE_BREAK: return FLOW_BREAK;
    case NODE_CONTINUE: return FLOW_CONTINUE;
    default: return FLOW_ON;
    }
}

static enum flow walk_list(struct run *r, struct tval dot, struct list l)
{
    enum flow f = FLOW_ON;
    if (++r->depth > DEPTH_LIMIT) run_too_big(r);
    for (size_t i = 0; i < l.n && f == FLOW_ON && !run_failed(r); i++) {
        run_steps(r, 1);
        f = walk(r, dot, l.v[i]);
    }
    r->depth--;
    return f;
}

static struct tval make_dot(struct run *r)
{
    struct tval dot = {.type = T_MAP};

    if (r->data->root) {
        r->data->root(r->data->arg, r, &dot);
    } else {
        dot.map = arena_new(r->arena, struct tmap);
        dot.map->lazy = true;
    }
    return dot;
}

int template_run(const struct template *t, const struct template_data *data, i64 now,
                 struct arena *scratch, struct buf *out, const char **ret_err)
{
    struct run r = {.t = t, .data = data, .arena = scratch, .out = out, .now = now};
    size_t start = out->n, max = out->max;
    int err_before = buf_err(out);
    r.arena_start = arena_size(scratch);
    out->max = MIN(max, start + OUTPUT_LIMIT);
    struct tval dot = make_dot(&r);
    push_var(&r, STR("$"), dot);
    walk_list(&r, dot, t->main);
    out->max = max;
    if (r.code) {
        out->err = err_before; /* of the limit set here */
        if (!err_before) buf_truncate(out, start);
        *ret_err = r.err;
    }
    return r.code;
}
