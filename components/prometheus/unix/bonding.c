/* bonding: network interfaces bonded to one, and how many of them have a link. */
#include "components/prometheus/unix/collector.h"

#include <errno.h>

static bool is_up(struct collect *c, const char *master, const char *slave)
{
    struct str state =
        unix_text(c, ROOT_SYS, "class/net/%s/lower_%s/bonding_slave/mii_status", master, slave);

    if (state.n == 0) /* of older kernels */
        state =
            unix_text(c, ROOT_SYS, "class/net/%s/slave_%s/bonding_slave/mii_status", master, slave);
    return str_is(state, "up");
}

static int collect_master(struct collect *c, const char *master)
{
    struct str text, slave;
    size_t slaves = 0, active = 0;
    int r = unix_read(c, &text, ROOT_SYS, "class/net/%s/bonding/slaves", master);

    if (r) return unix_read_failed(c, r, ROOT_SYS, "class/net/%s/bonding/slaves", master);
    for (text = str_trim(text); unix_field(&text, &slave); slaves++)
        active += is_up(c, master, arena_strdup(c->arena, slave));
    expo_gauge1(c->out, "node_bonding_slaves", "Number of configured slaves per bonding interface.",
                slaves, EXPO_L("master", master));
    expo_gauge1(c->out, "node_bonding_active", "Number of active slaves per bonding interface.",
                active, EXPO_L("master", master));
    return 0;
}

static int collect(struct collect *c)
{
    struct str text, master;
    int r = unix_read(c, &text, ROOT_SYS, "class/net/bonding_masters");

    if (r == -ENOENT) return COLLECT_NO_DATA;
    if (r) return unix_read_failed(c, r, ROOT_SYS, "class/net/bonding_masters");
    text = str_trim(text);
    while (r == 0 && unix_field(&text, &master))
        r = collect_master(c, arena_strdup(c->arena, master));
    return r;
}

const struct collector_def collector_bonding = {
    .name = "bonding", .default_on = true, .collect = collect};
