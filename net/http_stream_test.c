/* Answers that go on over HTTP/1, with and without TLS, on loopback under a fake clock. HTTP/2 is
 * tested in http2_server_test.c. */
#include "net/server_kit.h"
#include "net/tls_kit.h"
#include <openssl/ssl.h>

struct world {
    struct kit kit; /* first: the handler's arg */
    struct http_stream *stream;
    int n_begun, n_lost;
};

static void on_lost(void *arg)
{
    struct world *w = arg;

    w->stream = NULL;
    w->n_lost++;
}

static void begin(void *arg, struct http_req *r)
{
    static const struct http_header type[] = {{STR("X-Kind"), STR("live")}};
    struct world *w = arg;

    w->n_begun++;
    w->stream = http_stream_begin(
        r, &(struct http_stream_conf){.head = {.status = 200, .headers = type, .n_headers = 1},
                                      .max_pending = 64 * 1024,
                                      .gone = on_lost,
                                      .arg = w});
}

static void open_world(struct world *w, const struct http_conf *conf)
{
    w->kit.handler.request = begin;
    kit_open(&w->kit, conf);
}

static void writes(struct world *w, const char *text)
{
    assert_true(http_stream_write(w->stream, str_of(text)));
    kit_turn(&w->kit, 2);
}

static void pieces_arrive_as_they_are_written(void **state)
{
    struct world w = {0};
    bool closed;

    open_world(&w, &(struct http_conf){0});
    int fd = kit_connect(&w.kit);
    kit_put(&w.kit, fd, "GET /live HTTP/1.1\r\nHost: h\r\n\r\n");
    char *text = kit_read(&w.kit, fd, &closed);
    assert_string_equal(text, "HTTP/1.1 200 OK\r\nX-Kind: live\r\nDate: Sun, 06 Nov 1994 08:49:37 "
                              "GMT\r\nTransfer-Encoding: chunked\r\n\r\n");
    free(text);
    writes(&w, "hello");
    kit_expect(&w.kit, fd, "5\r\nhello\r\n", false);
    writes(&w, "");
    writes(&w, "0123456789abcdef");
    http_stream_end(w.stream);
    kit_expect(&w.kit, fd, "10\r\n0123456789abcdef\r\n0\r\n\r\n", false);
    kit_put(&w.kit, fd, "GET /again HTTP/1.1\r\nHost: h\r\n\r\n"); /* the connection lives */
    assert_int_equal(w.n_begun, 2);
    close(fd);
    kit_turn(&w.kit, 4);
    assert_int_equal(w.n_lost, 1);
    kit_close(&w.kit);
}

static void http_1_0_ends_with_the_connection(void **state)
{
    struct world w = {0};

    open_world(&w, &(struct http_conf){0});
    int fd = kit_connect(&w.kit);
    kit_put(&w.kit, fd, "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    writes(&w, "plain");
    kit_expect(&w.kit, fd, "Connection: close\r\n\r\nplain", false);
    http_stream_end(w.stream); /* nothing is left to be written */
    kit_expect(&w.kit, fd, "", true);
    close(fd);
    kit_close(&w.kit);
    assert_int_equal(w.n_lost, 0);
}

static void head_is_answered_at_once(void **state)
{
    struct world w = {0};

    open_world(&w, &(struct http_conf){0});
    int fd = kit_connect(&w.kit);
    kit_put(&w.kit, fd, "HEAD / HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_int_equal(w.n_begun, 1);
    assert_null(w.stream);
    kit_put(&w.kit, fd, "HEAD / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    bool closed;
    char *text = kit_read(&w.kit, fd, &closed);
    assert_true(closed);
    assert_string_equal(text + strlen(text) - 4, "\r\n\r\n");
    assert_null(strstr(text, "0\r\n\r\n"));
    free(text);
    close(fd);
    kit_close(&w.kit);
    assert_int_equal(w.n_lost, 0);
}

static void a_client_that_leaves_is_told(void **state)
{
    struct world w = {0};

    open_world(&w, &(struct http_conf){0});
    int fd = kit_connect(&w.kit);
    kit_put(&w.kit, fd, "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    close(fd);
    kit_turn(&w.kit, 4);
    assert_int_equal(w.n_lost, 1);
    fd = kit_connect(&w.kit);
    kit_put(&w.kit, fd, "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    shutdown(fd, SHUT_WR); /* half closed counts as gone */
    kit_turn(&w.kit, 4);
    assert_int_equal(w.n_lost, 2);
    close(fd);
    kit_close(&w.kit);
}

/* Writes until the client is behind; how many bytes were taken. */
static size_t write_until_full(struct world *w, const char *piece, size_t n)
{
    size_t taken = 0;

    while (w->stream && http_stream_write(w->stream, str_n(piece, n))) {
        taken += n;
        kit_turn(&w->kit, 1);
        assert_true(taken < (size_t)64 << 20);
    }
    return taken;
}

static void a_slow_client_is_waited_for_within_bounds(void **state)
{
    struct world w = {0};
    char piece[4096], in[65536];

    memset(piece, 'x', sizeof(piece));
    open_world(&w, &(struct http_conf){.write_timeout = 10 * NS_PER_SEC});
    int fd = kit_connect(&w.kit);
    kit_put(&w.kit, fd, "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    write_until_full(&w, piece, sizeof(piece));
    assert_true(http_stream_has_room(w.stream, 0));
    assert_false(http_stream_has_room(w.stream, sizeof(piece)));
    for (int i = 0; i < 20; i++) { /* it reads a little every six seconds: that is progress */
        clock_fake_advance(&w.kit.clock, 6 * NS_PER_SEC);
        for (size_t got = 0; got < ((size_t)1 << 20);) {
            ssize_t n = recv(fd, in, sizeof(in), 0);
            if (n > 0) got += (size_t)n;
            if (n <= 0) break;
        }
        kit_turn(&w.kit, 4);
        assert_int_equal(w.n_lost, 0);
        write_until_full(&w, piece, sizeof(piece));
    }
    clock_fake_advance(&w.kit.clock, 11 * NS_PER_SEC); /* and then nothing any more */
    kit_turn(&w.kit, 4);
    assert_int_equal(w.n_lost, 1);
    close(fd);
    kit_close(&w.kit);
}

static void a_large_piece_is_taken_alone(void **state)
{
    struct world w = {0};
    char *big = xcalloc(1, 1 << 20);

    memset(big, 'y', (1 << 20) - 1);
    open_world(&w, &(struct http_conf){0});
    int fd = kit_connect(&w.kit);
    kit_put(&w.kit, fd, "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_true(http_stream_write(w.stream, str_of(big)));
    assert_false(http_stream_write(w.stream, STR("more")));
    http_stream_end(w.stream);
    kit_expect(&w.kit, fd, "y\r\n0\r\n\r\n", false);
    free(big);
    close(fd);
    kit_close(&w.kit);
}

static void silence_is_no_fault(void **state)
{
    struct world w = {0};

    open_world(&w, &(struct http_conf){.idle_timeout = NS_PER_SEC,
                                       .read_timeout = NS_PER_SEC,
                                       .write_timeout = NS_PER_SEC});
    int fd = kit_connect(&w.kit);
    kit_put(&w.kit, fd, "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    for (int i = 0; i < 100; i++) {
        clock_fake_advance(&w.kit.clock, 10 * NS_PER_SEC);
        kit_turn(&w.kit, 2);
    }
    writes(&w, "late");
    kit_expect(&w.kit, fd, "4\r\nlate\r\n", false);
    close(fd);
    kit_close(&w.kit);
}

static void the_grace_of_a_leaving_listener_ends_it(void **state)
{
    struct world w = {0};

    open_world(&w, &(struct http_conf){0});
    int fd = kit_connect(&w.kit);
    kit_put(&w.kit, fd, "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    http_listener_unserve(w.kit.l, w.kit.loop, 5 * NS_PER_SEC, kit_unserved, &w.kit);
    kit_turn(&w.kit, 3);
    writes(&w, "still there");
    assert_int_equal(w.kit.unserved, 0);
    clock_fake_advance(&w.kit.clock, 6 * NS_PER_SEC);
    kit_turn(&w.kit, 3);
    assert_int_equal(w.n_lost, 1);
    assert_int_equal(w.kit.unserved, 1);
    http_listener_close(w.kit.l);
    close(fd);
    kit_turn(&w.kit, 2);
    listeners_free(w.kit.ls);
    loop_free(w.kit.loop);
}

/* What a TLS client reads until `part` is there. */
static void tls_expect(struct world *w, SSL *ssl, const char *part)
{
    char text[8192];
    size_t n = 0;

    for (int i = 0; i < 2000; i++) {
        int r = SSL_read(ssl, text + n, (int)(sizeof(text) - 1 - n));
        if (r > 0) n += (size_t)r;
        text[n] = 0;
        if (strstr(text, part)) return;
        kit_turn(&w->kit, 1);
    }
    fail_msg("\"%s\" is not in: %s", part, text);
}

static void goes_through_tls(void **state)
{
    struct world w = {0};
    struct tls_kit t = tls_kit_new("DNS:a");
    char *err = NULL;
    int r = 0;

    struct tls_server *server = tls_server_new(
        &(struct tls_conf){.cert_pem = str_of(t.cert), .key_pem = str_of(t.key)}, true, &err);
    assert_non_null(server);
    open_world(&w, &(struct http_conf){.tls = server, .no_h2 = true});
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    SSL *ssl = SSL_new(ctx);
    int fd = kit_connect(&w.kit);
    SSL_set_fd(ssl, fd);
    for (int i = 0; i < 100 && (r = SSL_connect(ssl)) != 1; i++)
        kit_turn(&w.kit, 2);
    assert_int_equal(r, 1);
    static const char request[] = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
    assert_int_equal(SSL_write(ssl, request, sizeof(request) - 1), sizeof(request) - 1);
    for (int i = 0; i < 100 && !w.stream; i++)
        kit_turn(&w.kit, 1);
    writes(&w, "one");
    tls_expect(&w, ssl, "3\r\none\r\n");
    char piece[8192];
    memset(piece, 'x', sizeof(piece));
    write_until_full(&w, piece, sizeof(piece)); /* records that the socket takes in parts */
    for (int i = 0; i < 20000 && !http_stream_write(w.stream, STR("two")); i++) {
        SSL_read(ssl, piece, sizeof(piece));
        kit_turn(&w.kit, 1);
    }
    http_stream_end(w.stream);
    char tail[4096] = "";
    for (int i = 0; i < 20000 && !strstr(tail, "3\r\ntwo\r\n0\r\n\r\n"); i++) {
        int n = SSL_read(ssl, tail, sizeof(tail) - 1);
        tail[MAX(n, 0)] = 0;
        kit_turn(&w.kit, 1);
    }
    assert_non_null(strstr(tail, "two"));
    SSL_free(ssl);
    SSL_CTX_free(ctx);
    close(fd);
    kit_close(&w.kit);
    tls_server_unref(server);
    tls_kit_free(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_arrive_as_they_are_written),
        cmocka_unit_test(http_1_0_ends_with_the_connection),
        cmocka_unit_test(head_is_answered_at_once),
        cmocka_unit_test(a_client_that_leaves_is_told),
        cmocka_unit_test(a_slow_client_is_waited_for_within_bounds),
        cmocka_unit_test(a_large_piece_is_taken_alone),
        cmocka_unit_test(silence_is_no_fault),
        cmocka_unit_test(the_grace_of_a_leaving_listener_ends_it),
        cmocka_unit_test(goes_through_tls),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
