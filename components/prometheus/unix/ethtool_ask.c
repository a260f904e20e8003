/* The driver writes as much as it said it would: a device that changes its number of statistics
 * between the questions is answered by the kernel for the room that was named. */
#include "components/prometheus/unix/ethtool_ask.h"

#include <errno.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

int ethtool_open(void)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    return fd < 0 ? -errno : fd;
}

void ethtool_close(int fd)
{
    close(fd);
}

static int ask(struct collect *c, int fd, const char *device, void *question)
{
    struct ifreq rq = {.ifr_data = question};

    if (strlen(device) >= sizeof(rq.ifr_name)) return -ENODEV;
    memcpy(rq.ifr_name, device, strlen(device));
    if (c->ethtool) return c->ethtool(device, question);
    return ioctl(fd, SIOCETHTOOL, &rq) < 0 ? -errno : 0;
}

int ethtool_link(struct collect *c, int fd, const char *device, struct ethtool_cmd *ret)
{
    *ret = (struct ethtool_cmd){.cmd = ETHTOOL_GSET};
    return ask(c, fd, device, ret);
}

int ethtool_driver(struct collect *c, int fd, const char *device, struct ethtool_drvinfo *ret)
{
    *ret = (struct ethtool_drvinfo){.cmd = ETHTOOL_GDRVINFO};
    return ask(c, fd, device, ret);
}

/* The names are read once more with each scrape: queues come and go. */
static int read_names(struct collect *c, int fd, const char *device, struct ethtool_stats_list *to)
{
    struct ethtool_gstrings *names =
        arena_alloc(c->arena, sizeof(*names) + to->n * ETH_GSTRING_LEN);

    names->cmd = ETHTOOL_GSTRINGS;
    names->string_set = ETH_SS_STATS;
    names->len = (u32)to->n;
    int r = ask(c, fd, device, names);
    if (r) return r;
    to->n = MIN(to->n, (size_t)names->len);
    for (size_t i = 0; i < to->n; i++) {
        const char *at = (const char *)names->data + i * ETH_GSTRING_LEN;
        to->v[i].name = str_n(at, strnlen(at, ETH_GSTRING_LEN));
    }
    return 0;
}

static int read_values(struct collect *c, int fd, const char *device, struct ethtool_stats_list *to)
{
    struct ethtool_stats *values = arena_alloc(c->arena, sizeof(*values) + to->n * sizeof(u64));

    values->cmd = ETHTOOL_GSTATS;
    values->n_stats = (u32)to->n;
    int r = ask(c, fd, device, values);
    if (r) return r;
    to->n = MIN(to->n, (size_t)values->n_stats);
    for (size_t i = 0; i < to->n; i++)
        memcpy(&to->v[i].value, (const char *)values->data + i * sizeof(u64), sizeof(u64));
    return 0;
}

int ethtool_statistics(struct collect *c, int fd, const char *device,
                       struct ethtool_stats_list *ret)
{
    struct ethtool_drvinfo info;
    int r = ethtool_driver(c, fd, device, &info);

    *ret = (struct ethtool_stats_list){0};
    if (r || info.n_stats == 0) return r;
    if (info.n_stats > ETHTOOL_STATS_MAX) return -E2BIG;
    ret->n = info.n_stats;
    ret->v = arena_array(c->arena, struct ethtool_stat, ret->n);
    r = read_names(c, fd, device, ret);
    return r ? r : read_values(c, fd, device, ret);
}
