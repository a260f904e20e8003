/* Tests of base/str.h. */
#include "base/test.h"
#include <stdlib.h>

static void order_and_equality(void **state)
{
    assert_true(str_cmp(STR("a"), STR("b")) < 0);
    assert_true(str_cmp(STR("b"), STR("a")) > 0);
    assert_true(str_cmp(STR("a"), STR("ab")) < 0);
    assert_int_equal(str_cmp(STR("ab"), STR("ab")), 0);
    assert_true(str_cmp(STR("\x80"), STR("a")) > 0); /* bytes are unsigned */
    assert_int_equal(str_cmp((struct str){0}, STR("")), 0);
    assert_true(str_eq((struct str){0}, STR("")));
    assert_true(str_ieq(STR("Content-TYPE"), STR("content-type")));
    assert_false(str_ieq(STR("a["), STR("a{"))); /* only letters fold */
    assert_false(str_ieq(STR("ab"), STR("a")));
}

static void affixes(void **state)
{
    assert_true(str_starts(STR("abc"), STR("ab")));
    assert_true(str_starts(STR("abc"), STR("")));
    assert_false(str_starts(STR("a"), STR("ab")));
    assert_true(str_ends(STR("abc"), STR("bc")));
    assert_true(str_ends((struct str){0}, STR("")));
    assert_false(str_ends(STR("abc"), STR("b")));
}

static void finding(void **state)
{
    assert_int_equal(str_find(STR("hello"), STR("l")), 2);
    assert_int_equal(str_find(STR("hello"), STR("lo")), 3);
    assert_int_equal(str_find(STR("hello"), STR("")), 0);
    assert_int_equal(str_find(STR("hello"), STR("hello!")), -1);
    assert_int_equal(str_find((struct str){0}, STR("x")), -1);
    assert_int_equal(str_chr(STR("hello"), 'l'), 2);
    assert_int_equal(str_rchr(STR("hello"), 'l'), 3);
    assert_int_equal(str_chr((struct str){0}, 'l'), -1);
    assert_int_equal(str_rchr(STR("hello"), 'x'), -1);
}

static void trimming(void **state)
{
    assert_text(str_trim(STR(" \t\r\n\v\fa b \n")), "a b");
    assert_text(str_trim(STR(" \n ")), "");
    assert_text(str_trim((struct str){0}), "");
}

static void cutting(void **state)
{
    struct str s = STR("a,,b");

    assert_text(str_cut(&s, ','), "a");
    assert_text(str_cut(&s, ','), "");
    assert_text(str_cut(&s, ','), "b");
    assert_null(s.p);
    assert_int_equal(s.n, 0);
    s = STR("x,");
    assert_text(str_cut(&s, ','), "x");
    assert_non_null(s.p); /* empty, but there was a separator */
    assert_text(str_cut(&s, ','), "");
    assert_null(s.p);
}

static void distances(void **state)
{
    static char longest[300];

    assert_int_equal(str_distance(STR("kitten"), STR("sitting"), 5), 3);
    assert_int_equal(str_distance(STR("kitten"), STR("sitting"), 2), 3);
    assert_int_equal(str_distance(STR("forward_too"), STR("forward_to"), 2), 1);
    assert_int_equal(str_distance(STR("ulr"), STR("url"), 1), 1);
    assert_int_equal(str_distance(STR("tiemuot"), STR("timeout"), 3), 2);
    assert_int_equal(str_distance(STR("ca"), STR("abc"), 4), 3); /* no letter is moved twice */
    assert_int_equal(str_distance(STR(""), STR("abc"), 9), 3);
    assert_int_equal(str_distance(STR("abc"), STR(""), 1), 2);
    assert_int_equal(str_distance(STR("same"), STR("same"), 0), 0);
    memset(longest, 'x', sizeof(longest));
    assert_int_equal(str_distance(str_n(longest, 300), str_n(longest, 300), 4), 5);
}

static void copies(void **state)
{
    char *copy = str_dup(str_n("abcdef", 3));

    assert_string_equal(copy, "abc");
    free(copy);
    copy = str_dup((struct str){0});
    assert_string_equal(copy, "");
    free(copy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(order_and_equality),
        cmocka_unit_test(affixes),
        cmocka_unit_test(finding),
        cmocka_unit_test(trimming),
        cmocka_unit_test(cutting),
        cmocka_unit_test(distances),
        cmocka_unit_test(copies),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
