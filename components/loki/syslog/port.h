/* The sockets of loki.source.syslog: opened on the control loop, served by the shard, closed by
 * whoever lets go last. */
#ifndef COMPONENTS_LOKI_SYSLOG_PORT_H
#define COMPONENTS_LOKI_SYSLOG_PORT_H

#include "components/loki/syslog/conf.h"
#include "net/stream_server.h"

/* One of the two. Counted. */
struct syslog_port {
    struct refs refs;
    struct syslog_conf *conf; /* it was last opened or updated for; control loop */
    struct stream_listener *stream;
    struct udp_listener *datagrams;
};
struct syslog_port *syslog_port_ref(struct syslog_port *p);
void syslog_port_unref(struct syslog_port *p); /* takes NULL; any thread */

/* The ports of a plan's listeners, in their order; NULL where an address cannot be had yet.
 * Immutable, counted. */
struct syslog_ports {
    struct refs refs;
    size_t n;
    struct syslog_port *v[];
};
struct syslog_ports *syslog_ports_ref(struct syslog_ports *s);
void syslog_ports_unref(struct syslog_ports *s); /* takes NULL; any thread */

/* All ports of an instance: those that were open and are wanted stay, the others are left. Control
 * loop, but counted: questions of the shard may outlive the instance. */
struct syslog_table;
struct syslog_table *syslog_table_new(struct comp *c);
/* The instance is gone. */
void syslog_table_close(struct syslog_table *t);
/* Brings the table to the plan. 0 when at least one port (or none of none) is open; what fails is
 * logged and told to health. Else -errno and *ret_err. */
int syslog_table_set(struct syslog_table *t, const struct syslog_plan *plan, char **ret_err);
void syslog_table_leave(struct syslog_table *t);
/* What its listeners are, for debug_info: an owned array of objects. */
struct value syslog_table_info(const struct syslog_table *t);
/* Of the last syslog_table_set; a new reference. Worker, in run and apply. */
struct syslog_ports *syslog_table_ports(struct syslog_table *t);

/* The shard asks for a port that could not be opened: it is tried again on the control loop, and
 * answered(arg, conf, port) comes on `loop`; port is NULL or the callee's. NULL instead of a
 * question: forget it. */
struct syslog_question;
struct syslog_question *
syslog_table_ask(struct syslog_table *t, struct syslog_conf *conf, struct loop *loop,
                 void (*answered)(void *arg, struct syslog_conf *conf, struct syslog_port *port),
                 void *arg);
void syslog_question_forget(struct syslog_question *q);

#endif
