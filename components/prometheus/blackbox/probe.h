/* One probe: a request for metrics, the module and the target that it names, the time it may take,
 * and its families. Lives on the control loop from the request to the answer; probers go on by
 * callbacks and end with probe_end, once. */
#ifndef COMPONENTS_PROMETHEUS_BLACKBOX_PROBE_H
#define COMPONENTS_PROMETHEUS_BLACKBOX_PROBE_H

#include <sys/socket.h>
#include "base/list.h"
#include "components/common/expo.h"
#include "components/prometheus/blackbox/module.h"
#include "net/resolver.h"
#include "net/tls_peer.h"

struct probe;
struct prober_ops {
    size_t state_size;
    void (*begin)(struct probe *p);
    /* Stops what is under way (no callback comes after), and frees it. Called once, by probe_end.
     */
    void (*done)(struct probe *p);
    /* Adds the prober's families: whatever became of the probe. Before done. */
    void (*families)(struct probe *p);
};
extern const struct prober_ops prober_http, prober_tcp, prober_dns, prober_icmp;

struct probe {
    struct list node; /* of all that run */
    struct comp *comp;
    struct http_req **asker; /* who asked; NULL there: it went away, see ui/ */
    struct worker *worker;   /* the control loop, its HTTP client */
    struct modules *modules;
    const struct probe_module *m;
    const struct prober_ops *ops;
    void *state;
    struct arena arena;
    struct str target, hostname;
    bool debug;
    struct expo *out;
    struct buf log; /* sentences of the probe, for ?debug=true */
    struct timer *deadline;
    i64 started, timeout; /* monotonic; ns */
    const char *reason;   /* why it failed; in the arena */

    /* of probe_resolve */
    struct resolver_query *query;
    void (*resolved)(struct probe *p);
    bool asked; /* its families are shown */
    int port;
    i64 asked_at;
    f64 lookup_seconds;
    struct sockaddr_storage addr;
    socklen_t addr_len;
    char ip[64]; /* without brackets; empty: none was found */
    struct sockaddr_storage source;
    socklen_t source_len;
};

/* A sentence for who debugs; the last one before a failure is its reason. */
void probe_note(struct probe *p, const char *fmt, ...) PRINTF(2, 3);
/* Over: notes why, and ends the probe. */
void probe_fail(struct probe *p, const char *fmt, ...) PRINTF(2, 3);
void probe_end(struct probe *p, bool success);

/* Chooses an address of the host (as the module wants it), with `port`, and goes on with fn later
 * or at once; or fails the probe. Adds probe_ip_protocol and its kin to the families. */
void probe_resolve(struct probe *p, struct str host, int port, void (*fn)(struct probe *p));
/* What is left of its time, ns; at least one. */
i64 probe_left(const struct probe *p);
i64 probe_now(const struct probe *p);

/* Families of a TLS handshake. */
void probe_tls_families(struct probe *p, const struct tls_peer *peer);
void probe_regex_family(struct probe *p, bool failed);

/* Starts a probe for a request; answers it at once when it names no module or target. */
struct probe_list {
    struct list running;
    struct comp *comp;
    struct worker worker;
    i64 timeout_offset; /* ns */
};
void probe_start(struct probe_list *l, struct modules *m, struct http_req *r);
/* Gives all of them up, answering 503: the instance goes. */
void probe_end_all(struct probe_list *l);

#endif
