/* Tokens that are kept: until when. */
#include "net/http_token.h"

#include "base/clock.h"
#include "base/test.h"

static void test_until_it_expires(void **state)
{
    struct http_token *t = http_token_new();

    assert_null(http_token_get(NULL, 0).p);
    assert_null(http_token_get(t, 0).p);
    http_token_keep(t, STR("Bearer a"), 60, 5 * NS_PER_SEC);
    assert_true(str_is(http_token_get(t, 54 * NS_PER_SEC), "Bearer a"));
    assert_null(http_token_get(t, 55 * NS_PER_SEC).p);
    http_token_keep(t, STR("Bearer b"), 5, 0); /* too short to be kept */
    assert_null(http_token_get(t, 0).p);
    http_token_keep(t, STR("Bearer c"), 0, 0); /* nobody said how long */
    assert_true(str_is(http_token_get(t, INT64_MAX), "Bearer c"));
    http_token_keep(t, STR("Bearer d"), 1e300, 0);
    assert_true(str_is(http_token_get(t, NS_PER_SEC), "Bearer d"));
    http_token_forget(t);
    assert_null(http_token_get(t, 0).p);
    http_token_unref(http_token_ref(t));
    http_token_unref(t);
    http_token_unref(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_until_it_expires)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
