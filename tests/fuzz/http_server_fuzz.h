/* A server whose connections are fed by fuzz targets over a socket pair, under a fake clock. The
 * handler answers at once, later, in the headers hook, or by gRPC, as the request asks, so that
 * every path of an answer is walked. */
#ifndef FUZZ_HTTP_SERVER_FUZZ_H
#define FUZZ_HTTP_SERVER_FUZZ_H

#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include "net/conn.h"
#include "net/grpc.h"

struct fuzz_server {
    struct clock_fake clock;
    struct loop *loop;
    struct listeners *ls;
    struct http_listener *l;
    struct budget budget;
    struct http_req *held[64];
    size_t n_held;
};

static void fuzz_headers(void *arg, struct http_req *r)
{
    if (str_starts(r->path, STR("/no"))) http_respond_text(r, 403, STR("no\n"));
    if (str_starts(r->path, STR("/few"))) r->body_limit = 3;
}

static void fuzz_request(void *arg, struct http_req *r)
{
    struct fuzz_server *f = arg;
    struct blob *message = NULL;

    if (grpc_is(r)) {
        struct grpc_status s = grpc_read_message(r, 1000, &f->budget, &message);
        grpc_respond(r, &s, message ? blob_view(message) : (struct str){0});
        blob_unref(message);
    } else if (str_starts(r->path, STR("/later")) && f->n_held < 64) {
        f->held[f->n_held++] = r;
    } else {
        const struct http_header h[] = {{STR("X-Echo"), r->query}};
        http_respond(
            r, &(struct http_answer){.status = 200, .headers = h, .n_headers = 1, .blob = r->body});
    }
}

static void fuzz_gone(void *arg, struct http_req *r)
{
    struct fuzz_server *f = arg;

    for (size_t i = 0; i < f->n_held; i++)
        if (f->held[i] == r) f->held[i] = f->held[--f->n_held];
}

static void fuzz_answer_held(struct fuzz_server *f)
{
    while (f->n_held)
        http_respond_text(f->held[--f->n_held], 200, STR("late\n"));
}

static struct fuzz_server *fuzz_server(void)
{
    static struct fuzz_server *f;
    static const struct http_handler handler = {
        .headers = fuzz_headers, .request = fuzz_request, .gone = fuzz_gone};
    char *err = NULL;

    if (f) return f;
    f = calloc(1, sizeof(*f));
    clock_fake_init(&f->clock, 0);
    budget_init(&f->budget, 1 << 20);
    f->loop = loop_new("fuzz", 0, &f->clock.clock);
    f->ls = listeners_new(f->loop);
    struct http_conf conf = {.max_header_bytes = 4096,
                             .max_body = 10000,
                             .budget = &f->budget,
                             .max_streams = 20,
                             .idle_timeout = -1,
                             .read_header_timeout = -1};
    if (http_listener_open(f->ls, "tcp", "127.0.0.1:0", &conf, &f->l, &err) != 0) abort();
    http_listener_serve(f->l, f->loop, &handler, f);
    loop_turn(f->loop, 0);
    return f;
}

static void fuzz_drain(int fd)
{
    char buf[65536];

    while (recv(fd, buf, sizeof(buf), MSG_DONTWAIT) > 0) {
    }
}

/* The first byte of the input says how the rest is cut into pieces. */
static void fuzz_feed(const char *before, size_t n_before, const uint8_t *data, size_t n)
{
    struct fuzz_server *f = fuzz_server();
    size_t piece = n && data[0] ? data[0] * 8u : 1u << 16, at = n ? 1 : 0;
    int fd[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd) != 0) abort();
    listener_adopt(f->l, f->loop, fd[0]);
    if (n_before && send(fd[1], before, n_before, MSG_NOSIGNAL) < 0) abort();
    while (at < n) {
        ssize_t sent = send(fd[1], data + at, MIN(piece, n - at), MSG_NOSIGNAL);
        if (sent < 0) break;
        at += (size_t)sent;
        loop_turn(f->loop, 0);
        fuzz_drain(fd[1]);
    }
    fuzz_answer_held(f);
    loop_turn(f->loop, 0);
    fuzz_drain(fd[1]);
    clock_fake_advance(&f->clock, 60 * NS_PER_SEC);
    loop_turn(f->loop, 0);
    close(fd[1]);
    for (int i = 0; i < 3; i++)
        loop_turn(f->loop, 0);
    ASSERT(budget_used(&f->budget) == 0 && f->n_held == 0);
}

#endif
