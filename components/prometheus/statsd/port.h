/* Where StatsD lines come in: datagrams over UDP or a Unix socket, streams over TCP. Opened on the
 * control loop, served by the shard, closed by whoever lets go last. */
#ifndef COMPONENTS_PROMETHEUS_STATSD_PORT_H
#define COMPONENTS_PROMETHEUS_STATSD_PORT_H

#include "base/list.h"
#include "base/refcount.h"
#include "net/stream_server.h"

#define STATSD_LINE_MAX ((size_t)65535) /* of a stream; and of a datagram with all its lines */

enum statsd_net { STATSD_UDP, STATSD_TCP, STATSD_UNIXGRAM, STATSD_NETS };
struct statsd_port {
    struct refs refs;
    char *asked; /* address, as configured */
    struct udp_listener *datagrams;
    struct stream_listener *stream;
};
/* 0, or -errno with an owned *ret_err. */
int statsd_port_open(struct listeners *ls, enum statsd_net net, const char *addr,
                     struct statsd_port **ret, char **ret_err);
void statsd_port_unref(struct statsd_port *p); /* takes NULL; any thread */
void statsd_port_leave(struct statsd_port *p); /* takes NULL; control loop */
struct str statsd_port_addr(const struct statsd_port *p);

/* What is told of what comes in, on the worker. */
struct statsd_intake {
    void (*line)(void *arg, struct str line);                 /* without its line end */
    void (*packet)(void *arg, enum statsd_net net, u32 lost); /* lost: instead of a packet */
    void (*connection)(void *arg, enum stream_end end); /* ended; STREAM_EOF: nothing is wrong */
    void (*opened)(void *arg);
    void *arg;
};
/* One port at work. */
struct statsd_serving;
struct statsd_serving *statsd_serving_new(struct statsd_port *p, enum statsd_net net,
                                          struct loop *loop, const struct statsd_intake *to);
struct statsd_port *statsd_serving_port(const struct statsd_serving *s);
/* Takes no more connections, and lets those there are end within grace; done(arg) then, from within
 * for datagrams. Meanwhile it stands in `leaving`. */
void statsd_serving_leave(struct statsd_serving *s, struct list *leaving, i64 grace,
                          void (*done)(void *arg), void *arg);
/* The shard is over: those that are leaving tell nobody. */
void statsd_serving_forget(struct list *leaving);

#endif
