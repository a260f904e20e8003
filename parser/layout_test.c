/* Elastic columns on their own. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "parser/layout.h"

/* A small notation: '|' ends a cell softly, '>' with a tab, '/' ends a line, '#' a line and its
 * run, '_' is a blank. */
static void build(struct layout *l, const char *notation)
{
    for (; *notation; notation++) {
        switch (*notation) {
        case '|': layout_cell(l, CELL_SOFT); break;
        case '>': layout_cell(l, CELL_TAB); break;
        case '/': layout_break(l, false); break;
        case '#': layout_break(l, true); break;
        case '_': layout_blank(l); break;
        default: layout_text(l, str_n(notation, 1)); break;
        }
    }
}

static void expect_layout(const char *notation, const char *want)
{
    struct layout l;
    layout_init(&l);
    build(&l, notation);
    struct buf b = BUF_INIT(SIZE_MAX);
    layout_write(&l, &b);
    assert_string_equal(b.n ? b.p : "", want);
    buf_done(&b);
    layout_done(&l);
}

static void test_columns(void **state)
{
    expect_layout("a|=/bbb|=", "a   =\nbbb =");
    expect_layout("a|=#bbb|=", "a =\nbbb =");
    expect_layout("a|=/x/bbb|=", "a =\nx\nbbb =");
    expect_layout("a|b|c/aa|bbb|c", "a  b   c\naa bbb c");
    expect_layout("a|bbb|c/a|b/a|b|c", "a bbb c\na b\na b c");
}

static void test_width_is_code_points(void **state)
{
    struct layout l;
    layout_init(&l);
    layout_text(&l, STR("é"));
    layout_cell(&l, CELL_SOFT);
    layout_text(&l, STR("=\nbb"));
    layout_cell(&l, CELL_SOFT);
    layout_text(&l, STR("="));
    struct buf b = BUF_INIT(SIZE_MAX);
    layout_write(&l, &b);
    assert_string_equal(b.p, "é  =\nbb =");
    buf_done(&b);
    layout_done(&l);
}

static void test_ends_of_lines(void **state)
{
    expect_layout("a__/b_", "a\nb");
    expect_layout("a>/b", "a\nb");
    expect_layout("/a/", "\na\n");
}

static void test_empty_cells(void **state)
{
    expect_layout("|a/|b", "a\nb");
    expect_layout(">a/>b", "\ta\n\tb");
    expect_layout("a||c", "a c");
}

static void test_indentation(void **state)
{
    struct layout l;
    layout_init(&l);
    layout_text(&l, STR("quite_a_long_name"));
    layout_cell(&l, CELL_SOFT);
    layout_text(&l, STR("= 1\n"));
    layout_indent(&l, 2);
    layout_text(&l, STR("x"));
    layout_break(&l, true);
    layout_indent(&l, 1);
    layout_text(&l, STR("y"));
    struct buf b = BUF_INIT(SIZE_MAX);
    layout_write(&l, &b);
    assert_string_equal(b.p, "quite_a_long_name = 1\n\t\t\t\tx\n\ty");
    assert_int_equal(layout_row(&l), 2);
    buf_done(&b);
    layout_done(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_columns),       cmocka_unit_test(test_width_is_code_points),
        cmocka_unit_test(test_ends_of_lines), cmocka_unit_test(test_empty_cells),
        cmocka_unit_test(test_indentation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
