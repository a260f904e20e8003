/* netclass: facts of network devices, from /sys/class/net. */
#include "components/prometheus/unix/collector.h"

struct plan {
    struct regex *ignored;
    bool known_speed;
};

static int prepare(struct collector_prepare *pr, void *to)
{
    struct plan *plan = to;

    plan->known_speed = pr->args->netclass.ignore_invalid_speed_device;
    return unix_regex(pr, "netclass/ignored_devices", pr->args->netclass.ignored_devices,
                      &plan->ignored);
}

static const struct {
    const char *file, *name;
    enum expo_type type;
} values[] = {
    {"addr_assign_type", "address_assign_type", EXPO_GAUGE},
    {"carrier", "carrier", EXPO_GAUGE},
    {"carrier_changes", "carrier_changes_total", EXPO_COUNTER},
    {"carrier_up_count", "carrier_up_changes_total", EXPO_COUNTER},
    {"carrier_down_count", "carrier_down_changes_total", EXPO_COUNTER},
    {"dev_id", "device_id", EXPO_GAUGE},
    {"dormant", "dormant", EXPO_GAUGE},
    {"flags", "flags", EXPO_GAUGE},
    {"ifindex", "iface_id", EXPO_GAUGE},
    {"iflink", "iface_link", EXPO_GAUGE},
    {"link_mode", "iface_link_mode", EXPO_GAUGE},
    {"mtu", "mtu_bytes", EXPO_GAUGE},
    {"name_assign_type", "name_assign_type", EXPO_GAUGE},
    {"netdev_group", "net_dev_group", EXPO_GAUGE},
    {"tx_queue_len", "transmit_queue_length", EXPO_GAUGE},
    {"type", "protocol_type", EXPO_GAUGE},
};

/* Decimal, or hexadecimal with 0x. Several cannot be read while the device is down. */
static bool value_of(struct collect *c, const char *dev, const char *file, f64 *ret)
{
    struct str text = unix_text(c, ROOT_SYS, "class/net/%s/%s", dev, file);
    u64 v;

    if (!str_starts(text, STR("0x"))) return text.n > 0 && unix_f64(text, ret) == 0;
    if (unix_hex(text, &v)) return false;
    *ret = (f64)v;
    return true;
}

static void add(struct collect *c, const char *dev, const char *name, enum expo_type type, f64 v)
{
    const char *full = unix_metric_name(c, "node_network_", str_of(name), "");
    const char *help = arena_printf(c->arena, "Network device property: %s", name);

    expo_add(expo_family(c->out, type, full, expo_keep(c->out, str_of(help))), v,
             EXPO_L("device", dev));
}

static const char *admin_state(struct collect *c, const char *dev)
{
    f64 flags;

    if (!value_of(c, dev, "flags", &flags)) return "unknown";
    return (u64)flags & 1 ? "up" : "down";
}

static void add_info(struct collect *c, const char *dev)
{
    struct str state = unix_text(c, ROOT_SYS, "class/net/%s/operstate", dev);

    expo_gauge1(c->out, "node_network_up", "Value is 1 if operstate is 'up', 0 otherwise.",
                str_is(state, "up"), EXPO_L("device", dev));
    expo_gauge1(c->out, "node_network_info",
                "Non-numeric data from /sys/class/net/<iface>, value is always 1.", 1,
                EXPO_L("device", dev),
                EXPO_LS("address", unix_text(c, ROOT_SYS, "class/net/%s/address", dev)),
                EXPO_LS("broadcast", unix_text(c, ROOT_SYS, "class/net/%s/broadcast", dev)),
                EXPO_LS("duplex", unix_text(c, ROOT_SYS, "class/net/%s/duplex", dev)),
                EXPO_LS("operstate", state), EXPO_L("adminstate", admin_state(c, dev)),
                EXPO_LS("ifalias", unix_text(c, ROOT_SYS, "class/net/%s/ifalias", dev)));
}

static void add_device(struct collect *c, const char *dev)
{
    const struct plan *plan = c->plan;
    f64 v;

    add_info(c, dev);
    for (size_t i = 0; i < ARRAY_LEN(values); i++)
        if (value_of(c, dev, values[i].file, &v)) add(c, dev, values[i].name, values[i].type, v);
    /* Mbit/s; -1 when it is not known. */
    if (value_of(c, dev, "speed", &v) && (v >= 0 || !plan->known_speed))
        add(c, dev, "speed_bytes", EXPO_GAUGE, v * 1000 * 1000 / 8);
}

static int collect(struct collect *c)
{
    const struct plan *plan = c->plan;
    struct unix_names devices;
    int r = unix_list(c, &devices, ROOT_SYS, "class/net");

    if (r) return unix_read_failed(c, r, ROOT_SYS, "class/net");
    for (size_t i = 0; i < devices.n; i++)
        if (!unix_matches(plan->ignored, devices.v[i]) &&
            unix_exists(c, ROOT_SYS, "class/net/%s/ifindex", devices.v[i].p))
            add_device(c, devices.v[i].p);
    return COLLECT_OK;
}

const struct collector_def collector_netclass = {.name = "netclass",
                                                 .default_on = true,
                                                 .plan_size = sizeof(struct plan),
                                                 .prepare = prepare,
                                                 .collect = collect};
