/* Blobs: what is charged is given back, growth keeps the bytes, refusals change nothing. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include "base/blob.h"

static void charges_its_budget(void **state)
{
    struct budget budget;

    budget_init(&budget, 100);
    struct blob *b = blob_new(60, &budget);
    assert_non_null(b);
    assert_int_equal(budget_used(&budget), 60);
    assert_null(blob_new(41, &budget));
    assert_int_equal(budget_used(&budget), 60);
    blob_unref(blob_ref(b));
    assert_int_equal(budget_used(&budget), 60);
    blob_unref(b);
    assert_int_equal(budget_used(&budget), 0);
}

static void grows_within_budget(void **state)
{
    struct budget budget;

    budget_init(&budget, 100);
    struct blob *b = blob_new(4, &budget);
    memcpy(b->p, "abcd", 4);
    b->n = 4;
    assert_int_equal(blob_grow(b, 80), 0);
    assert_int_equal(budget_used(&budget), 80);
    assert_true(str_is(blob_view(b), "abcd"));
    assert_int_equal(blob_grow(b, 101), -ENOMEM);
    assert_int_equal(b->cap, 80);
    assert_int_equal(blob_grow(b, 10), 0);
    assert_int_equal(b->cap, 80);
    blob_unref(b);
    assert_int_equal(budget_used(&budget), 0);
}

static void takes_a_buf(void **state)
{
    struct budget budget;
    struct buf from = BUF_INIT(1000), empty = BUF_INIT(10);

    budget_init(&budget, 1);
    buf_cstr(&from, "0123456789");
    struct blob *b = blob_take_buf(&from, &budget);
    assert_null(from.p);
    assert_true(str_is(blob_view(b), "0123456789"));
    assert_int_equal(budget_used(&budget), b->cap);
    assert_in_range(b->cap, 10, 11); /* the closing NUL of a small reserve may stay */
    blob_unref(b);
    assert_int_equal(budget_used(&budget), 0);
    b = blob_take_buf(&empty, NULL);
    assert_int_equal(b->n, 0);
    blob_unref(b);
}

static void works_without_budget(void **state)
{
    struct blob *b = blob_new(0, NULL);

    assert_non_null(b);
    assert_int_equal(b->n, 0);
    assert_null(blob_new(SIZE_MAX, NULL));
    blob_unref(b);
    blob_unref(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(charges_its_budget),
        cmocka_unit_test(grows_within_budget),
        cmocka_unit_test(takes_a_buf),
        cmocka_unit_test(works_without_budget),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
