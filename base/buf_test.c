/* Tests of base/buf.h. */
#include "base/test.h"
#include <errno.h>
#include <stdlib.h>
#include "base/budget.h"

static void additions(void **state)
{
    struct buf b = BUF_INIT(1000);

    buf_add(&b, NULL, 0);
    assert_null(b.p);
    buf_cstr(&b, "ab");
    buf_str(&b, STR("cd"));
    buf_ch(&b, 'e');
    buf_printf(&b, "%d%s", 42, "!");
    assert_string_equal(b.p, "abcde42!");
    for (int i = 0; i < 100; i++)
        buf_ch(&b, 'x');
    assert_int_equal(b.n, 108);
    assert_int_equal(b.p[108], '\0');
    buf_done(&b);
    assert_null(b.p);
}

static void printing_grows(void **state)
{
    struct buf b = BUF_INIT(10000);

    buf_printf(&b, "%0500d|", 7);
    buf_printf(&b, "%0500d", 8);
    assert_int_equal(b.n, 1001);
    assert_int_equal(b.p[499], '7');
    assert_int_equal(b.p[1000], '8');
    buf_done(&b);
}

static void maximum_is_kept(void **state)
{
    struct buf b = BUF_INIT(5);

    buf_cstr(&b, "12345");
    assert_int_equal(buf_err(&b), 0);
    buf_ch(&b, '6');
    assert_int_equal(buf_err(&b), -E2BIG);
    assert_text(buf_view(&b), "12345");
    buf_reset(&b);
    assert_int_equal(buf_err(&b), 0);
    buf_printf(&b, "%s", "123456");
    assert_int_equal(buf_err(&b), -E2BIG);
    assert_int_equal(b.n, 0);
    assert_string_equal(b.p, ""); /* nothing of the refused text is left behind */
    buf_cstr(&b, "x");
    assert_int_equal(b.n, 0); /* errors stick */
    buf_done(&b);

    struct buf none = BUF_INIT(0);
    buf_ch(&none, 'x');
    assert_int_equal(buf_err(&none), -E2BIG);
    buf_done(&none);
}

static void huge_additions(void **state)
{
    struct buf b = BUF_INIT(SIZE_MAX);

    buf_ch(&b, 'x');
    assert_null(buf_reserve(&b, SIZE_MAX - 1));
    assert_int_equal(buf_err(&b), -E2BIG);
    buf_done(&b);
}

static void reserve_and_commit(void **state)
{
    struct buf b = BUF_INIT(100);
    char *p = buf_reserve(&b, 10);

    memcpy(p, "hello", 5);
    buf_commit(&b, 5);
    assert_text(buf_view(&b), "hello");
    assert_int_equal(b.p[5], '\0');
    assert_non_null(buf_reserve(&b, 95));
    assert_null(buf_reserve(&b, 96));
    buf_done(&b);
}

static void cutting(void **state)
{
    struct buf b = BUF_INIT(100);

    buf_consume(&b, 0);
    buf_cstr(&b, "abcdef");
    buf_consume(&b, 2);
    assert_string_equal(b.p, "cdef");
    buf_truncate(&b, 1);
    assert_string_equal(b.p, "c");
    buf_consume(&b, 1);
    assert_string_equal(b.p, "");
    buf_done(&b);
}

static void taking(void **state)
{
    struct buf b = BUF_INIT(100);
    size_t n = 9;
    char *p = buf_take(&b, &n);

    assert_string_equal(p, "");
    assert_int_equal(n, 0);
    free(p);
    buf_cstr(&b, "abc");
    p = buf_take(&b, &n);
    assert_string_equal(p, "abc");
    assert_int_equal(n, 3);
    assert_null(b.p);
    free(p);
    buf_cstr(&b, "again"); /* the maximum is still known */
    assert_text(buf_view(&b), "again");
    buf_done(&b);
}

#ifdef HOSTILE
static void allocation_fails(void **state)
{
    struct buf b = BUF_INIT(100);

    buf_cstr(&b, "kept");
    budget_fail_nth(1);
    buf_cstr(&b, "lost");
    assert_int_equal(buf_err(&b), -ENOMEM);
    assert_text(buf_view(&b), "kept");
    buf_done(&b);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(additions),
        cmocka_unit_test(printing_grows),
        cmocka_unit_test(maximum_is_kept),
        cmocka_unit_test(huge_additions),
        cmocka_unit_test(reserve_and_commit),
        cmocka_unit_test(cutting),
        cmocka_unit_test(taking),
#ifdef HOSTILE
        cmocka_unit_test(allocation_fails),
#endif
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
