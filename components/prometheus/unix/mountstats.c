/* mountstats: what clients of NFS tell of each mount. */
#include "components/prometheus/unix/mountstats_lines.h"

#include <errno.h>
#include "base/map.h"

static const struct {
    const char *name, *help;
} bytes[NFS_BYTES] = {
    {"node_mountstats_nfs_read_bytes_total", "Number of bytes read using the read() syscall."},
    {"node_mountstats_nfs_write_bytes_total", "Number of bytes written using the write() syscall."},
    {"node_mountstats_nfs_direct_read_bytes_total",
     "Number of bytes read using the read() syscall in O_DIRECT mode."},
    {"node_mountstats_nfs_direct_write_bytes_total",
     "Number of bytes written using the write() syscall in O_DIRECT mode."},
    {"node_mountstats_nfs_total_read_bytes_total",
     "Number of bytes read from the NFS server, in total."},
    {"node_mountstats_nfs_total_write_bytes_total",
     "Number of bytes written to the NFS server, in total."},
    {"node_mountstats_nfs_read_pages_total", "Number of pages read directly via mmap()'d files."},
    {"node_mountstats_nfs_write_pages_total",
     "Number of pages written directly via mmap()'d files."},
};

/* Not all of the figures are shown. */
static const struct {
    const char *name, *help;
    size_t at;
} events[] = {
    {"node_mountstats_nfs_event_inode_revalidate_total",
     "Number of times cached inode attributes are re-validated from the server.", 0},
    {"node_mountstats_nfs_event_dnode_revalidate_total",
     "Number of times cached dentry nodes are re-validated from the server.", 1},
    {"node_mountstats_nfs_event_data_invalidate_total",
     "Number of times an inode cache is cleared.", 2},
    {"node_mountstats_nfs_event_attribute_invalidate_total",
     "Number of times cached inode attributes are invalidated.", 3},
    {"node_mountstats_nfs_event_vfs_open_total",
     "Number of times cached inode attributes are invalidated.", 4},
    {"node_mountstats_nfs_event_vfs_lookup_total",
     "Number of times a directory lookup has occurred.", 5},
    {"node_mountstats_nfs_event_vfs_access_total", "Number of times permissions have been checked.",
     6},
    {"node_mountstats_nfs_event_vfs_update_page_total",
     "Number of updates (and potential writes) to pages.", 7},
    {"node_mountstats_nfs_event_vfs_read_page_total",
     "Number of pages read directly via mmap()'d files.", 8},
    {"node_mountstats_nfs_event_vfs_read_pages_total",
     "Number of times a group of pages have been read.", 9},
    {"node_mountstats_nfs_event_vfs_write_page_total",
     "Number of pages written directly via mmap()'d files.", 10},
    {"node_mountstats_nfs_event_vfs_write_pages_total",
     "Number of times a group of pages have been written.", 11},
    {"node_mountstats_nfs_event_vfs_getdents_total",
     "Number of times directory entries have been read with getdents().", 12},
    {"node_mountstats_nfs_event_vfs_setattr_total",
     "Number of times directory entries have been read with getdents().", 13},
    {"node_mountstats_nfs_event_vfs_flush_total",
     "Number of pending writes that have been forcefully flushed to the server.", 14},
    {"node_mountstats_nfs_event_vfs_fsync_total",
     "Number of times fsync() has been called on directories and files.", 15},
    {"node_mountstats_nfs_event_vfs_lock_total",
     "Number of times locking has been attempted on a file.", 16},
    {"node_mountstats_nfs_event_vfs_file_release_total",
     "Number of times files have been closed and released.", 17},
    {"node_mountstats_nfs_event_truncation_total", "Number of times files have been truncated.",
     19},
    {"node_mountstats_nfs_event_write_extension_total",
     "Number of times a file has been grown due to writes beyond its existing end.", 20},
    {"node_mountstats_nfs_event_silly_rename_total",
     "Number of times a file was removed while still open by another process.", 21},
    {"node_mountstats_nfs_event_short_read_total",
     "Number of times the NFS server gave less data than expected while reading.", 22},
    {"node_mountstats_nfs_event_short_write_total",
     "Number of times the NFS server wrote less data than expected while writing.", 23},
    {"node_mountstats_nfs_event_jukebox_delay_total",
     "Number of times the NFS server indicated EJUKEBOX; retrieving data from offline storage.",
     24},
    {"node_mountstats_nfs_event_pnfs_read_total", "Number of NFS v4.1+ pNFS reads.", 25},
    {"node_mountstats_nfs_event_pnfs_write_total", "Number of NFS v4.1+ pNFS writes.", 26},
};

/* Each protocol has an order of its own; -1: it has no such figure, which is 0 then. A mount with
 * several connections to its server (nconnect) has a line for each: one figure is made of them. */
enum merge { ADDED, SMALLEST, LARGEST };
static const struct {
    const char *name, *help;
    enum expo_type type;
    int tcp, udp;
    enum merge merge;
} transports[] = {
    {"node_mountstats_nfs_transport_bind_total",
     "Number of times the client has had to establish a connection from scratch to the NFS server.",
     EXPO_COUNTER, 1, 1, ADDED},
    {"node_mountstats_nfs_transport_connect_total",
     "Number of times the client has made a TCP connection to the NFS server.", EXPO_COUNTER, 2, -1,
     ADDED},
    {"node_mountstats_nfs_transport_idle_time_seconds",
     "Duration since the NFS mount last saw any RPC traffic, in seconds.", EXPO_GAUGE, 4, -1,
     SMALLEST},
    {"node_mountstats_nfs_transport_sends_total",
     "Number of RPC requests for this mount sent to the NFS server.", EXPO_COUNTER, 5, 2, ADDED},
    {"node_mountstats_nfs_transport_receives_total",
     "Number of RPC responses for this mount received from the NFS server.", EXPO_COUNTER, 6, 3,
     ADDED},
    {"node_mountstats_nfs_transport_bad_transaction_ids_total",
     "Number of times the NFS server sent a response with a transaction ID unknown to this client.",
     EXPO_COUNTER, 7, 4, ADDED},
    {"node_mountstats_nfs_transport_backlog_queue_total",
     "Total number of items added to the RPC backlog queue.", EXPO_COUNTER, 9, 6, ADDED},
    {"node_mountstats_nfs_transport_maximum_rpc_slots",
     "Maximum number of simultaneously active RPC requests ever used.", EXPO_GAUGE, 10, 7, LARGEST},
    {"node_mountstats_nfs_transport_sending_queue_total",
     "Total number of items added to the RPC transmission sending queue.", EXPO_COUNTER, 11, 8,
     ADDED},
    {"node_mountstats_nfs_transport_pending_queue_total",
     "Total number of items added to the RPC transmission pending queue.", EXPO_COUNTER, 12, 9,
     ADDED},
};

static const struct {
    const char *name, *help;
    f64 divisor;
} operations[NFS_OP_VALUES] = {
    {"node_mountstats_nfs_operations_requests_total",
     "Number of requests performed for a given operation.", 1},
    {"node_mountstats_nfs_operations_transmissions_total",
     "Number of times an actual RPC request has been transmitted for a given operation.", 1},
    {"node_mountstats_nfs_operations_major_timeouts_total",
     "Number of times a request has had a major timeout for a given operation.", 1},
    {"node_mountstats_nfs_operations_sent_bytes_total",
     "Number of bytes sent for a given operation, including RPC headers and payload.", 1},
    {"node_mountstats_nfs_operations_received_bytes_total",
     "Number of bytes received for a given operation, including RPC headers and payload.", 1},
    {"node_mountstats_nfs_operations_queue_time_seconds_total",
     "Duration all requests spent queued for transmission for a given operation before they were "
     "sent, in seconds.",
     1000},
    {"node_mountstats_nfs_operations_response_time_seconds_total",
     "Duration all requests took to get a reply back after a request for a given operation was "
     "transmitted, in seconds.",
     1000},
    {"node_mountstats_nfs_operations_request_time_seconds_total",
     "Duration all requests took from when a request was enqueued to when it was completely "
     "handled for a given operation, in seconds.",
     1000},
};

#define N_LABELS 3 /* of all but the operations */

static void add(struct collect *c, enum expo_type type, const char *name, const char *help, f64 v,
                const struct expo_label *labels, size_t n)
{
    expo_sample(expo_family(c->out, type, name, help), NULL, v, labels, n);
}

static u64 figure(const struct nfs_transport *t, size_t i)
{
    int at = str_is(t->protocol, "udp") ? transports[i].udp : transports[i].tcp;

    return at >= 0 && (size_t)at < t->n ? t->v[at] : 0;
}

static u64 merged(enum merge how, u64 a, u64 b)
{
    if (how == ADDED) return a + b;
    return (how == SMALLEST) == (a < b) ? a : b;
}

static void add_transports(struct collect *c, const struct nfs_mount *m, struct str protocol,
                           const struct expo_label *labels)
{
    for (size_t i = 0; i < ARRAY_LEN(transports); i++) {
        bool found = false;
        u64 v = 0;

        for (size_t k = 0; k < m->n_transports; k++) {
            if (!str_eq(m->transports[k].protocol, protocol)) continue;
            u64 more = figure(&m->transports[k], i);
            v = found ? merged(transports[i].merge, v, more) : more;
            found = true;
        }
        add(c, transports[i].type, transports[i].name, transports[i].help, (f64)v, labels,
            N_LABELS);
    }
}

static void add_operations(struct collect *c, const struct nfs_mount *m,
                           const struct expo_label *labels)
{
    struct expo_label all[N_LABELS + 1];
    struct str rest = m->operations, name;
    u64 v[NFS_OP_VALUES];

    memcpy(all, labels, N_LABELS * sizeof(*labels));
    while (nfs_operation(&rest, &name, v)) {
        all[N_LABELS] = EXPO_LS("operation", name);
        for (size_t i = 0; i < NFS_OP_VALUES; i++)
            add(c, EXPO_COUNTER, operations[i].name, operations[i].help,
                (f64)v[i] / operations[i].divisor, all, N_LABELS + 1);
    }
}

static void add_mount(struct collect *c, const struct nfs_mount *m, struct str protocol,
                      struct str address)
{
    const struct expo_label labels[N_LABELS] = {
        EXPO_LS("export", m->device), EXPO_LS("protocol", protocol), EXPO_LS("mountaddr", address)};

    add(c, EXPO_COUNTER, "node_mountstats_nfs_age_seconds_total",
        "The age of the NFS mount in seconds.", (f64)m->age, labels, N_LABELS);
    for (size_t i = 0; i < m->n_bytes; i++)
        add(c, EXPO_COUNTER, bytes[i].name, bytes[i].help, (f64)m->bytes[i], labels, N_LABELS);
    for (size_t i = 0; i < ARRAY_LEN(events); i++)
        if (events[i].at < m->n_events)
            add(c, EXPO_COUNTER, events[i].name, events[i].help, (f64)m->events[events[i].at],
                labels, N_LABELS);
    add_transports(c, m, protocol, labels);
    add_operations(c, m, labels);
}

/* An export that is mounted at several places shares its figures: they are shown once. */
static bool is_new(struct collect *c, struct map *seen, const struct nfs_mount *m,
                   struct str protocol, struct str address)
{
    struct str key = str_of(arena_printf(c->arena, STR_FMT "\n" STR_FMT "\n" STR_FMT,
                                         STR_ARG(m->device), STR_ARG(protocol), STR_ARG(address)));

    if (map_has(seen, key)) return false;
    map_put(seen, key, seen);
    return true;
}

static void add_new(struct collect *c, struct map *seen, const struct nfs_mount *m,
                    struct str address)
{
    for (size_t i = 0; i < m->n_transports; i++)
        if (is_new(c, seen, m, m->transports[i].protocol, address))
            add_mount(c, m, m->transports[i].protocol, address);
}

/* The n-th mount of one file is the n-th line of the other. */
static int collect(struct collect *c)
{
    struct map seen = {0};
    struct str stats, infos, info = STR("");
    struct nfs_mount m;
    int r = unix_read(c, &stats, ROOT_PROC, "self/mountstats");

    if (r) return unix_read_failed(c, r, ROOT_PROC, "self/mountstats");
    r = unix_read(c, &infos, ROOT_PROC, "self/mountinfo");
    if (r) return unix_read_failed(c, r, ROOT_PROC, "self/mountinfo");
    while ((r = nfs_next_mount(&stats, &m)) > 0) {
        if (!unix_line(&infos, &info)) info = STR("");
        add_new(c, &seen, &m, nfs_address(info));
    }
    map_done(&seen, NULL);
    return r < 0 ? collect_fail(c, r, "a line of self/mountstats cannot be read: " STR_FMT,
                                STR_ARG(m.bad_line))
                 : COLLECT_OK;
}

const struct collector_def collector_mountstats = {.name = "mountstats", .collect = collect};
