/* The interpreter: walks the tree of an expression over a value. Recursion is bounded by the depth
 * of the tree: functions call back into parts of it, never around it, as an expression reference
 * sees only what was bound where it stands. */
#include <errno.h>
#include <math.h>
#include "base/utf8.h"
#include "components/loki/jmespath/ast.h"

static bool eval(struct search *s, const struct node *n, const struct jv *on,
                 const struct binding *scope, struct jv *ret);

/* --- limits and failures --- */

bool jmespath_fail(struct search *s, const char *fmt, ...)
{
    struct buf b = BUF_INIT(1024);
    va_list ap;

    va_start(ap, fmt);
    buf_vprintf(&b, fmt, ap);
    va_end(ap);
    if (!s->err) s->err = b.err ? "failed" : arena_strdup(s->a, buf_view(&b));
    buf_done(&b);
    return false;
}

bool jmespath_steps(struct search *s, size_t n)
{
    s->steps += n;
    return s->steps <= JMESPATH_MAX_STEPS || jmespath_fail(s, "the expression takes too long");
}

bool jmespath_memory(struct search *s, size_t n)
{
    s->memory += n < JMESPATH_MAX_MEMORY ? n : JMESPATH_MAX_MEMORY;
    return s->memory < JMESPATH_MAX_MEMORY ||
           jmespath_fail(s, "the expression takes too much memory");
}

struct jv *jmespath_array(struct search *s, size_t n)
{
    if (!jmespath_steps(s, n) || !jmespath_memory(s, n * sizeof(struct jv))) return NULL;
    return arena_array(s->a, struct jv, n + 1);
}

bool jmespath_false(const struct jv *v)
{
    switch (v->type) {
    case JV_NULL: return true;
    case JV_BOOL: return !v->b;
    case JV_NUMBER: return false;
    case JV_STRING: return v->str.n == 0;
    case JV_ARRAY:
    case JV_OBJECT: return v->n == 0;
    }
    return false;
}

/* --- names --- */

static bool field(struct search *s, const struct node *n, const struct jv *on, struct jv *ret)
{
    if (on->type == JV_OBJECT && !jmespath_steps(s, on->n / 16)) return false;
    const struct jv *v = jv_get(on, n->text);
    *ret = v ? *v : jv_null();
    return true;
}

static const struct binding *bound(const struct binding *scope, struct str name)
{
    while (scope && !str_eq(scope->name, name))
        scope = scope->outer;
    return scope;
}

static bool variable(struct search *s, const struct node *n, const struct binding *scope,
                     struct jv *ret)
{
    const struct binding *b = bound(scope, n->text);

    if (!b) return jmespath_fail(s, "the variable " STR_FMT " is not bound", STR_ARG(n->text));
    if (b->fn) return jmespath_fail(s, STR_FMT " is an expression, not a value", STR_ARG(n->text));
    *ret = b->value;
    return true;
}

/* --- values that may be expression references: arguments, and what let binds --- */

static const struct closure *close_over(struct search *s, const struct node *body,
                                        const struct binding *scope)
{
    struct closure *c = arena_new(s->a, struct closure);

    *c = (struct closure){body, scope};
    return c;
}

static bool eval_arg(struct search *s, const struct node *n, const struct jv *on,
                     const struct binding *scope, struct arg *ret)
{
    const struct binding *b = n->type == N_VARIABLE ? bound(scope, n->text) : NULL;

    *ret = (struct arg){0};
    if (!jmespath_memory(s, sizeof(struct closure))) return false;
    if (n->type == N_EXPREF) ret->fn = close_over(s, n->left, scope);
    if (b && b->fn) ret->fn = b->fn;
    return ret->fn || eval(s, n, on, scope, &ret->v);
}

static bool let(struct search *s, const struct node *n, const struct jv *on,
                const struct binding *scope, struct jv *ret)
{
    const struct binding *inner = scope;
    struct arg v;

    for (u32 i = 0; i < n->n; i++) {
        if (!jmespath_memory(s, sizeof(*inner))) return false;
        if (!eval_arg(s, n->kids[i], on, scope, &v)) return false;
        struct binding *b = arena_new(s->a, struct binding);
        *b = (struct binding){n->names[i], v.v, v.fn, inner};
        inner = b;
    }
    return eval(s, n->left, on, inner, ret);
}

static bool call(struct search *s, const struct node *n, const struct jv *on,
                 const struct binding *scope, struct jv *ret)
{
    if (!n->fn) return jmespath_fail(s, "there is no function named " STR_FMT, STR_ARG(n->text));
    if (!jmespath_memory(s, n->n * sizeof(struct arg))) return false;
    struct arg *args = arena_array(s->a, struct arg, n->n + 1);
    for (u32 i = 0; i < n->n; i++)
        if (!eval_arg(s, n->kids[i], on, scope, &args[i])) return false;
    return jmespath_call(s, n->fn, args, n->n, ret);
}

bool jmespath_apply(struct search *s, const struct closure *fn, const struct jv *on, struct jv *ret)
{
    return eval(s, fn->body, on, fn->scope, ret);
}

/* --- indices and slices --- */

static void index_of(const struct node *n, const struct jv *on, struct jv *ret)
{
    i64 i = n->slice[0];

    *ret = jv_null();
    if (on->type != JV_ARRAY) return;
    if (i < 0) i += on->n;
    if (i >= 0 && i < on->n) *ret = on->elems[i];
}

struct range {
    i64 start, stop, step;
    size_t n;
};

static i64 clamp(i64 at, i64 n, bool back)
{
    if (at < 0) at += n;
    if (at < 0) return back ? -1 : 0;
    if (at >= n) return back ? n - 1 : n;
    return at;
}

static struct range range_of(const struct node *n, i64 len)
{
    struct range r = {.step = n->sliced[2] ? n->slice[2] : 1};
    bool back = r.step < 0;

    r.start = n->sliced[0] ? clamp(n->slice[0], len, back) : back ? len - 1 : 0;
    r.stop = n->sliced[1] ? clamp(n->slice[1], len, back) : back ? -1 : len;
    i64 span = back ? r.start - r.stop : r.stop - r.start, step = back ? -r.step : r.step;
    r.n = span > 0 ? (size_t)((span + step - 1) / step) : 0;
    return r;
}

static bool slice_array(struct search *s, const struct node *n, const struct jv *on, struct jv *ret)
{
    struct range r = range_of(n, on->n);
    struct jv *out = jmespath_array(s, r.n);

    if (!out) return false;
    for (size_t i = 0; i < r.n; i++)
        out[i] = on->elems[r.start + (i64)i * r.step];
    *ret = jv_arr(out, r.n);
    return true;
}

/* By characters. */
static bool slice_text(struct search *s, const struct node *n, const struct jv *on, struct jv *ret)
{
    size_t len = 0;
    u32 c;

    if (!jmespath_steps(s, on->str.n) || !jmespath_memory(s, 5 * on->str.n)) return false;
    struct str *chars = arena_array(s->a, struct str, on->str.n + 1);
    for (struct str rest = on->str; rest.n; len++) {
        size_t width = utf8_decode(rest, &c, NULL);
        chars[len] = str_sub(rest, 0, width);
        rest = str_sub(rest, width, rest.n);
    }
    struct range r = range_of(n, (i64)len);
    char *out = arena_alloc(s->a, on->str.n + 1), *at = out;
    for (size_t i = 0; i < r.n; i++) {
        struct str one = chars[r.start + (i64)i * r.step];
        memcpy(at, one.p, one.n);
        at += one.n;
    }
    *ret = jv_str(str_n(out, (size_t)(at - out)));
    return true;
}

static bool slice(struct search *s, const struct node *n, const struct jv *on, struct jv *ret)
{
    if (on->type == JV_ARRAY) return slice_array(s, n, on, ret);
    if (on->type == JV_STRING) return slice_text(s, n, on, ret);
    *ret = jv_null();
    return true;
}

/* --- projections --- */

/* A failure in what is projected is no match, but for limits. */
static bool eval_projected(struct search *s, const struct node *n, const struct jv *on,
                           const struct binding *scope, struct jv *ret)
{
    bool spent;

    if (eval(s, n, on, scope, ret)) return true;
    spent = s->steps > JMESPATH_MAX_STEPS || s->memory >= JMESPATH_MAX_MEMORY;
    if (spent) return false;
    s->err = NULL;
    *ret = jv_null();
    return true;
}

/* right on one element, added to out unless it is null. */
static bool project_one(struct search *s, const struct node *right, const struct jv *on,
                        const struct binding *scope, struct jv *out, size_t *n)
{
    if (!eval(s, right, on, scope, &out[*n])) return false;
    if (out[*n].type != JV_NULL) ++*n;
    return true;
}

static bool is_text_slice(const struct node *n, const struct jv *v)
{
    return v->type == JV_STRING && n->type == N_SUB && n->right->type == N_SLICE;
}

static bool each(struct search *s, const struct node *n, const struct jv *on,
                 const struct binding *scope, struct jv *ret)
{
    struct jv left;
    size_t kept = 0;

    if (!eval(s, n->left, on, scope, &left)) return false;
    *ret = is_text_slice(n->left, &left) ? left : jv_null();
    if (left.type != JV_ARRAY) return true;
    struct jv *out = jmespath_array(s, left.n);
    if (!out) return false;
    for (u32 i = 0; i < left.n; i++)
        if (!project_one(s, n->right, &left.elems[i], scope, out, &kept)) return false;
    *ret = jv_arr(out, kept);
    return true;
}

static bool each_value(struct search *s, const struct node *n, const struct jv *on,
                       const struct binding *scope, struct jv *ret)
{
    struct jv left;
    size_t kept = 0;

    if (!eval_projected(s, n->left, on, scope, &left)) return false;
    *ret = jv_null();
    if (left.type != JV_OBJECT) return true;
    struct jv *out = jmespath_array(s, left.n);
    if (!out) return false;
    for (u32 i = 0; i < left.n; i++)
        if (!project_one(s, n->right, &left.members[i].value, scope, out, &kept)) return false;
    *ret = jv_arr(out, kept);
    return true;
}

static bool filter(struct search *s, const struct node *n, const struct jv *on,
                   const struct binding *scope, struct jv *ret)
{
    struct jv left, holds;
    size_t kept = 0;

    if (!eval_projected(s, n->left, on, scope, &left)) return false;
    *ret = jv_null();
    if (left.type != JV_ARRAY) return true;
    struct jv *out = jmespath_array(s, left.n);
    if (!out) return false;
    for (u32 i = 0; i < left.n; i++) {
        if (!eval(s, n->kids[0], &left.elems[i], scope, &holds)) return false;
        if (jmespath_false(&holds)) continue;
        if (!project_one(s, n->right, &left.elems[i], scope, out, &kept)) return false;
    }
    *ret = jv_arr(out, kept);
    return true;
}

static bool flatten(struct search *s, const struct node *n, const struct jv *on,
                    const struct binding *scope, struct jv *ret)
{
    struct jv left;
    size_t total = 0, at = 0;

    if (!eval_projected(s, n->left, on, scope, &left)) return false;
    *ret = jv_null();
    if (left.type != JV_ARRAY) return true;
    for (u32 i = 0; i < left.n; i++)
        total += left.elems[i].type == JV_ARRAY ? left.elems[i].n : 1;
    struct jv *out = jmespath_array(s, total);
    if (!out) return false;
    for (u32 i = 0; i < left.n; i++) {
        const struct jv *e = &left.elems[i];
        bool list = e->type == JV_ARRAY;
        size_t len = list ? e->n : 1;

        if (len) memcpy(&out[at], list ? e->elems : e, len * sizeof(*out));
        at += len;
    }
    *ret = jv_arr(out, total);
    return true;
}

/* --- operators --- */

static bool eval_both(struct search *s, const struct node *n, const struct jv *on,
                      const struct binding *scope, struct jv *ret_l, struct jv *ret_r)
{
    return eval(s, n->left, on, scope, ret_l) && eval(s, n->right, on, scope, ret_r);
}

static struct jv order(enum tok op, f64 l, f64 r)
{
    switch (op) {
    case T_LT: return jv_bool(l < r);
    case T_LE: return jv_bool(l <= r);
    case T_GT: return jv_bool(l > r);
    default: return jv_bool(l >= r);
    }
}

/* Only numbers have an order. */
static bool compare(struct search *s, const struct node *n, const struct jv *on,
                    const struct binding *scope, struct jv *ret)
{
    struct jv l, r;

    if (!eval_both(s, n, on, scope, &l, &r)) return false;
    if (n->op == T_EQ || n->op == T_NE) {
        if (!jmespath_steps(s, jv_weight(&l, JMESPATH_MAX_STEPS))) return false;
        *ret = jv_bool(jv_equal(&l, &r) == (n->op == T_EQ));
    } else {
        bool numbers = l.type == JV_NUMBER && r.type == JV_NUMBER;
        *ret = numbers ? order(n->op, l.num, r.num) : jv_null();
    }
    return true;
}

static f64 calculate(enum tok op, f64 l, f64 r)
{
    switch (op) {
    case T_PLUS: return l + r;
    case T_MINUS: return l - r;
    case T_DIVIDE: return l / r;
    case T_MODULO: return fmod(l, r);
    case T_INT_DIVIDE: return floor(l / r);
    default: return l * r;
    }
}

static bool arithmetic(struct search *s, const struct node *n, const struct jv *on,
                       const struct binding *scope, struct jv *ret)
{
    struct jv l, r;

    if (!eval_both(s, n, on, scope, &l, &r)) return false;
    bool numbers = l.type == JV_NUMBER && r.type == JV_NUMBER;
    *ret = numbers ? jv_num(calculate(n->op, l.num, r.num)) : jv_null();
    return true;
}

static bool sign(struct search *s, const struct node *n, const struct jv *on,
                 const struct binding *scope, struct jv *ret)
{
    struct jv v;

    if (!eval(s, n->left, on, scope, &v)) return false;
    if (v.type != JV_NUMBER)
        *ret = jv_null();
    else
        *ret = jv_num(n->op == T_MINUS ? -v.num : v.num);
    return true;
}

static bool either(struct search *s, const struct node *n, const struct jv *on,
                   const struct binding *scope, struct jv *ret)
{
    if (!eval(s, n->left, on, scope, ret)) return false;
    bool decided = jmespath_false(ret) == (n->type == N_AND);
    return decided || eval(s, n->right, on, scope, ret);
}

static bool choose(struct search *s, const struct node *n, const struct jv *on,
                   const struct binding *scope, struct jv *ret)
{
    struct jv v;

    if (!eval(s, n->left, on, scope, &v)) return false;
    return eval(s, n->kids[jmespath_false(&v)], on, scope, ret);
}

static bool not(struct search * s, const struct node *n, const struct jv *on,
                const struct binding *scope, struct jv *ret)
{
    struct jv v;

    if (!eval(s, n->left, on, scope, &v)) return false;
    *ret = jv_bool(jmespath_false(&v));
    return true;
}

static bool sub(struct search *s, const struct node *n, const struct jv *on,
                const struct binding *scope, struct jv *ret)
{
    struct jv left;

    if (!eval(s, n->left, on, scope, &left)) return false;
    *ret = left;
    if (n->type == N_SUB && left.type == JV_NULL) return true;
    return eval(s, n->right, &left, scope, ret);
}

/* --- lists and hashes --- */

static bool list(struct search *s, const struct node *n, const struct jv *on,
                 const struct binding *scope, struct jv *ret)
{
    struct jv *out = jmespath_array(s, n->n);

    if (!out) return false;
    for (u32 i = 0; i < n->n; i++)
        if (!eval(s, n->kids[i], on, scope, &out[i])) return false;
    *ret = jv_arr(out, n->n);
    return true;
}

static bool hash(struct search *s, const struct node *n, const struct jv *on,
                 const struct binding *scope, struct jv *ret)
{
    if (!jmespath_memory(s, n->n * sizeof(struct jv_member))) return false;
    struct jv_member *out = arena_array(s->a, struct jv_member, n->n + 1);
    for (u32 i = 0; i < n->n; i++) {
        out[i].key = n->names[i];
        if (!eval(s, n->kids[i], on, scope, &out[i].value)) return false;
    }
    *ret = jv_obj(out, jv_unique(out, n->n));
    return true;
}

/* --- the walk --- */

static bool eval(struct search *s, const struct node *n, const struct jv *on,
                 const struct binding *scope, struct jv *ret)
{
    if (!jmespath_steps(s, 1)) return false;
    switch (n->type) {
    case N_CURRENT: *ret = *on; return true;
    case N_ROOT: *ret = *s->root; return true;
    case N_LITERAL: *ret = n->lit; return true;
    case N_FIELD: return field(s, n, on, ret);
    case N_VARIABLE: return variable(s, n, scope, ret);
    case N_INDEX: index_of(n, on, ret); return true;
    case N_SLICE: return slice(s, n, on, ret);
    case N_SUB:
    case N_PIPE: return sub(s, n, on, scope, ret);
    case N_LIST: return list(s, n, on, scope, ret);
    case N_HASH: return hash(s, n, on, scope, ret);
    case N_OR:
    case N_AND: return either(s, n, on, scope, ret);
    case N_NOT: return not(s, n, on, scope, ret);
    case N_COMPARE: return compare(s, n, on, scope, ret);
    case N_ARITHMETIC: return arithmetic(s, n, on, scope, ret);
    case N_SIGN: return sign(s, n, on, scope, ret);
    case N_CALL: return call(s, n, on, scope, ret);
    case N_EXPREF: return jmespath_fail(s, "an expression (&...) is an argument, not a value");
    case N_LET: return let(s, n, on, scope, ret);
    case N_FLATTEN: return flatten(s, n, on, scope, ret);
    case N_EACH: return each(s, n, on, scope, ret);
    case N_EACH_VALUE: return each_value(s, n, on, scope, ret);
    case N_IF: return choose(s, n, on, scope, ret);
    case N_FILTER: return filter(s, n, on, scope, ret);
    }
    return jmespath_fail(s, "unknown expression");
}

int jmespath_eval(const struct node *n, const struct jv *doc, struct arena *a, struct jv *ret,
                  const char **ret_err)
{
    struct search s = {.a = a, .root = doc};
    struct jv v;

    if (!eval(&s, n, doc, NULL, &v)) {
        *ret_err = s.err;
        return -EINVAL;
    }
    *ret = v;
    return 0;
}
