/* import.http against our own server on the same loop. */
#include "net/http_server.h"
#include "runtime/import/import_kit.h"

struct bench {
    struct import_bench b; /* first */
    struct listeners *listeners;
    struct http_listener *server;
    int port, n_requests, n_tokens, unserved;
    int status;
    char text[64];
    char seen[512]; /* method, path, body, and what headers said */
    struct http_req *held;
};

static void answer(struct http_req *r, int status, const char *text)
{
    http_respond(r, &(struct http_answer){.status = status, .body = str_of(text)});
}

/* A token for whoever sends id and secret in the form: the header is not enough here. */
static void give_token(struct bench *h, struct http_req *r)
{
    struct str form = blob_view(r->body);

    h->n_tokens++;
    if (str_find(form, STR("client_secret=s%26t")) < 0)
        answer(r, 401, "{}");
    else
        answer(r, 200,
               "{\"expires_in\": 3600, \"token_type\": \"bearer\", \"x\": [1],"
               " \"access_token\": \"tok\"}");
}

static void serve(void *arg, struct http_req *r)
{
    struct bench *h = arg;

    if (str_is(r->path, "/token")) {
        give_token(h, r);
        return;
    }
    h->n_requests++;
    (void)snprintf(h->seen, sizeof(h->seen),
                   STR_FMT " " STR_FMT " [" STR_FMT "] auth=" STR_FMT " x=" STR_FMT " y=" STR_FMT
                           " agent=" STR_FMT,
                   STR_ARG(r->method), STR_ARG(r->path), STR_ARG(blob_view(r->body)),
                   STR_ARG(http_req_header(r, STR("authorization"))),
                   STR_ARG(http_req_header(r, STR("x-x"))), STR_ARG(http_req_header(r, STR("x-y"))),
                   STR_ARG(http_req_header(r, STR("user-agent"))));
    const struct http_header to = {STR("Location"), STR("/lib/here.alloy")};
    if (str_is(r->path, "/hold"))
        h->held = r;
    else if (str_is(r->path, "/moved"))
        http_respond(r, &(struct http_answer){.status = 302, .headers = &to, .n_headers = 1});
    else
        answer(r, h->status, h->text);
}

static void gone(void *arg, struct http_req *r)
{
    ((struct bench *)arg)->held = NULL;
}

static const struct http_handler handler = {.request = serve, .gone = gone};

static int setup(void **state)
{
    struct bench *h = xnew(struct bench);
    char *err = NULL;

    *state = h;
    (void)kit_setup(&h->b);
    h->status = 200;
    (void)snprintf(h->text, sizeof(h->text), "one");
    h->listeners = listeners_new(h->b.loop);
    if (http_listener_open(h->listeners, "tcp", "127.0.0.1:0", &(struct http_conf){0}, &h->server,
                           &err) != 0)
        fail_msg("%s", err);
    h->port = atoi(strrchr(http_listener_addr(h->server).p, ':') + 1);
    http_listener_serve(h->server, h->b.loop, &handler, h);
    return 0;
}

static void unserved(void *arg)
{
    ((struct bench *)arg)->unserved++;
}

static int teardown(void **state)
{
    struct bench *h = *state;

    if (h->b.watch) h->b.kind->unwatch(h->b.watch);
    h->b.watch = NULL;
    http_listener_unserve(h->server, h->b.loop, 0, unserved, h);
    kit_wait(&h->b, &h->unserved, 0);
    http_listener_close(h->server);
    loop_turn(h->b.loop, 0);
    listeners_free(h->listeners);
    kit_teardown(&h->b);
    free(h);
    return 0;
}

static char *body(struct bench *h, const char *path, const char *more)
{
    return xprintf("url = \"http://127.0.0.1:%d%s\"\n%s", h->port, path, more);
}

static void fetch(struct bench *h, const char *path, const char *more)
{
    char *text = body(h, path, more);

    kit_fetch(&h->b, &import_http_kind, text);
    free(text);
}

static void expect_seen(const struct bench *h, const char *want)
{
    assert_text(str_of(h->seen), want);
}

static void reads_an_answer(void **state)
{
    struct bench *h = *state;

    fetch(h, "/lib/a.alloy?v=1", "");
    kit_expect_text(&h->b, 0, "one");
    expect_seen(h, "GET /lib/a.alloy [] auth= x= y= agent=Weir/test");
    char *folder = xprintf("http://127.0.0.1:%d/lib/", h->port);
    assert_string_equal(h->b.content->module_path, folder);
    free(folder);
}

static void sends_what_it_is_told(void **state)
{
    struct bench *h = *state;

    fetch(h, "/x",
          "method = \"POST\"\nbody = \"hello\"\nheaders = {\"X-X\" = \"1\", \"User-Agent\" = "
          "\"me\"}\nclient {\n http_headers = {\"X-Y\" = [\"2\"]}\n bearer_token = \"t\"\n}");
    kit_expect_text(&h->b, 0, "one");
    expect_seen(h, "POST /x [hello] auth=Bearer t x=1 y=2 agent=me");
}

static void passwords_come_from_files_too(void **state)
{
    struct bench *h = *state;

    kit_put(&h->b, "password", " pw\n");
    char *more = xprintf("client {\n basic_auth {\n username = \"me\"\n password_file = "
                         "\"%s/password\"\n }\n}",
                         h->b.dir);
    fetch(h, "/x", more);
    expect_seen(h, "GET /x [] auth=Basic bWU6cHc= x= y= agent=Weir/test");
    char *path = kit_path(&h->b, "password");
    assert_int_equal(unlink(path), 0);
    fetch(h, "/x", more);
    kit_expect_error(&h->b, "failed to poll endpoint: unable to read file /tmp/");
    assert_int_equal(h->n_requests, 1);
    free(path);
    free(more);
}

static void tokens_are_fetched(void **state)
{
    struct bench *h = *state;
    char *more = xprintf("client {\n oauth2 {\n client_id = \"id\"\n client_secret = \"s&t\"\n"
                         " token_url = \"http://127.0.0.1:%d/token\"\n scopes = [\"a\"]\n }\n}",
                         h->port);

    fetch(h, "/x", more);
    expect_seen(h, "GET /x [] auth=Bearer tok x= y= agent=Weir/test");
    assert_int_equal(h->n_tokens, 2); /* by header, then by form */
    free(more);
    more = xprintf("client {\n oauth2 {\n client_id = \"id\"\n client_secret = \"wrong\"\n"
                   " token_url = \"http://127.0.0.1:%d/token\"\n }\n}",
                   h->port);
    fetch(h, "/x", more);
    kit_expect_error(&h->b, "oauth2: cannot fetch token: status code 401");
    free(more);
}

static void redirects_are_followed_unless_told_otherwise(void **state)
{
    struct bench *h = *state;

    fetch(h, "/moved", "");
    kit_expect_text(&h->b, 0, "one");
    fetch(h, "/moved", "client {\n follow_redirects = false\n}");
    kit_expect_error(&h->b, "failed to poll endpoint: unexpected status code 302");
}

static void other_answers_are_failures(void **state)
{
    struct bench *h = *state;

    h->status = 204;
    fetch(h, "/x", "");
    kit_expect_error(&h->b, "failed to poll endpoint: unexpected status code 204");
    char *text = body(h, "/x", "client {\n tls_config {\n ca_file = \"/nonexistent\"\n }\n}");
    kit_fetch(&h->b, &import_http_kind, text);
    kit_expect_error(&h->b, "/nonexistent");
    free(text);
}

static void a_server_that_hangs_is_given_up(void **state)
{
    struct bench *h = *state;

    fetch(h, "/hold", "poll_timeout = \"50ms\"");
    kit_expect_error(&h->b, "failed to poll endpoint: ");
}

static void a_cancelled_fetch_says_nothing(void **state)
{
    struct bench *h = *state;
    char *text = body(h, "/hold", "");
    struct plan *p = kit_plan(&import_http_kind, text);
    struct import_fetch *f = import_http_kind.fetch(&h->b.ctx, p, kit_fetched, &h->b);

    kit_wait(&h->b, &h->n_requests, 0);
    import_http_kind.cancel(f);
    while (h->held) /* the server sees it */
        loop_turn(h->b.loop, 10 * NS_PER_MS);
    assert_int_equal(h->b.n_fetched, 0);
    plan_unref(p);
    free(text);
}

static void follows_the_url(void **state)
{
    struct bench *h = *state;
    char *text = body(h, "/x", "poll_frequency = \"10ms\"");

    kit_watch(&h->b, &import_http_kind, text);
    kit_expect_health(&h->b, HEALTH_HEALTHY, "polled endpoint");
    (void)snprintf(h->text, sizeof(h->text), "two");
    kit_wait(&h->b, &h->b.n_changed, 0);
    kit_expect_text(&h->b, 0, "two");
    h->status = 500;
    kit_wait(&h->b, &h->b.n_health, 1);
    kit_expect_health(&h->b, HEALTH_UNHEALTHY, "unexpected status code 500");
    int n = h->n_requests;
    kit_wait(&h->b, &h->n_requests, n + 3); /* it goes on asking, and says it once */
    assert_int_equal(h->b.n_health, 2);
    h->status = 200;
    kit_wait(&h->b, &h->b.n_health, 2);
    kit_expect_health(&h->b, HEALTH_HEALTHY, "polled endpoint");
    assert_int_equal(h->b.n_changed, 1);
    free(text);
}

static void settings_are_checked(void **state)
{
    kit_refuses(&import_http_kind, "url = \"ftp://x\"\npoll_timeout = \"0s\"",
                "1:7: unsupported protocol scheme in URL: \"ftp://x\" (and 1 more diagnostics)");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(reads_an_answer),
        TEST(sends_what_it_is_told),
        TEST(passwords_come_from_files_too),
        TEST(tokens_are_fetched),
        TEST(redirects_are_followed_unless_told_otherwise),
        TEST(other_answers_are_failures),
        TEST(a_server_that_hangs_is_given_up),
        TEST(a_cancelled_fetch_says_nothing),
        TEST(follows_the_url),
        TEST(settings_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
