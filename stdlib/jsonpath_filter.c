/* Evaluating filters. A term is a value or nothing (a path without a match); comparisons of
 * different types are false. */
#include "stdlib/jsonpath_int.h"

#include <stdlib.h>
#include "base/utf8.h"
#include "value/ops.h"

#define COMPILE_WORK 500 /* what compiling a pattern costs, in nodes looked at */

struct term {
    bool present;
    struct value value; /* owned when present */
};

static const struct term nothing;

static struct term term_take(struct value v)
{
    return (struct term){true, v};
}

static void term_done(struct term t)
{
    if (t.present) value_unref(t.value);
}

struct filter {
    struct path_walk *outer; /* the document, and the work so far */
    struct value element;
};

static struct term eval(struct filter *f, const struct fexpr *e);
static bool holds(struct filter *f, const struct fexpr *e);

/* --- paths --- */

static size_t matches(struct filter *f, const struct path *p, bool first_only,
                      struct term *ret_first)
{
    struct path_walk w = {.doc = f->outer->doc, .work = f->outer->work, .first_only = first_only};
    jsonpath_walk(&w, p, f->element);
    size_t n = w.n;
    if (n > 0 && ret_first) *ret_first = term_take(value_ref(w.found[0]));
    if (w.over) f->outer->over = true;
    jsonpath_walk_done(&w);
    return n;
}

static bool exists(struct filter *f, const struct path *p)
{
    return matches(f, p, true, NULL) > 0;
}

/* --- comparison --- */

static struct term length(struct term t)
{
    if (!t.present) return nothing;
    if (t.value.type == V_ARRAY) return term_take(value_int((i64)t.value.array->n));
    if (t.value.type == V_OBJECT) return term_take(value_int((i64)t.value.object->n));
    if (t.value.type != V_STRING) return nothing;
    struct str s = value_text(t.value);
    i64 n = 0;
    for (size_t i = 0; i < s.n; n++)
        i += utf8_decode(str_sub(s, i, s.n), &(u32){0}, NULL);
    return term_take(value_int(n));
}

static bool terms_equal(struct term l, struct term r)
{
    if (!l.present || !r.present) return l.present == r.present;
    return value_equal(l.value, r.value);
}

static bool ordered(enum fop op, struct term l, struct term r)
{
    static const enum op ops[] = {
        [FOP_LT] = OP_LT, [FOP_LE] = OP_LE, [FOP_GT] = OP_GT, [FOP_GE] = OP_GE};
    struct op_fault fault;
    struct value v;
    if (!l.present || !r.present) return false;
    if (op_binary(ops[op], l.value, r.value, &v, &fault)) {
        free(fault.text);
        return false;
    }
    return v.b;
}

static bool in_list(struct term l, struct term r)
{
    if (!l.present || !r.present || r.value.type != V_ARRAY) return false;
    for (size_t i = 0; i < r.value.array->n; i++)
        if (value_equal(l.value, r.value.array->v[i])) return true;
    return false;
}

static bool is_bool(struct term t, bool b)
{
    return t.present && t.value.type == V_BOOL && t.value.b == b;
}

/* What has no size is neither empty nor not. */
static bool emptiness(struct term t, struct term want)
{
    struct term size = length(t);
    return size.present && is_bool(want, size.value.i == 0);
}

/* --- regular expressions --- */

static bool regex_in(const struct regex *re, struct term text)
{
    return text.present && text.value.type == V_STRING &&
           regex_match(re, value_text(text.value), 0, NULL, 0) == 1;
}

/* A pattern that does not compile matches nothing, as RFC 9535 has it. */
static bool pattern_in(struct filter *f, struct term pattern, struct term text, bool whole)
{
    char *why = NULL;
    *f->outer->work += COMPILE_WORK;
    if (!pattern.present || pattern.value.type != V_STRING) return false;
    struct str s = value_text(pattern.value);
    struct regex *re = whole ? regex_compile_anchored(s, &why) : regex_compile(s, &why);
    bool found = re && regex_in(re, text);
    if (re) regex_free(re);
    free(why);
    return found;
}

/* --- binary --- */

static bool compare(struct filter *f, const struct fexpr *e)
{
    struct term l = eval(f, e->l), r = e->r->regex ? nothing : eval(f, e->r);
    bool b = false;
    switch (e->op) {
    case FOP_EQ: b = terms_equal(l, r); break;
    case FOP_NE: b = !terms_equal(l, r); break;
    case FOP_LT:
    case FOP_LE:
    case FOP_GT:
    case FOP_GE: b = ordered(e->op, l, r); break;
    case FOP_MATCH: b = e->r->regex ? regex_in(e->r->regex, l) : pattern_in(f, r, l, false); break;
    case FOP_IN: b = in_list(l, r); break;
    case FOP_HAS: b = is_bool(r, l.present); break;
    case FOP_EMPTY: b = emptiness(l, r); break;
    case FOP_OR:
    case FOP_AND:
    case FOP_ADD:
    case FOP_SUB:
    case FOP_MUL:
    case FOP_DIV: break;
    }
    term_done(l);
    term_done(r);
    return b;
}

static struct term arithmetic(struct filter *f, const struct fexpr *e)
{
    static const enum op ops[] = {
        [FOP_ADD] = OP_ADD, [FOP_SUB] = OP_SUB, [FOP_MUL] = OP_MUL, [FOP_DIV] = OP_DIV};
    struct term l = eval(f, e->l), r = eval(f, e->r), t = nothing;
    struct op_fault fault = {0};
    if (l.present && r.present) {
        t.present = op_binary(ops[e->op], l.value, r.value, &t.value, &fault) == 0;
        free(fault.text);
    }
    term_done(l);
    term_done(r);
    return t;
}

static struct term binary(struct filter *f, const struct fexpr *e)
{
    switch (e->op) {
    case FOP_OR: return term_take(value_bool(holds(f, e->l) || holds(f, e->r)));
    case FOP_AND: return term_take(value_bool(holds(f, e->l) && holds(f, e->r)));
    case FOP_ADD:
    case FOP_SUB:
    case FOP_MUL:
    case FOP_DIV: return arithmetic(f, e);
    case FOP_EQ:
    case FOP_NE:
    case FOP_LT:
    case FOP_LE:
    case FOP_GT:
    case FOP_GE:
    case FOP_MATCH:
    case FOP_IN:
    case FOP_HAS:
    case FOP_EMPTY: return term_take(value_bool(compare(f, e)));
    }
    UNREACHABLE();
}

/* --- functions --- */

static struct term on_one(struct filter *f, const struct fexpr *e)
{
    if (e->func == FFUNC_COUNT)
        return e->l->kind == F_PATH
                   ? term_take(value_int((i64)matches(f, &e->l->path, false, NULL)))
                   : nothing;
    struct term t = eval(f, e->l), n = length(t);
    term_done(t);
    return n;
}

static struct term function(struct filter *f, const struct fexpr *e)
{
    if (!e->r) return on_one(f, e);
    struct term text = eval(f, e->l), pattern = eval(f, e->r);
    bool found = pattern_in(f, pattern, text, e->func == FFUNC_MATCH);
    term_done(text);
    term_done(pattern);
    return term_take(value_bool(found));
}

/* --- all --- */

static struct term list(struct filter *f, const struct fexpr *e)
{
    struct value v = value_array(e->n);
    for (size_t i = 0; i < e->n; i++) {
        struct term t = eval(f, e->items[i]);
        if (t.present) v.array->v[i] = t.value;
    }
    return term_take(v);
}

static struct term eval(struct filter *f, const struct fexpr *e)
{
    struct term t = nothing;
    switch (e->kind) {
    case F_LITERAL: return e->regex ? nothing : term_take(value_ref(e->value));
    case F_PATH: matches(f, &e->path, true, &t); return t;
    case F_NOT: return term_take(value_bool(!holds(f, e->l)));
    case F_BINARY: return binary(f, e);
    case F_FUNCTION: return function(f, e);
    case F_LIST: return list(f, e);
    }
    UNREACHABLE();
}

/* A path by itself asks whether it exists. */
static bool holds(struct filter *f, const struct fexpr *e)
{
    if (e->kind == F_PATH) return exists(f, &e->path);
    struct term t = eval(f, e);
    bool b = is_bool(t, true);
    term_done(t);
    return b;
}

bool jsonpath_passes(struct path_walk *w, const struct fexpr *e, struct value element)
{
    struct filter f = {.outer = w, .element = element};
    return holds(&f, e);
}
