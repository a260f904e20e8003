/* udp_queues: bytes that wait in the queues of UDP sockets. */
#include "components/prometheus/unix/collector.h"

#include <errno.h>

/* The fifth column is "tx:rx", hexadecimal. */
static int add(struct collect *c, const char *file, const char *ip)
{
    struct expo_family *f =
        expo_gauge(c->out, "node_udp_queues",
                   "Number of allocated memory in the kernel for UDP datagrams in bytes.");
    struct str text, line, part[5];
    u64 tx = 0, rx = 0, v;
    int r = unix_read(c, &text, ROOT_PROC, "net/%s", file);

    if (r == -ENOENT) return COLLECT_NO_DATA;
    if (r) return unix_read_failed(c, r, ROOT_PROC, "net/%s", file);
    unix_line(&text, &line);
    while (unix_line(&text, &line)) {
        if (unix_fields(line, part, 5) < 5) continue;
        struct str right = part[4], left = str_cut(&right, ':');
        if (unix_hex(left, &v) == 0) tx += v;
        if (unix_hex(right, &v) == 0) rx += v;
    }
    expo_add(f, tx, EXPO_L("queue", "tx"), EXPO_L("ip", ip));
    expo_add(f, rx, EXPO_L("queue", "rx"), EXPO_L("ip", ip));
    return COLLECT_OK;
}

static int collect(struct collect *c)
{
    int four = add(c, "udp", "v4"), six = add(c, "udp6", "v6");

    if (four < 0 || six < 0) return MIN(four, six);
    return four == COLLECT_OK || six == COLLECT_OK ? COLLECT_OK : COLLECT_NO_DATA;
}

const struct collector_def collector_udp_queues = {
    .name = "udp_queues", .default_on = true, .collect = collect};
