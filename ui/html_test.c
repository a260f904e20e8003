/* Hostile text stays text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "ui/html.h"

#define HOSTILE "<script>alert('1')</script>&\""
#define TAMED   "&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&amp;&quot;"

static void check(struct buf *b, const char *want)
{
    assert_int_equal(buf_err(b), 0);
    assert_string_equal(b->p, want);
    buf_done(b);
}

static void test_text(void **state)
{
    struct buf b = BUF_INIT(4096);
    html_text(&b, STR(HOSTILE));
    check(&b, TAMED);
    html_text(&b, STR("a\x01\xff\xc2\x80 b\n"));
    check(&b, "a\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd b\n");
    html(&b, "<b title=\"%s\">%s</b>", "\" onclick=\"x", "<i>");
    check(&b, "<b title=\"&quot; onclick=&quot;x\">&lt;i&gt;</b>");
}

static void test_path(void **state)
{
    struct buf b = BUF_INIT(4096);
    html_path(&b, STR("a.b/c\"<> ?#%"));
    check(&b, "a.b/c%22%3C%3E%20%3F%23%25");
}

static void test_statements(void **state)
{
    struct buf b = BUF_INIT(4096);
    html_statements(&b, STR("[]"));
    check(&b, "<p class=\"none\">nothing</p>");
    html_statements(&b, STR("[{\"name\":\"a\",\"type\":\"attr\",\"value\":{\"type\":\"string\","
                            "\"value\":\"<b>\"}}]"));
    check(&b, "<table class=\"body\"><tr><th scope=\"row\"><code>a</code></th><td><code "
              "class=\"string\">&quot;&lt;b&gt;&quot;</code></td></tr>\n</table>");
    html_statements(&b, STR("[{\"name\":\"a\",\"type\":\"block\",\"label\":\"<x>\",\"body\":[{"
                            "\"name\":\"n\",\"type\":\"attr\",\"value\":{\"type\":\"number\","
                            "\"value\":1.5}}]}]"));
    assert_non_null(strstr(b.p, "a &quot;&lt;x&gt;&quot;"));
    assert_non_null(strstr(b.p, "<code>1.5</code>"));
    buf_done(&b);
}

static void test_nested_values(void **state)
{
    struct buf b = BUF_INIT(1 << 16);
    html_statements(
        &b, STR("[{\"name\":\"a\",\"type\":\"attr\",\"value\":{\"type\":\"array\",\"value\":["
                "{\"type\":\"object\",\"value\":[{\"key\":\"<k>\",\"value\":{\"type\":\"null\","
                "\"value\":null}}]},{\"type\":\"capsule\",\"value\":\"(secret)\"}]}}]"));
    assert_non_null(strstr(b.p, "<ul><li><table class=\"object\"><tr><th "
                                "scope=\"row\">&lt;k&gt;</th><td><code>null</code></td></tr>"
                                "</table></li><li><code>(secret)</code></li></ul>"));
    buf_done(&b);
}

static void test_long_lists_are_counted(void **state)
{
    struct buf json = BUF_INIT(1 << 16), b = BUF_INIT(1 << 16);
    buf_cstr(&json, "[{\"name\":\"a\",\"type\":\"attr\",\"value\":{\"type\":\"array\",\"value\":[");
    for (int i = 0; i < 130; i++)
        buf_printf(&json, "%s{\"type\":\"number\",\"value\":%d}", i ? "," : "", i);
    buf_cstr(&json, "]}},{\"name\":\"z\",\"type\":\"attr\",\"value\":{\"type\":\"bool\","
                    "\"value\":true}}]");
    html_statements(&b, buf_view(&json));
    assert_non_null(strstr(b.p, "<li><code>99</code></li><li><i>and 30 more</i></li></ul>"));
    assert_non_null(strstr(b.p, "<code>z</code></th><td><code>true</code>"));
    buf_done(&json);
    buf_done(&b);
}

static void test_broken_json_ends(void **state)
{
    static const char *const broken[] = {
        "",    "{", "[{\"name\":", "[{\"name\":\"a\",\"value\":{", "[{\"name\":1,\"body\":[1,2",
        "[[[["};
    for (size_t i = 0; i < ARRAY_LEN(broken); i++) {
        struct buf b = BUF_INIT(4096);
        html_statements(&b, str_of(broken[i]));
        assert_int_equal(buf_err(&b), 0);
        buf_done(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_path),
        cmocka_unit_test(test_statements),
        cmocka_unit_test(test_nested_values),
        cmocka_unit_test(test_long_lists_are_counted),
        cmocka_unit_test(test_broken_json_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
