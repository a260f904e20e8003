/* Canonical form: what tests/golden/conformance does not record because the reference is not stable
 * there, and the one-line form of expressions. Every expected text is its own canonical form. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "parser/parser.h"
#include "parser/printer.h"

static char *format(const char *text)
{
    struct source *src = source_new(NULL, str_of(text));
    struct diags diags;
    diags_init(&diags);
    struct tree *t = parse_file(src, &diags);
    assert_non_null(t);
    struct buf b = BUF_INIT(SIZE_MAX);
    print_tree(t, &b);
    tree_free(t);
    diags_done(&diags);
    source_unref(src);
    return buf_take(&b, NULL);
}

static void expect_form(const char *text, const char *want)
{
    char *once = format(text), *twice = format(once);
    assert_string_equal(once, want);
    assert_string_equal(twice, want);
    free(once);
    free(twice);
}

struct row {
    const char *text, *want;
};

static void expect_forms(const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++)
        expect_form(rows[i].text, rows[i].want);
}

static void test_small(void **state)
{
    static const struct row rows[] = {
        {"", "\n"},
        {"a=1\n\n\n\nb=2", "a = 1\n\nb = 2\n"},
        {"blk{}", "blk { }\n"},
        {"blk \"x\"{a=1}", "blk \"x\" {\n\ta = 1\n}\n"},
        {"a=(1+2)*-3", "a = (1 + 2) * -3\n"},
        {"a={x=1,}\nb=[\n]", "a = {x = 1}\nb = []\n"},
        {"a = [\n1, 2,\n3]", "a = [\n\t1, 2,\n\t3]\n"},
        {"x { }\ny { }\nbb = 1", "x { }\n\ny { }\nbb = 1\n"},
    };
    expect_forms(rows, ARRAY_LEN(rows));
}

/* Where the reference's output changes when it is formatted again, we print the stable form at
 * once. */
static void test_stable(void **state)
{
    static const struct row rows[] = {
        {"a =\n1\nbbb = 2", "a   = 1\nbbb = 2\n"},
        {"a = {b =\n1,\nccc = 2,\n}", "a = {b = 1,\n\tccc  = 2,\n}\n"},
        {"a = f(\n)", "a = f()\n"},
        {"a = [1/* c */, 2]", "a = [1, /* c */ 2]\n"},
        {"a = x/* c */.y", "a = x.y /* c */\n"},
        {"a = f(/* c */)", "a = f() /* c */\n"},
        {"a = f(1,\n  2, // c\n)\nb = 1", "a = f(1,\n\t2, // c\n)\nb = 1\n"},
        {"a = f(1,\n  2,\n) // c\nb = 1", "a = f(1,\n\t2,\n) // c\nb = 1\n"},
    };
    expect_forms(rows, ARRAY_LEN(rows));
}

/* Keys and strings keep their content. */
static void test_content(void **state)
{
    static const struct row rows[] = {
        {"a = {\"d\\\"q\" = 1}", "a = {\"d\\\"q\" = 1}\n"},
        {"a = {`k` = 1, \"\" = 2}", "a = {\"k\" = 1, \"\" = 2}\n"},
        {"a = {`k\"` = 1, `b\\` = 2}", "a = {`k\"` = 1, `b\\` = 2}\n"},
        {"a = `x \t\n\ty`", "a = `x \t\n\ty`\n"},
        {"a = \"x\ty\"", "a = \"x\ty\"\n"},
        {"a_very_long_name = `x\n\ty`", "a_very_long_name = `x\n\ty`\n"},
    };
    expect_forms(rows, ARRAY_LEN(rows));
}

static void test_end_of_buffer(void **state)
{
    struct source *src = source_new(NULL, STR("// c\n\n\n"));
    struct diags diags;
    diags_init(&diags);
    struct tree *t = parse_file(src, &diags);
    struct buf b = BUF_INIT(SIZE_MAX);
    buf_cstr(&b, "before\n\n");
    print_tree(t, &b);
    assert_string_equal(b.p, "before\n\n// c\n");
    buf_done(&b);
    tree_free(t);
    diags_done(&diags);
    source_unref(src);
}

static void expect_expr(const char *text, const char *want)
{
    struct source *src = source_new(NULL, str_of(text));
    struct diags diags;
    diags_init(&diags);
    struct expr *e = NULL;
    struct tree *t = parse_expr(src, &diags, &e);
    assert_non_null(t);
    struct buf b = BUF_INIT(SIZE_MAX);
    print_expr(e, &b);
    assert_string_equal(b.p, want);
    buf_done(&b);
    tree_free(t);
    diags_done(&diags);
    source_unref(src);
}

static void test_expr(void **state)
{
    expect_expr("[1,2 , {a=1,\n bb = f( x.y[ 0 ] ),\n}]", "[1, 2, {a = 1, bb = f(x.y[0])}]");
    expect_expr("1 . x", "1 .x");
    expect_expr("- - (1+\n2)", "--(1 + 2)");
    expect_expr("f(\n1,\n)", "f(1)");
}

static void test_quoted(void **state)
{
    struct buf b = BUF_INIT(SIZE_MAX);
    print_quoted(STR("a\"b\\\n\t\x01\x7f\xff é\xe2\x80\xa8\xf0\x9f\x98\x80\xf3\xa0\x80\x81\0"), &b);
    assert_string_equal(b.p, "\"a\\\"b\\\\\\n\\t\\x01\\x7f\\xff é\\u2028😀\\U000e0001\\x00\"");
    buf_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_small),   cmocka_unit_test(test_stable),
        cmocka_unit_test(test_content), cmocka_unit_test(test_end_of_buffer),
        cmocka_unit_test(test_expr),    cmocka_unit_test(test_quoted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
