/* Answers of name servers, whole and broken. */
#include "base/test.h"

#include <errno.h>
#include <stdlib.h>

#include "components/discovery/dns_message.h"

static struct buf got;

static void note(void *arg, const struct dns_record *r)
{
    buf_printf(&got, "%d %s %u;", (int)r->type, r->text, r->port);
}

#define HEAD(n)  "\0\1\201\200\0\1\0" n "\0\0\0\0\1a\2bc\0\0\1\0\1"
#define RR(type) "\300\014\0" type "\0\1\0\0\0\74"
#define ANSWERS                                                                                    \
    HEAD("\6")                                                                                     \
    RR("\1") "\0\4\12\0\0\1" RR("\34") "\0\20\376\200\0\0\0\0\0\0\0\0\0\0\0\0\0\2" RR(             \
        "\41") "\0\13\0\1\0\2\0\120\2ns\300\016" RR("\17") "\0\7\0\12\2mx\300\014" RR("\2") "\0\2" \
                                                                                            "\300" \
                                                                                            "\014" RR("\5") "\0\2\300\014"

static void records(void **state)
{
    static const char message[] = ANSWERS;

    assert_int_equal(dns_answers(str_n(message, sizeof(message) - 1), note, NULL), 0);
    assert_buf(&got, "1 10.0.0.1 0;28 fe80::2 0;33 ns.bc. 80;15 mx.a.bc. 0;2 a.bc. 0;");
}

/* Cut anywhere: refused, and nothing behind the end is looked at. */
static void truncated(void **state)
{
    static const char message[] = ANSWERS;

    for (size_t n = 0; n < sizeof(message) - 1; n++) {
        char *copy = str_dup(str_n(message, n));
        assert_int_equal(dns_answers(str_n(copy, n), note, NULL), -EBADMSG);
        free(copy);
    }
    buf_reset(&got);
}

static void broken(void **state)
{
    static const char short_address[] = HEAD("\1") RR("\1") "\0\3\12\0\0";
    static const char loop[] = HEAD("\1") RR("\2") "\0\2\300\047";
    static const char no_name[] = HEAD("\1") RR("\41") "\0\6\0\1\0\2\0\120";

    assert_int_equal(dns_answers(str_n(short_address, sizeof(short_address) - 1), note, NULL),
                     -EBADMSG);
    assert_int_equal(dns_answers(str_n(loop, sizeof(loop) - 1), note, NULL), -EBADMSG);
    assert_int_equal(dns_answers(str_n(no_name, sizeof(no_name) - 1), note, NULL), -EBADMSG);
    assert_int_equal(got.n, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records),
        cmocka_unit_test(truncated),
        cmocka_unit_test(broken),
    };
    buf_init(&got, 1 << 16);
    int r = cmocka_run_group_tests(tests, NULL, NULL);
    buf_done(&got);
    return r;
}
