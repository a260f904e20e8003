/* For tests of the server: a listener on a loopback port with a scripted handler, on one loop with
 * fake or real time, and raw clients. */
#ifndef NET_SERVER_KIT_H
#define NET_SERVER_KIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/xalloc.h"
#include "net/http_server.h"

struct kit {
    struct clock_fake clock;
    struct loop *loop;
    struct listeners *ls;
    struct http_listener *l;
    struct http_handler handler;
    bool hold; /* keep requests, answer later */
    bool real_time;
    struct http_req *held[64];
    int n_held, n_requests, n_gone, n_headers, unserved;
    size_t last_body;
    char last_path[256], last_method[32];
    int port;
};

UNUSED static void kit_answer(struct http_req *r)
{
    char *text =
        xprintf("%.*s %.*s %zu\n", STR_ARG(r->method), STR_ARG(r->path), r->body ? r->body->n : 0);

    http_respond_text(r, 200, str_of(text));
    free(text);
}

UNUSED static void kit_request(void *arg, struct http_req *r)
{
    struct kit *k = arg;

    k->n_requests++;
    k->last_body = r->body->n;
    (void)snprintf(k->last_path, sizeof(k->last_path), "%.*s", STR_ARG(r->path));
    (void)snprintf(k->last_method, sizeof(k->last_method), "%.*s", STR_ARG(r->method));
    if (k->hold)
        k->held[k->n_held++] = r;
    else
        kit_answer(r);
}

UNUSED static void kit_gone(void *arg, struct http_req *r)
{
    struct kit *k = arg;

    k->n_gone++;
    for (int i = 0; i < k->n_held; i++)
        if (k->held[i] == r) k->held[i] = NULL;
}

UNUSED static void kit_turn(struct kit *k, int n)
{
    while (n-- > 0)
        loop_turn(k->loop, 0);
}

UNUSED static void kit_open(struct kit *k, const struct http_conf *conf)
{
    char *err = NULL;

    clock_fake_init(&k->clock, 784111777 * NS_PER_SEC); /* Sun, 06 Nov 1994 08:49:37 GMT */
    k->loop = loop_new("test", 0, k->real_time ? &clock_system : &k->clock.clock);
    k->ls = listeners_new(k->loop);
    if (!k->handler.request) k->handler.request = kit_request;
    k->handler.gone = kit_gone;
    if (http_listener_open(k->ls, "tcp", "127.0.0.1:0", conf, &k->l, &err) != 0)
        fail_msg("%s", err);
    k->port = atoi(strrchr(http_listener_addr(k->l).p, ':') + 1);
    http_listener_serve(k->l, k->loop, &k->handler, k);
    kit_turn(k, 3);
}

UNUSED static void kit_unserved(void *arg)
{
    ((struct kit *)arg)->unserved++;
}

UNUSED static void kit_close(struct kit *k)
{
    http_listener_unserve(k->l, k->loop, 0, kit_unserved, k);
    for (int i = 0; i < 100 && !k->unserved; i++) {
        clock_fake_advance(&k->clock, NS_PER_SEC);
        loop_turn(k->loop, k->real_time ? NS_PER_SEC : 0);
    }
    assert_int_equal(k->unserved, 1);
    http_listener_close(k->l);
    kit_turn(k, 2);
    listeners_free(k->ls);
    loop_free(k->loop);
}

UNUSED static int kit_connect(struct kit *k)
{
    struct sockaddr_in in = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)k->port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    assert_int_equal(connect(fd, (struct sockaddr *)&in, sizeof(in)), 0);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1},
               sizeof(int)); /* pieces arrive as they are sent */
    kit_turn(k, 4);
    return fd;
}

/* Sends all of it while the loop turns. False when the peer closed. */
UNUSED static bool kit_send(struct kit *k, int fd, const char *p, size_t n)
{
    while (n > 0) {
        ssize_t w = send(fd, p, n, MSG_NOSIGNAL);
        if (w < 0 && errno != EAGAIN) return false;
        if (w > 0) {
            p += w;
            n -= (size_t)w;
        }
        kit_turn(k, 1);
    }
    kit_turn(k, 4);
    return true;
}

UNUSED static bool kit_put(struct kit *k, int fd, const char *text)
{
    return kit_send(k, fd, text, strlen(text));
}

/* What the server sends until `part` is there (with `want_closed`: until it closes), and in a few
 * more turns; gives up after seconds without a byte. *ret_closed: and then closed. A large body
 * that is still in the kernel takes the server many turns. */
UNUSED static char *kit_read_for(struct kit *k, int fd, const char *part, bool want_closed,
                                 bool *ret_closed)
{
    struct buf b = BUF_INIT(64 << 20);
    bool closed = false, seen = !part;

    for (int idle = 0; idle < (seen ? 6 : 3000) && !closed;) {
        char *at = buf_reserve(&b, 65536);
        ssize_t n = recv(fd, at, 65536, 0);
        if (n > 0) {
            buf_commit(&b, (size_t)n);
            idle = 0;
            seen = !part || (!want_closed && strstr(b.p, part));
        } else if (n == 0 || errno != EAGAIN) {
            closed = true;
        } else {
            idle++;
            if (!seen) poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, 1);
        }
        kit_turn(k, 1);
    }
    if (ret_closed) *ret_closed = closed;
    return buf_take(&b, NULL);
}

/* What the server sent so far. *ret_closed: and then closed. */
UNUSED static char *kit_read(struct kit *k, int fd, bool *ret_closed)
{
    return kit_read_for(k, fd, NULL, false, ret_closed);
}

UNUSED static void kit_expect(struct kit *k, int fd, const char *part, bool want_closed)
{
    bool closed;
    char *text = kit_read_for(k, fd, part, want_closed, &closed);

    if (!strstr(text, part)) fail_msg("\"%s\" is not in the answer: %s", part, text);
    if (closed != want_closed)
        fail_msg("connection %s after: %s", closed ? "closed" : "not closed", text);
    free(text);
}

#endif
