/* HTTP/2 on loopback against a client session of nghttp2: requests, limits, floods, resets,
 * deadlines, shutdown. Fake clock. */
#include "net/server_kit.h"
#include <nghttp2/nghttp2.h>

struct answer {
    int status;
    size_t body;
    u32 error;
    bool closed;
    char retry[8], trailer[32];
};

struct peer {
    struct kit *k;
    int fd;
    nghttp2_session *ng;
    struct answer answers[8192]; /* by stream id */
    int n_closed, n_goaway, n_pings;
    u32 goaway;
    bool eof, no_read;
    size_t upload; /* bytes of body still to send */
};

static int on_header(nghttp2_session *ng, const nghttp2_frame *f, const uint8_t *name, size_t n,
                     const uint8_t *v, size_t nv, uint8_t flags, void *arg)
{
    struct peer *p = arg;
    struct answer *a = &p->answers[f->hd.stream_id % 8192];
    struct str key = {(const char *)name, n};

    if (str_is(key, ":status")) a->status = atoi((const char *)v);
    if (str_is(key, "retry-after"))
        (void)snprintf(a->retry, sizeof(a->retry), "%s", (const char *)v);
    if (str_is(key, "x-trailer"))
        (void)snprintf(a->trailer, sizeof(a->trailer), "%s", (const char *)v);
    return 0;
}

static int on_data(nghttp2_session *ng, uint8_t flags, int32_t id, const uint8_t *data, size_t n,
                   void *arg)
{
    ((struct peer *)arg)->answers[id % 8192].body += n;
    return 0;
}

static int on_close(nghttp2_session *ng, int32_t id, uint32_t error, void *arg)
{
    struct peer *p = arg;

    p->answers[id % 8192].closed = true;
    p->answers[id % 8192].error = error;
    p->n_closed++;
    return 0;
}

static int on_frame(nghttp2_session *ng, const nghttp2_frame *f, void *arg)
{
    struct peer *p = arg;

    if (f->hd.type == NGHTTP2_GOAWAY) {
        p->n_goaway++;
        p->goaway = f->goaway.error_code;
    }
    if (f->hd.type == NGHTTP2_PING && !(f->hd.flags & NGHTTP2_FLAG_ACK)) p->n_pings++;
    return 0;
}

/* own_windows: the test alone opens windows. */
static struct peer *peer_make(struct kit *k, bool own_windows)
{
    struct peer *p = xnew(struct peer);
    nghttp2_session_callbacks *cb;
    nghttp2_option *opt;
    const nghttp2_settings_entry iv[] = {{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 1 << 20}};

    p->k = k;
    p->fd = kit_connect(k);
    nghttp2_session_callbacks_new(&cb);
    nghttp2_session_callbacks_set_on_header_callback(cb, on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(cb, on_data);
    nghttp2_session_callbacks_set_on_stream_close_callback(cb, on_close);
    nghttp2_session_callbacks_set_on_frame_recv_callback(cb, on_frame);
    nghttp2_option_new(&opt);
    nghttp2_option_set_max_send_header_block_length(opt, 1 << 20);
    nghttp2_option_set_max_outbound_ack(opt, 100000);
    nghttp2_option_set_no_auto_window_update(opt, own_windows);
    nghttp2_session_client_new2(&p->ng, cb, p, opt);
    nghttp2_option_del(opt);
    nghttp2_session_callbacks_del(cb);
    nghttp2_submit_settings(p->ng, 0, iv, 1);
    return p;
}

static struct peer *peer_new(struct kit *k)
{
    return peer_make(k, false);
}

static void peer_free(struct peer *p)
{
    nghttp2_session_del(p->ng);
    close(p->fd);
    free(p);
}

/* Moves bytes both ways until nothing moves. */
static void talk(struct peer *p)
{
    const uint8_t *out;
    uint8_t in[65536];
    ssize_t n;

    for (int idle = 0; idle < 4; idle++) {
        while ((n = nghttp2_session_mem_send(p->ng, &out)) > 0) {
            if (!kit_send(p->k, p->fd, (const char *)out, (size_t)n)) p->eof = true;
            if (p->eof) return;
        }
        while (!p->no_read && (n = recv(p->fd, in, sizeof(in), 0)) >= 0) {
            if (n == 0) p->eof = true;
            if (n == 0) return;
            nghttp2_session_mem_recv(p->ng, in, (size_t)n);
            idle = 0;
        }
        kit_turn(p->k, 2);
    }
}

#define NV(name_, value_)                                                                          \
    {                                                                                              \
        (uint8_t *)(uintptr_t)(name_), (uint8_t *)(uintptr_t)(value_), strlen(name_),              \
            strlen(value_), NGHTTP2_NV_FLAG_NONE                                                   \
    }

static ssize_t read_upload(nghttp2_session *ng, int32_t id, uint8_t *buf, size_t room,
                           uint32_t *flags, nghttp2_data_source *src, void *arg)
{
    struct peer *p = arg;
    size_t n = MIN(room, p->upload);

    memset(buf, 'x', n);
    p->upload -= n;
    if (p->upload == 0 && src->fd == 0) *flags |= NGHTTP2_DATA_FLAG_EOF;
    return n == 0 && src->fd ? NGHTTP2_ERR_DEFERRED : (ssize_t)n;
}

/* open: the body does not end */
static int post(struct peer *p, const char *path, size_t upload, bool open)
{
    const nghttp2_nv nv[] = {NV(":method", "POST"), NV(":scheme", "http"), NV(":path", path),
                             NV(":authority", "h")};
    nghttp2_data_provider body = {.source.fd = open, .read_callback = read_upload};

    p->upload = upload;
    return nghttp2_submit_request(p->ng, NULL, nv, 4, &body, NULL);
}

static int get(struct peer *p, const char *path)
{
    const nghttp2_nv nv[] = {NV(":method", "GET"), NV(":scheme", "http"), NV(":path", path),
                             NV(":authority", "h")};

    return nghttp2_submit_request(p->ng, NULL, nv, 4, NULL, NULL);
}

static void answers_many_streams(void **state)
{
    struct kit k = {0};

    kit_open(&k, &(struct http_conf){.max_body = 4 << 20});
    struct peer *p = peer_new(&k);
    for (int i = 0; i < 100; i++)
        get(p, "/a%20b?x");
    talk(p);
    assert_int_equal(p->n_closed, 100);
    assert_int_equal(p->answers[199].status, 200);
    assert_int_equal(p->answers[199].body, strlen("GET /a b 0\n"));
    int id = post(p, "/up", 3 << 20, false);
    talk(p);
    assert_int_equal(k.last_body, 3 << 20);
    assert_int_equal(p->answers[id].status, 200);
    peer_free(p);
    kit_close(&k);
    assert_int_equal(k.n_gone, 0);
}

static void limits_hold(void **state)
{
    struct kit k = {0};
    struct budget budget;
    char *big = xcalloc(1, 5001);

    memset(big, 'a', 5000);
    budget_init(&budget, 150000);
    kit_open(&k,
             &(struct http_conf){.max_body = 100000, .max_header_bytes = 4096, .budget = &budget});
    struct peer *p = peer_new(&k);
    int large = post(p, "/", 100001, false);
    talk(p);
    assert_int_equal(p->answers[large].status, 413);
    atomic_store(&budget.limit, 50000);
    int much = post(p, "/", 60000, false);
    talk(p);
    assert_int_equal(p->answers[much].status, 503);
    assert_string_equal(p->answers[much].retry, "1");
    const nghttp2_nv nv[] = {NV(":method", "GET"), NV(":scheme", "http"), NV(":path", "/"),
                             NV(":authority", "h"), NV("x-big", big)};
    int head = nghttp2_submit_request(p->ng, NULL, nv, 5, NULL, NULL);
    int odd = get(p, "/%zz");
    int fine = get(p, "/fine");
    talk(p);
    assert_int_equal(p->answers[head].status, 431);
    assert_int_equal(p->answers[odd].status, 400);
    assert_int_equal(p->answers[fine].status, 200);
    assert_int_equal(budget_used(&budget), 0);
    peer_free(p);
    kit_close(&k);
    assert_int_equal(k.n_requests, 1);
    free(big);
}

static void resets_are_told_and_floods_end(void **state)
{
    struct kit k = {.hold = true};

    kit_open(&k, &(struct http_conf){0});
    struct peer *p = peer_new(&k);
    int id = get(p, "/");
    talk(p);
    assert_int_equal(k.n_requests, 1);
    nghttp2_submit_rst_stream(p->ng, 0, id, NGHTTP2_CANCEL);
    talk(p);
    assert_int_equal(k.n_gone, 1);
    k.hold = false;
    for (int i = 0; i < 40 && !p->eof; i++) { /* CVE-2023-44487: opened and reset at once */
        struct buf b = BUF_INIT(1 << 20);
        const uint8_t *out;
        for (int j = 0; j < 50; j++) {
            id = get(p, "/");
            for (ssize_t n; (n = nghttp2_session_mem_send(p->ng, &out)) > 0;)
                buf_add(&b, out, (size_t)n);
            nghttp2_submit_rst_stream(p->ng, 0, id, NGHTTP2_CANCEL);
        }
        p->eof = !kit_send(&k, p->fd, b.p, b.n);
        buf_done(&b);
        talk(p);
    }
    talk(p);
    assert_true(p->eof);
    assert_true(k.n_requests < 1200);
    peer_free(p);
    kit_close(&k);
}

static void flood(int (*one)(struct peer *p))
{
    struct kit k = {0};

    kit_open(&k, &(struct http_conf){0});
    struct peer *p = peer_new(&k);
    for (int i = 0; i < 2000 && !p->eof; i++) {
        one(p);
        if (i % 100 == 0) talk(p);
    }
    talk(p);
    assert_true(p->eof);
    assert_int_equal(p->goaway, NGHTTP2_ENHANCE_YOUR_CALM);
    peer_free(p);
    kit_close(&k);
}

static int one_ping(struct peer *p)
{
    return nghttp2_submit_ping(p->ng, 0, NULL);
}

static int one_settings(struct peer *p)
{
    return nghttp2_submit_settings(p->ng, 0, NULL, 0);
}

static void pings_and_settings_are_limited(void **state)
{
    flood(one_ping);
    flood(one_settings);
}

static void raw(const char *bytes, size_t n)
{
    struct kit k = {0};
    bool closed;

    kit_open(&k, &(struct http_conf){0});
    int fd = kit_connect(&k);
    kit_send(&k, fd, bytes, n);
    free(kit_read(&k, fd, &closed));
    assert_true(closed);
    close(fd);
    kit_close(&k);
    assert_int_equal(k.n_requests, 0);
}

static void malformed_input_ends_the_connection(void **state)
{
    static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0";
    struct buf b = BUF_INIT(1 << 20);

    raw("PRI * HTTP/2.1\r\n\r\nSM\r\n\r\n", 24);
    buf_add(&b, preface, sizeof(preface) - 1);
    buf_add(&b, "\0\0\5\1\4\0\0\0\1\xff\xff\xff\xff\xff", 14); /* no HPACK */
    raw(b.p, b.n);
    buf_truncate(&b, sizeof(preface) - 1);
    buf_add(&b, "\xff\xff\xff\0\0\0\0\0\1", 9); /* a frame over the limit */
    raw(b.p, b.n);
    buf_truncate(&b, sizeof(preface) - 1);
    buf_add(&b, "\0\0\1\1\0\0\0\0\1\x82",
            10); /* HEADERS without end, and CONTINUATION for ever: CVE-2024-28182 */
    for (int i = 0; i < 100; i++)
        buf_add(&b, "\0\0\1\x09\0\0\0\0\1\x84", 10);
    raw(b.p, b.n);
    buf_done(&b);
}

static void slow_streams_are_cut(void **state)
{
    struct kit k = {.hold = true};

    kit_open(&k, &(struct http_conf){
                     .min_body_rate = 100, .write_timeout = 10 * NS_PER_SEC, .idle_timeout = -1});
    struct peer *p = peer_new(&k);
    int id = post(p, "/slow", 1000, true);
    talk(p);
    for (int i = 0; i < 6; i++) {
        clock_fake_advance(&k.clock, 5 * NS_PER_SEC);
        talk(p);
    }
    assert_true(p->answers[id].closed);
    assert_int_equal(p->answers[id].error, NGHTTP2_CANCEL);
    id = get(p, "/waits"); /* a handler may take its time */
    talk(p);
    clock_fake_advance(&k.clock, 100 * NS_PER_SEC);
    talk(p);
    assert_false(p->answers[id].closed);
    kit_answer(k.held[0]);
    talk(p);
    assert_int_equal(p->answers[id].status, 200);
    peer_free(p);
    kit_close(&k);
}

static void idle_and_old_connections_are_sent_away(void **state)
{
    struct kit k = {.hold = true};

    kit_open(&k, &(struct http_conf){.idle_timeout = 10 * NS_PER_SEC,
                                     .max_conn_age = 100 * NS_PER_SEC,
                                     .max_conn_age_grace = 30 * NS_PER_SEC});
    struct peer *idle = peer_new(&k), *old = peer_new(&k);
    talk(idle);
    get(old, "/held");
    talk(old);
    clock_fake_advance(&k.clock, 11 * NS_PER_SEC);
    talk(idle);
    assert_true(idle->eof && idle->n_goaway > 0 && idle->goaway == NGHTTP2_NO_ERROR);
    clock_fake_advance(&k.clock, 100 * NS_PER_SEC);
    talk(old);
    assert_true(!old->eof && old->n_goaway > 0);
    clock_fake_advance(&k.clock, 31 * NS_PER_SEC);
    talk(old);
    assert_true(old->eof);
    assert_int_equal(k.n_gone, 1);
    peer_free(idle);
    peer_free(old);
    kit_close(&k);
}

static void keepalive_pings(void **state)
{
    struct kit k = {.hold = true};

    kit_open(&k, &(struct http_conf){.idle_timeout = -1,
                                     .ping_every = 10 * NS_PER_SEC,
                                     .ping_timeout = 5 * NS_PER_SEC});
    struct peer *p = peer_new(&k);
    talk(p);
    clock_fake_advance(&k.clock, 11 * NS_PER_SEC);
    talk(p);
    assert_int_equal(p->n_pings, 1);
    clock_fake_advance(&k.clock, 6 * NS_PER_SEC);
    talk(p);
    assert_false(p->eof); /* it was answered */
    p->no_read = true;
    clock_fake_advance(&k.clock, 11 * NS_PER_SEC);
    talk(p);
    clock_fake_advance(&k.clock, 6 * NS_PER_SEC);
    talk(p);
    p->no_read = false;
    talk(p);
    assert_true(p->eof);
    peer_free(p);
    kit_close(&k);
}

static void impatient_pingers_are_told(void **state)
{
    struct kit k = {0};

    kit_open(&k, &(struct http_conf){.ping_min_interval = 60 * NS_PER_SEC});
    struct peer *p = peer_new(&k);
    for (int i = 0; i < 3; i++) {
        one_ping(p);
        talk(p);
    }
    assert_false(p->eof);
    one_ping(p);
    talk(p);
    assert_true(p->eof);
    assert_int_equal(p->goaway, NGHTTP2_ENHANCE_YOUR_CALM);
    peer_free(p);
    kit_close(&k);
}

static void leaving_lets_streams_finish(void **state)
{
    struct kit k = {.hold = true};

    kit_open(&k, &(struct http_conf){0});
    struct peer *busy = peer_new(&k), *idle = peer_new(&k);
    talk(idle);
    int id = get(busy, "/");
    talk(busy);
    http_listener_unserve(k.l, k.loop, 10 * NS_PER_SEC, kit_unserved, &k);
    talk(busy);
    talk(idle);
    assert_true(idle->eof);
    assert_false(busy->eof);
    assert_true(busy->n_goaway > 0);
    kit_answer(k.held[0]);
    talk(busy);
    assert_int_equal(busy->answers[id].status, 200);
    assert_true(busy->eof);
    peer_free(busy);
    peer_free(idle);
    kit_turn(&k, 4);
    assert_int_equal(k.unserved, 1);
    http_listener_close(k.l);
    listeners_free(k.ls);
    loop_free(k.loop);
}

static void the_window_of_a_client_is_respected(void **state)
{
    struct kit k = {.hold = true};
    struct blob *big = blob_new(8 << 20, NULL);

    kit_open(&k, &(struct http_conf){0});
    memset(big->p, 'x', big->cap);
    big->n = big->cap;
    struct peer *p = peer_new(&k);
    int id = get(p, "/");
    talk(p);
    http_respond(k.held[0], &(struct http_answer){
                                .status = 200,
                                .blob = big,
                                .trailers = (struct http_header[]){{STR("x-trailer"), STR("end")}},
                                .n_trailers = 1});
    for (int i = 0; i < 200 && !p->answers[id].closed; i++)
        talk(p);
    assert_int_equal(p->answers[id].body, 8 << 20);
    assert_string_equal(p->answers[id].trailer, "end");
    peer_free(p);
    kit_close(&k);
    assert_int_equal(atomic_load(&big->refs.n), 1);
    blob_unref(big);
}

/* --- answers that go on --- */

struct live {
    struct kit kit; /* first: the handler's arg */
    struct http_stream *stream;
    int n_lost;
};

static void on_lost(void *arg)
{
    struct live *l = arg;

    l->stream = NULL;
    l->n_lost++;
}

static void begin(void *arg, struct http_req *r)
{
    struct live *l = arg;

    l->stream = http_stream_begin(
        r, &(struct http_stream_conf){
               .head = {.status = 200}, .max_pending = 64 * 1024, .gone = on_lost, .arg = l});
}

static void a_live_answer_goes_on(void **state)
{
    struct live l = {.kit.handler.request = begin};

    kit_open(&l.kit, &(struct http_conf){.idle_timeout = NS_PER_SEC});
    struct peer *p = peer_new(&l.kit);
    int id = get(p, "/live");
    talk(p);
    assert_int_equal(p->answers[id].status, 200);
    for (int i = 1; i <= 50; i++) {
        assert_true(http_stream_write(l.stream, STR("piece")));
        talk(p);
        clock_fake_advance(&l.kit.clock, 40 * NS_PER_SEC); /* silence is no fault */
        talk(p);
        assert_int_equal(p->answers[id].body, 5 * i);
    }
    assert_true(http_stream_write(l.stream, STR("last")));
    http_stream_end(l.stream);
    talk(p);
    assert_true(p->answers[id].closed);
    assert_int_equal(p->answers[id].error, NGHTTP2_NO_ERROR);
    assert_int_equal(p->answers[id].body, 254);
    assert_int_equal(l.n_lost, 0);
    id = get(p, "/left");
    talk(p);
    nghttp2_submit_rst_stream(p->ng, 0, id, NGHTTP2_CANCEL);
    talk(p);
    assert_int_equal(l.n_lost, 1);
    get(p, "/ends");
    talk(p);
    http_stream_end(l.stream); /* with nothing written */
    talk(p);
    get(p, "/cut");
    talk(p);
    peer_free(p);
    kit_turn(&l.kit, 4);
    assert_int_equal(l.n_lost, 2);
    kit_close(&l.kit);
}

/* A stream whose window the client does not open holds up neither the others nor memory. */
static void a_live_answer_is_bounded(void **state)
{
    struct live l = {.kit.handler.request = begin};
    char piece[4096];
    size_t taken = 0;

    memset(piece, 'x', sizeof(piece));
    kit_open(&l.kit, &(struct http_conf){.write_timeout = 10 * NS_PER_SEC});
    struct peer *p = peer_make(&l.kit, true);
    nghttp2_submit_settings(
        p->ng, 0, (nghttp2_settings_entry[]){{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 9}}, 1);
    int id = get(p, "/live");
    talk(p);
    while (http_stream_write(l.stream, str_n(piece, sizeof(piece))))
        taken += sizeof(piece);
    assert_true(taken <= 64 * 1024);
    talk(p);
    assert_int_equal(p->answers[id].body, 9);
    for (int i = 0; i < 10; i++) {
        clock_fake_advance(&l.kit.clock, 7 * NS_PER_SEC);
        nghttp2_submit_window_update(p->ng, 0, id, 100);
        talk(p);
    }
    assert_int_equal(p->answers[id].body, 1009);
    assert_int_equal(l.n_lost, 0);
    for (int i = 0; i < 3; i++) {
        clock_fake_advance(&l.kit.clock, 6 * NS_PER_SEC);
        talk(p);
    }
    assert_int_equal(l.n_lost, 1);
    assert_int_equal(p->answers[id].error, NGHTTP2_CANCEL);
    peer_free(p);
    kit_close(&l.kit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_many_streams),
        cmocka_unit_test(limits_hold),
        cmocka_unit_test(resets_are_told_and_floods_end),
        cmocka_unit_test(pings_and_settings_are_limited),
        cmocka_unit_test(malformed_input_ends_the_connection),
        cmocka_unit_test(slow_streams_are_cut),
        cmocka_unit_test(idle_and_old_connections_are_sent_away),
        cmocka_unit_test(keepalive_pings),
        cmocka_unit_test(impatient_pingers_are_told),
        cmocka_unit_test(leaving_lets_streams_finish),
        cmocka_unit_test(the_window_of_a_client_is_respected),
        cmocka_unit_test(a_live_answer_goes_on),
        cmocka_unit_test(a_live_answer_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
