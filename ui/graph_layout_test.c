/* Layers, order, and that nodes never overlap. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include "base/xalloc.h"
#include "ui/graph_layout.h"

static void assert_apart(const struct layout_place *p, u32 n)
{
    for (u32 i = 0; i < n; i++)
        for (u32 j = 0; j < i; j++) {
            f64 d = p[i].y - p[j].y;
            if (p[i].layer == p[j].layer) assert_true(d > 0.999 || d < -0.999);
        }
}

static void test_a_chain_is_straight(void **state)
{
    const struct layout_edge e[] = {{0, 1}, {1, 2}, {2, 3}};
    struct layout_place p[4];
    f64 rows;
    assert_int_equal(layout_graph(4, e, 3, p, &rows), 4);
    for (u32 i = 0; i < 4; i++) {
        assert_int_equal(p[i].layer, i);
        assert_true(p[i].y == 0);
    }
    assert_true(rows == 1);
}

static void test_edges_do_not_cross_needlessly(void **state)
{
    const struct layout_edge e[] = {{0, 3}, {1, 2}}; /* 0 above 1: so 3 above 2 */
    struct layout_place p[4];
    f64 rows;
    assert_int_equal(layout_graph(4, e, 2, p, &rows), 2);
    assert_true((p[0].y < p[1].y) == (p[3].y < p[2].y));
    assert_apart(p, 4);
}

static void test_a_source_stands_by_what_it_feeds(void **state)
{
    const struct layout_edge e[] = {{0, 1}, {1, 2}, {3, 2}};
    struct layout_place p[4];
    f64 rows;
    layout_graph(4, e, 3, p, &rows);
    assert_int_equal(p[3].layer, 1);
    assert_apart(p, 4);
}

static void test_cycles_and_nothing(void **state)
{
    const struct layout_edge e[] = {{0, 1}, {1, 0}, {1, 2}, {2, 2}};
    struct layout_place p[3];
    f64 rows;
    assert_true(layout_graph(3, e, 4, p, &rows) >= 2);
    assert_apart(p, 3);
    assert_int_equal(layout_graph(0, NULL, 0, p, &rows), 0);
    assert_true(rows == 0);
}

static void test_a_large_graph(void **state)
{
    enum { N = 2000, E = 6000 };
    struct layout_edge *e = xcalloc(E, sizeof(*e));
    struct layout_place *p = xcalloc(N, sizeof(*p));
    f64 rows;
    u32 seed = 1;
    for (u32 i = 0; i < E; i++) {
        seed = seed * 1664525 + 1013904223;
        e[i] = (struct layout_edge){i % N, seed % N};
    }
    assert_true(layout_graph(N, e, E, p, &rows) > 1);
    assert_apart(p, N);
    free(e);
    free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_chain_is_straight),
        cmocka_unit_test(test_edges_do_not_cross_needlessly),
        cmocka_unit_test(test_a_source_stands_by_what_it_feeds),
        cmocka_unit_test(test_cycles_and_nothing),
        cmocka_unit_test(test_a_large_graph),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
