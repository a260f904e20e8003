/* sockstat: sockets in use, by protocol. */
#include "components/prometheus/unix/collector.h"

#include <errno.h>
#include <unistd.h>

static void add(struct collect *c, struct str proto, struct str state, f64 v)
{
    const char *name = arena_printf(c->arena, STR_FMT "_" STR_FMT, STR_ARG(proto), STR_ARG(state));
    const char *help = arena_printf(c->arena, "Number of " STR_FMT " sockets in state " STR_FMT ".",
                                    STR_ARG(proto), STR_ARG(state));

    expo_gauge1(c->out, unix_metric_name(c, "node_sockstat_", str_of(name), ""),
                expo_keep(c->out, str_of(help)), v);
}

/* "TCP: inuse 3 orphan 0 mem 2": memory is in pages. */
static void add_line(struct collect *c, struct str line)
{
    struct str proto, state, value;
    f64 v;

    if (!unix_field(&line, &proto)) return;
    proto.n -= str_ends(proto, STR(":"));
    while (unix_field(&line, &state) && unix_field(&line, &value)) {
        if (unix_f64(value, &v)) continue;
        if (str_is(proto, "sockets")) {
            expo_gauge1(c->out, "node_sockstat_sockets_used", "Number of IPv4 sockets in use.", v);
            continue;
        }
        add(c, proto, state, v);
        if (str_is(state, "mem")) add(c, proto, STR("mem_bytes"), v * (f64)sysconf(_SC_PAGESIZE));
    }
}

static int read_one(struct collect *c, const char *file)
{
    struct str text, line;
    int r = unix_read(c, &text, ROOT_PROC, "net/%s", file);

    if (r == -ENOENT) return 0; /* without IPv4, or without IPv6 */
    if (r) return unix_read_failed(c, r, ROOT_PROC, "net/%s", file);
    while (unix_line(&text, &line))
        add_line(c, line);
    return 0;
}

static int collect(struct collect *c)
{
    int r = read_one(c, "sockstat");

    return r ? r : read_one(c, "sockstat6");
}

const struct collector_def collector_sockstat = {
    .name = "sockstat", .default_on = true, .collect = collect};
