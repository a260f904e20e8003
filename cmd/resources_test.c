/* cgroup limits from made-up trees of /proc and /sys. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <sys/resource.h>
#include <ftw.h>
#include <sys/stat.h>
#include "base/xalloc.h"
#include "cmd/resources.h"

static char root[64];

static int setup(void **state)
{
    snprintf(root, sizeof(root), "/tmp/weir-cgroup-XXXXXX");
    return mkdtemp(root) ? 0 : -1;
}

static int drop(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    return remove(path);
}

static int teardown(void **state)
{
    return nftw(root, drop, 8, FTW_DEPTH | FTW_PHYS);
}

/* Makes the directories on the way. */
static void put(const char *path, const char *text)
{
    char *full = xprintf("%s%s", root, path);
    for (char *slash = full + strlen(root) + 1; (slash = strchr(slash, '/')); *slash++ = '/') {
        *slash = '\0';
        (void)mkdir(full, 0700); /* it may be there */
    }
    FILE *f = fopen(full, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
    free(full);
}

#define MIB (INT64_C(1) << 20)

static void test_v2_lowest_of_the_parents(void **state)
{
    put("/proc/self/cgroup", "0::/a/b\n");
    put("/sys/fs/cgroup/a/b/memory.max", "max\n");
    put("/sys/fs/cgroup/a/memory.max", "67108864\n");
    assert_int_equal(resources_memory(root), 64 * MIB);
}

static void test_v2_inside_a_container(void **state)
{
    put("/proc/self/cgroup", "0::/\n");
    put("/sys/fs/cgroup/memory.max", "33554432\n");
    put("/sys/fs/cgroup/cpu.max", "100000 100000\n");
    assert_int_equal(resources_memory(root), 32 * MIB);
    assert_int_equal(resources_cpus(root), 1);
}

static void test_v1(void **state)
{
    put("/proc/self/cgroup", "5:cpu,cpuacct:/docker/x\n4:memory:/docker/x\n0::/\n");
    put("/sys/fs/cgroup/memory/docker/x/memory.limit_in_bytes", "16777216\n");
    put("/sys/fs/cgroup/cpu/docker/x/cpu.cfs_quota_us", "50000\n");
    put("/sys/fs/cgroup/cpu/docker/x/cpu.cfs_period_us", "100000\n");
    assert_int_equal(resources_memory(root), 16 * MIB);
    assert_int_equal(resources_cpus(root), 1); /* half a CPU is one thread */
}

static void test_without_limits(void **state)
{
    put("/proc/self/cgroup", "0::/\n");
    put("/sys/fs/cgroup/memory.max", "max\n");
    put("/sys/fs/cgroup/cpu.max", "max 100000\n");
    int cpus = resources_cpus(root);
    i64 memory = resources_memory(root);
    assert_true(cpus >= 1);
    assert_true(memory > 64 * MIB);
    put("/sys/fs/cgroup/memory.max", "rubbish\n");
    put("/sys/fs/cgroup/cpu.max", "rubbish\n");
    assert_int_equal(resources_memory(root), memory);
    assert_int_equal(resources_cpus(root), cpus);
}

static void open_files_are_raised(void **state)
{
    struct rlimit r;

    assert_int_equal(getrlimit(RLIMIT_NOFILE, &r), 0);
    r.rlim_cur = 64;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &r), 0);
    assert_int_equal(resources_files(), r.rlim_max);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &r), 0);
    assert_int_equal(r.rlim_cur, r.rlim_max);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_v2_lowest_of_the_parents),
        TEST(test_v2_inside_a_container),
        TEST(test_v1),
        TEST(test_without_limits),
        cmocka_unit_test(open_files_are_raised),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
