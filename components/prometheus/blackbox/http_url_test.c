/* Targets and redirects as URLs. */
#include "base/test.h"

#include "components/prometheus/blackbox/http_url.h"

static void test_targets(void **state)
{
    struct arena a;

    arena_init(&a, 0);
    assert_text(http_url_of(&a, STR("example.com")), "http://example.com");
    assert_text(http_url_of(&a, STR("HTTPS://x/y?z#part")), "HTTPS://x/y?z");
    assert_text(http_url_of(&a, STR("localhost:80/a")), "http://localhost:80/a");
    arena_done(&a);
}

static void test_redirects(void **state)
{
    static const char *const cases[][3] = {
        {"http://h/a/b?q", "https://x.org/y#f", "https://x.org/y"},
        {"http://h/a/b?q", "//other/c", "http://other/c"},
        {"http://h:8080/a/b?q", "/c/./d/../e", "http://h:8080/c/e"},
        {"http://h/a/b?q", "c?d=/e", "http://h/a/c?d=/e"},
        {"http://h/a/b", "../../../c", "http://h/c"},
        {"http://h/a/b", "?x", "http://h/a/b?x"},
        {"http://h/a/b?q", "", "http://h/a/b?q"},
        {"http://h", "c", "http://h/c"},
        {"http://h?q", "c/", "http://h/c/"},
        {"http://h/a/", "..", "http://h/"},
    };
    struct arena a;

    arena_init(&a, 0);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_text(http_url_join(&a, str_of(cases[i][0]), str_of(cases[i][1])), cases[i][2]);
    arena_done(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_targets),
        cmocka_unit_test(test_redirects),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
