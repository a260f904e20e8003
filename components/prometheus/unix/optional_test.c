/* Optional collectors that read files, over small trees of /proc and /sys; and broken ones. */
#include "components/prometheus/unix/testing.h"

#include <errno.h>

extern const struct collector_def collector_drbd, collector_drm, collector_lnstat,
    collector_mountstats, collector_pcidevice, collector_runit, collector_xfrm;

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

static void test_drbd(void **state)
{
    (void)state;
    assert_int_equal(unix_test_run(&t, &collector_drbd, NULL), COLLECT_NO_DATA);
    unix_test_file(&t, "proc/drbd",
                   "version: 8.4.3 (api:1/proto:86-101)\nsrcversion: 1A9F77\n\n"
                   " 1: cs:Connected ro:Primary/Secondary ds:UpToDate/Inconsistent C r-----\n"
                   "    ns:17324442 nr:10961011 dw:28 dr:2 al:9 bm:8 lo:0 pe:1 ua:2 ap:3 ep:1 wo:d "
                   "oos:4\n");
    assert_int_equal(unix_test_run(&t, &collector_drbd, NULL), 0);
    unix_test_line(&t, "node_drbd_connected{device=\"drbd1\"} 1");
    unix_test_line(&t, "node_drbd_network_sent_bytes_total{device=\"drbd1\"} 1.7740228608e+10");
    unix_test_line(&t, "node_drbd_network_received_bytes_total{device=\"drbd1\"} 1.0961011e+07");
    unix_test_line(&t, "node_drbd_out_of_sync_bytes{device=\"drbd1\"} 4096");
    unix_test_line(&t, "node_drbd_node_role_is_primary{device=\"drbd1\",node=\"local\"} 1");
    unix_test_line(&t, "node_drbd_node_role_is_primary{device=\"drbd1\",node=\"remote\"} 0");
    unix_test_line(&t, "node_drbd_disk_state_is_up_to_date{device=\"drbd1\",node=\"remote\"} 0");
    unix_test_file(&t, "proc/drbd", " 0: ns:many\n");
    assert_int_equal(unix_test_run(&t, &collector_drbd, NULL), -EINVAL);
}

static void test_drm(void **state)
{
    (void)state;
    assert_int_equal(unix_test_run(&t, &collector_drm, NULL), COLLECT_OK);
    unix_test_file(&t, "sys/class/drm/card0/device/uevent", "DRIVER=amdgpu\nPCI_CLASS=30000\n");
    unix_test_file(&t, "sys/class/drm/card0/device/gpu_busy_percent", "4\n");
    unix_test_file(&t, "sys/class/drm/card0/device/mem_info_gtt_total", "8573157376\n");
    unix_test_file(&t, "sys/class/drm/card0/device/mem_info_vram_vendor", "samsung\n");
    unix_test_file(&t, "sys/class/drm/card0/device/power_dpm_force_performance_level", "manual\n");
    unix_test_file(&t, "sys/class/drm/card0/device/unique_id", "0123456789abcdef\n");
    unix_test_file(&t, "sys/class/drm/card0-DP-1/device/uevent", "DRIVER=amdgpu\n");
    unix_test_file(&t, "sys/class/drm/card1/device/uevent", "DRIVER=i915\n");
    assert_int_equal(unix_test_run(&t, &collector_drm, NULL), 0);
    unix_test_line(&t, "node_drm_card_info{card=\"card0\",memory_vendor=\"samsung\","
                       "power_performance_level=\"manual\",unique_id=\"0123456789abcdef\","
                       "vendor=\"amd\"} 1");
    unix_test_line(&t, "node_drm_gpu_busy_percent{card=\"card0\"} 4");
    unix_test_line(&t, "node_drm_memory_gtt_size_bytes{card=\"card0\"} 8.573157376e+09");
    unix_test_line(&t, "node_drm_memory_vram_size_bytes{card=\"card0\"} 0");
    assert_int_equal(str_find(unix_test_text(&t), STR("card1")), -1);
    assert_int_equal(str_find(unix_test_text(&t), STR("DP-1")), -1);
}

static void test_lnstat(void **state)
{
    (void)state;
    assert_int_equal(unix_test_run(&t, &collector_lnstat, NULL), COLLECT_OK);
    unix_test_file(&t, "proc/net/stat/arp_cache",
                   "entries  allocs\n00000014 00000001\n"
                   "00000014 0000000d\n");
    assert_int_equal(unix_test_run(&t, &collector_lnstat, NULL), 0);
    unix_test_line(&t, "node_lnstat_entries_total{cpu=\"0\",subsystem=\"arp_cache\"} 20");
    unix_test_line(&t, "node_lnstat_allocs_total{cpu=\"1\",subsystem=\"arp_cache\"} 13");
    unix_test_file(&t, "proc/net/stat/odd", "entries\n00000014 00000001\n");
    assert_int_equal(unix_test_run(&t, &collector_lnstat, NULL), -EINVAL);
    unix_test_file(&t, "proc/net/stat/odd", "entries\nx\n");
    assert_int_equal(unix_test_run(&t, &collector_lnstat, NULL), -EINVAL);
}

static void test_xfrm(void **state)
{
    (void)state;
    assert_int_equal(unix_test_run(&t, &collector_xfrm, NULL), COLLECT_NO_DATA);
    unix_test_file(&t, "proc/net/xfrm_stat",
                   "XfrmInError             \t4\nXfrmAcquireError        \t24532\nXfrmNew \t1\n");
    assert_int_equal(unix_test_run(&t, &collector_xfrm, NULL), 0);
    unix_test_line(&t, "node_xfrm_in_error_packets_total 4");
    unix_test_line(&t, "node_xfrm_acquire_error_packets_total 24532");
    unix_test_line(&t, "node_xfrm_out_pol_dead_packets_total 0");
    unix_test_file(&t, "proc/net/xfrm_stat", "XfrmInError many\n");
    assert_int_equal(unix_test_run(&t, &collector_xfrm, NULL), -EINVAL);
}

/* With bytes that are 0 in it. */
static void put_status(const char *service, char want, u8 state)
{
    char *path = xprintf("%s/fs/service/%s/supervise/status", t.dir, service);
    const u8 status[20] = {
        0x40, 0, 0, 0, 0x5a, 0, 0, 0x0a, [12] = 0xdb, 1, 0, 0, 0, (u8)want, 0, state};

    unix_test_make_room(path);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_int_equal(fwrite(status, sizeof(status), 1, f), 1);
    fclose(f);
    free(path);
}

static void test_runit(void **state)
{
    struct unix_args args = unix_test_args(&t);
    char *dir = xprintf("%s/fs/service", t.dir);

    (void)state;
    args.runit.service_dir = str_of(dir);
    assert_int_equal(unix_test_run(&t, &collector_runit, &args), -ENOENT);
    put_status("web", 'u', 1);
    put_status("cron", 'd', 0);
    unix_test_file(&t, "fs/service/cron/supervise/down", "");
    unix_test_file(&t, "fs/service/none", NULL);
    unix_test_file(&t, "fs/service/short/supervise/status", "123");
    assert_int_equal(unix_test_run(&t, &collector_runit, &args), 0);
    unix_test_line(&t, "node_service_state{service=\"web\",supervisor=\"runit\"} 1");
    unix_test_line(&t, "node_service_desired_state{service=\"web\",supervisor=\"runit\"} 1");
    unix_test_line(&t, "node_service_normal_state{service=\"web\",supervisor=\"runit\"} 1");
    unix_test_line(&t, "node_service_state_last_change_timestamp_seconds{service=\"web\","
                       "supervisor=\"runit\"} 1.50994944e+09");
    unix_test_line(&t, "node_service_desired_state{service=\"cron\",supervisor=\"runit\"} 0");
    unix_test_line(&t, "node_service_normal_state{service=\"cron\",supervisor=\"runit\"} 0");
    assert_int_equal(str_find(unix_test_text(&t), STR("short")), -1);
    free(dir);
}

static void put_device(const char *place, const char *tree)
{
    static const char *const files[][2] = {
        {"class", "0x020000\n"},
        {"vendor", "0x8086\n"},
        {"device", "0x1521\n"},
        {"subsystem_vendor", "0x8086\n"},
        {"subsystem_device", "0x00a3\n"},
        {"revision", "0x01\n"},
        {"max_link_speed", "8.0 GT/s PCIe\n"},
        {"max_link_width", "8\n"},
        {"current_link_speed", "Unknown\n"},
        {"numa_node", "1\n"},
        {"power_state", "D3hot\n"},
        {"sriov_totalvfs", "7\n"},
    };

    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        char *path = xprintf("sys/devices/%s/%s", tree, files[i][0]);
        unix_test_file(&t, path, files[i][1]);
        free(path);
    }
    char *to = xprintf("../../../devices/%s", tree);
    char *path = xprintf("sys/bus/pci/devices/%s", place);
    unix_test_symlink(&t, to, path);
    free(path);
    free(to);
}

static void test_pcidevice(void **state)
{
    (void)state;
    assert_int_equal(unix_test_run(&t, &collector_pcidevice, NULL), COLLECT_NO_DATA);
    put_device("0000:00:02.1", "pci0000:00/0000:00:02.1");
    put_device("0000:04:00.0", "pci0000:00/0000:00:02.1/0000:04:00.0");
    assert_int_equal(unix_test_run(&t, &collector_pcidevice, NULL), 0);
    unix_test_line(
        &t, "node_pcidevice_info{bus=\"04\",class_id=\"0x020000\",device=\"00\","
            "device_id=\"0x1521\",function=\"0\",parent_bus=\"00\",parent_device=\"02\","
            "parent_function=\"1\",parent_segment=\"0000\",revision=\"0x01\",segment=\"0000\","
            "subsystem_device_id=\"0x00a3\",subsystem_vendor_id=\"0x8086\","
            "vendor_id=\"0x8086\"} 1");
    assert_true(str_find(unix_test_text(&t), STR("parent_bus=\"*\"")) > 0);
#define AT "bus=\"04\",device=\"00\",function=\"0\",segment=\"0000\""
    unix_test_line(&t, "node_pcidevice_max_link_transfers_per_second{" AT "} 8e+09");
    unix_test_line(&t, "node_pcidevice_max_link_width{" AT "} 8");
    unix_test_line(&t, "node_pcidevice_current_link_transfers_per_second{" AT "} -1");
    unix_test_line(&t, "node_pcidevice_current_link_width{" AT "} -1");
    unix_test_line(&t, "node_pcidevice_numa_node{" AT "} 1");
    unix_test_line(&t, "node_pcidevice_power_state{" AT ",state=\"D3hot\"} 1");
    unix_test_line(&t, "node_pcidevice_power_state{" AT ",state=\"D0\"} 0");
    unix_test_line(&t, "node_pcidevice_sriov_totalvfs{" AT "} 7");
    unix_test_line(&t, "node_pcidevice_d3cold_allowed{" AT "} 0");
    unix_test_file(&t, "sys/bus/pci/devices/here", NULL);
    assert_int_equal(unix_test_run(&t, &collector_pcidevice, NULL), -EINVAL);
}

#define NFS_MOUNT(where)                                                                           \
    "device server:/srv/data mounted on " where " with fstype nfs4 statvers=1.1\n"                 \
    "\topts:\trw,vers=4.1,addr=192.0.2.1\n\tage:\t13968\n"                                         \
    "\tevents:\t52 226 0 0 1 13 398 0 0 331 0 47 0 0 77 0 0 77 0 0 0 0 0 0 0 0 3\n"                \
    "\tbytes:\t1207640230 0 0 0 1210214218 0 295483 0\n\tRPC iostats version: 1.0\n"               \
    "\txprt:\ttcp 832 0 1 0 11 6428 6428 0 12154 0 24 26 5726\n"

static void test_mountstats(void **state)
{
    (void)state;
    assert_int_equal(unix_test_run(&t, &collector_mountstats, NULL), -ENOENT);
    unix_test_file(
        &t, "proc/self/mountstats",
        "device rootfs mounted on / with fstype rootfs\n" NFS_MOUNT(
            "/data") "\txprt:\ttcp 833 0 1 0 5 10 10 0 0 0 30 0 0\n"
                     "\txprt:\tudp 1007 1 2 3 4 5 6 7 8 9\n"
                     "\tper-op statistics\n\t        NULL: 1 2 3 4 5 6 7 8\n"
                     "\t        READ: 1298 1298 0 207680 1210292152 6 79386 79407 0\n\n" NFS_MOUNT(
                         "/again") "\n");
    unix_test_file(&t, "proc/self/mountinfo",
                   "1 0 0:1 / / rw - rootfs rootfs rw\n"
                   "2 1 0:2 / /data rw - nfs4 server:/srv/data rw,vers=4.1,addr=192.0.2.1\n"
                   "3 1 0:2 / /again rw - nfs4 server:/srv/data rw,addr=192.0.2.1\n");
    assert_int_equal(unix_test_run(&t, &collector_mountstats, NULL), 0);
#define TCP "export=\"server:/srv/data\",mountaddr=\"192.0.2.1\",protocol=\"tcp\"}"
#define UDP "export=\"server:/srv/data\",mountaddr=\"192.0.2.1\",protocol=\"udp\"}"
#define NFS "node_mountstats_nfs_"
    unix_test_line(&t, NFS "age_seconds_total{" TCP " 13968");
    unix_test_line(&t, NFS "total_read_bytes_total{" TCP " 1.210214218e+09");
    unix_test_line(&t, NFS "event_vfs_access_total{" TCP " 398");
    unix_test_line(&t, NFS "event_pnfs_write_total{" TCP " 3");
    unix_test_line(&t, NFS "transport_sends_total{" TCP " 6438");
    unix_test_line(&t, NFS "transport_idle_time_seconds{" TCP " 5");
    unix_test_line(&t, NFS "transport_maximum_rpc_slots{" TCP " 30");
    unix_test_line(&t, NFS "transport_sends_total{" UDP " 2");
    unix_test_line(&t, NFS "transport_connect_total{" UDP " 0");
    unix_test_line(&t, NFS "transport_pending_queue_total{" UDP " 9");
    unix_test_line(&t, NFS "operations_response_time_seconds_total{export=\"server:/srv/data\","
                           "mountaddr=\"192.0.2.1\",operation=\"READ\",protocol=\"tcp\"} 79.386");
    unix_test_file(&t, "proc/self/mountstats",
                   "device a:/b mounted on /c with fstype nfs statvers=1.1\n\tage:\tx\n");
    assert_int_equal(unix_test_run(&t, &collector_mountstats, NULL), -EINVAL);
    assert_true(str_find(str_of(t.c.error), STR("age:")) > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_drbd, setup, teardown),
        cmocka_unit_test_setup_teardown(test_drm, setup, teardown),
        cmocka_unit_test_setup_teardown(test_lnstat, setup, teardown),
        cmocka_unit_test_setup_teardown(test_xfrm, setup, teardown),
        cmocka_unit_test_setup_teardown(test_runit, setup, teardown),
        cmocka_unit_test_setup_teardown(test_pcidevice, setup, teardown),
        cmocka_unit_test_setup_teardown(test_mountstats, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
