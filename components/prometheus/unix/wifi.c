/* wifi: wireless devices, as nl80211 tells: their frequency, what they are connected to, and the
 * stations they hear. */
#include <errno.h>
#include <linux/genetlink.h>
#include <linux/nl80211.h>
#include "components/prometheus/unix/netlink.h"

#define DEVICES_MAX 256
#define MAC_LEN     6

struct device {
    u32 index, mhz;
    struct str name, mac;
};
struct run {
    struct collect *c;
    u16 family;
    struct device devices[DEVICES_MAX];
    size_t n;
    const struct device *at; /* whose answers come */
    bool told;               /* what it is connected to */
};

/* --- questions --- */

static int ask(struct run *run, u16 type, u8 command, bool dump, struct str attrs,
               netlink_each *each)
{
    struct genlmsghdr h = {.cmd = command, .version = 1};
    struct buf body = BUF_INIT(4096);

    buf_add(&body, &h, sizeof(h));
    buf_str(&body, attrs);
    int r = netlink_ask(
        run->c,
        &(struct netlink_ask){
            .protocol = NETLINK_GENERIC, .type = type, .dump = dump, .body = buf_view(&body)},
        each, run);
    buf_done(&body);
    return r;
}

static int take_family(void *arg, u16 type, struct str body)
{
    struct str attrs = netlink_attrs(body, sizeof(struct genlmsghdr));
    struct run *run = arg;
    struct netlink_attr a;

    while (netlink_attr(&attrs, &a))
        if (a.type == CTRL_ATTR_FAMILY_ID) run->family = netlink_u16(a.value);
    return 0;
}

static int find_family(struct run *run)
{
    struct buf attrs = BUF_INIT(256);

    netlink_put(&attrs, CTRL_ATTR_FAMILY_NAME, str_n(NL80211_GENL_NAME, sizeof(NL80211_GENL_NAME)));
    int r = ask(run, GENL_ID_CTRL, CTRL_CMD_GETFAMILY, false, buf_view(&attrs), take_family);
    buf_done(&attrs);
    return r ? r : run->family ? 0 : -ENOENT;
}

/* A list of what concerns one device. */
static int ask_device(struct run *run, u8 command, netlink_each *each)
{
    struct buf attrs = BUF_INIT(256);

    netlink_put(&attrs, NL80211_ATTR_IFINDEX,
                str_n((const char *)&run->at->index, sizeof(run->at->index)));
    if (run->at->mac.n > 0) netlink_put(&attrs, NL80211_ATTR_MAC, run->at->mac);
    int r = ask(run, run->family, command, true, buf_view(&attrs), each);
    buf_done(&attrs);
    /* A device whose kind or driver knows no such list. */
    return r == -ENOENT || r == -EOPNOTSUPP || r == -ENODEV ? 0 : r;
}

/* --- devices --- */

static int take_device(void *arg, u16 type, struct str body)
{
    struct str attrs = netlink_attrs(body, sizeof(struct genlmsghdr));
    struct device d = {0};
    struct run *run = arg;
    struct netlink_attr a;

    while (netlink_attr(&attrs, &a)) {
        if (a.type == NL80211_ATTR_IFINDEX) d.index = netlink_u32(a.value);
        if (a.type == NL80211_ATTR_WIPHY_FREQ) d.mhz = netlink_u32(a.value);
        if (a.type == NL80211_ATTR_IFNAME) d.name = arena_str(run->c->arena, netlink_text(a.value));
        if (a.type == NL80211_ATTR_MAC) d.mac = arena_str(run->c->arena, a.value);
    }
    /* Those of direct connections have no name. */
    if (d.name.n > 0 && run->n < DEVICES_MAX) run->devices[run->n++] = d;
    return 0;
}

static struct str mac_text(struct collect *c, struct str mac)
{
    const u8 *b = (const u8 *)mac.p;

    if (mac.n < MAC_LEN) return STR("");
    return str_of(arena_printf(c->arena, "%02x:%02x:%02x:%02x:%02x:%02x", b[0], b[1], b[2], b[3],
                               b[4], b[5]));
}

/* --- what it is connected to --- */

struct bss {
    struct str mac, elements;
    u32 status;
    bool has_status; /* the others are neighbours that were only heard */
};

/* Elements are {number, length, bytes}; 0 is the name. */
static struct str ssid_of(struct str elements)
{
    while (elements.n >= 2) {
        size_t n = (u8)elements.p[1];

        if (n + 2 > elements.n) break;
        if (elements.p[0] == 0) return str_sub(elements, 2, n + 2);
        elements = str_sub(elements, n + 2, elements.n);
    }
    return STR("");
}

static const char *mode_of(u32 status)
{
    if (status == NL80211_BSS_STATUS_AUTHENTICATED || status == NL80211_BSS_STATUS_ASSOCIATED)
        return "client";
    return status == NL80211_BSS_STATUS_IBSS_JOINED ? "ad-hoc" : "unknown";
}

static void read_bss(struct str attrs, struct bss *to)
{
    struct netlink_attr a;

    while (netlink_attr(&attrs, &a)) {
        if (a.type == NL80211_BSS_BSSID) to->mac = a.value;
        if (a.type == NL80211_BSS_INFORMATION_ELEMENTS) to->elements = a.value;
        if (a.type != NL80211_BSS_STATUS) continue;
        to->status = netlink_u32(a.value);
        to->has_status = true;
    }
}

static int take_bss(void *arg, u16 type, struct str body)
{
    struct str attrs = netlink_attrs(body, sizeof(struct genlmsghdr));
    struct run *run = arg;
    struct bss bss = {0};
    struct netlink_attr a;

    while (netlink_attr(&attrs, &a))
        if (a.type == NL80211_ATTR_BSS) read_bss(a.value, &bss);
    if (!bss.has_status || run->told) return 0;
    run->told = true;
    expo_gauge1(run->c->out, "node_wifi_station_info",
                "Labeled WiFi interface station information as provided by the operating system.",
                1, EXPO_LS("device", run->at->name), EXPO_LS("bssid", mac_text(run->c, bss.mac)),
                EXPO_LS("ssid", ssid_of(bss.elements)), EXPO_L("mode", mode_of(bss.status)));
    return 0;
}

/* --- stations --- */

struct station {
    f64 connected, inactive, receive_rate, transmit_rate, receive_bytes, transmit_bytes, signal,
        retries, failed, beacon_loss, receive_packets, transmit_packets;
};

static const struct {
    const char *name, *help;
    enum expo_type type;
    size_t at;
} values[] = {
#define VALUE(member, name_, type_, help_)                                                         \
    {                                                                                              \
        "node_wifi_station_" name_, help_, type_, offsetof(struct station, member)                 \
    }
    VALUE(connected, "connected_seconds_total", EXPO_COUNTER,
          "The total number of seconds a station has been connected to an access point."),
    VALUE(inactive, "inactive_seconds", EXPO_GAUGE,
          "The number of seconds since any wireless activity has occurred on a station."),
    VALUE(receive_rate, "receive_bits_per_second", EXPO_GAUGE,
          "The current WiFi receive bitrate of a station, in bits per second."),
    VALUE(transmit_rate, "transmit_bits_per_second", EXPO_GAUGE,
          "The current WiFi transmit bitrate of a station, in bits per second."),
    VALUE(receive_bytes, "receive_bytes_total", EXPO_COUNTER,
          "The total number of bytes received by a WiFi station."),
    VALUE(transmit_bytes, "transmit_bytes_total", EXPO_COUNTER,
          "The total number of bytes transmitted by a WiFi station."),
    VALUE(signal, "signal_dbm", EXPO_GAUGE,
          "The current WiFi signal strength, in decibel-milliwatts (dBm)."),
    VALUE(retries, "transmit_retries_total", EXPO_COUNTER,
          "The total number of times a station has had to retry while sending a packet."),
    VALUE(failed, "transmit_failed_total", EXPO_COUNTER,
          "The total number of times a station has failed to send a packet."),
    VALUE(beacon_loss, "beacon_loss_total", EXPO_COUNTER,
          "The total number of times a station has detected a beacon loss."),
    VALUE(transmit_packets, "transmitted_packets_total", EXPO_COUNTER,
          "The total number of packets transmitted by a station."),
    VALUE(receive_packets, "received_packets_total", EXPO_COUNTER,
          "The total number of packets received by a station."),
};

/* In units of 100 kbit/s; the wider number where there is one. */
static f64 rate_of(struct str attrs)
{
    u32 rate = 0, wide = 0;
    struct netlink_attr a;

    while (netlink_attr(&attrs, &a)) {
        if (a.type == NL80211_RATE_INFO_BITRATE) rate = netlink_u16(a.value);
        if (a.type == NL80211_RATE_INFO_BITRATE32) wide = netlink_u32(a.value);
    }
    return (f64)(wide ? wide : rate) * 100000;
}

static void read_rates(const struct netlink_attr *a, struct station *s)
{
    if (a->type == NL80211_STA_INFO_RX_BITRATE) s->receive_rate = rate_of(a->value);
    if (a->type == NL80211_STA_INFO_TX_BITRATE) s->transmit_rate = rate_of(a->value);
    if (a->type == NL80211_STA_INFO_SIGNAL) s->signal = (int8_t)netlink_u8(a->value);
    if (a->type == NL80211_STA_INFO_INACTIVE_TIME) s->inactive = netlink_u32(a->value) / 1e3;
}

/* The kernel sends the 32 bits of a counter beside its 64. */
static void read_bytes(const struct netlink_attr *a, struct station *s, bool wide[2])
{
    if (a->type == NL80211_STA_INFO_RX_BYTES && !wide[0]) s->receive_bytes = netlink_u32(a->value);
    if (a->type == NL80211_STA_INFO_TX_BYTES && !wide[1]) s->transmit_bytes = netlink_u32(a->value);
    if (a->type == NL80211_STA_INFO_RX_BYTES64) {
        s->receive_bytes = (f64)netlink_u64(a->value);
        wide[0] = true;
    }
    if (a->type == NL80211_STA_INFO_TX_BYTES64) {
        s->transmit_bytes = (f64)netlink_u64(a->value);
        wide[1] = true;
    }
}

static void read_counts(const struct netlink_attr *a, struct station *s)
{
    u32 v = netlink_u32(a->value);

    if (a->type == NL80211_STA_INFO_CONNECTED_TIME) s->connected = v;
    if (a->type == NL80211_STA_INFO_TX_RETRIES) s->retries = v;
    if (a->type == NL80211_STA_INFO_TX_FAILED) s->failed = v;
    if (a->type == NL80211_STA_INFO_BEACON_LOSS) s->beacon_loss = v;
    if (a->type == NL80211_STA_INFO_RX_PACKETS) s->receive_packets = v;
    if (a->type == NL80211_STA_INFO_TX_PACKETS) s->transmit_packets = v;
}

static void read_station(struct str attrs, struct station *s)
{
    bool wide[2] = {false, false};
    struct netlink_attr a;

    while (netlink_attr(&attrs, &a)) {
        read_rates(&a, s);
        read_bytes(&a, s, wide);
        read_counts(&a, s);
    }
}

static int take_station(void *arg, u16 type, struct str body)
{
    struct str attrs = netlink_attrs(body, sizeof(struct genlmsghdr)), mac = STR("");
    struct station s = {0};
    struct run *run = arg;
    struct netlink_attr a;

    while (netlink_attr(&attrs, &a)) {
        if (a.type == NL80211_ATTR_MAC) mac = mac_text(run->c, a.value);
        if (a.type == NL80211_ATTR_STA_INFO) read_station(a.value, &s);
    }
    for (size_t i = 0; i < ARRAY_LEN(values); i++)
        expo_add(expo_family(run->c->out, values[i].type, values[i].name, values[i].help),
                 *(const f64 *)((const char *)&s + values[i].at), EXPO_LS("device", run->at->name),
                 EXPO_LS("mac_address", mac));
    return 0;
}

static int show_device(struct run *run, const struct device *d)
{
    run->at = d;
    run->told = false;
    expo_gauge1(run->c->out, "node_wifi_interface_frequency_hertz",
                "The current frequency a WiFi interface is operating at, in hertz.",
                (f64)d->mhz * 1e6, EXPO_LS("device", d->name));
    int r = ask_device(run, NL80211_CMD_GET_SCAN, take_bss);
    return r ? r : ask_device(run, NL80211_CMD_GET_STATION, take_station);
}

static int collect(struct collect *c)
{
    struct run run = {.c = c};
    int r = find_family(&run);

    if (r == -ENOENT || r == -EPERM || r == -EACCES) return COLLECT_NO_DATA; /* no wireless */
    if (!r) r = ask(&run, run.family, NL80211_CMD_GET_INTERFACE, true, STR(""), take_device);
    for (size_t i = 0; !r && i < run.n; i++)
        r = show_device(&run, &run.devices[i]);
    return r;
}

const struct collector_def collector_wifi = {.name = "wifi", .collect = collect};
