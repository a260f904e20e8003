/* What stands in an action: operands, commands, pipelines, declarations of variables. */
#include "components/common/template/parse.h"

#include <stdlib.h>
#include "base/utf8.h"
#include "components/common/template/literal.h"

struct args {
    VEC(struct node *) v;
};

/* --- nodes --- */

struct node *parse_node(struct parser *p, enum node_kind kind)
{
    struct node *n = arena_new(&p->t->arena, struct node);
    n->kind = kind;
    return n;
}

void parse_quoted_fault(struct parser *p, const char *fmt, struct str s)
{
    struct buf b = BUF_INIT(1 << 16);
    utf8_quote(&b, s);
    parse_fault(p, fmt, b.p ? b.p : "\"\"");
    buf_done(&b);
}

struct node *parse_text_node(struct parser *p, enum node_kind kind, struct str text)
{
    struct node *n = parse_node(p, kind);
    n->text = text;
    return n;
}

struct str parse_unquoted(struct parser *p, const struct token *t)
{
    struct str out = {0};
    if (t->kind == TOK_RAW_STRING) return literal_raw(t->text, &p->t->arena);
    if (!literal_string(t->text, &p->t->arena, &out)) parse_fault(p, "invalid syntax");
    return out;
}

static struct node *number_node(struct parser *p, const struct token *t)
{
    struct node *n = parse_node(p, NODE_NUMBER);
    char *why = NULL;
    n->text = t->text;
    if (!literal_number(t->text, t->kind == TOK_CHAR_CONSTANT, &n->number, &why))
        parse_fault(p, "%s", why);
    free(why);
    return n;
}

static struct node *function_node(struct parser *p, struct str name)
{
    struct node *n = parse_text_node(p, NODE_FUNCTION, name);
    n->func = func_find(name);
    if (!n->func) parse_quoted_fault(p, "function %s not defined", name);
    return n;
}

static void use_variable(struct parser *p, struct str name)
{
    vec_each (&p->vars, v)
        if (str_eq(*v, name)) return;
    parse_quoted_fault(p, "undefined variable %s", name);
}

static struct node *variable_node(struct parser *p, struct str name)
{
    use_variable(p, name);
    return parse_text_node(p, NODE_VARIABLE, name);
}

static void add_field(struct parser *p, struct node *n, struct str field)
{
    struct str *more = arena_array(&p->t->arena, struct str, n->n_fields + 1);
    if (n->n_fields) memcpy(more, n->fields, n->n_fields * sizeof(*more));
    more[n->n_fields++] = str_sub(field, 1, field.n);
    n->fields = more;
}

static struct node *field_node(struct parser *p, struct str field)
{
    struct node *n = parse_node(p, NODE_FIELD);
    add_field(p, n, field);
    return n;
}

/* --- pipelines --- */

static struct node *pipe_node(struct parser *p, struct pipe *pipe)
{
    struct node *n = parse_node(p, NODE_PIPE);
    n->pipe = pipe;
    return n;
}

static struct node *parenthesized(struct parser *p)
{
    if (++p->depth > PARSE_DEPTH) {
        parse_fault(p, "max expression depth exceeded");
        return NULL;
    }
    struct node *n = pipe_node(p, parse_pipeline(p, "parenthesized pipeline", TOK_RIGHT_PAREN));
    p->depth--;
    return n;
}

static struct node *bool_node(struct parser *p, const struct token *t)
{
    struct node *n = parse_text_node(p, NODE_BOOL, t->text);
    n->truth = str_is(t->text, "true");
    return n;
}

/* NULL, and nothing taken, when no operand begins here. */
static struct node *term(struct parser *p)
{
    size_t before = p->at;
    const struct token *t = parse_take_word(p);
    switch (t->kind) {
    case TOK_IDENTIFIER: return function_node(p, t->text);
    case TOK_DOT: return parse_text_node(p, NODE_DOT, t->text);
    case TOK_NIL: return parse_text_node(p, NODE_NIL, t->text);
    case TOK_VARIABLE: return variable_node(p, t->text);
    case TOK_FIELD: return field_node(p, t->text);
    case TOK_BOOL: return bool_node(p, t);
    case TOK_CHAR_CONSTANT:
    case TOK_NUMBER: return number_node(p, t);
    case TOK_LEFT_PAREN: return parenthesized(p);
    case TOK_STRING:
    case TOK_RAW_STRING: return parse_text_node(p, NODE_STRING, parse_unquoted(p, t));
    default: p->at = before; return NULL;
    }
}

static bool takes_fields(enum node_kind k)
{
    return k == NODE_PIPE || k == NODE_FIELD || k == NODE_VARIABLE || k == NODE_FUNCTION;
}

static struct node *operand(struct parser *p)
{
    struct node *n = term(p);
    if (!n || parse_look(p)->kind != TOK_FIELD) return n;
    if (!takes_fields(n->kind)) {
        parse_quoted_fault(p, "unexpected . after term %s", p->toks.v[p->at - 1].text);
        return n;
    }
    if (n->kind == NODE_PIPE || n->kind == NODE_FUNCTION) {
        struct node *chain = parse_node(p, NODE_CHAIN);
        chain->of = n;
        n = chain;
    }
    while (parse_look(p)->kind == TOK_FIELD)
        add_field(p, n, parse_take(p)->text);
    return n;
}

static struct command command(struct parser *p)
{
    struct args args = {0};
    for (bool more = true; more && !p->err;) {
        parse_look_word(p);
        struct node *n = operand(p);
        if (n) vec_push(&args.v, n);
        if (p->err) break;
        enum token_kind kind = parse_look(p)->kind;
        more = kind == TOK_SPACE;
        if (kind == TOK_SPACE || kind == TOK_PIPE)
            parse_take(p);
        else if (kind != TOK_RIGHT && kind != TOK_RIGHT_PAREN)
            parse_unexpected(p, parse_take(p), "operand");
    }
    if (args.v.n == 0) parse_fault(p, "empty command");
    struct command c = {arena_memdup(&p->t->arena, args.v.v, args.v.n * sizeof(*args.v.v)),
                        args.v.n};
    vec_done(&args.v);
    return c;
}

static void declare(struct parser *p, struct pipe *pipe, struct str name)
{
    pipe->decl[pipe->n_decl++] = name;
    vec_push(&p->vars, name);
}

/* After "$v,": in a range a second variable, or nothing, may follow. True: another one follows. */
static bool comma(struct parser *p, struct pipe *pipe, struct str name, const char *context)
{
    parse_take_word(p);
    if (pipe->n_decl < 2) declare(p, pipe, name);
    if (strcmp(context, "range") != 0 || pipe->n_decl >= 2) {
        parse_fault(p, "too many declarations in %s", context);
        return false;
    }
    enum token_kind k = parse_look_word(p)->kind;
    if (k != TOK_VARIABLE && k != TOK_RIGHT && k != TOK_RIGHT_PAREN)
        parse_fault(p, "range can only initialize variables");
    return k == TOK_VARIABLE;
}

static void declarations(struct parser *p, struct pipe *pipe, const char *context)
{
    bool more = true;
    while (more && !p->err && parse_look_word(p)->kind == TOK_VARIABLE) {
        size_t before = p->at;
        struct str name = parse_take(p)->text;
        const struct token *t = parse_look_word(p);
        more = false;
        if (t->kind == TOK_ASSIGN || t->kind == TOK_DECLARE) {
            pipe->assign = t->kind == TOK_ASSIGN;
            parse_take_word(p);
            declare(p, pipe, name);
        } else if (t->kind == TOK_CHAR && str_is(t->text, ",")) {
            more = comma(p, pipe, name, context);
        } else {
            p->at = before;
        }
    }
}

static bool executable(const struct node *n)
{
    return n->kind != NODE_BOOL && n->kind != NODE_DOT && n->kind != NODE_NIL &&
           n->kind != NODE_NUMBER && n->kind != NODE_STRING;
}

static void check_pipe(struct parser *p, const struct pipe *pipe, const char *context)
{
    if (p->err) return;
    if (pipe->n == 0) parse_fault(p, "missing value for %s", context);
    for (size_t i = 1; i < pipe->n; i++)
        if (!executable(pipe->cmds[i].args[0]))
            parse_fault(p, "non executable command in pipeline stage %zu", i + 1);
}

static bool begins_operand(enum token_kind k)
{
    return k == TOK_BOOL || k == TOK_CHAR_CONSTANT || k == TOK_DOT || k == TOK_FIELD ||
           k == TOK_IDENTIFIER || k == TOK_NUMBER || k == TOK_NIL || k == TOK_RAW_STRING ||
           k == TOK_STRING || k == TOK_VARIABLE || k == TOK_LEFT_PAREN;
}

struct pipe *parse_pipeline(struct parser *p, const char *context, enum token_kind end)
{
    struct pipe *pipe = arena_new(&p->t->arena, struct pipe);
    struct {
        VEC(struct command) v;
    } cmds = {0};
    declarations(p, pipe, context);
    while (!p->err) {
        const struct token *t = parse_look_word(p);
        if (begins_operand(t->kind)) {
            struct command c = command(p);
            vec_push(&cmds.v, c);
            continue;
        }
        parse_take(p);
        if (t->kind != end) parse_unexpected(p, t, context);
        break;
    }
    pipe->cmds = arena_memdup(&p->t->arena, cmds.v.v, cmds.v.n * sizeof(*cmds.v.v));
    pipe->n = cmds.v.n;
    vec_done(&cmds.v);
    check_pipe(p, pipe, context);
    return pipe;
}
