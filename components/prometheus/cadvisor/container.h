/* What is known of control groups and the containers in them. Texts live in the arena of a scrape.
 */
#ifndef COMPONENTS_PROMETHEUS_CADVISOR_CONTAINER_H
#define COMPONENTS_PROMETHEUS_CADVISOR_CONTAINER_H

#include "base/arena.h"
#include "base/vec.h"
#include "components/common/expo.h"

/* Groups of metrics, as enabled_metrics and disabled_metrics name them. */
enum cad_set {
    CAD_CPU,
    CAD_SCHED,
    CAD_PERCPU,
    CAD_MEMORY,
    CAD_MEMORY_NUMA,
    CAD_CPU_LOAD,
    CAD_DISK_IO,
    CAD_DISK,
    CAD_NETWORK,
    CAD_TCP,
    CAD_ADVTCP,
    CAD_UDP,
    CAD_APP,
    CAD_PROCESS,
    CAD_HUGETLB,
    CAD_PERF,
    CAD_REFERENCED,
    CAD_TOPOLOGY,
    CAD_RESCTRL,
    CAD_CPUSET,
    CAD_OOM,
    CAD_PRESSURE,
    CAD_SETS
};
extern const char *const cad_set_names[CAD_SETS];
static inline bool cad_has(u32 sets, enum cad_set s)
{
    return sets >> s & 1;
}

/* Where the machine is looked at. */
struct cad_roots {
    const char *sys;  /* "/sys" */
    const char *proc; /* the machine's own: "/proc", or "/rootfs/proc" in a container */
    const char *root; /* "" or "/rootfs" */
};

enum cad_runtime { CAD_RAW, CAD_DOCKER, CAD_CONTAINERD };
struct cad_label {
    struct str name, value;
};
struct cad_container {
    struct str name; /* its path below the hierarchies: "/", "/system.slice/cron.service" */
    struct str id;   /* 64 digits; empty: none */
    enum cad_runtime runtime;
    /* Of those that a runtime knows. */
    struct str alias, image;
    VEC(struct cad_label) labels;
    VEC(struct cad_label) envs;
    i64 created, started; /* ns since 1970; 0: unknown */
    i64 pid;              /* 0: unknown */
    bool shares_network;  /* with another container: it has no figures of its own */
    int health;           /* 1 healthy, 0 not, -1 has no check */
};
struct cad_containers {
    struct cad_container *v;
    size_t n;
    bool cut; /* there are more than can be shown */
};

/* --- cgroups.c --- */
#define CAD_CONTAINERS_MAX 20000
/* v1: one folder a controller. v2: one for all. */
enum cad_controller {
    CAD_C_CPU,
    CAD_C_CPUACCT,
    CAD_C_MEMORY,
    CAD_C_BLKIO,
    CAD_C_HUGETLB,
    CAD_C_PIDS,
    CAD_C_CPUSET,
    CAD_CONTROLLERS
};
struct cad_hierarchies {
    bool unified;
    const char *at[CAD_CONTROLLERS]; /* NULL: not there; v2: all the same */
};
void cad_hierarchies_find(const struct cad_roots *roots, struct arena *a,
                          struct cad_hierarchies *ret);
/* All groups, sorted by name; the vectors inside are the caller's to free (cad_containers_done). */
void cad_containers_list(const struct cad_hierarchies *h, struct arena *a,
                         struct cad_containers *ret);
void cad_containers_done(struct cad_containers *c);
/* The id in a group's name: "docker-ID.scope", "cri-containerd-ID.scope", "ID". */
struct str cad_id_of(struct str name);

/* --- stats.c --- */
struct cad_disk {
    u64 major, minor;
    struct str device;
    f64 read_bytes, write_bytes, reads, writes; /* NAN: not told */
    struct cad_label ops[8]; /* as blkio tells them: name, and the number as text */
    size_t n_ops;
};
struct cad_pressure {
    f64 some, full; /* seconds; NAN: not told */
};
struct cad_stats {
    /* NAN: not told by this kernel for this group. */
    f64 cpu_user, cpu_system, cpu_total, periods, throttled, throttled_time, bursts, burst_time;
    VEC(f64) percpu;
    f64 sched_run, sched_wait, sched_periods;
    f64 cache, rss, kernel, mapped, swap, failcnt, usage, max_usage, working_set, active_file,
        inactive_file, pgfault, pgmajfault;
    f64 oom, processes, threads, threads_max, fds, sockets, max_open_files, migrate;
    struct cad_pressure cpu_p, memory_p, io_p;
    VEC(struct cad_disk) disks;
    /* What it is allowed. */
    bool has_cpu, has_memory;
    f64 period, quota, shares, limit, swap_limit, reservation; /* quota NAN: none */
    i64 changed;                       /* ns since 1970: when the group was made; 0: unknown */
    struct str memory_stat, numa_stat; /* texts */
};
void cad_stats_read(const struct cad_hierarchies *h, const struct cad_roots *roots, u32 sets,
                    const struct cad_container *c, struct arena *a, struct cad_stats *ret);
void cad_stats_done(struct cad_stats *s);

/* --- files.c --- */
/* The contents, terminated; empty when it cannot be read or is longer than 1 MiB. */
struct str cad_read(struct arena *a, const char *fmt, ...) PRINTF(2, 3);
/* A number; "max" is INFINITY; NAN when there is none. */
f64 cad_number(struct arena *a, const char *fmt, ...) PRINTF(2, 3);
/* The value of `key VALUE` in lines; NAN when there is none. */
f64 cad_key(struct str text, const char *key);
bool cad_line(struct str *rest, struct str *ret);
bool cad_field(struct str *line, struct str *ret);
f64 cad_f64(struct str text); /* NAN */

/* --- families.c --- */
/* A container's families; base: its labels. */
struct cad_show {
    struct expo *e;
    const struct cad_roots *roots;
    const struct cad_hierarchies *h;
    struct arena *a;
    u32 sets;
    i64 now, booted; /* ns since 1970 */
    const struct expo_label *base;
    size_t n_base;
};
void cad_add(const struct cad_show *s, enum expo_type type, const char *name, const char *help,
             f64 v, const struct expo_label *extra, size_t n_extra);
void cad_show_container(const struct cad_show *s, const struct cad_container *c,
                        const struct cad_stats *st);
/* --- network.c --- */
void cad_show_network(const struct cad_show *s, const struct cad_container *c);
/* --- host.c --- */
/* Of the root: file systems and their devices. */
void cad_show_filesystems(const struct cad_show *s, const struct cad_stats *st);
/* "/dev/sda"; empty: unknown. */
struct str cad_device(const struct cad_roots *roots, struct arena *a, u64 major, u64 minor);
void cad_show_machine(struct expo *e, const struct cad_roots *roots, u32 sets, struct arena *a);

/* --- meta.c: what runtimes tell; answers are hostile. 0, or -EBADMSG with *ret_err. --- */
/* GET /containers/ID/json; envs: prefixes of names to keep. */
int cad_docker_read(struct str body, const struct str *envs, size_t n_envs, struct arena *a,
                    struct cad_container *c, const char **ret_err);
/* GET /version */
struct str cad_docker_version(struct str body, struct arena *a);
/* The specification (OCI) that containerd's runtime was given. */
int cad_spec_read(struct str body, const struct str *envs, size_t n_envs, struct arena *a,
                  struct cad_container *c, const char **ret_err);
/* The labels of a container's series: names made fit, none twice. */
struct expo_label *cad_labels(const struct cad_container *c, bool all, const struct str *allowed,
                              size_t n_allowed, struct arena *a, size_t *ret_n);

#endif
