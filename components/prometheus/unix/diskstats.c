/* diskstats: I/O of block devices, and what udev knows of them. */
#include "components/prometheus/unix/collector.h"

#include <errno.h>

#define COLUMNS 17
#define SECTOR  512.0
#define DISKS   "^(ram|loop|fd|(h|s|v|xv)d[a-z]|nvme\\d+n\\d+p)\\d+$"

static const struct {
    enum expo_type type;
    const char *name, *help;
    f64 unit;
} columns[COLUMNS] = {
    {EXPO_COUNTER, "node_disk_reads_completed_total",
     "The total number of reads completed successfully.", 1},
    {EXPO_COUNTER, "node_disk_reads_merged_total", "The total number of reads merged.", 1},
    {EXPO_COUNTER, "node_disk_read_bytes_total", "The total number of bytes read successfully.",
     SECTOR},
    {EXPO_COUNTER, "node_disk_read_time_seconds_total",
     "The total number of seconds spent by all reads.", .001},
    {EXPO_COUNTER, "node_disk_writes_completed_total",
     "The total number of writes completed successfully.", 1},
    {EXPO_COUNTER, "node_disk_writes_merged_total", "The number of writes merged.", 1},
    {EXPO_COUNTER, "node_disk_written_bytes_total",
     "The total number of bytes written successfully.", SECTOR},
    {EXPO_COUNTER, "node_disk_write_time_seconds_total",
     "This is the total number of seconds spent by all writes.", .001},
    {EXPO_GAUGE, "node_disk_io_now", "The number of I/Os currently in progress.", 1},
    {EXPO_COUNTER, "node_disk_io_time_seconds_total", "Total seconds spent doing I/Os.", .001},
    {EXPO_COUNTER, "node_disk_io_time_weighted_seconds_total",
     "The weighted # of seconds spent doing I/Os.", .001},
    {EXPO_COUNTER, "node_disk_discards_completed_total",
     "The total number of discards completed successfully.", 1},
    {EXPO_COUNTER, "node_disk_discards_merged_total", "The total number of discards merged.", 1},
    {EXPO_COUNTER, "node_disk_discarded_sectors_total",
     "The total number of sectors discarded successfully.", 1},
    {EXPO_COUNTER, "node_disk_discard_time_seconds_total",
     "This is the total number of seconds spent by all discards.", .001},
    {EXPO_COUNTER, "node_disk_flush_requests_total",
     "The total number of flush requests completed successfully", 1},
    {EXPO_COUNTER, "node_disk_flush_requests_time_seconds_total",
     "This is the total number of seconds spent by all flush requests.", .001},
};

/* Who asks for certain devices means them, also those that are left out by default. */
static int prepare(struct collector_prepare *pr, void *plan)
{
    struct str include = pr->args->disk.device_include, exclude = pr->args->disk.device_exclude;

    if (include.n > 0 && str_is(exclude, DISKS)) exclude = STR("");
    return unix_filter_init(pr, plan, "disk/device_include", include, "disk/device_exclude",
                            exclude);
}

/* --- udev's data: "E:ID_MODEL=..." --- */

static struct str property(struct str data, const char *key)
{
    struct str line;

    while (unix_line(&data, &line)) {
        if (!str_starts(line, STR("E:"))) continue;
        struct str value = str_sub(line, 2, line.n), name = str_cut(&value, '=');
        if (str_is(name, key)) return value;
    }
    return STR("");
}

static bool has(struct str data, const char *key)
{
    return property(data, key).n > 0;
}

static void add_info(struct collect *c, struct str device, struct str major, struct str minor,
                     struct str data)
{
    struct str serial = property(data, "SCSI_IDENT_SERIAL");

    if (serial.n == 0) serial = property(data, "ID_SERIAL_SHORT");
    expo_gauge1(c->out, "node_disk_info", "Info of /sys/block/<block_device>.", 1,
                EXPO_LS("device", device), EXPO_LS("major", major), EXPO_LS("minor", minor),
                EXPO_LS("path", property(data, "ID_PATH")),
                EXPO_LS("wwn", property(data, "ID_WWN")),
                EXPO_LS("model", property(data, "ID_MODEL")), EXPO_LS("serial", serial),
                EXPO_LS("revision", property(data, "ID_REVISION")),
                EXPO_LS("rotational", unix_text(c, ROOT_SYS, "block/" STR_FMT "/queue/rotational",
                                                STR_ARG(device))));
}

static void add_ata(struct collect *c, struct str device, struct str data)
{
    static const char *const attributes[][3] = {
        {"ID_ATA_WRITE_CACHE", "node_disk_ata_write_cache", "ATA disk has a write cache."},
        {"ID_ATA_WRITE_CACHE_ENABLED", "node_disk_ata_write_cache_enabled",
         "ATA disk has its write cache enabled."},
        {"ID_ATA_ROTATION_RATE_RPM", "node_disk_ata_rotation_rate_rpm",
         "ATA disk rotation rate in RPMs (0 for SSDs)."},
    };
    f64 v;

    for (size_t i = 0; has(data, "ID_ATA") && i < ARRAY_LEN(attributes); i++)
        if (unix_f64(property(data, attributes[i][0]), &v) == 0)
            expo_gauge1(c->out, attributes[i][1], attributes[i][2], v, EXPO_LS("device", device));
}

static void add_udev(struct collect *c, struct str device, struct str data)
{
    if (has(data, "DM_NAME"))
        expo_gauge1(c->out, "node_disk_device_mapper_info", "Info about disk device mapper.", 1,
                    EXPO_LS("device", device), EXPO_LS("name", property(data, "DM_NAME")),
                    EXPO_LS("uuid", property(data, "DM_UUID")),
                    EXPO_LS("vg_name", property(data, "DM_VG_NAME")),
                    EXPO_LS("lv_name", property(data, "DM_LV_NAME")),
                    EXPO_LS("lv_layer", property(data, "DM_LV_LAYER")));
    if (has(data, "ID_FS_TYPE"))
        expo_gauge1(c->out, "node_disk_filesystem_info", "Info about disk filesystem.", 1,
                    EXPO_LS("device", device), EXPO_LS("type", property(data, "ID_FS_TYPE")),
                    EXPO_LS("usage", property(data, "ID_FS_USAGE")),
                    EXPO_LS("uuid", property(data, "ID_FS_UUID")),
                    EXPO_LS("version", property(data, "ID_FS_VERSION")));
    add_ata(c, device, data);
}

/* --- /proc/diskstats --- */

static void add_disk(struct collect *c, const struct str *part, size_t n)
{
    struct str device = part[2], data;
    u64 v;

    for (size_t i = 0; i + 3 < n; i++)
        if (unix_u64(part[3 + i], &v) == 0)
            expo_add(expo_family(c->out, columns[i].type, columns[i].name, columns[i].help),
                     (f64)v * columns[i].unit, EXPO_LS("device", device));
    /* Without udev (containers) there is less to tell. */
    unix_read(c, &data, ROOT_UDEV, "b" STR_FMT ":" STR_FMT, STR_ARG(part[0]), STR_ARG(part[1]));
    add_info(c, device, part[0], part[1], data);
    add_udev(c, device, data);
}

static int collect(struct collect *c)
{
    struct str text, line, part[3 + COLUMNS];
    int r = unix_read(c, &text, ROOT_PROC, "diskstats");

    if (r) return unix_read_failed(c, r, ROOT_PROC, "diskstats");
    while (unix_line(&text, &line)) {
        size_t n = unix_fields(line, part, ARRAY_LEN(part));

        if (n < 14)
            return collect_fail(c, -EINVAL, "\"" STR_FMT "\" in diskstats is no disk",
                                STR_ARG(line));
        if (unix_filter_shows(c->plan, part[2])) add_disk(c, part, n);
    }
    return COLLECT_OK;
}

const struct collector_def collector_diskstats = {.name = "diskstats",
                                                  .default_on = true,
                                                  .plan_size = sizeof(struct unix_filter),
                                                  .prepare = prepare,
                                                  .collect = collect};
