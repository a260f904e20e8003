/* The lines of /proc/<pid>/mountstats, as the kernel's NFS client writes them (fs/nfs/super.c,
 * net/sunrpc/stats.c). Texts are borrowed. */
#ifndef COMPONENTS_PROMETHEUS_UNIX_MOUNTSTATS_LINES_H
#define COMPONENTS_PROMETHEUS_UNIX_MOUNTSTATS_LINES_H

#include "components/prometheus/unix/collector.h"

#define NFS_BYTES          8
#define NFS_EVENTS         27
#define NFS_OP_VALUES      8
#define NFS_TRANSPORTS     64 /* nconnect is at most 16; more are left out */
#define NFS_TRANSPORT_MOST 13

struct nfs_transport {
    struct str protocol; /* tcp, udp, rdma */
    u64 v[NFS_TRANSPORT_MOST];
    size_t n;
};
struct nfs_mount {
    struct str device;
    u64 age, bytes[NFS_BYTES], events[NFS_EVENTS];
    size_t n_bytes, n_events; /* fewer on old kernels */
    struct nfs_transport transports[NFS_TRANSPORTS];
    size_t n_transports; /* 0: not of NFS */
    struct str operations;
    struct str bad_line; /* after a fault */
};

/* Cuts the next mount, of whatever type. 1; 0 at the end; -EINVAL. */
int nfs_next_mount(struct str *rest, struct nfs_mount *ret);
/* Cuts the next of m->operations that has all figures. */
bool nfs_operation(struct str *rest, struct str *ret_name, u64 ret[NFS_OP_VALUES]);
/* "addr=" of a line of mountinfo; empty when there is none. */
struct str nfs_address(struct str mountinfo_line);

#endif
