/* Tests of base/map.h and base/vec.h. */
#include "base/map.h"
#include "base/test.h"
#include "base/vec.h"

static void put_get_del(void **state)
{
    struct map m = {0};
    int one, two;

    assert_null(map_get(&m, STR("a")));
    assert_null(map_del(&m, STR("a")));
    assert_null(map_put(&m, STR("a"), &one));
    assert_ptr_equal(map_get(&m, STR("a")), &one);
    assert_ptr_equal(map_put(&m, STR("a"), &two), &one);
    assert_int_equal(m.live, 1);
    assert_null(map_put(&m, STR(""), NULL));
    assert_true(map_has(&m, STR("")));
    assert_null(map_get(&m, STR("")));
    assert_ptr_equal(map_del(&m, STR("a")), &two);
    assert_false(map_has(&m, STR("a")));
    assert_int_equal(m.live, 1);
    map_done(&m, NULL);
}

static void keeps_order(void **state)
{
    struct buf order = BUF_INIT(100);
    struct map m = {0};

    map_put(&m, STR("c"), &m);
    map_put(&m, STR("a"), &m);
    map_put(&m, STR("b"), &m);
    map_del(&m, STR("a"));
    map_put(&m, STR("a"), &m);
    map_each (&m, e)
        buf_str(&order, e->key);
    assert_buf(&order, "cba");
    buf_done(&order);
    map_done(&m, NULL);
}

/* Against a plain array, through many insertions, removals and rebuilds. */
static void many_keys(void **state)
{
    static bool present[1000];
    struct map m = {0};
    size_t live = 0;
    unsigned random = 1;

    for (int step = 0; step < 50000; step++) {
        random = random * 1103515245 + 12345;
        unsigned k = random / 65536 % 1000;
        char key[16];
        int n = snprintf(key, sizeof(key), "key%u", k);
        struct str s = str_n(key, (size_t)n);

        assert_ptr_equal(map_get(&m, s), present[k] ? &present[k] : NULL);
        if (random & 0x100)
            map_put(&m, s, &present[k]);
        else
            map_del(&m, s);
        live += (size_t)(random >> 8 & 1) - present[k];
        present[k] = random & 0x100;
        assert_int_equal(m.live, live);
    }
    size_t seen = 0;
    map_each (&m, e)
        seen++;
    assert_int_equal(seen, live);
    map_done(&m, NULL);
}

/* Removing what iteration stands on, and all else, is allowed. */
static void removal_while_iterating(void **state)
{
    struct map m = {0};
    int seen = 0;

    map_put(&m, STR("a"), &m);
    map_put(&m, STR("b"), &m);
    map_put(&m, STR("c"), &m);
    map_each (&m, e) {
        seen++;
        map_del(&m, STR("b"));
        map_del(&m, e->key);
    }
    assert_int_equal(seen, 2);
    assert_int_equal(m.live, 0);
    map_done(&m, NULL);
}

static void count_call(void *value)
{
    ++*(int *)value;
}

static void done_frees_values(void **state)
{
    struct map m = {0};
    int a = 0, b = 0;

    map_put(&m, STR("a"), &a);
    map_put(&m, STR("b"), &b);
    map_del(&m, STR("b"));
    map_done(&m, count_call);
    assert_int_equal(a, 1);
    assert_int_equal(b, 0);
    assert_null(map_get(&m, STR("a")));
}

static void vectors(void **state)
{
    VEC(int) v = {0};
    int sum = 0;

    for (int i = 0; i < 100; i++)
        vec_push(&v, i);
    vec_each (&v, p)
        sum += *p;
    assert_int_equal(sum, 4950);
    vec_remove(&v, 0);
    assert_int_equal(v.v[0], 1);
    assert_int_equal(vec_last(&v), 99);
    assert_int_equal(vec_pop(&v), 99);
    assert_int_equal(v.n, 98);
    vec_clear(&v);
    assert_int_equal(v.n, 0);
    vec_done(&v);
    assert_null(v.v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(put_get_del),       cmocka_unit_test(keeps_order),
        cmocka_unit_test(many_keys),         cmocka_unit_test(removal_while_iterating),
        cmocka_unit_test(done_frees_values), cmocka_unit_test(vectors),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
