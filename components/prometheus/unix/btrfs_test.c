/* A file system that is not mounted here: what /sys says of it. */
#include "components/prometheus/unix/testing.h"

extern const struct collector_def collector_btrfs;
static struct unix_test t;

#define FS "sys/fs/btrfs/0abb23a9-579b/"
static void all(void **state)
{
    unix_test_file(&t, FS "label", "fixture\n");
    unix_test_file(&t, FS "devices/loop25/size", "20971520\n");
    unix_test_file(&t, FS "devices/loop26/size", "2\n");
    unix_test_file(&t, FS "devices/loop27/size", "2\n");
    unix_test_file(&t, FS "allocation/global_rsv_size", "16777216\n");
    unix_test_file(&t, FS "allocation/data/bytes_reserved", "3\n");
    unix_test_file(&t, FS "allocation/data/raid5/total_bytes", "2147483648\n");
    unix_test_file(&t, FS "allocation/data/raid5/used_bytes", "808189952\n");
    unix_test_file(&t, FS "commit_stats", "commits 7\ntotal_commit_ms 1500\nlast_commit_ms 4\n");
    unix_test_file(&t, "sys/fs/btrfs/features/x", "1\n");
    assert_int_equal(unix_test_run(&t, &collector_btrfs, NULL), 0);
    unix_test_line(&t, "node_btrfs_info{label=\"fixture\",uuid=\"0abb23a9-579b\"} 1");
    unix_test_line(&t, "node_btrfs_device_size_bytes{device=\"loop25\",uuid=\"0abb23a9-579b\"} "
                       "1.073741824e+10");
    unix_test_line(&t, "node_btrfs_allocation_ratio{block_group_type=\"data\",mode=\"raid5\",uuid="
                       "\"0abb23a9-579b\"} 1.5");
    unix_test_line(&t, "node_btrfs_commit_seconds_total{uuid=\"0abb23a9-579b\"} 1.5");
    unix_test_line(&t, "node_btrfs_reserved_bytes{block_group_type=\"system\",uuid=\"0abb23a9-"
                       "579b\"} 0");
}

static void none(void **state)
{
    assert_int_equal(unix_test_run(&t, &collector_btrfs, NULL), 0);
    assert_text(unix_test_text(&t), "");
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
    const struct CMUnitTest tests[] = {TEST(all), TEST(none)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
