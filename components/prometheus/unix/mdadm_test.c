/* Arrays at rest and at work. */
#include "components/prometheus/unix/testing.h"

extern const struct collector_def collector_mdadm;
static struct unix_test t;

static void arrays(void **state)
{
    unix_test_file(&t, "proc/mdstat",
                   "Personalities : [linear] [raid0] [raid1] [raid6]\n"
                   "md3 : active raid6 sda1[8] sdh1[7] sdg1[6](F) sdc1[2](S)\n"
                   "      5853468288 blocks super 1.2 level 6, 64k chunk, algorithm 2 [8/7] "
                   "[UUUUUUU_]\n"
                   "      bitmap: 0/8 pages [0KB], 65536KB chunk\n"
                   "      [=>...]  recovery =  8.5% (16775552/195310144) finish=17.0min "
                   "speed=259783K/sec\n"
                   "\n"
                   "md12 : active raid0 sdc2[0] sdd2[1]\n"
                   "      3886394368 blocks super 1.2 512k chunks\n"
                   "\n"
                   "md8 : active raid1 sdb1[1] sda1[0]\n"
                   "      195310144 blocks [2/2] [UU]\n"
                   "        resync=DELAYED\n"
                   "\n"
                   "md4 : inactive raid1 sda3[0](F)\n"
                   "      4883648 blocks [2/2] [UU]\n"
                   "\n"
                   "unused devices: <none>\n");
    unix_test_file(&t, "sys/block/md3/md/level", "raid6\n");
    unix_test_file(&t, "sys/block/md3/md/raid_disks", "8 (7)\n");
    unix_test_file(&t, "sys/block/md3/md/degraded", "1\n");
    unix_test_file(&t, "sys/block/sda/size", "1\n");
    assert_int_equal(unix_test_run(&t, &collector_mdadm, NULL), 0);
    unix_test_line(&t, "node_md_disks{device=\"md3\",state=\"active\"} 7");
    unix_test_line(&t, "node_md_disks{device=\"md3\",state=\"failed\"} 1");
    unix_test_line(&t, "node_md_disks{device=\"md3\",state=\"spare\"} 1");
    unix_test_line(&t, "node_md_state{device=\"md3\",state=\"recovering\"} 1");
    unix_test_line(&t, "node_md_state{device=\"md3\",state=\"active\"} 0");
    unix_test_line(&t, "node_md_blocks_synced{device=\"md3\"} 1.6775552e+07");
    unix_test_line(&t, "node_md_disks_required{device=\"md12\"} 2");
    unix_test_line(&t, "node_md_state{device=\"md8\",state=\"resync\"} 1");
    unix_test_line(&t, "node_md_blocks_synced{device=\"md8\"} 0");
    unix_test_line(&t, "node_md_state{device=\"md4\",state=\"inactive\"} 1");
    unix_test_line(&t, "node_md_disks_required{device=\"md4\"} 0");
    unix_test_line(&t, "node_md_raid_disks{device=\"md3\"} 8");
    unix_test_line(&t, "node_md_degraded{device=\"md3\"} 1");
}

static void broken(void **state)
{
    assert_int_equal(unix_test_run(&t, &collector_mdadm, NULL), COLLECT_NO_DATA);
    unix_test_file(&t, "proc/mdstat", "md0 : active raid1 sda1[0]\n      12 blocks\n");
    assert_true(unix_test_run(&t, &collector_mdadm, NULL) < 0);
    assert_non_null(strstr(t.c.error, "md0 has no number of disks"));
    unix_test_file(&t, "proc/mdstat", "md0 : active raid1 sda1[0]\n");
    assert_true(unix_test_run(&t, &collector_mdadm, NULL) < 0);
    unix_test_file(&t, "proc/mdstat", "md0\n");
    assert_true(unix_test_run(&t, &collector_mdadm, NULL) < 0);
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
    const struct CMUnitTest tests[] = {TEST(arrays), TEST(broken)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
