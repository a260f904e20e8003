/* Stream and datagram servers, on one loop with fake time and raw clients. */
#include "net/server_kit.h"
#include "base/buf.h"
#include "net/stream_server.h"
#include "net/tls_kit.h"
#include <openssl/ssl.h>

struct log {
    struct stream_conn *conn;
    struct buf text; /* what was used: messages end at a newline */
    int n_opened, n_closed, n_refused, n_done;
    bool hold; /* pauses at the first message */
    char rest[64], why[128];
    enum stream_end end;
    struct udp_listener *udp;
    u32 lost;
    int cut;
};

static void opened(void *arg, struct stream_conn *c)
{
    struct log *g = arg;

    g->conn = c;
    g->n_opened++;
}

static size_t data(void *arg, struct stream_conn *c, struct str bytes)
{
    struct log *g = arg;
    const char *nl = memchr(bytes.p, '\n', bytes.n);

    if (g->hold) {
        stream_conn_pause(c);
        return 0;
    }
    if (!nl) return 0;
    size_t n = (size_t)(nl - bytes.p) + 1;
    buf_add(&g->text, bytes.p, n);
    return n + (n < bytes.n ? data(arg, c, str_sub(bytes, n, bytes.n)) : 0);
}

static void closed(void *arg, struct stream_conn *c, struct str rest, enum stream_end end,
                   const char *text)
{
    struct log *g = arg;

    g->n_closed++;
    g->end = end;
    (void)snprintf(g->rest, sizeof(g->rest), "%.*s", STR_ARG(rest));
    (void)snprintf(g->why, sizeof(g->why), "%s", text ? text : "");
    g->conn = NULL;
}

static void refused(void *arg, struct str peer, const char *text)
{
    struct log *g = arg;

    g->n_refused++;
    (void)snprintf(g->why, sizeof(g->why), "%s", text);
}

static void done(void *arg)
{
    ((struct log *)arg)->n_done++;
}

static const struct stream_handler handler = {
    .opened = opened, .data = data, .closed = closed, .refused = refused};

struct setup {
    struct kit k;
    struct log g;
    struct stream_listener *l;
};

static void start(struct setup *s, const struct stream_conf *conf)
{
    char *err = NULL;

    *s = (struct setup){0};
    clock_fake_init(&s->k.clock, 0);
    s->k.loop = loop_new("t", 0, &s->k.clock.clock);
    s->k.ls = listeners_new(s->k.loop);
    buf_init(&s->g.text, 1 << 20);
    if (!conf) return;
    assert_int_equal(stream_listener_open(s->k.ls, "tcp", "127.0.0.1:0", conf, &s->l, &err), 0);
    s->k.port = atoi(strrchr(stream_listener_addr(s->l).p, ':') + 1);
    stream_listener_serve(s->l, s->k.loop, &handler, &s->g);
    kit_turn(&s->k, 3);
}

static void finish(struct setup *s)
{
    if (s->l) {
        stream_listener_unserve(s->l, s->k.loop, NS_PER_SEC, done, &s->g);
        for (int i = 0; i < 3; i++) {
            kit_turn(&s->k, 4);
            clock_fake_advance(&s->k.clock, 2 * NS_PER_SEC);
        }
        assert_int_equal(s->g.n_done, 1);
        stream_listener_close(s->l);
    }
    kit_turn(&s->k, 4);
    listeners_free(s->k.ls);
    loop_free(s->k.loop);
    buf_done(&s->g.text);
}

static const char *text(struct setup *s)
{
    kit_turn(&s->k, 4);
    buf_ch(&s->g.text, '\0');
    s->g.text.n--;
    return s->g.text.p;
}

static void pieces_are_gathered(void **state)
{
    struct setup s;

    start(&s, &(struct stream_conf){0});
    int fd = kit_connect(&s.k);
    kit_put(&s.k, fd, "one\ntw");
    assert_string_equal(text(&s), "one\n");
    kit_put(&s.k, fd, "o");
    kit_put(&s.k, fd, "\nthree");
    assert_string_equal(text(&s), "one\ntwo\n");
    close(fd);
    kit_turn(&s.k, 4);
    assert_int_equal(s.g.n_closed, 1);
    assert_int_equal(s.g.end, STREAM_EOF);
    assert_string_equal(s.g.rest, "three");
    finish(&s);
}

static void a_paused_connection_loses_nothing(void **state)
{
    struct setup s;

    start(&s, &(struct stream_conf){.buffer = 64, .idle_timeout = NS_PER_SEC});
    s.g.hold = true;
    int fd = kit_connect(&s.k);
    for (int i = 0; i < 100; i++)
        kit_put(&s.k, fd, "0123456789\n");
    close(fd);
    clock_fake_advance(&s.k.clock, 10 * NS_PER_SEC);
    kit_turn(&s.k, 4);
    assert_string_equal(text(&s), "");
    assert_int_equal(s.g.n_closed, 0); /* neither idle nor at an end while it waits */
    s.g.hold = false;
    stream_conn_resume(s.g.conn);
    kit_turn(&s.k, 8);
    assert_int_equal(s.g.text.n, 1100);
    assert_int_equal(s.g.n_closed, 1);
    assert_int_equal(s.g.end, STREAM_EOF);
    finish(&s);
}

static void limits_hold(void **state)
{
    struct setup s;
    char long_line[200];

    memset(long_line, 'x', sizeof(long_line));
    start(&s, &(struct stream_conf){.buffer = 64, .idle_timeout = 2 * NS_PER_SEC});
    int fd = kit_connect(&s.k);
    kit_send(&s.k, fd, long_line, 50);
    kit_send(&s.k, fd, long_line, sizeof(long_line));
    assert_int_equal(s.g.n_closed, 1);
    assert_int_equal(s.g.end, STREAM_TOO_BIG);
    close(fd);
    fd = kit_connect(&s.k);
    clock_fake_advance(&s.k.clock, NS_PER_SEC);
    kit_put(&s.k, fd, "a\n");
    clock_fake_advance(&s.k.clock, NS_PER_SEC + NS_PER_SEC / 2);
    kit_turn(&s.k, 4);
    assert_int_equal(s.g.n_closed, 1); /* each byte renews it */
    clock_fake_advance(&s.k.clock, NS_PER_SEC);
    kit_turn(&s.k, 4);
    assert_int_equal(s.g.n_closed, 2);
    assert_int_equal(s.g.end, STREAM_IDLE);
    close(fd);
    finish(&s);
}

static void leaving_gives_what_arrived(void **state)
{
    struct setup s;

    start(&s, &(struct stream_conf){0});
    int fd = kit_connect(&s.k);
    kit_put(&s.k, fd, "a\n");
    assert_int_equal(send(fd, "b\nc", 3, 0), 3);
    finish(&s);
    assert_int_equal(s.g.n_closed, 1);
    assert_int_equal(s.g.end, STREAM_LEFT);
    assert_string_equal(s.g.rest, "c");
    close(fd);
}

static void one_owner_whatever_it_speaks(void **state)
{
    struct setup s;
    struct http_listener *http;
    struct stream_listener *second;
    char *err = NULL, addr[64];

    start(&s, &(struct stream_conf){0});
    stream_listener_unserve(s.l, s.k.loop, 0, done, &s.g);
    stream_listener_leave(s.l);
    kit_turn(&s.k, 6);
    stream_listener_close(s.l);
    (void)snprintf(addr, sizeof(addr), "127.0.0.1:%d", s.k.port);
    assert_int_equal(
        stream_listener_open(s.k.ls, "tcp", addr, &(struct stream_conf){0}, &s.l, &err), 0);
    assert_int_equal(http_listener_open(s.k.ls, "tcp", addr, &(struct http_conf){0}, &http, &err),
                     -EADDRINUSE);
    free(err);
    int fd = kit_connect(&s.k); /* waits in the backlog */
    stream_listener_leave(s.l);
    assert_int_equal(
        stream_listener_open(s.k.ls, "tcp", addr, &(struct stream_conf){0}, &second, &err), 0);
    stream_listener_close(s.l);
    s.l = second;
    s.g.n_done = 0;
    stream_listener_serve(s.l, s.k.loop, &handler, &s.g);
    kit_put(&s.k, fd, "to the second\n");
    assert_string_equal(text(&s), "to the second\n");
    close(fd);
    finish(&s);
}

/* --- TLS --- */

static void tls_peers(void **state)
{
    struct setup s;
    struct tls_kit cert = tls_kit_new("DNS:localhost");
    struct tls_conf conf = {.cert_pem = str_of(cert.cert), .key_pem = str_of(cert.key)};
    char *err = NULL;
    struct tls_server *t = tls_server_new(&conf, false, &err);

    start(&s, &(struct stream_conf){.tls = t, .idle_timeout = 60 * NS_PER_SEC});
    tls_server_unref(t);
    int fd = kit_connect(&s.k);
    kit_put(&s.k, fd, "<13>not TLS at all\n");
    assert_int_equal(s.g.n_refused, 1);
    assert_int_equal(s.g.n_opened, 0);
    assert_non_null(strstr(s.g.why, "TLS handshake: "));
    close(fd);
    fd = kit_connect(&s.k);
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    SSL *ssl = SSL_new(ctx);
    SSL_set_fd(ssl, fd);
    for (int i = 0; i < 100 && SSL_connect(ssl) != 1; i++)
        kit_turn(&s.k, 1);
    assert_int_equal(SSL_write(ssl, "secret\n", 7), 7);
    assert_string_equal(text(&s), "secret\n");
    SSL_shutdown(ssl);
    close(fd);
    kit_turn(&s.k, 4);
    assert_int_equal(s.g.n_closed, 1);
    assert_int_equal(s.g.end, STREAM_EOF);
    SSL_free(ssl);
    SSL_CTX_free(ctx);
    fd = kit_connect(&s.k); /* says nothing */
    clock_fake_advance(&s.k.clock, 11 * NS_PER_SEC);
    kit_turn(&s.k, 4);
    assert_int_equal(s.g.n_refused, 2);
    close(fd);
    finish(&s);
    tls_kit_free(&cert);
}

/* --- datagrams --- */

static bool datagram(void *arg, struct str bytes, bool cut, struct str peer_ip)
{
    struct log *g = arg;

    if (g->hold) {
        udp_listener_pause(g->udp);
        return false;
    }
    buf_printf(&g->text, "%.*s %.8s\n", STR_ARG(peer_ip), bytes.p);
    g->cut += cut;
    return true;
}

static void rest(void *arg, u32 lost)
{
    ((struct log *)arg)->lost += lost;
}

static const struct udp_handler udp = {.datagram = datagram, .rest = rest};

static int udp_connect(struct setup *s)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_DGRAM, 0);

    a.sin_port = htons((uint16_t)atoi(strrchr(udp_listener_addr(s->g.udp).p, ':') + 1));
    assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
    return fd;
}

static void open_udp(struct setup *s, size_t max)
{
    char *err = NULL;

    start(s, NULL);
    assert_int_equal(udp_listener_open(s->k.ls, "udp", "127.0.0.1:0", max, &s->g.udp, &err), 0);
    udp_listener_serve(s->g.udp, s->k.loop, &udp, &s->g);
}

static void close_udp(struct setup *s)
{
    udp_listener_unserve(s->g.udp);
    udp_listener_close(s->g.udp);
    finish(s);
}

static void datagrams_come_one_by_one(void **state)
{
    struct setup s;

    open_udp(&s, 8);
    int fd = udp_connect(&s);
    assert_int_equal(send(fd, "datagr-1", 8, 0), 8);
    assert_int_equal(send(fd, "datagr-2 is too long", 20, 0), 20);
    assert_string_equal(text(&s), "127.0.0.1 datagr-1\n127.0.0.1 datagr-2\n");
    assert_int_equal(s.g.cut, 1);
    s.g.hold = true;
    for (int i = 0; i < 40; i++)
        assert_int_equal(send(fd, "later on", 8, 0), 8);
    kit_turn(&s.k, 4);
    buf_reset(&s.g.text);
    s.g.hold = false;
    udp_listener_resume(s.g.udp);
    kit_turn(&s.k, 4);
    assert_int_equal(s.g.text.n, 40 * strlen("127.0.0.1 later on\n"));
    assert_int_equal(send(fd, "the last", 8, 0), 8);
    buf_reset(&s.g.text);
    udp_listener_unserve(s.g.udp);
    buf_ch(&s.g.text, '\0');
    assert_string_equal(s.g.text.p, "127.0.0.1 the last\n");
    udp_listener_close(s.g.udp);
    close(fd);
    finish(&s);
}

static void losses_are_counted(void **state)
{
    struct setup s;
    static char big[60000];
    int sent = 0;

    open_udp(&s, sizeof(big));
    int fd = udp_connect(&s);
    s.g.hold = true;
    for (int i = 0; i < 200; i++)
        sent += send(fd, big, sizeof(big), 0) == sizeof(big);
    kit_turn(&s.k, 4);
    s.g.hold = false;
    udp_listener_resume(s.g.udp);
    kit_turn(&s.k, 20);
    assert_int_equal(send(fd, "x", 1, 0), 1); /* the count comes with the next one */
    kit_turn(&s.k, 20);
    int got = 0;
    for (size_t i = 0; i < s.g.text.n; i++)
        got += s.g.text.p[i] == '\n';
    assert_true(s.g.lost > 0);
    assert_int_equal(got + (int)s.g.lost, sent + 1);
    close(fd);
    close_udp(&s);
}

static void a_udp_address_changes_hands(void **state)
{
    struct setup s;
    struct udp_listener *second;
    char *err = NULL, *addr;

    open_udp(&s, 100);
    udp_listener_unserve(s.g.udp);
    int port = atoi(strrchr(udp_listener_addr(s.g.udp).p, ':') + 1);
    udp_listener_close(s.g.udp);
    addr = xprintf("127.0.0.1:%d", port);
    assert_int_equal(udp_listener_open(s.k.ls, "udp", addr, 100, &s.g.udp, &err), 0);
    assert_int_equal(udp_listener_open(s.k.ls, "udp", addr, 100, &second, &err), -EADDRINUSE);
    char *want = xprintf("listen udp %s: bind: address already in use", addr);
    assert_string_equal(err, want);
    int fd = udp_connect(&s);
    assert_int_equal(send(fd, "waiting1", 8, 0), 8);
    udp_listener_leave(s.g.udp);
    assert_int_equal(udp_listener_open(s.k.ls, "udp", addr, 100, &second, &err), 0);
    udp_listener_close(s.g.udp);
    s.g.udp = second;
    udp_listener_serve(s.g.udp, s.k.loop, &udp, &s.g);
    assert_string_equal(text(&s), "127.0.0.1 waiting1\n");
    free(err);
    free(want);
    free(addr);
    close(fd);
    close_udp(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_are_gathered),
        cmocka_unit_test(a_paused_connection_loses_nothing),
        cmocka_unit_test(limits_hold),
        cmocka_unit_test(leaving_gives_what_arrived),
        cmocka_unit_test(one_owner_whatever_it_speaks),
        cmocka_unit_test(tls_peers),
        cmocka_unit_test(datagrams_come_one_by_one),
        cmocka_unit_test(losses_are_counted),
        cmocka_unit_test(a_udp_address_changes_hands),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
