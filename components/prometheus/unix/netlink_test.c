/* Collectors that ask the kernel: answers of routes, queues, neighbours, wireless devices and
 * drivers, made by hand; and broken ones. */
#include "components/prometheus/unix/testing.h"

#include <errno.h>
#include <linux/ethtool.h>
#include <linux/genetlink.h>
#include <linux/gen_stats.h>
#include <linux/neighbour.h>
#include <linux/nl80211.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>
#include "components/prometheus/unix/netlink.h"

extern const struct collector_def collector_arp, collector_ethtool, collector_network_route,
    collector_qdisc, collector_wifi;

static struct unix_test t;
static int refuse; /* what the kernel says to all questions */

/* --- writing answers --- */

#define BYTES(x) str_n((const char *)&(x), sizeof(x))

static void put_u32(struct buf *b, u16 type, u32 v)
{
    netlink_put(b, type, BYTES(v));
}

static void put_text(struct buf *b, u16 type, const char *text)
{
    netlink_put(b, type, str_n(text, strlen(text) + 1));
}

static void put_nested(struct buf *b, u16 type, struct buf *inner)
{
    netlink_put(b, type | NLA_F_NESTED, buf_view(inner));
    buf_done(inner);
}

static void message(struct buf *to, u16 type, struct str head, struct buf *attrs)
{
    struct nlmsghdr h = {.nlmsg_type = type, .nlmsg_flags = NLM_F_MULTI};

    h.nlmsg_len = (u32)(sizeof(h) + head.n + (attrs ? attrs->n : 0));
    buf_add(to, &h, sizeof(h));
    buf_str(to, head);
    if (attrs) {
        buf_str(to, buf_view(attrs));
        buf_done(attrs);
    }
}

static void end(struct buf *to)
{
    int none = 0;

    message(to, NLMSG_DONE, BYTES(none), NULL);
}

static void put_link(struct buf *to, int index, const char *name)
{
    struct ifinfomsg info = {.ifi_index = index};
    struct buf attrs = BUF_INIT(4096);

    put_text(&attrs, IFLA_IFNAME, name);
    message(to, RTM_NEWLINK, BYTES(info), &attrs);
}

static void links(struct buf *to)
{
    put_link(to, 7, "wan0");
    put_link(to, 2, "eth0");
    end(to);
}

/* --- routes --- */

static const u8 net4[] = {10, 1, 0, 0}, gw4[] = {10, 0, 0, 1}, src4[] = {10, 0, 0, 9};
static const u8 net6[16] = {0xfd, 0}, gw6[16] = {0xfe, 0x80, [15] = 1};

static void put_hop(struct buf *to, int device, u8 hops, struct str gateway)
{
    struct buf attrs = BUF_INIT(256);
    struct rtnexthop hop = {.rtnh_ifindex = device, .rtnh_hops = hops};

    netlink_put(&attrs, RTA_GATEWAY, gateway);
    hop.rtnh_len = (u16)(sizeof(hop) + attrs.n);
    buf_add(to, &hop, sizeof(hop));
    buf_str(to, buf_view(&attrs));
    buf_done(&attrs);
}

static void put_route(struct buf *to, u8 bits, u8 protocol, u8 type, struct buf *attrs)
{
    struct rtmsg rt = {.rtm_dst_len = bits, .rtm_protocol = protocol, .rtm_type = type};

    message(to, RTM_NEWROUTE, BYTES(rt), attrs);
}

static void routes(struct buf *to)
{
    struct buf a = BUF_INIT(4096), hops = BUF_INIT(4096);

    put_u32(&a, RTA_OIF, 2);
    put_u32(&a, RTA_PRIORITY, 100);
    netlink_put(&a, RTA_GATEWAY, BYTES(gw4));
    netlink_put(&a, RTA_PREFSRC, BYTES(src4));
    put_route(to, 0, RTPROT_DHCP, RTN_UNICAST, &a);
    /* The same of another table: counted, not shown again. */
    put_u32(&a, RTA_OIF, 2);
    put_u32(&a, RTA_PRIORITY, 100);
    netlink_put(&a, RTA_GATEWAY, BYTES(gw4));
    netlink_put(&a, RTA_PREFSRC, BYTES(src4));
    put_route(to, 0, RTPROT_DHCP, RTN_UNICAST, &a);
    put_hop(&hops, 2, 0, BYTES(gw4));
    put_hop(&hops, 7, 4, BYTES(gw6));
    netlink_put(&a, RTA_DST, BYTES(net4));
    put_nested(&a, RTA_MULTIPATH, &hops);
    put_route(to, 16, RTPROT_BGP, RTN_UNICAST, &a);
    netlink_put(&a, RTA_DST, BYTES(net6));
    put_u32(&a, RTA_OIF, 99);
    put_route(to, 64, 77, RTN_UNICAST, &a);
    netlink_put(&a, RTA_DST, BYTES(src4));
    put_route(to, 32, RTPROT_KERNEL, RTN_LOCAL, &a);
    end(to);
}

/* --- queues --- */

static void put_qdisc(struct buf *to, int device, u32 parent, const char *kind, bool old)
{
    struct tcmsg tc = {.tcm_ifindex = device, .tcm_parent = parent};
    struct gnet_stats_basic basic = {.bytes = (u64)1 << 40, .packets = 3};
    struct gnet_stats_queue queue = {
        .qlen = 4, .backlog = 5, .drops = 6, .requeues = 7, .overlimits = 8};
    struct tc_stats stats = {.bytes = 11, .packets = 12, .drops = 13, .overlimits = 14, .qlen = 15};
    struct buf a = BUF_INIT(4096), nested = BUF_INIT(4096);

    put_text(&a, TCA_KIND, kind);
    netlink_put(&nested, TCA_STATS_BASIC, BYTES(basic));
    netlink_put(&nested, TCA_STATS_QUEUE, BYTES(queue));
    if (!old) put_nested(&a, TCA_STATS2, &nested);
    netlink_put(&a, TCA_STATS, BYTES(stats));
    buf_done(&nested);
    message(to, RTM_NEWQDISC, BYTES(tc), &a);
}

static void qdiscs(struct buf *to)
{
    put_qdisc(to, 2, TC_H_ROOT, "fq_codel", false);
    put_qdisc(to, 2, 0x10000, "inner", false);
    put_qdisc(to, 7, 0, "noqueue", true);
    end(to);
}

static void neighbours(struct buf *to)
{
    struct ndmsg nd = {.ndm_family = AF_INET, .ndm_ifindex = 2, .ndm_state = NUD_REACHABLE};

    message(to, RTM_NEWNEIGH, BYTES(nd), NULL);
    nd.ndm_state = NUD_STALE;
    message(to, RTM_NEWNEIGH, BYTES(nd), NULL);
    nd.ndm_state = NUD_NOARP;
    message(to, RTM_NEWNEIGH, BYTES(nd), NULL);
    end(to);
}

/* --- wireless --- */

#define FAMILY 27
static const char mac[] = {1, 2, 3, 4, 5, (char)0xab};

static void put_wifi(struct buf *to, struct buf *attrs)
{
    struct genlmsghdr h = {.version = 1};

    message(to, FAMILY, BYTES(h), attrs);
}

static void family(struct buf *to)
{
    struct genlmsghdr h = {.cmd = CTRL_CMD_NEWFAMILY};
    struct buf a = BUF_INIT(256);
    u16 id = FAMILY;
    int done = 0;

    netlink_put(&a, CTRL_ATTR_FAMILY_ID, BYTES(id));
    message(to, GENL_ID_CTRL, BYTES(h), &a);
    message(to, NLMSG_ERROR, BYTES(done), NULL);
}

static void wifi_devices(struct buf *to)
{
    struct buf a = BUF_INIT(256);

    put_u32(&a, NL80211_ATTR_IFINDEX, 5);
    put_text(&a, NL80211_ATTR_IFNAME, "wlan0");
    netlink_put(&a, NL80211_ATTR_MAC, BYTES(mac));
    put_u32(&a, NL80211_ATTR_WIPHY_FREQ, 2412);
    put_wifi(to, &a);
    put_u32(&a, NL80211_ATTR_IFINDEX, 6); /* without a name */
    put_wifi(to, &a);
    end(to);
}

static void put_bss(struct buf *to, bool joined)
{
    static const char elements[] = {1, 1, 9, 0, 3, 'n', 'e', 't', 3, 50};
    struct buf a = BUF_INIT(256), bss = BUF_INIT(256);

    netlink_put(&bss, NL80211_BSS_BSSID, BYTES(mac));
    netlink_put(&bss, NL80211_BSS_INFORMATION_ELEMENTS, BYTES(elements));
    if (joined) put_u32(&bss, NL80211_BSS_STATUS, NL80211_BSS_STATUS_ASSOCIATED);
    put_nested(&a, NL80211_ATTR_BSS, &bss);
    put_wifi(to, &a);
}

static void scans(struct buf *to)
{
    put_bss(to, false);
    put_bss(to, true);
    end(to);
}

static void stations(struct buf *to)
{
    struct buf a = BUF_INIT(1024), s = BUF_INIT(1024), rate = BUF_INIT(64);
    u64 bytes = (u64)1 << 33;
    u16 slow = 10;
    u8 signal = (u8)-52;

    put_u32(&s, NL80211_STA_INFO_CONNECTED_TIME, 30);
    put_u32(&s, NL80211_STA_INFO_INACTIVE_TIME, 400);
    netlink_put(&s, NL80211_STA_INFO_RX_BYTES64, BYTES(bytes));
    put_u32(&s, NL80211_STA_INFO_RX_BYTES, 1);
    put_u32(&s, NL80211_STA_INFO_TX_BYTES, 77);
    netlink_put(&s, NL80211_STA_INFO_SIGNAL, BYTES(signal));
    netlink_put(&rate, NL80211_RATE_INFO_BITRATE, BYTES(slow));
    put_u32(&rate, NL80211_RATE_INFO_BITRATE32, 2600);
    put_nested(&s, NL80211_STA_INFO_RX_BITRATE, &rate);
    put_u32(&s, NL80211_STA_INFO_BEACON_LOSS, 2);
    netlink_put(&a, NL80211_ATTR_MAC, BYTES(mac));
    put_nested(&a, NL80211_ATTR_STA_INFO, &s);
    put_wifi(to, &a);
    end(to);
}

/* --- the kernel --- */

static void answer_wifi(struct buf *to, u8 command)
{
    if (command == NL80211_CMD_GET_INTERFACE) wifi_devices(to);
    if (command == NL80211_CMD_GET_SCAN) scans(to);
    if (command == NL80211_CMD_GET_STATION) stations(to);
}

static int kernel(struct collect *c, const struct netlink_ask *ask, struct buf *to)
{
    (void)c;
    if (refuse) return refuse;
    if (ask->type == RTM_GETLINK) links(to);
    if (ask->type == RTM_GETROUTE) routes(to);
    if (ask->type == RTM_GETQDISC) qdiscs(to);
    if (ask->type == RTM_GETNEIGH) neighbours(to);
    if (ask->type == GENL_ID_CTRL) family(to);
    if (ask->type == FAMILY) answer_wifi(to, (u8)ask->body.p[0]);
    return 0;
}

static int setup(void **state)
{
    (void)state;
    unix_test_begin(&t);
    t.c.netlink = kernel;
    refuse = 0;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    unix_test_end(&t);
    return 0;
}

/* --- tests --- */

static void test_routes(void **state)
{
    (void)state;
    assert_int_equal(unix_test_run(&t, &collector_network_route, NULL), 0);
#define INFO "node_network_route_info"
    unix_test_line(&t, INFO "{dest=\"default\",device=\"eth0\",gw=\"10.0.0.1\",priority=\"100\","
                            "proto=\"dhcp\",src=\"10.0.0.9\",weight=\"\"} 1");
    unix_test_line(&t, INFO "{dest=\"10.1.0.0/16\",device=\"eth0\",gw=\"10.0.0.1\",priority=\"0\","
                            "proto=\"bgp\",src=\"\",weight=\"1\"} 1");
    unix_test_line(&t, INFO "{dest=\"10.1.0.0/16\",device=\"wan0\",gw=\"fe80::1\",priority=\"0\","
                            "proto=\"bgp\",src=\"\",weight=\"5\"} 1");
    unix_test_line(&t, INFO "{dest=\"fd00::/64\",device=\"\",gw=\"\",priority=\"0\","
                            "proto=\"unknown\",src=\"\",weight=\"\"} 1");
    unix_test_line(&t, "node_network_routes{device=\"eth0\"} 3");
    assert_int_equal(str_find(unix_test_text(&t), STR("10.0.0.9/32")), -1);
    refuse = -EPERM;
    assert_int_equal(unix_test_run(&t, &collector_network_route, NULL), -EPERM);
    assert_true(str_find(str_of(t.c.error), STR("netlink")) >= 0);
}

static void test_qdisc(void **state)
{
    (void)state;
    assert_int_equal(unix_test_run(&t, &collector_qdisc, NULL), 0);
#define ETH0 "{device=\"eth0\",kind=\"fq_codel\"}"
    unix_test_line(&t, "node_qdisc_bytes_total" ETH0 " 1.099511627776e+12");
    unix_test_line(&t, "node_qdisc_packets_total" ETH0 " 3");
    unix_test_line(&t, "node_qdisc_current_queue_length" ETH0 " 4");
    unix_test_line(&t, "node_qdisc_backlog" ETH0 " 5");
    unix_test_line(&t, "node_qdisc_drops_total" ETH0 " 6");
    unix_test_line(&t, "node_qdisc_requeues_total" ETH0 " 7");
    unix_test_line(&t, "node_qdisc_overlimits_total" ETH0 " 8");
    unix_test_line(&t, "node_qdisc_bytes_total{device=\"wan0\",kind=\"noqueue\"} 11");
    unix_test_line(&t, "node_qdisc_current_queue_length{device=\"wan0\",kind=\"noqueue\"} 15");
    assert_int_equal(str_find(unix_test_text(&t), STR("inner")), -1);
}

static void test_arp(void **state)
{
    struct unix_args args = unix_test_args(&t);

    (void)state;
    args.arp.netlink = true;
    assert_int_equal(unix_test_run(&t, &collector_arp, &args), 0);
    unix_test_line(&t, "node_arp_entries{device=\"eth0\"} 2");
}

static void test_wifi(void **state)
{
    (void)state;
    assert_int_equal(unix_test_run(&t, &collector_wifi, NULL), 0);
    unix_test_line(&t, "node_wifi_interface_frequency_hertz{device=\"wlan0\"} 2.412e+09");
    unix_test_line(&t, "node_wifi_station_info{bssid=\"01:02:03:04:05:ab\",device=\"wlan0\","
                       "mode=\"client\",ssid=\"net\"} 1");
#define STATION "{device=\"wlan0\",mac_address=\"01:02:03:04:05:ab\"}"
    unix_test_line(&t, "node_wifi_station_connected_seconds_total" STATION " 30");
    unix_test_line(&t, "node_wifi_station_inactive_seconds" STATION " 0.4");
    unix_test_line(&t, "node_wifi_station_receive_bytes_total" STATION " 8.589934592e+09");
    unix_test_line(&t, "node_wifi_station_transmit_bytes_total" STATION " 77");
    unix_test_line(&t, "node_wifi_station_signal_dbm" STATION " -52");
    unix_test_line(&t, "node_wifi_station_receive_bits_per_second" STATION " 2.6e+08");
    unix_test_line(&t, "node_wifi_station_beacon_loss_total" STATION " 2");
    refuse = -ENOENT;
    assert_int_equal(unix_test_run(&t, &collector_wifi, NULL), COLLECT_NO_DATA);
}

static int take_none(void *arg, u16 type, struct str body)
{
    (void)type, (void)body;
    ++*(int *)arg;
    return 0;
}

static void test_broken(void **state)
{
    struct nlmsghdr h = {.nlmsg_len = 4096, .nlmsg_type = RTM_NEWLINK};
    struct buf b = BUF_INIT(4096);
    struct netlink_attr a;
    int n = 0, error = -EBUSY;
    bool done;

    (void)state;
    assert_int_equal(netlink_messages(BYTES(h), take_none, &n, &done), -EBADMSG);
    h.nlmsg_len = 3;
    assert_int_equal(netlink_messages(BYTES(h), take_none, &n, &done), -EBADMSG);
    put_link(&b, 1, "a");
    message(&b, NLMSG_ERROR, BYTES(error), NULL);
    put_link(&b, 1, "behind the end");
    assert_int_equal(netlink_messages(buf_view(&b), take_none, &n, &done), -EBUSY);
    assert_true(done);
    assert_int_equal(n, 1);
    buf_done(&b);
    struct str cut = STR("\x08\0\x01\0abc");
    assert_false(netlink_attr(&cut, &a));
    struct str small = STR("\x02\0\x01\0");
    assert_false(netlink_attr(&small, &a));
    assert_int_equal(netlink_u32(STR("abc")), 0);
    assert_int_equal(netlink_attrs(STR("abc"), 12).n, 0);
}

/* --- drivers --- */

static const char *const stat_names[] = {"rx_bytes", "tx_tx_timeouts", "ch[0]_poll",
                                         "RX-drops", "rx_drops",       "rx_drops "};

static void give_names(struct ethtool_gstrings *names)
{
    assert_int_equal(names->len, ARRAY_LEN(stat_names));
    for (size_t i = 0; i < names->len; i++)
        memcpy((char *)names->data + i * ETH_GSTRING_LEN, stat_names[i], strlen(stat_names[i]));
}

static void give_values(struct ethtool_stats *stats)
{
    for (u32 i = 0; i < stats->n_stats; i++)
        memcpy((char *)stats->data + i * sizeof(u64), &(u64){i + 10}, sizeof(u64));
}

static int driver(const char *device, void *question)
{
    struct ethtool_drvinfo *info = question;
    struct ethtool_cmd *link = question;

    if (strcmp(device, "lo") == 0) return -EOPNOTSUPP;
    if (info->cmd == ETHTOOL_GDRVINFO) {
        memcpy(info->driver, "e1000e", 7);
        memcpy(info->bus_info, "0000:00:1f.6", 13);
        info->n_stats = ARRAY_LEN(stat_names);
    } else if (link->cmd == ETHTOOL_GSET) {
        link->supported = 1 << 5 | 1 << 6 | 1 << 7 | 1 << 13;
        link->advertising = 1 << 5;
        link->autoneg = 1;
    } else if (link->cmd == ETHTOOL_GSTRINGS) {
        give_names(question);
    } else if (link->cmd == ETHTOOL_GSTATS) {
        give_values(question);
    }
    return 0;
}

static void test_ethtool(void **state)
{
    struct unix_args args = unix_test_args(&t);

    (void)state;
    t.c.ethtool = driver;
    unix_test_file(&t, "sys/class/net/eth0", NULL);
    unix_test_file(&t, "sys/class/net/lo", NULL);
    assert_int_equal(unix_test_run(&t, &collector_ethtool, NULL), 0);
    unix_test_line(&t, "node_ethtool_info{bus_info=\"0000:00:1f.6\",device=\"eth0\","
                       "driver=\"e1000e\",expansion_rom_version=\"\",firmware_version=\"\","
                       "version=\"\"} 1");
    unix_test_line(&t, "node_ethtool_received_bytes_total{device=\"eth0\"} 10");
    unix_test_line(&t, "node_ethtool_transmitted_tx_timeouts{device=\"eth0\"} 11");
    unix_test_line(&t, "# HELP node_ethtool_ch_0_poll Network interface ch_0_poll");
    unix_test_line(&t, "node_ethtool_ch_0_poll{device=\"eth0\"} 12");
    unix_test_line(&t, "node_ethtool_received_drops_{device=\"eth0\"} 15");
    /* RX-drops and rx_drops would be one. */
    assert_int_equal(str_find(unix_test_text(&t), STR("node_ethtool_received_drops{")), -1);
    unix_test_line(&t, "node_network_supported_speed_bytes{device=\"eth0\",duplex=\"full\","
                       "mode=\"1000baseT\"} 1.25e+08");
    unix_test_line(&t, "node_network_supported_port_info{device=\"eth0\",type=\"TP\"} 1");
    unix_test_line(&t, "node_network_pause_supported{device=\"eth0\"} 1");
    unix_test_line(&t, "node_network_pause_advertised{device=\"eth0\"} 0");
    unix_test_line(&t, "node_network_autonegotiate{device=\"eth0\"} 1");
    args.ethtool.metrics_include = STR("^ch_");
    assert_int_equal(unix_test_run(&t, &collector_ethtool, &args), 0);
    assert_int_equal(str_find(unix_test_text(&t), STR("received_bytes")), -1);
    unix_test_line(&t, "node_ethtool_ch_0_poll{device=\"eth0\"} 12");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_routes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_qdisc, setup, teardown),
        cmocka_unit_test_setup_teardown(test_arp, setup, teardown),
        cmocka_unit_test_setup_teardown(test_wifi, setup, teardown),
        cmocka_unit_test_setup_teardown(test_broken, setup, teardown),
        cmocka_unit_test_setup_teardown(test_ethtool, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
