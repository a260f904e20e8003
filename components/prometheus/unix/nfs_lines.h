/* The lines of /proc/net/rpc/nfs and nfsd: a word, then numbers. */
#ifndef COMPONENTS_PROMETHEUS_UNIX_NFS_LINES_H
#define COMPONENTS_PROMETHEUS_UNIX_NFS_LINES_H

#include "components/prometheus/unix/collector.h"

#define NFS_NUMBERS_MAX 128

struct nfs_line {
    struct str name;
    u64 v[NFS_NUMBERS_MAX]; /* those that are missing: 0 */
    size_t n;
};
/* False at the end. *ret_bad: the line has something that is no number. */
bool nfs_next_line(struct str *text, struct nfs_line *ret, bool *ret_bad);

extern const char *const nfs2_procedures[18], *const nfs3_procedures[22];
/* A sample for each procedure from `from` on. Numbers begin behind the count that leads the line.
 */
void nfs_add_procedures(struct expo_family *f, const struct nfs_line *l, const char *proto,
                        const char *const *names, size_t n, size_t from);

#endif
