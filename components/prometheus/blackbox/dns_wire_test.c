/* Questions, records of every form, and messages that are none. */
#include "base/test.h"

#include <errno.h>
#include <stdlib.h>
#include "components/prometheus/blackbox/dns_wire.h"

static struct buf out;

static void add(void *arg, enum dns_section s, struct str record)
{
    buf_printf(&out, "%d " STR_FMT "\n", (int)s, STR_ARG(record));
}

/* One answer with this data to a question for "a.b". */
static size_t message(char *to, u16 type, const char *data, size_t n)
{
    static const char head[] = "\x12\x34\x81\x80\0\x01\0\x01\0\0\0\0\x01"
                               "a\x01"
                               "b\0\0\x01\0\x01\xc0\x0c";
    size_t at = sizeof(head) - 1;

    memcpy(to, head, at);
    to[at++] = (char)(type >> 8), to[at++] = (char)type;
    to[at++] = 0, to[at++] = 1;
    memcpy(to + at, "\0\0\0\x3c", 4), at += 4;
    to[at++] = (char)(n >> 8), to[at++] = (char)n;
    memcpy(to + at, data, n);
    return at + n;
}

static void test_question(void **state)
{
    const struct dns_question q = {
        .id = 0x1234, .type = 28, .class = 1, .recursion = true, .name = STR("ab.c.")};
    struct dns_question bad = q;

    buf_init(&out, 1 << 16);
    assert_int_equal(dns_ask(&q, &out), 0);
    assert_int_equal(out.n, 22);
    assert_memory_equal(out.p,
                        "\x12\x34\x01\0\0\x01\0\0\0\0\0\0\x02"
                        "ab\x01"
                        "c\0\0\x1c\0\x01",
                        22);
    bad.name = STR("a..b");
    assert_int_equal(dns_ask(&bad, &out), -EINVAL);
    bad.name = STR("0123456789012345678901234567890123456789012345678901234567890123");
    assert_int_equal(dns_ask(&bad, &out), -EINVAL);
    buf_done(&out);
}

struct record_case {
    u16 type;
    const char *data;
    size_t n;
    const char *want; /* behind "a.b.\t60\tIN\t"; NULL: broken */
};
#define DATA(s) s, sizeof(s) - 1

static const struct record_case records[] = {
    {1, DATA("\x7f\0\0\x01"), "A\t127.0.0.1"},
    {1, DATA("\x7f\0\0"), NULL},
    {28, DATA("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01"), "AAAA\t::1"},
    {5, DATA("\x01x\xc0\x0c"), "CNAME\tx.a.b."},
    {2, DATA("\xc0\x40"), NULL},
    {12, DATA(""), NULL},
    {15, DATA("\0\x0a\xc0\x0c"), "MX\t10 a.b."},
    {16, DATA("\x02hi\x04q\"\\\x01"), "TXT\t\"hi\" \"q\\\"\\\\\\001\""},
    {16, DATA("\x05hi"), NULL},
    {33, DATA("\0\x01\0\x02\0\x50\xc0\x0c"), "SRV\t1 2 80 a.b."},
    {33, DATA("\0\x01"), NULL},
    {257, DATA("\x80\x05issueca.org"), "CAA\t128 issue \"ca.org\""},
    {257, DATA("\x80\x09issue"), NULL},
    {43, DATA("\0\x01\x08\x02\xab\xcd"), "DS\t1 8 2 ABCD"},
    {9999, DATA("\x01\xff"), "TYPE9999\t\\# 2 01ff"},
    {6, DATA("\xc0\x0c\xc0\x0c\0\0\0\x09\0\0\0\x01\0\0\0\x02\0\0\0\x03\0\0\0\x04"),
     "SOA\ta.b. a.b. 9 1 2 3 4"},
    {6, DATA("\xc0\x0c\xc0\x0c\0\0\0\x09"), NULL},
};

static void test_records(void **state)
{
    char m[512], want[256];
    struct dns_reply reply;

    buf_init(&out, 1 << 16);
    for (size_t i = 0; i < ARRAY_LEN(records); i++) {
        const struct record_case *c = &records[i];
        size_t n = message(m, c->type, c->data, c->n);
        assert_true(dns_answers_to(str_n(m, n), 0x1234));
        assert_int_equal(dns_read(str_n(m, n), &reply, add, NULL), c->want ? 0 : -EBADMSG);
        snprintf(want, sizeof(want), c->want ? "0 a.b.\t60\tIN\t%s\n" : "", c->want);
        assert_buf(&out, want);
        assert_int_equal(reply.has_serial, c->type == 6 && c->want);
        if (reply.has_serial) assert_int_equal(reply.serial, 9);
    }
    buf_done(&out);
}

/* Every length, and every byte changed: read to its end or refused, never beyond it. */
static void test_broken(void **state)
{
    char m[512];
    struct dns_reply reply;
    size_t n = message(m, 6, records[15].data, records[15].n);

    buf_init(&out, 1 << 20);
    for (size_t cut = 0; cut < n; cut++) {
        char *copy = malloc(cut ? cut : 1);
        memcpy(copy, m, cut);
        assert_int_equal(dns_read(str_n(copy, cut), &reply, add, NULL), -EBADMSG);
        free(copy);
    }
    for (size_t at = 0; at < n; at++)
        for (int v = 0; v < 256; v++) {
            char *copy = malloc(n);
            memcpy(copy, m, n);
            copy[at] = (char)v;
            (void)dns_read(str_n(copy, n), &reply, add, NULL);
            buf_reset(&out);
            free(copy);
        }
    assert_false(dns_answers_to(str_n(m, 11), 0x1234));
    assert_false(dns_answers_to(str_n(m, n), 0x1235));
    buf_done(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_question),
        cmocka_unit_test(test_records),
        cmocka_unit_test(test_broken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
