/* nfsd: what the NFS server of this machine is asked. */
#include "components/prometheus/unix/nfs_lines.h"

#include <errno.h>

/* By operation number; those without a name are not told. */
static const char *const operations4[40] = {
    [3] = "Access",     [4] = "Close",        [5] = "Commit",       [6] = "Create",
    [7] = "DelegPurge", [8] = "DelegReturn",  [9] = "GetAttr",      [10] = "GetFH",
    [11] = "Link",      [12] = "Lock",        [13] = "Lockt",       [14] = "Locku",
    [15] = "Lookup",    [16] = "LookupRoot",  [17] = "Nverify",     [18] = "Open",
    [19] = "OpenAttr",  [20] = "OpenConfirm", [21] = "OpenDgrd",    [22] = "PutFH",
    [25] = "Read",      [26] = "ReadDir",     [27] = "ReadLink",    [28] = "Remove",
    [29] = "Rename",    [30] = "Renew",       [31] = "RestoreFH",   [32] = "SaveFH",
    [33] = "SecInfo",   [34] = "SetAttr",     [35] = "SetClientID", [36] = "SetClientIDConfirm",
    [37] = "Verify",    [38] = "Write",       [39] = "RelLockOwner"};

static const struct {
    const char *line;
    size_t at;
    const char *name, *help, *label, *value;
    bool gauge;
} numbers[] = {
    {"rc", 0, "node_nfsd_reply_cache_hits_total",
     "Total number of NFSd Reply Cache hits (client lost server response).", 0, 0, false},
    {"rc", 1, "node_nfsd_reply_cache_misses_total",
     "Total number of NFSd Reply Cache an operation that requires caching (idempotent).", 0, 0,
     false},
    {"rc", 2, "node_nfsd_reply_cache_nocache_total",
     "Total number of NFSd Reply Cache non-idempotent operations (rename/delete/…).", 0, 0, false},
    {"fh", 0, "node_nfsd_file_handles_stale_total", "Total number of NFSd stale file handles", 0, 0,
     false},
    {"io", 0, "node_nfsd_disk_bytes_read_total", "Total NFSd bytes read.", 0, 0, false},
    {"io", 1, "node_nfsd_disk_bytes_written_total", "Total NFSd bytes written.", 0, 0, false},
    {"th", 0, "node_nfsd_server_threads", "Total number of NFSd kernel threads that are running.",
     0, 0, true},
    {"ra", 0, "node_nfsd_read_ahead_cache_size_blocks",
     "How large the read ahead cache is in blocks.", 0, 0, true},
    {"ra", 11, "node_nfsd_read_ahead_cache_not_found_total",
     "Total number of NFSd read ahead cache not found.", 0, 0, false},
    {"net", 1, "node_nfsd_packets_total",
     "Total NFSd network packets (sent+received) by protocol type.", "proto", "udp", false},
    {"net", 2, "node_nfsd_packets_total",
     "Total NFSd network packets (sent+received) by protocol type.", "proto", "tcp", false},
    {"net", 3, "node_nfsd_connections_total", "Total number of NFSd TCP connections.", 0, 0, false},
    {"rpc", 0, "node_nfsd_server_rpcs_total", "Total number of NFSd RPCs.", 0, 0, false},
    {"rpc", 2, "node_nfsd_rpc_errors_total", "Total number of NFSd RPC errors by error type.",
     "error", "fmt", false},
    {"rpc", 3, "node_nfsd_rpc_errors_total", "Total number of NFSd RPC errors by error type.",
     "error", "auth", false},
    {"rpc", 4, "node_nfsd_rpc_errors_total", "Total number of NFSd RPC errors by error type.",
     "error", "cInt", false},
};

static const char *const names[] = {
    "rc", "fh", "io", "th", "ra", "net", "rpc", "proc2", "proc3", "proc4ops", "wdeleg_getattr"};
#define LINES ARRAY_LEN(names)

/* A line that the kernel leaves out is all 0. */
static const struct nfs_line *line_of(const struct nfs_line *lines, const char *name)
{
    for (size_t i = 0; i < LINES; i++)
        if (strcmp(names[i], name) == 0) return &lines[i];
    return NULL;
}

static void add_numbers(struct collect *c, const struct nfs_line *lines)
{
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
        struct expo_label label = EXPO_L(numbers[i].label, numbers[i].value);
        expo_sample(expo_family(c->out, numbers[i].gauge ? EXPO_GAUGE : EXPO_COUNTER,
                                numbers[i].name, numbers[i].help),
                    NULL, (f64)line_of(lines, numbers[i].line)->v[numbers[i].at], &label,
                    numbers[i].label ? 1 : 0);
    }
}

static void add_requests(struct collect *c, const struct nfs_line *lines)
{
    struct expo_family *f = expo_counter(c->out, "node_nfsd_requests_total",
                                         "Total number NFSd Requests by method and protocol.");

    nfs_add_procedures(f, line_of(lines, "proc2"), "2", nfs2_procedures, ARRAY_LEN(nfs2_procedures),
                       1);
    nfs_add_procedures(f, line_of(lines, "proc3"), "3", nfs3_procedures, ARRAY_LEN(nfs3_procedures),
                       1);
    nfs_add_procedures(f, line_of(lines, "proc4ops"), "4", operations4, ARRAY_LEN(operations4), 0);
    expo_add(f, line_of(lines, "wdeleg_getattr")->v[0], EXPO_L("proto", "4"),
             EXPO_L("method", "WdelegGetattr"));
}

static int collect(struct collect *c)
{
    struct nfs_line *lines = arena_array(c->arena, struct nfs_line, LINES), line;
    struct str text;
    bool bad;
    int r = unix_read(c, &text, ROOT_PROC, "net/rpc/nfsd");

    if (r == -ENOENT) return COLLECT_NO_DATA;
    if (r) return unix_read_failed(c, r, ROOT_PROC, "net/rpc/nfsd");
    memset(lines, 0, sizeof(*lines) * LINES);
    while (nfs_next_line(&text, &line, &bad)) {
        if (bad)
            return collect_fail(c, -EINVAL,
                                "net/rpc/nfsd: the line \"" STR_FMT
                                "\" has something that is no number",
                                STR_ARG(line.name));
        for (size_t i = 0; i < LINES; i++)
            if (str_is(line.name, names[i])) lines[i] = line;
    }
    add_numbers(c, lines);
    add_requests(c, lines);
    return COLLECT_OK;
}

const struct collector_def collector_nfsd = {
    .name = "nfsd", .default_on = true, .collect = collect};
