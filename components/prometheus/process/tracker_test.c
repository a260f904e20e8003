/* Looks at a hand-made /proc: what counts, whose children, what is kept of those that are gone. */
#include "base/test.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "components/prometheus/process/tracker.h"
#include "runtime/component.h"

struct world {
    char root[64];
    struct arena arena;
    struct diags diags;
    struct matchers *matchers;
    struct tracker *t;
    struct expo *out;
    struct buf text;
};
static struct world w;

static void put(const char *text, const char *fmt, ...) PRINTF(2, 3);
static void put(const char *text, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    char *name = xvprintf(fmt, ap);
    va_end(ap);
    char *path = xprintf("%s/%s", w.root, name);
    for (char *p = strchr(path + 1, '/'); p; p = strchr(p + 1, '/')) {
        *p = 0;
        mkdir(path, 0755);
        *p = '/';
    }
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
    free(path);
    free(name);
}

struct task {
    const char *name;
    int parent;
    int start, user, voluntary;
    u64 read;
    const char *wchan;
};

static void put_task(const char *folder, int pid, const struct task *t)
{
    char *stat = xprintf("%d (%s) S %d 0 0 0 0 0 10 0 20 0 %d 50 0 0 20 0 2 0 %d 4096000 100 9\n",
                         pid, t->name, t->parent, t->user, t->start);
    char *status = xprintf("Name:\tx\nUid:\t0\t4242424\t0\t0\nVmSwap:\t    3 kB\n"
                           "voluntary_ctxt_switches:\t%d\nnonvoluntary_ctxt_switches:\t2\n",
                           t->voluntary);
    char *io = xprintf("rchar: 1\nread_bytes: %llu\nwrite_bytes: 7\n", (unsigned long long)t->read);

    put(stat, "%s/stat", folder);
    put(status, "%s/status", folder);
    put(io, "%s/io", folder);
    put(t->wchan ? t->wchan : "0", "%s/wchan", folder);
    free(stat);
    free(status);
    free(io);
}

static void put_process(int pid, struct task t)
{
    char folder[32];

    snprintf(folder, sizeof(folder), "%d", pid);
    put_task(folder, pid, &t);
    put(t.name, "%d/cmdline", pid);
    put("0::/x\n", "%d/cgroup", pid);
    put("Limit Soft Hard Units\nMax open files            4                 8      files\n",
        "%d/limits", pid);
    put("", "%d/fd/0", pid);
    put("", "%d/fd/7", pid);
    put("0-f ---p 0 [rollup]\nRss: 9 kB\nPss: 5 kB\nPss_Dirty: 1 kB\nSwapPss: 1 kB\n",
        "%d/smaps_rollup", pid);
    snprintf(folder, sizeof(folder), "%d/task/%d", pid, pid);
    put_task(folder, pid, &t);
}

static void put_thread(int pid, int tid, struct task t)
{
    char folder[32];

    snprintf(folder, sizeof(folder), "%d/task/%d", pid, tid);
    put_task(folder, tid, &t);
}

static void kill_process(int pid)
{
    char *command = xprintf("rm -rf %s/%d", w.root, pid);

    assert_int_equal(system(command), 0);
    free(command);
}

static int begin(void **state)
{
    w = (struct world){.root = "/tmp/tracker_test.XXXXXX"};
    if (!mkdtemp(w.root)) return -1;
    arena_init(&w.arena, 0);
    diags_init(&w.diags);
    buf_init(&w.text, 1 << 20);
    w.out = expo_new(1 << 20);
    put("cpu 1\nbtime 1000\n", "stat");
    put("10.00 1.0\n", "uptime");
    return 0;
}

static int end(void **state)
{
    char *command = xprintf("rm -rf %s", w.root);

    tracker_unref(w.t);
    matchers_unref(w.matchers);
    expo_free(w.out);
    buf_done(&w.text);
    diags_done(&w.diags);
    arena_done(&w.arena);
    int err = system(command);
    free(command);
    return err;
}

static void watch(const char *comm, struct tracker_conf conf)
{
    struct prepare p = {.arena = &w.arena, .diags = &w.diags};
    struct str comms[] = {str_of(comm)};
    struct matcher_args args = {.comm = {comms, 1}, .name = STR("{{.Comm}}")};

    w.matchers = matchers_new(&p, &(struct matcher_list){&args, 1});
    assert_non_null(w.matchers);
    conf.procfs = w.root;
    w.t = tracker_new(&conf, w.matchers);
}

static void look(void)
{
    expo_reset(w.out);
    buf_reset(&w.text);
    assert_int_equal(tracker_collect(w.t, NULL, w.out), 0);
    expo_write(w.out, EXPO_TEXT, &w.text);
    assert_int_equal(buf_err(&w.text), 0);
}

static void assert_has(const char *line)
{
    char *whole = xprintf("\nnamedprocess_%s\n", line);

    if (str_find(buf_view(&w.text), str_of(whole)) < 0)
        fail_msg("no line %s in\n%.*s", line, (int)w.text.n, w.text.p);
    free(whole);
}

static void assert_no(const char *piece)
{
    if (str_find(buf_view(&w.text), str_of(piece)) >= 0)
        fail_msg("%s in\n%.*s", piece, (int)w.text.n, w.text.p);
}

static void test_figures(void **state)
{
    put_process(5, (struct task){"a (b) c", 1, 300, 100, 5, 4096, "futex_wait"});
    put_thread(5, 6, (struct task){"worker", 1, 310, 100, 6, 100, "futex_wait"});
    watch("a (b) c", (struct tracker_conf){.threads = true, .shares = true});
    look();
    assert_has("namegroup_num_procs{groupname=\"a (b) c\"} 1");
    assert_has("namegroup_cpu_seconds_total{groupname=\"a (b) c\",mode=\"user\"} 0");
    assert_has("namegroup_memory_bytes{groupname=\"a (b) c\",memtype=\"virtual\"} 4.096e+06");
    assert_has("namegroup_memory_bytes{groupname=\"a (b) c\",memtype=\"swapped\"} 3072");
    assert_has(
        "namegroup_memory_bytes{groupname=\"a (b) c\",memtype=\"proportionalResident\"} 5120");
    assert_has(
        "namegroup_memory_bytes{groupname=\"a (b) c\",memtype=\"proportionalSwapped\"} 1024");
    assert_has("namegroup_open_filedesc{groupname=\"a (b) c\"} 2");
    assert_has("namegroup_worst_fd_ratio{groupname=\"a (b) c\"} 0.5");
    assert_has("namegroup_num_threads{groupname=\"a (b) c\"} 2");
    assert_has("namegroup_oldest_start_time_seconds{groupname=\"a (b) c\"} 1003");
    assert_has("namegroup_thread_count{groupname=\"a (b) c\",threadname=\"worker\"} 1");
    /* As process-exporter: the first thread counts as a process and as a thread. */
    assert_has("namegroup_threads_wchan{groupname=\"a (b) c\",wchan=\"futex_wait\"} 3");
    assert_has("namegroup_states{groupname=\"a (b) c\",state=\"Sleeping\"} 3");
    assert_has("scrape_partial_errors 0");
}

/* Only what was used up since the first look counts, by threads too. */
static void test_since_the_first_look(void **state)
{
    put_process(5, (struct task){"x", 1, 300, 100, 5, 4096, NULL});
    put_thread(5, 6, (struct task){"worker", 1, 310, 100, 6, 100, NULL});
    watch("x", (struct tracker_conf){.threads = true});
    look();
    put_process(5, (struct task){"x", 1, 300, 150, 7, 5096, NULL});
    put_thread(5, 6, (struct task){"worker", 1, 310, 300, 9, 150, NULL});
    look();
    assert_has("namegroup_cpu_seconds_total{groupname=\"x\",mode=\"user\"} 0.5");
    assert_has("namegroup_read_bytes_total{groupname=\"x\"} 1000");
    assert_has("namegroup_context_switches_total{ctxswitchtype=\"voluntary\",groupname=\"x\"} 5");
    assert_has("namegroup_thread_cpu_seconds_total{groupname=\"x\",mode=\"user\","
               "threadname=\"worker\"} 2");
    assert_has("namegroup_thread_io_bytes_total{groupname=\"x\",iomode=\"read\","
               "threadname=\"worker\"} 50");
}

static void test_counters_outlive_processes(void **state)
{
    put_process(5, (struct task){"x", 1, 300, 100, 5, 0, NULL});
    watch("x", (struct tracker_conf){.shares = true});
    look();
    put_process(5, (struct task){"x", 1, 300, 200, 5, 0, NULL});
    put_process(9, (struct task){"x", 1, 2000, 40, 5, 0, NULL}); /* began after the first look */
    look();
    assert_has("namegroup_cpu_seconds_total{groupname=\"x\",mode=\"user\"} 1.4");
    kill_process(5);
    kill_process(9);
    look();
    assert_has("namegroup_num_procs{groupname=\"x\"} 0");
    assert_has("namegroup_cpu_seconds_total{groupname=\"x\",mode=\"user\"} 1.4");
    assert_has("namegroup_oldest_start_time_seconds{groupname=\"x\"} -6.21355968e+10");
    put_process(5, (struct task){"x", 1, 3000, 10, 5, 0, NULL}); /* the same number, another one */
    look();
    assert_has("namegroup_cpu_seconds_total{groupname=\"x\",mode=\"user\"} 1.5");
}

static void test_empty_groups_are_removed(void **state)
{
    put_process(5, (struct task){"x", 1, 300, 100, 5, 0, NULL});
    watch("x", (struct tracker_conf){.drop_empty = true});
    look();
    kill_process(5);
    look();
    assert_no("groupname");
}

/* A child may be met before its parent; grandchildren too. */
static void put_family(void)
{
    put_process(1, (struct task){"init", 0, 1, 0, 0, 0, NULL});
    put_process(20, (struct task){"x", 1, 300, 0, 0, 0, NULL});
    put_process(10, (struct task){"child", 20, 301, 0, 0, 0, NULL});
    put_process(15, (struct task){"grandchild", 10, 302, 0, 0, 0, NULL});
    put_process(30, (struct task){"other", 1, 303, 0, 0, 0, NULL});
    put_process(31, (struct task){"ring", 32, 304, 0, 0, 0, NULL});
    put_process(32, (struct task){"ring", 31, 304, 0, 0, 0, NULL});
}

static void test_children(void **state)
{
    put_family();
    watch("x", (struct tracker_conf){.children = true});
    look();
    assert_has("namegroup_num_procs{groupname=\"x\"} 3");
    put_process(40, (struct task){"late", 15, 900, 0, 0, 0, NULL});
    put_process(41, (struct task){"of other", 30, 900, 0, 0, 0, NULL});
    look();
    assert_has("namegroup_num_procs{groupname=\"x\"} 4");
}

static void test_no_children(void **state)
{
    put_family();
    watch("x", (struct tracker_conf){0});
    look();
    assert_has("namegroup_num_procs{groupname=\"x\"} 1");
}

static void test_recheck(void **state)
{
    for (int recheck = 0; recheck < 2; recheck++) {
        put_process(5, (struct task){"sh", 1, 300, 0, 0, 0, NULL});
        watch("x", (struct tracker_conf){.children = true, .recheck = recheck});
        look();
        put_process(5, (struct task){"x", 1, 300, 0, 0, 0, NULL}); /* exec */
        look();
        if (recheck)
            assert_has("namegroup_num_procs{groupname=\"x\"} 1");
        else
            assert_no("groupname");
        tracker_unref(w.t);
        matchers_unref(w.matchers);
        w.t = NULL;
        w.matchers = NULL;
    }
}

static void test_what_cannot_be_read(void **state)
{
    put_process(5, (struct task){"x", 1, 300, 100, 5, 0, NULL});
    put("nonsense", "7/stat");
    put("7 (x) S 1", "8/stat");
    kill_process(6);
    char *io = xprintf("%s/5/io", w.root);
    assert_int_equal(unlink(io), 0);
    free(io);
    watch("x", (struct tracker_conf){.shares = true});
    look();
    assert_has("namegroup_num_procs{groupname=\"x\"} 1");
    assert_has("scrape_procread_errors 2");
    assert_has("scrape_partial_errors 1");
}

static void test_no_procfs(void **state)
{
    char *stat = xprintf("%s/stat", w.root);

    watch("x", (struct tracker_conf){0});
    assert_int_equal(unlink(stat), 0);
    free(stat);
    assert_int_equal(tracker_collect(w.t, NULL, w.out), -ENOENT);
    expo_write(w.out, EXPO_TEXT, &w.text);
    assert_has("scrape_errors 1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_figures, begin, end),
        cmocka_unit_test_setup_teardown(test_since_the_first_look, begin, end),
        cmocka_unit_test_setup_teardown(test_counters_outlive_processes, begin, end),
        cmocka_unit_test_setup_teardown(test_empty_groups_are_removed, begin, end),
        cmocka_unit_test_setup_teardown(test_children, begin, end),
        cmocka_unit_test_setup_teardown(test_no_children, begin, end),
        cmocka_unit_test_setup_teardown(test_recheck, begin, end),
        cmocka_unit_test_setup_teardown(test_what_cannot_be_read, begin, end),
        cmocka_unit_test_setup_teardown(test_no_procfs, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
