/* HTTP/1.1, HTTP/2 (TLS by ALPN, cleartext by prior knowledge or upgrade) server with limits on
 * everything a client controls.
 *
 * A listener is one bound address with one owner. Its accept loop hands each connection to the
 * participating loop with the fewest; a connection lives on that loop for good. Handlers run there.
 * A request is whole (body complete) when `request` is called; answers may come later. Ownership: a
 * struct http_req belongs to the server; it stays valid until it is answered or `gone` was called.
 */
#ifndef NET_HTTP_SERVER_H
#define NET_HTTP_SERVER_H

#include "base/arena.h"
#include "base/blob.h"
#include "net/http.h"
#include "net/loop.h"
#include "net/tls.h"

struct http_req {
    struct str method, target, path, query; /* path is percent-decoded, query raw */
    const struct http_header *headers;
    size_t n_headers;
    int version; /* 11 or 20 (10 for HTTP/1.0) */
    bool tls;
    struct str peer; /* "127.0.0.1:4711" */
    struct str peer_ip;
    struct blob *body; /* set when request() runs; http_req_take_body to keep it. gRPC: the message,
                          see grpc_read_message */
    size_t body_limit; /* may be changed in headers(); from the listener's conf at first */
    struct arena *arena; /* freed with the request */
    void *user;          /* the handler's own */
    struct loop *loop;
    void *_conn; /* private */
};

struct http_handler {
    /* Optional, when the headers are in and before the body: may answer at once (the body is then
     * not read), or change body_limit. */
    void (*headers)(void *arg, struct http_req *r);
    void (*request)(void *arg, struct http_req *r);
    /* Optional: the client went away before the answer; r is invalid afterwards. */
    void (*gone)(void *arg, struct http_req *r);
    /* Optional: the body is over its limit (known from Content-Length or while reading) or broken;
     * must answer. Default: 413. */
    void (*too_large)(void *arg, struct http_req *r);
};

struct http_conf {           /* zero: the default in brackets; a negative time: never */
    size_t max_header_bytes; /* [64 KiB] all headers of a request */
    size_t max_body;         /* [1 MiB] */
    i64 read_header_timeout; /* [60 s] from the first byte of a request to the end of its headers */
    i64 read_timeout;        /* [0: none] whole request */
    i64 min_body_rate; /* [256 bytes/s averaged over 20 s] slower bodies are cut with 408; -1: off
                        */
    i64 write_timeout; /* [30 s] */
    i64 idle_timeout;  /* [60 s] between requests */
    u32 max_streams;   /* [250] HTTP/2 concurrent streams a connection */
    u32 max_conns;     /* [4096] */
    bool no_keepalive;
    bool no_h2;   /* HTTP/1 only */
    bool h2_only; /* gRPC: HTTP/1 gets 505-like refusal */
    i64 max_conn_age, max_conn_age_grace,
        max_conn_idle;            /* [0: infinite] gRPC keepalive server_parameters */
    i64 ping_every, ping_timeout; /* [0: none] HTTP/2 keepalive pings of the server */
    i64 ping_min_interval; /* [0: none] clients that ping more often get GOAWAY ENHANCE_YOUR_CALM */
    i64 ping_idle_interval; /* [0: as above] the same while no stream is open */
    size_t read_buffer; /* [128 KiB, the most] bytes gathered before the loop is woken in the middle
                           of a large message */
    size_t write_buffer; /* [256 KiB] HTTP/2 output produced ahead of the socket, 16 KiB to 1 MiB */
    bool own_process; /* Unix sockets: connections of other processes are closed at once */
    struct tls_server *tls; /* NULL: cleartext; a reference is taken */
    struct budget *budget; /* request bodies are charged to it; over it 503 with Retry-After: 1 (h2:
                              the stream refused the same way) */
};

/* All listening sockets of the process: a second live owner of an address gets EADDRINUSE; an
 * address whose owner is leaving passes its descriptor to the new one without closing. Control
 * loop. */
struct listeners;
struct listeners *listeners_new(struct loop *control);
void listeners_free(struct listeners *ls);
struct loop *listeners_loop(const struct listeners *ls); /* the control loop; any thread */

struct http_listener;
/* addr "host:port" (":0" port chosen); of network "unix" a path, or "@name" in the abstract
 * namespace. Opens (or takes over) the socket; accepting
 * starts with the first http_listener_serve. 0 or -errno with an owned *ret_err ("listen tcp
 * 127.0.0.1:4318: bind: address already in use"). Control loop. */
int http_listener_open(struct listeners *ls, const char *network, const char *addr,
                       const struct http_conf *conf, struct http_listener **ret, char **ret_err);
/* New settings for connections accepted from now on (TLS on and off, limits), same socket. */
void http_listener_update(struct http_listener *l, const struct http_conf *conf);
/* Called before a new owner opens the same address: it may then take the socket over. Already
 * accepted connections stay with this listener. */
void http_listener_leave(struct http_listener *l);
/* The bound address, port filled in. */
struct str http_listener_addr(const struct http_listener *l);
/* Connections there are now; any thread. */
u32 http_listener_conns(const struct http_listener *l);
/* Lets `loop` take part, with this handler. Call on that loop's own thread. */
void http_listener_serve(struct http_listener *l, struct loop *loop, const struct http_handler *h,
                         void *arg);
/* The loop takes no new connections; idle ones close, busy ones finish their answers (h2: GOAWAY)
 * within grace_ns, then are cut; done(arg) on this loop. Call on that loop's own thread. */
void http_listener_unserve(struct http_listener *l, struct loop *loop, i64 grace_ns,
                           void (*done)(void *arg), void *arg);
/* Closes the socket unless it was taken over. After every loop was unserved. Any thread (elsewhere
 * than on the control loop it happens later). */
void http_listener_close(struct http_listener *l);

struct http_answer {
    int status;
    const struct http_header *headers; /* content-length, date, connection are the server's own */
    size_t n_headers;
    struct str body;                    /* copied by the call unless blob is set */
    struct blob *blob;                  /* body without copying; a reference is taken */
    const struct http_header *trailers; /* HTTP/2 only (gRPC) */
    size_t n_trailers;
};
/* Answers once; r is invalid afterwards. HEAD bodies are dropped. Loop of the request. */
void http_respond(struct http_req *r, const struct http_answer *a);
void http_respond_text(struct http_req *r, int status,
                       struct str text); /* text/plain; charset=utf-8 */
struct blob *http_req_take_body(struct http_req *r);

/* --- answers that go on: live data. Loop of the request --- */

/* Chunked for HTTP/1.1, up to the end of the connection for HTTP/1.0, DATA frames for HTTP/2. The
 * write timeout counts from the last byte that the client took. A listener that is unserved lets a
 * stream go on until the grace is over: whoever owns it ends it. */
struct http_stream;
struct http_stream_conf {
    struct http_answer head; /* status (one that has a body) and headers */
    size_t max_pending;      /* bytes that may wait for a slow client */
    /* The client went away, or the connection ended: the stream is invalid. Never called from
     * within the functions below. */
    void (*gone)(void *arg);
    void *arg;
};
/* Answers r, whose body is complete; r is invalid afterwards. NULL: all was said (HEAD), and `gone`
 * is not called. */
struct http_stream *http_stream_begin(struct http_req *r, const struct http_stream_conf *conf);
/* True when the piece was taken (copied). False: the client has not read enough of what was written
 * before; ask again later. A piece larger than max_pending is taken when nothing else waits. */
bool http_stream_write(struct http_stream *s, struct str piece);
/* Whether a piece of n bytes would be taken. */
bool http_stream_has_room(const struct http_stream *s, size_t n);
/* The end; what was written is still sent. s is invalid afterwards, `gone` is not called. */
void http_stream_end(struct http_stream *s);

static inline struct str http_req_header(const struct http_req *r, struct str name)
{
    return http_header_get(r->headers, r->n_headers, name);
}

#endif
