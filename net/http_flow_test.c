/* Answers in pieces, from our own server on one loop: order and completeness, pauses that reach the
 * server, silence, ends of every kind, calls given up from within their callbacks, Unix sockets. */
#include "net/server_kit.h"
#include "net/tls_kit.h"
#include "net/http_client.h"

struct world {
    struct kit k; /* first: the handler's arg */
    struct offload *pool;
    struct net *net;
    struct http_client *c;
    struct http_target *t;
    struct http_stream *stream;
    int n_lost;
    /* what the client was told */
    struct http_call_handle *h;
    int n_heads, n_done, head_status;
    struct buf got;
    struct http_result last;
    char error[256], body[256];
    /* what the callbacks do */
    size_t take; /* at most so many bytes a call */
    bool cancel_in_head, cancel_in_data, free_in_data, pause_in_data;
};

static void on_lost(void *arg)
{
    struct world *w = arg;

    w->stream = NULL;
    w->n_lost++;
}

static void serve(void *arg, struct http_req *r)
{
    struct world *w = arg;

    if (str_is(r->path, "/live")) {
        w->stream = http_stream_begin(
            r, &(struct http_stream_conf){
                   .head = {.status = 200}, .max_pending = 64 * 1024, .gone = on_lost, .arg = w});
    } else if (str_is(r->path, "/moved")) {
        const struct http_header to[] = {{STR("Location"), STR("/live")}};
        http_respond(r, &(struct http_answer){
                            .status = 307, .headers = to, .n_headers = 1, .body = STR("gone")});
    } else {
        http_respond_text(r, 404, STR("no such container, whatever you say"));
    }
}

static void open_world(struct world *w, const struct http_conf *conf,
                       const struct http_target_conf *target)
{
    char *err = NULL;

    w->k.real_time = true;
    w->k.handler.request = serve;
    kit_open(&w->k, conf);
    w->pool = offload_new(1);
    w->net = net_new(w->pool);
    w->c = http_client_new(w->net, w->k.loop);
    w->t = http_target_new(target, &err);
    if (!w->t) fail_msg("%s", err);
    buf_init(&w->got, 64 << 20);
    w->take = SIZE_MAX;
}

static void close_world(struct world *w)
{
    if (w->c) http_client_free(w->c);
    http_target_unref(w->t);
    kit_turn(&w->k, 4);
    if (w->stream) http_stream_end(w->stream);
    net_free(w->net);
    offload_free(w->pool);
    kit_close(&w->k);
    buf_done(&w->got);
}

static void on_head(void *arg, const struct http_result *r)
{
    struct world *w = arg;

    w->n_heads++;
    w->head_status = r->status;
    assert_true(http_header_get(r->headers, r->n_headers, STR("date")).n > 0);
    if (w->cancel_in_head) http_client_cancel(w->h);
}

static size_t on_data(void *arg, const char *p, size_t n)
{
    struct world *w = arg;
    size_t take = MIN(n, w->take);

    assert_true(n > 0);
    assert_int_equal(w->n_heads, 1);
    assert_int_equal(w->n_done, 0);
    buf_add(&w->got, p, take);
    if (w->cancel_in_data) http_client_cancel(w->h);
    if (w->pause_in_data) http_call_pause(w->h);
    if (w->free_in_data) http_client_free(w->c);
    if (w->free_in_data) w->c = NULL;
    return take;
}

static void on_done(void *arg, const struct http_result *r)
{
    struct world *w = arg;

    w->n_done++;
    w->last = *r;
    (void)snprintf(w->error, sizeof(w->error), "%s", r->error ? r->error : "");
    (void)snprintf(w->body, sizeof(w->body), STR_FMT, STR_ARG(r->body));
}

static void start_at(struct world *w, const char *base, const char *path, i64 idle)
{
    char *url = xprintf("%s%s", base, path);

    w->h = http_client_start(w->c, &(struct http_call){.target = w->t,
                                                       .url = str_of(url),
                                                       .max_response = 16,
                                                       .truncate = true,
                                                       .data = on_data,
                                                       .head = on_head,
                                                       .idle_timeout = idle,
                                                       .done = on_done,
                                                       .arg = w});
    free(url);
}

static void start(struct world *w, const char *path, i64 idle)
{
    char base[64];

    (void)snprintf(base, sizeof(base), "http://127.0.0.1:%d", w->k.port);
    start_at(w, base, path, idle);
}

#define await(w, condition)                                                                        \
    do {                                                                                           \
        i64 until = clock_mono(&clock_system) + 60 * NS_PER_SEC;                                   \
        while (!(condition) && clock_mono(&clock_system) < until)                                  \
            loop_turn((w)->k.loop, 100 * NS_PER_MS);                                               \
        if (!(condition)) fail_msg("in vain: %s", #condition);                                     \
    } while (0)

/* n bytes that tell their place, as fast as the client takes them, up to `turns` turns. Returns how
 * many the server could write. */
static size_t pour(struct world *w, size_t from, size_t n, int turns)
{
    size_t sent = from;

    while (sent < from + n && turns > 0 && w->stream) {
        char piece[8192];
        for (size_t i = 0; i < sizeof(piece); i++)
            piece[i] = (char)((sent + i) * 2654435761U >> 13);
        if (http_stream_write(w->stream, str_n(piece, sizeof(piece))))
            sent += sizeof(piece);
        else
            turns--;
        loop_turn(w->k.loop, 0);
    }
    return sent - from;
}

static void expect_poured(struct world *w, size_t n)
{
    assert_int_equal(w->got.n, n);
    for (size_t i = 0; i < n; i++)
        if (w->got.p[i] != (char)(i * 2654435761U >> 13)) fail_msg("wrong at %zu", i);
}

static void pieces_come_as_they_are_sent(void **state)
{
    struct world w = {0};

    open_world(&w, &(struct http_conf){0}, &(struct http_target_conf){0});
    start(&w, "/live", 0);
    await(&w, w.n_heads == 1); /* before any of the body */
    assert_int_equal(w.head_status, 200);
    http_stream_write(w.stream, STR("one "));
    await(&w, w.got.n == 4);
    http_stream_write(w.stream, STR("two"));
    await(&w, w.got.n == 7);
    http_stream_end(w.stream);
    w.stream = NULL;
    await(&w, w.n_done == 1);
    assert_memory_equal(w.got.p, "one two", 7);
    assert_int_equal(w.last.fail, HTTP_OK);
    assert_int_equal(w.last.status, 200);
    assert_int_equal(w.last.body.n, 0);
    close_world(&w);
}

static void a_pause_reaches_the_server(void **state)
{
    struct world w = {0};
    enum { MUCH = 32 << 20 };

    open_world(&w, &(struct http_conf){0}, &(struct http_target_conf){0});
    start(&w, "/live", 0);
    await(&w, w.stream);
    http_call_pause(w.h);
    size_t sent = pour(&w, 0, MUCH, 2000);
    assert_true(sent < MUCH / 2); /* sockets' buffers, and little more */
    assert_int_equal(w.got.n, 0);
    w.take = 1000; /* a caller that takes little: each refusal is a pause */
    for (size_t had = 0; had < 300000; had = w.got.n) {
        http_call_resume(w.h);
        assert_int_equal(w.got.n, had); /* never from within */
        await(&w, w.got.n > had);
        assert_true(w.got.n - had <= 2000); /* the last of what waited, and the next */
    }
    w.take = SIZE_MAX;
    http_call_resume(w.h);
    sent += pour(&w, sent, MUCH - sent, 100000);
    assert_int_equal(sent, MUCH);
    http_stream_end(w.stream);
    w.stream = NULL;
    await(&w, w.n_done == 1);
    expect_poured(&w, sent);
    assert_int_equal(w.last.fail, HTTP_OK);
    close_world(&w);
}

static void the_end_waits_for_the_last_byte(void **state)
{
    struct world w = {0};

    open_world(&w, &(struct http_conf){0}, &(struct http_target_conf){0});
    start(&w, "/live", 0);
    await(&w, w.stream);
    w.take = 2;
    http_stream_write(w.stream, STR("four"));
    http_stream_end(w.stream);
    w.stream = NULL;
    await(&w, w.got.n == 2);
    kit_turn(&w.k, 20);
    assert_int_equal(w.n_done, 0);
    w.pause_in_data = true; /* took all, and wants to be asked before it hears of the end */
    http_call_resume(w.h);
    await(&w, w.got.n == 4);
    kit_turn(&w.k, 20);
    assert_int_equal(w.n_done, 0);
    http_call_resume(w.h);
    await(&w, w.n_done == 1);
    assert_int_equal(w.last.fail, HTTP_OK);
    close_world(&w);
}

static void errors_are_gathered(void **state)
{
    struct world w = {0};

    open_world(&w, &(struct http_conf){0}, &(struct http_target_conf){0});
    start(&w, "/404", 0);
    await(&w, w.n_done == 1);
    assert_int_equal(w.n_heads, 1);
    assert_int_equal(w.head_status, 404);
    assert_int_equal(w.last.status, 404);
    assert_string_equal(w.body, "no such containe");
    assert_int_equal(w.got.n, 0);
    close_world(&w);
}

static void redirects_are_not_the_answer(void **state)
{
    struct world w = {0};

    open_world(&w, &(struct http_conf){0}, &(struct http_target_conf){.follow_redirects = true});
    start(&w, "/moved", 0);
    await(&w, w.n_heads == 1);
    assert_int_equal(w.head_status, 200);
    http_stream_write(w.stream, STR("here"));
    await(&w, w.got.n == 4);
    close_world(&w);
}

static void silence_ends_a_call(void **state)
{
    struct world w = {0};

    open_world(&w, &(struct http_conf){0}, &(struct http_target_conf){0});
    start(&w, "/live", 400 * NS_PER_MS);
    await(&w, w.stream);
    for (int i = 0; i < 5; i++) { /* a byte in time keeps it alive */
        i64 until = clock_mono(&clock_system) + 100 * NS_PER_MS;
        http_stream_write(w.stream, STR("."));
        while (clock_mono(&clock_system) < until)
            loop_turn(w.k.loop, NS_PER_MS);
        assert_int_equal(w.n_done, 0);
    }
    await(&w, w.n_done == 1);
    assert_int_equal(w.last.fail, HTTP_TIMEOUT);
    assert_string_equal(w.error, "nothing came for too long");
    assert_int_equal(w.got.n, 5);
    await(&w, w.n_lost == 1);
    close_world(&w);
}

static void a_pause_is_no_silence(void **state)
{
    struct world w = {0};

    open_world(&w, &(struct http_conf){0}, &(struct http_target_conf){0});
    start(&w, "/live", 20 * NS_PER_MS);
    http_call_pause(w.h);
    await(&w, w.stream);
    for (i64 until = clock_mono(&clock_system) + 60 * NS_PER_MS; clock_mono(&clock_system) < until;)
        loop_turn(w.k.loop, NS_PER_MS);
    assert_int_equal(w.n_done, 0);
    http_call_resume(w.h);
    await(&w, w.n_done == 1);
    assert_int_equal(w.last.fail, HTTP_TIMEOUT);
    close_world(&w);
}

static void a_cut_connection_is_told_after_what_came(void **state)
{
    struct world w = {0};

    open_world(&w, &(struct http_conf){.write_timeout = 20 * NS_PER_MS},
               &(struct http_target_conf){0});
    start(&w, "/live", 0);
    await(&w, w.stream);
    http_call_pause(w.h);
    size_t sent = pour(&w, 0, 32 << 20, 1000);
    await(&w, w.n_lost == 1); /* the server had enough of us */
    http_call_resume(w.h);
    await(&w, w.n_done == 1);
    assert_int_equal(w.last.fail, HTTP_BROKEN);
    assert_true(w.got.n > 64 * 1024 && w.got.n < sent);
    expect_poured(&w, w.got.n);
    close_world(&w);
}

static void callbacks_may_give_up(void **state)
{
    for (int i = 0; i < 4; i++) {
        struct world w = {0};
        open_world(&w, &(struct http_conf){0}, &(struct http_target_conf){0});
        w.cancel_in_head = i == 0;
        w.cancel_in_data = i == 1;
        w.free_in_data = i == 2;
        start(&w, "/live", 0);
        await(&w, w.stream || w.n_lost);
        if (w.stream) http_stream_write(w.stream, STR("bytes"));
        if (i == 3) { /* paused, resumed and cancelled in one turn */
            await(&w, w.got.n);
            http_call_pause(w.h);
            http_call_resume(w.h);
            http_client_cancel(w.h);
        }
        await(&w, w.n_lost == 1);
        kit_turn(&w.k, 5);
        assert_int_equal(w.n_done, 0);
        assert_int_equal(w.got.n, i == 0 ? 0 : 5);
        if (w.c) assert_int_equal(http_client_in_flight(w.c), 0);
        close_world(&w);
    }
}

static void http2_flows_too(void **state)
{
    struct world w = {0};
    struct tls_kit cert = tls_kit_new("IP:127.0.0.1");
    char *err = NULL, base[64];
    struct tls_server *tls = tls_server_new(
        &(struct tls_conf){.cert_pem = str_of(cert.cert), .key_pem = str_of(cert.key)}, true, &err);
    enum { MUCH = 4 << 20 };

    open_world(&w, &(struct http_conf){.tls = tls},
               &(struct http_target_conf){.http2 = true, .tls.ca_pem = str_of(cert.cert)});
    (void)snprintf(base, sizeof(base), "https://127.0.0.1:%d", w.k.port);
    start_at(&w, base, "/live", 0);
    await(&w, w.stream);
    w.take = 5000;
    size_t sent = pour(&w, 0, 1 << 20, 1000);
    w.take = SIZE_MAX;
    http_call_resume(w.h);
    sent += pour(&w, sent, MUCH - sent, 100000);
    http_stream_end(w.stream);
    w.stream = NULL;
    await(&w, w.n_done == 1);
    expect_poured(&w, MUCH);
    close_world(&w);
    tls_server_unref(tls);
    tls_kit_free(&cert);
}

/* A listener on a socket's path, served by the same handler. */
static void unix_sockets_are_called(void **state)
{
    struct world w = {0};
    char dir[] = "/tmp/weir_flow_XXXXXX", *err = NULL;
    struct http_listener *l;

    assert_non_null(mkdtemp(dir));
    char *path = xprintf("%s/engine.sock", dir);
    char *addr = xprintf("unix:%s", path);
    open_world(&w, &(struct http_conf){0},
               &(struct http_target_conf){.unix_socket = str_of(path), .proxy_from_env = true});
    start_at(&w, "http://docker", "/live", 0);
    await(&w, w.n_done == 1);
    assert_int_equal(w.last.fail, HTTP_CONNECT);
    char *want = xprintf("dial unix %s: connect: no such file or directory", path);
    assert_string_equal(w.error, want);
    assert_int_equal(http_listener_open(w.k.ls, "tcp", addr, &(struct http_conf){0}, &l, &err), 0);
    http_listener_serve(l, w.k.loop, &w.k.handler, &w);
    w.n_done = 0;
    start_at(&w, "http://docker", "/live", 0);
    await(&w, w.stream);
    http_stream_write(w.stream, STR("through the socket"));
    await(&w, w.got.n == 18);
    http_client_cancel(w.h);
    await(&w, w.n_lost == 1);
    http_client_free(w.c);
    w.c = NULL;
    int before = w.k.unserved;
    http_listener_unserve(l, w.k.loop, 0, kit_unserved, &w.k);
    await(&w, w.k.unserved > before);
    w.k.unserved = 0;
    http_listener_close(l);
    close_world(&w);
    (void)rmdir(dir);
    free(want);
    free(addr);
    free(path);
}

static void a_path_has_its_limit(void **state)
{
    char *err = NULL, path[200];

    memset(path, 'x', sizeof(path));
    assert_null(http_target_new(
        &(struct http_target_conf){.unix_socket = str_n(path, sizeof(path))}, &err));
    assert_non_null(strstr(err, "at most 107 bytes"));
    free(err);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_come_as_they_are_sent),
        cmocka_unit_test(a_pause_reaches_the_server),
        cmocka_unit_test(the_end_waits_for_the_last_byte),
        cmocka_unit_test(errors_are_gathered),
        cmocka_unit_test(redirects_are_not_the_answer),
        cmocka_unit_test(silence_ends_a_call),
        cmocka_unit_test(a_pause_is_no_silence),
        cmocka_unit_test(a_cut_connection_is_told_after_what_came),
        cmocka_unit_test(callbacks_may_give_up),
        cmocka_unit_test(http2_flows_too),
        cmocka_unit_test(unix_sockets_are_called),
        cmocka_unit_test(a_path_has_its_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
