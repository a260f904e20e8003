/* Endpoints of gRPC clients. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>

#include "components/common/grpc_endpoint.h"

static void check(const char *text, const char *base, bool https)
{
    struct grpc_endpoint e;
    char *err;
    assert_int_equal(grpc_endpoint_parse(str_of(text), &e, &err), 0);
    char *got = grpc_endpoint_base(&e, https);
    assert_string_equal(got, base);
    assert_int_equal(e.https, https);
    free(got);
}

static void forms(void **state)
{
    (void)state;
    check("tempo:4317", "http://tempo:4317", false);
    check("http://tempo:4317", "http://tempo:4317", false);
    check("https://tempo:4317/", "https://tempo:4317", true);
    check("dns:///tempo:4317", "http://tempo:4317", false);
    check("dns://8.8.8.8/tempo:4317", "http://tempo:4317", false);
    check("dns:tempo:4317", "http://tempo:4317", false);
    check("[::1]:4317", "http://[::1]:4317", false);
    check("tempo", "http://tempo:443", false);
}

static void refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"", "http://", "tempo:4317/v1/traces", "dns://8.8.8.8",
                                      "tempo:port"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct grpc_endpoint e;
        char *err = NULL;
        assert_int_equal(grpc_endpoint_parse(str_of(bad[i]), &e, &err), -EINVAL);
        assert_non_null(err);
        free(err);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(forms), cmocka_unit_test(refused)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
