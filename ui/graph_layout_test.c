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
    struct layout l;
    layout_graph(4, e, 3, &l);
    assert_int_equal(l.layers, 4);
    for (u32 i = 0; i < 4; i++) {
        assert_int_equal(l.places[i].layer, i);
        assert_true(l.places[i].y == 0);
    }
    assert_true(l.rows == 1);
    layout_free(&l);
}

static void test_edges_do_not_cross_needlessly(void **state)
{
    const struct layout_edge e[] = {{0, 3}, {1, 2}}; /* 0 above 1: so 3 above 2 */
    struct layout l;
    layout_graph(4, e, 2, &l);
    assert_int_equal(l.layers, 2);
    assert_true((l.places[0].y < l.places[1].y) == (l.places[3].y < l.places[2].y));
    assert_apart(l.places, 4);
    layout_free(&l);
}

static void test_a_source_stands_by_what_it_feeds(void **state)
{
    const struct layout_edge e[] = {{0, 1}, {1, 2}, {3, 2}};
    struct layout l;
    layout_graph(4, e, 3, &l);
    assert_int_equal(l.places[3].layer, 1);
    assert_apart(l.places, 4);
    layout_free(&l);
}

static void test_long_edges_pass_beside_nodes(void **state)
{
    const struct layout_edge e[] = {{0, 1}, {1, 2}, {2, 3}, {0, 3}};
    struct layout l;
    layout_graph(4, e, 4, &l);
    assert_int_equal(l.bend_starts[3], 0);
    assert_int_equal(l.bend_starts[4], 2);
    for (u32 b = 0; b < 2; b++) {
        f64 d = l.bends[b] - l.places[b + 1].y;
        assert_true(d > 0.999 || d < -0.999);
    }
    layout_free(&l);
}

static void test_cycles_and_nothing(void **state)
{
    const struct layout_edge e[] = {{0, 1}, {1, 0}, {1, 2}, {2, 2}};
    struct layout l;
    layout_graph(3, e, 4, &l);
    assert_true(l.layers >= 2);
    assert_apart(l.places, 3);
    layout_free(&l);
    layout_graph(0, NULL, 0, &l);
    assert_true(l.layers == 0 && l.rows == 0);
    layout_free(&l);
}

static void test_a_large_graph(void **state)
{
    enum { N = 2000, E = 6000 };
    struct layout_edge *e = xcalloc(E, sizeof(*e));
    struct layout l;
    u32 seed = 1;
    for (u32 i = 0; i < E; i++) {
        seed = seed * 1664525 + 1013904223;
        e[i] = (struct layout_edge){i % N, seed % N};
    }
    layout_graph(N, e, E, &l);
    assert_true(l.layers > 1);
    assert_apart(l.places, N);
    layout_free(&l);
    free(e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_chain_is_straight),
        cmocka_unit_test(test_edges_do_not_cross_needlessly),
        cmocka_unit_test(test_a_source_stands_by_what_it_feeds),
        cmocka_unit_test(test_long_edges_pass_beside_nodes),
        cmocka_unit_test(test_cycles_and_nothing),
        cmocka_unit_test(test_a_large_graph),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
