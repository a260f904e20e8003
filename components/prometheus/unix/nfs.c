/* nfs: what this machine asks NFS servers. */
#include "components/prometheus/unix/nfs_lines.h"

#include <errno.h>

static const char *const procedures4[] = {"Null",
                                          "Read",
                                          "Write",
                                          "Commit",
                                          "Open",
                                          "OpenConfirm",
                                          "OpenNoattr",
                                          "OpenDowngrade",
                                          "Close",
                                          "Setattr",
                                          "FsInfo",
                                          "Renew",
                                          "SetClientID",
                                          "SetClientIDConfirm",
                                          "Lock",
                                          "Lockt",
                                          "Locku",
                                          "Access",
                                          "Getattr",
                                          "Lookup",
                                          "LookupRoot",
                                          "Remove",
                                          "Rename",
                                          "Link",
                                          "Symlink",
                                          "Create",
                                          "Pathconf",
                                          "StatFs",
                                          "ReadLink",
                                          "ReadDir",
                                          "ServerCaps",
                                          "DelegReturn",
                                          "GetACL",
                                          "SetACL",
                                          "FsLocations",
                                          "ReleaseLockowner",
                                          "Secinfo",
                                          "FsidPresent",
                                          "ExchangeID",
                                          "CreateSession",
                                          "DestroySession",
                                          "Sequence",
                                          "GetLeaseTime",
                                          "ReclaimComplete",
                                          "GetDeviceInfo",
                                          "LayoutGet",
                                          "LayoutCommit",
                                          "LayoutReturn",
                                          "SecinfoNoName",
                                          "TestStateID",
                                          "FreeStateID",
                                          "GetDeviceList",
                                          "BindConnToSession",
                                          "DestroyClientID",
                                          "Seek",
                                          "Allocate",
                                          "DeAllocate",
                                          "LayoutStats",
                                          "Clone"};

/* All families are there, lines that the kernel leaves out being 0. */
struct stats {
    struct nfs_line net, rpc, proc2, proc3, proc4;
};

static void add_all(struct collect *c, const struct stats *s)
{
    struct expo_family *packets =
        expo_counter(c->out, "node_nfs_packets_total",
                     "Total NFSd network packets (sent+received) by protocol type.");
    struct expo_family *requests =
        expo_counter(c->out, "node_nfs_requests_total", "Number of NFS procedures invoked.");

    expo_add(packets, s->net.v[1], EXPO_L("protocol", "udp"));
    expo_add(packets, s->net.v[2], EXPO_L("protocol", "tcp"));
    expo_counter1(c->out, "node_nfs_connections_total", "Total number of NFSd TCP connections.",
                  s->net.v[3]);
    expo_counter1(c->out, "node_nfs_rpcs_total", "Total number of RPCs performed.", s->rpc.v[0]);
    expo_counter1(c->out, "node_nfs_rpc_retransmissions_total",
                  "Number of RPC transmissions performed.", s->rpc.v[1]);
    expo_counter1(c->out, "node_nfs_rpc_authentication_refreshes_total",
                  "Number of RPC authentication refreshes performed.", s->rpc.v[2]);
    nfs_add_procedures(requests, &s->proc2, "2", nfs2_procedures, ARRAY_LEN(nfs2_procedures), 0);
    nfs_add_procedures(requests, &s->proc3, "3", nfs3_procedures, ARRAY_LEN(nfs3_procedures), 0);
    nfs_add_procedures(requests, &s->proc4, "4", procedures4, ARRAY_LEN(procedures4), 0);
}

static struct nfs_line *place_of(struct stats *s, struct str name)
{
    struct {
        const char *name;
        struct nfs_line *place;
    } places[] = {{"net", &s->net},
                  {"rpc", &s->rpc},
                  {"proc2", &s->proc2},
                  {"proc3", &s->proc3},
                  {"proc4", &s->proc4}};
    for (size_t i = 0; i < ARRAY_LEN(places); i++)
        if (str_is(name, places[i].name)) return places[i].place;
    return NULL;
}

static int collect(struct collect *c)
{
    struct stats *s = arena_new(c->arena, struct stats);
    struct nfs_line line;
    struct str text;
    bool bad;
    int r = unix_read(c, &text, ROOT_PROC, "net/rpc/nfs");

    if (r == -ENOENT) return COLLECT_NO_DATA;
    if (r) return unix_read_failed(c, r, ROOT_PROC, "net/rpc/nfs");
    memset(s, 0, sizeof(*s));
    while (nfs_next_line(&text, &line, &bad)) {
        struct nfs_line *place = place_of(s, line.name);
        if (bad)
            return collect_fail(
                c, -EINVAL, "net/rpc/nfs: the line \"" STR_FMT "\" has something that is no number",
                STR_ARG(line.name));
        if (place) *place = line;
    }
    add_all(c, s);
    return COLLECT_OK;
}

const struct collector_def collector_nfs = {.name = "nfs", .default_on = true, .collect = collect};
