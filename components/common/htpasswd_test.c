/* htpasswd: every form of a hash, made by other programs (openssl passwd, crypt(3)). */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "components/common/htpasswd.h"

static const char users[] =
    "# made by hand\n"
    "\n"
    "apr1:$apr1$abcdefgh$h9FWgUz3n9YxylKLlR5SQ/\n"
    "bcrypt:$2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW\r\n"
    "sha512:$6$saltsalt$TVLlQcbpFVof5W3Yz4DTP6gRstiNuHwwTt6GLc1E5n0U0aDehy0S5knV8wiOQSpT0Y77vwPZN."
    "Pq.H91p5hVO1\n"
    "sha:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=\n"
    "ssha:{SSHA}dj2lH1ocucmj5OQsjP6mQrVx6FhOYUNs\n"
    "plain:secret";

static void forms(void **state)
{
    (void)state;
    static const char *const names[] = {"apr1", "bcrypt", "sha512", "sha", "ssha", "plain"};
    struct htpasswd *h = htpasswd_new();
    struct str bad;
    assert_true(htpasswd_add(h, str_of(users), &bad));
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        assert_false(htpasswd_check(h, str_of(names[i]), STR("wrong")));
        assert_true(htpasswd_check(h, str_of(names[i]), STR("secret")));
        assert_true(htpasswd_check(h, str_of(names[i]), STR("secret"))); /* remembered */
        assert_false(htpasswd_check(h, str_of(names[i]), STR("Secret")));
    }
    assert_false(htpasswd_check(h, STR("nobody"), STR("secret")));
    assert_false(htpasswd_check(h, STR("plain"), STR("")));
    htpasswd_free(h);
}

static void later_lines_win(void **state)
{
    (void)state;
    struct htpasswd *h = htpasswd_new();
    struct str bad;
    assert_true(htpasswd_add(h, STR("a:one\n"), &bad));
    assert_true(htpasswd_add(h, STR("a:two\n"), &bad));
    assert_false(htpasswd_check(h, STR("a"), STR("one")));
    assert_true(htpasswd_check(h, STR("a"), STR("two")));
    htpasswd_free(h);
}

static void bad_lines_are_named(void **state)
{
    (void)state;
    struct htpasswd *h = htpasswd_new();
    struct str bad = {0};
    assert_false(htpasswd_add(h, STR("ok:x\nno colon here\n"), &bad));
    assert_true(str_is(bad, "no colon here"));
    assert_false(htpasswd_add(h, STR(":nobody"), &bad));
    htpasswd_free(h);
}

static void apr1_of_a_long_password(void **state)
{
    (void)state;
    struct buf b = BUF_INIT(256);
    htpasswd_apr1(STR("a much longer password of 40 characters!!"), STR("xy"), &b);
    assert_string_equal(b.p, "$apr1$xy$2S8WINSRmDEX2xJ9.sL7p/");
    buf_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(forms), cmocka_unit_test(later_lines_win),
                                       cmocka_unit_test(bad_lines_are_named),
                                       cmocka_unit_test(apr1_of_a_long_password)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
