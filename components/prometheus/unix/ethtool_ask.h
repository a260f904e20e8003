/* Questions to network drivers: ioctl SIOCETHTOOL. */
#ifndef COMPONENTS_PROMETHEUS_UNIX_ETHTOOL_ASK_H
#define COMPONENTS_PROMETHEUS_UNIX_ETHTOOL_ASK_H

#include <linux/ethtool.h>
#include "components/prometheus/unix/collector.h"

#define ETHTOOL_STATS_MAX 16384 /* a driver that claims to have more is not asked for them */

struct ethtool_stat {
    struct str name; /* as the driver has it */
    u64 value;
};
struct ethtool_stats_list {
    struct ethtool_stat *v; /* in c->arena */
    size_t n;
};

int ethtool_open(void); /* a socket, or -errno */
void ethtool_close(int fd);
/* 0 or -errno; -EOPNOTSUPP: the driver knows no such thing. */
int ethtool_link(struct collect *c, int fd, const char *device, struct ethtool_cmd *ret);
int ethtool_driver(struct collect *c, int fd, const char *device, struct ethtool_drvinfo *ret);
int ethtool_statistics(struct collect *c, int fd, const char *device,
                       struct ethtool_stats_list *ret);

#endif
