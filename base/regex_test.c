/* Tests of base/regex.h: what Go refuses and with which words, what matches where, texts of any
 * bytes, runaway patterns. */
#include "base/regex.h"
#include <pthread.h>
#include <stdlib.h>
#include "base/test.h"

static struct regex *must_compile(const char *pattern)
{
    char *err = NULL;
    struct regex *re = regex_compile(str_of(pattern), &err);

    if (!re) fail_msg("%s: %s", pattern, err);
    return re;
}

static void refusals(void **state)
{
    static const struct {
        const char *pattern, *err;
    } cases[] = {
        {"(?=a)", "invalid or unsupported Perl syntax: `(?=`"},
        {"(?!a)", "invalid or unsupported Perl syntax: `(?!`"},
        {"(?<=a)b", "invalid named capture: `(?<=a)b`"},
        {"(?>a)", "invalid or unsupported Perl syntax: `(?>`"},
        {"(?|a)", "invalid or unsupported Perl syntax: `(?|`"},
        {"(?#x)", "invalid or unsupported Perl syntax: `(?#`"},
        {"(?P=n)", "invalid or unsupported Perl syntax: `(?P`"},
        {"(?R)", "invalid or unsupported Perl syntax: `(?R`"},
        {"(?x)", "invalid or unsupported Perl syntax: `(?x`"},
        {"(?i", "invalid or unsupported Perl syntax: `(?i`"},
        {"(?i-)", "invalid or unsupported Perl syntax: `(?i-)`"},
        {"(?P<n", "invalid named capture: `(?P<n`"},
        {"(?P<>a)", "invalid named capture: `(?P<>`"},
        {"(?P<a-b>a)", "invalid named capture: `(?P<a-b>`"},
        {"(*VERB)", "missing argument to repetition operator: `*`"},
        {"*a", "missing argument to repetition operator: `*`"},
        {"a|*", "missing argument to repetition operator: `*`"},
        {"(?i)+", "missing argument to repetition operator: `+`"},
        {"a++", "invalid nested repetition operator: `++`"},
        {"a**", "invalid nested repetition operator: `**`"},
        {"a{2}{3}", "invalid nested repetition operator: `{2}{3}`"},
        {"x{2}??", "invalid nested repetition operator: `{2}??`"},
        {"a{1001}", "invalid repeat count: `{1001}`"},
        {"a{2,1}", "invalid repeat count: `{2,1}`"},
        {"((a{100}){10}){2}", "invalid repeat count: `{2}`"},
        {"\\1", "invalid escape sequence: `\\1`"},
        {"\\8", "invalid escape sequence: `\\8`"},
        {"\\Z", "invalid escape sequence: `\\Z`"},
        {"\\K", "invalid escape sequence: `\\K`"},
        {"\\C", "invalid escape sequence: `\\C`"},
        {"\\E", "invalid escape sequence: `\\E`"},
        {"\\cA", "invalid escape sequence: `\\c`"},
        {"\\x{110000}", "invalid escape sequence: `\\x{110000`"},
        {"\\x{}", "invalid escape sequence: `\\x{}`"},
        {"\\x1", "invalid escape sequence: `\\x1`"},
        {"a\\", "trailing backslash at end of expression: ``"},
        {"(a", "missing closing ): `(a`"},
        {"a)b", "unexpected ): `a)b`"},
        {"x[a", "missing closing ]: `[a`"},
        {"[]a", "missing closing ]: `[]a`"},
        {"[b-a]", "invalid character class range: `b-a`"},
        {"[a-\\d]", "invalid escape sequence: `\\d`"},
        {"[[:foo:]]", "invalid character class range: `[:foo:]`"},
        {"[[:d:]]", "invalid character class range: `[:d:]`"},
        {"\\pX", "invalid character class range: `\\pX`"},
        {"\\p{Foo}", "invalid character class range: `\\p{Foo}`"},
        {"\\p{Grek}", "invalid character class range: `\\p{Grek}`"},
        {"\\p{Alphabetic}", "invalid character class range: `\\p{Alphabetic}`"},
        {"\\p{Foo", "invalid character class range: `\\p{Foo`"},
        {"a\xFF", "invalid UTF-8: `\xFF`"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char *err = NULL;

        if (regex_compile(str_of(cases[i].pattern), &err))
            fail_msg("%s was taken", cases[i].pattern);
        assert_true(str_starts(str_of(err), STR("error parsing regexp: ")));
        assert_string_equal(err + strlen("error parsing regexp: "), cases[i].err);
        free(err);
        assert_null(regex_compile_anchored(str_of(cases[i].pattern), NULL));
    }
}

static void matches(void **state)
{
    static const struct {
        const char *pattern;
        struct str text;
        int from, to; /* -1: no match */
    } cases[] = {
        {"b+", {"abbbc", 5}, 1, 4},
        {"b+?", {"abbbc", 5}, 1, 2},
        {"(?U)b+", {"abbbc", 5}, 1, 2},
        {"a|ab", {"ab", 2}, 0, 1},
        {"", {"ab", 2}, 0, 0},
        {"a$", {"a\n", 2}, -1, 0},
        {"(?m)a$", {"a\n", 2}, 0, 1},
        {"(?m)^$", {"a\n", 2}, 2, 2},
        {"(?m)^b", {"a\nb", 3}, 2, 3},
        {"^b", {"a\nb", 3}, -1, 0},
        {"a.b", {"a\nb", 3}, -1, 0},
        {"(?s)a.b", {"a\nb", 3}, 0, 3},
        {"a[^x]b", {"a\nb", 3}, 0, 3},
        {"\\v", {"\n", 1}, -1, 0},
        {"\\v", {"\v", 1}, 0, 1},
        {"\\s", {"\v", 1}, -1, 0},
        {"[\\s]", {"\v", 1}, -1, 0},
        {"\\S", {"\v", 1}, 0, 1},
        {"[^\\S]", {"\v", 1}, -1, 0},
        {"[[:space:]]", {"\v", 1}, 0, 1},
        {"\\d", {"\xD9\xA3", 2}, -1, 0},
        {"\\w", {"\xC3\xA9", 2}, -1, 0},
        {"\\W", {"\xC3\xA9", 2}, 0, 2},
        {"(?i)k", {"\xE2\x84\xAA", 3}, 0, 3},
        {"(?i)\\w", {"\xC5\xBF", 2}, 0, 2},
        {"(?i)\\W", {"\xC5\xBF", 2}, -1, 0},
        {"(?i)[\\W]", {"\xE2\x84\xAA", 3}, -1, 0},
        {"(?i)[[:upper:]]", {"q", 1}, 0, 1},
        {"(?i)[^[:upper:]]", {"q", 1}, -1, 0},
        {"(?i)\\p{Lu}", {"q", 1}, 0, 1},
        {"\\p{Lu}", {"q", 1}, -1, 0},
        {"\\p{Letter}", {"\xC3\xA9", 2}, 0, 2},
        {"\\PL", {"\xC3\xA9", 2}, -1, 0},
        {"\\p{^L}", {"\xC3\xA9", 2}, -1, 0},
        {"[\\p{Greek}x]+", {"x\xCE\xB1\xCF\x89q", 6}, 0, 5},
        {"\\012\\x41\\x{42}\\07", {"\nAB\a", 4}, 0, 4},
        {"\\0", {"\0", 1}, 0, 1},
        {"\\Qa.b\\E+", {"a.bbb", 5}, 0, 5},
        {"\\Qa.b", {"axb", 3}, -1, 0},
        {"a{,3}", {"a{,3}", 5}, 0, 5},
        {"a{,3}", {"aaa", 3}, -1, 0},
        {"a{1", {"a{1", 3}, 0, 3},
        {"a{01}", {"a{01}", 5}, 0, 5},
        {"x{2,}", {"xxxx", 4}, 0, 4},
        {"[]a]+", {"]a", 2}, 0, 2},
        {"[a-]+", {"a-", 2}, 0, 2},
        {"[a\\]b]+", {"a]b", 3}, 0, 3},
        {"[[:a]+", {"[:a", 3}, 0, 3},
        {"a(?i)*b", {"aaB", 3}, 0, 3},
        {"^*a", {"a", 1}, 0, 1},
        {"a*(?i)+b", {"aaB", 3}, 0, 3},
        {"(?i:a)b", {"Ab", 2}, 0, 2},
        {"(?i:a)b", {"AB", 2}, -1, 0},
        {"((?i)a|b)c", {"Bc", 2}, 0, 2},
        {"((?i)a|b)c", {"BC", 2}, -1, 0},
        {"\\bfoo\\b", {"a foo b", 7}, 2, 5},
        {"[\\x{D800}]|q", {"q", 1}, 0, 1},
        {"[^\\x{D800}]", {"q", 1}, 0, 1},
        {"#\\ \\#", {"# #", 3}, 0, 3},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct regex *re = must_compile(cases[i].pattern);
        ssize_t ov[2] = {-1, -1};
        int rc = regex_match(re, cases[i].text, 0, ov, 1);

        if (rc != (cases[i].from >= 0) ||
            (rc == 1 && (ov[0] != cases[i].from || ov[1] != cases[i].to)))
            fail_msg("%s on \"" STR_FMT "\": %d, %zd to %zd", cases[i].pattern,
                     STR_ARG(cases[i].text), rc, ov[0], ov[1]);
        regex_free(re);
    }
}

/* Bad bytes count as U+FFFD of width one, and offsets stay those of the text. */
static void any_bytes(void **state)
{
    static const struct {
        const char *pattern, *text;
        int from, to;
    } cases[] = {
        {"^.*$",
         "a\xFF\xFE"
         "b",
         0, 4},
        {"b",
         "\xFF\xC3\xA9\xFE"
         "b",
         4, 5},
        {"[^x]+", "x\xFF\xFFx", 1, 3},
        {"\\x{FFFD}",
         "a\xE2\x82"
         "b",
         1, 2},
        {"\xC3\xA9", "\xFF\xC3\xA9\xFF", 1, 3},
        {"$", "\xFF", 1, 1},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct regex *re = must_compile(cases[i].pattern);
        ssize_t ov[2];

        assert_int_equal(regex_match(re, str_of(cases[i].text), 0, ov, 1), 1);
        assert_int_equal(ov[0], cases[i].from);
        assert_int_equal(ov[1], cases[i].to);
        regex_free(re);
    }
    struct regex *re = must_compile(".");
    ssize_t ov[2];
    assert_int_equal(regex_match(re, STR("\xFF\xFEx"), 2, ov, 1), 1);
    assert_int_equal(ov[0], 2);
    assert_int_equal(regex_match(re, STR("\xFF"), 1, ov, 1), 0);
    assert_int_equal(regex_match(re, STR("\xFF"), 2, ov, 1), 0);
    regex_free(re);
}

static void groups(void **state)
{
    struct regex *re = must_compile(
        "(?P<year>\\d+)-(\\d\\d)(?<1day>x)?(?P<a_very_long_name_indeed_that_goes_on_and_on>)");
    ssize_t ov[12];

    assert_int_equal(regex_groups(re), 4);
    assert_text(regex_group_name(re, 1), "year");
    assert_text(regex_group_name(re, 2), "");
    assert_text(regex_group_name(re, 3), "1day");
    assert_int_equal(regex_group_index(re, STR("1day")), 3);
    assert_int_equal(regex_group_index(re, STR("a_very_long_name_indeed_that_goes_on_and_on")), 4);
    assert_int_equal(regex_group_index(re, STR("")), -1);
    assert_int_equal(regex_group_index(re, STR("month")), -1);
    assert_int_equal(regex_match(re, STR("on 2024-05"), 0, ov, 6), 1);
    static const ssize_t want[12] = {3, 10, 3, 7, 8, 10, -1, -1, 10, 10, -1, -1};
    assert_memory_equal(ov, want, sizeof(want));
    assert_int_equal(regex_match(re, STR("on 2024-05"), 4, ov, 1), 1);
    assert_int_equal(ov[0], 4);
    assert_int_equal(regex_match(re, STR("2024-05"), 0, NULL, 0), 1);
    regex_free(re);
    regex_free(NULL);
}

static void anchored(void **state)
{
    struct regex *re = regex_compile_anchored(STR("a|b.c"), NULL);

    assert_int_equal(regex_match(re, STR("a"), 0, NULL, 0), 1);
    assert_int_equal(regex_match(re, STR("b\nc"), 0, NULL, 0), 1);
    assert_int_equal(regex_match(re, STR("ab"), 0, NULL, 0), 0);
    assert_int_equal(regex_match(re, STR("xa"), 0, NULL, 0), 0);
    assert_int_equal(regex_match(re, STR("a\n"), 0, NULL, 0), 0);
    regex_free(re);
    re = regex_compile_anchored(STR(""), NULL);
    assert_int_equal(regex_match(re, (struct str){0}, 0, NULL, 0), 1);
    assert_int_equal(regex_match(re, STR("a"), 0, NULL, 0), 0);
    regex_free(re);
    assert_null(regex_compile_anchored(STR("a)|(b"), NULL));
}

static void expansion(void **state)
{
    static const struct {
        const char *tmpl, *want;
    } cases[] = {
        {"$1", "a"},
        {"${1}0", "a0"},
        {"$10", ""},
        {"$1x", ""},
        {"$$1", "$1"},
        {"$x-$y", "b-"},
        {"${x}", "b"},
        {"${x", "${x"},
        {"$", "$"},
        {"$ $", "$ $"},
        {"${}", "${}"},
        {"${x y}", "${x y}"},
        {"<$0>", "<a:b>"},
        {"$01", ""},
        {"$3", ""},
        {"$-", "$-"},
        {"no names", "no names"},
        {"", ""},
        {"$99999999999999999999", ""},
    };
    struct regex *re = must_compile("(a):(?P<x>b)(c)?");
    struct str text = STR("-a:b-");
    struct buf out = BUF_INIT(100);
    ssize_t ov[8];

    assert_int_equal(regex_match(re, text, 0, ov, 4), 1);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        regex_expand(re, str_of(cases[i].tmpl), text, ov, &out);
        assert_buf(&out, cases[i].want);
    }
    buf_done(&out);
    regex_free(re);
}

static void runaway_patterns_stop(void **state)
{
    static const char *const patterns[] = {"(a+)+$", "(a|aa)+$", "(.*)(.*)(.*)(.*)(.*)(.*)[xy]"};
    char text[201];

    memset(text, 'a', 200);
    text[200] = 'b';
    for (size_t i = 0; i < ARRAY_LEN(patterns); i++) {
        struct regex *re = must_compile(patterns[i]);

        assert_int_equal(regex_match(re, str_n(text, 201), 0, NULL, 0), REGEX_LIMIT);
        regex_free(re);
    }
}

static void deep_and_large(void **state)
{
    struct buf b = BUF_INIT(1 << 20);
    char *err = NULL;

    for (int i = 0; i < 900; i++)
        buf_ch(&b, '(');
    buf_ch(&b, 'a');
    for (int i = 0; i < 900; i++)
        buf_ch(&b, ')');
    struct regex *re = must_compile(b.p);
    assert_int_equal(regex_match(re, STR("a"), 0, NULL, 0), 1);
    regex_free(re);
    buf_reset(&b);
    for (int i = 0; i < 1100; i++)
        buf_ch(&b, '(');
    assert_null(regex_compile(buf_view(&b), &err));
    assert_true(
        str_starts(str_of(err), STR("error parsing regexp: expression nests too deeply: `")));
    free(err);
    buf_done(&b);
    assert_null(
        regex_compile(STR("(?:abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz){1000}"), &err));
    assert_true(str_starts(str_of(err), STR("error parsing regexp: expression too large: `")));
    free(err);
}

static void *match_many(void *arg)
{
    ssize_t ov[4];

    for (int i = 0; i < 500; i++) {
        if (regex_match(arg, STR("x\xFFkey=value"), 0, ov, 2) != 1 || ov[2] != 6) abort();
    }
    return NULL;
}

/* One regex, several threads, each with scratch that goes with it. */
static void threads(void **state)
{
    struct regex *re = must_compile("key=(\\w+)");
    pthread_t t[3];

    for (size_t i = 0; i < ARRAY_LEN(t); i++)
        assert_int_equal(pthread_create(&t[i], NULL, match_many, re), 0);
    for (size_t i = 0; i < ARRAY_LEN(t); i++)
        pthread_join(t[i], NULL);
    regex_free(re);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refusals),
        cmocka_unit_test(matches),
        cmocka_unit_test(any_bytes),
        cmocka_unit_test(groups),
        cmocka_unit_test(anchored),
        cmocka_unit_test(expansion),
        cmocka_unit_test(runaway_patterns_stop),
        cmocka_unit_test(deep_and_large),
        cmocka_unit_test(threads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
