/* ethtool: what the drivers of network devices count, who they are, and what their links can do. */
#include "components/prometheus/unix/ethtool_ask.h"

#include <errno.h>
#include "base/map.h"
#include "components/prometheus/unix/values.h"

struct plan {
    struct unix_filter filter;
    struct regex *metrics;
};

static int prepare(struct collector_prepare *pr, void *to)
{
    struct plan *plan = to;
    int r = unix_filter_init(pr, &plan->filter, "ethtool/device_include",
                             pr->args->ethtool.device_include, "ethtool/device_exclude",
                             pr->args->ethtool.device_exclude);

    return r ? r
             : unix_regex(pr, "ethtool/metrics_include", pr->args->ethtool.metrics_include,
                          &plan->metrics);
}

/* --- the link --- */

/* Bits 0 to 31 of the modes, as the kernel numbers them; those behind have no room in the old
 * question that node_exporter asks. */
static const struct {
    u8 bit;
    u32 mbit;
    const char *duplex, *mode;
} speeds[] = {
    {0, 10, "half", "10baseT"},           {1, 10, "full", "10baseT"},
    {2, 100, "half", "100baseT"},         {3, 100, "full", "100baseT"},
    {4, 1000, "half", "1000baseT"},       {5, 1000, "full", "1000baseT"},
    {12, 10000, "full", "10000baseT"},    {15, 2500, "full", "2500baseT"},
    {17, 1000, "full", "1000baseKX"},     {18, 10000, "full", "10000baseKX4"},
    {19, 10000, "full", "10000baseKR"},   {20, 10000, "full", "10000baseR_FEC"},
    {21, 20000, "full", "20000baseMLD2"}, {22, 20000, "full", "20000baseKR2"},
    {23, 40000, "full", "40000baseKR4"},  {24, 40000, "full", "40000baseCR4"},
    {25, 40000, "full", "40000baseSR4"},  {26, 40000, "full", "40000baseLR4"},
    {27, 56000, "full", "56000baseKR4"},  {28, 56000, "full", "56000baseCR4"},
    {29, 56000, "full", "56000baseSR4"},  {30, 56000, "full", "56000baseLR4"},
    {31, 25000, "full", "25000baseCR"},
};
static const struct {
    u8 bit;
    const char *type;
} ports[] = {{7, "TP"}, {8, "AUI"}, {9, "MII"}, {10, "FIBRE"}, {11, "BNC"}, {16, "Backplane"}};

static void add_speeds(struct expo_family *f, const char *device, u32 modes)
{
    for (size_t i = 0; i < ARRAY_LEN(speeds); i++)
        if (modes >> speeds[i].bit & 1)
            expo_add(f, speeds[i].mbit * 125000.0, EXPO_L("device", device),
                     EXPO_L("duplex", speeds[i].duplex), EXPO_L("mode", speeds[i].mode));
}

static void add_ports(struct collect *c, const char *device, u32 modes)
{
    for (size_t i = 0; i < ARRAY_LEN(ports); i++)
        if (modes >> ports[i].bit & 1)
            expo_gauge1(c->out, "node_network_supported_port_info",
                        "Type of ports or PHYs supported by network device", 1,
                        EXPO_L("device", device), EXPO_L("type", ports[i].type));
}

/* Bit of the modes; what is supported, what is offered. */
static const struct {
    u8 bit;
    const char *supported, *supported_help, *advertised, *advertised_help;
} abilities[] = {
    {6, "node_network_autonegotiate_supported", "If this port device supports autonegotiate",
     "node_network_autonegotiate_advertised", "If this port device offers autonegotiate"},
    {13, "node_network_pause_supported", "If this port device supports pause frames",
     "node_network_pause_advertised", "If this port device offers pause capability"},
    {14, "node_network_asymmetricpause_supported",
     "If this port device supports asymmetric pause frames",
     "node_network_asymmetricpause_advertised",
     "If this port device offers asymmetric pause capability"},
};

static void add_abilities(struct collect *c, const char *device, const struct ethtool_cmd *link)
{
    for (size_t i = 0; i < ARRAY_LEN(abilities); i++) {
        expo_gauge1(c->out, abilities[i].supported, abilities[i].supported_help,
                    link->supported >> abilities[i].bit & 1, EXPO_L("device", device));
        expo_gauge1(c->out, abilities[i].advertised, abilities[i].advertised_help,
                    link->advertising >> abilities[i].bit & 1, EXPO_L("device", device));
    }
}

static void add_link(struct collect *c, const char *device, const struct ethtool_cmd *link)
{
    add_speeds(expo_gauge(c->out, "node_network_supported_speed_bytes",
                          "Combination of speeds and features supported by network device"),
               device, link->supported);
    add_speeds(expo_gauge(c->out, "node_network_advertised_speed_bytes",
                          "Combination of speeds and features offered by network device"),
               device, link->advertising);
    add_ports(c, device, link->supported);
    add_abilities(c, device, link);
    expo_gauge1(c->out, "node_network_autonegotiate", "If this port is using autonegotiate",
                link->autoneg, EXPO_L("device", device));
}

/* --- the driver --- */

#define FIXED(member) str_n((member), strnlen((member), sizeof(member)))

static void add_info(struct collect *c, const char *device, const struct ethtool_drvinfo *info)
{
    expo_gauge1(c->out, "node_ethtool_info",
                "A metric with a constant '1' value labeled by bus_info, device, driver, "
                "expansion_rom_version, firmware_version, version.",
                1, EXPO_LS("bus_info", FIXED(info->bus_info)), EXPO_L("device", device),
                EXPO_LS("driver", FIXED(info->driver)),
                EXPO_LS("expansion_rom_version", FIXED(info->erom_version)),
                EXPO_LS("firmware_version", FIXED(info->fw_version)),
                EXPO_LS("version", FIXED(info->version)));
}

/* --- statistics --- */

static const struct {
    const char *stat, *help;
} known[] = {
    {"rx_bytes", "Network interface bytes received"},
    {"rx_dropped", "Number of received frames dropped"},
    {"rx_errors", "Number of received frames with errors"},
    {"rx_packets", "Network interface packets received"},
    {"tx_bytes", "Network interface bytes sent"},
    {"tx_errors", "Number of sent frames with errors"},
    {"tx_packets", "Network interface packets sent"},
};

static const char *help_of(struct collect *c, struct str stat)
{
    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (str_is(stat, known[i].stat)) return known[i].help;
    return expo_keep(c->out,
                     str_of(arena_printf(c->arena, "Network interface " STR_FMT, STR_ARG(stat))));
}

static bool is_known(struct str stat)
{
    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (str_is(stat, known[i].stat)) return true;
    return false;
}

/* One word between underscores, in the direction's own name: but not twice in a row, since
 * node_exporter's pattern takes the underscore that the second one would need ("tx_tx_timeouts").
 */
static void add_word(struct buf *to, struct str word, struct str *last_replaced)
{
    bool rx = str_is(word, "rx"), tx = str_is(word, "tx");

    if ((rx || tx) && !str_eq(word, *last_replaced)) {
        buf_cstr(to, rx ? "received" : "transmitted");
        *last_replaced = word;
        return;
    }
    buf_str(to, word);
    *last_replaced = STR("");
}

/* "rx_bytes" becomes node_ethtool_received_bytes; those of `known` are totals. */
static const char *name_of(struct collect *c, struct str stat)
{
    char *low = arena_strdup(c->arena, stat);
    struct str rest = str_n(low, stat.n), last = STR("");
    struct buf b = BUF_INIT(512);

    for (char *p = low; *p; p++)
        if (*p >= 'A' && *p <= 'Z') *p |= 0x20;
    while (rest.n > 0 && rest.p[0] == '_')
        rest = str_sub(rest, 1, rest.n);
    buf_cstr(&b, "node_ethtool_");
    do {
        add_word(&b, str_cut(&rest, '_'), &last);
        if (rest.p) buf_ch(&b, '_');
    } while (rest.p);
    if (is_known(stat)) buf_cstr(&b, "_total");
    const char *name = expo_keep(c->out, buf_err(&b) ? STR("node_ethtool_") : buf_view(&b));
    buf_done(&b);
    return name;
}

static bool in_names(char ch)
{
    return (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || (ch >= '0' && ch <= '9');
}

/* What cannot be in a name becomes one underscore, together with those beside it: "ch[0]_poll" is
 * "ch_0_poll"; underscores among themselves stay. */
static struct str clean(struct collect *c, struct str raw)
{
    char *to = arena_alloc(c->arena, raw.n + 1);
    size_t n = 0, from = 0;

    while (from < raw.n) {
        bool odd = false;
        size_t end = from;

        for (; end < raw.n && !in_names(raw.p[end]); end++)
            odd = odd || raw.p[end] != '_';
        for (; from < end; from++)
            if (!odd || from + 1 == end) to[n++] = '_';
        if (from < raw.n) to[n++] = raw.p[from++];
    }
    return str_n(to, n);
}

/* Two statistics of a driver may get one name: neither is shown then. */
static void find_twins(struct collect *c, const struct ethtool_stats_list *all, struct map *seen)
{
    for (size_t i = 0; i < all->n; i++) {
        struct str name = str_of(name_of(c, clean(c, all->v[i].name)));
        size_t n = (size_t)(uintptr_t)map_get(seen, name);

        map_put(seen, name, (void *)(uintptr_t)(n + 1));
    }
}

static void add_stats(struct collect *c, const char *device, const struct ethtool_stats_list *all)
{
    const struct plan *plan = c->plan;
    struct map seen = {0};

    find_twins(c, all, &seen);
    for (size_t i = 0; i < all->n; i++) {
        struct str stat = clean(c, all->v[i].name);
        const char *name = name_of(c, stat);

        if (!unix_matches(plan->metrics, stat) || map_get(&seen, str_of(name)) != (void *)1)
            continue;
        expo_untyped1(c->out, name, help_of(c, stat), all->v[i].value, EXPO_L("device", device));
    }
    map_done(&seen, NULL);
}

/* --- a device --- */

static void tell(struct collect *c, const char *device, const char *what, int r)
{
    if (r == 0 || r == -EOPNOTSUPP) return; /* it has no such thing */
    log_error(c->log, "a network driver gave no answer", F_CSTR("device", device),
              F_CSTR("what", what), F_CSTR("err", strerror(-r)));
}

static void add_device(struct collect *c, int fd, const char *device)
{
    struct ethtool_stats_list stats = {0};
    struct ethtool_drvinfo info;
    struct ethtool_cmd link;
    int r = ethtool_link(c, fd, device, &link);

    if (!r) add_link(c, device, &link);
    tell(c, device, "link", r);
    r = ethtool_driver(c, fd, device, &info);
    if (!r) add_info(c, device, &info);
    tell(c, device, "driver", r);
    r = ethtool_statistics(c, fd, device, &stats);
    if (!r) add_stats(c, device, &stats);
    tell(c, device, "statistics", r);
}

static int collect(struct collect *c)
{
    const struct plan *plan = c->plan;
    struct unix_names names;
    int r = unix_class(c, &names, "class/net");

    if (r) return r;
    if (names.n == 0) return collect_fail(c, -ENODEV, "there are no network devices");
    int fd = ethtool_open();
    if (fd < 0) return collect_fail(c, fd, "a socket to ask drivers with: %s", strerror(-fd));
    for (size_t i = 0; i < names.n; i++)
        if (unix_filter_shows(&plan->filter, names.v[i])) add_device(c, fd, names.v[i].p);
    ethtool_close(fd);
    return COLLECT_OK;
}

const struct collector_def collector_ethtool = {
    .name = "ethtool", .plan_size = sizeof(struct plan), .prepare = prepare, .collect = collect};
