/* Statuses of OTLP on both transports. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "components/common/otlp_status.h"

static void codes(void **state)
{
    (void)state;
    static const int http[] = {200, 503, 500, 400, 503, 500, 500, 403, 429,
                               500, 503, 503, 404, 500, 503, 503, 401};
    for (size_t c = 0; c < ARRAY_LEN(http); c++)
        assert_int_equal(otlp_http_status((enum grpc_code)c), http[c]);
    assert_int_equal(otlp_code_of_http(504), GRPC_UNAVAILABLE);
    assert_int_equal(otlp_code_of_http(500), GRPC_UNKNOWN);
    assert_int_equal(otlp_code_of_http(404), GRPC_UNIMPLEMENTED);
}

static void retryable(void **state)
{
    (void)state;
    assert_true(otlp_code_retryable(GRPC_UNAVAILABLE, false));
    assert_true(otlp_code_retryable(GRPC_CANCELED, false));
    assert_false(otlp_code_retryable(GRPC_RESOURCE_EXHAUSTED, false));
    assert_true(otlp_code_retryable(GRPC_RESOURCE_EXHAUSTED, true));
    assert_false(otlp_code_retryable(GRPC_INTERNAL, true));
    assert_false(otlp_code_retryable(GRPC_UNKNOWN, true));
}

static void outcomes(void **state)
{
    (void)state;
    struct ack_failure permanent = {.text = "no"}, busy = {.retryable = true, .text = "later"};
    struct ack_failure status = {
        .grpc_code = GRPC_RESOURCE_EXHAUSTED, .retry_delay = 5 * NS_PER_SEC, .text = "x"};
    assert_int_equal(otlp_status_of_ack(ACK_DROPPED, NULL).code, GRPC_OK);
    assert_int_equal(otlp_status_of_ack(ACK_FAILED, &permanent).code, GRPC_INTERNAL);
    assert_int_equal(otlp_status_of_ack(ACK_FAILED, &permanent).retry_delay, 0);
    assert_int_equal(otlp_status_of_ack(ACK_FAILED, &busy).code, GRPC_UNAVAILABLE);
    assert_int_equal(otlp_status_of_ack(ACK_FAILED, &busy).retry_delay, NS_PER_SEC);
    assert_int_equal(otlp_status_of_ack(ACK_FAILED, &status).retry_delay, 5 * NS_PER_SEC);
    assert_int_equal(otlp_status_of_ack(ACK_ABANDONED, NULL).code, GRPC_UNAVAILABLE);
}

static void json_bodies(void **state)
{
    (void)state;
    struct buf b = BUF_INIT(1024);
    otlp_status_body(
        &(struct grpc_status){.code = GRPC_INVALID_ARGUMENT, .message = STR("a \"b\"")}, true, &b);
    assert_string_equal(b.p, "{\"code\":3,\"message\":\"a \\\"b\\\"\"}");
    buf_reset(&b);
    otlp_status_body(&(struct grpc_status){.code = GRPC_UNAVAILABLE,
                                           .message = STR("x"),
                                           .retry_delay = 1500 * NS_PER_MS},
                     true, &b);
    assert_string_equal(b.p, "{\"code\":14,\"message\":\"x\",\"details\":[{\"@type\":\"type."
                             "googleapis.com/google.rpc.RetryInfo\","
                             "\"retryDelay\":\"1.500s\"}]}");
    buf_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(codes), cmocka_unit_test(retryable),
                                       cmocka_unit_test(outcomes), cmocka_unit_test(json_bodies)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
