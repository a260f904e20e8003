/* A connection of the server as a byte transport: socket or TLS, output queue, one lazy timer; the
 * protocol on it is a small table. Lives on one loop. conn_close may be called anywhere: the
 * connection is dead at once, its memory goes at the end of the turn. */
#ifndef NET_CONN_H
#define NET_CONN_H

#include <openssl/ssl.h>
#include "base/list.h"
#include "base/refcount.h"
#include "net/http_server.h"

/* Settings of the connections accepted under them; counted, immutable, defaults filled in. */
struct conn_proto;
struct server_conf {
    struct refs refs;
    struct http_conf h;
    const struct conn_proto *proto; /* what connections speak; NULL: HTTP */
    size_t buffer;                  /* stream servers: most bytes that wait for their rest */
};
struct server_conf *server_conf_new(const struct http_conf *h);
struct server_conf *server_conf_ref(struct server_conf *c);
void server_conf_unref(struct server_conf *c); /* takes NULL */

struct http_listener;
struct stream_handler;

/* A loop's part in a listener. */
struct member {
    struct http_listener *listener;
    struct loop *loop;
    struct http_handler handler;
    struct stream_handler *stream; /* of a stream server; owned */
    void *arg;
    struct list conns;
    _Atomic u32 n_conns; /* read by the accepting loop: the least loaded is chosen */
    bool leaving, left;  /* unserve was called; the accepting loop let go of it */
    struct timer *grace;
    void (*done)(void *arg);
    void *done_arg;
    struct msg join, leave, finish;
    bool finishing;
    struct list node;      /* of the listener, accepting loop */
    struct list loop_node; /* of its loop */
    char date[40];
    i64 date_at; /* second for which `date` was written */
};
/* A connection of the member ended, or it was let go: done() when nothing is left. */
void listener_member_check(struct member *m);
void listener_conn_closed(struct http_listener *l); /* any thread */
/* For what is not HTTP, net/stream_server.c: as their http_ kin, conf moves. */
int listener_open(struct listeners *ls, const char *network, const char *addr,
                  struct server_conf *conf, struct http_listener **ret, char **ret_err);
void listener_update(struct http_listener *l, struct server_conf *conf);
struct member *listener_join(struct http_listener *l, struct loop *loop, void *arg);
/* Serves a connected socket that was not accepted here (fuzzing). On the loop's thread. */
void listener_adopt(struct http_listener *l, struct loop *loop, int fd);

struct conn;
struct conn_proto {
    /* Takes bytes; returns how many. Fewer than n: the rest is held, reading pauses, until
     * conn_resume. */
    size_t (*input)(struct conn *c, const char *p, size_t n);
    /* Optional: a place where the next bytes may be read to directly (body). */
    char *(*place)(struct conn *c, size_t *ret_n);
    void (*placed)(struct conn *c, size_t n);
    /* Optional: bytes of a message that is being received and are still to come. */
    size_t (*expects)(const struct conn *c);
    void (*drained)(struct conn *c); /* all output was written */
    /* Optional: held bytes were offered again. */
    void (*resumed)(struct conn *c);
    void (*timeout)(struct conn *c); /* the time of conn_arm came */
    void (*eof)(struct conn *c);
    void (*drain)(struct conn *c); /* finish what runs, then close */
    void (*closed)(
        struct conn *c); /* connection is dead: tell the handlers. The session stays until freed */
    void (*free)(struct conn *c);
};

struct conn {
    struct list node; /* of member->conns */
    struct member *member;
    struct server_conf *conf;
    struct loop *loop;
    int fd;
    SSL *ssl;
    bool handshaken, ssl_read_wants_write, plain_on_tls;
    struct io *io;
    struct timer *timer;
    i64 due, out_due, gather_due, alarm_at;
    bool gathers; /* woken only for GATHER bytes, see conn.c */
    const struct conn_proto *proto;
    void *session;
    struct buf out; /* bytes to write, from out_at on; then the blob from blob_at on */
    size_t out_at;
    struct blob *blob;
    size_t blob_at;
    struct buf held; /* read, but not taken by the protocol yet */
    u32 n_streaming; /* answers that go on */
    bool dead, draining, close_after, resuming, saw_eof;
    struct msg resume, release;
    u8 n_sniffed;
    int error;           /* -errno of the read that ended it; 0: none */
    char *handshake_err; /* why TLS was refused; owned */
    i64 opened, last_read;
    char peer[64], peer_ip[48];
};

/* Takes fd. The connection starts with TLS when its conf says so. */
struct conn *conn_new(struct member *m, struct server_conf *conf, int fd, const char *peer,
                      const char *peer_ip);
void conn_close(struct conn *c);
/* Finish what runs, then close. */
void conn_drain(struct conn *c);
/* Output: append to c->out, give it a blob (a reference is taken), then flush. */
void conn_send_blob(struct conn *c, struct blob *b);
void conn_flush(struct conn *c);
/* One more answer that goes on, or one less. */
void conn_stream_begins(struct conn *c);
void conn_stream_ends(struct conn *c);
bool conn_has_output(const struct conn *c);
/* The protocol can take held bytes again; does so later in the turn. */
void conn_resume(struct conn *c);
/* proto->timeout at `at` (monotonic); 0: none. */
void conn_arm(struct conn *c, i64 at);
/* Stops writing, reads and drops what the peer still sends so that it sees the answer, then closes.
 */
void conn_linger(struct conn *c);
/* "Sun, 06 Nov 1994 08:49:37 GMT", written once a second. */
struct str conn_date(struct conn *c);

#define FRESH_TIME                                                                                 \
    (NS_PER_SEC /                                                                                  \
     2) /* what a connection made while its listener leaves gets to say what it wants */

/* Sets up a stream server's connection: at once without TLS, else when the handshake is done. */
void stream_start(struct conn *c);

extern const struct conn_proto http1_proto, http2_proto, sniff_proto;
void http1_start(struct conn *c);
void http2_start(struct conn *c);
/* Goes on with HTTP/2 after "Upgrade: h2c": the request read over HTTP/1 becomes stream 1. 0 or
 * -EINVAL (bad settings, nothing changed). */
struct request;
int http2_upgrade(struct conn *c, struct str settings, struct request *first);

#endif
