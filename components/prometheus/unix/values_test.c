/* Collectors that are tables of small files, over trees of a few of them. */
#include "components/prometheus/unix/testing.h"

#include "components/prometheus/unix/values.h"

#define COLLECTOR(name) extern const struct collector_def collector_##name;
#include "components/prometheus/unix/collectors.def"
#undef COLLECTOR

static struct unix_test t;

static void any_number(void **state)
{
    static const struct {
        const char *text;
        int r;
        f64 v;
    } cases[] = {{"12", 0, 12}, {"-3", 0, -3},  {"0xff", 0, 255},
                 {"ff", -1, 0}, {"0xg", -1, 0}, {"", -1, 0}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        f64 v = 0;
        assert_int_equal(unix_any_number(str_of(cases[i].text), &v) != 0, cases[i].r != 0);
        if (cases[i].r == 0) assert_true(v == cases[i].v);
    }
}

/* A machine that has none of it: no failure. */
static void nothing(void **state)
{
    assert_int_equal(unix_test_run(&t, &collector_watchdog, NULL), COLLECT_NO_DATA);
    assert_int_equal(unix_test_run(&t, &collector_tapestats, NULL), COLLECT_NO_DATA);
    assert_int_equal(unix_test_run(&t, &collector_fibrechannel, NULL), COLLECT_NO_DATA);
    assert_int_equal(unix_test_run(&t, &collector_powersupplyclass, NULL), COLLECT_NO_DATA);
    assert_int_equal(unix_test_run(&t, &collector_infiniband, NULL), COLLECT_NO_DATA);
    assert_int_equal(unix_test_run(&t, &collector_nvme, NULL), COLLECT_NO_DATA);
    assert_int_equal(unix_test_run(&t, &collector_rapl, NULL), COLLECT_NO_DATA);
    assert_int_equal(unix_test_run(&t, &collector_dmi, NULL), COLLECT_NO_DATA);
    assert_int_equal(unix_test_run(&t, &collector_bonding, NULL), COLLECT_NO_DATA);
    assert_int_equal(unix_test_run(&t, &collector_edac, NULL), COLLECT_OK);
    assert_int_equal(unix_test_run(&t, &collector_thermal_zone, NULL), COLLECT_OK);
    assert_int_equal(unix_test_run(&t, &collector_xfs, NULL), COLLECT_OK);
    assert_text(unix_test_text(&t), "");
}

static void watchdog(void **state)
{
    unix_test_file(&t, "sys/class/watchdog/watchdog0/timeout", "60\n");
    unix_test_file(&t, "sys/class/watchdog/watchdog0/identity", "iTCO_wdt\n");
    assert_int_equal(unix_test_run(&t, &collector_watchdog, NULL), 0);
    assert_text(unix_test_text(&t),
                "# HELP node_watchdog_info Info of /sys/class/watchdog/<watchdog>\n"
                "# TYPE node_watchdog_info gauge\n"
                "node_watchdog_info{identity=\"iTCO_wdt\",name=\"watchdog0\",options=\"\","
                "pretimeout_governor=\"\",state=\"\",status=\"\"} 1\n"
                "# HELP node_watchdog_timeout_seconds Value of "
                "/sys/class/watchdog/<watchdog>/timeout\n"
                "# TYPE node_watchdog_timeout_seconds gauge\n"
                "node_watchdog_timeout_seconds{name=\"watchdog0\"} 60\n");
}

static void no_number(void **state)
{
    unix_test_file(&t, "sys/class/watchdog/watchdog0/timeout", "soon\n");
    assert_true(unix_test_run(&t, &collector_watchdog, NULL) < 0);
    assert_non_null(strstr(t.c.error, "timeout is no number: soon"));
    unix_test_file(&t, "sys/class/watchdog/watchdog0/timeout", "N/A (no PMA)\n");
    assert_int_equal(unix_test_run(&t, &collector_watchdog, NULL), 0);
}

static void tapes(void **state)
{
    struct unix_args args = unix_test_args(&t);

    unix_test_file(&t, "sys/class/scsi_tape/st0/stats/io_ns", "2500000000\n");
    unix_test_file(&t, "sys/class/scsi_tape/nst0/stats/io_ns", "1\n");
    unix_test_file(&t, "sys/class/scsi_tape/st0a/stats/io_ns", "1\n");
    unix_test_file(&t, "sys/class/scsi_tape/st1/stats/in_flight", "3\n");
    assert_int_equal(unix_test_run(&t, &collector_tapestats, NULL), 0);
    unix_test_line(&t, "node_tape_io_time_seconds_total{device=\"st0\"} 2.5");
    unix_test_line(&t, "node_tape_io_now{device=\"st1\"} 3");
    assert_int_equal(expo_count(t.out), 2);
    args.tapestats.ignored_devices = STR("^st1$");
    assert_int_equal(unix_test_run(&t, &collector_tapestats, &args), 0);
    assert_int_equal(expo_count(t.out), 1);
}

static void host_adapters(void **state)
{
    unix_test_file(&t, "sys/class/fc_host/host0/port_id", "0x000002\n");
    unix_test_file(&t, "sys/class/fc_host/host0/speed", "16 Gbit\n");
    unix_test_file(&t, "sys/class/fc_host/host0/statistics/rx_frames", "0x10\n");
    unix_test_file(&t, "sys/class/fc_host/host0/statistics/tx_frames", "0xffffffffffffffff\n");
    assert_int_equal(unix_test_run(&t, &collector_fibrechannel, NULL), 0);
    struct str text = unix_test_text(&t);
    assert_true(str_find(text, STR("port_id=\"000002\"")) >= 0);
    assert_true(str_find(text, STR("speed=\"16 Gbit\"")) >= 0);
    unix_test_line(&t, "node_fibrechannel_rx_frames_total{fc_host=\"host0\"} 16");
    assert_int_equal(expo_count(t.out), 2);
}

static void power(void **state)
{
    unix_test_file(&t, "sys/class/power_supply/BAT0/energy_now", "36580000\n");
    unix_test_file(&t, "sys/class/power_supply/BAT0/temp", "312\n");
    unix_test_file(&t, "sys/class/power_supply/BAT0/cycle_count", "7\n");
    unix_test_file(&t, "sys/class/power_supply/BAT0/type", "Battery\n");
    assert_int_equal(unix_test_run(&t, &collector_powersupplyclass, NULL), 0);
    unix_test_line(&t, "node_power_supply_energy_watthour{power_supply=\"BAT0\"} 36.58");
    unix_test_line(&t, "node_power_supply_temp_celsius{power_supply=\"BAT0\"} 31.2");
    unix_test_line(&t, "node_power_supply_cyclecount{power_supply=\"BAT0\"} 7");
    unix_test_line(&t, "node_power_supply_info{power_supply=\"BAT0\",type=\"Battery\"} 1");
}

static void infiniband(void **state)
{
    unix_test_file(&t, "sys/class/infiniband/mlx4_0/fw_ver", "2.31\n");
    unix_test_file(&t, "sys/class/infiniband/mlx4_0/ports/1/state", "4: ACTIVE\n");
    unix_test_file(&t, "sys/class/infiniband/mlx4_0/ports/1/phys_state", "5: LinkUp\n");
    unix_test_file(&t, "sys/class/infiniband/mlx4_0/ports/1/rate", "2.5 Gb/sec (1X SDR)\n");
    unix_test_file(&t, "sys/class/infiniband/mlx4_0/ports/1/counters/port_rcv_data", "10\n");
    unix_test_file(&t, "sys/class/infiniband/mlx4_0/ports/1/counters/symbol_error", "N/A\n");
    assert_int_equal(unix_test_run(&t, &collector_infiniband, NULL), 0);
    unix_test_line(&t, "node_infiniband_state_id{device=\"mlx4_0\",port=\"1\"} 4");
    unix_test_line(&t,
                   "node_infiniband_rate_bytes_per_second{device=\"mlx4_0\",port=\"1\"} 3.125e+08");
    unix_test_line(
        &t, "node_infiniband_port_data_received_bytes_total{device=\"mlx4_0\",port=\"1\"} 40");
    assert_int_equal(expo_count(t.out), 5);
    unix_test_file(&t, "sys/class/infiniband/mlx4_0/ports/1/state", "broken\n");
    assert_true(unix_test_run(&t, &collector_infiniband, NULL) < 0);
}

static void bonds(void **state)
{
    unix_test_file(&t, "sys/class/net/bonding_masters", "bond0 dmz\n");
    unix_test_file(&t, "sys/class/net/bond0/bonding/slaves", "\n");
    unix_test_file(&t, "sys/class/net/dmz/bonding/slaves", "eth0 eth4\n");
    unix_test_file(&t, "sys/class/net/dmz/lower_eth0/bonding_slave/mii_status", "up\n");
    unix_test_file(&t, "sys/class/net/dmz/slave_eth4/bonding_slave/mii_status", "down\n");
    assert_int_equal(unix_test_run(&t, &collector_bonding, NULL), 0);
    unix_test_line(&t, "node_bonding_slaves{master=\"bond0\"} 0");
    unix_test_line(&t, "node_bonding_slaves{master=\"dmz\"} 2");
    unix_test_line(&t, "node_bonding_active{master=\"dmz\"} 1");
}

static void memory_errors(void **state)
{
    unix_test_file(&t, "sys/devices/system/edac/mc/mc0/ce_count", "1\n");
    unix_test_file(&t, "sys/devices/system/edac/mc/mc0/ce_noinfo_count", "2\n");
    unix_test_file(&t, "sys/devices/system/edac/mc/mc0/ue_count", "5\n");
    unix_test_file(&t, "sys/devices/system/edac/mc/mc0/ue_noinfo_count", "6\n");
    unix_test_file(&t, "sys/devices/system/edac/mc/mc0/csrow3/ce_count", "3\n");
    unix_test_file(&t, "sys/devices/system/edac/mc/mc0/csrow3/ue_count", "4\n");
    assert_int_equal(unix_test_run(&t, &collector_edac, NULL), 0);
    unix_test_line(&t, "node_edac_correctable_errors_total{controller=\"0\"} 1");
    unix_test_line(
        &t, "node_edac_csrow_correctable_errors_total{controller=\"0\",csrow=\"unknown\"} 2");
    unix_test_line(&t,
                   "node_edac_csrow_uncorrectable_errors_total{controller=\"0\",csrow=\"3\"} 4");
    assert_int_equal(expo_count(t.out), 6);
}

static void energy(void **state)
{
    unix_test_file(&t, "sys/class/powercap/intel-rapl:0/name", "package-10\n");
    unix_test_file(&t, "sys/class/powercap/intel-rapl:0/energy_uj", "240422366267\n");
    unix_test_file(&t, "sys/class/powercap/intel-rapl:0:0/name", "core\n");
    unix_test_file(&t, "sys/class/powercap/intel-rapl:0:0/energy_uj", "118821284256\n");
    unix_test_file(&t, "sys/class/powercap/intel-rapl/enabled", "1\n");
    assert_int_equal(unix_test_run(&t, &collector_rapl, NULL), 0);
    assert_int_equal(expo_count(t.out), 2);
    struct str text = unix_test_text(&t);
    assert_true(str_find(text, STR("node_rapl_core_joules_total{index=\"0\",path=\"")) >= 0);
    assert_true(str_find(text, STR("node_rapl_package_joules_total{index=\"10\",path=\"")) >= 0);
    assert_true(str_find(text, STR("} 240422.366267\n")) >= 0);
}

static void temperatures(void **state)
{
    unix_test_file(&t, "sys/class/thermal/thermal_zone0/type", "cpu-thermal\n");
    unix_test_file(&t, "sys/class/thermal/thermal_zone0/temp", "-44925\n");
    unix_test_file(&t, "sys/class/thermal/thermal_zone1/type", "off\n");
    unix_test_file(&t, "sys/class/thermal/cooling_device0/type", "Processor\n");
    unix_test_file(&t, "sys/class/thermal/cooling_device0/cur_state", "-1\n");
    unix_test_file(&t, "sys/class/thermal/cooling_device0/max_state", "50\n");
    assert_int_equal(unix_test_run(&t, &collector_thermal_zone, NULL), 0);
    unix_test_line(&t, "node_thermal_zone_temp{type=\"cpu-thermal\",zone=\"0\"} -44.925");
    unix_test_line(&t, "node_cooling_device_cur_state{name=\"0\",type=\"Processor\"} -1");
    assert_int_equal(expo_count(t.out), 3);
}

static void machine(void **state)
{
    unix_test_file(&t, "sys/class/dmi/id/sys_vendor", "Dell\n");
    unix_test_file(&t, "sys/class/dmi/id/board_serial", "\n");
    assert_int_equal(unix_test_run(&t, &collector_dmi, NULL), 0);
    unix_test_line(&t, "node_dmi_info{system_vendor=\"Dell\"} 1");
    unix_test_file(&t, "sys/class/nvme/nvme0/model", "Samsung SSD\n");
    unix_test_file(&t, "sys/class/nvme/nvme0/state", "live\n");
    assert_int_equal(unix_test_run(&t, &collector_nvme, NULL), 0);
    unix_test_line(&t, "node_nvme_info{device=\"nvme0\",firmware_revision=\"\",model=\"Samsung "
                       "SSD\",serial=\"\",state=\"live\"} 1");
}

static void selinux(void **state)
{
    assert_int_equal(unix_test_run(&t, &collector_selinux, NULL), 0);
    unix_test_line(&t, "node_selinux_enabled 0");
    unix_test_file(&t, "sys/fs/selinux/enforce", "0");
    unix_test_file(&t, "fs/etc/selinux/config", "# c\nSELINUX=enforcing\nSELINUXTYPE=targeted\n");
    assert_int_equal(unix_test_run(&t, &collector_selinux, NULL), 0);
    unix_test_line(&t, "node_selinux_enabled 1");
    unix_test_line(&t, "node_selinux_config_mode 1");
    unix_test_line(&t, "node_selinux_current_mode 0");
}

static void xfs(void **state)
{
    unix_test_file(&t, "sys/fs/xfs/sda1/stats/stats",
                   "extent_alloc 1 2 3 4\nrw 28 7\nxpc 399724544 92823103 86219234\n");
    assert_int_equal(unix_test_run(&t, &collector_xfs, NULL), 0);
    unix_test_line(&t, "node_xfs_extent_allocation_blocks_freed_total{device=\"sda1\"} 4");
    unix_test_line(&t, "node_xfs_read_calls_total{device=\"sda1\"} 7");
    unix_test_line(&t, "node_xfs_write_calls_total{device=\"sda1\"} 28");
    unix_test_line(&t, "node_xfs_vnode_get_total{device=\"sda1\"} 0");
}

static void flaws_and_groups(void **state)
{
    unix_test_file(&t, "sys/devices/system/cpu/vulnerabilities/mds", "Not affected\n");
    unix_test_file(&t, "sys/devices/system/cpu/vulnerabilities/srbds",
                   "Mitigation: Retpolines; IBPB: conditional\n");
    assert_int_equal(unix_test_run(&t, &collector_cpu_vulnerabilities, NULL), 0);
    unix_test_line(&t, "node_cpu_vulnerabilities_info{codename=\"srbds\",mitigation=\"Retpolines; "
                       "IBPB: conditional\",state=\"mitigation\"} 1");
    assert_int_equal(expo_count(t.out), 2);
    unix_test_file(&t, "proc/cgroups",
                   "#subsys_name\thierarchy\tnum_cgroups\tenabled\ncpu\t3\t172\t1\n");
    assert_int_equal(unix_test_run(&t, &collector_cgroups, NULL), 0);
    unix_test_line(&t, "node_cgroups_cgroups{subsys_name=\"cpu\"} 172");
    unix_test_line(&t, "node_cgroups_enabled{subsys_name=\"cpu\"} 1");
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
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_number),
        TEST(nothing),
        TEST(watchdog),
        TEST(no_number),
        TEST(tapes),
        TEST(power),
        TEST(host_adapters),
        TEST(infiniband),
        TEST(bonds),
        TEST(energy),
        TEST(memory_errors),
        TEST(temperatures),
        TEST(machine),
        TEST(selinux),
        TEST(xfs),
        TEST(flaws_and_groups),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
