/* statfs with an end. Of local file systems the kernel knows the figures; one over the network or
 * in user space may keep the caller in the kernel for as long as its server is away, past any
 * signal. Such a mount is asked by a thread of the pool that is left behind when it does not answer
 * in time, and not asked again until it came back; only a few threads are ever left so. */
#ifndef COMPONENTS_PROMETHEUS_UNIX_STATFS_ASK_H
#define COMPONENTS_PROMETHEUS_UNIX_STATFS_ASK_H

#include <sys/statfs.h>
#include "components/prometheus/unix/collector.h"

#define STATFS_STUCK 2 /* threads left behind, of one exporter */

struct statfs_ask;
struct statfs_asks { /* zero it */
    struct statfs_ask *stuck[STATFS_STUCK];
};
/* 0, -errno; -ETIMEDOUT: it does not answer, or was not asked because others do not. */
int statfs_ask(struct statfs_asks *asks, struct collect *c, const char *path, struct str type,
               i64 timeout, struct statfs *ret);
void statfs_asks_done(struct statfs_asks *asks);

#endif
