/* Totals, and backends whose hidden labels are added up. */
#include "components/prometheus/unix/testing.h"

extern const struct collector_def collector_ipvs;
static struct unix_test t;

static void make(void)
{
    unix_test_file(&t, "proc/net/ip_vs_stats",
                   "   Total Incoming Outgoing         Incoming         Outgoing\n"
                   "   Conns  Packets  Packets            Bytes            Bytes\n"
                   "      1A      E33       2B                5                0\n\n"
                   " Conns/s   Pkts/s   Pkts/s          Bytes/s          Bytes/s\n");
    unix_test_file(&t, "proc/net/ip_vs",
                   "IP Virtual Server version 1.2.1 (size=4096)\n"
                   "Prot LocalAddress:Port Scheduler Flags\n"
                   "  -> RemoteAddress:Port Forward Weight ActiveConn InActConn\n"
                   "TCP  C0A80016:0CEA wlc\n"
                   "  -> C0A85216:0CEA      Tunnel  100    248        2\n"
                   "  -> C0A85217:0CEB      Tunnel  1      2          3\n"
                   "FWM  10001000 wlc\n"
                   "  -> [2620:0000:0000:0000:0000:0000:0000:0001]:0050 Route 20 64 1\n");
}

static void all_labels(void **state)
{
    make();
    assert_int_equal(unix_test_run(&t, &collector_ipvs, NULL), 0);
    unix_test_line(&t, "node_ipvs_connections_total 26");
    unix_test_line(&t, "node_ipvs_incoming_packets_total 3635");
    assert_int_equal(expo_count(t.out), 5 + 3 * 3);
    struct str text = unix_test_text(&t);
    assert_true(str_find(text, STR("local_address=\"192.168.0.22\"")) >= 0);
    assert_true(str_find(text, STR("remote_address=\"2620::1\",remote_port=\"80\"} 64")) >= 0);
}

static void one_label(void **state)
{
    struct unix_args args = unix_test_args(&t);
    struct str labels[] = {STR("proto")};

    make();
    args.ipvs.backend_labels = (struct str_list){labels, 1};
    assert_int_equal(unix_test_run(&t, &collector_ipvs, &args), 0);
    unix_test_line(&t, "node_ipvs_backend_connections_active{proto=\"TCP\"} 250");
    unix_test_line(&t, "node_ipvs_backend_weight{proto=\"FWM\"} 20");
}

static void broken(void **state)
{
    assert_int_equal(unix_test_run(&t, &collector_ipvs, NULL), COLLECT_NO_DATA);
    make();
    unix_test_file(&t, "proc/net/ip_vs", "TCP  C0A8001:0CEA wlc\n");
    assert_true(unix_test_run(&t, &collector_ipvs, NULL) < 0);
    unix_test_file(&t, "proc/net/ip_vs_stats", "x\n");
    assert_true(unix_test_run(&t, &collector_ipvs, NULL) < 0);
}

static int begin(void **state)
{
    unix_test_begin(&t);
    return 0;
}

static int end(void **state)
{
    unix_test_end(&t);
    return 0;
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, begin, end)
int main(void)
{
    const struct CMUnitTest tests[] = {TEST(all_labels), TEST(one_label), TEST(broken)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
