/* The client against our own server on one loop: answers, failures by kind, cancelling, freeing,
 * HTTP/2, TLS, dead connections. */
#include <dirent.h>
#include "net/server_kit.h"
#include "net/tls_kit.h"
#include "net/http_client.h"

struct bench {
    struct kit k;
    struct offload *pool;
    struct net *net;
    struct http_client *c;
    struct http_target *t;
    int n_done;
    /* the last result */
    enum http_fail fail;
    int status;
    char error[256], body[4096], header[256], trailer[256];
    size_t body_n;
    /* what done() does */
    struct http_call_handle *cancel;
    bool free_client;
};

static void serve(void *arg, struct http_req *r)
{
    struct bench *b = arg;
    const struct http_header headers[] = {{STR("X-Seen"), http_req_header(r, STR("x-sent"))},
                                          {STR("X-Host"), http_req_header(r, STR("host"))}};

    b->k.n_requests++;
    if (str_is(r->path, "/hold")) {
        b->k.held[b->k.n_held++] = r;
    } else if (str_is(r->path, "/moved")) {
        const struct http_header to[] = {{STR("Location"), STR("/here")}};
        http_respond(r, &(struct http_answer){.status = 307, .headers = to, .n_headers = 1});
    } else if (str_is(r->path, "/trailers")) {
        const struct http_header trailers[] = {{STR("X-Trailer"), STR("end")}};
        http_respond(r,
                     &(struct http_answer){
                         .status = 200, .body = STR("x"), .trailers = trailers, .n_trailers = 1});
    } else {
        char *text = xprintf("%.*s %.*s?%.*s %d %.*s", STR_ARG(r->method), STR_ARG(r->path),
                             STR_ARG(r->query), r->version, STR_ARG(blob_view(r->body)));
        http_respond(r, &(struct http_answer){.status = str_is(r->path, "/404") ? 404 : 200,
                                              .headers = headers,
                                              .n_headers = 2,
                                              .body = str_of(text)});
        free(text);
    }
}

static void serve_gone(void *arg, struct http_req *r)
{
    kit_gone(&((struct bench *)arg)->k, r);
}

static void open_bench(struct bench *b, const struct http_conf *conf,
                       const struct http_target_conf *target)
{
    char *err = NULL;

    b->k.real_time = true;
    b->k.handler = (struct http_handler){.request = serve, .gone = serve_gone};
    kit_open(&b->k, conf);
    b->pool = offload_new(1);
    b->net = net_new(b->pool);
    b->c = http_client_new(b->net, b->k.loop);
    b->t = http_target_new(target, &err);
    if (!b->t) fail_msg("%s", err);
}

static void close_bench(struct bench *b)
{
    if (b->c) http_client_free(b->c);
    http_target_unref(b->t);
    net_free(b->net);
    offload_free(b->pool);
    kit_close(&b->k);
}

static void copy(char *to, size_t cap, struct str s)
{
    (void)snprintf(to, cap, "%.*s", STR_ARG(s));
}

static void on_done(void *arg, const struct http_result *r)
{
    struct bench *b = arg;

    b->n_done++;
    b->fail = r->fail;
    b->status = r->status;
    b->body_n = r->body.n;
    copy(b->error, sizeof(b->error), str_of(r->error));
    copy(b->body, sizeof(b->body), r->body);
    copy(b->header, sizeof(b->header), http_header_get(r->headers, r->n_headers, STR("x-seen")));
    copy(b->trailer, sizeof(b->trailer),
         http_header_get(r->trailers, r->n_trailers, STR("x-trailer")));
    if (b->cancel) http_client_cancel(b->cancel);
    b->cancel = NULL;
    if (b->free_client) http_client_free(b->c);
    if (b->free_client) b->c = NULL;
}

/* kit_open with conf->tls set speaks https */
static struct http_call call_to(struct bench *b, char url[128], const char *scheme,
                                const char *path)
{
    (void)snprintf(url, 128, "%s://127.0.0.1:%d%s", scheme, b->k.port, path);
    return (struct http_call){.target = b->t,
                              .method = STR("GET"),
                              .url = str_of(url),
                              .timeout = 10 * NS_PER_SEC,
                              .max_response = 2048,
                              .done = on_done,
                              .arg = b};
}

static void wait_for(struct bench *b, int n)
{
    for (i64 until = clock_mono(&clock_system) + 60 * NS_PER_SEC;
         b->n_done < n && clock_mono(&clock_system) < until;)
        loop_turn(b->k.loop, NS_PER_SEC);
    assert_int_equal(b->n_done, n);
}

static void get(struct bench *b, const char *scheme, const char *path)
{
    char url[128];
    struct http_call call = call_to(b, url, scheme, path);
    int n = b->n_done;

    assert_non_null(http_client_start(b->c, &call));
    wait_for(b, n + 1);
}

static void sends_and_receives(void **state)
{
    struct bench b = {0};
    char url[128];
    struct iovec parts[] = {
        {(char[]){"one "}, 4}, {(char[]){""}, 0}, {(char[]){"two "}, 4}, {(char[]){"three"}, 5}};
    const struct http_header headers[] = {{STR("X-Sent"), STR("value")}, {STR("X-Empty"), STR("")}};

    open_bench(&b, &(struct http_conf){0}, &(struct http_target_conf){0});
    get(&b, "http", "/a?q=1");
    assert_int_equal(b.fail, HTTP_OK);
    assert_int_equal(b.status, 200);
    assert_string_equal(b.body, "GET /a?q=1 11 ");
    struct http_call call = call_to(&b, url, "http", "/404");
    call.method = STR("POST");
    call.headers = headers;
    call.n_headers = 2;
    call.body = parts;
    call.n_body = 4;
    call.body_len = 13;
    http_client_start(b.c, &call);
    assert_int_equal(http_client_in_flight(b.c), 1);
    wait_for(&b, 2);
    assert_int_equal(b.status, 404);
    assert_string_equal(b.body, "POST /404? 11 one two three");
    assert_string_equal(b.header, "value");
    assert_int_equal(http_client_in_flight(b.c), 0);
    call.method = STR("PUT");
    call.n_body = 1;
    call.body_len = 4;
    http_client_start(b.c, &call);
    wait_for(&b, 3);
    assert_string_equal(b.body, "PUT /404? 11 one ");
    close_bench(&b);
}

static void speaks_http2(void **state)
{
    struct bench b = {0};
    char url[128], *err = NULL;
    struct tls_kit cert = tls_kit_new("IP:127.0.0.1");
    struct tls_server *tls = tls_server_new(
        &(struct tls_conf){.cert_pem = str_of(cert.cert), .key_pem = str_of(cert.key)}, true, &err);

    open_bench(&b, &(struct http_conf){.tls = tls},
               &(struct http_target_conf){.http2 = true, .tls.ca_pem = str_of(cert.cert)});
    get(&b, "https", "/a");
    assert_string_equal(b.body, "GET /a? 20 ");
    get(&b, "https", "/trailers");
    assert_string_equal(b.body, "x");
    assert_string_equal(b.trailer, "end");
    for (int i = 0; i < 20; i++) { /* at once, over what is there */
        struct http_call call = call_to(&b, url, "https", "/many");
        http_client_start(b.c, &call);
    }
    wait_for(&b, 22);
    assert_string_equal(b.body, "GET /many? 20 ");
    close_bench(&b);
    tls_server_unref(tls);
    tls_kit_free(&cert);
}

static void follows_redirects_when_asked(void **state)
{
    struct bench b = {0}, c = {0};

    open_bench(&b, &(struct http_conf){0}, &(struct http_target_conf){.follow_redirects = true});
    get(&b, "http", "/moved");
    assert_string_equal(b.body, "GET /here? 11 ");
    close_bench(&b);
    open_bench(&c, &(struct http_conf){0}, &(struct http_target_conf){0});
    get(&c, "http", "/moved");
    assert_int_equal(c.status, 307);
    close_bench(&c);
}

static void tells_failures_apart(void **state)
{
    struct bench b = {0};
    char url[128];

    open_bench(&b, &(struct http_conf){0}, &(struct http_target_conf){0});
    struct http_call call = call_to(&b, url, "http", "/hold");
    call.timeout = 20 * NS_PER_MS;
    http_client_start(b.c, &call);
    wait_for(&b, 1);
    assert_int_equal(b.fail, HTTP_TIMEOUT);
    assert_string_equal(b.error, "context deadline exceeded");
    while (!b.k.n_gone)
        loop_turn(b.k.loop, NS_PER_SEC); /* the server notices */
    call.url = STR("http://127.0.0.1:1/");
    call.timeout = 0;
    http_client_start(b.c, &call);
    wait_for(&b, 2);
    assert_int_equal(b.fail, HTTP_CONNECT);
    assert_string_equal(b.error, "dial tcp 127.0.0.1:1: connect: connection refused");
    call.url = STR("ftp://127.0.0.1/");
    http_client_start(b.c, &call);
    assert_int_equal(b.n_done, 2); /* never inside start */
    wait_for(&b, 3);
    assert_int_equal(b.fail, HTTP_BROKEN);
    const struct http_header evil[] = {{STR("X-A"), STR("b\r\nX-C: d")}};
    call = call_to(&b, url, "http", "/");
    call.headers = evil;
    call.n_headers = 1;
    http_client_start(b.c, &call);
    wait_for(&b, 4);
    assert_int_equal(b.fail, HTTP_BROKEN);
    get(&b, "https", "/");
    assert_int_equal(b.fail, HTTP_TLS);
    close_bench(&b);
}

static void limits_the_response(void **state)
{
    struct bench b = {0};
    char url[128];

    open_bench(&b, &(struct http_conf){0}, &(struct http_target_conf){0});
    struct http_call call = call_to(&b, url, "http", "/0123456789");
    call.max_response = 8;
    http_client_start(b.c, &call);
    wait_for(&b, 1);
    assert_int_equal(b.fail, HTTP_TOO_LARGE);
    call.truncate = true;
    http_client_start(b.c, &call);
    wait_for(&b, 2);
    assert_int_equal(b.fail, HTTP_OK);
    assert_string_equal(b.body, "GET /012");
    close_bench(&b);
}

static void calls_can_be_cancelled(void **state)
{
    struct bench b = {0};
    char url[128], url2[128];

    open_bench(&b, &(struct http_conf){0}, &(struct http_target_conf){0});
    struct http_call hold = call_to(&b, url, "http", "/hold"),
                     quick = call_to(&b, url2, "http", "/");
    http_client_cancel(http_client_start(b.c, &hold)); /* at once */
    struct http_call_handle *h = http_client_start(b.c, &hold);
    while (!b.k.n_held)
        loop_turn(b.k.loop, NS_PER_SEC);
    http_client_cancel(h); /* on the wire */
    while (!b.k.n_gone)
        loop_turn(b.k.loop, NS_PER_SEC);
    struct http_call bad = quick;
    bad.url = STR("nonsense");
    http_client_cancel(http_client_start(b.c, &bad)); /* about to fail */
    b.cancel = http_client_start(b.c, &hold);
    http_client_start(b.c, &quick);
    wait_for(&b, 1); /* by the callback of another */
    b.cancel = http_client_start(b.c, &quick);
    wait_for(&b, 2); /* by its own, which does nothing */
    assert_int_equal(http_client_in_flight(b.c), 0);
    close_bench(&b);
}

static void a_client_may_be_freed_any_time(void **state)
{
    struct bench b = {0}, d = {0};
    char url[128], url2[128];

    open_bench(&b, &(struct http_conf){0}, &(struct http_target_conf){0});
    struct http_call hold = call_to(&b, url, "http", "/hold");
    for (int i = 0; i < 5; i++)
        http_client_start(b.c, &hold);
    while (b.k.n_held < 3)
        loop_turn(b.k.loop, NS_PER_SEC);
    close_bench(&b);
    assert_int_equal(b.n_done, 0);
    open_bench(&d, &(struct http_conf){0}, &(struct http_target_conf){0});
    hold = call_to(&d, url, "http", "/hold");
    struct http_call quick = call_to(&d, url2, "http", "/");
    http_client_start(d.c, &hold);
    http_client_start(d.c, &quick);
    d.free_client = true;
    wait_for(&d, 1);
    close_bench(&d);
}

static void a_dead_connection_is_replaced(void **state)
{
    struct bench b = {0};
    char url[128];
    struct iovec parts[] = {{(char[]){"one "}, 4}, {(char[]){"two"}, 3}};

    open_bench(&b, &(struct http_conf){.idle_timeout = NS_PER_MS}, &(struct http_target_conf){0});
    struct http_call call = call_to(&b, url, "http", "/");
    call.method = STR("POST");
    call.body = parts;
    call.n_body = 2;
    call.body_len = 7;
    for (int i = 1; i <= 3; i++) {
        http_client_start(b.c, &call);
        wait_for(&b, i);
        assert_string_equal(b.body, "POST /? 11 one two");
        loop_turn(b.k.loop, 5 * NS_PER_MS); /* the server closes it */
        loop_turn(b.k.loop, 5 * NS_PER_MS);
    }
    close_bench(&b);
}

static int open_descriptors(void)
{
    DIR *d = opendir("/proc/self/fd");
    int n = 0;

    assert_non_null(d);
    while (readdir(d))
        n++;
    closedir(d);
    return n;
}

static void get_through(struct bench *b, struct http_client *c)
{
    struct http_client *own = b->c;

    b->c = c;
    get(b, "http", "/");
    b->c = own;
}

/* As after a reload, with workers that each had connections to the old target. */
static void connections_to_a_target_of_the_past_are_closed(void **state)
{
    struct bench b = {0};
    open_bench(&b, &(struct http_conf){0}, &(struct http_target_conf){0});
    struct http_client *other = http_client_new(b.net, b.k.loop);
    char *err = NULL;

    get(&b, "http", "/");
    get_through(&b, other);
    int before = open_descriptors();
    for (int i = 0; i < 5; i++) {
        http_target_unref(b.t);
        b.t = http_target_new(&(struct http_target_conf){0}, &err);
        get(&b, "http", "/");
        get_through(&b, other);
    }
    kit_turn(&b.k, 10);
    assert_int_equal(open_descriptors(), before);
    http_client_free(other);
    close_bench(&b);
}

static void verifies_servers(void **state)
{
    struct tls_kit cert = tls_kit_new("DNS:right.example,IP:127.0.0.1"),
                   other = tls_kit_new("IP:127.0.0.1"), named = tls_kit_new("DNS:right.example");
    char *err = NULL;
    const struct {
        struct tls_kit *server;
        struct tls_conf client;
        enum http_fail want;
    } cases[] = {
        {&cert, {.ca_pem = str_of(cert.cert)}, HTTP_OK},
        {&cert, {.skip_verify = true}, HTTP_OK},
        {&cert, {.skip_verify = false}, HTTP_TLS},
        {&cert, {.ca_pem = str_of(other.cert)}, HTTP_TLS},
        {&named, {.ca_pem = str_of(named.cert)}, HTTP_TLS},
        {&named, {.ca_pem = str_of(named.cert), .server_name = STR("right.example")}, HTTP_OK},
        {&named, {.ca_pem = str_of(named.cert), .server_name = STR("wrong.example")}, HTTP_TLS},
        {&cert, {.ca_pem = str_of(cert.cert), .min = TLS_1_3}, HTTP_OK},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct bench b = {0};
        struct tls_conf server = {.cert_pem = str_of(cases[i].server->cert),
                                  .key_pem = str_of(cases[i].server->key)};
        struct tls_server *tls = tls_server_new(&server, true, &err);
        assert_non_null(tls);
        open_bench(&b, &(struct http_conf){.tls = tls},
                   &(struct http_target_conf){.tls = cases[i].client, .http2 = true});
        tls_server_unref(tls);
        get(&b, "https", "/");
        if (b.fail != cases[i].want) fail_msg("case %zu: fail %d: %s", i, b.fail, b.error);
        if (b.fail == HTTP_OK) assert_string_equal(b.body, "GET /? 20 ");
        close_bench(&b);
    }
    tls_kit_free(&cert);
    tls_kit_free(&other);
    tls_kit_free(&named);
}

static void clients_are_verified(void **state)
{
    struct tls_kit cert = tls_kit_new("IP:127.0.0.1"), client = tls_kit_new("DNS:client");
    char *err = NULL;
    struct tls_conf server = {.cert_pem = str_of(cert.cert),
                              .key_pem = str_of(cert.key),
                              .client_ca_pem = str_of(client.cert),
                              .max = TLS_1_2};
    struct tls_server *tls = tls_server_new(&server, true, &err);
    struct bench with = {0}, without = {0};

    open_bench(&with, &(struct http_conf){.tls = tls},
               &(struct http_target_conf){.tls = {.ca_pem = str_of(cert.cert),
                                                  .cert_pem = str_of(client.cert),
                                                  .key_pem = str_of(client.key)},
                                          .http2 = true});
    get(&with, "https", "/");
    assert_string_equal(with.body, "GET /? 20 ");
    close_bench(&with);
    open_bench(&without, &(struct http_conf){.tls = tls},
               &(struct http_target_conf){.tls = {.ca_pem = str_of(cert.cert)}});
    get(&without, "https", "/");
    assert_int_equal(without.fail, HTTP_TLS);
    close_bench(&without);
    tls_server_unref(tls);
    tls_kit_free(&cert);
    tls_kit_free(&client);
}

static void bad_settings_are_refused(void **state)
{
    struct str suites[] = {STR("TLS_NOT_A_SUITE")}, curves[] = {STR("P9")};
    const struct http_target_conf bad[] = {
        {.tls.ca_pem = STR("no certificate")},
        {.tls = {.ca_file = STR("/nonexistent/ca.pem")}},
        {.tls = {.cert_pem = STR("x")}},
        {.tls = {.min = TLS_1_3, .max = TLS_1_2}},
        {.tls = {.cipher_suites = suites, .n_cipher_suites = 1}},
        {.tls = {.curves = curves, .n_curves = 1}},
        {.proxy_url = STR("ftp://proxy")},
    };

    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        char *err = NULL;
        assert_null(http_target_new(&bad[i], &err));
        assert_non_null(err);
        free(err);
    }
}

/* Our server stands for the proxy: it gets whole URLs, and the headers that are for it. */
static void a_proxy_is_used_but_for_exempt_hosts(void **state)
{
    const struct http_header for_proxy = {STR("X-Sent"), STR("to the proxy")};
    struct bench b = {0};
    char url[128];

    open_bench(&b, &(struct http_conf){0}, &(struct http_target_conf){0});
    char *proxy = xprintf("http://127.0.0.1:%d", b.k.port), *err = NULL;
    http_target_unref(b.t);
    b.t = http_target_new(&(struct http_target_conf){.proxy_url = str_of(proxy),
                                                     .no_proxy = STR("near.invalid,10.0.0.0/8"),
                                                     .proxy_headers = &for_proxy,
                                                     .n_proxy_headers = 1},
                          &err);
    struct http_call call = call_to(&b, url, "http", "/");
    call.url = STR("http://far.invalid/a");
    http_client_start(b.c, &call);
    wait_for(&b, 1);
    assert_int_equal(b.fail, HTTP_OK);
    assert_string_equal(b.header, "to the proxy");
    call.url = STR("http://near.invalid/a");
    http_client_start(b.c, &call);
    wait_for(&b, 2);
    assert_int_equal(b.fail, HTTP_RESOLVE);
    free(proxy);
    close_bench(&b);
}

static void names_are_looked_up(void **state)
{
    struct bench b = {0};
    char url[128], name[256];

    open_bench(&b, &(struct http_conf){0}, &(struct http_target_conf){0});
    assert_int_equal(gethostname(name, sizeof(name)), 0);
    (void)snprintf(url, sizeof(url), "http://localhost:%d/", b.k.port);
    struct http_call call = call_to(&b, (char[128]){0}, "http", "/");
    call.url = str_of(url);
    http_client_start(b.c, &call);
    wait_for(&b, 1);
    assert_int_equal(b.fail, HTTP_OK);
    call.url = STR("http://no_such_host.invalid/");
    call.timeout = 0;
    http_client_start(b.c, &call);
    http_client_cancel(http_client_start(b.c, &call)); /* while it is looked up */
    wait_for(&b, 2);
    assert_int_equal(b.fail, HTTP_RESOLVE);
    close_bench(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sends_and_receives),
        cmocka_unit_test(speaks_http2),
        cmocka_unit_test(follows_redirects_when_asked),
        cmocka_unit_test(tells_failures_apart),
        cmocka_unit_test(limits_the_response),
        cmocka_unit_test(calls_can_be_cancelled),
        cmocka_unit_test(a_client_may_be_freed_any_time),
        cmocka_unit_test(a_dead_connection_is_replaced),
        cmocka_unit_test(connections_to_a_target_of_the_past_are_closed),
        cmocka_unit_test(verifies_servers),
        cmocka_unit_test(clients_are_verified),
        cmocka_unit_test(bad_settings_are_refused),
        cmocka_unit_test(a_proxy_is_used_but_for_exempt_hosts),
        cmocka_unit_test(names_are_looked_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
