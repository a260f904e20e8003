/* What prometheus.exporter.blackbox reads: answers of DNS servers (first byte 'D'), Locations of
 * redirects ('L'), replies to pings ('P'), and its modules (anything else). */
#include <stdlib.h>
#include "base/assert.h"
#include "base/utf8.h"
#include "components/prometheus/blackbox/dns_wire.h"
#include "components/prometheus/blackbox/http_url.h"
#include "components/prometheus/blackbox/icmp_packet.h"
#include "components/prometheus/blackbox/module.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void on_record(void *arg, enum dns_section s, struct str record)
{
    ++*(size_t *)arg;
    ASSERT(s < DNS_SECTIONS && record.n > 0);
}

static void read_answer(struct str message)
{
    struct dns_reply reply;
    size_t n = 0;
    int err = dns_read(message, &reply, on_record, &n);

    ASSERT(err != 0 || n == (size_t)reply.n[0] + reply.n[1] + reply.n[2]);
}

static void join(struct str location)
{
    struct arena a;

    arena_init(&a, 0);
    ASSERT(http_url_join(&a, STR("http://host:80/a/b?c"), location).n > 0 || location.n > 0);
    arena_done(&a);
}

static void read_reply(struct str packet)
{
    const struct icmp_echo e = {.id = 1, .seq = 2};
    struct str behind = icmp_behind_ip(packet);

    ASSERT(behind.n <= packet.n);
    (void)icmp_is_reply(&e, behind, true);
}

static void read_modules(struct str text)
{
    struct diags d;

    diags_init(&d);
    struct modules *m = modules_new(text, NO_SPAN, &d);
    ASSERT((m == NULL) == diags_failed(&d));
    modules_unref(m);
    diags_done(&d);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str all = str_n((const char *)data, size), rest = str_sub(all, size > 0, size);
    char kind = size > 0 ? all.p[0] : 0;

    if (kind == 'D')
        read_answer(rest);
    else if (kind == 'L')
        join(rest);
    else if (kind == 'P')
        read_reply(rest);
    else
        read_modules(all);
    return 0;
}
