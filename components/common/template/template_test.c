/* Templates against what Go makes of them (template_cases.def), and the limits of a run. */
#include "components/common/template/template.h"

#include <errno.h>
#include <stdlib.h>
#include "base/test.h"

#define NOW INT64_C(1796072679123456789) /* 2026-11-30 21:04:39 UTC */

enum kind { CASE_OK, CASE_BAD, CASE_FAILS };
struct template_case {
    enum kind kind;
    const char *text, *want;
};
#define OK(t, w)  {CASE_OK, t, w},
#define BAD(t, w) {CASE_BAD, t, w},
#define FAILS(t)  {CASE_FAILS, t, ""},
static const struct template_case cases[] = {
#include "components/common/template/template_cases.def"
};

/* --- data --- */

static const char *const data[][2] = {{"a", "valA"}, {"a-b", "dash"}, {"b", "valB"}, {"empty", ""}};

static struct str get(void *arg, struct str name)
{
    for (size_t i = 0; i < ARRAY_LEN(data); i++)
        if (str_is(name, data[i][0])) return str_of(data[i][1]);
    return (struct str){0};
}

static size_t all(void *arg, struct arena *a, struct str **ret_names, struct str **ret_values)
{
    *ret_names = arena_array(a, struct str, ARRAY_LEN(data));
    *ret_values = arena_array(a, struct str, ARRAY_LEN(data));
    for (size_t i = 0; i < ARRAY_LEN(data); i++) {
        (*ret_names)[i] = str_of(data[i][0]);
        (*ret_values)[i] = str_of(data[i][1]);
    }
    return ARRAY_LEN(data);
}

static int run(const char *text, struct buf *out, char **ret_why)
{
    const struct template_data d = {.get = get, .all = all};
    struct arena scratch;
    const char *why = NULL;
    struct template *t = template_new(str_of(text), ret_why);
    if (!t) return -ENOENT;
    arena_init(&scratch, 0);
    int code = template_run(t, &d, NOW, &scratch, out, &why);
    if (code) *ret_why = str_dup(str_of(why));
    arena_done(&scratch);
    template_free(t);
    return code;
}

static bool as_wanted(const struct template_case *c, int code, const struct buf *out,
                      const char *why)
{
    switch (c->kind) {
    case CASE_OK: return code == 0 && str_is(buf_view(out), c->want);
    case CASE_BAD: return code == -ENOENT && strcmp(why, c->want) == 0;
    case CASE_FAILS: return code == -EINVAL && out->n == 0;
    }
    return false;
}

static void like_go(void **state)
{
    struct buf out = BUF_INIT(1 << 24);
    int bad = 0;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char *why = NULL;
        int code = run(cases[i].text, &out, &why);
        if (!as_wanted(&cases[i], code, &out, why)) {
            print_error("%s\n  got  %d %s %s\n  want %s\n", cases[i].text, code, out.p ? out.p : "",
                        why ? why : "", cases[i].want);
            bad++;
        }
        free(why);
        buf_reset(&out);
    }
    buf_done(&out);
    assert_int_equal(bad, 0);
}

/* --- what is ours --- */

static void check(const char *text, const char *want)
{
    struct buf out = BUF_INIT(1 << 24);
    char *why = NULL;
    if (run(text, &out, &why)) fail_msg("%s: %s", text, why);
    assert_buf(&out, want);
    buf_done(&out);
}

static void fails(const char *text, int code, const char *part)
{
    struct buf out = BUF_INIT(1 << 26);
    char *why = NULL;
    assert_int_equal(run(text, &out, &why), code);
    if (!strstr(why, part)) fail_msg("%s: %s", text, why);
    assert_int_equal(out.n, 0);
    free(why);
    buf_done(&out);
}

static void now_is_given(void **state)
{
    check("{{ now.UTC }}", "2026-11-30 21:04:39.123456789 +0000 UTC");
    check("{{ dateInZone \"15:04\" now \"Asia/Tokyo\" }}", "06:04");
    check("{{ ago (now.Add -90000000000) }}", "1m30s");
    check("{{ durationRound (now.AddDate 0 -3 0) }}", "3mo");
    check("{{ $l := \"15:04\" }}{{ $z := list \"Asia\" \"Tokyo\" | join \"/\" }}{{ dateInZone $l "
          "now $z }}",
          "06:04"); /* a zone that is not known before */
}

static void texts_beyond_ascii_stay_whole(void **state)
{
    check("{{ nospace \"\\u00e9 \\u00a0x\" }}", "éx");
    check("{{ initials \"\\u00e9lan vital\" }}", "év");
}

static void regexes_are_compiled_with_the_template(void **state)
{
    check("{{ range until 3 }}{{ regexFind \"[0-9]+\" (printf \"a%d\" .) }}{{ end }}", "012");
    check("{{ $p := printf \"%s+\" \"b\" }}{{ range until 3 }}{{ regexFind $p \"abbb\" }}{{ end }}",
          "bbbbbbbbb");
    fails("{{ regexMatch \"(a|aa)+$\" (printf \"%sb\" (repeat 100000 \"a\")) | fail }}", -EINVAL,
          "");
}

static void chance(void **state)
{
    check("{{ eq (randAlphaNum 20) (randAlphaNum 20) }}{{ regexMatch "
          "\"^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab]\" uuidv4 }}",
          "falsetrue");
    check("{{ randAscii 50 | regexMatch \"^[ -~]{50}$\" }}{{ randInt -5 -4 }}", "true-5");
    check("{{ shuffle \"abc\" | splitList \"\" | sortAlpha | join \"\" }}", "abc");
}

static void keys_and_certificates(void **state)
{
    check(
        "{{ $ca := genCA \"root\" 10 }}{{ $c := genSignedCert \"leaf\" (list \"10.0.0.1\" \"::1\") "
        "(list \"a.b\") 5 $ca }}{{ $d := buildCustomCert ($c.Cert | b64enc) ($c.Key | b64enc) }}"
        "{{ eq $d.Cert $c.Cert }}",
        "true");
    check(
        "{{ $k := genPrivateKey \"ecdsa\" }}{{ $c := genSelfSignedCertWithKey \"x\" nil nil 1 $k }}"
        "{{ eq $c.Key $k }}",
        "true");
    fails("{{ genCAWithKey \"x\" 1 \"no key\" }}", -EINVAL, "parsing private key");
    fails("{{ genSignedCert \"x\" nil nil 1 \"ca\" }}", -EINVAL, "wrong type for value");
    fails("{{ genSelfSignedCert \"x\" (list \"1.2.3\") nil 1 }}", -EINVAL,
          "error parsing ip: 1.2.3");
}

static void hosts(void **state)
{
    check("{{ getHostByName \"::1\" }}", "::1");
    fails("{{ getHostByName \"no.such.name.example\" }}", -EINVAL, "name servers are not asked");
}

static void limits(void **state)
{
    fails("{{ define \"r\" }}{{ template \"r\" . }}{{ end }}{{ template \"r\" . }}", -E2BIG,
          "limit");
    fails("{{ range until 1000000000 }}x{{ end }}", -E2BIG, "limit");
    fails("{{ range 1000000000 }}{{ $x := . }}{{ end }}", -E2BIG, "limit");
    fails("{{ repeat 1000000000 \"x\" }}", -E2BIG, "limit");
    fails("{{ $s := repeat 1000000 \"x\" }}{{ range until 1000 }}{{ $s }}{{ end }}", -E2BIG,
          "limit");
    fails("{{ $s := \"x\" }}{{ range until 100 }}{{ $s = printf \"%s%s\" $s $s }}{{ end }}", -E2BIG,
          "limit");
    fails("{{ $l := list 1 }}{{ range until 100 }}{{ $l = concat $l $l }}{{ end }}", -E2BIG,
          "limit");
    fails("{{ $d := dict }}{{ $_ := set $d \"d\" $d }}{{ $d }}", -E2BIG, "limit");
    fails("{{ $d := dict }}{{ $_ := set $d \"d\" $d }}{{ toJson $d }}", -E2BIG, "limit");
    fails("{{ $d := dict }}{{ $_ := set $d \"d\" $d }}{{ deepEqual $d (deepCopy $d) }}", -E2BIG,
          "limit");
    fails("{{ indent 100000000 \"x\" }}", -E2BIG, "limit");
    fails("{{ printf \"%1000000d%1000000d%[1]*d\" 1 2 | repeat 100 }}", -E2BIG, "limit");
}

static void deep_nesting_is_refused(void **state)
{
    struct buf text = BUF_INIT(1 << 20);
    char *why = NULL;
    for (int i = 0; i < 1000; i++)
        buf_cstr(&text, "{{ if ");
    assert_null(template_new(buf_view(&text), &why));
    free(why);
    buf_reset(&text);
    buf_cstr(&text, "{{ ");
    for (int i = 0; i < 1000; i++)
        buf_ch(&text, '(');
    assert_null(template_new(buf_view(&text), &why));
    assert_non_null(strstr(why, "max expression depth exceeded"));
    free(why);
    buf_done(&text);
}

/* A failure leaves what the caller had in the buffer. */
static void output_is_all_or_nothing(void **state)
{
    const struct template_data d = {.get = get, .all = all};
    struct arena scratch;
    struct buf out = BUF_INIT(100);
    char *err = NULL;
    const char *why = NULL;
    struct template *t = template_new(STR("some text {{ fail \"x\" }}"), &err);
    arena_init(&scratch, 0);
    buf_cstr(&out, "before");
    assert_int_equal(template_run(t, &d, NOW, &scratch, &out, &why), -EINVAL);
    assert_string_equal(why, "error calling fail: x");
    assert_buf(&out, "before");
    buf_done(&out);
    arena_done(&scratch);
    template_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(like_go),
        cmocka_unit_test(now_is_given),
        cmocka_unit_test(texts_beyond_ascii_stay_whole),
        cmocka_unit_test(regexes_are_compiled_with_the_template),
        cmocka_unit_test(chance),
        cmocka_unit_test(keys_and_certificates),
        cmocka_unit_test(hosts),
        cmocka_unit_test(limits),
        cmocka_unit_test(deep_nesting_is_refused),
        cmocka_unit_test(output_is_all_or_nothing),
    };
    setenv("TZ", "UTC", 1);
    setenv("LANG_TEST_X", "val", 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
