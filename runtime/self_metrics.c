/* Metrics of configuration loading, of the build, and of the process (read from /proc when
 * scraped). */
#include "runtime/self_metrics.h"

#include <dirent.h>
#include <sys/resource.h>
#include <unistd.h>
#include "base/num.h"

/* ---- configuration ---- */

static const struct metric_desc hash_desc = {
    .name = "alloy_config_hash",
    .help = "A constant 1, labelled with the digest of the configuration read last.",
    .kind = METRIC_GAUGE};
static const struct metric_desc success_desc = {
    .name = "alloy_config_last_load_successful",
    .help = "1 when the configuration read last could be parsed.",
    .kind = METRIC_GAUGE};
static const struct metric_desc stamp_desc = {
    .name = "alloy_config_last_load_success_timestamp_seconds",
    .help = "When a configuration was read and parsed last, in seconds since 1970.",
    .kind = METRIC_GAUGE};
static const struct metric_desc failures_desc = {
    .name = "alloy_config_load_failures_total",
    .help = "Configurations that could not be read or parsed.",
    .kind = METRIC_COUNTER};

struct config_metrics {
    struct metrics *registry;
    const struct clock *clock;
    char *cluster_name;
    struct metric *hash, *success, *stamp, *failures;
};

struct config_metrics *config_metrics_new(struct metrics *m, const struct clock *clock,
                                          const char *cluster_name)
{
    struct config_metrics *c = xnew(struct config_metrics);
    *c = (struct config_metrics){
        .registry = m, .clock = clock, .cluster_name = xstrdup(cluster_name)};
    c->success = metric_new(m, &success_desc, NULL, 0);
    c->stamp = metric_new(m, &stamp_desc, NULL, 0);
    c->failures = metric_new(m, &failures_desc, NULL, 0);
    return c;
}

void config_metrics_free(struct config_metrics *c)
{
    if (!c) return;
    metric_free(c->registry, c->hash);
    metric_free(c->registry, c->success);
    metric_free(c->registry, c->stamp);
    metric_free(c->registry, c->failures);
    free(c->cluster_name);
    free(c);
}

static void set_hash(struct config_metrics *c, const char *sha256)
{
    char zeros[65];
    memset(zeros, '0', 64);
    zeros[64] = '\0';
    const struct metric_label labels[] = {{"sha256", sha256 ? sha256 : zeros},
                                          {"cluster_name", c->cluster_name}};
    metric_free(c->registry, c->hash);
    c->hash = metric_new(c->registry, &hash_desc, labels, ARRAY_LEN(labels));
    metric_set(c->hash, 1);
}

void config_metrics_loaded(struct config_metrics *c, const char *sha256, bool ok)
{
    set_hash(c, sha256);
    metric_set(c->success, ok);
    if (ok)
        metric_set(c->stamp, (f64)clock_real(c->clock) / NS_PER_SEC);
    else
        metric_inc(c->failures);
}

/* ---- process ---- */

/* Field n (from 1) of /proc/self/stat, behind the command's closing parenthesis, which may itself
 * hold blanks. */
static f64 stat_field(int n)
{
    char text[1024];
    FILE *f = fopen("/proc/self/stat", "re");
    size_t got = f ? fread(text, 1, sizeof(text) - 1, f) : 0;
    if (f) fclose(f);
    text[got] = '\0';
    struct str rest = str_of(text);
    ssize_t paren = str_rchr(rest, ')');
    if (paren < 0) return 0;
    rest = str_sub(rest, MIN((size_t)paren + 2, rest.n), rest.n);
    for (int i = 3; i < n && rest.p; i++)
        (void)str_cut(&rest, ' ');
    f64 v = 0;
    (void)num_parse_f64(str_cut(&rest, ' '), &v); /* a field that is missing counts as 0 */
    return v;
}

static f64 boot_time(void)
{
    char line[256];
    f64 seconds = 0;
    FILE *f = fopen("/proc/stat", "re");
    while (f && fgets(line, sizeof(line), f))
        if (sscanf(line, "btime %lf", &seconds) == 1) break;
    if (f) fclose(f);
    return seconds;
}

static f64 start_time(void *arg)
{
    return boot_time() + stat_field(22) / (f64)sysconf(_SC_CLK_TCK);
}

static f64 virtual_bytes(void *arg)
{
    return stat_field(23);
}

static f64 resident_bytes(void *arg)
{
    return stat_field(24) * (f64)sysconf(_SC_PAGESIZE);
}

static f64 cpu_seconds(void *arg)
{
    struct rusage u;
    if (getrusage(RUSAGE_SELF, &u) < 0) return 0;
    return (f64)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
           (f64)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

/* Sum over all interfaces of one column of /proc/net/dev. */
static f64 net_bytes(bool tx)
{
    char line[512];
    f64 sum = 0;
    FILE *f = fopen("/proc/net/dev", "re");
    while (f && fgets(line, sizeof(line), f)) {
        unsigned long long rx, sent;
        const char *colon = strchr(line, ':');
        if (colon && sscanf(colon + 1, "%llu %*u %*u %*u %*u %*u %*u %*u %llu", &rx, &sent) == 2)
            sum += (f64)(tx ? sent : rx);
    }
    if (f) fclose(f);
    return sum;
}

static f64 rx_bytes(void *arg)
{
    return net_bytes(false);
}

static f64 tx_bytes(void *arg)
{
    return net_bytes(true);
}

static f64 open_files(void *arg)
{
    f64 n = 0;
    DIR *dir = opendir("/proc/self/fd");
    for (const struct dirent *e; dir && (e = readdir(dir));)
        n += e->d_name[0] != '.';
    if (dir) closedir(dir);
    return MAX(n - 1, 0); /* without the one that looks */
}

static f64 most_files(void *arg)
{
    struct rlimit r;
    return getrlimit(RLIMIT_NOFILE, &r) == 0 ? (f64)r.rlim_cur : 0;
}

#define START    "When this process started, in seconds since 1970."
#define RESIDENT "Bytes of memory this process holds."
#define VIRTUAL  "Bytes of address space this process uses."
#define CPU      "CPU time of this process in seconds, user and system."
#define RECEIVED "Bytes received on all network interfaces of the machine."
#define SENT     "Bytes sent on all network interfaces of the machine."

/* The second group has the names every process exposes, which dashboards know. */
static const struct {
    struct metric_desc desc;
    f64 (*fn)(void *arg);
} process_rows[] = {
    {{.name = "alloy_resources_process_start_time_seconds", .help = START, .kind = METRIC_GAUGE},
     start_time},
    {{.name = "alloy_resources_process_resident_memory_bytes",
      .help = RESIDENT,
      .kind = METRIC_GAUGE},
     resident_bytes},
    {{.name = "alloy_resources_process_virtual_memory_bytes",
      .help = VIRTUAL,
      .kind = METRIC_GAUGE},
     virtual_bytes},
    {{.name = "alloy_resources_process_cpu_seconds_total", .help = CPU, .kind = METRIC_COUNTER},
     cpu_seconds},
    {{.name = "alloy_resources_machine_rx_bytes_total", .help = RECEIVED, .kind = METRIC_COUNTER},
     rx_bytes},
    {{.name = "alloy_resources_machine_tx_bytes_total", .help = SENT, .kind = METRIC_COUNTER},
     tx_bytes},

    {{.name = "process_start_time_seconds", .help = START, .kind = METRIC_GAUGE}, start_time},
    {{.name = "process_resident_memory_bytes", .help = RESIDENT, .kind = METRIC_GAUGE},
     resident_bytes},
    {{.name = "process_virtual_memory_bytes", .help = VIRTUAL, .kind = METRIC_GAUGE},
     virtual_bytes},
    {{.name = "process_cpu_seconds_total", .help = CPU, .kind = METRIC_COUNTER}, cpu_seconds},
    {{.name = "process_open_fds", .help = "Open file descriptors.", .kind = METRIC_GAUGE},
     open_files},
    {{.name = "process_max_fds", .help = "Most file descriptors allowed.", .kind = METRIC_GAUGE},
     most_files},
};

static const struct metric_desc build_desc = {.name = "alloy_build_info",
                                              .help = "A constant 1, labelled with what was built.",
                                              .kind = METRIC_GAUGE};

struct process_metrics {
    struct metrics *registry;
    struct metric *build;
    struct metric *rows[ARRAY_LEN(process_rows)];
};

struct process_metrics *process_metrics_new(struct metrics *m, const char *version,
                                            const char *revision, const char *arch)
{
    struct process_metrics *p = xnew(struct process_metrics);
    const struct metric_label labels[] = {
        {"branch", ""},         {"goarch", arch}, {"goos", "linux"},   {"goversion", ""},
        {"revision", revision}, {"tags", ""},     {"version", version}};
    p->registry = m;
    p->build = metric_new(m, &build_desc, labels, ARRAY_LEN(labels));
    metric_set(p->build, 1);
    for (size_t i = 0; i < ARRAY_LEN(process_rows); i++) {
        p->rows[i] = metric_new(m, &process_rows[i].desc, NULL, 0);
        metric_fn(p->rows[i], process_rows[i].fn, NULL);
    }
    return p;
}

void process_metrics_free(struct process_metrics *p)
{
    if (!p) return;
    metric_free(p->registry, p->build);
    for (size_t i = 0; i < ARRAY_LEN(process_rows); i++)
        metric_free(p->registry, p->rows[i]);
    free(p);
}
