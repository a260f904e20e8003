/* The tree back to text in canonical form. This walk knows the form of each node; white space is
 * put to wait and is written together with the comments when the next token comes
 * (printer_comments.c), columns are aligned at the end (layout.c). Recursion is bounded by the
 * parser's PARSE_DEPTH_MAX. */
#include "parser/printer.h"
#include "parser/printer_impl.h"
#include "base/utf8.h"

/* --- tokens and white space --- */

static void wait(struct printer *p, enum space s)
{
    vec_push(&p->waiting, s);
}

void printer_space(struct printer *p, enum space s)
{
    switch (s) {
    case SP_BLANK: layout_blank(&p->out); break;
    case SP_CELL: layout_cell(&p->out, CELL_SOFT); break;
    case SP_NEWLINE:
    case SP_BREAK:
        layout_break(&p->out, s == SP_BREAK);
        p->line_empty = true;
        break;
    case SP_INDENT: p->indent++; break;
    case SP_UNINDENT: p->indent--; break;
    }
}

void printer_text(struct printer *p, struct str s)
{
    if (p->line_empty) layout_indent(&p->out, p->indent);
    p->line_empty = false;
    layout_text(&p->out, s);
}

static struct pos behind(struct pos end)
{
    return (struct pos){end.line, end.col + 1};
}

/* A token whose place in the source is known. */
static void put(struct printer *p, struct str s, struct span at)
{
    printer_flush(p, at.start);
    printer_text(p, s);
    p->last = behind(at.end);
}

static void put_in_quotes(struct printer *p, struct str s, struct span at)
{
    printer_flush(p, at.start);
    printer_text(p, STR("\""));
    printer_text(p, s);
    printer_text(p, STR("\""));
    p->last = behind(at.end);
}

/* A bracket. */
static void put_at(struct printer *p, struct str s, struct pos at)
{
    put(p, s, (struct span){.start = at, .end = at});
}

/* One that is taken to stand right behind the token before it: comments between the two come out
 * behind it. */
static void put_behind(struct printer *p, struct str s)
{
    printer_write_waiting(p);
    printer_text(p, s);
    p->last.col += (u32)s.n;
}

/* A name behind a dot, or the ( that opens an expression: as put_behind, unless it stands on a
 * later line. Comments in between must then stay there: behind the token the newlines around them
 * would end the statement. */
static void put_next(struct printer *p, struct str s, struct span at)
{
    if (at.start.line > p->last.line) printer_flush(p, at.start);
    put_behind(p, s);
    p->last = behind(at.end);
}

/* --- expressions --- */

static void print_expression(struct printer *p, const struct expr *e);

/* Lists are broken where the source breaks them; a message is one line. */
static bool on_new_line(const struct printer *p, struct pos before, struct pos start)
{
    return !p->single_line && before.line != start.line;
}

/* What waits for an element on a new line. Comments in front of it come before the break: those in
 * arrays are indented like the element, those in calls are not. */
static const enum space array_down[] = {SP_INDENT, SP_BREAK}, call_down[] = {SP_BREAK, SP_INDENT};

static void print_item(struct printer *p, const struct expr *item, bool comma)
{
    print_expression(p, item);
    if (comma) put_behind(p, STR(","));
}

/* The elements of an array or a call. Every element on a new line is indented by itself; the last
 * one has its comma when the bracket stands on a line below. */
static void print_items(struct printer *p, struct expr *const *items, size_t n, struct pos open,
                        struct pos close, const enum space down[2])
{
    struct pos end = open;
    for (size_t i = 0; i < n; i++) {
        bool below = on_new_line(p, end, items[i]->span.start);
        end = items[i]->span.end;
        if (below) {
            wait(p, down[0]);
            wait(p, down[1]);
        } else if (i > 0) {
            wait(p, SP_BLANK);
        }
        print_item(p, items[i], i + 1 < n || on_new_line(p, end, close));
        if (below) wait(p, SP_UNINDENT);
    }
}

static void print_array(struct printer *p, const struct expr *e)
{
    size_t n = e->array.n;
    struct pos close = e->array.close.start;
    put_at(p, STR("["), e->span.start);
    print_items(p, e->array.items, n, e->span.start, close, array_down);
    if (n > 0 && on_new_line(p, e->array.items[n - 1]->span.end, close)) {
        wait(p, SP_INDENT); /* comments in front of the bracket are indented like elements */
        wait(p, SP_BREAK);
        wait(p, SP_UNINDENT);
    }
    put(p, STR("]"), e->array.close);
}

/* Keys are not unescaped: `...` can become "..." unless that would change what they hold. */
static bool requote(const struct field *f)
{
    bool raw = f->raw.n > 2 && f->raw.p[0] == '`';
    return raw && str_chr(f->key, '"') < 0 && str_chr(f->key, '\\') < 0 &&
           str_chr(f->key, '\n') < 0;
}

static void print_key(struct printer *p, const struct field *f)
{
    if (requote(f))
        put_in_quotes(p, f->key, f->key_span);
    else
        put(p, f->raw, f->key_span);
}

static void print_field(struct printer *p, const struct field *f)
{
    print_key(p, f);
    wait(p, SP_CELL);
    put_behind(p, STR("="));
    wait(p, SP_BLANK);
    print_expression(p, f->value);
}

static bool comment_starts_on(const struct printer *p, u32 line)
{
    return p->n_comments > 0 && p->comments->span.start.line == line;
}

/* Does the brace behind the last field stand on a line below that field's name? A comment beside
 * the brace, behind a value that reaches down there, takes the place of the line break. */
static bool object_closes_below(const struct printer *p, const struct field *f, struct pos close)
{
    bool beside = comment_starts_on(p, close.line) && p->comments->span.start.col < close.col;
    if (beside && f->value->span.end.line == close.line) return false;
    return on_new_line(p, f->key_span.end, close);
}

static void close_fields(struct printer *p, const struct field *last, struct pos close)
{
    bool below = object_closes_below(p, last, close);
    if (below) put_behind(p, STR(","));
    wait(p, SP_UNINDENT);
    if (below) wait(p, SP_BREAK);
}

static void print_object(struct printer *p, const struct expr *e)
{
    size_t n = e->object.n;
    put_at(p, STR("{"), e->span.start);
    struct pos end = e->span.start;
    enum space kind = SP_BREAK;
    if (n > 0) wait(p, SP_INDENT);
    for (size_t i = 0; i < n; i++) {
        const struct field *f = &e->object.fields[i];
        if (on_new_line(p, end, f->key_span.start))
            wait(p, kind);
        else if (i > 0)
            wait(p, SP_BLANK);
        printer_flush(p, f->key_span.start);
        size_t row = layout_row(&p->out);
        print_field(p, f);
        end = f->key_span.end;
        kind = layout_row(&p->out) == row ? SP_NEWLINE : SP_BREAK;
        if (i + 1 < n) put_behind(p, STR(","));
    }
    if (n > 0) close_fields(p, &e->object.fields[n - 1], e->object.close.start);
    put(p, STR("}"), e->object.close);
}

/* A `)` on a line of its own keeps the comments before it, but the reference does not know its
 * place: comments behind it are as far away as the last argument is. The one beside a `)` right
 * below that argument stays there all the same: moved, it would move again each time the text is
 * formatted. */
static void print_call_close(struct printer *p, struct pos end, struct pos close)
{
    if (!on_new_line(p, end, close)) {
        put_behind(p, STR(")"));
        return;
    }
    printer_flush(p, close);
    printer_text(p, STR(")"));
    p->last.col++;
    if (close.line == end.line + 1 && comment_starts_on(p, close.line)) p->last = behind(close);
}

static void print_call(struct printer *p, const struct expr *e)
{
    size_t n = e->call.n;
    struct pos open = e->call.open.start, close = e->call.close.start;
    print_expression(p, e->call.fn);
    put_behind(p, STR("("));
    print_items(p, e->call.args, n, open, close, call_down);
    struct pos end = n > 0 ? e->call.args[n - 1]->span.end : open;
    if (n > 0 && on_new_line(p, end, close)) wait(p, SP_BREAK);
    print_call_close(p, end, close);
}

static void print_access(struct printer *p, const struct expr *e)
{
    print_expression(p, e->access.of);
    if (e->access.of->kind == EXPR_NUMBER)
        wait(p, SP_BLANK); /* 1.x would be read as the number "1." */
    put_behind(p, STR("."));
    put_next(p, e->access.name, e->access.name_span);
}

static void print_index(struct printer *p, const struct expr *e)
{
    print_expression(p, e->index.of);
    put(p, STR("["), e->index.open);
    print_expression(p, e->index.index);
    put(p, STR("]"), e->index.close);
}

static void print_binary(struct printer *p, const struct expr *e)
{
    print_expression(p, e->binary.l);
    wait(p, SP_BLANK);
    put(p, str_of(op_text(e->binary.op)), e->binary.op_span);
    wait(p, SP_BLANK);
    print_expression(p, e->binary.r);
}

static void print_expression(struct printer *p, const struct expr *e)
{
    switch (e->kind) {
    case EXPR_NULL:
    case EXPR_BOOL:
    case EXPR_NUMBER:
    case EXPR_FLOAT:
    case EXPR_STRING:
    case EXPR_IDENT: put(p, e->raw, e->span); break;
    case EXPR_ACCESS: print_access(p, e); break;
    case EXPR_INDEX: print_index(p, e); break;
    case EXPR_CALL: print_call(p, e); break;
    case EXPR_UNARY:
        put(p, str_of(op_text(e->unary.op)), e->unary.op_span);
        print_expression(p, e->unary.of);
        break;
    case EXPR_BINARY: print_binary(p, e); break;
    case EXPR_PAREN:
        put_next(p, STR("("), (struct span){.start = e->span.start, .end = e->span.start});
        print_expression(p, e->paren);
        put_behind(p, STR(")"));
        break;
    case EXPR_ARRAY: print_array(p, e); break;
    case EXPR_OBJECT: print_object(p, e); break;
    }
}

/* --- statements --- */

static void print_body(struct printer *p, const struct body *b);

static void print_attr(struct printer *p, const struct attr *a)
{
    put(p, a->name, a->name_span);
    wait(p, SP_CELL);
    put_behind(p, STR("="));
    wait(p, SP_BLANK);
    print_expression(p, a->value);
}

static void print_block(struct printer *p, const struct block *b)
{
    put(p, b->parts[0], b->part_spans[0]);
    for (size_t i = 1; i < b->n_parts; i++) {
        put_behind(p, STR("."));
        put_next(p, b->parts[i], b->part_spans[i]);
    }
    wait(p, SP_BLANK);
    if (b->has_label) {
        put_in_quotes(p, b->label, b->label_span); /* an identifier: nothing to escape */
        wait(p, SP_BLANK);
    }
    put_at(p, STR("{"), b->body.span.start);
    if (b->body.n == 0) wait(p, SP_BLANK);
    wait(p, SP_INDENT);
    if (b->body.n > 0) wait(p, SP_BREAK);
    print_body(p, &b->body);
    wait(p, SP_UNINDENT);
    put_at(p, STR("}"), b->span.end);
}

/* An empty line stands before every block, and before an attribute where the source had one. */
static void separate(struct printer *p, const struct stmt *prev, const struct stmt *s)
{
    if (s->kind == STMT_BLOCK || s->span.start.line > prev->span.end.line + 1) wait(p, SP_BREAK);
}

static void print_body(struct printer *p, const struct body *b)
{
    for (size_t i = 0; i < b->n; i++) {
        const struct stmt *s = &b->stmts[i];
        if (i > 0) separate(p, s - 1, s);
        printer_flush(p, s->span.start);
        size_t row = layout_row(&p->out);
        if (s->kind == STMT_ATTR)
            print_attr(p, s->attr);
        else
            print_block(p, s->block);
        wait(p, layout_row(&p->out) == row ? SP_NEWLINE : SP_BREAK);
    }
}

/* --- entry points --- */

static void printer_init(struct printer *p)
{
    *p = (struct printer){.line_empty = true};
    layout_init(&p->out);
}

static void printer_done(struct printer *p, struct buf *out)
{
    layout_write(&p->out, out);
    layout_done(&p->out);
    vec_done(&p->waiting);
}

void print_tree(const struct tree *t, struct buf *out)
{
    size_t start = out->n;
    struct printer p;
    printer_init(&p);
    p.comments = t->comments;
    p.n_comments = t->n_comments;
    print_body(&p, &t->body);
    printer_flush(&p, (struct pos){UINT32_MAX, 0}); /* comments at the end */
    printer_done(&p, out);
    while (out->n > start && out->p[out->n - 1] == '\n')
        buf_truncate(out, out->n - 1);
    buf_ch(out, '\n');
}

void print_expr(const struct expr *e, struct buf *out)
{
    struct printer p;
    printer_init(&p);
    p.single_line = true;
    print_expression(&p, e);
    printer_done(&p, out);
}

void print_quoted(struct str s, struct buf *out)
{
    utf8_quote(out, s);
}
