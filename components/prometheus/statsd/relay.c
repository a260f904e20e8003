/* Relaying lines over UDP. */
#include "components/prometheus/statsd/relay.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/xalloc.h"

struct statsd_relay {
    int fd;
    struct address to;
    struct statsd_relay_metrics m;
    struct logger *log;
    bool told; /* that sending fails; said once until it works again */
    size_t max, n;
    char bytes[];
};

void statsd_relay_metrics_init(struct comp *c, const char *target, struct statsd_relay_metrics *m)
{
    static const struct metric_desc packets = {.name = "statsd_exporter_relay_packets_total",
                                               .help = "The number of StatsD packets relayed.",
                                               .kind = METRIC_COUNTER};
    static const struct metric_desc long_lines = {
        .name = "statsd_exporter_relay_long_lines_total",
        .help = "The number lines that were too long to relay.",
        .kind = METRIC_COUNTER};
    static const struct metric_desc lines = {
        .name = "statsd_exporter_relay_lines_relayed_total",
        .help = "The number of lines that were buffered to be relayed.",
        .kind = METRIC_COUNTER};
    static const struct metric_desc lost = {.name = "weir_statsd_exporter_relay_lost_packets_total",
                                            .help = "Packets that could not be sent.",
                                            .kind = METRIC_COUNTER};
    const struct metric_label label = {"target", target};

    m->packets = comp_metric(c, &packets, &label, 1);
    m->long_lines = comp_metric(c, &long_lines, &label, 1);
    m->lines = comp_metric(c, &lines, &label, 1);
    m->lost = comp_metric(c, &lost, &label, 1);
}

struct statsd_relay *statsd_relay_new(const struct address *to, size_t packet,
                                      const struct statsd_relay_metrics *m, struct logger *log,
                                      int *ret)
{
    int fd = socket(to->sa.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0) {
        *ret = -errno;
        return NULL;
    }
    struct statsd_relay *r = xcalloc(1, sizeof(*r) + packet);
    r->fd = fd;
    r->to = *to;
    r->m = *m;
    r->log = log;
    r->max = packet;
    return r;
}

void statsd_relay_flush(struct statsd_relay *r)
{
    if (r->n == 0) return;
    ssize_t n = sendto(r->fd, r->bytes, r->n, 0, (const struct sockaddr *)&r->to.sa, r->to.len);
    if (n >= 0) {
        metric_inc(r->m.packets);
        r->told = false;
    } else {
        metric_inc(r->m.lost);
        if (!r->told)
            log_warn(r->log, "lines could not be relayed; what follows is tried again",
                     F_CSTR("err", strerror(errno)));
        r->told = true;
    }
    r->n = 0;
}

void statsd_relay_line(struct statsd_relay *r, struct str line)
{
    if (line.n == 0) return;
    if (line.n + 1 > r->max) {
        metric_inc(r->m.long_lines);
        return;
    }
    metric_inc(r->m.lines);
    if (r->n + line.n + 1 > r->max) statsd_relay_flush(r);
    memcpy(r->bytes + r->n, line.p, line.n);
    r->n += line.n;
    r->bytes[r->n++] = '\n';
}

void statsd_relay_free(struct statsd_relay *r)
{
    if (!r) return;
    statsd_relay_flush(r);
    close(r->fd);
    free(r);
}
