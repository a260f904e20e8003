/* Statistics of the module, of pools and data sets. */
#include "components/prometheus/unix/testing.h"

extern const struct collector_def collector_zfs;
static struct unix_test t;

static void all(void **state)
{
    unix_test_file(&t, "proc/spl/kstat/zfs/arcstats",
                   "6 1 0x01 91 4368 5266997922 97951858082072\n"
                   "name                            type data\n"
                   "hits                            4    8772612\n"
                   "text                            7    no-number\n"
                   "p-q                             3    -5\n");
    unix_test_file(&t, "proc/spl/kstat/zfs/pool1/io",
                   "12 3 0x00 1 80 79205351707403 395818011156865\n"
                   "nread nwritten reads writes wtime wlentime wupdate rtime rlentime rupdate wcnt "
                   "rcnt\n"
                   "1884160 3206144 22 132 7155162 104112268 6 5 4 3 2 1\n");
    unix_test_file(&t, "proc/spl/kstat/zfs/pool1/objset-2",
                   "1 2\nname type data\ndataset_name 7 pool1/my data\nwrites 4 4\n");
    unix_test_file(&t, "proc/spl/kstat/zfs/pool1/state", "DEGRADED\n");
    assert_int_equal(unix_test_run(&t, &collector_zfs, NULL), 0);
    unix_test_line(&t, "# HELP node_zfs_arc_hits kstat.zfs.misc.arcstats.hits");
    unix_test_line(&t, "node_zfs_arc_hits 8.772612e+06");
    unix_test_line(&t, "node_zfs_arc_p_q -5");
    unix_test_line(&t, "node_zfs_zpool_rcnt{zpool=\"pool1\"} 1");
    unix_test_line(&t,
                   "node_zfs_zpool_dataset_writes{dataset=\"pool1/my data\",zpool=\"pool1\"} 4");
    unix_test_line(&t, "node_zfs_zpool_state{state=\"degraded\",zpool=\"pool1\"} 1");
    unix_test_line(&t, "node_zfs_zpool_state{state=\"online\",zpool=\"pool1\"} 0");
}

static void broken(void **state)
{
    assert_int_equal(unix_test_run(&t, &collector_zfs, NULL), COLLECT_NO_DATA);
    unix_test_file(&t, "proc/spl/kstat/zfs/zil", "nothing\n");
    assert_true(unix_test_run(&t, &collector_zfs, NULL) < 0);
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
    const struct CMUnitTest tests[] = {TEST(all), TEST(broken)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
