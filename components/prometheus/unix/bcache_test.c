/* Numbers for people, and files that are not there. */
#include "components/prometheus/unix/testing.h"

extern const struct collector_def collector_bcache;
static struct unix_test t;

#define SET "sys/fs/bcache/deaddd54-c735/"
static void make(void)
{
    unix_test_file(&t, SET "btree_cache_size", "1.5k\n");
    unix_test_file(&t, SET "internal/btree_read_average_duration_us", "1305\n");
    unix_test_file(&t, SET "bdev0/dirty_data", "2M\n");
    unix_test_file(&t, SET "bdev0/writeback_rate_debug",
                   "rate:\t\t1.1M/sec\ntarget:\t\t20.4G\nproportional:\t-427.5k\n"
                   "change:\t\t321.5k/sec\n");
    unix_test_file(&t, SET "cache0/written", "0\n");
    unix_test_file(&t, SET "cache0/priority_stats", "Unused:\t\t99%\nMetadata:\t0%\n");
}

static void numbers(void **state)
{
    make();
    assert_int_equal(unix_test_run(&t, &collector_bcache, NULL), 0);
    unix_test_line(&t, "node_bcache_btree_cache_size_bytes{uuid=\"deaddd54-c735\"} 1524");
    unix_test_line(&t, "node_bcache_btree_read_average_duration_seconds{uuid=\"deaddd54-c735\"} "
                       "1.305e-06");
    unix_test_line(&t, "node_bcache_dirty_data_bytes{backing_device=\"bdev0\",uuid=\"deaddd54-"
                       "c735\"} 2.097152e+06");
    unix_test_line(&t, "node_bcache_writeback_rate{backing_device=\"bdev0\",uuid=\"deaddd54-c735\"}"
                       " 1.150976e+06");
    unix_test_line(&t, "node_bcache_writeback_rate_proportional_term{backing_device=\"bdev0\",uuid="
                       "\"deaddd54-c735\"} -437748");
    unix_test_line(&t, "node_bcache_tree_depth{uuid=\"deaddd54-c735\"} 0");
    assert_false(expo_has(t.out, "node_bcache_cache_readaheads_total"));
    assert_false(expo_has(t.out, "node_bcache_priority_stats_unused_percent"));
}

static void priority(void **state)
{
    struct unix_args args = unix_test_args(&t);

    make();
    args.bcache.priority_stats = true;
    assert_int_equal(unix_test_run(&t, &collector_bcache, &args), 0);
    unix_test_line(&t, "node_bcache_priority_stats_unused_percent{cache_device=\"cache0\",uuid="
                       "\"deaddd54-c735\"} 99");
}

static void broken(void **state)
{
    make();
    unix_test_file(&t, SET "tree_depth", "deep\n");
    assert_true(unix_test_run(&t, &collector_bcache, NULL) < 0);
    assert_non_null(strstr(t.c.error, "tree_depth is no number"));
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
    const struct CMUnitTest tests[] = {TEST(numbers), TEST(priority), TEST(broken)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
