/* Tests of components/common/label_cache.h: what leaves first, growth, and that nothing is kept. */
#include <stdlib.h>

#include "base/test.h"

#include "components/common/label_cache.h"

static struct label_table *table;

static struct labels *numbered(int i)
{
    char text[16];
    struct label l = {STR("i"), str_n(text, (size_t)snprintf(text, sizeof(text), "%d", i))};
    struct labels *set = labels_intern(table, &l, 1);

    assert_non_null(set);
    return set;
}

static void put(struct label_cache *c, int in, int out)
{
    struct labels *from = numbered(in), *to = out < 0 ? NULL : numbered(out);

    assert_true(label_cache_put(c, from, to));
    labels_unref(from);
    labels_unref(to);
}

/* What became of it: -1 nothing, -2 unknown. */
static int get(struct label_cache *c, int in)
{
    struct labels *from = numbered(in), *to = NULL;
    int found = -2;

    if (label_cache_get(c, from, &to)) found = to ? atoi(to->v[0].value.p) : -1;
    labels_unref(from);
    return found;
}

static void the_oldest_leaves(void **state)
{
    struct label_cache *c = label_cache_new(3);

    put(c, 1, 11);
    put(c, 2, -1);
    put(c, 3, 13);
    assert_int_equal(get(c, 1), 11);
    put(c, 4, 14);
    assert_int_equal(get(c, 2), -2);
    assert_int_equal(get(c, 1), 11);
    assert_int_equal(get(c, 3), 13);
    assert_int_equal(get(c, 4), 14);
    put(c, 5, 15);
    assert_int_equal(get(c, 1), -2);
    assert_int_equal(label_cache_count(c), 3);
    label_cache_free(c);
}

static void one_entry(void **state)
{
    struct label_cache *c = label_cache_new(1);

    assert_int_equal(get(c, 1), -2);
    put(c, 1, 2);
    put(c, 3, -1);
    assert_int_equal(get(c, 1), -2);
    assert_int_equal(get(c, 3), -1);
    label_cache_free(c);
}

static void many(void **state)
{
    enum { N = 5000, MAX_ENTRIES = 3000 };
    struct label_cache *c = label_cache_new(MAX_ENTRIES);

    for (int i = 0; i < N; i++)
        put(c, i, i % 7);
    assert_int_equal(label_cache_count(c), MAX_ENTRIES);
    for (int i = 0; i < N; i++)
        assert_int_equal(get(c, i), i < N - MAX_ENTRIES ? -2 : i % 7);
    label_cache_free(c);
}

static int setup(void **state)
{
    table = label_table_new();
    return 0;
}

static int teardown(void **state)
{
    size_t left = label_table_count(table);

    label_table_free(table);
    return left != 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_oldest_leaves, setup, teardown),
        cmocka_unit_test_setup_teardown(one_entry, setup, teardown),
        cmocka_unit_test_setup_teardown(many, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
