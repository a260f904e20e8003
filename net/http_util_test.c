/* URLs, host:port, header lookup, proxies by the environment. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include "net/http_proxy.h"
#include "net/resolver.h"

static const struct {
    const char *url, *host, *path, *query, *userinfo;
    int port; /* -1: refused */
} urls[] = {
    {"http://h", "h", "", "", "", 0},
    {"HTTPS://h:443/p/q?a=b&c#frag", "h", "/p/q", "a=b&c", "", 443},
    {"http://u:p@[::1]:4318/v1", "::1", "/v1", "", "u:p", 4318},
    {"http://h?x", "h", "", "x", "", 0},
    {"http://h:/", "h", "/", "", "", 0},
    {"ftp://h/", NULL, NULL, NULL, NULL, -1},
    {"h:80/p", NULL, NULL, NULL, NULL, -1},
    {"http:///p", NULL, NULL, NULL, NULL, -1},
    {"http://h:65536/", NULL, NULL, NULL, NULL, -1},
    {"http://h:x/", NULL, NULL, NULL, NULL, -1},
    {"http://h h/", NULL, NULL, NULL, NULL, -1},
    {"http://[::1/", NULL, NULL, NULL, NULL, -1},
    {"http://::1/", NULL, NULL, NULL, NULL, -1},
    {"", NULL, NULL, NULL, NULL, -1},
};

static void urls_are_taken_apart(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(urls); i++) {
        struct url u;
        char *err = NULL;
        int r = url_parse(str_of(urls[i].url), &u, &err);
        assert_int_equal(r, urls[i].port < 0 ? -EINVAL : 0);
        assert_true((r != 0) == (err != NULL));
        free(err);
        if (r != 0) continue;
        assert_true(str_is(u.host, urls[i].host));
        assert_true(str_is(u.path, urls[i].path));
        assert_true(str_is(u.query, urls[i].query));
        assert_true(str_is(u.userinfo, urls[i].userinfo));
        assert_int_equal(u.port, urls[i].port);
    }
}

static void hosts_and_ports(void **state)
{
    struct str host;
    int port;

    assert_int_equal(hostport_parse(STR("0.0.0.0:4317"), -1, &host, &port, NULL), 0);
    assert_true(str_is(host, "0.0.0.0") && port == 4317);
    assert_int_equal(hostport_parse(STR(":80"), -1, &host, &port, NULL), 0);
    assert_true(host.n == 0 && port == 80);
    assert_int_equal(hostport_parse(STR("[fe80::1]:1"), -1, &host, &port, NULL), 0);
    assert_true(str_is(host, "fe80::1") && port == 1);
    assert_int_equal(hostport_parse(STR("h"), 9, &host, &port, NULL), 0);
    assert_int_equal(port, 9);
    assert_int_equal(hostport_parse(STR("h"), -1, &host, &port, NULL), -EINVAL);
    assert_int_equal(hostport_parse(STR("a:b:1"), -1, &host, &port, NULL), -EINVAL);
    assert_int_equal(hostport_parse(STR("h:99999"), -1, &host, &port, NULL), -EINVAL);
}

static void headers_compare_without_case(void **state)
{
    const struct http_header h[] = {{STR("Content-Type"), STR("a")},
                                    {STR("content-type"), STR("b")}};

    assert_true(str_is(http_header_get(h, 2, STR("CONTENT-TYPE")), "a"));
    assert_null(http_header_get(h, 2, STR("accept")).p);
    assert_string_equal(http_status_text(404), "Not Found");
    assert_string_equal(http_status_text(299), "");
}

static const struct {
    const char *no_proxy, *host;
    int port;
    bool bypassed;
} proxies[] = {
    {"", "example.com", 80, false},
    {"*", "example.com", 80, true},
    {"example.com", "example.com", 80, true},
    {"example.com", "a.example.com", 80, true},
    {"example.com", "badexample.com", 80, false},
    {".example.com", "example.com", 80, false},
    {".example.com", "a.example.com", 80, true},
    {"*.example.com", "a.EXAMPLE.com", 80, true},
    {"x, example.com:8080", "example.com", 8080, true},
    {"example.com:8080", "example.com", 80, false},
    {"10.0.0.0/8", "10.1.2.3", 80, true},
    {"10.0.0.0/8", "11.1.2.3", 80, false},
    {"fd00::/8", "fd00::1", 80, true},
    {"10.1.2.3", "10.1.2.3", 80, true},
    {"10.0.0.0/99", "10.1.2.3", 80, false},
    {"", "127.0.0.1", 80, true},
    {"", "localhost", 80, true},
};

static void proxies_are_bypassed_by_rule(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(proxies); i++)
        if (http_proxy_bypassed(str_of(proxies[i].no_proxy), str_of(proxies[i].host),
                                proxies[i].port) != proxies[i].bypassed)
            fail_msg("NO_PROXY=%s for %s:%d", proxies[i].no_proxy, proxies[i].host,
                     proxies[i].port);
}

static void proxies_come_from_the_environment(void **state)
{
    struct url plain, secure;

    url_parse(STR("http://example.com/"), &plain, NULL);
    url_parse(STR("https://example.com/"), &secure, NULL);
    unsetenv("HTTP_PROXY");
    setenv("http_proxy", "http://p:1", 1);
    setenv("HTTPS_PROXY", "http://q:2", 1);
    unsetenv("NO_PROXY");
    unsetenv("no_proxy");
    assert_true(str_is(http_proxy_from_env(&plain), "http://p:1"));
    assert_true(str_is(http_proxy_from_env(&secure), "http://q:2"));
    setenv("no_proxy", "example.com", 1);
    assert_int_equal(http_proxy_from_env(&plain).n, 0);
}

static void literals_need_no_lookup(void **state)
{
    assert_true(resolver_is_literal(STR("127.0.0.1")));
    assert_true(resolver_is_literal(STR("fe80::1%eth0")));
    assert_true(resolver_is_literal(STR("localhost")));
    assert_false(resolver_is_literal(STR("example.com")));
    assert_false(resolver_is_literal(STR("1.2.3.4.5")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(urls_are_taken_apart),
        cmocka_unit_test(hosts_and_ports),
        cmocka_unit_test(headers_compare_without_case),
        cmocka_unit_test(proxies_are_bypassed_by_rule),
        cmocka_unit_test(proxies_come_from_the_environment),
        cmocka_unit_test(literals_need_no_lookup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
