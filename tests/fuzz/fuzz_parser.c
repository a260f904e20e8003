/* Any bytes through parser, printer and diagnostics. What parses is printed, and what is printed
 * parses to the same tree with the same comments; without comments, formatting again changes
 * nothing. What does not parse says why, in all forms. */
#include "base/assert.h"
#include "parser/parser.h"
#include "parser/printer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Everything about a tree but its places, as text. */
static bool dump_expr(void *arg, const struct expr *e)
{
    struct buf *b = arg;
    buf_printf(b, "(%d ", (int)e->kind);
    buf_str(b, e->raw);
    if (e->kind == EXPR_ACCESS) buf_str(b, e->access.name);
    if (e->kind == EXPR_CALL) buf_printf(b, "%zu", e->call.n);
    if (e->kind == EXPR_ARRAY) buf_printf(b, "%zu", e->array.n);
    if (e->kind == EXPR_UNARY) buf_cstr(b, op_text(e->unary.op));
    if (e->kind == EXPR_BINARY) buf_cstr(b, op_text(e->binary.op));
    for (size_t i = 0; e->kind == EXPR_OBJECT && i < e->object.n; i++) {
        buf_str(b, e->object.fields[i].key);
        buf_ch(b, '=');
    }
    return true;
}

static void dump_body(const struct body *body, struct buf *b)
{
    for (size_t i = 0; i < body->n; i++) {
        const struct stmt *s = &body->stmts[i];
        if (s->kind == STMT_ATTR) {
            buf_printf(b, "\n" STR_FMT "=", STR_ARG(s->attr->name));
            continue;
        }
        buf_printf(b, "\n" STR_FMT " '" STR_FMT "' {", STR_ARG(s->block->name),
                   STR_ARG(s->block->label));
        dump_body(&s->block->body, b);
        buf_cstr(b, "\n}");
    }
}

static void dump(const struct tree *t, struct buf *b)
{
    dump_body(&t->body, b);
    ast_walk(&t->body, dump_expr, b);
    for (size_t i = 0; i < t->n_comments; i++)
        buf_printf(b, "\n" STR_FMT, STR_ARG(t->comments[i].text));
}

static void render(const struct diags *d)
{
    struct buf b = BUF_INIT(SIZE_MAX);
    diags_render(d, &b, true);
    diags_json(d, &b);
    diags_line(d, &b);
    ASSERT(d->list.n > 0 && b.n > 0);
    buf_done(&b);
}

/* The canonical form of text, its tree dumped. False when it does not parse. */
static bool format(struct str text, struct buf *out, struct buf *shape, bool *ret_comments)
{
    struct source *src = source_new("fuzz", text);
    struct diags diags;
    diags_init(&diags);
    struct tree *t = parse_file(src, &diags);
    bool ok = t != NULL;
    ASSERT(ok == !diags_failed(&diags));
    if (ok) {
        dump(t, shape);
        print_tree(t, out);
        *ret_comments = t->n_comments > 0;
    } else {
        render(&diags);
    }
    tree_free(t);
    diags_done(&diags);
    source_unref(src);
    return ok;
}

static void one_expression(struct str text)
{
    struct source *src = source_new(NULL, text);
    struct diags diags;
    diags_init(&diags);
    struct expr *e = NULL;
    struct tree *t = parse_expr(src, &diags, &e);
    struct buf b = BUF_INIT(SIZE_MAX);
    if (t)
        print_expr(e, &b);
    else
        render(&diags);
    buf_done(&b);
    tree_free(t);
    diags_done(&diags);
    source_unref(src);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = str_n((const char *)data, size);
    struct buf once = BUF_INIT(SIZE_MAX), twice = BUF_INIT(SIZE_MAX), a = BUF_INIT(SIZE_MAX),
               b = BUF_INIT(SIZE_MAX);
    bool comments;
    one_expression(text);
    if (format(text, &once, &a, &comments)) {
        bool again = format(buf_view(&once), &twice, &b, &comments);
        ASSERT(again);
        ASSERT(str_eq(buf_view(&a), buf_view(&b)));
        ASSERT(str_eq(buf_view(&once), buf_view(&twice)));
    }
    buf_done(&once);
    buf_done(&twice);
    buf_done(&a);
    buf_done(&b);
    return 0;
}
