/* perf, with events that are descriptors of a number each. */
#include "components/prometheus/unix/testing.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <sys/eventfd.h>

extern const struct collector_def collector_perf;

static struct unix_test t;
static int opened;

/* No cache events, as in many virtual machines. */
static int count(const void *attr, int cpu)
{
    const struct perf_event_attr *a = attr;

    if (a->type == PERF_TYPE_HW_CACHE) return -ENOENT;
    opened++;
    if (a->type == PERF_TYPE_TRACEPOINT) return eventfd(1000 + (unsigned)a->config, EFD_NONBLOCK);
    return eventfd(100 * (unsigned)a->type + 10 * (unsigned)cpu + 5, EFD_NONBLOCK);
}

static int forbid(const void *attr, int cpu)
{
    (void)attr, (void)cpu;
    return -EACCES;
}

static int setup(void **state)
{
    (void)state;
    unix_test_begin(&t);
    t.c.perf = count;
    opened = 0;
    unix_test_file(&t, "sys/devices/system/cpu/online", "0,2\n");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    unix_test_end(&t);
    return 0;
}

static void test_all(void **state)
{
    (void)state;
    assert_int_equal(unix_test_run(&t, &collector_perf, NULL), 0);
    assert_int_equal(opened, 2 * (9 + 5));
    unix_test_line(&t, "node_perf_cpucycles_total{cpu=\"0\"} 5");
    unix_test_line(&t, "node_perf_context_switches_total{cpu=\"2\"} 125");
    assert_int_equal(str_find(unix_test_text(&t), STR("cache_ll")), -1);
    /* They stay open. */
    assert_int_equal(unix_test_run(&t, &collector_perf, NULL), 0);
    assert_int_equal(opened, 2 * (9 + 5));
}

static void test_chosen(void **state)
{
    struct unix_args args = unix_test_args(&t);
    struct str software[] = {STR("CpuMigration")}, tracepoints[] = {STR("sched:sched_switch")};

    (void)state;
    args.perf.disable_hardware_profilers = true;
    args.perf.software_profilers = (struct str_list){.v = software, .n = 1};
    args.perf.tracepoint = (struct str_list){.v = tracepoints, .n = 1};
    args.perf.cpus = STR("1,4-8:2");
    assert_int_equal(unix_test_run(&t, &collector_perf, &args), -ENOENT);
    assert_true(str_find(str_of(t.c.error), STR("sched:sched_switch")) > 0);
    unix_test_file(&t, "sys/kernel/debug/tracing/events/sched/sched_switch/id", "314\n");
    assert_int_equal(unix_test_run(&t, &collector_perf, &args), 0);
    unix_test_line(&t, "# HELP node_perf_sched_sched_switch Perf tracepoint sched:sched_switch");
    unix_test_line(&t, "node_perf_sched_sched_switch{cpu=\"6\"} 1314");
    unix_test_line(&t, "node_perf_cpu_migrations_total{cpu=\"8\"} 185");
    assert_int_equal(expo_count(t.out), 2 * 4);
}

static void test_forbidden(void **state)
{
    (void)state;
    t.c.perf = forbid;
    unix_test_file(&t, "proc/sys/kernel/perf_event_paranoid", "2\n");
    assert_int_equal(unix_test_run(&t, &collector_perf, NULL), -EACCES);
    assert_true(str_find(str_of(t.c.error), STR("perf_event_paranoid to be 0 or less (it is 2)")) >
                0);
    assert_true(str_find(str_of(t.c.error), STR("CAP_PERFMON")) > 0);
}

static void expect_fault(const char *cpus, const char *tracepoint)
{
    struct unix_args args = unix_test_args(&t);
    struct prepare p = {.arena = &t.arena, .diags = &t.diags};
    struct collector_prepare pr = {.p = &p, .arena = &t.arena, .args = &args};
    struct str tracepoints[] = {str_of(tracepoint)};
    void *plan = arena_alloc(&t.arena, collector_perf.plan_size);

    args.perf.cpus = str_of(cpus);
    if (tracepoint) args.perf.tracepoint = (struct str_list){.v = tracepoints, .n = 1};
    assert_int_equal(collector_perf.prepare(&pr, plan), -EINVAL);
}

static void test_faults(void **state)
{
    (void)state;
    expect_fault("a", NULL);
    expect_fault("3-1", NULL);
    expect_fault("1:2", NULL);
    expect_fault("1-4:0", NULL);
    expect_fault("1,", NULL);
    expect_fault("99999999", NULL);
    expect_fault("", "sched_switch");
    expect_fault("", "sched:../../../../etc");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_all, setup, teardown),
        cmocka_unit_test_setup_teardown(test_chosen, setup, teardown),
        cmocka_unit_test_setup_teardown(test_forbidden, setup, teardown),
        cmocka_unit_test_setup_teardown(test_faults, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
