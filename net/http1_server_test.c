/* HTTP/1 on loopback under a fake clock: requests in any pieces, bodies, limits, timeouts, early
 * answers, closing. */
#include "net/server_kit.h"

static void answers_a_request(void **state)
{
    struct kit k = {0};

    kit_open(&k, &(struct http_conf){0});
    int fd = kit_connect(&k);
    kit_put(&k, fd, "GET /a%20b?x=1 HTTP/1.1\r\nHost: h\r\n\r\n");
    bool closed;
    char *text = kit_read(&k, fd, &closed);
    assert_string_equal(text, "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nDate: "
                              "Sun, 06 Nov 1994 08:49:37 GMT\r\n"
                              "Content-Length: 11\r\n\r\nGET /a b 0\n");
    assert_false(closed);
    free(text);
    kit_put(&k, fd, "HEAD / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    text = kit_read(&k, fd, &closed);
    assert_non_null(strstr(text, "Connection: close\r\n\r\n"));
    assert_null(strstr(text, "HEAD /"));
    assert_true(closed);
    free(text);
    close(fd);
    kit_close(&k);
}

static void takes_a_request_byte_by_byte(void **state)
{
    static const char text[] =
        "\r\nPOST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello"
        "POST /y HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: "
        "chunked\r\n\r\n3\r\nabc\r\n4;x=y\r\ndefg\r\n0\r\nTrailer: t\r\n\r\n";
    struct kit k = {0};

    kit_open(&k, &(struct http_conf){0});
    int fd = kit_connect(&k);
    for (size_t i = 0; i < sizeof(text) - 1; i++) {
        assert_int_equal(send(fd, text + i, 1, 0), 1);
        kit_turn(&k, 2);
    }
    assert_int_equal(k.n_requests, 2);
    assert_int_equal(k.last_body, 7);
    kit_expect(&k, fd, "POST /y 7\n", false);
    close(fd);
    kit_close(&k);
}

static void pipelined_requests_are_answered_in_turn(void **state)
{
    struct kit k = {.hold = true};

    kit_open(&k, &(struct http_conf){0});
    int fd = kit_connect(&k);
    kit_put(&k, fd,
            "GET /1 HTTP/1.1\r\nHost: h\r\n\r\nPOST /2 HTTP/1.1\r\nHost: h\r\nContent-Length: "
            "3\r\n\r\nabcGET /3 HTTP/1.1\r\nHost: h\r\n\r\n");
    for (int i = 0; i < 3; i++) {
        assert_int_equal(k.n_requests, i + 1);
        kit_answer(k.held[i]);
        kit_turn(&k, 3);
    }
    kit_expect(&k, fd, "GET /3 0\n", false);
    close(fd);
    kit_close(&k);
    assert_int_equal(k.n_gone, 0);
}

static void reads_large_bodies(void **state)
{
    struct kit k = {0};
    size_t n = 5 << 20;
    char *body = xcalloc(1, n);
    struct budget budget;

    budget_init(&budget, 8 << 20);
    kit_open(&k, &(struct http_conf){.max_body = n, .budget = &budget});
    int fd = kit_connect(&k);
    for (int i = 0; i < 3; i++) {
        char *head = xprintf("POST /big HTTP/1.1\r\nHost: h\r\nContent-Length: %zu\r\n\r\n", n);
        kit_put(&k, fd, head);
        kit_send(&k, fd, body, n);
        kit_expect(&k, fd, "POST /big 5242880\n", false);
        free(head);
    }
    assert_int_equal(budget_used(&budget), 0);
    free(body);
    close(fd);
    kit_close(&k);
}

static void refuses_bodies_over_the_limit(void **state)
{
    struct kit k = {0};

    kit_open(&k, &(struct http_conf){.max_body = 10});
    int fd = kit_connect(&k);
    kit_put(&k, fd, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 11\r\n\r\n");
    kit_expect(&k, fd, "413 Request Entity Too Large", false);
    kit_put(&k, fd, "12345678901GET /next HTTP/1.1\r\nHost: h\r\n\r\n"); /* small: read over, the
                                                                            connection lives */
    kit_expect(&k, fd, "GET /next 0\n", false);
    kit_put(&k, fd,
            "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nb\r\n12345678901\r\n");
    kit_expect(&k, fd, "413 Request Entity Too Large", true);
    close(fd);
    fd = kit_connect(&k);
    kit_put(&k, fd, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999999\r\n\r\nx");
    kit_expect(&k, fd, "413 Request Entity Too Large", true);
    close(fd);
    kit_close(&k);
    assert_int_equal(k.n_requests, 1);
}

static void refuses_bodies_over_the_budget(void **state)
{
    struct kit k = {0};
    struct budget budget;

    budget_init(&budget, 100);
    kit_open(&k, &(struct http_conf){.budget = &budget});
    int fd = kit_connect(&k);
    kit_put(&k, fd, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 101\r\n\r\n");
    kit_expect(&k, fd, "503 Service Unavailable\r\nRetry-After: 1\r\n", false);
    close(fd);
    kit_close(&k);
    assert_int_equal(budget_used(&budget), 0);
}

static void invites_the_body(void **state)
{
    struct kit k = {0};

    kit_open(&k, &(struct http_conf){.max_body = 10});
    int fd = kit_connect(&k);
    kit_put(&k, fd,
            "POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
    kit_expect(&k, fd, "HTTP/1.1 100 Continue\r\n\r\n", false);
    kit_put(&k, fd, "abc");
    kit_expect(&k, fd, "POST / 3\n", false);
    kit_put(&k, fd,
            "POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 30\r\n\r\n");
    kit_expect(&k, fd, "413 Request Entity", true); /* whether the body comes now, nobody knows */
    close(fd);
    kit_close(&k);
}

static const struct {
    const char *request, *answer;
} bad[] = {
    {"nonsense\r\n\r\n", "400 Bad Request"},
    {"\x16\x03\x01\x02\x00\x01", "400 Bad Request"},
    {"GET / HTTP/1.1\r\n\r\n", "400 Bad Request"},
    {"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "400 Bad Request"},
    {"GET nowhere HTTP/1.1\r\nHost: a\r\n\r\n", "400 Bad Request"},
    {"GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n", "400 Bad Request"},
    {"GET /%00 HTTP/1.1\r\nHost: a\r\n\r\n", "400 Bad Request"},
    {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", "400 Bad Request"},
    {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
     "400 Bad Request"},
    {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
     "400 Bad Request"},
    {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n", "400 Bad Request"},
    {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", "400 Bad Request"},
    {"GET / HTTP/1.1\r\nHost: a\r\nExpect: the-spanish-inquisition\r\n\r\n",
     "417 Expectation Failed"},
    {"GET / HTTP/2.1\r\nHost: a\r\n\r\n", "505 HTTP Version Not Supported"},
    {"GET / HTTP/1.1\r\nHost: a\r\nBad Header: x\r\n\r\n", "400 Bad Request"},
};

static void malformed_input_gets_a_clean_answer(void **state)
{
    struct kit k = {0};

    kit_open(&k, &(struct http_conf){0});
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        int fd = kit_connect(&k);
        kit_put(&k, fd, bad[i].request);
        kit_expect(&k, fd, bad[i].answer, true);
        close(fd);
    }
    kit_close(&k);
    assert_int_equal(k.n_requests, 0);
}

static void limits_the_head(void **state)
{
    struct kit k = {0};
    struct buf b = BUF_INIT(1 << 20);

    kit_open(&k, &(struct http_conf){.max_header_bytes = 4096});
    int fd = kit_connect(&k);
    buf_cstr(&b, "GET / HTTP/1.1\r\nHost: h\r\n");
    while (b.n < 3900)
        buf_cstr(&b, "A: 0123456789\r\n");
    buf_cstr(&b, "\r\n");
    kit_put(&k, fd, b.p);
    kit_expect(&k, fd, "200 OK", false);
    b.n -= 2;
    while (b.n < 4200)
        buf_cstr(&b, "A: 0123456789\r\n");
    kit_put(&k, fd, b.p);
    kit_expect(&k, fd, "431 Request Header Fields Too Large", true);
    close(fd);
    buf_done(&b);
    kit_close(&k);
}

static void slow_heads_and_bodies_are_cut(void **state)
{
    struct kit k = {0};

    kit_open(&k, &(struct http_conf){.read_header_timeout = 5 * NS_PER_SEC, .min_body_rate = 10});
    int fd = kit_connect(&k);
    kit_put(&k, fd, "GET / HTTP/1.1\r\n");
    for (int i = 0; i < 4; i++) {
        clock_fake_advance(&k.clock, NS_PER_SEC);
        kit_put(&k, fd, "A: b\r\n"); /* trickling does not help */
    }
    clock_fake_advance(&k.clock, 2 * NS_PER_SEC);
    kit_expect(&k, fd, "408 Request Timeout", true);
    close(fd);
    fd = kit_connect(&k);
    kit_put(&k, fd, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\n");
    char some[200] = {0};
    kit_send(&k, fd, some, 200);
    clock_fake_advance(&k.clock, 20 * NS_PER_SEC);
    kit_turn(&k, 3);
    assert_int_equal(k.n_gone, 0);
    kit_send(&k, fd, some, 199);
    clock_fake_advance(&k.clock, 20 * NS_PER_SEC);
    kit_expect(&k, fd, "408 Request Timeout", true);
    close(fd);
    kit_close(&k);
}

static void idle_connections_end(void **state)
{
    struct kit k = {0};

    kit_open(&k, &(struct http_conf){.idle_timeout = 10 * NS_PER_SEC});
    int fd = kit_connect(&k), never = kit_connect(&k);
    kit_put(&k, fd, "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    kit_expect(&k, fd, "200 OK", false);
    clock_fake_advance(&k.clock, 9 * NS_PER_SEC);
    kit_expect(&k, fd, "", false);
    clock_fake_advance(&k.clock, 2 * NS_PER_SEC);
    kit_expect(&k, fd, "", true);
    kit_expect(&k, never, "", false);
    clock_fake_advance(&k.clock,
                       60 * NS_PER_SEC); /* the header timeout rules before the first request */
    kit_expect(&k, never, "", true);
    close(fd);
    close(never);
    kit_close(&k);
}

static void clients_that_do_not_read_are_cut(void **state)
{
    struct kit k = {.hold = true};
    struct blob *big = blob_new(32 << 20, NULL);
    int small = 4096;

    kit_open(&k, &(struct http_conf){.write_timeout = 5 * NS_PER_SEC});
    memset(big->p, 'x', big->cap);
    big->n = big->cap;
    int fd = kit_connect(&k);
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
    kit_put(&k, fd, "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    http_respond(k.held[0], &(struct http_answer){.status = 200, .blob = big});
    kit_turn(&k, 3);
    assert_int_equal(atomic_load(&big->refs.n), 2);
    clock_fake_advance(&k.clock, 6 * NS_PER_SEC);
    kit_turn(&k, 3);
    assert_int_equal(atomic_load(&big->refs.n), 1);
    close(fd);
    blob_unref(big);
    kit_close(&k);
}

static void large_answers_arrive_whole(void **state)
{
    struct kit k = {.hold = true};
    struct blob *big = blob_new(8 << 20, NULL);
    bool closed;

    kit_open(&k, &(struct http_conf){0});
    memset(big->p, 'x', big->cap);
    big->n = big->cap;
    int fd = kit_connect(&k);
    kit_put(&k, fd, "GET / HTTP/1.0\r\n\r\n");
    http_respond(k.held[0], &(struct http_answer){.status = 200, .blob = big});
    char *text = kit_read(&k, fd, &closed);
    char *body = strstr(text, "\r\n\r\n");
    assert_non_null(body);
    assert_int_equal(strlen(body + 4), 8 << 20);
    assert_true(closed);
    free(text);
    close(fd);
    blob_unref(big);
    kit_close(&k);
}

static void tells_when_the_client_left(void **state)
{
    struct kit k = {.hold = true};

    kit_open(&k, &(struct http_conf){0});
    int fd = kit_connect(&k);
    kit_put(&k, fd, "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_int_equal(k.n_requests, 1);
    close(fd);
    kit_turn(&k, 4);
    assert_int_equal(k.n_gone, 1);
    kit_close(&k);
}

static void connections_are_counted(void **state)
{
    struct kit k = {0};

    kit_open(&k, &(struct http_conf){.max_conns = 2});
    int a = kit_connect(&k), b = kit_connect(&k), c = kit_connect(&k);
    kit_put(&k, c, "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_int_equal(k.n_requests, 0); /* waits in the backlog */
    close(a);
    kit_turn(&k, 6);
    assert_int_equal(k.n_requests, 1);
    kit_expect(&k, c, "200 OK", false);
    close(b);
    close(c);
    kit_close(&k);
}

static void busy_ones_finish_and_idle_ones_close(void **state)
{
    struct kit k = {.hold = true};

    kit_open(&k, &(struct http_conf){0});
    int busy = kit_connect(&k), idle = kit_connect(&k);
    k.hold = false;
    kit_put(&k, idle, "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    kit_expect(&k, idle, "200 OK", false);
    k.hold = true;
    kit_put(&k, busy, "GET /busy HTTP/1.1\r\nHost: h\r\n\r\n");
    http_listener_unserve(k.l, k.loop, 10 * NS_PER_SEC, kit_unserved, &k);
    kit_turn(&k, 3);
    kit_expect(&k, idle, "", true);
    assert_int_equal(k.unserved, 0);
    kit_answer(k.held[0]);
    kit_expect(&k, busy, "Connection: close\r\n\r\nGET /busy 0\n", true);
    close(busy);
    close(idle);
    kit_turn(&k, 4);
    assert_int_equal(k.unserved, 1);
    http_listener_close(k.l);
    listeners_free(k.ls);
    loop_free(k.loop);
}

static void refuse_in_headers(void *arg, struct http_req *r)
{
    struct kit *k = arg;

    k->n_headers++;
    if (str_is(r->path, "/no")) http_respond_text(r, 401, STR("no\n"));
    if (str_is(r->path, "/small")) r->body_limit = 2;
}

static void handlers_may_answer_before_the_body(void **state)
{
    struct kit k = {.handler.headers = refuse_in_headers};

    kit_open(&k, &(struct http_conf){0});
    int fd = kit_connect(&k);
    kit_put(&k, fd, "POST /no HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nab");
    kit_expect(&k, fd, "401 Unauthorized", false);
    kit_put(&k, fd, "cdPOST /small HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc");
    kit_expect(&k, fd, "413 ", false);
    kit_put(&k, fd, "POST /yes HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\na");
    close(fd); /* in the middle of a body that the handler knows of */
    kit_turn(&k, 4);
    assert_int_equal(k.n_headers, 3);
    assert_int_equal(k.n_gone, 1);
    kit_close(&k);
    assert_int_equal(k.n_requests, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_a_request),
        cmocka_unit_test(takes_a_request_byte_by_byte),
        cmocka_unit_test(pipelined_requests_are_answered_in_turn),
        cmocka_unit_test(reads_large_bodies),
        cmocka_unit_test(refuses_bodies_over_the_limit),
        cmocka_unit_test(refuses_bodies_over_the_budget),
        cmocka_unit_test(invites_the_body),
        cmocka_unit_test(malformed_input_gets_a_clean_answer),
        cmocka_unit_test(limits_the_head),
        cmocka_unit_test(slow_heads_and_bodies_are_cut),
        cmocka_unit_test(idle_connections_end),
        cmocka_unit_test(clients_that_do_not_read_are_cut),
        cmocka_unit_test(large_answers_arrive_whole),
        cmocka_unit_test(tells_when_the_client_left),
        cmocka_unit_test(connections_are_counted),
        cmocka_unit_test(busy_ones_finish_and_idle_ones_close),
        cmocka_unit_test(handlers_may_answer_before_the_body),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
