/* cgroup limits, version 2 and 1. Inside a container the group's own path is often not visible:
 * then the root of the hierarchy is it. */
#include "cmd/resources.h"

#include <sched.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>
#include "base/num.h"
#include "base/xalloc.h"

/* First line of root/path, without its end; false when there is none. */
static bool read_line(const char *root, const char *path, char *out, size_t cap)
{
    char *full = xprintf("%s%s", root, path);
    FILE *f = fopen(full, "re");
    bool got = f && fgets(out, (int)cap, f);
    if (f) fclose(f);
    free(full);
    if (got) out[strcspn(out, "\n")] = '\0';
    return got;
}

/* ---- where this process is ---- */

struct group {
    bool v2;
    char path[512]; /* "/a/b"; "/" for the root */
};

static bool has_word(struct str list, const char *word)
{
    while (list.p)
        if (str_is(str_cut(&list, ','), word)) return true;
    return false;
}

/* The group of a v1 controller, or the v2 group when there is no such line. */
static struct group find_group(const char *root, const char *controller)
{
    struct group g = {.v2 = true, .path = "/"};
    char *file = xprintf("%s/proc/self/cgroup", root), line[1024];
    FILE *f = fopen(file, "re");
    while (f && fgets(line, sizeof(line), f)) {
        line[strcspn(line, "\n")] = '\0';
        struct str rest = str_of(line);
        (void)str_cut(&rest, ':'); /* hierarchy number */
        struct str controllers = str_cut(&rest, ':');
        bool unified = controllers.n == 0;
        if (!rest.p || (!unified && !has_word(controllers, controller))) continue;
        g.v2 = unified;
        snprintf(g.path, sizeof(g.path), STR_FMT, STR_ARG(rest));
        if (!unified) break; /* a v1 controller wins over the empty v2 group of a mixed system */
    }
    if (f) fclose(f);
    free(file);
    return g;
}

/* Shortens the path by its last part; false when it was the root. */
static bool parent(char *path)
{
    char *slash = strrchr(path, '/');
    if (!slash || strcmp(path, "/") == 0) return false;
    slash[slash == path] = '\0';
    return true;
}

/* ---- memory ---- */

static i64 lower(i64 a, const char *text)
{
    i64 v;
    return num_parse_i64(str_of(text), &v) == 0 && v > 0 && v < a ? v : a; /* "max" is no number */
}

i64 resources_memory(const char *root)
{
    i64 limit = (i64)sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE);
    struct group g = find_group(root, "memory");
    char text[64];
    do {
        char *file = g.v2 ? xprintf("/sys/fs/cgroup%s/memory.max", g.path)
                          : xprintf("/sys/fs/cgroup/memory%s/memory.limit_in_bytes", g.path);
        if (read_line(root, file, text, sizeof(text))) limit = lower(limit, text);
        free(file);
    } while (parent(g.path));
    return limit;
}

/* ---- CPUs ---- */

static int affinity(void)
{
    cpu_set_t set;
    return sched_getaffinity(0, sizeof(set), &set) == 0 ? MAX(CPU_COUNT(&set), 1) : 1;
}

static int granted(int cpus, i64 quota, i64 period)
{
    if (quota <= 0 || period <= 0) return cpus;
    return (int)MIN((i64)cpus, MAX(quota / period, 1));
}

/* "max 100000" or "150000 100000". */
static int quota_v2(const char *root, const char *path, int cpus)
{
    char *file = xprintf("/sys/fs/cgroup%s/cpu.max", path), text[64];
    i64 quota = 0, period = 0;
    if (read_line(root, file, text, sizeof(text))) {
        struct str rest = str_of(text), first = str_cut(&rest, ' ');
        if (num_parse_i64(first, &quota) < 0 || !rest.p || num_parse_i64(rest, &period) < 0)
            quota = 0; /* "max" */
    }
    free(file);
    return granted(cpus, quota, period);
}

static i64 number_in(const char *root, const char *form, const char *path)
{
    char file[640], text[64];
    i64 v = 0;
    snprintf(file, sizeof(file), "/sys/fs/cgroup/cpu%s/%s", path, form);
    if (!read_line(root, file, text, sizeof(text)) || num_parse_i64(str_of(text), &v) < 0) return 0;
    return v;
}

static int quota_v1(const char *root, const char *path, int cpus)
{
    return granted(cpus, number_in(root, "cpu.cfs_quota_us", path),
                   number_in(root, "cpu.cfs_period_us", path));
}

int resources_cpus(const char *root)
{
    int cpus = affinity();
    struct group g = find_group(root, "cpu");
    do
        cpus = (g.v2 ? quota_v2 : quota_v1)(root, g.path, cpus);
    while (parent(g.path));
    return cpus;
}

/* ---- open files ---- */

/* The soft limit is 1024 by tradition, for programs that use select(); this one does not. */
i64 resources_files(void)
{
    struct rlimit r;

    if (getrlimit(RLIMIT_NOFILE, &r) != 0) return -1;
    struct rlimit raised = {r.rlim_max, r.rlim_max};
    if (r.rlim_cur < r.rlim_max && setrlimit(RLIMIT_NOFILE, &raised) == 0) r = raised;
    return (i64)r.rlim_cur;
}
