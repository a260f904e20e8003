/* Tokens to the tree. Faults are told in Go's words, with the line of the token that was read last.
 */
#include "components/loki/template/ast.h"

#include <errno.h>
#include <stdlib.h>
#include "base/utf8.h"
#include "base/vec.h"
#include "components/loki/template/lex.h"
#include "components/loki/template/literal.h"

#define PARSE_DEPTH 200

struct parser {
    struct template *t;
    struct tokens toks;
    size_t at;
    int line;        /* of the token read last */
    int action_line; /* where the action began; 0: outside */
    VEC(struct str) vars;
    int ranges, depth;
    char *err; /* the first fault, owned */
};

struct args {
    VEC(struct node *) v;
};

static void fault(struct parser *p, const char *fmt, ...) PRINTF(2, 3);
static void fault(struct parser *p, const char *fmt, ...)
{
    va_list ap;
    if (p->err) return;
    va_start(ap, fmt);
    char *text = xvprintf(fmt, ap);
    va_end(ap);
    p->err = xprintf("template: pipeline_template:%d: %s", p->line, text);
    free(text);
}

/* --- tokens --- */

static const struct token *look(struct parser *p)
{
    size_t last = p->toks.n - 1;
    return &p->toks.v[MIN(p->at, last)];
}

static const struct token *take(struct parser *p)
{
    const struct token *t = look(p);
    p->line = t->line;
    if (p->at < p->toks.n) p->at++;
    return t;
}

static const struct token *look_word(struct parser *p)
{
    while (look(p)->kind == TOK_SPACE)
        take(p);
    return look(p);
}

static const struct token *take_word(struct parser *p)
{
    look_word(p);
    return take(p);
}

/* As a token shows itself in a message. */
static char *shown(const struct token *t)
{
    struct buf b = BUF_INIT(1 << 16);
    if (t->kind == TOK_EOF) return xstrdup("EOF");
    if (t->kind == TOK_ERROR) return str_dup(t->text);
    if (t->kind > TOK_KEYWORD) return xprintf("<" STR_FMT ">", STR_ARG(t->text));
    struct str s = t->text;
    size_t end = 0;
    for (int i = 0; s.n > 10 && i < 10 && end < s.n; i++)
        end += utf8_decode(str_sub(s, end, s.n), &(u32){0}, NULL);
    utf8_quote(&b, s.n > 10 ? str_sub(s, 0, end) : s);
    if (s.n > 10) buf_cstr(&b, "...");
    return buf_take(&b, NULL);
}

static bool ends_with_action(struct str s)
{
    return str_ends(s, STR(" action"));
}

static void lex_fault(struct parser *p, const struct token *t)
{
    if (p->action_line == 0 || p->action_line == t->line)
        fault(p, STR_FMT, STR_ARG(t->text));
    else
        fault(p, STR_FMT "%s started at pipeline_template:%d", STR_ARG(t->text),
              ends_with_action(t->text) ? "" : " in action", p->action_line);
}

static void unexpected(struct parser *p, const struct token *t, const char *context)
{
    if (t->kind == TOK_ERROR) {
        lex_fault(p, t);
        return;
    }
    char *text = shown(t);
    fault(p, "unexpected %s in %s", text, context);
    free(text);
}

static void expect(struct parser *p, enum token_kind kind, const char *context)
{
    const struct token *t = take_word(p);
    if (t->kind != kind) unexpected(p, t, context);
}

/* --- nodes --- */

static struct node *node(struct parser *p, enum node_kind kind)
{
    struct node *n = arena_new(&p->t->arena, struct node);
    n->kind = kind;
    return n;
}

static void quoted_fault(struct parser *p, const char *fmt, struct str s)
{
    struct buf b = BUF_INIT(1 << 16);
    utf8_quote(&b, s);
    fault(p, fmt, b.p ? b.p : "\"\"");
    buf_done(&b);
}

static struct node *text_node(struct parser *p, enum node_kind kind, struct str text)
{
    struct node *n = node(p, kind);
    n->text = text;
    return n;
}

static struct str unquoted(struct parser *p, const struct token *t)
{
    struct str out = {0};
    if (t->kind == TOK_RAW_STRING) return literal_raw(t->text, &p->t->arena);
    if (!literal_string(t->text, &p->t->arena, &out)) fault(p, "invalid syntax");
    return out;
}

static struct node *number_node(struct parser *p, const struct token *t)
{
    struct node *n = node(p, NODE_NUMBER);
    char *why = NULL;
    n->text = t->text;
    if (!literal_number(t->text, t->kind == TOK_CHAR_CONSTANT, &n->number, &why))
        fault(p, "%s", why);
    free(why);
    return n;
}

static struct node *function_node(struct parser *p, struct str name)
{
    struct node *n = text_node(p, NODE_FUNCTION, name);
    n->func = func_find(name);
    if (!n->func) quoted_fault(p, "function %s not defined", name);
    return n;
}

static void use_variable(struct parser *p, struct str name)
{
    vec_each (&p->vars, v)
        if (str_eq(*v, name)) return;
    quoted_fault(p, "undefined variable %s", name);
}

static struct node *variable_node(struct parser *p, struct str name)
{
    use_variable(p, name);
    return text_node(p, NODE_VARIABLE, name);
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
    struct node *n = node(p, NODE_FIELD);
    add_field(p, n, field);
    return n;
}

/* --- pipelines --- */

static struct pipe *pipeline(struct parser *p, const char *context, enum token_kind end);

static struct node *pipe_node(struct parser *p, struct pipe *pipe)
{
    struct node *n = node(p, NODE_PIPE);
    n->pipe = pipe;
    return n;
}

static struct node *parenthesized(struct parser *p)
{
    if (++p->depth > PARSE_DEPTH) {
        fault(p, "max expression depth exceeded");
        return NULL;
    }
    struct node *n = pipe_node(p, pipeline(p, "parenthesized pipeline", TOK_RIGHT_PAREN));
    p->depth--;
    return n;
}

static struct node *bool_node(struct parser *p, const struct token *t)
{
    struct node *n = text_node(p, NODE_BOOL, t->text);
    n->truth = str_is(t->text, "true");
    return n;
}

/* NULL, and nothing taken, when no operand begins here. */
static struct node *term(struct parser *p)
{
    size_t before = p->at;
    const struct token *t = take_word(p);
    switch (t->kind) {
    case TOK_IDENTIFIER: return function_node(p, t->text);
    case TOK_DOT: return text_node(p, NODE_DOT, t->text);
    case TOK_NIL: return text_node(p, NODE_NIL, t->text);
    case TOK_VARIABLE: return variable_node(p, t->text);
    case TOK_FIELD: return field_node(p, t->text);
    case TOK_BOOL: return bool_node(p, t);
    case TOK_CHAR_CONSTANT:
    case TOK_NUMBER: return number_node(p, t);
    case TOK_LEFT_PAREN: return parenthesized(p);
    case TOK_STRING:
    case TOK_RAW_STRING: return text_node(p, NODE_STRING, unquoted(p, t));
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
    if (!n || look(p)->kind != TOK_FIELD) return n;
    if (!takes_fields(n->kind)) {
        quoted_fault(p, "unexpected . after term %s", p->toks.v[p->at - 1].text);
        return n;
    }
    if (n->kind == NODE_PIPE || n->kind == NODE_FUNCTION) {
        struct node *chain = node(p, NODE_CHAIN);
        chain->of = n;
        n = chain;
    }
    while (look(p)->kind == TOK_FIELD)
        add_field(p, n, take(p)->text);
    return n;
}

static struct command command(struct parser *p)
{
    struct args args = {0};
    for (bool more = true; more && !p->err;) {
        look_word(p);
        struct node *n = operand(p);
        if (n) vec_push(&args.v, n);
        if (p->err) break;
        enum token_kind kind = look(p)->kind;
        more = kind == TOK_SPACE;
        if (kind == TOK_SPACE || kind == TOK_PIPE)
            take(p);
        else if (kind != TOK_RIGHT && kind != TOK_RIGHT_PAREN)
            unexpected(p, take(p), "operand");
    }
    if (args.v.n == 0) fault(p, "empty command");
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
    take_word(p);
    if (pipe->n_decl < 2) declare(p, pipe, name);
    if (strcmp(context, "range") != 0 || pipe->n_decl >= 2) {
        fault(p, "too many declarations in %s", context);
        return false;
    }
    enum token_kind k = look_word(p)->kind;
    if (k != TOK_VARIABLE && k != TOK_RIGHT && k != TOK_RIGHT_PAREN)
        fault(p, "range can only initialize variables");
    return k == TOK_VARIABLE;
}

static void declarations(struct parser *p, struct pipe *pipe, const char *context)
{
    bool more = true;
    while (more && !p->err && look_word(p)->kind == TOK_VARIABLE) {
        size_t before = p->at;
        struct str name = take(p)->text;
        const struct token *t = look_word(p);
        more = false;
        if (t->kind == TOK_ASSIGN || t->kind == TOK_DECLARE) {
            pipe->assign = t->kind == TOK_ASSIGN;
            take_word(p);
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
    if (pipe->n == 0) fault(p, "missing value for %s", context);
    for (size_t i = 1; i < pipe->n; i++)
        if (!executable(pipe->cmds[i].args[0]))
            fault(p, "non executable command in pipeline stage %zu", i + 1);
}

static bool begins_operand(enum token_kind k)
{
    return k == TOK_BOOL || k == TOK_CHAR_CONSTANT || k == TOK_DOT || k == TOK_FIELD ||
           k == TOK_IDENTIFIER || k == TOK_NUMBER || k == TOK_NIL || k == TOK_RAW_STRING ||
           k == TOK_STRING || k == TOK_VARIABLE || k == TOK_LEFT_PAREN;
}

static struct pipe *pipeline(struct parser *p, const char *context, enum token_kind end)
{
    struct pipe *pipe = arena_new(&p->t->arena, struct pipe);
    struct {
        VEC(struct command) v;
    } cmds = {0};
    declarations(p, pipe, context);
    while (!p->err) {
        const struct token *t = look_word(p);
        if (begins_operand(t->kind)) {
            struct command c = command(p);
            vec_push(&cmds.v, c);
            continue;
        }
        take(p);
        if (t->kind != end) unexpected(p, t, context);
        break;
    }
    pipe->cmds = arena_memdup(&p->t->arena, cmds.v.v, cmds.v.n * sizeof(*cmds.v.v));
    pipe->n = cmds.v.n;
    vec_done(&cmds.v);
    check_pipe(p, pipe, context);
    return pipe;
}

/* --- statements --- */

enum stop { STOP_NONE, STOP_END, STOP_ELSE };
static struct list item_list(struct parser *p, enum stop *ret_stop);
static struct node *control(struct parser *p, enum node_kind kind, const char *context);

static struct list one(struct parser *p, struct node *n)
{
    struct list l = {arena_memdup(&p->t->arena, &n, sizeof(struct node *)), 1};
    return l;
}

/* {{else}}, {{else if ...}} and {{else with ...}}; the last two share the end of their outer one.
 */
static struct list otherwise(struct parser *p, const char *context)
{
    enum stop stop;
    enum token_kind k = look_word(p)->kind;
    if (strcmp(context, "if") == 0 && k == TOK_IF) {
        take(p);
        return one(p, control(p, NODE_IF, "if"));
    }
    if (strcmp(context, "with") == 0 && k == TOK_WITH) {
        take(p);
        return one(p, control(p, NODE_WITH, "with"));
    }
    if (k != TOK_IF && k != TOK_WITH) expect(p, TOK_RIGHT, "else");
    struct list l = item_list(p, &stop);
    if (stop == STOP_ELSE) fault(p, "expected end; found {{else}}");
    return l;
}

static struct node *control(struct parser *p, enum node_kind kind, const char *context)
{
    struct node *n = node(p, kind);
    size_t vars = p->vars.n;
    enum stop stop;
    if (++p->depth > PARSE_DEPTH) {
        fault(p, "max expression depth exceeded");
        return n;
    }
    n->pipe = pipeline(p, context, TOK_RIGHT);
    p->ranges += kind == NODE_RANGE;
    n->body = item_list(p, &stop);
    p->ranges -= kind == NODE_RANGE;
    if (stop == STOP_ELSE) n->otherwise = otherwise(p, context);
    p->vars.n = vars;
    p->depth--;
    return n;
}

static struct node *loop_control(struct parser *p, enum node_kind kind, const char *name)
{
    const struct token *t = take_word(p);
    if (t->kind != TOK_RIGHT) unexpected(p, t, name);
    if (p->ranges == 0) fault(p, "%s outside {{range}}", name);
    return node(p, kind);
}

static struct str template_name(struct parser *p, const char *context)
{
    const struct token *t = take_word(p);
    if (t->kind == TOK_STRING || t->kind == TOK_RAW_STRING) return unquoted(p, t);
    unexpected(p, t, context);
    return (struct str){0};
}

static struct node *invocation(struct parser *p)
{
    struct node *n = text_node(p, NODE_TEMPLATE, template_name(p, "template clause"));
    if (p->err) return n;
    if (look_word(p)->kind == TOK_RIGHT)
        take(p);
    else
        n->pipe = pipeline(p, "template clause", TOK_RIGHT);
    return n;
}

/* Empty ones do not replace what was defined before. */
static bool is_blank(struct list l)
{
    for (size_t i = 0; i < l.n; i++)
        if (l.v[i]->kind != NODE_TEXT || str_trim(l.v[i]->text).n > 0) return false;
    return true;
}

static void define(struct parser *p, struct str name, struct list body)
{
    struct list *old = map_get(&p->t->defined, name);
    if (p->err || (old && is_blank(body))) return;
    if (old && !is_blank(*old)) {
        quoted_fault(p, "template: multiple definition of template %s", name);
        return;
    }
    map_put(&p->t->defined, name, arena_memdup(&p->t->arena, &body, sizeof(body)));
}

/* The body of a definition: names of the outer template are not known in it. */
static void definition(struct parser *p, struct str name, const char *context)
{
    enum stop stop = STOP_NONE;
    size_t vars = p->vars.n;
    int ranges = p->ranges;
    struct str *outer = p->vars.v;
    struct parser inner = *p;
    inner.vars.v = NULL, inner.vars.n = inner.vars.cap = 0, inner.ranges = 0;
    vec_push(&inner.vars, STR("$"));
    inner.depth++;
    if (inner.depth > PARSE_DEPTH) fault(&inner, "max expression depth exceeded");
    struct list body = item_list(&inner, &stop);
    if (stop == STOP_ELSE) fault(&inner, "unexpected {{else}} in %s", context);
    vec_done(&inner.vars);
    p->at = inner.at, p->line = inner.line, p->err = inner.err;
    p->vars.v = outer, p->vars.n = vars, p->ranges = ranges;
    define(p, name, body);
}

static struct node *block(struct parser *p)
{
    struct node *n = text_node(p, NODE_TEMPLATE, template_name(p, "block clause"));
    if (p->err) return n;
    n->pipe = pipeline(p, "block clause", TOK_RIGHT);
    if (!p->err) definition(p, n->text, "block clause");
    return n;
}

static struct node *action_pipe(struct parser *p)
{
    struct node *n = node(p, NODE_ACTION);
    n->pipe = pipeline(p, "command", TOK_RIGHT);
    return n;
}

/* An {{end}} or {{else}} is told through ret_stop. */
static struct node *action(struct parser *p, enum stop *ret_stop)
{
    const struct token *t = look_word(p);
    if (t->kind > TOK_KEYWORD && t->kind != TOK_DOT && t->kind != TOK_NIL && t->kind != TOK_DEFINE)
        take(p);
    switch (t->kind) {
    case TOK_BLOCK: return block(p);
    case TOK_BREAK: return loop_control(p, NODE_BREAK, "{{break}}");
    case TOK_CONTINUE: return loop_control(p, NODE_CONTINUE, "{{continue}}");
    case TOK_IF: return control(p, NODE_IF, "if");
    case TOK_WITH: return control(p, NODE_WITH, "with");
    case TOK_RANGE: return control(p, NODE_RANGE, "range");
    case TOK_TEMPLATE: return invocation(p);
    case TOK_ELSE: *ret_stop = STOP_ELSE; return NULL;
    case TOK_END:
        expect(p, TOK_RIGHT, "end");
        *ret_stop = STOP_END;
        return NULL;
    default: return action_pipe(p);
    }
}

static struct node *text_or_action(struct parser *p, enum stop *ret_stop)
{
    const struct token *t = take_word(p);
    if (t->kind == TOK_TEXT) return text_node(p, NODE_TEXT, t->text);
    if (t->kind != TOK_LEFT) {
        unexpected(p, t, "input");
        return NULL;
    }
    p->action_line = p->line;
    struct node *n = action(p, ret_stop);
    p->action_line = 0;
    return n;
}

static struct list take_list(struct parser *p, struct args *a)
{
    struct list l = {arena_memdup(&p->t->arena, a->v.v, a->v.n * sizeof(*a->v.v)), a->v.n};
    vec_done(&a->v);
    return l;
}

/* Up to {{end}} or {{else}}. */
static struct list item_list(struct parser *p, enum stop *ret_stop)
{
    struct args items = {0};
    *ret_stop = STOP_NONE;
    while (!p->err && *ret_stop == STOP_NONE) {
        if (look_word(p)->kind == TOK_EOF) {
            p->line = look(p)->line;
            fault(p, "unexpected EOF");
            break;
        }
        struct node *n = text_or_action(p, ret_stop);
        if (n) vec_push(&items.v, n);
    }
    return take_list(p, &items);
}

static bool at_definition(struct parser *p)
{
    if (look(p)->kind != TOK_LEFT) return false;
    size_t i = p->at + 1;
    while (i < p->toks.n && p->toks.v[i].kind == TOK_SPACE)
        i++;
    return i < p->toks.n && p->toks.v[i].kind == TOK_DEFINE;
}

static void top_definition(struct parser *p)
{
    take(p);
    take_word(p);
    struct str name = template_name(p, "define clause");
    if (!p->err) expect(p, TOK_RIGHT, "define clause");
    if (!p->err) definition(p, name, "define clause");
}

static void top(struct parser *p)
{
    struct args items = {0};
    while (!p->err && look(p)->kind != TOK_EOF) {
        enum stop stop = STOP_NONE;
        if (at_definition(p)) {
            top_definition(p);
            continue;
        }
        struct node *n = text_or_action(p, &stop);
        if (stop == STOP_ELSE) expect(p, TOK_RIGHT, "else");
        if (stop != STOP_NONE) fault(p, "unexpected {{%s}}", stop == STOP_END ? "end" : "else");
        if (n) vec_push(&items.v, n);
    }
    p->t->main = take_list(p, &items);
}

int parse(struct template *t, struct str text, char **ret_err)
{
    struct parser p = {.t = t, .line = 1};
    t->text = arena_str(&t->arena, text);
    p.toks = lex(t->text, &t->arena);
    vec_push(&p.vars, STR("$"));
    top(&p);
    vec_done(&p.vars);
    *ret_err = p.err;
    return p.err ? -EINVAL : 0;
}
