/* filesystem: size and use of what is mounted. A mount on a server that does not answer is asked
 * apart (statfs_ask.h), so that it costs its own figures only. */
#include "components/prometheus/unix/collector.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/statfs.h>
#include "base/map.h"
#include "components/common/settings.h"
#include "components/prometheus/unix/statfs_ask.h"

struct plan {
    struct regex *types, *points;
    i64 timeout;
};
struct state {
    struct statfs_asks asks;
};
struct mount {
    struct str device, point, type, major, minor; /* point: as seen from the machine's root */
    bool read_only;
};

static int prepare(struct collector_prepare *pr, void *to)
{
    struct plan *plan = to;
    const struct unix_args *a = pr->args;
    int r =
        unix_regex(pr, "filesystem/fs_types_exclude", a->filesystem.fs_types_exclude, &plan->types);

    if (!r)
        r = unix_regex(pr, "filesystem/mount_points_exclude", a->filesystem.mount_points_exclude,
                       &plan->points);
    if (!r && a->filesystem.mount_timeout.ns <= 0)
        r = setting_fault(pr->p, "filesystem/mount_timeout",
                          "mount_timeout must be greater than 0");
    plan->timeout = a->filesystem.mount_timeout.ns;
    return r;
}

/* --- mountinfo: "22 27 0:21 /root /point opts [tags] - type source superopts" --- */

static bool octal(struct str s, size_t at, char *ret)
{
    int v = 0;

    if (at + 3 >= s.n || s.p[at] != '\\') return false;
    for (size_t i = at + 1; i <= at + 3; i++) {
        if (s.p[i] < '0' || s.p[i] > '7') return false;
        v = v * 8 + s.p[i] - '0';
    }
    *ret = (char)v;
    return true;
}

/* Blanks in paths are written as \040. */
static struct str unescaped(struct arena *a, struct str s)
{
    char *to = arena_alloc(a, s.n + 1);
    size_t n = 0;

    for (size_t i = 0; i < s.n; i++, n++)
        if (octal(s, i, &to[n]))
            i += 3;
        else
            to[n] = s.p[i];
    return str_n(to, n);
}

static bool has_option(struct str options, const char *name)
{
    while (options.n > 0)
        if (str_is(str_cut(&options, ','), name)) return true;
    return false;
}

static bool parse(struct collect *c, struct str line, struct mount *m)
{
    struct str head[6], tail[3], field;

    for (size_t i = 0; i < 6; i++)
        if (!unix_field(&line, &head[i])) return false;
    do
        if (!unix_field(&line, &field)) return false;
    while (!str_is(field, "-"));
    if (unix_fields(line, tail, 3) < 3) return false;
    m->minor = head[2];
    m->major = str_cut(&m->minor, ':');
    m->point = unescaped(c->arena, head[4]);
    m->type = tail[0];
    m->device = unescaped(c->arena, tail[1]);
    m->read_only = has_option(head[5], "ro") || has_option(tail[2], "ro");
    return true;
}

/* Below another root (a container that sees the machine at /host) only what is below it counts,
 * named without it. */
static void from_root(const struct collect *c, struct str *point)
{
    struct str root = str_of(c->roots[ROOT_FS]);

    if (root.n == 0 || !str_starts(*point, root)) return;
    if (point->n > root.n && point->p[root.n] != '/') return;
    *point = point->n == root.n ? STR("/") : str_sub(*point, root.n, point->n);
}

/* --- what is shown --- */

struct labels {
    struct expo_label v[4];
};

static void add(struct collect *c, const char *name, const char *help, f64 v,
                const struct labels *l)
{
    expo_sample(expo_gauge(c->out, name, help), NULL, v, l->v, ARRAY_LEN(l->v));
}

static void add_sizes(struct collect *c, const struct statfs *st, const struct labels *l)
{
    f64 block = (f64)st->f_bsize;

    add(c, "node_filesystem_size_bytes", "Filesystem size in bytes.", (f64)st->f_blocks * block, l);
    add(c, "node_filesystem_free_bytes", "Filesystem free space in bytes.",
        (f64)st->f_bfree * block, l);
    add(c, "node_filesystem_avail_bytes", "Filesystem space available to non-root users in bytes.",
        (f64)st->f_bavail * block, l);
    add(c, "node_filesystem_files", "Filesystem total file nodes.", (f64)st->f_files, l);
    add(c, "node_filesystem_files_free", "Filesystem total free file nodes.", (f64)st->f_ffree, l);
}

static void add_mount(struct collect *c, const struct mount *m, int error, const struct statfs *st)
{
    const char *why = error == -ETIMEDOUT ? "mountpoint timeout" : error ? strerror(-error) : "";
    struct labels l = {{EXPO_LS("device", m->device), EXPO_LS("mountpoint", m->point),
                        EXPO_LS("fstype", m->type), EXPO_L("device_error", why)}};

    add(c, "node_filesystem_device_error",
        "Whether an error occurred while getting statistics for the given device.", error != 0, &l);
    add(c, "node_filesystem_readonly", "Filesystem read-only status.", m->read_only, &l);
    if (error) return;
    add_sizes(c, st, &l);
    expo_gauge1(c->out, "node_filesystem_mount_info", "Filesystem mount information.", 1,
                EXPO_LS("device", m->device), EXPO_LS("major", m->major),
                EXPO_LS("minor", m->minor), EXPO_LS("mountpoint", m->point));
}

static void ask(struct collect *c, const struct mount *m)
{
    const struct plan *plan = c->plan;
    struct state *s = c->state;
    struct statfs st;
    const char *path = unix_path(c, ROOT_FS, STR_FMT, (int)m->point.n - 1, m->point.p + 1);
    int r = statfs_ask(&s->asks, c, path, m->type, plan->timeout, &st);

    if (r == -ETIMEDOUT)
        log_warn(c->log, "a mount does not answer: its figures are left out until it does",
                 F_STR("mountpoint", m->point), F_STR("fstype", m->type));
    add_mount(c, m, r, &st);
}

static bool wanted(const struct plan *plan, const struct mount *m)
{
    return m->point.n > 0 && m->point.p[0] == '/' && !unix_matches(plan->points, m->point) &&
           !unix_matches(plan->types, m->type);
}

static int read_mounts(struct collect *c, struct str *ret)
{
    int r = unix_read(c, ret, ROOT_PROC, "1/mountinfo");

    /* The first process may belong to somebody else. */
    return r ? unix_read(c, ret, ROOT_PROC, "self/mountinfo") : r;
}

static int collect(struct collect *c)
{
    struct str text, line;
    struct map seen = {0};
    int r = read_mounts(c, &text);

    if (r) return unix_read_failed(c, r, ROOT_PROC, "self/mountinfo");
    while (unix_line(&text, &line)) {
        struct mount m;

        if (!parse(c, line, &m)) continue;
        from_root(c, &m.point);
        if (!wanted(c->plan, &m)) continue;
        struct str key = str_of(arena_printf(c->arena, STR_FMT "\n" STR_FMT "\n" STR_FMT,
                                             STR_ARG(m.device), STR_ARG(m.point), STR_ARG(m.type)));
        if (map_has(&seen, key)) continue; /* mounted over itself */
        map_put(&seen, key, c);
        ask(c, &m);
    }
    map_done(&seen, NULL);
    return COLLECT_OK;
}

static void done(void *state)
{
    statfs_asks_done(&((struct state *)state)->asks);
}

const struct collector_def collector_filesystem = {.name = "filesystem",
                                                   .default_on = true,
                                                   .plan_size = sizeof(struct plan),
                                                   .state_size = sizeof(struct state),
                                                   .prepare = prepare,
                                                   .collect = collect,
                                                   .done = done};
