/* Filter expressions: operators by precedence, operands, functions. */
#include "stdlib/jsonpath_int.h"

#include <stdlib.h>
#include "base/num.h"
#include "base/vec.h"

struct fop_row {
    const char *text;
    enum fop op;
    int precedence;
    bool word; /* must not run into a name */
};

/* Longer tokens first. */
static const struct fop_row fops[] = {
    {"||", FOP_OR, 1, false},     {"&&", FOP_AND, 2, false},     {"==", FOP_EQ, 3, false},
    {"!=", FOP_NE, 3, false},     {"<=", FOP_LE, 3, false},      {">=", FOP_GE, 3, false},
    {"=~", FOP_MATCH, 3, false},  {"~=", FOP_MATCH, 3, false},   {"<", FOP_LT, 3, false},
    {">", FOP_GT, 3, false},      {"in", FOP_IN, 3, true},       {"has", FOP_HAS, 3, true},
    {"exists", FOP_HAS, 3, true}, {"empty", FOP_EMPTY, 3, true}, {"+", FOP_ADD, 4, false},
    {"-", FOP_SUB, 4, false},     {"*", FOP_MUL, 5, false},      {"/", FOP_DIV, 5, false},
};

static struct fexpr *binary(struct path_parser *p, int least);

static struct fexpr *node(struct path_parser *p, enum fexpr_kind kind)
{
    struct fexpr *f = arena_new(p->arena, struct fexpr);
    f->kind = kind;
    return f;
}

static void drop_value(void *v)
{
    value_unref(*(struct value *)v);
}

static struct fexpr *literal_take(struct path_parser *p, struct value v)
{
    struct fexpr *f = node(p, F_LITERAL);
    f->value = v;
    arena_cleanup(p->arena, drop_value, &f->value);
    return f;
}

/* --- operands --- */

static struct fexpr *string(struct path_parser *p)
{
    struct str s;
    return jsonpath_string(p, &s) ? literal_take(p, value_str(s)) : NULL;
}

static struct fexpr *number(struct path_parser *p)
{
    size_t from = p->at;
    i64 i;
    f64 d;
    while (jsonpath_peek(p) && strchr("+-0123456789.eE", jsonpath_peek(p))) {
        bool sign = jsonpath_peek(p) == '+' || jsonpath_peek(p) == '-';
        if (sign && p->at > from && (p->text.p[p->at - 1] | 0x20) != 'e') break;
        p->at++;
    }
    struct str s = str_sub(p->text, from, p->at);
    if (num_parse_i64(s, &i) == 0) return literal_take(p, value_int(i));
    if (num_parse_f64(s, &d) == 0) return literal_take(p, value_float(d));
    return jsonpath_fail(p, "not a number");
}

static void drop_regex(void *re)
{
    regex_free(re);
}

static struct fexpr *regex_of(struct path_parser *p, struct str pattern)
{
    char *why = NULL;
    struct regex *re = regex_compile(pattern, &why);
    if (!re) {
        jsonpath_fail(p, why);
        free(why);
        return NULL;
    }
    arena_cleanup(p->arena, drop_regex, re);
    struct fexpr *f = node(p, F_LITERAL);
    f->regex = re;
    return f;
}

/* /.../ with \/ for a slash. */
static struct fexpr *regex(struct path_parser *p)
{
    struct buf pattern = BUF_INIT(p->text.n + 1);
    for (p->at++; jsonpath_peek(p) && jsonpath_peek(p) != '/'; p->at++) {
        bool slash =
            jsonpath_peek(p) == '\\' && p->at + 1 < p->text.n && p->text.p[p->at + 1] == '/';
        bool escaped = jsonpath_peek(p) == '\\' && p->at + 1 < p->text.n;
        if (escaped && !slash) buf_ch(&pattern, '\\');
        if (escaped) p->at++;
        buf_ch(&pattern, jsonpath_peek(p));
    }
    bool closed = jsonpath_take(p, "/");
    struct fexpr *f = closed ? regex_of(p, buf_view(&pattern))
                             : jsonpath_fail(p, "regular expression not terminated");
    buf_done(&pattern);
    return f;
}

static struct fexpr *path(struct path_parser *p)
{
    struct fexpr *f = node(p, F_PATH);
    return jsonpath_steps(p, &f->path) ? f : NULL;
}

static bool close_list(struct path_parser *p, const char *close)
{
    jsonpath_space(p);
    if (jsonpath_take(p, close)) return true;
    jsonpath_fail(p, "not terminated");
    return false;
}

static struct fexpr *list(struct path_parser *p)
{
    VEC(struct fexpr *) items = {0};
    struct fexpr *f = node(p, F_LIST), *item = f;
    jsonpath_space(p);
    while (item && jsonpath_peek(p) != ']') {
        item = binary(p, 1);
        if (item) vec_push(&items, item);
        jsonpath_space(p);
        if (!jsonpath_take(p, ",")) break;
        jsonpath_space(p);
    }
    f->n = items.n;
    f->items = items.n ? arena_memdup(p->arena, items.v, items.n * sizeof(*items.v)) : NULL;
    vec_done(&items);
    return item && close_list(p, "]") ? f : NULL;
}

/* --- words: constants and functions --- */

struct ffunc_row {
    const char *name;
    enum ffunc func;
    bool two; /* arguments */
};
static const struct ffunc_row ffuncs[] = {
    {"length", FFUNC_LENGTH, false},
    {"count", FFUNC_COUNT, false},
    {"match", FFUNC_MATCH, true},
    {"search", FFUNC_SEARCH, true},
};

static struct fexpr *arguments(struct path_parser *p, const struct ffunc_row *row)
{
    struct fexpr *f = node(p, F_FUNCTION);
    f->func = row->func;
    f->l = binary(p, 1);
    if (!f->l) return NULL;
    jsonpath_space(p);
    if (row->two && !jsonpath_take(p, ",")) return jsonpath_fail(p, "function needs two arguments");
    if (row->two && !(f->r = binary(p, 1))) return NULL;
    return close_list(p, ")") ? f : NULL;
}

static struct fexpr *word(struct path_parser *p)
{
    size_t from = p->at;
    while (jsonpath_is_name(jsonpath_peek(p)))
        p->at++;
    struct str name = str_sub(p->text, from, p->at);
    if (str_is(name, "true") || str_is(name, "false"))
        return literal_take(p, value_bool(name.n == 4));
    if (str_is(name, "null")) return literal_take(p, value_null());
    for (size_t i = 0; i < ARRAY_LEN(ffuncs); i++)
        if (str_is(name, ffuncs[i].name) && jsonpath_take(p, "(")) return arguments(p, &ffuncs[i]);
    p->at = from;
    return jsonpath_fail(p, "not a value or function");
}

static struct fexpr *parenthesis(struct path_parser *p)
{
    struct fexpr *f = binary(p, 1);
    return f && close_list(p, ")") ? f : NULL;
}

static struct fexpr *negation(struct path_parser *p);
static struct fexpr *guarded_operand(struct path_parser *p);

static struct fexpr *operand(struct path_parser *p)
{
    jsonpath_space(p);
    char c = jsonpath_peek(p);
    if (c == '(') {
        p->at++;
        return parenthesis(p);
    }
    if (c == '[') {
        p->at++;
        return list(p);
    }
    if (c == '!') return negation(p);
    if (c == '@' || c == '$') return path(p);
    if (c == '\'' || c == '"') return string(p);
    if (c == '/') return regex(p);
    return c == '-' || (c >= '0' && c <= '9') ? number(p) : word(p);
}

static struct fexpr *negation(struct path_parser *p)
{
    struct fexpr *f = node(p, F_NOT);
    p->at++;
    f->l = guarded_operand(p);
    return f->l ? f : NULL;
}

static struct fexpr *guarded_operand(struct path_parser *p)
{
    if (++p->depth > JSONPATH_DEPTH_MAX) return jsonpath_fail(p, "nested too deeply");
    struct fexpr *f = operand(p);
    p->depth--;
    return f;
}

/* --- operators --- */

static const struct fop_row *operator(const struct path_parser *p)
{
    struct str rest = str_sub(p->text, p->at, p->text.n);
    for (size_t i = 0; i < ARRAY_LEN(fops); i++) {
        size_t n = strlen(fops[i].text);
        if (!str_starts(rest, str_of(fops[i].text))) continue;
        if (!fops[i].word || rest.n == n || !jsonpath_is_name(rest.p[n])) return &fops[i];
    }
    return NULL;
}

/* Precedence climbing; all operators associate to the left. */
static struct fexpr *binary(struct path_parser *p, int least)
{
    struct fexpr *l = guarded_operand(p);
    size_t chain = 0;
    while (l) {
        jsonpath_space(p);
        const struct fop_row *row = operator(p);
        if (!row || row->precedence < least) return l;
        if (++chain > JSONPATH_STEPS_MAX) return jsonpath_fail(p, "too many operators");
        p->at += strlen(row->text);
        struct fexpr *f = node(p, F_BINARY);
        f->op = row->op;
        f->l = l;
        f->r = binary(p, row->precedence + 1);
        l = f->r ? f : NULL;
    }
    return NULL;
}

struct fexpr *jsonpath_filter(struct path_parser *p)
{
    struct fexpr *f = binary(p, 1);
    jsonpath_space(p);
    if (f && jsonpath_peek(p) != ']') return jsonpath_fail(p, "not a valid operation");
    return f;
}
