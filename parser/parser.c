/* The parser: one function per rule of the grammar, one token ahead. It never stops at a fault:
 * each rule reports what it missed and goes on with what is there, or skips to a place where its
 * caller can go on. Faults of the parser are reported once per line, since what follows the first
 * on a line is mostly its echo; the three that carry a range stand outside. Nodes go into the
 * tree's arena. Nesting is bounded (PARSE_DEPTH_MAX), so neither this recursion nor a later walk
 * over the tree can run out of stack. */
#include "parser/parser.h"
#include "parser/lexer.h"
#include "parser/literals.h"
#include "parser/printer.h"

struct parser {
    struct lexer lx;
    struct diags *diags;
    struct tree *tree;
    struct lexeme tok;   /* the token under the cursor, never a comment */
    struct pos prev_end; /* of the token before it */
    u32 error_line;      /* of the last fault; 0: none yet */
    u32 depth;           /* levels open above the cursor */
    bool stopped;        /* the rest is not read */
    VEC(struct comment) comments;
};

/* --- tokens --- */

static struct span span_of(const struct parser *p, struct pos start, struct pos end)
{
    return (struct span){.file = p->tree->source, .start = start, .end = end};
}

static struct span tok_span(const struct parser *p)
{
    return span_of(p, p->tok.start, p->tok.end);
}

/* From start to the last token read. */
static struct span span_from(const struct parser *p, struct pos start)
{
    return span_of(p, start, p->prev_end);
}

static struct str without_returns(struct arena *a, struct str s)
{
    if (str_chr(s, '\r') < 0) return s;
    char *out = arena_alloc(a, s.n + 1);
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] != '\r') out[n++] = s.p[i];
    return str_n(out, n);
}

static void keep_comment(struct parser *p)
{
    struct str text = without_returns(&p->tree->arena, p->tok.text);
    vec_push(&p->comments, ((struct comment){.text = text, .span = tok_span(p)}));
}

/* A last fault, after which the rest of the text is not read: the cursor stands at its end for
 * ever. */
static void stop(struct parser *p, enum diag_code code, struct pos at, const char *why)
{
    if (p->stopped) return;
    diag_error(p->diags, code, (struct span){.file = p->tree->source, .start = at}, "%s", why);
    p->stopped = true;
    p->tok.tok = TOK_EOF;
}

static void next(struct parser *p)
{
    if (p->stopped) return;
    p->prev_end = p->tok.end;
    while ((p->tok = lex_next(&p->lx)).tok == TOK_COMMENT)
        keep_comment(p);
    if (lex_full(&p->lx))
        stop(p, DIAG_PARSE_FAULTS, p->tok.start,
             "too many faults, the rest of the text is not looked at");
}

static bool at(const struct parser *p, enum token t)
{
    return p->tok.tok == t;
}

/* Inside a list that ends with `until`, or with the text. */
static bool inside(const struct parser *p, enum token until)
{
    return !at(p, until) && !at(p, TOK_EOF);
}

/* True for the first fault of a line. */
static bool may_report(struct parser *p)
{
    if (p->stopped || p->error_line == p->tok.start.line) return false;
    p->error_line = p->tok.start.line;
    return true;
}

static struct span fault_span(const struct parser *p)
{
    return (struct span){.file = p->tree->source, .start = p->tok.start};
}

/* "expected WHAT, got TOKEN" at the cursor. */
static struct diag *expected(struct parser *p, enum diag_code code, const char *what)
{
    if (!may_report(p)) return NULL;
    return diag_error(p->diags, code, fault_span(p), "expected %s, got %s", what,
                      token_name(p->tok.tok));
}

static void missing_comma(struct parser *p, const char *list)
{
    if (!may_report(p)) return;
    struct diag *d =
        diag_error(p->diags, DIAG_PARSE_COMMA, fault_span(p), "missing ',' in %s", list);
    if (at(p, TOK_TERMINATOR))
        diag_hint(p->diags, d,
                  "an element that ends its line is followed by a comma, the last one too");
}

/* Takes t, or reports its absence and takes what is there instead. True when it was there. */
static bool expect(struct parser *p, enum token t)
{
    bool there = at(p, t);
    if (!there) expected(p, DIAG_PARSE_TOKEN, token_name(t));
    next(p);
    return there;
}

/* --- recovery --- */

static void skip_to(struct parser *p, u64 set)
{
    while (!at(p, TOK_EOF) && !(TOK_BIT(p->tok.tok) & set))
        next(p);
}

/* Goes on to the terminator that ends this statement; brackets opened on the way close first. */
static void skip_statement(struct parser *p)
{
    int curly = 0, paren = 0, brack = 0;
    for (; !at(p, TOK_EOF); next(p)) {
        curly += at(p, TOK_LCURLY) - at(p, TOK_RCURLY);
        paren += at(p, TOK_LPAREN) - at(p, TOK_RPAREN);
        brack += at(p, TOK_LBRACK) - at(p, TOK_RBRACK);
        if (at(p, TOK_TERMINATOR) && curly <= 0 && paren <= 0 && brack <= 0) return;
    }
}

/* --- depth --- */

#define NUMBER_TEXT_(n) #n
#define NUMBER_TEXT(n)  NUMBER_TEXT_(n)

static void too_deep(struct parser *p, struct pos at)
{
    stop(p, DIAG_PARSE_DEPTH, at, "nested more than " NUMBER_TEXT(PARSE_DEPTH_MAX) " levels deep");
}

/* One level down; false when that is too deep. Pair with leave() in either case. */
static bool enter(struct parser *p)
{
    if (++p->depth <= PARSE_DEPTH_MAX) return true;
    too_deep(p, p->tok.start);
    return false;
}

static void leave(struct parser *p)
{
    p->depth--;
}

/* A node that stands above one of the given height: chains such as a.b.c are built upwards, without
 * descending. */
static void raise(struct parser *p, struct expr *e, const struct expr *below)
{
    e->height = MAX(e->height, below->height + 1);
    if (p->depth + e->height > PARSE_DEPTH_MAX) too_deep(p, e->span.start);
}

/* --- expressions --- */

static struct expr *parse_expression(struct parser *p);
static struct body parse_body(struct parser *p, enum token until);

static struct expr *new_expr(struct parser *p, enum expr_kind kind, struct pos start)
{
    struct expr *e = arena_new(&p->tree->arena, struct expr);
    e->kind = kind;
    e->height = 1;
    e->span = span_of(p, start, start);
    return e;
}

static void *keep_list(struct parser *p, const void *v, size_t n, size_t size)
{
    return n ? arena_memdup(&p->tree->arena, v, n * size) : NULL;
}

/* Stands for an expression that is not there; a tree with one is never handed out. */
static struct expr *missing_expr(struct parser *p)
{
    expected(p, DIAG_PARSE_EXPRESSION, "expression");
    struct expr *e = new_expr(p, EXPR_NULL, p->tok.start);
    skip_to(p, TOK_BIT(TOK_TERMINATOR) | TOK_BIT(TOK_RPAREN) | TOK_BIT(TOK_RCURLY) |
                   TOK_BIT(TOK_RBRACK) | TOK_BIT(TOK_COMMA));
    return e;
}

static struct expr *parse_literal(struct parser *p, enum expr_kind kind)
{
    struct expr *e = new_expr(p, kind, p->tok.start);
    e->span.end = p->tok.end;
    e->raw = p->tok.text;
    if (kind == EXPR_BOOL) e->b = str_is(e->raw, "true");
    if (kind == EXPR_IDENT) e->s = e->raw;
    if (kind == EXPR_STRING) e->s = literal_unquote(&p->tree->arena, e->raw);
    next(p);
    return e;
}

static struct expr *parse_paren(struct parser *p)
{
    struct expr *e = new_expr(p, EXPR_PAREN, p->tok.start);
    next(p);
    e->paren = parse_expression(p);
    expect(p, TOK_RPAREN);
    e->span = span_from(p, e->span.start);
    raise(p, e, e->paren);
    return e;
}

/* Elements up to `until`, which stays under the cursor. */
static struct expr **parse_list(struct parser *p, enum token until, struct expr *owner,
                                size_t *ret_n)
{
    VEC(struct expr *) list = {0};
    while (inside(p, until)) {
        struct expr *item = parse_expression(p);
        vec_push(&list, item);
        raise(p, owner, item);
        if (at(p, until)) break;
        if (!at(p, TOK_COMMA)) missing_comma(p, "expression list");
        next(p);
    }
    struct expr **kept = keep_list(p, list.v, list.n, sizeof(*list.v));
    *ret_n = list.n;
    vec_done(&list);
    return kept;
}

static struct expr *parse_array(struct parser *p)
{
    struct expr *e = new_expr(p, EXPR_ARRAY, p->tok.start);
    next(p);
    e->array.items = parse_list(p, TOK_RBRACK, e, &e->array.n);
    e->array.close = tok_span(p);
    expect(p, TOK_RBRACK);
    e->span = span_from(p, e->span.start);
    return e;
}

static struct field parse_field(struct parser *p)
{
    struct field f = {.key = p->tok.text,
                      .raw = p->tok.text,
                      .key_span = tok_span(p),
                      .quoted = at(p, TOK_STRING)};
    if (at(p, TOK_IDENT) || at(p, TOK_STRING)) {
        if (f.quoted) f.key = literal_field_key(f.raw);
        next(p);
    } else {
        expected(p, DIAG_PARSE_FIELD, "field name (string or identifier)");
        skip_to(p, TOK_BIT(TOK_ASSIGN));
    }
    if (!at(p, TOK_ASSIGN)) {
        struct diag *d = expected(p, DIAG_PARSE_FIELD, "=");
        if (d && str_is(p->tok.text, ":"))
            diag_hint(p->diags, d, "fields are written NAME = VALUE");
    }
    next(p);
    f.value = parse_expression(p);
    return f;
}

static struct field *parse_fields(struct parser *p, struct expr *owner, size_t *ret_n)
{
    VEC(struct field) list = {0};
    while (inside(p, TOK_RCURLY)) {
        struct field f = parse_field(p);
        vec_push(&list, f);
        raise(p, owner, f.value);
        if (at(p, TOK_RCURLY)) break;
        if (!at(p, TOK_COMMA)) missing_comma(p, "field list");
        next(p);
    }
    struct field *kept = keep_list(p, list.v, list.n, sizeof(*list.v));
    *ret_n = list.n;
    vec_done(&list);
    return kept;
}

static struct expr *parse_object(struct parser *p)
{
    struct expr *e = new_expr(p, EXPR_OBJECT, p->tok.start);
    next(p);
    /* Behind `{` a `]` is taken for a wrong closer, not for a bad field. */
    if (!at(p, TOK_RBRACK)) e->object.fields = parse_fields(p, e, &e->object.n);
    e->object.close = tok_span(p);
    expect(p, TOK_RCURLY);
    e->span = span_from(p, e->span.start);
    return e;
}

static struct expr *parse_primary(struct parser *p)
{
    switch (p->tok.tok) {
    case TOK_IDENT: return parse_literal(p, EXPR_IDENT);
    case TOK_STRING: return parse_literal(p, EXPR_STRING);
    case TOK_NUMBER: return parse_literal(p, EXPR_NUMBER);
    case TOK_FLOAT: return parse_literal(p, EXPR_FLOAT);
    case TOK_BOOL: return parse_literal(p, EXPR_BOOL);
    case TOK_NULL: return parse_literal(p, EXPR_NULL);
    case TOK_LPAREN: return parse_paren(p);
    case TOK_LBRACK: return parse_array(p);
    case TOK_LCURLY: return parse_object(p);
    default: return missing_expr(p);
    }
}

static struct expr *parse_access(struct parser *p, struct expr *of)
{
    struct expr *e = new_expr(p, EXPR_ACCESS, of->span.start);
    next(p);
    e->access.of = of;
    e->access.name = p->tok.text;
    e->access.name_span = tok_span(p);
    expect(p, TOK_IDENT);
    return e;
}

static struct expr *parse_index(struct parser *p, struct expr *of)
{
    struct expr *e = new_expr(p, EXPR_INDEX, of->span.start);
    e->index.open = tok_span(p);
    next(p);
    e->index.of = of;
    e->index.index = parse_expression(p);
    e->index.close = tok_span(p);
    expect(p, TOK_RBRACK);
    raise(p, e, e->index.index);
    return e;
}

static struct expr *parse_call(struct parser *p, struct expr *fn)
{
    struct expr *e = new_expr(p, EXPR_CALL, fn->span.start);
    e->call.open = tok_span(p);
    next(p);
    e->call.fn = fn;
    e->call.args = parse_list(p, TOK_RPAREN, e, &e->call.n);
    e->call.close = tok_span(p);
    expect(p, TOK_RPAREN);
    return e;
}

/* `a = b "c" { ... }`: someone assigns a block. It is read to its end, to say so about the whole of
 * it. */
static void refuse_block(struct parser *p, const struct expr *head)
{
    if (at(p, TOK_STRING)) next(p);
    bool whole = expect(p, TOK_LCURLY);
    if (whole) {
        if (enter(p)) parse_body(p, TOK_RCURLY);
        leave(p);
        whole = expect(p, TOK_RCURLY);
    }
    if (p->stopped) return;
    if (!whole) {
        skip_statement(p);
        return;
    }
    struct diag *d = diag_error(p->diags, DIAG_PARSE_BLOCK_VALUE, span_from(p, head->span.start),
                                "cannot use a block as an expression");
    diag_hint(p->diags, d, "write the block without `=`, or an object: NAME = {key = value}");
}

static struct expr *parse_operand(struct parser *p)
{
    struct expr *e = parse_primary(p);
    for (;;) {
        struct expr *of = e;
        switch (p->tok.tok) {
        case TOK_DOT: e = parse_access(p, of); break;
        case TOK_LBRACK: e = parse_index(p, of); break;
        case TOK_LPAREN: e = parse_call(p, of); break;
        case TOK_STRING:
        case TOK_LCURLY: refuse_block(p, e); return e;
        default: return e;
        }
        e->span = span_from(p, e->span.start);
        raise(p, e, of);
    }
}

static struct expr *parse_unary(struct parser *p)
{
    if (!at(p, TOK_NOT) && !at(p, TOK_SUB)) return parse_operand(p);
    struct expr *e = new_expr(p, EXPR_UNARY, p->tok.start);
    e->unary.op = at(p, TOK_NOT) ? OP_NOT : OP_NEG;
    e->unary.op_span = tok_span(p);
    next(p);
    e->unary.of = enter(p) ? parse_unary(p) : missing_expr(p);
    leave(p);
    e->span = span_from(p, e->span.start);
    raise(p, e, e->unary.of);
    return e;
}

/* The order of the binary operators is the same in both enums. */
static enum op op_of(enum token t)
{
    return (enum op)(t - TOK_OR + OP_OR);
}

/* Operators that bind at least as tightly as prec. */
static struct expr *parse_binary(struct parser *p, int prec)
{
    struct expr *l = parse_unary(p);
    for (;;) {
        enum token t = p->tok.tok;
        int mine = token_precedence(t);
        if (mine == 0 || mine < prec) return l;
        struct expr *e = new_expr(p, EXPR_BINARY, l->span.start);
        e->binary.op = op_of(t);
        e->binary.op_span = tok_span(p);
        e->binary.l = l;
        next(p);
        bool ok = enter(p);
        e->binary.r = ok ? parse_binary(p, t == TOK_POW ? mine : mine + 1) : missing_expr(p);
        leave(p);
        e->span = span_from(p, e->span.start);
        raise(p, e, e->binary.l);
        raise(p, e, e->binary.r);
        l = e;
    }
}

static struct expr *parse_expression(struct parser *p)
{
    struct expr *e = enter(p) ? parse_binary(p, 1) : missing_expr(p);
    leave(p);
    return e;
}

/* --- statements --- */

/* What stands before `=` or `{`. */
struct head {
    VEC(struct str) parts;
    VEC(struct span) part_spans;
    struct str label;
    struct span name_span, label_span;
    bool has_string; /* a label was written, an empty one too */
};

static void add_part(struct parser *p, struct head *h, struct str part)
{
    vec_push(&h->parts, part);
    vec_push(&h->part_spans, tok_span(p));
    next(p);
}

static void parse_name(struct parser *p, struct head *h)
{
    h->name_span = tok_span(p);
    add_part(p, h, p->tok.text);
    while (at(p, TOK_DOT)) {
        next(p);
        if (!at(p, TOK_IDENT)) expected(p, DIAG_PARSE_STATEMENT, "identifier");
        add_part(p, h, at(p, TOK_IDENT) ? p->tok.text : STR(""));
    }
    h->name_span.end = p->prev_end;
}

static void bad_label(struct parser *p, const char *wanted, struct str got)
{
    if (!may_report(p)) return;
    struct buf b = BUF_INIT(4096);
    print_quoted(got, &b);
    diag_error(p->diags, DIAG_PARSE_LABEL, fault_span(p),
               "expected block label to be a %s, but got %s", wanted,
               buf_err(&b) ? "a very long text" : b.p);
    buf_done(&b);
}

static void parse_label(struct parser *p, struct head *h)
{
    struct str raw = p->tok.text;
    h->has_string = true;
    h->label_span = tok_span(p);
    h->label = raw.n > 2 ? str_sub(raw, 1, raw.n - 1) : (struct str){0};
    if (raw.p[0] != '"')
        bad_label(p, "double quoted string", raw);
    else if (h->label.n > 0 && !lex_is_identifier(h->label))
        bad_label(p, "valid identifier", h->label);
    next(p);
}

/* Up to `=` or `{`. False when no name stands here. */
static bool parse_head(struct parser *p, struct head *h)
{
    if (!at(p, TOK_IDENT)) {
        expected(p, DIAG_PARSE_STATEMENT, "identifier");
        return false;
    }
    parse_name(p, h);
    if (at(p, TOK_ASSIGN) || at(p, TOK_LCURLY)) return true;
    if (at(p, TOK_STRING)) {
        parse_label(p, h);
        return true;
    }
    expected(p, DIAG_PARSE_LABEL, "block label");
    next(p);
    return true;
}

/* The bytes of the name without any blanks inside, as a range on its first line. */
static struct span dotted_span(const struct parser *p, const struct head *h)
{
    u32 n = (u32)h->parts.n - 1;
    for (size_t i = 0; i < h->parts.n; i++)
        n += (u32)h->parts.v[i].n;
    struct pos start = h->name_span.start;
    return span_of(p, start, (struct pos){start.line, start.col + n - 1});
}

static struct attr *parse_attribute(struct parser *p, const struct head *h)
{
    next(p);
    if (h->parts.n > 1)
        diag_error(p->diags, DIAG_PARSE_ATTRIBUTE, dotted_span(p, h),
                   "attribute names may only consist of a single identifier with no \".\"");
    else if (h->has_string)
        diag_error(p->diags, DIAG_PARSE_ATTRIBUTE, h->label_span,
                   "attribute names may not have labels");
    struct attr *a = arena_new(&p->tree->arena, struct attr);
    a->name = h->parts.v[0];
    a->name_span = h->name_span;
    a->value = parse_expression(p);
    return a;
}

static struct str join_name(struct parser *p, const struct head *h)
{
    if (h->parts.n == 1) return h->parts.v[0];
    size_t n = h->parts.n - 1;
    for (size_t i = 0; i < h->parts.n; i++)
        n += h->parts.v[i].n;
    char *name = arena_alloc(&p->tree->arena, n + 1), *end = name;
    for (size_t i = 0; i < h->parts.n; i++) {
        if (i > 0) *end++ = '.';
        end = mempcpy(end, h->parts.v[i].p, h->parts.v[i].n);
    }
    return str_n(name, n);
}

static struct block *parse_block(struct parser *p, const struct head *h)
{
    struct block *b = arena_new(&p->tree->arena, struct block);
    b->name = join_name(p, h);
    b->parts = keep_list(p, h->parts.v, h->parts.n, sizeof(*h->parts.v));
    b->part_spans = keep_list(p, h->part_spans.v, h->part_spans.n, sizeof(*h->part_spans.v));
    b->n_parts = h->parts.n;
    b->label = h->label;
    b->has_label = h->label.n > 0;
    b->name_span = h->name_span;
    b->label_span = h->label_span;
    b->header_span = span_of(p, h->name_span.start, p->tok.end);
    struct span open = tok_span(p);
    expect(p, TOK_LCURLY);
    b->body = enter(p) ? parse_body(p, TOK_RCURLY) : (struct body){0};
    leave(p);
    b->body.span = span_of(p, open.start, p->tok.end);
    if (at(p, TOK_RCURLY)) {
        const char *start = h->parts.v[0].p;
        b->text = str_n(start, (size_t)(p->tok.text.p + p->tok.text.n - start));
    }
    expect(p, TOK_RCURLY);
    b->span = span_from(p, h->name_span.start);
    return b;
}

/* False when there is none to keep. */
static bool parse_rest(struct parser *p, const struct head *h, struct stmt *ret)
{
    if (at(p, TOK_ASSIGN)) {
        *ret = (struct stmt){.kind = STMT_ATTR, .attr = parse_attribute(p, h)};
    } else if (at(p, TOK_LCURLY)) {
        *ret = (struct stmt){.kind = STMT_BLOCK, .block = parse_block(p, h)};
    } else {
        bool either = h->parts.n == 1 && h->label.n == 0;
        expected(p, DIAG_PARSE_STATEMENT,
                 either ? "attribute assignment or block body" : "block body");
        skip_to(p, TOK_BIT(TOK_IDENT));
        return false;
    }
    ret->span = span_from(p, h->name_span.start);
    return true;
}

static bool parse_statement(struct parser *p, struct stmt *ret)
{
    struct head h = {0};
    bool ok = parse_head(p, &h);
    if (ok)
        ok = parse_rest(p, &h, ret);
    else
        skip_to(p, TOK_BIT(TOK_IDENT));
    vec_done(&h.parts);
    vec_done(&h.part_spans);
    return ok;
}

/* Statements up to `until`, which stays under the cursor. */
static struct body parse_body(struct parser *p, enum token until)
{
    VEC(struct stmt) list = {0};
    while (inside(p, until)) {
        struct stmt s;
        if (parse_statement(p, &s)) vec_push(&list, s);
        if (at(p, until)) break;
        if (!at(p, TOK_TERMINATOR)) {
            expected(p, DIAG_PARSE_TOKEN, token_name(TOK_TERMINATOR));
            skip_statement(p);
        }
        next(p);
    }
    struct body b = {.stmts = keep_list(p, list.v, list.n, sizeof(*list.v)), .n = list.n};
    vec_done(&list);
    return b;
}

/* --- entry points --- */

static struct tree *tree_new(struct source *src)
{
    struct tree *t = xnew(struct tree);
    arena_init(&t->arena, 4096);
    t->source = source_ref(src);
    return t;
}

void tree_free(struct tree *t)
{
    if (!t) return;
    arena_done(&t->arena);
    source_unref(t->source);
    free(t);
}

/* Faults of this text are counted apart from those the caller had before. */
static void parser_init(struct parser *p, struct source *src, struct diags *diags)
{
    *p = (struct parser){.diags = diags, .tree = tree_new(src)};
    lex_init(&p->lx, src, diags);
    next(p);
}

/* The tree, or NULL when this text has faults. */
static struct tree *parser_done(struct parser *p, size_t errors_before)
{
    struct tree *t = p->tree;
    t->comments = keep_list(p, p->comments.v, p->comments.n, sizeof(*p->comments.v));
    t->n_comments = p->comments.n;
    vec_done(&p->comments);
    if (p->diags->n_errors == errors_before) return t;
    tree_free(t);
    return NULL;
}

struct tree *parse_file(struct source *src, struct diags *diags)
{
    size_t before = diags->n_errors;
    struct parser p;
    parser_init(&p, src, diags);
    p.tree->body = parse_body(&p, TOK_EOF);
    p.tree->body.span = span_of(&p, (struct pos){1, 1}, p.tok.end);
    return parser_done(&p, before);
}

struct tree *parse_expr(struct source *src, struct diags *diags, struct expr **ret)
{
    size_t before = diags->n_errors;
    struct parser p;
    parser_init(&p, src, diags);
    struct expr *e = parse_expression(&p);
    if (at(&p, TOK_TERMINATOR))
        next(&p);
    else
        expected(&p, DIAG_PARSE_TOKEN, token_name(TOK_TERMINATOR));
    if (!at(&p, TOK_EOF)) expected(&p, DIAG_PARSE_TOKEN, token_name(TOK_EOF));
    struct tree *t = parser_done(&p, before);
    if (t) *ret = e;
    return t;
}
