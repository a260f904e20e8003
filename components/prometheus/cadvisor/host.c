/* The machine: its file systems with their devices, its processors and memory. */
#include <dirent.h>
#include <math.h>
#include <stdlib.h>
#include <sys/statvfs.h>
#include <sys/utsname.h>
#include <unistd.h>
#include "base/num.h"
#include "components/prometheus/cadvisor/container.h"

#define CPUS_MAX  8192
#define NODES_MAX 1024

struct str cad_device(const struct cad_roots *roots, struct arena *a, u64 major, u64 minor)
{
    struct str lines = cad_read(a, "%s/dev/block/%llu:%llu/uevent", roots->sys,
                                (unsigned long long)major, (unsigned long long)minor),
               line;

    while (cad_line(&lines, &line))
        if (str_starts(line, STR("DEVNAME=")))
            return str_of(arena_printf(a, "/dev/" STR_FMT, STR_ARG(str_sub(line, 8, line.n))));
    return (struct str){0};
}

/* --- file systems --- */

struct mount {
    struct str device, folder;
    u64 major, minor;
};
struct mounts {
    VEC(struct mount) v;
};

/* Local ones: what hangs with its server is left out. */
static bool is_shown(struct str type)
{
    static const char *const types[] = {"xfs", "btrfs", "overlay", "tmpfs",
                                        "zfs", "f2fs",  "bcachefs"};

    if (str_starts(type, STR("ext"))) return true;
    for (size_t i = 0; i < ARRAY_LEN(types); i++)
        if (str_is(type, types[i])) return true;
    return false;
}

static bool has_mount(const struct mounts *m, struct str device)
{
    for (size_t i = 0; i < m->v.n; i++)
        if (str_eq(m->v.v[i].device, device)) return true;
    return false;
}

/* "\040" and its like stand for bytes. */
static struct str unescape(struct arena *a, struct str s)
{
    char *p = arena_alloc(a, s.n + 1);
    size_t n = 0;

    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] == '\\' && i + 3 < s.n) {
            p[n++] = (char)((s.p[i + 1] - '0') * 64 + (s.p[i + 2] - '0') * 8 + s.p[i + 3] - '0');
            i += 3;
        } else {
            p[n++] = s.p[i];
        }
    return str_n(p, n);
}

/* "ID PARENT MAJ:MIN ROOT FOLDER OPTIONS ... - TYPE SOURCE ..." */
static void read_mount(struct mounts *m, struct arena *a, struct str line)
{
    struct str f[5], type, source, numbers;
    struct mount new;

    for (size_t i = 0; i < ARRAY_LEN(f); i++)
        if (!cad_field(&line, &f[i])) return;
    ssize_t dash = str_find(line, STR(" - "));
    if (dash < 0) return;
    line = str_sub(line, (size_t)dash + 3, line.n);
    if (!cad_field(&line, &type) || !cad_field(&line, &source) || !is_shown(type)) return;
    numbers = f[2];
    struct str major = str_cut(&numbers, ':');
    if (num_parse_u64(major, &new.major) != 0 || num_parse_u64(numbers, &new.minor) != 0) return;
    new.folder = unescape(a, f[4]);
    new.device = str_is(type, "tmpfs") ? new.folder
                 : str_is(type, "overlay")
                     ? str_of(arena_printf(a, "overlay_%llu-%llu", (unsigned long long)new.major,
                                           (unsigned long long)new.minor))
                     : unescape(a, source);
    if (!has_mount(m, new.device)) vec_push(&m->v, new);
}

#define G EXPO_GAUGE
static void show_usage(const struct cad_show *s, const struct mount *m)
{
    const struct expo_label device = EXPO_LS("device", m->device);
    struct statvfs st;

    if (statvfs(arena_printf(s->a, "%s" STR_FMT, s->roots->root, STR_ARG(m->folder)), &st) != 0)
        return;
    f64 size = (f64)st.f_frsize;
    cad_add(s, G, "container_fs_inodes_free", "Number of available Inodes", (f64)st.f_ffree,
            &device, 1);
    cad_add(s, G, "container_fs_inodes_total", "Number of Inodes", (f64)st.f_files, &device, 1);
    cad_add(s, G, "container_fs_limit_bytes",
            "Number of bytes that can be consumed by the container on this filesystem.",
            size * (f64)st.f_blocks, &device, 1);
    cad_add(s, G, "container_fs_usage_bytes",
            "Number of bytes that are consumed by the container on this filesystem.",
            size * (f64)(st.f_blocks - st.f_bfree), &device, 1);
}

struct column {
    size_t at; /* behind the name in /proc/diskstats */
    f64 factor;
    enum expo_type type;
    bool twice; /* the group's own figures tell it as well */
    const char *name, *help;
};
static const struct column columns[] = {
    {0, 1, EXPO_COUNTER, true, "container_fs_reads_total", "Cumulative count of reads completed"},
    {1, 1, EXPO_COUNTER, false, "container_fs_reads_merged_total",
     "Cumulative count of reads merged"},
    {2, 1, EXPO_COUNTER, false, "container_fs_sector_reads_total",
     "Cumulative count of sector reads completed"},
    {3, 1e-3, EXPO_COUNTER, false, "container_fs_read_seconds_total",
     "Cumulative count of seconds spent reading"},
    {4, 1, EXPO_COUNTER, true, "container_fs_writes_total", "Cumulative count of writes completed"},
    {5, 1, EXPO_COUNTER, false, "container_fs_writes_merged_total",
     "Cumulative count of writes merged"},
    {6, 1, EXPO_COUNTER, false, "container_fs_sector_writes_total",
     "Cumulative count of sector writes completed"},
    {7, 1e-3, EXPO_COUNTER, false, "container_fs_write_seconds_total",
     "Cumulative count of seconds spent writing"},
    {8, 1, EXPO_GAUGE, false, "container_fs_io_current", "Number of I/Os currently in progress"},
    {9, 1e-3, EXPO_COUNTER, false, "container_fs_io_time_seconds_total",
     "Cumulative count of seconds spent doing I/Os"},
    {10, 1e-3, EXPO_COUNTER, false, "container_fs_io_time_weighted_seconds_total",
     "Cumulative weighted I/O time in seconds"},
};

static bool in_disks(const struct cad_stats *st, struct str device)
{
    for (size_t i = 0; i < st->disks.n; i++)
        if (str_eq(st->disks.v[i].device, device)) return true;
    return false;
}

static void show_device(const struct cad_show *s, const struct cad_stats *st, const struct mount *m,
                        struct str lines)
{
    struct str line, f[14] = {{0}};
    u64 major, minor;

    while (cad_line(&lines, &line)) {
        size_t n = 0;
        while (n < ARRAY_LEN(f) && cad_field(&line, &f[n]))
            n++;
        if (n < ARRAY_LEN(f) || num_parse_u64(f[0], &major) != 0 ||
            num_parse_u64(f[1], &minor) != 0 || major != m->major || minor != m->minor)
            continue;
        for (size_t i = 0; i < ARRAY_LEN(columns); i++)
            if (!columns[i].twice || !in_disks(st, m->device))
                cad_add(s, columns[i].type, columns[i].name, columns[i].help,
                        cad_f64(f[3 + columns[i].at]) * columns[i].factor,
                        &EXPO_LS("device", m->device), 1);
    }
}

void cad_show_filesystems(const struct cad_show *s, const struct cad_stats *st)
{
    struct str lines = cad_read(s->a, "%s/1/mountinfo", s->roots->proc), line;
    struct mounts m = {0};

    if (lines.n == 0) lines = cad_read(s->a, "%s/self/mountinfo", s->roots->proc);
    while (cad_line(&lines, &line))
        read_mount(&m, s->a, line);
    struct str disks = cad_read(s->a, "%s/diskstats", s->roots->proc);
    vec_each (&m.v, at) {
        if (cad_has(s->sets, CAD_DISK)) show_usage(s, at);
        if (cad_has(s->sets, CAD_DISK_IO)) show_device(s, st, at, disks);
    }
    vec_done(&m.v);
}

/* --- processors and memory --- */

struct machine {
    struct expo *e;
    const struct cad_roots *roots;
    struct arena *a;
    struct expo_label base[3];
};

static void tell(const struct machine *m, const char *name, const char *help, f64 v,
                 const struct expo_label *extra, size_t n)
{
    struct expo_label l[8];

    if (isnan(v)) return;
    memcpy(l, m->base, sizeof(m->base));
    if (n) memcpy(l + 3, extra, n * sizeof(*l));
    expo_sample(expo_gauge(m->e, name, help), NULL, v, l, 3 + n);
}

static f64 cpu_number(const struct machine *m, int cpu, const char *what)
{
    return cad_number(m->a, "%s/devices/system/cpu/cpu%d/topology/%s", m->roots->sys, cpu, what);
}

/* How many differ among pairs of numbers. */
static size_t distinct(f64 (*v)[2], size_t n)
{
    size_t count = 0;

    for (size_t i = 0; i < n; i++) {
        size_t k = 0;
        while (k < i && !(v[k][0] == v[i][0] && v[k][1] == v[i][1]))
            k++;
        count += k == i;
    }
    return count;
}

static size_t count_processors(const struct machine *m)
{
    struct str lines = cad_read(m->a, "%s/cpuinfo", m->roots->proc), line;
    size_t n = 0;

    while (cad_line(&lines, &line))
        n += str_starts(line, STR("processor"));
    return n;
}

static void tell_cpus(const struct machine *m)
{
    size_t n = 0, cpus = count_processors(m);
    f64(*cores)[2] = arena_alloc(m->a, CPUS_MAX * sizeof(*cores));
    f64(*sockets)[2] = arena_alloc(m->a, CPUS_MAX * sizeof(*sockets));

    for (int cpu = 0; cpu < CPUS_MAX && n < cpus; cpu++) {
        f64 core = cpu_number(m, cpu, "core_id"),
            socket = cpu_number(m, cpu, "physical_package_id");
        if (isnan(core) && cpu > (int)cpus) break;
        if (isnan(core)) continue;
        cores[n][0] = core;
        cores[n][1] = sockets[n][0] = socket;
        n++;
    }
    tell(m, "machine_cpu_physical_cores", "Number of physical CPU cores.",
         n ? (f64)distinct(cores, n) : (f64)cpus, NULL, 0);
    tell(m, "machine_cpu_cores", "Number of logical CPU cores.", (f64)cpus, NULL, 0);
    tell(m, "machine_cpu_sockets", "Number of CPU sockets.", n ? (f64)distinct(sockets, n) : 1,
         NULL, 0);
    tell(m, "machine_cpu_books", "Number of CPU books.", 0, NULL, 0);
    tell(m, "machine_cpu_drawers", "Number of CPU drawers.", 0, NULL, 0);
}

static void tell_memory(const struct machine *m)
{
    struct str info = cad_read(m->a, "%s/meminfo", m->roots->proc);

    tell(m, "machine_memory_bytes", "Amount of memory installed on the machine.",
         1024 * cad_key(info, "MemTotal:"), NULL, 0);
    tell(m, "machine_swap_bytes", "Amount of swap memory available on the machine.",
         1024 * cad_key(info, "SwapTotal:"), NULL, 0);
    tell(m, "machine_nvm_capacity",
         "NVM capacity value labeled by NVM mode (memory mode or app direct mode).", 0,
         &EXPO_L("mode", "memory_mode"), 1);
    tell(m, "machine_nvm_capacity",
         "NVM capacity value labeled by NVM mode (memory mode or app direct mode).", 0,
         &EXPO_L("mode", "app_direct_mode"), 1);
    tell(m, "machine_nvm_avg_power_budget_watts", "NVM power budget.", 0, NULL, 0);
}

/* --- what lies where --- */

static void tell_node_memory(const struct machine *m, const char *at, const char *node)
{
    struct str lines = cad_read(m->a, "%s/meminfo", at), line, f[4];

    while (cad_line(&lines, &line)) { /* "Node 0 MemTotal: 123 kB" */
        size_t n = 0;
        while (n < 4 && cad_field(&line, &f[n]))
            n++;
        if (n == 4 && str_is(f[2], "MemTotal:"))
            tell(m, "machine_node_memory_capacity_bytes", "Amount of memory assigned to NUMA node.",
                 1024 * cad_f64(f[3]), &EXPO_L("node_id", node), 1);
    }
}

static void tell_node_distances(const struct machine *m, const char *at, const char *node)
{
    struct str rest = str_trim(cad_read(m->a, "%s/distance", at)), f;

    for (int i = 0; cad_field(&rest, &f); i++) {
        const struct expo_label l[] = {EXPO_L("node_id", node),
                                       EXPO_L("target_node_id", arena_printf(m->a, "%d", i))};
        tell(m, "machine_node_distance", "Distance between NUMA node and target NUMA node.",
             cad_f64(f), l, 2);
    }
}

static void tell_node_pages(const struct machine *m, const char *at, const char *node)
{
    DIR *dir = opendir(arena_printf(m->a, "%s/hugepages", at));

    if (!dir) return;
    for (const struct dirent *d; (d = readdir(dir));) {
        if (strncmp(d->d_name, "hugepages-", 10) != 0) continue;
        struct str size = str_of(d->d_name + 10); /* "2048kB" */
        const struct expo_label l[] = {
            EXPO_L("node_id", node),
            EXPO_LS("page_size", str_n(size.p, size.n > 2 ? size.n - 2 : 0))};
        tell(m, "machine_node_hugepages_count", "Numer of hugepages assigned to NUMA node.",
             cad_number(m->a, "%s/hugepages/%s/nr_hugepages", at, d->d_name), l, 2);
    }
    closedir(dir);
}

static size_t siblings(const struct machine *m, const char *at, int cpu)
{
    struct str map = str_trim(cad_read(m->a, "%s/cpu%d/topology/thread_siblings", at, cpu));
    size_t n = 0;

    for (size_t i = 0; i < map.n; i++) { /* a mask in hexadecimal */
        char c = map.p[i];
        int d = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : 0;
        n += (size_t)__builtin_popcount((unsigned)d);
    }
    return n;
}

static void tell_caches(const struct machine *m, const char *at, int cpu, const char *node,
                        const char *core)
{
    for (int i = 0; i < 16; i++) {
        const char *index = arena_printf(m->a, "%s/cpu%d/cache/index%d", at, cpu, i);
        struct str size = str_trim(cad_read(m->a, "%s/size", index));
        if (size.n < 2) return;
        const struct expo_label l[] = {
            EXPO_L("node_id", node), EXPO_L("core_id", core),
            EXPO_LS("type", str_trim(cad_read(m->a, "%s/type", index))),
            EXPO_LS("level", str_trim(cad_read(m->a, "%s/level", index)))};
        tell(m, "machine_cpu_cache_capacity_bytes",
             "Cache size in bytes assigned to NUMA node and CPU core.",
             1024 * cad_f64(str_n(size.p, size.n - 1)), l, 4);
    }
}

/* The first thread of a core tells of its caches. */
static void tell_node_cpus(const struct machine *m, const char *at, const char *node)
{
    VEC(f64) seen = {0};

    for (int cpu = 0; cpu < CPUS_MAX; cpu++) {
        if (access(arena_printf(m->a, "%s/cpu%d", at, cpu), F_OK) != 0) continue;
        f64 id = cad_number(m->a, "%s/cpu%d/topology/core_id", at, cpu);
        if (isnan(id)) continue;
        const char *core = arena_printf(m->a, "%.0f", id);
        const struct expo_label l[] = {EXPO_L("node_id", node), EXPO_L("core_id", core),
                                       EXPO_L("thread_id", arena_printf(m->a, "%d", cpu))};
        tell(m, "machine_thread_siblings_count", "Number of CPU thread siblings.",
             (f64)siblings(m, at, cpu), l, 3);
        size_t k = 0;
        while (k < seen.n && seen.v[k] != id)
            k++;
        if (k < seen.n) continue;
        vec_push(&seen, id);
        tell_caches(m, at, cpu, node, core);
    }
    vec_done(&seen);
}

static void tell_topology(const struct machine *m)
{
    for (int i = 0; i < NODES_MAX; i++) {
        const char *at = arena_printf(m->a, "%s/devices/system/node/node%d", m->roots->sys, i);
        const char *node = arena_printf(m->a, "%d", i);
        if (access(at, F_OK) != 0) continue;
        tell_node_memory(m, at, node);
        tell_node_distances(m, at, node);
        tell_node_pages(m, at, node);
        tell_node_cpus(m, at, node);
    }
}

static struct str identity(const struct cad_roots *roots, struct arena *a)
{
    struct str id = str_trim(cad_read(a, "%s/etc/machine-id", roots->root));

    return id.n ? id : str_trim(cad_read(a, "%s/var/lib/dbus/machine-id", roots->root));
}

void cad_show_machine(struct expo *e, const struct cad_roots *roots, u32 sets, struct arena *a)
{
    const struct machine m = {
        .e = e,
        .roots = roots,
        .a = a,
        .base = {EXPO_LS("machine_id", identity(roots, a)),
                 EXPO_LS("system_uuid",
                         str_trim(cad_read(a, "%s/class/dmi/id/product_uuid", roots->sys))),
                 EXPO_LS("boot_id",
                         str_trim(cad_read(a, "%s/sys/kernel/random/boot_id", roots->proc)))}};

    tell_cpus(&m);
    tell_memory(&m);
    if (cad_has(sets, CAD_TOPOLOGY)) tell_topology(&m);
}
