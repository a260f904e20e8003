/* The NFS client and server of a machine. */
#include "components/prometheus/unix/testing.h"

extern const struct collector_def collector_nfs;
extern const struct collector_def collector_nfsd;
static struct unix_test t;

static void client(void **state)
{
    unix_test_file(&t, "proc/net/rpc/nfs",
                   "net 18628 1 18628 6\nrpc 4329785 0 4338291\nproc3 4 0 10 20 30\n"
                   "proc4 2 7 98\n");
    assert_int_equal(unix_test_run(&t, &collector_nfs, NULL), 0);
    unix_test_line(&t, "node_nfs_packets_total{protocol=\"tcp\"} 18628");
    unix_test_line(&t, "node_nfs_rpcs_total 4.329785e+06");
    unix_test_line(&t, "node_nfs_requests_total{method=\"GetAttr\",proto=\"3\"} 10");
    unix_test_line(&t, "node_nfs_requests_total{method=\"Read\",proto=\"4\"} 98");
    unix_test_line(&t, "node_nfs_requests_total{method=\"Clone\",proto=\"4\"} 0");
}

static void server(void **state)
{
    unix_test_file(&t, "proc/net/rpc/nfsd",
                   "rc 0 6 18622\nio 157286400 72864\nth 8 0\n"
                   "ra 32 0 0 0 0 0 0 0 0 0 0 5\nproc4ops 4 0 0 0 9\nwdeleg_getattr 16\n");
    assert_int_equal(unix_test_run(&t, &collector_nfsd, NULL), 0);
    unix_test_line(&t, "node_nfsd_server_threads 8");
    unix_test_line(&t, "node_nfsd_read_ahead_cache_not_found_total 5");
    unix_test_line(&t, "node_nfsd_requests_total{method=\"Access\",proto=\"4\"} 9");
    unix_test_line(&t, "node_nfsd_requests_total{method=\"WdelegGetattr\",proto=\"4\"} 16");
}

static void broken(void **state)
{
    assert_int_equal(unix_test_run(&t, &collector_nfs, NULL), COLLECT_NO_DATA);
    assert_int_equal(unix_test_run(&t, &collector_nfsd, NULL), COLLECT_NO_DATA);
    unix_test_file(&t, "proc/net/rpc/nfs", "net 1 x 3 4\n");
    assert_true(unix_test_run(&t, &collector_nfs, NULL) < 0);
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
    const struct CMUnitTest tests[] = {TEST(client), TEST(server), TEST(broken)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
