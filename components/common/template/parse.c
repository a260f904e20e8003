/* Tokens to the tree: texts, actions, and the statements that hold others. */
#include "components/common/template/parse.h"

#include <errno.h>

struct args {
    VEC(struct node *) v;
};

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
    enum token_kind k = parse_look_word(p)->kind;
    if (strcmp(context, "if") == 0 && k == TOK_IF) {
        parse_take(p);
        return one(p, control(p, NODE_IF, "if"));
    }
    if (strcmp(context, "with") == 0 && k == TOK_WITH) {
        parse_take(p);
        return one(p, control(p, NODE_WITH, "with"));
    }
    if (k != TOK_IF && k != TOK_WITH) parse_expect(p, TOK_RIGHT, "else");
    struct list l = item_list(p, &stop);
    if (stop == STOP_ELSE) parse_fault(p, "expected end; found {{else}}");
    return l;
}

static struct node *control(struct parser *p, enum node_kind kind, const char *context)
{
    struct node *n = parse_node(p, kind);
    size_t vars = p->vars.n;
    enum stop stop;
    if (++p->depth > PARSE_DEPTH) {
        parse_fault(p, "max expression depth exceeded");
        return n;
    }
    n->pipe = parse_pipeline(p, context, TOK_RIGHT);
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
    const struct token *t = parse_take_word(p);
    if (t->kind != TOK_RIGHT) parse_unexpected(p, t, name);
    if (p->ranges == 0) parse_fault(p, "%s outside {{range}}", name);
    return parse_node(p, kind);
}

static struct str template_name(struct parser *p, const char *context)
{
    const struct token *t = parse_take_word(p);
    if (t->kind == TOK_STRING || t->kind == TOK_RAW_STRING) return parse_unquoted(p, t);
    parse_unexpected(p, t, context);
    return (struct str){0};
}

static struct node *invocation(struct parser *p)
{
    struct node *n = parse_text_node(p, NODE_TEMPLATE, template_name(p, "template clause"));
    if (p->err) return n;
    if (parse_look_word(p)->kind == TOK_RIGHT)
        parse_take(p);
    else
        n->pipe = parse_pipeline(p, "template clause", TOK_RIGHT);
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
        parse_quoted_fault(p, "template: multiple definition of template %s", name);
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
    if (inner.depth > PARSE_DEPTH) parse_fault(&inner, "max expression depth exceeded");
    struct list body = item_list(&inner, &stop);
    if (stop == STOP_ELSE) parse_fault(&inner, "unexpected {{else}} in %s", context);
    vec_done(&inner.vars);
    p->at = inner.at, p->line = inner.line, p->err = inner.err;
    p->vars.v = outer, p->vars.n = vars, p->ranges = ranges;
    define(p, name, body);
}

static struct node *block(struct parser *p)
{
    struct node *n = parse_text_node(p, NODE_TEMPLATE, template_name(p, "block clause"));
    if (p->err) return n;
    n->pipe = parse_pipeline(p, "block clause", TOK_RIGHT);
    if (!p->err) definition(p, n->text, "block clause");
    return n;
}

static struct node *action_pipe(struct parser *p)
{
    struct node *n = parse_node(p, NODE_ACTION);
    n->pipe = parse_pipeline(p, "command", TOK_RIGHT);
    return n;
}

/* An {{end}} or {{else}} is told through ret_stop. */
static struct node *action(struct parser *p, enum stop *ret_stop)
{
    const struct token *t = parse_look_word(p);
    if (t->kind > TOK_KEYWORD && t->kind != TOK_DOT && t->kind != TOK_NIL && t->kind != TOK_DEFINE)
        parse_take(p);
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
        parse_expect(p, TOK_RIGHT, "end");
        *ret_stop = STOP_END;
        return NULL;
    default: return action_pipe(p);
    }
}

static struct node *text_or_action(struct parser *p, enum stop *ret_stop)
{
    const struct token *t = parse_take_word(p);
    if (t->kind == TOK_TEXT) return parse_text_node(p, NODE_TEXT, t->text);
    if (t->kind != TOK_LEFT) {
        parse_unexpected(p, t, "input");
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
        if (parse_look_word(p)->kind == TOK_EOF) {
            p->line = parse_look(p)->line;
            parse_fault(p, "unexpected EOF");
            break;
        }
        struct node *n = text_or_action(p, ret_stop);
        if (n) vec_push(&items.v, n);
    }
    return take_list(p, &items);
}

static bool at_definition(struct parser *p)
{
    if (parse_look(p)->kind != TOK_LEFT) return false;
    size_t i = p->at + 1;
    while (i < p->toks.n && p->toks.v[i].kind == TOK_SPACE)
        i++;
    return i < p->toks.n && p->toks.v[i].kind == TOK_DEFINE;
}

static void top_definition(struct parser *p)
{
    parse_take(p);
    parse_take_word(p);
    struct str name = template_name(p, "define clause");
    if (!p->err) parse_expect(p, TOK_RIGHT, "define clause");
    if (!p->err) definition(p, name, "define clause");
}

static void top(struct parser *p)
{
    struct args items = {0};
    while (!p->err && parse_look(p)->kind != TOK_EOF) {
        enum stop stop = STOP_NONE;
        if (at_definition(p)) {
            top_definition(p);
            continue;
        }
        struct node *n = text_or_action(p, &stop);
        if (stop == STOP_ELSE) parse_expect(p, TOK_RIGHT, "else");
        if (stop != STOP_NONE)
            parse_fault(p, "unexpected {{%s}}", stop == STOP_END ? "end" : "else");
        if (n) vec_push(&items.v, n);
    }
    p->t->main = take_list(p, &items);
}

int parse(struct template *t, const char *name, struct str text, char **ret_err)
{
    struct parser p = {.t = t, .name = name, .line = 1};
    t->text = arena_str(&t->arena, text);
    p.toks = lex(t->text, &t->arena);
    vec_push(&p.vars, STR("$"));
    top(&p);
    vec_done(&p.vars);
    *ret_err = p.err;
    return p.err ? -EINVAL : 0;
}
