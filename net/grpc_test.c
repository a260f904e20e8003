/* gRPC: status on the wire, and calls between our client and our server over h2c on loopback. */
#include "net/server_kit.h"
#include "base/digest.h"
#include "net/grpc_private.h"

/* --- status --- */

static void a_status_survives_the_wire(void **state)
{
    struct buf b = BUF_INIT(1024);
    struct grpc_status s = {.code = GRPC_UNAVAILABLE, .message = STR("try later"), .retry_delay = 1500 * NS_PER_MS}, back;

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
    assert_int_equal(grpc_status_decode(STR("\x0d" "aaaa"), &back), -EBADMSG);
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
};

static void serve(void *arg, struct http_req *r)
{
    struct world *w = arg;
    struct blob *message = NULL;
    struct grpc_status s = grpc_read_message(r, w->limit, NULL, &message);

    if (s.code == GRPC_OK && str_is(r->path, "/x/Fail"))
        s = (struct grpc_status){.code = GRPC_RESOURCE_EXHAUSTED, .message = STR("full: 100%"), .retry_delay = 2 * NS_PER_SEC};
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

static void open_world(struct world *w)
{
    char *err = NULL;

    w->limit = 100000;
    w->k.real_time = true;
    w->k.handler = (struct http_handler){.request = serve, .too_large = too_large, .gone = gone};
    budget_init(&w->budget, 250000);
    kit_open(&w->k, &(struct http_conf){.max_body = w->limit, .h2_only = true, .budget = &w->budget});
    w->pool = offload_new(1);
    w->net = net_new(w->pool);
    w->c = http_client_new(w->net, w->k.loop);
    w->t = http_target_new(&(struct http_target_conf){.h2c = true}, &err);
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
    for (i64 until = clock_mono(&clock_system) + 15 * NS_PER_SEC; w->n_done < n && clock_mono(&clock_system) < until;) loop_turn(w->k.loop, NS_PER_SEC);
    assert_int_equal(w->n_done, n);
}

static struct grpc_call_handle *start(struct world *w, const char *path, struct str message, enum codec codec, i64 timeout)
{
    char url[128];
    struct iovec v = {(void *)(uintptr_t)message.p, message.n};
    struct iovec *kept = xmemdup(&v, sizeof(v));
    struct grpc_call call = {.target = w->t, .message = kept, .n_message = 1, .message_len = message.n, .codec = codec, .timeout = timeout, .max_response = 50000, .done = on_done, .arg = w};

    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%d%s", w->k.port, path);
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
        assert_int_equal(codec_compress(codecs[i], CODEC_LEVEL_DEFAULT, STR("hello hello hello hello"), &b), 0);
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
    assert_non_null(strstr(w.text, "unexpected HTTP status code received from server: 404 (Not Found)"));
    call(&w, "/x/Naked", STR("x"), CODEC_NONE);
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
    assert_string_equal(w.text, "grpc: message after decompression larger than max (100001 vs. 100000)");
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
    while (!w.k.n_gone) loop_turn(w.k.loop, NS_PER_SEC);
    grpc_cancel(start(&w, "/x/Echo", STR("x"), CODEC_NONE, 0));
    int port = w.k.port;
    w.k.port = 1;
    call(&w, "/x/Echo", STR("x"), CODEC_NONE);
    w.k.port = port;
    assert_int_equal(w.code, GRPC_UNAVAILABLE);
    assert_string_equal(w.text, "connection error: desc = \"transport: Error while dialing: dial tcp 127.0.0.1:1: connect: connection refused\"");
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
        cmocka_unit_test(deadlines_and_failures_have_their_codes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
