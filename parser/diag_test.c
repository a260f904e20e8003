/* Diagnostics: collecting them, and their three forms. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "parser/source.h"

static struct span range(const struct source *s, u32 l1, u32 c1, u32 l2, u32 c2)
{
    return (struct span){s, {l1, c1}, {l2, c2}};
}

static void expect_render(const struct diags *d, bool color, const char *want)
{
    struct buf b = BUF_INIT(SIZE_MAX);
    diags_render(d, &b, color);
    assert_string_equal(b.p, want);
    buf_done(&b);
}

static void expect_one(const char *text, u32 l1, u32 c1, u32 l2, u32 c2, const char *want)
{
    struct source *s = source_new("f", str_of(text));
    struct diags d;
    diags_init(&d);
    diag_error(&d, DIAG_PARSE_TOKEN, range(s, l1, c1, l2, c2), "bad %s", "thing");
    expect_render(&d, false, want);
    diags_done(&d);
    source_unref(s);
}

static void test_single_line(void **state)
{
    expect_one("a\nbcd\ne\nf", 2, 2, 0, 0,
               "Error: f:2:2: bad thing\n\n1 | a\n2 | bcd\n  |  ^\n3 | e\n");
    expect_one("abc", 1, 1, 1, 3, "Error: f:1:1: bad thing\n\n1 | abc\n  | ^^^\n");
    expect_one("\ta\vb\r\n", 1, 4, 0, 0,
               "Error: f:1:4: bad thing\n\n1 |     a    b\n  |          ^\n2 | \n");
    expect_one("é日x", 1, 3, 1, 5, "Error: f:1:3: bad thing\n\n1 | é日x\n  |  ^\n");
    expect_one("a", 1, 5, 0, 0, "Error: f:1:5: bad thing\n\n1 | a\n  |  \n");
    expect_one("1\n2\n3\n4\n5\n6\n7\n8\n9\nx", 9, 1, 0, 0,
               "Error: f:9:1: bad thing\n\n 8 | 8\n 9 | 9\n   | ^\n10 | x\n");
}

static void test_multi_line(void **state)
{
    expect_one("x\n  a {\n\tb\n  }\ny", 2, 3, 4, 3,
               "Error: f:2:3: bad thing\n\n"
               "1 |   x\n2 |     a {\n  |  ___^^^\n3 | |     b\n4 | |   }\n  | |_^^^\n5 |   y\n");
}

static void test_without_source(void **state)
{
    struct diags d;
    diags_init(&d);
    diag_error(&d, DIAG_PARSE_TOKEN, NO_SPAN, "nowhere");
    diag_add(&d, SEV_WARNING, DIAG_PARSE_TOKEN, range(NULL, 3, 4, 0, 0), "no file");
    expect_render(&d, false, "Error: -: nowhere\n\nWarning: 3:4: no file\n");
    struct buf b = BUF_INIT(SIZE_MAX);
    diags_line(&d, &b);
    assert_string_equal(b.p, "-: nowhere (and 1 more diagnostics)");
    buf_done(&b);
    assert_int_equal(d.n_errors, 1);
    diags_done(&d);
}

static void test_color_and_hint(void **state)
{
    struct source *s = source_new("f", STR("ab"));
    struct diags d;
    diags_init(&d);
    struct diag *one = diag_add(&d, SEV_WARNING, DIAG_PARSE_TOKEN, range(s, 1, 1, 1, 2), "old");
    diag_hint(&d, one, "write `%s`", "new");
    expect_render(&d, true,
                  "\x1b[33;1mWarning: \x1b[0m\x1b[1mf:1:1: old\n\x1b[0m\n1 | ab\n  | ^^\n  = help: "
                  "write `new`\n");
    assert_false(diags_failed(&d));
    diags_done(&d);
    source_unref(s);
}

/* A configuration inside another file: places are shown as that file's. */
static void test_offset(void **state)
{
    struct source *outer = source_new("f", STR("x: |\n  a\n  bc\ny: z\n"));
    struct source_run *runs = xcalloc(2, sizeof(*runs));
    runs[0] = (struct source_run){.inner = 0, .outer = 7, .len = 1};
    runs[1] = (struct source_run){.inner = 2, .outer = 11, .len = 2};
    struct source *s = source_new_inside(outer, STR("a\nbc\n"), runs, 2);
    source_unref(outer);
    struct diags d;
    diags_init(&d);
    diag_error(&d, DIAG_PARSE_TOKEN, range(s, 2, 1, 2, 2), "bad");
    diag_error(&d, DIAG_PARSE_TOKEN, range(s, 3, 1, 0, 0), "end");
    expect_render(&d, false,
                  "Error: f:3:3: bad\n\n2 |   a\n3 |   bc\n  |   ^^\n4 | y: z\n\n"
                  "Error: f:3:5: end\n\n2 |   a\n3 |   bc\n  |     \n4 | y: z\n");
    diags_done(&d);
    source_unref(s);
}

static void test_long_line(void **state)
{
    struct buf text = BUF_INIT(SIZE_MAX);
    for (int i = 0; i < 10000; i++)
        buf_ch(&text, 'x');
    expect_one(text.p, 1, 1, 0, 0, "Error: f:1:1: bad thing\n");
    buf_done(&text);
}

static void test_json(void **state)
{
    struct source *s = source_new("f\"g", STR("ab"));
    struct diags d;
    diags_init(&d);
    struct diag *one = diag_error(&d, DIAG_PARSE_LABEL, range(s, 1, 1, 1, 2), "a \"b\"");
    diag_hint(&d, one, "h");
    diag_add(&d, SEV_WARNING, DIAG_LEX_CHAR, NO_SPAN, "w");
    struct buf b = BUF_INIT(SIZE_MAX);
    diags_json(&d, &b);
    assert_string_equal(b.p, "[{\"severity\":\"error\",\"code\":\"PARSE_LABEL\",\"message\":\"a "
                             "\\\"b\\\"\",\"file\":\"f\\\"g\","
                             "\"start\":[1,1],\"end\":[1,2],\"hint\":\"h\"},"
                             "{\"severity\":\"warning\",\"code\":\"LEX_CHAR\",\"message\":\"w\"}]");
    buf_done(&b);
    diags_done(&d);
    source_unref(s);
}

static void test_move_and_clear(void **state)
{
    struct source *s = source_new("f", STR("ab"));
    struct diags a, b;
    diags_init(&a);
    diags_init(&b);
    diag_hint(&b, diag_error(&b, DIAG_PARSE_TOKEN, range(s, 1, 1, 0, 0), "one"), "hint");
    source_unref(s);
    diags_move(&a, &b);
    diags_done(&b);
    assert_int_equal(a.n_errors, 1);
    expect_render(&a, false, "Error: f:1:1: one\n\n1 | ab\n  | ^\n  = help: hint\n");
    diags_clear(&a);
    assert_false(diags_failed(&a));
    assert_int_equal(a.list.n, 0);
    diags_done(&a);
}

static void test_codes(void **state)
{
    assert_string_equal(diag_code_name(DIAG_PARSE_DEPTH), "PARSE_DEPTH");
    assert_non_null(diag_code_text(DIAG_PARSE_DEPTH));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_single_line),    cmocka_unit_test(test_multi_line),
        cmocka_unit_test(test_without_source), cmocka_unit_test(test_color_and_hint),
        cmocka_unit_test(test_offset),         cmocka_unit_test(test_long_line),
        cmocka_unit_test(test_json),           cmocka_unit_test(test_move_and_clear),
        cmocka_unit_test(test_codes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
