/* The evaluator: one function per form of expression. Access, index and calls have their own files.
 */
#include "value/eval_int.h"

#include <errno.h>
#include <stdlib.h>
#include "base/num.h"
#include "base/xalloc.h"
#include "value/fault.h"
#include "value/limits.h"
#include "value/ops.h"

int eval_fault(struct eval *ev, enum diag_code code, const struct expr *e, const char *fmt, ...)
{
    struct buf text = BUF_INIT(1 << 20);
    va_list ap;
    va_start(ap, fmt);
    buf_vprintf(&text, fmt, ap);
    va_end(ap);
    fault_report(ev->diags, code, e, NULL, buf_err(&text) ? "is not valid here" : text.p);
    buf_done(&text);
    return -EINVAL;
}

/* --- literals --- */

/* A leading zero means octal; false when a digit is not octal or 64 bits do not hold it. */
static bool octal(struct str digits, u64 *ret)
{
    u64 v = 0;
    for (size_t i = 0; i < digits.n; i++) {
        if (digits.p[i] > '7' || v >> 61) return false;
        v = v << 3 | (u64)(digits.p[i] - '0');
    }
    *ret = v;
    return true;
}

static bool integer(struct str digits, struct value *ret)
{
    u64 u;
    bool is_octal = digits.n > 1 && digits.p[0] == '0';
    if (is_octal ? !octal(digits, &u) : num_parse_u64(digits, &u) != 0) return false;
    *ret = u <= INT64_MAX ? value_int((i64)u) : value_uint(u);
    return true;
}

/* What is no integer is a float: too long, or an 8 or 9 after a leading zero. */
static int eval_number(struct eval *ev, const struct expr *e, struct value *ret)
{
    f64 f;
    if (e->kind == EXPR_NUMBER && integer(e->raw, ret)) return 0;
    if (num_parse_f64(e->raw, &f)) {
        diag_error(ev->diags, DIAG_EVAL_NUMBER, e->span, "number " STR_FMT ": value out of range",
                   STR_ARG(e->raw));
        return -EINVAL;
    }
    *ret = value_float(f);
    return 0;
}

/* --- names --- */

static int eval_ident(struct eval *ev, const struct expr *e, struct value *ret)
{
    for (const struct scope *s = ev->scope; s; s = s->parent)
        if (s->lookup && s->lookup(s, e->s, ret)) return 0;
    diag_error(ev->diags, DIAG_EVAL_IDENT, e->span, "identifier \"" STR_FMT "\" does not exist",
               STR_ARG(e->s));
    return -EINVAL;
}

/* --- operators --- */

static int operand_fault(struct eval *ev, const struct expr *at, struct op_fault *f)
{
    eval_fault(ev, f->code, at, "%s", f->text);
    free(f->text);
    return -EINVAL;
}

static int eval_unary(struct eval *ev, const struct expr *e, struct value *ret)
{
    struct value v;
    struct op_fault f;
    if (eval_node(ev, e->unary.of, &v)) return -EINVAL;
    int rc = op_unary(e->unary.op, v, ret, &f);
    value_unref(v);
    return rc ? operand_fault(ev, e->unary.of, &f) : 0;
}

/* Both sides are always evaluated. */
static int eval_binary(struct eval *ev, const struct expr *e, struct value *ret)
{
    struct value l, r;
    struct op_fault f;
    if (eval_node(ev, e->binary.l, &l)) return -EINVAL;
    if (eval_node(ev, e->binary.r, &r)) {
        value_unref(l);
        return -EINVAL;
    }
    int rc = op_binary(e->binary.op, l, r, ret, &f);
    value_unref(l);
    value_unref(r);
    return rc ? operand_fault(ev, f.right ? e->binary.r : e->binary.l, &f) : 0;
}

/* --- composites --- */

static void remember(struct eval *ev, struct value v, const struct expr *e)
{
    vec_push(&ev->origins, ((struct origin){value_ref(v), e}));
}

const struct expr *eval_origin(const struct eval *ev, struct value v, const struct expr *e)
{
    if (v.type != V_ARRAY && v.type != V_OBJECT) return e;
    for (size_t i = 0; i < ev->origins.n; i++)
        if (ev->origins.v[i].v.type == v.type && ev->origins.v[i].v.array == v.array)
            return ev->origins.v[i].e;
    return e;
}

static int eval_array(struct eval *ev, const struct expr *e, struct value *ret)
{
    struct value a = value_array(e->array.n);
    for (size_t i = 0; i < e->array.n; i++) {
        if (eval_node(ev, e->array.items[i], &a.array->v[i])) {
            value_unref(a);
            return -EINVAL;
        }
    }
    if (e->array.n > 0) remember(ev, a, e);
    *ret = a;
    return 0;
}

static int eval_object(struct eval *ev, const struct expr *e, struct value *ret)
{
    struct object_builder b = {0};
    int rc = 0;
    for (size_t i = 0; i < e->object.n && !rc; i++) {
        struct value v;
        rc = eval_node(ev, e->object.fields[i].value, &v);
        if (!rc) object_set_take(&b, e->object.fields[i].key, v);
    }
    struct value o = object_done(&b);
    if (rc) {
        value_unref(o);
        return rc;
    }
    if (e->object.n > 0) remember(ev, o, e);
    *ret = o;
    return 0;
}

/* --- all --- */

static int eval_kind(struct eval *ev, const struct expr *e, struct value *ret)
{
    switch (e->kind) {
    case EXPR_NULL: *ret = value_null(); return 0;
    case EXPR_BOOL: *ret = value_bool(e->b); return 0;
    case EXPR_NUMBER:
    case EXPR_FLOAT: return eval_number(ev, e, ret);
    case EXPR_STRING: *ret = value_str(e->s); return 0;
    case EXPR_IDENT: return eval_ident(ev, e, ret);
    case EXPR_ACCESS: return eval_access(ev, e, ret);
    case EXPR_INDEX: return eval_index(ev, e, ret);
    case EXPR_CALL: return eval_call(ev, e, ret);
    case EXPR_UNARY: return eval_unary(ev, e, ret);
    case EXPR_BINARY: return eval_binary(ev, e, ret);
    case EXPR_PAREN: return eval_node(ev, e->paren, ret);
    case EXPR_ARRAY: return eval_array(ev, e, ret);
    case EXPR_OBJECT: return eval_object(ev, e, ret);
    }
    UNREACHABLE();
}

int eval_node(struct eval *ev, const struct expr *e, struct value *ret)
{
    if (ev->depth >= EVAL_DEPTH_MAX) {
        diag_error(ev->diags, DIAG_EVAL_LIMIT, e->span, "expression is nested more than %d deep",
                   EVAL_DEPTH_MAX);
        return -EINVAL;
    }
    ev->depth++;
    int rc = eval_kind(ev, e, ret);
    ev->depth--;
    return rc;
}

int eval_expr(const struct expr *e, const struct scope *scope, struct value *ret,
              struct diags *diags)
{
    struct eval ev = {.scope = scope, .diags = diags};
    int rc = eval_node(&ev, e, ret);
    vec_each (&ev.origins, o)
        value_unref(o->v);
    vec_done(&ev.origins);
    return rc;
}
