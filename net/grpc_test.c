/* gRPC: status on the wire, and calls between our client and our server over h2c on loopback. */
#include "net/server_kit.h"
#include "base/digest.h"
#include "net/grpc_private.h"
#include "net/tls_kit.h"

/* --- status --- */

static void a_status_survives_the_wire(void **state)
{
    struct buf b = BUF_INIT(1024);
    struct grpc_status s = {.code = GRPC_UNAVAILABLE,
                            .message = STR("try later"),
                            .retry_delay = 1500 * NS_PER_MS},
                       back;

    grpc_status_encode(&s, &b);
    assert_int_equal(grpc_status_decode(buf_view(&b), &back), 0);
    assert_int_equal(back.code, GRPC_UNAVAILABLE);
    assert_true(str_is(back.message, "try later"));
    assert_int_equal(back.retry_delay, 1500 * NS_PER_MS);
    assert_int_equal(back.details.n, b.n);
    for (size_t n = 1; n < b.n; n++) { /* any cut is an error, or a shorter status; never a crash */
        int r = grpc_status_decode(str_n(b.p, n), &back);
        assert_true(r == 0 || r == -EBADMSG);
    }
    buf_done(&b);
    assert_int_equal(grpc_status_decode((struct str){0}, &back), 0);
    assert_int_equal(back.code, GRPC_OK);
    assert_int_equal(grpc_status_decode(STR("\x0d"
                                            "aaaa"),
                                        &back),
                     -EBADMSG);
}

static void messages_are_percent_encoded(void **state)
{
    struct buf b = BUF_INIT(1024), d = BUF_INIT(1024);

    grpc_message_encode(&b, STR("50% \xc3\xbc\n~"));
    assert_true(str_is(buf_view(&b), "50%25 %C3%BC%0A~"));
    grpc_message_decode(&d, buf_view(&b));
    assert_true(str_is(buf_view(&d), "50% \xc3\xbc\n~"));
    buf_reset(&d);
    grpc_message_decode(&d, STR("%zz%4%"));
    assert_true(str_is(buf_view(&d), "%zz%4%"));
    buf_done(&b);
    buf_done(&d);
}

static void paths_are_split(void **state)
{
    struct str service, method;

    assert_true(grpc_split_path(STR("/a.b.C/Export"), &service, &method));
    assert_true(str_is(service, "a.b.C") && str_is(method, "Export"));
    assert_false(grpc_split_path(STR("/nothing"), &service, &method));
}

/* --- calls --- */

struct world {
    struct kit k;
    struct offload *pool;
    struct net *net;
    struct http_client *c;
    struct http_target *t;
    int n_done;
    enum grpc_code code;
    char text[512], message[4096];
    size_t message_n;
    i64 delay;
    size_t limit;
    struct budget budget;
    const char *scheme, *host;
    bool fake; /* time */
};

static void serve(void *arg, struct http_req *r)
{
    struct world *w = arg;
    struct blob *message = NULL;
    struct grpc_status s = grpc_read_message(r, w->limit, NULL, &message);

    if (s.code == GRPC_OK && str_is(r->path, "/x/Fail"))
        s = (struct grpc_status){.code = GRPC_RESOURCE_EXHAUSTED,
                                 .message = STR("full: 100%"),
                                 .retry_delay = 2 * NS_PER_SEC};
    if (s.code == GRPC_OK && str_is(r->path, "/x/Hold")) {
        w->k.held[w->k.n_held++] = r;
        blob_unref(message);
        return;
    }
    if (str_is(r->path, "/x/Http"))
        http_respond_text(r, 404, STR("not here\n"));
    else if (str_is(r->path, "/x/Naked"))
        http_respond(r, &(struct http_answer){.status = 200, .body = STR("x")});
    else
        grpc_respond(r, &s, message ? blob_view(message) : (struct str){0});
    blob_unref(message);
}

static void too_large(void *arg, struct http_req *r)
{
    struct world *w = arg;
    struct grpc_status s = grpc_too_large(r, w->limit);

    grpc_respond(r, &s, (struct str){0});
}

static void gone(void *arg, struct http_req *r)
{
    kit_gone(&((struct world *)arg)->k, r);
}

static void open_world_with(struct world *w, struct tls_server *tls,
                            const struct http_target_conf *target)
{
    char *err = NULL;

    w->limit = 100000;
    w->k.real_time = !w->fake;
    w->k.handler = (struct http_handler){.request = serve, .too_large = too_large, .gone = gone};
    budget_init(&w->budget, 250000);
    kit_open(&w->k, &(struct http_conf){
                        .max_body = w->limit, .h2_only = true, .tls = tls, .budget = &w->budget});
    w->scheme = tls ? "https" : "http";
    w->pool = offload_new(1);
    w->net = net_new(w->pool);
    w->c = http_client_new(w->net, w->k.loop);
    w->t = http_target_new(target, &err);
    if (!w->t) fail_msg("%s", err);
}

static void open_world(struct world *w)
{
    open_world_with(w, NULL, &(struct http_target_conf){0});
}

static void close_world(struct world *w)
{
    http_client_free(w->c);
    http_target_unref(w->t);
    net_free(w->net);
    offload_free(w->pool);
    kit_close(&w->k);
}

static void on_done(void *arg, const struct grpc_status *s, struct str message, i64 elapsed)
{
    struct world *w = arg;

    w->n_done++;
    w->code = s->code;
    w->delay = s->retry_delay;
    w->message_n = message.n;
    (void)snprintf(w->text, sizeof(w->text), "%.*s", STR_ARG(s->message));
    (void)snprintf(w->message, sizeof(w->message), "%.*s", STR_ARG(message));
}

static void turn_until(struct world *w, int n)
{
    for (i64 until = clock_mono(&clock_system) + 60 * NS_PER_SEC;
         w->n_done < n && clock_mono(&clock_system) < until;)
        loop_turn(w->k.loop, NS_PER_SEC);
    assert_int_equal(w->n_done, n);
}

static struct grpc_call_handle *start(struct world *w, const char *path, struct str message,
                                      enum codec codec, i64 timeout)
{
    char url[128];
    struct iovec v = {(void *)(uintptr_t)message.p, message.n};
    struct iovec *kept = xmemdup(&v, sizeof(v));
    struct grpc_call call = {.target = w->t,
                             .message = kept,
                             .n_message = 1,
                             .message_len = message.n,
                             .codec = codec,
                             .timeout = timeout,
                             .max_response = 50000,
                             .done = on_done,
                             .arg = w};

    (void)snprintf(url, sizeof(url), "%s://%s:%d%s", w->scheme, w->host ? w->host : "127.0.0.1",
                   w->k.port, path);
    call.url = str_of(url);
    struct grpc_call_handle *g = grpc_start(w->c, &call);
    free(kept); /* grpc_start copies the vector, not what it points to */
    return g;
}

static void call(struct world *w, const char *path, struct str message, enum codec codec)
{
    int n = w->n_done;

    assert_non_null(start(w, path, message, codec, 10 * NS_PER_SEC));
    turn_until(w, n + 1);
}

static void echoes(void **state)
{
    struct world w = {0};

    open_world(&w);
    call(&w, "/x/Echo", STR("hello"), CODEC_NONE);
    assert_int_equal(w.code, GRPC_OK);
    assert_string_equal(w.message, "hello");
    call(&w, "/x/Echo", (struct str){0}, CODEC_NONE);
    assert_int_equal(w.code, GRPC_OK);
    assert_int_equal(w.message_n, 0);
    close_world(&w);
}

static void compresses_both_ways(void **state)
{
    static const enum codec codecs[] = {CODEC_GZIP, CODEC_ZSTD, CODEC_SNAPPY_FRAMED};
    struct world w = {0};

    open_world(&w);
    for (size_t i = 0; i < ARRAY_LEN(codecs); i++) {
        struct buf b = BUF_INIT(1 << 16);
        assert_int_equal(
            codec_compress(codecs[i], CODEC_LEVEL_DEFAULT, STR("hello hello hello hello"), &b), 0);
        call(&w, "/x/Echo", buf_view(&b), codecs[i]);
        if (w.code != GRPC_OK) fail_msg("%s: %s", codec_name(codecs[i]), w.text);
        assert_string_equal(w.message, "hello hello hello hello");
        buf_done(&b);
    }
    call(&w, "/x/Echo", STR("this is no gzip"), CODEC_GZIP);
    assert_int_equal(w.code, GRPC_INTERNAL);
    close_world(&w);
}

static void statuses_arrive(void **state)
{
    struct world w = {0};

    open_world(&w);
    call(&w, "/x/Fail", STR("x"), CODEC_NONE);
    assert_int_equal(w.code, GRPC_RESOURCE_EXHAUSTED);
    assert_string_equal(w.text, "full: 100%");
    assert_int_equal(w.delay, 2 * NS_PER_SEC);
    call(&w, "/x/Http", STR("x"), CODEC_NONE);
    assert_int_equal(w.code, GRPC_UNIMPLEMENTED);
    assert_non_null(
        strstr(w.text, "unexpected HTTP status code received from server: 404 (Not Found)"));
    call(&w, "/x/Naked", STR("x"), CODEC_NONE); /* not even a content-type */
    assert_int_equal(w.code, GRPC_UNKNOWN);
    call(&w, "/malformed", STR("x"), CODEC_NONE);
    assert_int_equal(w.code, GRPC_UNIMPLEMENTED);
    assert_string_equal(w.text, "malformed method name: \"/malformed\"");
    close_world(&w);
}

static void sizes_are_limited(void **state)
{
    struct world w = {0};
    char *big = xcalloc(1, 200000);
    struct buf bomb = BUF_INIT(1 << 20);

    open_world(&w);
    call(&w, "/x/Echo", str_n(big, 100001), CODEC_NONE);
    if (w.code != GRPC_RESOURCE_EXHAUSTED) fail_msg("%s", w.text);
    assert_int_equal(w.code, GRPC_RESOURCE_EXHAUSTED);
    assert_string_equal(w.text, "grpc: received message larger than max (100001 vs. 100000)");
    call(&w, "/x/Echo", str_n(big, 60000), CODEC_NONE); /* fine to send, too much to get back */
    assert_int_equal(w.code, GRPC_RESOURCE_EXHAUSTED);
    assert_string_equal(w.text, "grpc: received message larger than max (60000 vs. 50000)");
    codec_compress(CODEC_GZIP, CODEC_LEVEL_DEFAULT, str_n(big, 200000), &bomb);
    call(&w, "/x/Echo", buf_view(&bomb), CODEC_GZIP);
    assert_int_equal(w.code, GRPC_RESOURCE_EXHAUSTED);
    assert_string_equal(w.text,
                        "grpc: message after decompression larger than max (100001 vs. 100000)");
    atomic_store(&w.budget.limit, 1000);
    call(&w, "/x/Echo", str_n(big, 2000), CODEC_NONE);
    assert_int_equal(w.code, GRPC_UNAVAILABLE);
    assert_int_equal(w.delay, NS_PER_SEC);
    assert_int_equal(budget_used(&w.budget), 0);
    buf_done(&bomb);
    free(big);
    close_world(&w);
}

static void deadlines_and_failures_have_their_codes(void **state)
{
    struct world w = {0};

    open_world(&w);
    start(&w, "/x/Hold", STR("x"), CODEC_NONE, 300 * NS_PER_MS);
    turn_until(&w, 1);
    assert_int_equal(w.code, GRPC_DEADLINE_EXCEEDED);
    assert_string_equal(w.text, "context deadline exceeded");
    while (!w.k.n_gone)
        loop_turn(w.k.loop, NS_PER_SEC);
    grpc_cancel(start(&w, "/x/Echo", STR("x"), CODEC_NONE, 0));
    int port = w.k.port;
    w.k.port = 1;
    call(&w, "/x/Echo", STR("x"), CODEC_NONE);
    w.k.port = port;
    assert_int_equal(w.code, GRPC_UNAVAILABLE);
    assert_string_equal(w.text, "connection error: desc = \"transport: Error while dialing: dial "
                                "tcp 127.0.0.1:1: connect: connection refused\"");
    close_world(&w);
}

/* --- many calls at once, and servers that misbehave: the answers are scripted, frame by frame ---
 */

struct many {
    struct world *w;
    int n_left, n_ok, n_other;
    char message[64];
};

static void on_one_of_many(void *arg, const struct grpc_status *s, struct str message, i64 elapsed)
{
    struct many *m = arg;
    bool right = s->code == GRPC_OK && message.n >= 5 && memcmp(message.p, "hello", 5) == 0;

    m->w->n_done++;
    m->n_ok += right;
    m->n_other += !right;
    if (m->n_left-- <= 0) return;
    char url[64];
    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%d/x/Echo", m->w->k.port);
    static char body[40000] = "hello";
    struct iovec v[2] = {{body, (size_t)(5 + m->n_left % 17 * 2000)}, {body, 3}};
    grpc_start(m->w->c, &(struct grpc_call){.target = m->w->t,
                                            .url = str_of(url),
                                            .message = v,
                                            .n_message = 2,
                                            .message_len = v[0].iov_len + 3,
                                            .timeout = 60 * NS_PER_SEC,
                                            .max_response = 50000,
                                            .done = on_one_of_many,
                                            .arg = m});
}

/* Ten at a time on one connection, each answer with its trailers, bodies of many sizes both ways.
 */
static void no_trailers_are_lost_under_concurrency(void **state)
{
    struct world w = {0};

    open_world(&w);
    atomic_store(&w.budget.limit, 64 << 20);
    struct many m = {.w = &w, .n_left = 3000};
    for (int i = 0; i < 10; i++)
        on_one_of_many(&m, &(struct grpc_status){.code = GRPC_OK}, STR("hello"), 0);
    turn_until(&w, 3010);
    assert_int_equal(m.n_other, 0);
    assert_int_equal(m.n_ok, 3010);
    assert_int_equal(http_client_in_flight(w.c), 0);
    close_world(&w);
}

static void frame(struct buf *b, u8 type, u8 flags, u32 id, struct str payload)
{
    const u8 head[9] = {(u8)(payload.n >> 16), (u8)(payload.n >> 8), (u8)payload.n, type,  flags,
                        (u8)(id >> 24),        (u8)(id >> 16),       (u8)(id >> 8), (u8)id};

    buf_add(b, head, sizeof(head));
    buf_str(b, payload);
}

/* HPACK without Huffman or table. */
static struct str field(struct buf *b, const char *name, const char *value)
{
    buf_ch(b, 0);
    buf_ch(b, (char)strlen(name));
    buf_cstr(b, name);
    buf_ch(b, (char)strlen(value));
    buf_cstr(b, value);
    return buf_view(b);
}

enum { DATA = 0, HEADERS = 1, RST = 3, SETTINGS = 4, GOAWAY = 7, END = 1, END_HEADERS = 4 };

/* A server on a socket of the test: greets each connection, and sends `answer` once the request's
 * end has arrived. */
struct script {
    struct world w;
    int listener, n_conns;
    struct buf answers[4]; /* for the first, second .. connection; the last one repeats */
    int n_answers;
    bool close_after;
};

static void script_open(struct script *s)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof(in);

    open_world(&s->w);
    s->listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    assert_int_equal(bind(s->listener, (struct sockaddr *)&in, n), 0);
    assert_int_equal(listen(s->listener, 4), 0);
    getsockname(s->listener, (struct sockaddr *)&in, &n);
    s->w.k.port = ntohs(in.sin_port);
    for (size_t i = 0; i < ARRAY_LEN(s->answers); i++)
        buf_init(&s->answers[i], 1 << 16);
}

static void script_close(struct script *s, int kept_port)
{
    close(s->listener);
    s->w.k.port = kept_port;
    close_world(&s->w);
    for (size_t i = 0; i < ARRAY_LEN(s->answers); i++)
        buf_done(&s->answers[i]);
}

/* The request's DATA frame ends with this; small requests come in one piece. */
static bool saw_end(const struct buf *b, const char *mark)
{
    return str_find(buf_view(b), str_of(mark)) >= 0;
}

static void script_run(struct script *s, int want)
{
    int fd = -1;
    struct buf seen = BUF_INIT(1 << 20);

    while (s->w.n_done < want) {
        loop_turn(s->w.k.loop, 5 * NS_PER_MS);
        if (fd < 0) {
            fd = accept(s->listener, NULL, NULL);
            if (fd < 0) continue;
            fcntl(fd, F_SETFL, O_NONBLOCK);
            s->n_conns++;
            assert_int_equal(send(fd, "\0\0\0\4\0\0\0\0\0", 9, MSG_NOSIGNAL), 9); /* SETTINGS */
        }
        ssize_t n = recv(fd, buf_reserve(&seen, 65536), 65536, 0);
        if (n > 0) buf_commit(&seen, (size_t)n);
        if (!saw_end(&seen, "MARK")) continue;
        const struct buf *a = &s->answers[MIN(s->n_conns, s->n_answers) - 1];
        assert_int_equal(send(fd, a->p, a->n, MSG_NOSIGNAL), a->n);
        buf_reset(&seen);
        if (!s->close_after) continue;
        close(fd);
        fd = -1;
    }
    buf_done(&seen);
    if (fd >= 0) close(fd);
}

static void add_answer(struct buf *b, u32 id, bool trailers)
{
    struct buf head = BUF_INIT(1024), tail = BUF_INIT(1024);

    buf_ch(&head, (char)0x88); /* :status 200 */
    frame(b, HEADERS, END_HEADERS, id, field(&head, "content-type", "application/grpc"));
    frame(b, DATA, trailers ? 0 : END, id, str_n("\0\0\0\0\2ok", 7));
    if (trailers) frame(b, HEADERS, END_HEADERS | END, id, field(&tail, "grpc-status", "0"));
    buf_done(&head);
    buf_done(&tail);
}

/* One call against one scripted answer. */
static void script_once(struct script *s)
{
    int port;

    s->n_answers = MAX(s->n_answers, 1);
    port = s->w.k.port;
    start(&s->w, "/x/Any", STR("MARK"), CODEC_NONE, 5 * NS_PER_SEC);
    script_run(s, 1);
    s->w.k.port = port;
}

static void expect(void (*fill)(struct script *s), enum grpc_code code, const char *text, int conns)
{
    struct script s = {0};

    script_open(&s);
    int port = s.w.k.port;
    fill(&s);
    script_once(&s);
    if (s.w.code != code || strcmp(s.w.text, text) != 0)
        fail_msg("%s: %s", grpc_code_name(s.w.code), s.w.text);
    assert_int_equal(s.n_conns, conns);
    script_close(&s, port);
}

static void whole(struct script *s)
{
    add_answer(&s->answers[0], 1, true);
}

static void no_trailers(struct script *s)
{
    add_answer(&s->answers[0], 1, false);
}

static void closes(struct script *s)
{
    s->close_after = true;
}

static void resets_with_internal_error(struct script *s)
{
    frame(&s->answers[0], RST, 0, 1, str_n("\0\0\0\2", 4));
}

static void resets_with_cancel(struct script *s)
{
    frame(&s->answers[0], RST, 0, 1, str_n("\0\0\0\10", 4));
}

/* The call is sent again by itself, on the same connection or, after GOAWAY, on a new one. */
static void refuses_once(struct script *s)
{
    frame(&s->answers[0], GOAWAY, 0, 0, str_n("\0\0\0\0\0\0\0\0", 8));
    s->close_after = true;
    add_answer(&s->answers[1], 1, true);
    s->n_answers = 2;
}

static void answers_and_leaves(struct script *s)
{
    frame(&s->answers[0], GOAWAY, 0, 0, str_n("\0\0\0\1\0\0\0\0", 8));
    add_answer(&s->answers[0], 1, true);
    s->close_after = true;
}

static void answers_and_closes(struct script *s)
{
    add_answer(&s->answers[0], 1, true);
    s->close_after = true;
}

static void turns_to_http1(struct script *s)
{
    buf_cstr(&s->answers[0], "HTTP/1.1 400 Bad Request\r\n\r\n");
}

static void only_a_finished_answer_without_trailers_is_for_good(void **state)
{
    expect(whole, GRPC_OK, "", 1);
    expect(no_trailers, GRPC_INTERNAL, "server closed the stream without sending trailers", 1);
    expect(closes, GRPC_UNAVAILABLE, "error reading from server: EOF", 1);
    expect(resets_with_internal_error, GRPC_UNAVAILABLE,
           "stream terminated by RST_STREAM with error code: INTERNAL_ERROR", 1);
    expect(resets_with_cancel, GRPC_CANCELED,
           "stream terminated by RST_STREAM with error code: CANCEL", 1);
    expect(refuses_once, GRPC_OK, "", 2);
    expect(answers_and_leaves, GRPC_OK, "", 1);
    expect(answers_and_closes, GRPC_OK, "", 1);
    expect(turns_to_http1, GRPC_UNAVAILABLE, "the server does not keep to HTTP/2", 1);
}

/* The server answers and leaves the rest of the request unread (its windows are the default 64
 * KiB): the answer counts. */
static void an_early_answer_counts(void **state)
{
    struct script s = {.n_answers = 1};
    char *big = xcalloc(1, 300000);

    script_open(&s);
    int port = s.w.k.port;
    memcpy(big, "MARK", 4);
    add_answer(&s.answers[0], 1, true);
    start(&s.w, "/x/Any", str_n(big, 300000), CODEC_NONE, 5 * NS_PER_SEC);
    script_run(&s, 1);
    assert_int_equal(s.w.code, GRPC_OK);
    script_close(&s, port);
    free(big);
}

static void pass(struct script *s, i64 ns)
{
    clock_fake_advance(&s->w.k.clock, ns);
    for (int i = 0; i < 10; i++)
        loop_turn(s->w.k.loop, NS_PER_MS);
}

/* The server greets and then says nothing at all: the connection counts as lost, and the call may
 * be tried again. */
static void silence_ends_a_connection(void **state)
{
    struct script s = {.w.fake = true};
    char *err = NULL;
    int fd = -1;

    script_open(&s);
    int port = s.w.k.port;
    http_target_unref(s.w.t);
    s.w.t = http_target_new(&(struct http_target_conf){.keepalive_ping_every = 30 * NS_PER_SEC,
                                                       .keepalive_ping_timeout = 2 * NS_PER_SEC},
                            &err);
    start(&s.w, "/x/Any", STR("nothing"), CODEC_NONE, 0);
    while ((fd = accept(s.listener, NULL, NULL)) < 0)
        pass(&s, 0);
    assert_int_equal(send(fd, "\0\0\0\4\0\0\0\0\0", 9, MSG_NOSIGNAL), 9);
    pass(&s, 0);
    pass(&s, 29 * NS_PER_SEC);
    pass(&s, 2 * NS_PER_SEC); /* pinged */
    assert_int_equal(s.w.n_done, 0);
    pass(&s, 3 * NS_PER_SEC);
    assert_int_equal(s.w.n_done, 1);
    assert_int_equal(s.w.code, GRPC_UNAVAILABLE);
    assert_string_equal(s.w.text, "keepalive ping failed to receive ACK within timeout");
    close(fd);
    script_close(&s, port);
}

static void tls_is_verified(void **state)
{
    struct tls_kit cert = tls_kit_new("DNS:right.example,IP:127.0.0.1"),
                   other = tls_kit_new("IP:127.0.0.1");
    char *err = NULL;
    struct tls_server *tls = tls_server_new(
        &(struct tls_conf){.cert_pem = str_of(cert.cert), .key_pem = str_of(cert.key)}, true, &err);
    const struct {
        struct tls_conf client;
        enum grpc_code code;
    } rows[] = {
        {{.ca_pem = str_of(cert.cert)}, GRPC_OK},
        {{.ca_pem = str_of(cert.cert), .server_name = STR("right.example")}, GRPC_OK},
        {{.ca_pem = str_of(cert.cert), .server_name = STR("wrong.example")}, GRPC_UNAVAILABLE},
        {{.ca_pem = str_of(other.cert)}, GRPC_UNAVAILABLE},
        {{.skip_verify = true}, GRPC_OK},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct world w = {0};
        char *big = xcalloc(1, 90000);
        open_world_with(&w, tls, &(struct http_target_conf){.tls = rows[i].client});
        call(&w, "/x/Echo", STR("hello"), CODEC_NONE);
        if (w.code != rows[i].code) fail_msg("%zu: %s", i, w.text);
        if (w.code != GRPC_OK)
            assert_non_null(strstr(
                w.text, "authentication handshake failed: tls: failed to verify certificate"));
        call(&w, "/x/Echo", str_n(big, 45000), CODEC_NONE);
        assert_int_equal(w.code, rows[i].code);
        close_world(&w);
        free(big);
    }
    tls_server_unref(tls);
    tls_kit_free(&cert);
    tls_kit_free(&other);
}

/* "localhost" has two addresses, of which one answers. */
static void addresses_are_used_in_turns(void **state)
{
    for (int rr = 0; rr < 2; rr++) {
        struct world w = {.host = "localhost"};
        open_world_with(&w, NULL,
                        &(struct http_target_conf){.round_robin = rr, .wait_for_ready = true});
        for (int i = 0; i < 5; i++) {
            call(&w, "/x/Echo", STR("hello"), CODEC_NONE);
            if (w.code != GRPC_OK) fail_msg("%s", w.text);
        }
        close_world(&w);
    }
}

static void a_call_that_waits_ends_with_its_deadline(void **state)
{
    struct world w = {0};

    open_world_with(&w, NULL, &(struct http_target_conf){.wait_for_ready = true});
    int port = w.k.port;
    w.k.port = 1;
    start(&w, "/x/Echo", STR("x"), CODEC_NONE, 100 * NS_PER_MS);
    turn_until(&w, 1);
    w.k.port = port;
    assert_int_equal(w.code, GRPC_DEADLINE_EXCEEDED);
    close_world(&w);
}

static void headers_that_cannot_be_sent_are_for_good(void **state)
{
    struct world w = {0};
    char url[64];
    const struct http_header bad = {STR("x y"), STR("v")};

    open_world(&w);
    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%d/x/Echo", w.k.port);
    struct grpc_call c = {.target = w.t,
                          .url = str_of(url),
                          .metadata = &bad,
                          .n_metadata = 1,
                          .max_response = 100,
                          .done = on_done,
                          .arg = &w};
    grpc_start(w.c, &c);
    turn_until(&w, 1);
    assert_int_equal(w.code, GRPC_INTERNAL);
    grpc_cancel(grpc_start(w.c, &c));
    loop_turn(w.k.loop, 0);
    assert_int_equal(w.n_done, 1);
    close_world(&w);
}

static void free_client(void *arg, const struct grpc_status *s, struct str message, i64 elapsed)
{
    struct world *w = arg;

    on_done(arg, s, message, elapsed);
    http_client_free(w->c);
    w->c = NULL;
}

/* With other calls under way, and inside an answer's callback. */
static void a_client_may_go_at_any_time(void **state)
{
    struct world w = {0};
    char url[64];

    open_world(&w);
    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%d/x/Echo", w.k.port);
    struct grpc_call c = {
        .target = w.t, .url = str_of(url), .max_response = 100, .done = free_client, .arg = &w};
    grpc_start(w.c, &c);
    for (int i = 0; i < 5; i++)
        start(&w, "/x/Hold", STR("x"), CODEC_NONE, 10 * NS_PER_SEC);
    turn_until(&w, 1);
    for (int i = 0; i < 20; i++)
        loop_turn(w.k.loop, NS_PER_MS);
    assert_int_equal(w.n_done, 1);
    close_world(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_status_survives_the_wire),
        cmocka_unit_test(messages_are_percent_encoded),
        cmocka_unit_test(paths_are_split),
        cmocka_unit_test(echoes),
        cmocka_unit_test(compresses_both_ways),
        cmocka_unit_test(statuses_arrive),
        cmocka_unit_test(sizes_are_limited),
        cmocka_unit_test(no_trailers_are_lost_under_concurrency),
        cmocka_unit_test(only_a_finished_answer_without_trailers_is_for_good),
        cmocka_unit_test(an_early_answer_counts),
        cmocka_unit_test(silence_ends_a_connection),
        cmocka_unit_test(tls_is_verified),
        cmocka_unit_test(addresses_are_used_in_turns),
        cmocka_unit_test(a_call_that_waits_ends_with_its_deadline),
        cmocka_unit_test(headers_that_cannot_be_sent_are_for_good),
        cmocka_unit_test(a_client_may_go_at_any_time),
        cmocka_unit_test(deadlines_and_failures_have_their_codes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
