/* Collectors over small trees of /proc and /sys: machines of several shapes, and broken ones. */
#include "components/prometheus/unix/testing.h"

#include <errno.h>

extern const struct collector_def collector_arp, collector_cpu, collector_cpufreq,
    collector_diskstats, collector_filesystem, collector_loadavg, collector_meminfo,
    collector_netdev, collector_netstat, collector_os, collector_pressure, collector_processes,
    collector_softnet, collector_sysctl, collector_zoneinfo;

static struct unix_test t;

static int setup(void **state)
{
    (void)state;
    unix_test_begin(&t);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    unix_test_end(&t);
    return 0;
}

static void test_loadavg(void **state)
{
    (void)state;
    assert_int_equal(unix_test_run(&t, &collector_loadavg, NULL), -ENOENT);
    unix_test_file(&t, "proc/loadavg", "0.25 1.50 12.00 2/345 6789\n");
    assert_int_equal(unix_test_run(&t, &collector_loadavg, NULL), 0);
    unix_test_line(&t, "node_load1 0.25");
    unix_test_line(&t, "node_load15 12");
    unix_test_file(&t, "proc/loadavg", "0.25 x");
    assert_int_equal(unix_test_run(&t, &collector_loadavg, NULL), -EINVAL);
}

static void test_cpu_never_steps_back(void **state)
{
    (void)state;
    unix_test_file(&t, "proc/stat", "cpu  1 1 1 1\ncpu0 100 200 300 1000 50 0 10 20 0 0\n");
    assert_int_equal(unix_test_run(&t, &collector_cpu, NULL), 0);
    unix_test_line(&t, "node_cpu_seconds_total{cpu=\"0\",mode=\"idle\"} 10");
    unix_test_file(&t, "proc/stat", "cpu0 100 200 300 990 40 0 10 20 0 0\n");
    assert_int_equal(unix_test_run(&t, &collector_cpu, NULL), 0);
    unix_test_line(&t, "node_cpu_seconds_total{cpu=\"0\",mode=\"idle\"} 10");
    unix_test_line(&t, "node_cpu_seconds_total{cpu=\"0\",mode=\"iowait\"} 0.5");
    /* It was off line meanwhile. */
    unix_test_file(&t, "proc/stat", "cpu0 1 0 0 100 0 0 0 0 0 0\n");
    assert_int_equal(unix_test_run(&t, &collector_cpu, NULL), 0);
    unix_test_line(&t, "node_cpu_seconds_total{cpu=\"0\",mode=\"idle\"} 1");
}

static void test_throttles_once(void **state)
{
    (void)state;
    unix_test_file(&t, "proc/stat", "cpu0 1 1 1 1\n");
    for (int cpu = 0; cpu < 4; cpu++) {
        char path[128], core[8], siblings[16];

        snprintf(core, sizeof(core), "%d\n", cpu / 2);
        snprintf(siblings, sizeof(siblings), "%d-%d\n", cpu / 2 * 2, cpu / 2 * 2 + 1);
#define CPU_FILE(name, text)                                                                       \
    (snprintf(path, sizeof(path), "sys/devices/system/cpu/cpu%d/" name, cpu),                      \
     unix_test_file(&t, path, text))
        CPU_FILE("topology/physical_package_id", "0\n");
        CPU_FILE("topology/core_id", core);
        CPU_FILE("topology/thread_siblings_list", siblings);
        CPU_FILE("thermal_throttle/core_throttle_count", "5\n");
        CPU_FILE("thermal_throttle/package_throttle_count", "30\n");
    }
    unix_test_file(&t, "sys/devices/system/cpu/online", "0-2\n");
    assert_int_equal(unix_test_run(&t, &collector_cpu, NULL), 0);
    unix_test_line(&t, "node_cpu_core_throttles_total{core=\"1\",package=\"0\"} 5");
    unix_test_line(&t, "node_cpu_package_throttles_total{package=\"0\"} 30");
    unix_test_line(&t, "node_cpu_online{cpu=\"3\"} 0");
}

static void test_meminfo(void **state)
{
    (void)state;
    unix_test_file(&t, "proc/meminfo", "MemTotal: 2 kB\nActive(anon): 1 kB\nHugePages_Free: 7\n");
    assert_int_equal(unix_test_run(&t, &collector_meminfo, NULL), 0);
    unix_test_line(&t, "node_memory_MemTotal_bytes 2048");
    unix_test_line(&t, "node_memory_Active_anon_bytes 1024");
    unix_test_line(&t, "node_memory_HugePages_Free 7");
}

static void test_disk_and_udev(void **state)
{
    (void)state;
    unix_test_file(&t, "proc/diskstats",
                   "8 0 sda 1 2 4 1500 5 6 7 8 9 10 11\n8 1 sda1 1 2 3 4 5 6 7 8 9 10 11\n");
    unix_test_file(&t, "udev/b8:0",
                   "I:1\nE:ID_MODEL=Disk_1\nE:ID_SERIAL_SHORT=S\nE:ID_ATA=1\n"
                   "E:ID_ATA_WRITE_CACHE=1\nE:ID_FS_TYPE=ext4\n");
    assert_int_equal(unix_test_run(&t, &collector_diskstats, NULL), 0);
    unix_test_line(&t, "node_disk_read_bytes_total{device=\"sda\"} 2048");
    unix_test_line(&t, "node_disk_read_time_seconds_total{device=\"sda\"} 1.5");
    unix_test_line(&t, "node_disk_ata_write_cache{device=\"sda\"} 1");
    assert_int_equal(str_find(unix_test_text(&t), STR("sda1")), -1);
    struct unix_args args = unix_test_args(&t);
    args.disk.device_include = STR("^sda1$");
    assert_int_equal(unix_test_run(&t, &collector_diskstats, &args), 0);
    unix_test_line(&t, "node_disk_io_now{device=\"sda1\"} 9");
}

static void test_filesystem(void **state)
{
    (void)state;
    unix_test_file(&t, "fs/a b", NULL);
    unix_test_file(&t, "proc/1/mountinfo",
                   "1 0 8:1 / /a\\040b ro,relatime shared:1 - ext4 /dev/sda1 rw\n"
                   "2 0 8:2 / /gone rw - xfs /dev/sdb rw\n"
                   "3 0 0:5 / /proc rw - proc proc rw\nbroken\n");
    assert_int_equal(unix_test_run(&t, &collector_filesystem, NULL), 0);
    unix_test_line(&t, "node_filesystem_readonly{device=\"/dev/sda1\",device_error=\"\","
                       "fstype=\"ext4\",mountpoint=\"/a b\"} 1");
    unix_test_line(&t, "node_filesystem_device_error{device=\"/dev/sdb\",device_error=\"No such "
                       "file or directory\",fstype=\"xfs\",mountpoint=\"/gone\"} 1");
    unix_test_line(&t, "node_filesystem_mount_info{device=\"/dev/sda1\",major=\"8\",minor=\"1\","
                       "mountpoint=\"/a b\"} 1");
    assert_int_equal(str_find(unix_test_text(&t), STR("\"/proc\"")), -1);
}

static void test_net(void **state)
{
    (void)state;
    unix_test_file(&t, "proc/net/dev",
                   "Inter-|\n face |\n  e:1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n");
    assert_int_equal(unix_test_run(&t, &collector_netdev, NULL), 0);
    unix_test_line(&t, "node_network_transmit_colls_total{device=\"e\"} 14");
    unix_test_file(&t, "proc/net/netstat", "TcpExt: TCPTimeouts Other\nTcpExt: 5 6\n");
    unix_test_file(&t, "proc/net/snmp", "Ip: Forwarding\nIp: 1\n");
    unix_test_file(&t, "proc/net/snmp6", "Udp6InErrors 3\n");
    assert_int_equal(unix_test_run(&t, &collector_netstat, NULL), 0);
    unix_test_line(&t, "node_netstat_TcpExt_TCPTimeouts 5");
    unix_test_line(&t, "node_netstat_Udp6_InErrors 3");
    unix_test_file(&t, "proc/net/snmp", "Ip: Forwarding\nIp:\n");
    assert_int_equal(unix_test_run(&t, &collector_netstat, NULL), -EINVAL);
    unix_test_file(&t, "proc/net/softnet_stat", "0000000a 1 2 0 0 0 0 0 0\n");
    assert_int_equal(unix_test_run(&t, &collector_softnet, NULL), 0);
    unix_test_line(&t, "node_softnet_processed_total{cpu=\"0\"} 10");
}

static void test_pressure(void **state)
{
    (void)state;
    assert_int_equal(unix_test_run(&t, &collector_pressure, NULL), COLLECT_NO_DATA);
    unix_test_file(&t, "proc/pressure/cpu", "some avg10=0.00 avg60=0.00 avg300=0.00 total=5\n");
    assert_int_equal(unix_test_run(&t, &collector_pressure, NULL), 0);
    unix_test_line(&t, "node_pressure_cpu_waiting_seconds_total 5e-06");
}

static void test_os(void **state)
{
    (void)state;
    unix_test_file(&t, "fs/usr/lib/os-release",
                   "ID=x\nNAME=\"A \\\"B\\\"\"\nVERSION_ID='22.04.1'\nSUPPORT_END=2024-01-01\n");
    assert_int_equal(unix_test_run(&t, &collector_os, NULL), 0);
    unix_test_line(&t, "node_os_version{id=\"x\",id_like=\"\",name=\"A \\\"B\\\"\"} 22.04");
    unix_test_line(&t, "node_os_support_end_timestamp_seconds 1.7040672e+09");
}

static void test_processes(void **state)
{
    (void)state;
    unix_test_file(&t, "proc/7/stat", "7 (a) b) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 1 18\n");
    unix_test_file(&t, "proc/8/stat", "8 (cut");
    unix_test_file(&t, "proc/sys/kernel/threads-max", "10\n");
    unix_test_file(&t, "proc/sys/kernel/pid_max", "20\n");
    assert_int_equal(unix_test_run(&t, &collector_processes, NULL), 0);
    unix_test_line(&t, "node_processes_pids 1");
    unix_test_line(&t, "node_processes_threads 1");
    unix_test_line(&t, "node_processes_state{state=\"S\"} 1");
}

static void test_sysctl(void **state)
{
    (void)state;
    struct str names[] = {STR("net.ipv4.tcp_rmem:min,default,max"), STR("kernel.three")};
    struct unix_args args = unix_test_args(&t);

    args.sysctl.include = (struct str_list){names, 2};
    unix_test_file(&t, "proc/sys/net/ipv4/tcp_rmem", "4096\t131072\t6291456\n");
    unix_test_file(&t, "proc/sys/kernel/three", "1 2\n");
    assert_int_equal(unix_test_run(&t, &collector_sysctl, &args), 0);
    unix_test_line(&t, "node_sysctl_net_ipv4_tcp_rmem_default 131072");
    unix_test_line(&t, "node_sysctl_kernel_three{index=\"1\"} 2");
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_loadavg),
        TEST(test_cpu_never_steps_back),
        TEST(test_throttles_once),
        TEST(test_meminfo),
        TEST(test_disk_and_udev),
        TEST(test_filesystem),
        TEST(test_net),
        TEST(test_pressure),
        TEST(test_os),
        TEST(test_processes),
        TEST(test_sysctl),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
