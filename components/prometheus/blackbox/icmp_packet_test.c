/* Echo requests with their checksum, and which packets are replies. */
#include "base/test.h"

#include "components/prometheus/blackbox/icmp_packet.h"

static void test_request_and_reply(void **state)
{
    const struct icmp_echo e = {.id = 0x0102, .seq = 0x0304, .payload = 3};
    struct buf b = BUF_INIT(1 << 17);

    icmp_request(&e, &b);
    assert_int_equal(b.n, 11);
    assert_memory_equal(b.p, "\x08\0\x34\x87\x01\x02\x03\x04Pro", 11);
    assert_false(icmp_is_reply(&e, buf_view(&b), false)); /* it is the request */
    b.p[0] = 0;
    assert_true(icmp_is_reply(&e, buf_view(&b), false));
    b.p[4] = 9;
    assert_false(icmp_is_reply(&e, buf_view(&b), false));
    assert_true(icmp_is_reply(&e, buf_view(&b), true));
    b.p[10] = 'x';
    assert_false(icmp_is_reply(&e, buf_view(&b), true));
    assert_false(icmp_is_reply(&e, str_n(b.p, 7), true));
    assert_false(icmp_is_reply(&e, STR(""), true));
    buf_done(&b);
}

static void test_sizes(void **state)
{
    struct icmp_echo e = {.v6 = true};
    struct buf b = BUF_INIT(1 << 17);

    icmp_request(&e, &b);
    assert_int_equal(b.n, 8 + 28);
    assert_int_equal((u8)b.p[0], 128);
    buf_reset(&b);
    e.payload = 1000;
    icmp_request(&e, &b);
    assert_int_equal(b.n, 1008);
    buf_done(&b);
}

static void test_behind_ip(void **state)
{
    char packet[24] = {0x46};

    assert_int_equal(icmp_behind_ip(str_n(packet, 24)).n, 0);
    packet[0] = 0x45;
    assert_int_equal(icmp_behind_ip(str_n(packet, 24)).n, 4);
    assert_int_equal(icmp_behind_ip(str_n(packet, 19)).n, 0);
    packet[0] = 0x41;
    assert_int_equal(icmp_behind_ip(str_n(packet, 24)).n, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_request_and_reply),
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_behind_ip),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
