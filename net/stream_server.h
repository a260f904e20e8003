/* Listening for protocols that are neither HTTP nor gRPC: byte streams over TCP (or TLS), and
 * datagrams. Registered with the listeners of the process (one owner an address, hand-over at a
 * reload), as HTTP listeners are; connections live on the loop that serves.
 *
 * Everything is bounded: connections, bytes a connection may hold unread, time without a byte. */
#ifndef NET_STREAM_SERVER_H
#define NET_STREAM_SERVER_H

#include "net/http_server.h" /* struct listeners */

/* --- byte streams --- */

struct stream_conn {
    struct str peer; /* "127.0.0.1:4711" */
    struct str peer_ip;
    void *user; /* the handler's own */
    struct loop *loop;
    void *_conn; /* private */
};
enum stream_end {
    STREAM_EOF,     /* the peer has said all */
    STREAM_IDLE,    /* no byte within the idle timeout */
    STREAM_LEFT,    /* the server let go of it */
    STREAM_TOO_BIG, /* a full buffer of which nothing was used */
    STREAM_ERROR,   /* lost, see the text */
};
struct stream_handler {
    void (*opened)(void *arg, struct stream_conn *c); /* optional; after the TLS handshake */
    /* Bytes that came in, gathered with what was left before. Returns how many it has used; the
     * rest is given again, with more (or, when it paused the connection, at resume). A full buffer
     * of which nothing is used ends the connection. */
    size_t (*data)(void *arg, struct stream_conn *c, struct str bytes);
    /* The end, once for each `opened`; what was not used is in `rest`, text says what went wrong
     * (NULL for an orderly end). c is invalid afterwards. */
    void (*closed)(void *arg, struct stream_conn *c, struct str rest, enum stream_end end,
                   const char *text);
    /* Optional: a peer that never got as far as `opened`, and why. */
    void (*refused)(void *arg, struct str peer, const char *text);
};
struct stream_conf {
    size_t buffer;          /* most bytes that wait for their rest; default 64 KiB */
    i64 idle_timeout;       /* ns without a byte; 0: never */
    u32 max_conns;          /* 0: 4096 */
    struct tls_server *tls; /* NULL: cleartext; a reference is taken */
};
struct stream_listener;
/* network "tcp", "tcp4", "tcp6" or "unix". Control loop; else as http_listener_open and its kin. */
int stream_listener_open(struct listeners *ls, const char *network, const char *addr,
                         const struct stream_conf *conf, struct stream_listener **ret,
                         char **ret_err);
/* For connections accepted from now on. */
void stream_listener_update(struct stream_listener *l, const struct stream_conf *conf);
struct str stream_listener_addr(const struct stream_listener *l);
void stream_listener_leave(struct stream_listener *l);
void stream_listener_serve(struct stream_listener *l, struct loop *loop,
                           const struct stream_handler *h, void *arg); /* on that loop */
/* Connections of that loop end: what has arrived is given first, paused ones get `grace` to be
 * resumed. done(arg) on the loop. */
void stream_listener_unserve(struct stream_listener *l, struct loop *loop, i64 grace,
                             void (*done)(void *arg), void *arg);
void stream_listener_close(struct stream_listener *l); /* any thread; takes NULL */

/* Back-pressure: nothing is given until resume (64 KiB more are read ahead). Within handlers too.
 */
void stream_conn_pause(struct stream_conn *c);
void stream_conn_resume(struct stream_conn *c); /* bytes come later in the turn */
void stream_conn_close(struct stream_conn *c);  /* `closed` is called, with STREAM_LEFT */

/* --- datagrams --- */

struct udp_listener;
struct udp_handler {
    /* False: not taken; it is given again at resume (pause first). cut: it was longer than
     * max_datagram. */
    bool (*datagram)(void *arg, struct str bytes, bool cut, struct str peer_ip);
    /* Optional: that was all for now; so many were lost since the last time for want of room in the
     * kernel. */
    void (*rest)(void *arg, u32 lost);
};
/* network "udp", "udp4", "udp6" or "unixgram" (addr: a path, or a name with @). Control loop. */
int udp_listener_open(struct listeners *ls, const char *network, const char *addr,
                      size_t max_datagram, struct udp_listener **ret, char **ret_err);
struct str udp_listener_addr(const struct udp_listener *l);
/* What the kernel is asked to keep while nobody reads, in bytes. How many it keeps (it may be told
 * to grant less), or -errno. Control loop. */
int udp_listener_room(struct udp_listener *l, int bytes);
void udp_listener_leave(struct udp_listener *l); /* control loop */
/* One loop at a time, on its thread. */
void udp_listener_serve(struct udp_listener *l, struct loop *loop, const struct udp_handler *h,
                        void *arg);
/* What has arrived is given first, unless it is paused. On the same thread. */
void udp_listener_unserve(struct udp_listener *l);
void udp_listener_close(struct udp_listener *l); /* unserved; any thread; takes NULL */
/* While paused the kernel keeps what its buffer holds and drops the rest. */
void udp_listener_pause(struct udp_listener *l);
void udp_listener_resume(struct udp_listener *l); /* datagrams come later in the turn */

#endif
