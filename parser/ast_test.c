/* The parts of an expression, and the walk over all expressions. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "parser/parser.h"

struct seen {
    struct buf names;
    bool skip_calls;
};

static bool note(void *arg, const struct expr *e)
{
    struct seen *s = arg;
    if (e->kind == EXPR_IDENT) {
        buf_str(&s->names, e->s);
        buf_ch(&s->names, ' ');
    }
    return !(s->skip_calls && e->kind == EXPR_CALL);
}

static void expect_walk(bool skip_calls, const char *want)
{
    struct source *src =
        source_new(NULL, STR("x = a + -b.z[c]\nk {\n y = f(d, [e, (g)])\n}\nw = {h = i, j = k}\n"));
    struct diags diags;
    diags_init(&diags);
    struct tree *t = parse_file(src, &diags);
    struct seen s = {.names = BUF_INIT(SIZE_MAX), .skip_calls = skip_calls};
    ast_walk(&t->body, note, &s);
    assert_string_equal(s.names.p, want);
    buf_done(&s.names);
    tree_free(t);
    diags_done(&diags);
    source_unref(src);
}

static void test_walk(void **state)
{
    expect_walk(false, "a b c f d e g i k ");
    expect_walk(true, "a b c i k ");
}

static void expect_children(const char *text, const char *want)
{
    struct source *src = source_new(NULL, str_of(text));
    struct buf got = BUF_INIT(SIZE_MAX);
    struct diags diags;
    struct expr *e;
    const struct expr *child;
    diags_init(&diags);
    struct tree *t = parse_expr(src, &diags, &e);
    buf_cstr(&got, "");
    for (size_t i = 0; (child = expr_child(e, i)); i++)
        buf_printf(&got, STR_FMT ";", STR_ARG(child->raw));
    assert_string_equal(got.n ? got.p : "", want);
    buf_done(&got);
    tree_free(t);
    diags_done(&diags);
    source_unref(src);
}

static void test_children(void **state)
{
    expect_children("1", "");
    expect_children("a", "");
    expect_children("a.b", "a;");
    expect_children("a[1]", "a;1;");
    expect_children("f()", "f;");
    expect_children("f(1, \"x\")", "f;1;\"x\";");
    expect_children("!true", "true;");
    expect_children("a + 2", "a;2;");
    expect_children("(a)", "a;");
    expect_children("[]", "");
    expect_children("[a, 2]", "a;2;");
    expect_children("{x = a, \"y\" = 2}", "a;2;");
}

static void test_ops(void **state)
{
    assert_string_equal(op_text(OP_OR), "||");
    assert_string_equal(op_text(OP_POW), "^");
    assert_string_equal(op_text(OP_NEG), "-");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_walk), cmocka_unit_test(test_children),
                                       cmocka_unit_test(test_ops)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
