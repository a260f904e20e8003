/* CORS: who is allowed, and what is answered. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "components/common/cors.h"

static struct str origins[] = {{"https://*.example.com", 21}, {"http://localhost:3000", 21}};
static struct str allowed[] = {{"X-Requested-With", 16}};
static struct str exposed[] = {{"A", 1}, {"B", 1}};
static const struct cors_args conf = {.allowed_origins = {origins, 2},
                                      .allowed_headers = {allowed, 1},
                                      .exposed_headers = {exposed, 2},
                                      .max_age = 60};

static struct str value(const struct http_header *h, size_t n, const char *name)
{
    return http_header_get(h, n, str_of(name));
}

static void origins_with_a_star(void **state)
{
    (void)state;
    assert_true(cors_origin_allowed(&conf, STR("https://a.example.com")));
    assert_true(cors_origin_allowed(&conf, STR("HTTPS://A.b.Example.com")));
    assert_true(cors_origin_allowed(&conf, STR("http://localhost:3000")));
    assert_false(cors_origin_allowed(&conf, STR("https://example.com")));
    assert_false(cors_origin_allowed(&conf, STR("http://localhost:30001")));
}

static void preflight(void **state)
{
    (void)state;
    struct arena a;
    struct http_header out[CORS_HEADERS_MAX];
    struct http_header in[] = {
        {STR("origin"), STR("https://a.example.com")},
        {STR("access-control-request-method"), STR("POST")},
        {STR("access-control-request-headers"), STR("content-type, x-requested-with")}};
    arena_init(&a, 0);
    assert_true(cors_is_preflight(STR("OPTIONS"), in, 3));
    assert_false(cors_is_preflight(STR("OPTIONS"), in, 1));
    assert_false(cors_is_preflight(STR("POST"), in, 3));
    size_t n = cors_preflight_headers(&conf, in, 3, &a, out);
    assert_true(str_is(value(out, n, "access-control-allow-origin"), "https://a.example.com"));
    assert_true(str_is(value(out, n, "access-control-allow-credentials"), "true"));
    assert_true(
        str_is(value(out, n, "access-control-allow-headers"), "content-type, x-requested-with"));
    assert_true(str_is(value(out, n, "access-control-max-age"), "60"));
    arena_done(&a);
}

static void preflight_refused(void **state)
{
    (void)state;
    struct arena a;
    struct http_header out[CORS_HEADERS_MAX];
    struct http_header in[] = {{STR("origin"), STR("https://evil.test")},
                               {STR("access-control-request-method"), STR("POST")},
                               {{0}, {0}}};
    arena_init(&a, 0);
    assert_int_equal(cors_preflight_headers(&conf, in, 2, &a, out), 1); /* only Vary */
    in[0].value = STR("https://a.example.com");
    in[1].value = STR("DELETE");
    assert_int_equal(cors_preflight_headers(&conf, in, 2, &a, out), 1);
    in[1].value = STR("POST");
    in[2] = (struct http_header){STR("access-control-request-headers"), STR("x-other")};
    assert_int_equal(cors_preflight_headers(&conf, in, 3, &a, out), 1);
    arena_done(&a);
}

static void actual(void **state)
{
    (void)state;
    struct arena a;
    struct str any[] = {STR("*")};
    struct cors_args all = {.allowed_origins = {any, 1}};
    struct http_header out[CORS_HEADERS_MAX];
    struct http_header in[] = {{STR("origin"), STR("https://a.example.com")}};
    arena_init(&a, 0);
    size_t n = cors_actual_headers(&conf, in, 1, &a, out);
    assert_true(str_is(value(out, n, "access-control-expose-headers"), "A, B"));
    assert_true(str_is(value(out, n, "vary"), "Origin"));
    n = cors_actual_headers(&all, in, 1, &a, out);
    assert_true(str_is(value(out, n, "access-control-allow-origin"), "*"));
    assert_int_equal(cors_actual_headers(&conf, in, 0, &a, out), 1);
    arena_done(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(origins_with_a_star), cmocka_unit_test(preflight),
        cmocka_unit_test(preflight_refused), cmocka_unit_test(actual)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
