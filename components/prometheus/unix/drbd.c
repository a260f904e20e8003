/* drbd: replicated block devices, from /proc/drbd of DRBD 8. */
#include "components/prometheus/unix/collector.h"

#include <errno.h>

/* Factors as node_exporter has them: the module counts in KiB, "nr" is shown as it stands. */
static const struct {
    const char *key, *name, *help;
    enum expo_type type;
    f64 factor;
} numbers[] = {
    {"ns", "node_drbd_network_sent_bytes_total", "Total number of bytes sent via the network.",
     EXPO_COUNTER, 1024},
    {"nr", "node_drbd_network_received_bytes_total",
     "Total number of bytes received via the network.", EXPO_COUNTER, 1},
    {"dw", "node_drbd_disk_written_bytes_total", "Net data written on local hard disk; in bytes.",
     EXPO_COUNTER, 1024},
    {"dr", "node_drbd_disk_read_bytes_total", "Net data read from local hard disk; in bytes.",
     EXPO_COUNTER, 1024},
    {"al", "node_drbd_activitylog_writes_total",
     "Number of updates of the activity log area of the meta data.", EXPO_COUNTER, 1},
    {"bm", "node_drbd_bitmap_writes_total",
     "Number of updates of the bitmap area of the meta data.", EXPO_COUNTER, 1},
    {"lo", "node_drbd_local_pending", "Number of open requests to the local I/O sub-system.",
     EXPO_GAUGE, 1},
    {"pe", "node_drbd_remote_pending",
     "Number of requests sent to the peer, but that have not yet been answered by the latter.",
     EXPO_GAUGE, 1},
    {"ua", "node_drbd_remote_unacknowledged",
     "Number of requests received by the peer via the network connection, but that have not yet "
     "been answered.",
     EXPO_GAUGE, 1},
    {"ap", "node_drbd_application_pending",
     "Number of block I/O requests forwarded to DRBD, but not yet answered by DRBD.", EXPO_GAUGE,
     1},
    {"ep", "node_drbd_epochs", "Number of Epochs currently on the fly.", EXPO_GAUGE, 1},
    {"oos", "node_drbd_out_of_sync_bytes", "Amount of data known to be out of sync; in bytes.",
     EXPO_GAUGE, 1024},
};

/* "mine/theirs", and what each should be. */
static const struct {
    const char *key, *name, *help, *good;
} pairs[] = {
    {"ro", "node_drbd_node_role_is_primary",
     "Whether the role of the node is in the primary state.", "Primary"},
    {"ds", "node_drbd_disk_state_is_up_to_date", "Whether the disk of the node is up to date.",
     "UpToDate"},
};

static int add_number(struct collect *c, size_t i, struct str text, const char *device)
{
    f64 v;

    if (unix_f64(text, &v) < 0)
        return collect_fail(c, -EINVAL, "%s has \"%s:" STR_FMT "\" in drbd, which is no number",
                            device, numbers[i].key, STR_ARG(text));
    expo_add(expo_family(c->out, numbers[i].type, numbers[i].name, numbers[i].help),
             v * numbers[i].factor, EXPO_L("device", device));
    return 0;
}

static void add_pair(struct collect *c, size_t i, struct str text, const char *device)
{
    struct expo_family *f = expo_gauge(c->out, pairs[i].name, pairs[i].help);
    struct str local = str_cut(&text, '/');

    expo_add(f, str_is(local, pairs[i].good), EXPO_L("device", device), EXPO_L("node", "local"));
    if (text.p)
        expo_add(f, str_is(text, pairs[i].good), EXPO_L("device", device),
                 EXPO_L("node", "remote"));
}

static int add(struct collect *c, struct str key, struct str value, const char *device)
{
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
        if (str_is(key, numbers[i].key)) return add_number(c, i, value, device);
    for (size_t i = 0; i < ARRAY_LEN(pairs); i++)
        if (str_is(key, pairs[i].key)) add_pair(c, i, value, device);
    if (str_is(key, "cs"))
        expo_gauge1(c->out, "node_drbd_connected", "Whether DRBD is connected to the peer.",
                    str_is(value, "Connected"), EXPO_L("device", device));
    return 0;
}

/* "0: cs:Connected ro:Primary/Secondary ...": a key without a value that is a number begins a
 * device; words without a colon, or with two, are no figures ("version: 8.4.3 (api:1/proto:86)").
 */
static int collect(struct collect *c)
{
    const char *device = "unknown";
    struct str text, word;
    u64 minor;
    int r = unix_read(c, &text, ROOT_PROC, "drbd");

    if (r == -ENOENT) return COLLECT_NO_DATA;
    if (r) return unix_read_failed(c, r, ROOT_PROC, "drbd");
    while (!r && unix_field(&text, &word)) {
        struct str value = word, key = str_cut(&value, ':');

        if (!value.p || str_chr(value, ':') >= 0) continue;
        if (value.n == 0 && unix_u64(key, &minor) == 0)
            device = arena_printf(c->arena, "drbd%llu", (unsigned long long)minor);
        else
            r = add(c, key, value, device);
    }
    return r;
}

const struct collector_def collector_drbd = {.name = "drbd", .collect = collect};
