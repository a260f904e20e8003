/* tcpstat: TCP sockets by state, and the bytes in their queues. */
#include "components/prometheus/unix/collector.h"

#include <errno.h>

/* As numbered by the kernel, and behind them what is counted beside. */
enum { RX_BYTES = 13, TX_BYTES, STATES };
static const char *const names[STATES] = {
    [1] = "established",
    [2] = "syn_sent",
    [3] = "syn_recv",
    [4] = "fin_wait1",
    [5] = "fin_wait2",
    [6] = "time_wait",
    [7] = "close",
    [8] = "close_wait",
    [9] = "last_ack",
    [10] = "listen",
    [11] = "closing",
    [12] = "new_syn_recv",
    [RX_BYTES] = "rx_queued_bytes",
    [TX_BYTES] = "tx_queued_bytes",
};

/* "sl local remote st tx:rx ...", hexadecimal. */
static void count(u64 *counts, struct str line)
{
    struct str part[5];
    u64 state, v;

    if (unix_fields(line, part, 5) < 5) return;
    struct str rx = part[4], tx = str_cut(&rx, ':');
    if (unix_hex(part[3], &state) || state == 0 || state >= RX_BYTES) return;
    counts[state]++;
    if (unix_hex(tx, &v) == 0) counts[TX_BYTES] += v;
    if (unix_hex(rx, &v) == 0) counts[RX_BYTES] += v;
}

static int read_one(struct collect *c, const char *file, u64 *counts)
{
    struct str text, line;
    int r = unix_read(c, &text, ROOT_PROC, "net/%s", file);

    if (r == -ENOENT) return 0;
    if (r) return unix_read_failed(c, r, ROOT_PROC, "net/%s", file);
    unix_line(&text, &line); /* heads */
    while (unix_line(&text, &line))
        count(counts, line);
    return 0;
}

static int collect(struct collect *c)
{
    struct expo_family *f =
        expo_gauge(c->out, "node_tcp_connection_states", "Number of connection states.");
    u64 counts[STATES] = {0};
    int r = read_one(c, "tcp", counts);

    if (!r) r = read_one(c, "tcp6", counts);
    /* States that no socket is in are left out; the bytes are always told. */
    for (size_t i = 1; !r && i < STATES; i++)
        if (counts[i] > 0 || i >= RX_BYTES) expo_add(f, counts[i], EXPO_L("state", names[i]));
    return r;
}

const struct collector_def collector_tcpstat = {.name = "tcpstat", .collect = collect};
