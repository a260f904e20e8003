/* btrfs: sizes and commits of each file system, of /sys; devices and their errors, of the file
 * system itself where it is mounted. */
#include "components/prometheus/unix/collector.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/btrfs.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define DEVICES_MAX 4096 /* numbers that are asked for */

static u64 number(struct collect *c, const char *folder, const char *file)
{
    u64 v = 0;

    return unix_read_u64(c, &v, ROOT_SYS, "%s/%s", folder, file) ? 0 : v;
}

/* --- block groups --- */

static f64 ratio_of(struct str mode, size_t devices)
{
    static const struct {
        const char *mode;
        f64 ratio;
    } fixed[] = {{"single", 1}, {"raid0", 1},   {"dup", 2},    {"raid1", 2},
                 {"raid10", 2}, {"raid1c3", 3}, {"raid1c4", 4}};

    for (size_t i = 0; i < ARRAY_LEN(fixed); i++)
        if (str_is(mode, fixed[i].mode)) return fixed[i].ratio;
    if (str_is(mode, "raid5") && devices > 1) return (f64)devices / ((f64)devices - 1);
    if (str_is(mode, "raid6") && devices > 2) return (f64)devices / ((f64)devices - 2);
    return 0;
}

static void collect_mode(struct collect *c, const char *folder, const struct expo_label *labels,
                         size_t devices)
{
    struct expo_label uuid = labels[0], type = labels[1], mode = labels[2];

    expo_gauge1(c->out, "node_btrfs_used_bytes", "Amount of used space by a layout/data type",
                number(c, folder, "used_bytes"), uuid, type, mode);
    expo_gauge1(c->out, "node_btrfs_size_bytes", "Amount of space allocated for a layout/data type",
                number(c, folder, "total_bytes"), uuid, type, mode);
    expo_gauge1(c->out, "node_btrfs_allocation_ratio",
                "Data allocation ratio for a layout/data type", ratio_of(mode.value, devices), uuid,
                type, mode);
}

static void collect_groups(struct collect *c, const char *root, const char *type,
                           struct expo_label uuid, size_t devices)
{
    const char *folder = arena_printf(c->arena, "%s/allocation/%s", root, type);
    struct unix_names names, inside;

    expo_gauge1(c->out, "node_btrfs_reserved_bytes", "Amount of space reserved for a data type",
                number(c, folder, "bytes_reserved"), uuid, EXPO_L("block_group_type", type));
    if (unix_list(c, &names, ROOT_SYS, "%s", folder)) return;
    for (size_t i = 0; i < names.n; i++) {
        const char *mode = arena_printf(c->arena, "%s/%s", folder, names.v[i].p);
        const struct expo_label labels[] = {uuid, EXPO_L("block_group_type", type),
                                            EXPO_LS("mode", names.v[i])};
        if (unix_list(c, &inside, ROOT_SYS, "%s", mode) == 0) /* a folder */
            collect_mode(c, mode, labels, devices);
    }
}

/* --- commits --- */

static u64 commit_stat(struct str text, const char *name)
{
    struct str line, f[2];
    u64 v;

    while (unix_line(&text, &line))
        if (unix_fields(line, f, 2) == 2 && str_is(f[0], name) && unix_u64(f[1], &v) == 0) return v;
    return 0;
}

static void collect_commits(struct collect *c, const char *root, struct expo_label uuid)
{
    struct str t = unix_text(c, ROOT_SYS, "%s/commit_stats", root); /* since Linux 6.0 */

    expo_counter1(c->out, "node_btrfs_commits_total",
                  "The total number of commits that have occurred.", commit_stat(t, "commits"),
                  uuid);
    expo_gauge1(c->out, "node_btrfs_last_commit_seconds",
                "Duration of the most recent commit, in seconds.",
                (f64)commit_stat(t, "last_commit_ms") / 1000, uuid);
    expo_gauge1(c->out, "node_btrfs_max_commit_seconds",
                "Duration of the slowest commit, in seconds.",
                (f64)commit_stat(t, "max_commit_ms") / 1000, uuid);
    expo_counter1(c->out, "node_btrfs_commit_seconds_total",
                  "Sum of the duration of all commits, in seconds.",
                  (f64)commit_stat(t, "total_commit_ms") / 1000, uuid);
}

/* --- devices, asked by ioctl --- */

struct mounted {
    struct str uuid; /* with dashes */
    int fd;
    u64 max_id, n;
};
static struct str uuid_text(struct collect *c, const unsigned char *u)
{
    return str_of(arena_printf(
        c->arena, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", u[0],
        u[1], u[2], u[3], u[4], u[5], u[6], u[7], u[8], u[9], u[10], u[11], u[12], u[13], u[14],
        u[15]));
}

/* The file system of a mount point is `uuid`: its descriptor, else -1. */
static int open_mount(struct collect *c, struct str point, struct str uuid, struct mounted *ret)
{
    struct btrfs_ioctl_fs_info_args info = {0};
    const char *path = unix_path(c, ROOT_FS, "%s", arena_strdup(c->arena, point) + 1);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_DIRECTORY | O_NONBLOCK);

    if (fd < 0) return -1;
    if (ioctl(fd, BTRFS_IOC_FS_INFO, &info) == 0 && str_eq(uuid_text(c, info.fsid), uuid)) {
        *ret = (struct mounted){uuid, fd, info.max_id, info.num_devices};
        return fd;
    }
    close(fd);
    return -1;
}

static bool find_mount(struct collect *c, struct str uuid, struct mounted *ret)
{
    struct str text, line, f[3];

    if (unix_read(c, &text, ROOT_PROC, "1/mounts") && unix_read(c, &text, ROOT_PROC, "self/mounts"))
        return false;
    while (unix_line(&text, &line))
        if (unix_fields(line, f, 3) == 3 && str_is(f[2], "btrfs") && f[1].n > 0 &&
            f[1].p[0] == '/' && open_mount(c, f[1], uuid, ret) >= 0)
            return true;
    return false;
}

static void add_errors(struct collect *c, const struct btrfs_ioctl_get_dev_stats *stats,
                       const struct expo_label *labels)
{
    static const struct {
        const char *name;
        size_t at;
    } types[] = {{"write", BTRFS_DEV_STAT_WRITE_ERRS},
                 {"read", BTRFS_DEV_STAT_READ_ERRS},
                 {"flush", BTRFS_DEV_STAT_FLUSH_ERRS},
                 {"corruption", BTRFS_DEV_STAT_CORRUPTION_ERRS},
                 {"generation", BTRFS_DEV_STAT_GENERATION_ERRS}};
    struct expo_family *f =
        expo_counter(c->out, "node_btrfs_device_errors_total", "Errors reported for the device");

    for (size_t i = 0; i < ARRAY_LEN(types); i++)
        expo_add(f, stats->values[types[i].at], labels[0], labels[1], labels[2],
                 EXPO_L("type", types[i].name));
}

/* 1: told; 0: there is no device of this number. */
static int collect_device(struct collect *c, const struct mounted *m, u64 id)
{
    struct btrfs_ioctl_dev_info_args info = {.devid = id};
    struct btrfs_ioctl_get_dev_stats stats = {.devid = id, .nr_items = BTRFS_DEV_STAT_VALUES_MAX};

    if (ioctl(m->fd, BTRFS_IOC_DEV_INFO, &info) != 0 ||
        ioctl(m->fd, BTRFS_IOC_GET_DEV_STATS, &stats) != 0)
        return 0;
    struct str path = str_n((const char *)info.path, strnlen((char *)info.path, sizeof(info.path)));
    ssize_t slash = str_rchr(path, '/');
    const struct expo_label labels[] = {
        EXPO_LS("uuid", m->uuid),
        EXPO_LS("device", arena_str(c->arena, str_sub(path, (size_t)(slash + 1), path.n))),
        EXPO_LS("btrfs_dev_uuid", uuid_text(c, info.uuid))};
    expo_gauge1(c->out, "node_btrfs_device_size_bytes",
                "Size of a device that is part of the filesystem.", info.total_bytes, labels[0],
                labels[1], labels[2]);
    expo_gauge1(c->out, "node_btrfs_device_unused_bytes",
                "Unused bytes unused on a device that is part of the filesystem.",
                info.total_bytes - info.bytes_used, labels[0], labels[1], labels[2]);
    add_errors(c, &stats, labels);
    return 1;
}

static void collect_mounted(struct collect *c, const struct mounted *m)
{
    u64 told = 0;

    for (u64 id = 0; id <= m->max_id && id < DEVICES_MAX && told < m->n; id++)
        told += (u64)collect_device(c, m, id);
    close(m->fd);
}

/* Where it is not mounted, or may not be asked: sizes only. */
static void collect_sizes(struct collect *c, const char *root, struct expo_label uuid,
                          const struct unix_names *devices)
{
    for (size_t i = 0; i < devices->n; i++) {
        const char *folder = arena_printf(c->arena, "%s/devices/%s", root, devices->v[i].p);
        expo_gauge1(c->out, "node_btrfs_device_size_bytes",
                    "Size of a device that is part of the filesystem.",
                    number(c, folder, "size") * 512, uuid, EXPO_LS("device", devices->v[i]));
    }
}

static int collect_one(struct collect *c, struct str name)
{
    const char *root = arena_printf(c->arena, "fs/btrfs/%s", name.p);
    struct str id = unix_text(c, ROOT_SYS, "%s/metadata_uuid", root);
    struct expo_label uuid = EXPO_LS("uuid", id.n > 0 ? id : name);
    struct unix_names devices;
    struct mounted m;
    int r = unix_list(c, &devices, ROOT_SYS, "%s/devices", root);

    if (r) return unix_read_failed(c, r, ROOT_SYS, "%s/devices", root);
    expo_gauge1(c->out, "node_btrfs_info", "Filesystem information", 1, uuid,
                EXPO_LS("label", unix_text(c, ROOT_SYS, "%s/label", root)));
    expo_gauge1(c->out, "node_btrfs_global_rsv_size_bytes", "Size of global reserve.",
                number(c, root, "allocation/global_rsv_size"), uuid);
    collect_commits(c, root, uuid);
    collect_groups(c, root, "data", uuid, devices.n);
    collect_groups(c, root, "metadata", uuid, devices.n);
    collect_groups(c, root, "system", uuid, devices.n);
    if (find_mount(c, uuid.value, &m))
        collect_mounted(c, &m);
    else
        collect_sizes(c, root, uuid, &devices);
    return 0;
}

static int collect(struct collect *c)
{
    struct unix_names names;
    int r = unix_list(c, &names, ROOT_SYS, "fs/btrfs");

    if (r == -ENOENT) return COLLECT_OK;
    if (r) return unix_read_failed(c, r, ROOT_SYS, "fs/btrfs");
    for (size_t i = 0; r == 0 && i < names.n; i++)
        if (str_chr(names.v[i], '-') >= 0) r = collect_one(c, names.v[i]);
    return r;
}

const struct collector_def collector_btrfs = {
    .name = "btrfs", .default_on = true, .collect = collect};
