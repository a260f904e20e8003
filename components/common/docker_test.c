/* Tests of components/common/docker.h against an engine that the test plays, under virtual time:
 * the version is asked for first and again after an outage, an answer that goes on may last but has
 * to begin, and whoever cancels hears nothing. The endpoint's functions are the test's own. */
#include "components/common/docker.h"

#include "components/common/source_testing.h"

struct http_request {
    struct http_call call;
    char *url;
};
static VEC(struct http_request *) requests;
static int n_cancelled;

struct http_endpoint *http_endpoint_new(const struct http_endpoint_conf *conf, char **ret_err)
{
    return NULL;
}
struct http_endpoint *http_endpoint_ref(struct http_endpoint *e)
{
    return e;
}
void http_endpoint_unref(struct http_endpoint *e) {}

struct http_request *http_request_start(struct http_endpoint *e, struct worker *w,
                                        struct offload *pool, const struct http_call *call)
{
    struct http_request *r = xnew(struct http_request);

    r->call = *call;
    r->url = str_dup(call->url);
    vec_push(&requests, r);
    return r;
}

static void forget(struct http_request *r)
{
    for (size_t i = 0; i < requests.n; i++)
        if (requests.v[i] == r) {
            vec_remove(&requests, i);
            free(r->url);
            free(r);
            return;
        }
    fail();
}

void http_request_cancel(struct http_request *r)
{
    n_cancelled++;
    forget(r);
}

void http_request_resume(struct http_request *r) {}

/* --- the engine's side --- */

static struct http_request *asked(const char *url)
{
    assert_int_equal(requests.n, 1);
    assert_string_equal(requests.v[0]->url, url);
    return requests.v[0];
}

static void answer(struct http_request *r, const struct http_result *result)
{
    struct http_call call = r->call;

    forget(r);
    call.done(call.arg, result);
}

static void answer_ping(const char *version)
{
    const struct http_header h = {STR("Api-Version"), str_of(version)};

    answer(asked("http://e/_ping"),
           &(struct http_result){.status = 200, .headers = &h, .n_headers = 1});
}

/* --- the client's side --- */

struct world {
    struct source_world w;
    struct docker *docker;
    int opened, done, status;
    bool mute;
    char *error;
    size_t bytes;
};

static void on_done(void *arg, const struct docker_result *r)
{
    struct world *k = arg;

    k->done++;
    k->status = r->status;
    k->mute = r->mute;
    free(k->error);
    k->error = r->error ? xstrdup(r->error) : NULL;
}

static size_t on_data(void *arg, const char *p, size_t n)
{
    ((struct world *)arg)->bytes += n;
    return n;
}

static void on_opened(void *arg)
{
    ((struct world *)arg)->opened++;
}

static struct docker_call *whole(struct world *k)
{
    return docker_start(
        k->docker,
        &(struct docker_request){.path = "/x", .max_response = 100, .done = on_done, .arg = k});
}

static struct docker_call *stream(struct world *k)
{
    return docker_start(
        k->docker,
        &(struct docker_request){
            .path = "/s", .done = on_done, .data = on_data, .opened = on_opened, .arg = k});
}

static int set_up(void **state)
{
    static const struct docker_host host = {.shown = STR("unix:///e"), .base = STR("http://e")};
    struct world *k = *state = xnew(struct world);

    source_world_init(&k->w);
    k->docker = docker_new(&k->w.shard, &host, NULL, 10 * NS_PER_SEC);
    n_cancelled = 0;
    return 0;
}

static int tear_down(void **state)
{
    struct world *k = *state;

    docker_free(k->docker);
    assert_int_equal(requests.n, 0);
    vec_done(&requests);
    source_world_free(&k->w);
    free(k->error);
    free(k);
    return 0;
}

static void the_version_comes_first(void **state)
{
    struct world *k = *state;

    whole(k);
    whole(k);
    assert_int_equal(asked("http://e/_ping")->call.timeout, 10 * NS_PER_SEC);
    answer_ping("1.43");
    assert_int_equal(requests.n, 2);
    assert_string_equal(requests.v[0]->url, "http://e/v1.43/x");
    assert_int_equal(requests.v[0]->call.timeout, 10 * NS_PER_SEC);
    answer(requests.v[0], &(struct http_result){.status = 200});
    answer(requests.v[0],
           &(struct http_result){.status = 404, .body = STR("{\"message\":\"no\"}")});
    assert_int_equal(k->done, 2);
    assert_string_equal(k->error, "the Docker engine answered 404: no");
    whole(k); /* it is known now */
    answer(asked("http://e/v1.43/x"), &(struct http_result){.fail = HTTP_CONNECT, .error = "gone"});
    assert_string_equal(k->error, "cannot reach the Docker engine at unix:///e: gone");
    whole(k); /* what listens there now may be another one */
    answer_ping("1.99");
    answer(asked("http://e/v1.51/x"), &(struct http_result){.status = 200});
    assert_null(k->error);
}

static void who_waits_for_the_version_hears_of_its_failure(void **state)
{
    struct world *k = *state;

    whole(k);
    stream(k);
    answer(asked("http://e/_ping"), &(struct http_result){.status = 405}); /* HEAD is too new */
    answer(asked("http://e/_ping"), &(struct http_result){.fail = HTTP_TIMEOUT, .error = "late"});
    assert_int_equal(k->done, 2);
    assert_int_equal(k->status, 0);
}

static void an_answer_that_goes_on_has_to_begin(void **state)
{
    struct world *k = *state;

    stream(k);
    answer_ping("1.43");
    assert_int_equal(asked("http://e/v1.43/s")->call.timeout, 0);
    source_world_advance(&k->w, 9 * NS_PER_SEC);
    assert_int_equal(k->done, 0);
    source_world_advance(&k->w, 2 * NS_PER_SEC);
    assert_int_equal(k->done, 1);
    assert_true(k->mute);
    assert_string_equal(k->error, "the Docker engine at unix:///e did not begin to answer in time");
    assert_int_equal(n_cancelled, 1);
    stream(k);
    struct http_request *r = asked("http://e/v1.43/s");
    source_world_advance(&k->w, 9 * NS_PER_SEC);
    r->call.head(r->call.arg, &(struct http_result){.status = 200});
    assert_int_equal(k->opened, 1);
    source_world_advance(&k->w, 1000 * NS_PER_SEC); /* quiet, but it has begun */
    assert_int_equal(r->call.data(r->call.arg, "abc", 3), 3);
    assert_int_equal(k->done, 1);
    answer(r, &(struct http_result){.status = 200});
    assert_int_equal(k->done, 2);
    assert_null(k->error);
    assert_int_equal(k->bytes, 3);
}

static void a_refusal_is_a_beginning(void **state)
{
    struct world *k = *state;

    stream(k);
    answer_ping("1.43");
    struct http_request *r = asked("http://e/v1.43/s");
    r->call.head(r->call.arg, &(struct http_result){.status = 500});
    source_world_advance(&k->w, 60 * NS_PER_SEC);
    answer(r, &(struct http_result){.status = 500, .body = STR("no json")});
    assert_int_equal(k->opened, 0);
    assert_string_equal(k->error, "the Docker engine answered 500 Internal Server Error");
}

static void cancelled_calls_are_not_heard(void **state)
{
    struct world *k = *state;

    struct docker_call *waits = whole(k);
    docker_cancel(waits);
    struct docker_call *c = stream(k);
    answer_ping("1.43");
    docker_cancel(c);
    assert_int_equal(requests.n, 0);
    source_world_advance(&k->w, 60 * NS_PER_SEC);
    stream(k); /* freed with its client */
    assert_int_equal(k->done, 0);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(the_version_comes_first),
        TEST(who_waits_for_the_version_hears_of_its_failure),
        TEST(an_answer_that_goes_on_has_to_begin),
        TEST(a_refusal_is_a_beginning),
        TEST(cancelled_calls_are_not_heard),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
