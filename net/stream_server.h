/* Listening for protocols that are neither HTTP nor gRPC: byte streams over TCP (or TLS), and
 * datagrams. Registered with the listeners of the process (one owner an address, hand-over at a
 * reload), as HTTP listeners are; connections live on the loop that serves.
 *
 * Everything is bounded: connections, bytes a connection may hold unread, time without a byte. */
#ifndef NET_STREAM_SERVER_H
#define NET_STREAM_SERVER_H

#include "net/http_server.h" /* struct listeners */

struct stream_conn {
    struct str peer; /* "127.0.0.1:4711" */
    struct str peer_ip;
    void *user; /* the handler's own */
    struct loop *loop;
    void *_conn; /* private */
};
struct stream_handler {
    void (*opened)(void *arg, struct stream_conn *c); /* optional */
    /* Bytes that came in, gathered with what was left before. Returns how many it has used; the rest
     * is given again, with more. A full buffer of which nothing is used closes the connection. */
    size_t (*data)(void *arg, struct stream_conn *c, struct str bytes);
    /* The end: err NULL for an orderly one; what was not used is in `rest`. c is invalid
     * afterwards. */
    void (*closed)(void *arg, struct stream_conn *c, struct str rest, const char *err);
};
struct stream_conf {
    size_t buffer;    /* most bytes a connection holds; default 64 KiB */
    i64 idle_timeout; /* ns without a byte; 0: none */
    u32 max_conns;    /* 0: 4096 */
    struct tls_server *tls;
};
struct stream_listener;
int stream_listener_open(struct listeners *ls, const char *addr, const struct stream_conf *conf,
                         struct stream_listener **ret, char **ret_err); /* control loop */
struct str stream_listener_addr(const struct stream_listener *l);
void stream_listener_leave(struct stream_listener *l);
void stream_listener_serve(struct stream_listener *l, struct loop *loop,
                           const struct stream_handler *h, void *arg); /* on that loop */
/* Ends all connections of that loop; done(arg) on it. */
void stream_listener_unserve(struct stream_listener *l, struct loop *loop,
                             void (*done)(void *arg), void *arg);
void stream_listener_close(struct stream_listener *l);
/* Back-pressure: nothing is read until resume. Within handlers too. */
void stream_conn_pause(struct stream_conn *c);
void stream_conn_resume(struct stream_conn *c);
void stream_conn_close(struct stream_conn *c); /* `closed` is called */

/* Datagrams. */
struct udp_listener;
struct udp_handler {
    void (*datagram)(void *arg, struct str bytes, struct str peer_ip);
};
int udp_listener_open(struct listeners *ls, const char *addr, size_t max_datagram,
                      struct udp_listener **ret, char **ret_err);
struct str udp_listener_addr(const struct udp_listener *l);
void udp_listener_leave(struct udp_listener *l);
void udp_listener_serve(struct udp_listener *l, struct loop *loop, const struct udp_handler *h,
                        void *arg);
void udp_listener_unserve(struct udp_listener *l);
void udp_listener_close(struct udp_listener *l);
/* While paused the kernel keeps what its buffer holds and drops the rest. */
void udp_listener_pause(struct udp_listener *l);
void udp_listener_resume(struct udp_listener *l);

#endif
