/* Trees: precedence, names and labels, spans, what is shared and bounded. The faults are in
 * tests/golden. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "parser/parser.h"

/* --- helpers --- */

struct parsed {
    struct source *src;
    struct diags diags;
    struct tree *tree;
    struct expr *expr;
};

static void parsed_done(struct parsed *p)
{
    tree_free(p->tree);
    diags_done(&p->diags);
    source_unref(p->src);
}

static struct parsed file(const char *text)
{
    struct parsed p = {.src = source_new("t", str_of(text))};
    diags_init(&p.diags);
    p.tree = parse_file(p.src, &p.diags);
    return p;
}

static struct parsed expression(const char *text)
{
    struct parsed p = {.src = source_new("t", str_of(text))};
    diags_init(&p.diags);
    p.tree = parse_expr(p.src, &p.diags, &p.expr);
    return p;
}

static void dump(const struct expr *e, struct buf *b);

static void dump_all(struct expr *const *list, size_t n, struct buf *b)
{
    for (size_t i = 0; i < n; i++) {
        buf_ch(b, ' ');
        dump(list[i], b);
    }
}

/* Fully bracketed, so that the tree shows. */
static void dump(const struct expr *e, struct buf *b)
{
    switch (e->kind) {
    case EXPR_UNARY:
        buf_printf(b, "(%s ", op_text(e->unary.op));
        dump(e->unary.of, b);
        break;
    case EXPR_BINARY:
        buf_printf(b, "(%s ", op_text(e->binary.op));
        dump(e->binary.l, b);
        buf_ch(b, ' ');
        dump(e->binary.r, b);
        break;
    case EXPR_ACCESS:
        buf_cstr(b, "(. ");
        dump(e->access.of, b);
        buf_printf(b, " " STR_FMT, STR_ARG(e->access.name));
        break;
    case EXPR_INDEX:
        buf_cstr(b, "(at ");
        dump(e->index.of, b);
        buf_ch(b, ' ');
        dump(e->index.index, b);
        break;
    case EXPR_CALL:
        buf_cstr(b, "(call ");
        dump(e->call.fn, b);
        dump_all(e->call.args, e->call.n, b);
        break;
    case EXPR_PAREN:
        buf_cstr(b, "(paren ");
        dump(e->paren, b);
        break;
    case EXPR_ARRAY:
        buf_cstr(b, "(array");
        dump_all(e->array.items, e->array.n, b);
        break;
    case EXPR_OBJECT:
        buf_cstr(b, "(object");
        for (size_t i = 0; i < e->object.n; i++) {
            buf_printf(b, " " STR_FMT " ", STR_ARG(e->object.fields[i].key));
            dump(e->object.fields[i].value, b);
        }
        break;
    default: buf_str(b, e->raw); return;
    }
    buf_ch(b, ')');
}

static void expect_tree(const char *text, const char *want)
{
    struct parsed p = expression(text);
    assert_non_null(p.tree);
    struct buf b = BUF_INIT(SIZE_MAX);
    dump(p.expr, &b);
    assert_string_equal(b.p, want);
    buf_done(&b);
    parsed_done(&p);
}

/* --- expressions --- */

static void test_precedence(void **state)
{
    expect_tree("1 + 2 * 3", "(+ 1 (* 2 3))");
    expect_tree("1 - 2 - 3", "(- (- 1 2) 3)");
    expect_tree("2 ^ 3 ^ 2", "(^ 2 (^ 3 2))");
    expect_tree("-2 ^ 2", "(^ (- 2) 2)");
    expect_tree("2 ^ -1 * 3", "(* (^ 2 (- 1)) 3)");
    expect_tree("a || b && c == d < e + f", "(|| a (&& b (< (== c d) (+ e f))))");
    expect_tree("!a.b[0](1, 2).c", "(! (. (call (at (. a b) 0) 1 2) c))");
    expect_tree("(1 + 2) % 3", "(% (paren (+ 1 2)) 3)");
}

static void test_collections(void **state)
{
    expect_tree("[1, [], 2,]", "(array 1 (array) 2)");
    expect_tree("{a = 1, \"b\\n\" = {}, `c` = f(),}", "(object a 1 b\\n (object) c (call f))");
    expect_tree("[\n1,\n2,\n]", "(array 1 2)");
}

static void test_values(void **state)
{
    struct parsed p = expression("[true, \"a\\tb\", name]");
    assert_true(p.expr->array.items[0]->b);
    assert_true(str_is(p.expr->array.items[1]->s, "a\tb"));
    assert_true(str_is(p.expr->array.items[1]->raw, "\"a\\tb\""));
    assert_true(str_is(p.expr->array.items[2]->s, "name"));
    parsed_done(&p);
}

static void expect_span(struct span s, u32 l1, u32 c1, u32 l2, u32 c2)
{
    assert_int_equal(s.start.line, l1);
    assert_int_equal(s.start.col, c1);
    assert_int_equal(s.end.line, l2);
    assert_int_equal(s.end.col, c2);
}

static void test_spans(void **state)
{
    struct parsed p = expression("f(a.b,\n  -x[1]) + 1");
    struct expr *call = p.expr->binary.l, *neg = call->call.args[1];
    expect_span(p.expr->span, 1, 1, 2, 12);
    expect_span(p.expr->binary.op_span, 2, 10, 2, 10);
    expect_span(call->span, 1, 1, 2, 8);
    expect_span(call->call.args[0]->span, 1, 3, 1, 5);
    expect_span(call->call.args[0]->access.name_span, 1, 5, 1, 5);
    expect_span(neg->span, 2, 3, 2, 7);
    expect_span(neg->unary.of->index.open, 2, 5, 2, 5);
    assert_ptr_equal(neg->span.file, p.src);
    parsed_done(&p);
}

static void test_whole_text(void **state)
{
    static const char *const bad[] = {"1 2", "1\n2", "1;", "", "a {}", "a = 1"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct parsed p = expression(bad[i]);
        assert_null(p.tree);
        assert_null(p.expr);
        assert_true(diags_failed(&p.diags));
        parsed_done(&p);
    }
    expect_tree("\n// c\n 1 // d\n", "1");
}

/* --- statements --- */

static void test_block(void **state)
{
    struct parsed p = file("x = 1\na.b . c \"l\" {\n  k = true\n  d \"\" { }\n}\n");
    assert_int_equal(p.tree->body.n, 2);
    assert_int_equal(p.tree->body.stmts[0].kind, STMT_ATTR);
    struct block *b = p.tree->body.stmts[1].block;
    assert_true(str_is(b->name, "a.b.c"));
    assert_int_equal(b->n_parts, 3);
    assert_true(b->has_label && str_is(b->label, "l"));
    expect_span(b->name_span, 2, 1, 2, 7);
    expect_span(b->label_span, 2, 9, 2, 11);
    expect_span(b->header_span, 2, 1, 2, 13);
    expect_span(b->span, 2, 1, 5, 1);
    expect_span(b->body.stmts[0].span, 3, 3, 3, 10);
    assert_false(b->body.stmts[1].block->has_label);
    assert_int_equal(b->body.stmts[1].block->body.n, 0);
    parsed_done(&p);
}

static void test_comments(void **state)
{
    struct parsed p = file("// one\r\na = 1 /* t\r\nwo */\n");
    assert_int_equal(p.tree->n_comments, 2);
    assert_true(str_is(p.tree->comments[0].text, "// one"));
    assert_true(str_is(p.tree->comments[1].text, "/* t\nwo */"));
    expect_span(p.tree->comments[1].span, 2, 7, 3, 5);
    parsed_done(&p);
}

static void test_empty(void **state)
{
    static const char *const empty[] = {"", "\n\n", "// c", "\xef\xbb\xbf"};
    for (size_t i = 0; i < ARRAY_LEN(empty); i++) {
        struct parsed p = file(empty[i]);
        assert_non_null(p.tree);
        assert_int_equal(p.tree->body.n, 0);
        parsed_done(&p);
    }
}

/* --- faults --- */

static void test_goes_on(void **state)
{
    struct parsed p = file("a = \nb {\n c = [1 2]\n d = }\n}\ne = 'x'\n");
    assert_null(p.tree);
    assert_true(p.diags.n_errors >= 4);
    parsed_done(&p);
}

/* Faults the caller had before are not this text's. */
static void test_older_faults(void **state)
{
    struct diags diags;
    diags_init(&diags);
    diag_error(&diags, DIAG_PARSE_TOKEN, NO_SPAN, "before");
    struct source *src = source_new("t", STR("a = \"x\\ty\""));
    struct tree *t = parse_file(src, &diags);
    assert_non_null(t);
    assert_true(str_is(t->body.stmts[0].attr->value->s, "x\ty"));
    tree_free(t);
    source_unref(src);
    diags_done(&diags);
}

/* The source lives as long as the tree and the diagnostics that point into it. */
static void test_source_is_shared(void **state)
{
    struct parsed good = file("a = 1"), bad = file("a = ");
    source_unref(good.src);
    source_unref(bad.src);
    assert_true(str_is(good.tree->source->text, "a = 1"));
    assert_true(str_is(bad.diags.list.v[0].span.file->text, "a = "));
    tree_free(good.tree);
    diags_done(&good.diags);
    diags_done(&bad.diags);
}

/* --- depth --- */

static struct parsed nested(const char *before, const char *open, const char *middle,
                            const char *close, size_t levels)
{
    struct buf b = BUF_INIT(SIZE_MAX);
    buf_cstr(&b, before);
    for (size_t i = 0; i < levels; i++)
        buf_cstr(&b, open);
    buf_cstr(&b, middle);
    for (size_t i = 0; i < levels; i++)
        buf_cstr(&b, close);
    struct parsed p = file(b.p);
    buf_done(&b);
    return p;
}

static const struct nest {
    const char *before, *open, *middle, *close;
} nests[] = {
    {"a = ", "(", "1", ")"},        {"a = ", "[", "", "]"},    {"a = ", "{a = ", "1", "}"},
    {"a = ", "f(", "", ")"},        {"a = ", "x[", "1", "]"},  {"a = ", "-", "1", ""},
    {"a = ", "1 ^ ", "1", ""},      {"a = ", "1 + ", "1", ""}, {"a = x", ".y", "", ""},
    {"a = x", "()", "", ""},        {"a = x", "[0]", "", ""},  {"", "b {\n", "", "}\n"},
    {"a = ", "b { c = ", "1", "}"},
};

/* A thousand levels are fine; a hundred thousand are one fault, not a crash. */
static void test_depth(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(nests); i++) {
        const struct nest *n = &nests[i];
        bool block_value = str_find(str_of(n->open), STR("b { c")) >= 0;
        struct parsed p = nested(n->before, n->open, n->middle, n->close, block_value ? 600 : 1000);
        assert_int_equal(p.tree == NULL, block_value);
        parsed_done(&p);
        p = nested(n->before, n->open, n->middle, n->close, 100000);
        assert_null(p.tree);
        assert_int_equal(p.diags.list.n, 1);
        assert_int_equal(p.diags.list.v[0].code, DIAG_PARSE_DEPTH);
        parsed_done(&p);
    }
}

static void test_too_many_faults(void **state)
{
    struct parsed p = nested("", "a = 1 2\n", "", "", 30000);
    assert_true(p.diags.list.n < 11000);
    assert_int_equal(vec_last(&p.diags.list).code, DIAG_PARSE_FAULTS);
    parsed_done(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_precedence),       cmocka_unit_test(test_collections),
        cmocka_unit_test(test_values),           cmocka_unit_test(test_spans),
        cmocka_unit_test(test_whole_text),       cmocka_unit_test(test_block),
        cmocka_unit_test(test_comments),         cmocka_unit_test(test_empty),
        cmocka_unit_test(test_goes_on),          cmocka_unit_test(test_older_faults),
        cmocka_unit_test(test_source_is_shared), cmocka_unit_test(test_depth),
        cmocka_unit_test(test_too_many_faults),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
