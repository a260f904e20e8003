/* lnstat: counters of the network's caches, a file each in /proc/net/stat. */
#include "components/prometheus/unix/collector.h"

#include <errno.h>

#define COLUMNS_MAX 64

static int bad(struct collect *c, const char *file, const char *what)
{
    return collect_fail(c, -EINVAL, "%s in net/stat/%s", what, file);
}

/* The n-th line of figures is not CPU n when one is switched off; node_exporter counts so too. */
static int add_line(struct collect *c, const char *file, const struct str *head, size_t n_head,
                    struct str line, size_t cpu)
{
    struct str part[COLUMNS_MAX];
    size_t n = unix_fields(line, part, COLUMNS_MAX);
    const char *number = arena_printf(c->arena, "%zu", cpu);
    u64 v;

    if (n > n_head) return bad(c, file, "a line has more figures than there are heads");
    for (size_t i = 0; i < n; i++) {
        if (unix_hex(part[i], &v) < 0) return bad(c, file, "a figure is not hexadecimal");
        expo_counter1(c->out, unix_metric_name(c, "node_lnstat_", head[i], "_total"),
                      "linux network cache stats", v, EXPO_L("subsystem", file),
                      EXPO_L("cpu", number));
    }
    return 0;
}

static int add_file(struct collect *c, const char *file)
{
    struct str text, line, head[COLUMNS_MAX];
    int r = unix_read(c, &text, ROOT_PROC, "net/stat/%s", file);

    if (r) return unix_read_failed(c, r, ROOT_PROC, "net/stat/%s", file);
    if (!unix_line(&text, &line)) return 0;
    size_t n = unix_fields(line, head, COLUMNS_MAX);
    for (size_t cpu = 0; !r && unix_line(&text, &line); cpu++)
        r = add_line(c, file, head, n, line, cpu);
    return r;
}

static int collect(struct collect *c)
{
    struct unix_names files;
    int r = unix_list(c, &files, ROOT_PROC, "net/stat");

    if (r == -ENOENT) return COLLECT_OK; /* as node_exporter has it */
    if (r) return unix_read_failed(c, r, ROOT_PROC, "net/stat");
    for (size_t i = 0; !r && i < files.n; i++)
        r = add_file(c, files.v[i].p);
    return r;
}

const struct collector_def collector_lnstat = {.name = "lnstat", .collect = collect};
