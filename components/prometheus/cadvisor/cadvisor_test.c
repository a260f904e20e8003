/* Trees of files as kernels show them, of version 1 and 2, and what becomes of them; what runtimes
 * tell, and labels made of it. */
#include <ftw.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/test.h"
#include "components/prometheus/cadvisor/container.h"

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static char dir[64];
static struct arena arena;
static struct expo *out;
static struct buf text;
static struct cad_roots roots;
static struct cad_hierarchies h;
static struct cad_containers all;

static void file(const char *path, const char *contents)
{
    char *full = xprintf("%s/%s", dir, path);

    for (char *p = strchr(full + 1, '/'); p; p = strchr(p + 1, '/')) {
        *p = 0;
        mkdir(full, 0755); /* most are there */
        *p = '/';
    }
    FILE *f = fopen(full, "w");
    assert_non_null(f);
    fputs(contents, f);
    fclose(f);
    free(full);
}

static struct cad_container *find(const char *name)
{
    for (size_t i = 0; i < all.n; i++)
        if (str_is(all.v[i].name, name)) return &all.v[i];
    return NULL;
}

static void list(void)
{
    roots = (struct cad_roots){.sys = arena_printf(&arena, "%s/sys", dir),
                               .proc = arena_printf(&arena, "%s/proc", dir),
                               .root = dir};
    cad_hierarchies_find(&roots, &arena, &h);
    cad_containers_list(&h, &arena, &all);
}

static void show(struct cad_container *c, u32 sets)
{
    struct cad_show s = {.e = out,
                         .roots = &roots,
                         .h = &h,
                         .a = &arena,
                         .sets = sets,
                         .now = 2000 * NS_PER_SEC,
                         .booted = 1000 * NS_PER_SEC};
    struct cad_stats st;

    assert_non_null(c);
    expo_reset(out);
    buf_reset(&text);
    s.base = cad_labels(c, true, NULL, 0, &arena, &s.n_base);
    cad_stats_read(&h, &roots, sets, c, &arena, &st);
    cad_show_container(&s, c, &st);
    cad_stats_done(&st);
    expo_write(out, EXPO_TEXT, &text);
    assert_text(expo_faults(out), "");
}

static bool has(const char *line)
{
    struct str rest = buf_view(&text), got;

    while (cad_line(&rest, &got))
        if (str_is(got, line)) return true;
    return false;
}

static void shows(const char *line)
{
    if (has(line)) return;
    print_error("no line %s in\n" STR_FMT, line, STR_ARG(buf_view(&text)));
    fail();
}

#define V1(c) "sys/fs/cgroup/" c "/docker/" ID "/"
static void version1(void **state)
{
    file(V1("cpu") "cpu.shares", "512\n");
    file(V1("cpu") "cpu.cfs_period_us", "100000\n");
    file(V1("cpu") "cpu.cfs_quota_us", "50000\n");
    file(V1("cpu") "cpu.stat", "nr_periods 10\nnr_throttled 3\nthrottled_time 2500000000\n");
    file(V1("cpuacct") "cpuacct.usage", "7000000000\n");
    file(V1("cpuacct") "cpuacct.usage_percpu", "3000000000 4000000000 0 \n");
    file(V1("cpuacct") "cpuacct.stat", "user 500\nsystem 100\n");
    file(V1("memory") "memory.use_hierarchy", "1\n");
    file(V1("memory") "memory.usage_in_bytes", "1000\n");
    file(V1("memory") "memory.max_usage_in_bytes", "2000\n");
    file(V1("memory") "memory.failcnt", "4\n");
    file(V1("memory") "memory.limit_in_bytes", "9223372036854771712\n");
    file(V1("memory") "memory.soft_limit_in_bytes", "5000\n");
    file(V1("memory") "memory.stat", "cache 1\ntotal_cache 11\ntotal_rss 12\ntotal_swap 13\n"
                                     "total_mapped_file 14\ntotal_inactive_file 300\n"
                                     "total_active_file 15\npgfault 16\npgmajfault 17\n");
    file(V1("memory") "memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n");
    file(V1("blkio") "blkio.throttle.io_service_bytes", "8:0 Read 100\n8:0 Write 200\nTotal 300\n");
    file(V1("blkio") "blkio.throttle.io_serviced", "8:0 Read 1\n8:0 Write 2\nTotal 3\n");
    file("sys/dev/block/8:0/uevent", "MAJOR=8\nMINOR=0\nDEVNAME=sda\nDEVTYPE=disk\n");
    list();
    assert_false(h.unified);
    assert_int_equal(all.n, 3); /* "/", "/docker", the container */
    assert_text(find("/docker/" ID)->id, ID);
    show(find("/docker/" ID), ~0U);
#define L "id=\"/docker/" ID "\"}"
#define D "{device=\"/dev/sda\",id=\"/docker/" ID "\"}"
    shows("container_cpu_user_seconds_total{" L " 5");
    shows("container_cpu_usage_seconds_total{cpu=\"cpu01\"," L " 4");
    assert_null(strstr(text.p, "cpu02"));
    shows("container_cpu_cfs_throttled_seconds_total{" L " 2.5");
    shows("container_memory_cache{" L " 11");
    shows("container_memory_working_set_bytes{" L " 700");
    shows("container_memory_failures_total{failure_type=\"pgmajfault\",id=\"/docker/" ID
          "\",scope=\"hierarchy\"} 17");
    shows("container_spec_memory_limit_bytes{" L " 0"); /* none */
    shows("container_spec_memory_reservation_limit_bytes{" L " 5000");
    shows("container_spec_cpu_quota{" L " 50000");
    shows("container_spec_cpu_shares{" L " 512");
    shows("container_fs_reads_bytes_total" D " 100");
    shows("container_fs_writes_total" D " 2");
    shows("container_blkio_device_usage_total{device=\"/dev/sda\",id=\"/docker/" ID
          "\",major=\"8\",minor=\"0\",operation=\"Write\"} 200");
    shows("container_oom_events_total{" L " 2");
    shows("container_last_seen{" L " 2000");
    show(find("/docker"), 1U << CAD_MEMORY);
    assert_null(strstr(text.p, "container_cpu"));
}

#define V2 "sys/fs/cgroup/system.slice/docker-" ID ".scope/"
static void version2(void **state)
{
    struct cad_container *c;

    file("sys/fs/cgroup/cgroup.controllers", "cpu io memory pids\n");
    file("sys/fs/cgroup/cpu.stat", "usage_usec 100\n");
    file("sys/fs/cgroup/sys-kernel.mount/cgroup.procs", "");
    file(V2 "cpu.stat",
         "usage_usec 7000000\nuser_usec 5000000\nsystem_usec 2000000\nnr_periods "
         "5\nnr_throttled 1\nthrottled_usec 500000\nnr_bursts 2\nburst_usec 250000\n");
    file(V2 "cpu.max", "20000 100000\n");
    file(V2 "cpu.weight", "100\n");
    file(V2 "memory.current", "4096\n");
    file(V2 "memory.peak", "8192\n");
    file(V2 "memory.max", "max\n");
    file(V2 "memory.min", "0\n");
    file(V2 "memory.swap.max", "1024\n");
    file(V2 "memory.swap.current", "77\n");
    file(V2 "memory.events", "low 0\nhigh 0\nmax 6\noom 1\noom_kill 3\n");
    file(V2 "memory.stat", "anon 100\nfile 200\nkernel 300\nfile_mapped 50\ninactive_file 96\n"
                           "active_file 104\npgfault 9\npgmajfault 1\n");
    file(V2 "io.stat", "8:16 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=0 dios=0\nbroken\n");
    file(V2 "cpu.pressure", "some avg10=0.00 avg60=0.00 avg300=0.00 total=1500000\nfull avg10=0.00 "
                            "avg60=0.00 avg300=0.00 total=500000\n");
    file(V2 "cgroup.procs", "42\n43\n");
    file(V2 "pids.current", "7\n");
    file(V2 "pids.max", "max\n");
    file("proc/42/schedstat", "1000000000 500000000 12\n");
    file("proc/42/limits",
         "Limit                     Soft Limit           Hard Limit           Units     \n"
         "Max open files            1024                 4096                 files     \n");
    file("proc/42/net/dev", "Inter-|   Receive\n face |bytes\n"
                            "    lo: 1 1 0 0 0 0 0 0 1 1 0 0 0 0 0 0\n"
                            "  eth0: 10 11 12 13 0 0 0 0 20 21 22 23 0 0 0 0\n");
    file("proc/42/net/tcp",
         "  sl  local_address rem_address   st\n   0: 0100007F:1F90 00000000:0000 0A "
         "0\n   1: 0100007F:1F90 0100007F:9999 01 0\n   2: x x 0B 0\n");
    list();
    assert_true(h.unified);
    assert_int_equal(all.n, 3); /* the mount is none */
    c = find("/system.slice/docker-" ID ".scope");
    assert_non_null(c);
    c->pid = 42;
    c->alias = STR("web");
    show(c, ~0U);
#undef L
#define L "id=\"/system.slice/docker-" ID ".scope\",name=\"web\"}"
    shows("container_cpu_usage_seconds_total{cpu=\"total\"," L " 7");
    shows("container_cpu_cfs_burst_seconds_total{" L " 0.25");
    shows("container_spec_cpu_shares{" L " 2597");
    shows("container_spec_cpu_quota{" L " 20000");
    shows("container_spec_memory_limit_bytes{" L " 0");
    shows("container_spec_memory_swap_limit_bytes{" L " 1024");
    shows("container_memory_working_set_bytes{" L " 4000");
    shows("container_memory_swap{" L " 77");
    shows("container_memory_failcnt{" L " 6");
    shows("container_oom_events_total{" L " 3");
    shows("container_pressure_cpu_waiting_seconds_total{" L " 1.5");
    shows("container_pressure_cpu_stalled_seconds_total{" L " 0.5");
    shows("container_processes{" L " 2");
    shows("container_threads{" L " 7");
    shows("container_threads_max{" L " 0");
    shows("container_cpu_schedstat_run_seconds_total{" L " 1");
    shows("container_ulimits_soft{id=\"/system.slice/docker-" ID
          ".scope\",name=\"web\",ulimit=\"max_open_files\"} 1024");
    shows("container_network_transmit_packets_dropped_total{id=\"/system.slice/docker-" ID
          ".scope\",interface=\"eth0\",name=\"web\"} 23");
    assert_null(strstr(text.p, "\"lo\""));
    shows("container_network_tcp_usage_total{id=\"/system.slice/docker-" ID
          ".scope\",name=\"web\",tcp_state=\"closing\"} 1");
    c->shares_network = true;
    show(c, ~0U);
    assert_null(strstr(text.p, "container_network"));
}

static void root_group(void **state)
{
    file("sys/fs/cgroup/cgroup.controllers", "memory\n");
    file("sys/fs/cgroup/memory.stat", "anon 1\nfile 2\ninactive_file 24\n");
    file("proc/meminfo", "MemTotal:  100 kB\nMemFree:  40 kB\nSwapTotal: 10 kB\nSwapFree: 4 kB\n");
    file("proc/1/mountinfo",
         "1 0 8:1 / / rw - ext4 /dev/sda1 rw\n2 1 0:5 / /proc rw - proc proc rw\n"
         "3 1 8:1 /x /bind rw - ext4 /dev/sda1 rw\n");
    file("proc/diskstats", "   8       1 sda1 5 6 7 8000 9 10 11 12000 13 14000 15000 0 0\n");
    list();
    show(find("/"), ~0U);
    shows("container_memory_usage_bytes{id=\"/\"} 61440");
    shows("container_memory_swap{id=\"/\"} 6144");
    shows("container_spec_memory_limit_bytes{id=\"/\"} 102400");
    shows("container_fs_reads_total{device=\"/dev/sda1\",id=\"/\"} 5");
    shows("container_fs_read_seconds_total{device=\"/dev/sda1\",id=\"/\"} 8");
    shows("container_fs_io_current{device=\"/dev/sda1\",id=\"/\"} 13");
    assert_non_null(strstr(text.p, "container_fs_limit_bytes{device=\"/dev/sda1\",id=\"/\"}"));
    assert_null(strstr(text.p, "device=\"proc\""));
}

static void ids(void **state)
{
    assert_text(cad_id_of(STR("/docker/" ID)), ID);
    assert_text(cad_id_of(STR("/kubepods/pod1/cri-containerd-" ID ".scope")), ID);
    assert_text(cad_id_of(STR("/docker/" ID "/init")), "");
    assert_text(cad_id_of(STR("/docker/" ID "0")), "");
    assert_text(cad_id_of(STR("/")), "");
}

static void docker(void **state)
{
    const char *body =
        "{\"Name\":\"/web\",\"Created\":\"2026-01-02T03:04:05.5Z\",\"RestartCount\":2,"
        "\"State\":{\"Pid\":77,\"StartedAt\":\"2026-01-02T03:04:06Z\",\"Health\":{\"Status\":"
        "\"healthy\"}},\"Config\":{\"Image\":\"nginx:1\",\"Labels\":{\"com.x/y\":\"1\",\"com.x.y\":"
        "\"2\"},\"Env\":[\"APP_NAME=a\",\"PATH=/bin\",\"none\"]},\"HostConfig\":{\"NetworkMode\":"
        "\"container:abc\"}}";
    const struct str envs[] = {STR(""), STR("APP_")};
    struct cad_container c = {.id = STR(ID), .name = STR("/docker/" ID)};
    const char *err = NULL;
    size_t n;

    assert_int_equal(cad_docker_read(str_of(body), envs, 2, &arena, &c, &err), 0);
    assert_int_equal(c.pid, 77);
    assert_int_equal(c.health, 1);
    assert_true(c.shares_network);
    assert_int_equal(c.started - c.created, NS_PER_SEC / 2);
    struct expo_label *l = cad_labels(&c, true, NULL, 0, &arena, &n);
    assert_int_equal(n, 6); /* the second of two names that become one is left out */
    assert_text(l[1].value, "web");
    assert_text(l[2].value, "nginx:1");
    assert_string_equal(l[3].name, "container_label_com_x_y");
    assert_string_equal(l[4].name, "container_label_restartcount");
    assert_string_equal(l[5].name, "container_env_app_name");
    assert_text(l[5].value, "a");
    const struct str allowed[] = {STR("com.x.y")};
    l = cad_labels(&c, false, allowed, 1, &arena, &n);
    assert_int_equal(n, 5);
    assert_text(l[3].value, "2");
    vec_done(&c.labels);
    vec_done(&c.envs);
    assert_true(cad_docker_read(STR("{\"Name\":1}"), NULL, 0, &arena, &c, &err) < 0);
    assert_true(cad_docker_read(STR("["), NULL, 0, &arena, &c, &err) < 0);
    assert_text(cad_docker_version(STR("{\"Version\":\"27.1\"}"), &arena), "27.1");
    assert_text(cad_docker_version(STR("nonsense"), &arena), "");
}

static void containerd(void **state)
{
    const char *body = "{\"process\":{\"env\":[\"A=1\"]},\"annotations\":{\"io.kubernetes.cri."
                       "container-name\":\"app\",\"io.kubernetes.cri.sandbox-name\":\"pod-1\","
                       "\"io.kubernetes.cri.image-name\":\"img\",\"io.kubernetes.cri.container-"
                       "type\":\"container\"}}";
    struct cad_container c = {.id = STR(ID), .name = STR("/x")};
    const char *err = NULL;
    size_t n;

    assert_int_equal(cad_spec_read(str_of(body), NULL, 0, &arena, &c, &err), 0);
    assert_text(c.image, "img");
    assert_true(c.shares_network);
    struct expo_label *l = cad_labels(&c, true, NULL, 0, &arena, &n);
    assert_int_equal(n, 6);
    assert_string_equal(l[3].name, "container_label_io_kubernetes_container_name");
    assert_text(l[3].value, "app");
    vec_done(&c.labels);
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)st, (void)kind, (void)at;
    return remove(path);
}

static int begin(void **state)
{
    (void)snprintf(dir, sizeof(dir), "/tmp/cadvisor_test.XXXXXX");
    assert_non_null(mkdtemp(dir));
    arena_init(&arena, 0);
    buf_init(&text, 4 << 20);
    out = expo_new(4 << 20);
    return 0;
}

static int end(void **state)
{
    nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    cad_containers_done(&all);
    expo_free(out);
    buf_done(&text);
    arena_done(&arena);
    return 0;
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, begin, end)
int main(void)
{
    const struct CMUnitTest tests[] = {TEST(version1), TEST(version2), TEST(root_group),
                                       TEST(ids),      TEST(docker),   TEST(containerd)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
