/* JMESPath tokens to a tree: operators by their precedence (Pratt), the rest by recursive descent.
 * The depth of the tree is bounded, and with it the recursion of everybody who walks it. */
#include <errno.h>
#include "base/num.h"
#include "base/vec.h"
#include "components/loki/jmespath/ast.h"

struct parser {
    const struct token *t; /* the next one */
    struct arena *a;
    u32 nesting;
    const char *err;
    u32 err_at;
};

/* How tightly a token binds what stands on its left; 0: not at all. */
static const u8 binds[T_KINDS] = {
    [T_PIPE] = 1,      [T_QUESTION] = 2, [T_OR] = 3,      [T_AND] = 4,        [T_EQ] = 5,
    [T_NE] = 5,        [T_LT] = 5,       [T_LE] = 5,      [T_GT] = 5,         [T_GE] = 5,
    [T_PLUS] = 6,      [T_MINUS] = 6,    [T_STAR] = 7,    [T_TIMES] = 7,      [T_DIVIDE] = 7,
    [T_MODULO] = 7,    [T_FLATTEN] = 9,  [T_FILTER] = 21, [T_INT_DIVIDE] = 7, [T_DOT] = 40,
    [T_LBRACKET] = 55,
};
/* A projection takes what binds at least this tightly as its right side. */
#define BINDS_PROJECTED 10
#define BINDS_EACH      20
#define BINDS_NOT       45

static struct node *expression(struct parser *p, int min);

static void *fail(struct parser *p, const struct token *at, const char *what)
{
    if (!p->err) {
        p->err = what;
        p->err_at = at->at;
    }
    return NULL;
}

static bool is(const struct parser *p, enum tok type)
{
    return p->t->type == type;
}

static bool take(struct parser *p, enum tok type)
{
    if (!is(p, type)) return false;
    p->t++;
    return true;
}

static u32 depth_of(const struct node *n)
{
    return n ? n->depth : 0;
}

static struct node *make(struct parser *p, enum node_type type, struct node *left,
                         struct node *right)
{
    struct node *n = arena_new(p->a, struct node);
    u32 l = depth_of(left), r = depth_of(right);

    *n = (struct node){.type = type, .left = left, .right = right, .depth = 1 + (l > r ? l : r)};
    if (n->depth > JMESPATH_MAX_DEPTH) return fail(p, p->t, "nested too deeply");
    return p->err ? NULL : n;
}

/* --- lists of expressions --- */
struct kids {
    VEC(struct node *) v;
    VEC(struct str) names;
};

static struct node *make_list(struct parser *p, enum node_type type, struct kids *k)
{
    struct node *n = make(p, type, NULL, NULL);

    for (size_t i = 0; n && i < k->v.n; i++)
        if (k->v.v[i]->depth + 1 > n->depth) n->depth = k->v.v[i]->depth + 1;
    if (n && n->depth > JMESPATH_MAX_DEPTH) n = fail(p, p->t, "nested too deeply");
    if (n && k->v.n) {
        n->n = (u32)k->v.n;
        n->kids = arena_memdup(p->a, k->v.v, k->v.n * sizeof(*k->v.v));
        if (k->names.n) n->names = arena_memdup(p->a, k->names.v, k->names.n * sizeof(*k->names.v));
    }
    vec_done(&k->v);
    vec_done(&k->names);
    return n;
}

static bool add_kid(struct parser *p, struct kids *k)
{
    struct node *n = expression(p, 0);

    if (n) vec_push(&k->v, n);
    return n;
}

/* After `[`. */
static struct node *multi_list(struct parser *p)
{
    struct kids k = {0};

    while (add_kid(p, &k) && take(p, T_COMMA))
        ;
    if (!take(p, T_RBRACKET)) fail(p, p->t, "expected , or ] in a list of expressions");
    return make_list(p, N_LIST, &k);
}

static bool add_member(struct parser *p, struct kids *k)
{
    struct str name = p->t->text;

    if (!take(p, T_IDENT) && !take(p, T_QUOTED)) {
        fail(p, p->t, "expected the name of a member");
        return false;
    }
    if (!take(p, T_COLON)) {
        fail(p, p->t, "expected : behind the name of a member");
        return false;
    }
    vec_push(&k->names, name);
    return add_kid(p, k);
}

/* After `{`. */
static struct node *multi_hash(struct parser *p)
{
    struct kids k = {0};

    while (add_member(p, &k) && take(p, T_COMMA))
        ;
    if (!take(p, T_RBRACE)) fail(p, p->t, "expected , or } behind a member");
    return make_list(p, N_HASH, &k);
}

/* After `name(`. */
static struct node *call(struct parser *p, struct str name)
{
    struct kids k = {0};

    while (!is(p, T_RPAREN) && add_kid(p, &k) && take(p, T_COMMA))
        ;
    if (!take(p, T_RPAREN)) fail(p, p->t, "expected , or ) behind an argument");
    struct node *n = make_list(p, N_CALL, &k);
    if (!n) return NULL;
    n->text = name;
    n->fn = jmespath_function(name);
    return n;
}

/* --- let --- */

static bool add_bound(struct parser *p, struct kids *k)
{
    struct str name = p->t->text;

    if (!take(p, T_VARIABLE) || !take(p, T_ASSIGN)) {
        fail(p, p->t, "expected $name = expression after let");
        return false;
    }
    vec_push(&k->names, name);
    return add_kid(p, k);
}

/* After `let`. */
static struct node *let(struct parser *p)
{
    struct kids k = {0};

    while (add_bound(p, &k) && take(p, T_COMMA))
        ;
    if (!is(p, T_IDENT) || !str_is(p->t->text, "in"))
        fail(p, p->t, "expected , or `in` behind what let binds");
    else
        p->t++;
    struct node *n = make_list(p, N_LET, &k), *body = n ? expression(p, 0) : NULL;
    if (!body) return NULL;
    n->left = body;
    if (body->depth + 1 > n->depth) n->depth = body->depth + 1;
    return n->depth > JMESPATH_MAX_DEPTH ? fail(p, p->t, "nested too deeply") : n;
}

/* --- brackets --- */

static bool read_int(struct parser *p, i64 *ret)
{
    if (num_parse_i64(p->t->text, ret) == 0 && *ret >= INT32_MIN && *ret <= INT32_MAX) {
        p->t++;
        return true;
    }
    fail(p, p->t, "the index is too large");
    return false;
}

/* start:stop:step, each optional. */
static bool read_slice(struct parser *p, struct node *n)
{
    for (int part = 0; !is(p, T_RBRACKET);) {
        if (is(p, T_NUMBER)) {
            if (n->sliced[part]) return fail(p, p->t, "expected : in a slice") != NULL;
            n->sliced[part] = true;
            if (!read_int(p, &n->slice[part])) return false;
        } else if (!take(p, T_COLON)) {
            return fail(p, p->t, "expected a number, : or ] in a slice") != NULL;
        } else if (++part == 3) {
            return fail(p, p->t, "too many : in a slice") != NULL;
        } else {
            n->type = N_SLICE;
        }
    }
    if (n->sliced[2] && n->slice[2] == 0) return fail(p, p->t, "the step of a slice is 0") != NULL;
    return true;
}

static struct node *right_side(struct parser *p, int min);

/* What `left[*]`, a slice, a filter or a flattening gives goes on element by element. */
static struct node *project(struct parser *p, enum node_type type, struct node *left, int min)
{
    struct node *right = right_side(p, min);

    return right ? make(p, type, left, right) : NULL;
}

/* After `[`, at a number or a colon. */
static struct node *index_or_slice(struct parser *p, struct node *left)
{
    struct node *n = make(p, N_INDEX, NULL, NULL);

    if (!n || !read_slice(p, n)) return NULL;
    if (!take(p, T_RBRACKET)) return fail(p, p->t, "expected ]");
    struct node *sub = make(p, N_SUB, left, n);
    if (!sub || n->type == N_INDEX) return sub;
    return project(p, N_EACH, sub, BINDS_EACH);
}

/* After `[?`. */
static struct node *filter(struct parser *p, struct node *left)
{
    struct kids k = {0};

    add_kid(p, &k);
    if (!p->err && !take(p, T_RBRACKET)) fail(p, p->t, "expected ] behind a filter");
    struct node *n = make_list(p, N_FILTER, &k);
    if (!n) return NULL;
    struct node *right = right_side(p, binds[T_FILTER]), *both = make(p, N_SUB, left, right);
    if (!right || !both) return NULL;
    n->left = left;
    n->right = right;
    if (both->depth > n->depth) n->depth = both->depth;
    return n;
}

static struct node *flatten(struct parser *p, struct node *left)
{
    struct node *n = make(p, N_FLATTEN, left, NULL);

    return n ? project(p, N_EACH, n, binds[T_FLATTEN]) : NULL;
}

/* After a `[` that follows something. */
static struct node *bracket(struct parser *p, struct node *left)
{
    if (is(p, T_NUMBER) || is(p, T_COLON)) return index_or_slice(p, left);
    if (take(p, T_STAR) && take(p, T_RBRACKET)) return project(p, N_EACH, left, BINDS_EACH);
    return fail(p, p->t,
                "expected an index, a slice or * in [ ] (a list of expressions needs a . "
                "in front)");
}

/* After a `[` that begins an expression. */
static struct node *first_bracket(struct parser *p)
{
    bool all = is(p, T_STAR) && p->t[1].type == T_RBRACKET;

    if (is(p, T_NUMBER) || is(p, T_COLON) || all) return bracket(p, make(p, N_CURRENT, NULL, NULL));
    return multi_list(p);
}

/* --- dots --- */

/* After a dot. */
static struct node *dot_right(struct parser *p, int min)
{
    if (is(p, T_IDENT) || is(p, T_QUOTED) || is(p, T_STAR)) return expression(p, min);
    if (take(p, T_LBRACKET)) return multi_list(p);
    if (take(p, T_LBRACE)) return multi_hash(p);
    return fail(p, p->t, "expected a name, *, [ or { behind the dot");
}

static struct node *right_side(struct parser *p, int min)
{
    if (is(p, T_LBRACKET) || is(p, T_FILTER)) return expression(p, min);
    if (take(p, T_DOT)) return dot_right(p, min);
    if (binds[p->t->type] < BINDS_PROJECTED) return make(p, N_CURRENT, NULL, NULL);
    return fail(p, p->t, "unexpected token behind a projection");
}

static struct node *dot(struct parser *p, struct node *left)
{
    if (take(p, T_STAR)) return project(p, N_EACH_VALUE, left, binds[T_DOT]);
    struct node *right = dot_right(p, binds[T_DOT]);
    return right ? make(p, N_SUB, left, right) : NULL;
}

/* --- expressions --- */

static struct node *name(struct parser *p, const struct token *t)
{
    bool called = is(p, T_LPAREN);

    if (called && t->type == T_QUOTED) return fail(p, t, "the name of a function is not quoted");
    if (called) {
        p->t++;
        return call(p, t->text);
    }
    if (t->type == T_IDENT && str_is(t->text, "let") && is(p, T_VARIABLE)) return let(p);
    struct node *n = make(p, N_FIELD, NULL, NULL);
    if (n) n->text = t->text;
    return n;
}

static struct node *unary(struct parser *p, enum node_type type, enum tok op, int min)
{
    struct node *of = expression(p, min), *n = of ? make(p, type, of, NULL) : NULL;

    if (n) n->op = op;
    return n;
}

static struct node *parens(struct parser *p)
{
    struct node *n = expression(p, 0);

    if (!n) return NULL;
    return take(p, T_RPAREN) ? n : fail(p, p->t, "expected )");
}

static struct node *with_text(struct node *n, const struct token *t)
{
    if (n) n->text = t->text;
    if (n) n->lit = t->lit;
    return n;
}

static struct node *first(struct parser *p)
{
    const struct token *t = p->t++;

    switch (t->type) {
    case T_IDENT:
    case T_QUOTED: return name(p, t);
    case T_VARIABLE: return with_text(make(p, N_VARIABLE, NULL, NULL), t);
    case T_LITERAL: return with_text(make(p, N_LITERAL, NULL, NULL), t);
    case T_ROOT: return make(p, N_ROOT, NULL, NULL);
    case T_CURRENT: return make(p, N_CURRENT, NULL, NULL);
    case T_STAR: return project(p, N_EACH_VALUE, make(p, N_CURRENT, NULL, NULL), BINDS_EACH);
    case T_FILTER: return filter(p, make(p, N_CURRENT, NULL, NULL));
    case T_FLATTEN: return flatten(p, make(p, N_CURRENT, NULL, NULL));
    case T_LBRACKET: return first_bracket(p);
    case T_LBRACE: return multi_hash(p);
    case T_LPAREN: return parens(p);
    case T_EXPREF: return unary(p, N_EXPREF, t->type, 0);
    case T_NOT: return unary(p, N_NOT, t->type, BINDS_NOT);
    case T_PLUS:
    case T_MINUS: return unary(p, N_SIGN, t->type, binds[t->type]);
    case T_EOF: p->t--; return fail(p, t, "the expression ends too early");
    default: return fail(p, t, "unexpected token");
    }
}

static enum node_type operator_node(enum tok op)
{
    switch (op) {
    case T_PIPE: return N_PIPE;
    case T_OR: return N_OR;
    case T_AND: return N_AND;
    case T_EQ:
    case T_NE:
    case T_LT:
    case T_LE:
    case T_GT:
    case T_GE: return N_COMPARE;
    default: return N_ARITHMETIC;
    }
}

/* After `condition ?`. */
static struct node *conditional(struct parser *p, struct node *left)
{
    struct kids k = {0};

    if (add_kid(p, &k) && !take(p, T_COLON)) fail(p, p->t, "expected : behind what ? gives");
    struct node *other = p->err ? NULL : expression(p, binds[T_QUESTION] - 1);
    if (other) vec_push(&k.v, other);
    struct node *n = make_list(p, N_IF, &k);
    if (!n) return NULL;
    n->left = left;
    if (left->depth + 1 > n->depth) n->depth = left->depth + 1;
    return n->depth > JMESPATH_MAX_DEPTH ? fail(p, p->t, "nested too deeply") : n;
}

static struct node *operator(struct parser *p, struct node *left)
{
    enum tok op = p->t++->type;

    if (op == T_DOT) return dot(p, left);
    if (op == T_LBRACKET) return bracket(p, left);
    if (op == T_FILTER) return filter(p, left);
    if (op == T_FLATTEN) return flatten(p, left);
    if (op == T_QUESTION) return conditional(p, left);
    struct node *right = expression(p, binds[op]);
    struct node *n = right ? make(p, operator_node(op), left, right) : NULL;
    if (n) n->op = op;
    return n;
}

static struct node *expression(struct parser *p, int min)
{
    if (++p->nesting > JMESPATH_MAX_DEPTH) return fail(p, p->t, "nested too deeply");
    struct node *n = first(p);
    while (n && binds[p->t->type] > min)
        n = operator(p, n);
    p->nesting--;
    return n;
}

struct node *jmespath_parse(struct str expr, struct arena *a, const char **ret_err, u32 *ret_at)
{
    struct parser p = {.a = a};

    p.t = jmespath_lex(expr, a, ret_err, ret_at);
    if (!p.t) return NULL;
    struct node *n = expression(&p, 0);
    if (n && !is(&p, T_EOF)) n = fail(&p, p.t, "unexpected token behind the expression");
    if (n) return n;
    *ret_err = p.err;
    *ret_at = p.err_at;
    return NULL;
}
