/* Copies of lines to another StatsD server: gathered into datagrams, sent when one is full and at
 * least each second. Nothing waits for it: what the kernel does not take at once is lost, counted.
 */
#ifndef COMPONENTS_PROMETHEUS_STATSD_RELAY_H
#define COMPONENTS_PROMETHEUS_STATSD_RELAY_H

#include "net/address.h"
#include "runtime/component.h"

#define STATSD_RELAY_MAX 65507 /* of a datagram over IPv4 */

struct statsd_relay_metrics {
    struct metric *packets, *long_lines, *lines, *lost;
};
void statsd_relay_metrics_init(struct comp *c, const char *target, struct statsd_relay_metrics *m);

struct statsd_relay;
/* Worker. NULL with -errno in *ret: no socket. */
struct statsd_relay *statsd_relay_new(const struct address *to, size_t packet,
                                      const struct statsd_relay_metrics *m, struct logger *log,
                                      int *ret);
void statsd_relay_free(struct statsd_relay *r); /* sends what is left; takes NULL */
void statsd_relay_line(struct statsd_relay *r, struct str line);
void statsd_relay_flush(struct statsd_relay *r);

#endif
