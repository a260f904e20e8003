/* loki.write against servers that the test plays: batches, tenants, order under retries and lanes,
 * what is dropped and what is not, spilling and catching up, restarts, the write-ahead log, reloads
 * and the end. No network: http_client_start is the test's own. */
#include "components/loki/write/write.h"

#include <errno.h>
#include <fcntl.h>
#include "base/codec.h"
#include "components/common/source_testing.h"
#include "telemetry/loki_push.h"

extern const struct component_def loki_write;

/* --- the rest of the runtime --- */

static int ready;

void shard_ready(struct shard *s)
{
    ready++;
}
struct capsule *comp_sink(struct comp *c, const struct capsule_type *type, u32 port, u32 signals)
{
    return NULL;
}
void capsule_unref(struct capsule *c) {}

/* --- servers --- */

struct http_call_handle {
    struct http_call call;
    char *url, *tenant, *headers;
    u32 lines;
};
static VEC(struct http_call_handle *) calls;
static int n_calls, n_cancelled;

static char *headers_text(const struct http_call *c)
{
    struct buf b = BUF_INIT(1 << 16);

    for (size_t i = 0; i < c->n_headers; i++)
        buf_printf(&b, STR_FMT ": " STR_FMT "\n", STR_ARG(c->headers[i].name),
                   STR_ARG(c->headers[i].value));
    return buf_take(&b, NULL);
}

struct http_call_handle *http_client_start(struct http_client *c, const struct http_call *call)
{
    struct http_call_handle *h = xnew(struct http_call_handle);
    struct str tenant = http_header_get(call->headers, call->n_headers, STR("X-Scope-OrgID"));

    h->call = *call;
    h->url = str_dup(call->url);
    h->tenant = str_dup(tenant);
    h->headers = headers_text(call);
    vec_push(&calls, h);
    n_calls++;
    return h;
}

static void call_free(struct http_call_handle *h)
{
    free(h->url);
    free(h->tenant);
    free(h->headers);
    free(h);
}

static void forget_call(struct http_call_handle *h)
{
    for (size_t i = 0; i < calls.n; i++)
        if (calls.v[i] == h) {
            vec_remove(&calls, i);
            return;
        }
    fail();
}

void http_client_cancel(struct http_call_handle *h)
{
    forget_call(h);
    call_free(h);
    n_cancelled++;
}

struct reading {
    struct buf *out;
    struct http_call_handle *call;
};

static void *stream_read(void *arg, struct str labels, char **ret_err)
{
    struct reading *r = arg;

    buf_printf(r->out, "%s" STR_FMT, r->call->tenant, STR_ARG(labels));
    return r;
}

static int entry_read(void *arg, void *stream, const struct log_entry *e)
{
    struct reading *r = arg;

    r->call->lines++;
    if (e->line.n > 40)
        buf_printf(r->out, " <%zu>", e->line.n);
    else
        buf_printf(r->out, " " STR_FMT, STR_ARG(e->line));
    return 0;
}

/* What is in a request: "tenant{labels} line line\n", streams behind each other. */
static void read_call(struct http_call_handle *h, struct buf *out)
{
    struct buf plain = BUF_INIT(1 << 26);
    struct str body = str_n(h->call.body[0].iov_base, h->call.body[0].iov_len);
    struct reading r = {out, h};
    const struct loki_push_reader reader = {.stream = stream_read, .entry = entry_read, .arg = &r};
    char *err = NULL;

    assert_int_equal(h->call.n_body, 1);
    assert_int_equal(codec_decompress(CODEC_SNAPPY, body, 1 << 26, &plain, NULL), 0);
    assert_int_equal(loki_push_read(buf_view(&plain), &reader, &err), 0);
    buf_ch(out, '\n');
    buf_done(&plain);
}

struct world {
    struct source_world w;
    const char *config;
    struct buf a, b; /* what the two servers got; the first is any URL without "b" */
    u32 lines_a, lines_b;
    bool up;
    int done, failed, dropped, abandoned; /* acks */
};

/* Answers the call; a success is read. */
static void answer(struct world *k, struct http_call_handle *h, int status)
{
    bool other = strstr(h->url, "//b") != NULL;
    struct http_result r = {.status = status, .body = STR("because\nmore")};

    if (status == -1) r = (struct http_result){.fail = HTTP_CONNECT, .error = "refused"};
    forget_call(h);
    if (status / 100 == 2) {
        read_call(h, other ? &k->b : &k->a);
        *(other ? &k->lines_b : &k->lines_a) += h->lines;
    }
    h->call.done(h->call.arg, &r);
    call_free(h);
}

static struct http_call_handle *call_to(const char *part)
{
    for (size_t i = 0; i < calls.n; i++)
        if (strstr(calls.v[i]->url, part)) return calls.v[i];
    return NULL;
}

static void pass(struct world *k, i64 ns)
{
    source_world_advance(&k->w, ns);
    loop_turn(k->w.loop, 0);
}

/* Answers what is asked for a while; status 0: no answer. */
static void serve(struct world *k, i64 ns, int status_a, int status_b)
{
    for (i64 t = 0; t < ns; t += 50 * NS_PER_MS) {
        struct http_call_handle *h;
        while (status_a && (h = call_to("//a")))
            answer(k, h, status_a);
        while (status_b && (h = call_to("//b")))
            answer(k, h, status_b);
        pass(k, 50 * NS_PER_MS);
    }
}

/* --- life --- */

static void *plan_of(struct world *k, const char *config)
{
    static const struct scope scope = {0};
    struct source_world *w = &k->w;
    char *text = xprintf("c \"c\" {\n%s\n}\n", config);
    struct source *src = source_new("test", str_of(text));
    struct tree *tree = parse_file(src, &w->diags);
    void *args = arena_alloc(&w->arena, loki_write.args->size),
         *plan = arena_alloc(&w->arena, loki_write.plan_size);

    free(text);
    source_unref(src);
    assert_non_null(tree);
    const struct block *block = tree->body.stmts[0].block;
    struct prepare p = {.host = &w->host, .block = block, .arena = &w->arena, .diags = &w->diags};
    int err = decode_body(loki_write.args, block, &block->body, &scope, &w->arena, args, &w->diags);
    if (!err) err = loki_write.prepare(&p, args, plan);
    arena_cleanup(&w->arena, (void (*)(void *))tree_free, tree);
    return err ? NULL : plan;
}

static void *good_plan(struct world *k, const char *config)
{
    void *plan = plan_of(k, config);

    if (!plan) fail_msg("%s", k->w.diags.list.v[0].message);
    return plan;
}

static void up(struct world *k, const char *config)
{
    struct source_world *w = &k->w;
    char *err = NULL;

    w->comp.def = &loki_write;
    w->comp.plan = w->shard.plan = good_plan(k, config);
    w->comp.shared = arena_alloc(&w->arena, loki_write.shared_size);
    w->shard.self = arena_alloc(&w->arena, loki_write.self_size);
    if (loki_write.create(&w->comp, &err) < 0) fail_msg("%s", err);
    assert_int_equal(loki_write.configure(&w->comp, NULL, &err), 0);
    assert_int_equal(loki_write.run(&w->shard), 0);
    k->up = true;
}

static void reload(struct world *k, const char *config)
{
    const void *old = k->w.comp.plan;
    char *err = NULL;
    void *plan = good_plan(k, config);

    k->w.comp.plan = plan;
    assert_int_equal(loki_write.configure(&k->w.comp, old, &err), 0);
    assert_int_equal(loki_write.apply(&k->w.shard, plan), 0);
    k->w.shard.plan = plan;
}

static void end(struct world *k)
{
    loki_write.shard_done(&k->w.shard);
    loop_turn(k->w.loop, 0);
    loki_write.destroy(&k->w.comp);
    k->up = false;
}

/* An orderly stop while servers answer so. */
static void down(struct world *k, int status_a, int status_b)
{
    int was = k->w.stopped;

    loki_write.stop(&k->w.shard);
    for (int i = 0; i < 500 && k->w.stopped == was; i++)
        serve(k, 50 * NS_PER_MS, status_a, status_b);
    assert_int_equal(k->w.stopped, was + 1);
    assert_int_equal(calls.n, 0);
    end(k);
}

/* kill -9, as far as the disk goes: nothing is flushed, nothing spilled. */
static void killed(struct world *k)
{
    struct write *w = k->w.shard.self;

    w->stopped = true; /* shard_done frees without the last words */
    list_each (&w->endpoints, at)
        endpoint_free(list_item(at, struct endpoint, link), ACK_ABANDONED, NULL);
    vec_each (&w->batchers, b)
        batcher_free(*b);
    vec_done(&w->batchers);
    disk_log_close(w->log);
    w->log = NULL;
    end(k);
}

static int set_up(void **state)
{
    struct world *k = *state = xnew(struct world);

    source_world_init(&k->w);
    k->w.host.storage_path = k->w.folder;
    k->w.host.user_agent = "Weir/test";
    k->w.host.min_stability = STABILITY_EXPERIMENTAL;
    k->a = k->b = BUF_INIT(1 << 26);
    ready = n_calls = n_cancelled = 0;
    return 0;
}

static int tear_down(void **state)
{
    struct world *k = *state;

    if (k->up) {
        while (calls.n)
            answer(k, calls.v[0], 204);
        down(k, 204, 204);
    }
    vec_done(&calls);
    buf_done(&k->a);
    buf_done(&k->b);
    source_world_free(&k->w);
    free(k);
    return 0;
}

/* --- sending --- */

static void acked(void *arg, enum ack_outcome outcome, const struct ack_failure *f)
{
    struct world *k = arg;

    switch (outcome) {
    case ACK_OK: k->done++; break;
    case ACK_DROPPED: k->dropped++; break;
    case ACK_FAILED: k->failed++; break;
    case ACK_ABANDONED: k->abandoned++; break;
    }
}

static struct labels *labels_of(struct world *k, const char *text)
{
    struct arena a;
    struct label *v;
    size_t n;
    char *err;

    arena_init(&a, 0);
    assert_int_equal(loki_labels_parse(str_of(text), &a, &v, &n, &err), 0);
    struct labels *l = labels_intern(k->w.host.labels, v, n);
    arena_done(&a);
    return l;
}

/* Lines separated by blanks. */
static enum push push_lines(struct world *k, const char *labels, const char *lines,
                            enum ack_stage stage)
{
    struct log_builder *builder = log_builder_new(NULL);
    struct labels *l = labels_of(k, labels);
    struct batch *b = batch_new(SIGNAL_LOGS);
    struct str rest = str_of(lines);

    while (rest.n) {
        struct log_entry e = {.time = 5, .line = str_cut(&rest, ' ')};
        assert_int_equal(log_builder_add(builder, l, &e), 0);
    }
    struct ack *ack = ack_new(stage, k->w.loop, acked, k);
    batch_add_ack(b, ack);
    ack_unref(ack);
    assert_int_equal(log_builder_seal(builder, b), 0);
    enum push got = loki_write.push(&k->w.shard, 0, b);
    if (got == PUSH_FULL) batch_unref(b);
    log_builder_free(builder);
    labels_unref(l);
    loop_turn(k->w.loop, 0);
    return got;
}

static void push(struct world *k, const char *labels, const char *lines)
{
    assert_int_equal(push_lines(k, labels, lines, ACK_DELIVERED), PUSH_TAKEN);
}

#define ONE     "endpoint {\n url = \"http://a/push\"\n}\n"
#define TWO     ONE "endpoint {\n url = \"http://b/push\"\n}\n"
#define FAST(u) "endpoint {\n url = \"" u "\"\n batch_size = \"10B\"\n}\n"

/* --- batches --- */

static void one_request_for_each_wait(void **state)
{
    struct world *k = *state;

    up(k, ONE);
    push(k, "{x=\"1\"}", "one two");
    push(k, "{y=\"1\"}", "three");
    push(k, "{x=\"1\"}", "four");
    pass(k, 900 * NS_PER_MS);
    assert_int_equal(calls.n, 0);
    assert_int_equal(k->done, 0);
    pass(k, 200 * NS_PER_MS);
    assert_int_equal(calls.n, 1);
    const char *headers = calls.v[0]->headers;
    assert_non_null(strstr(headers, "Content-Type: application/x-protobuf\n"));
    assert_non_null(strstr(headers, "Content-Encoding: snappy\n"));
    assert_non_null(strstr(headers, "User-Agent: Weir/test\n"));
    assert_non_null(strstr(headers, "X-Alloy-Id: "));
    assert_null(strstr(headers, "X-Scope-OrgID"));
    assert_int_equal(k->done, 0);
    answer(k, calls.v[0], 204);
    loop_turn(k->w.loop, 0);
    assert_buf(&k->a, "{x=\"1\"} one two four{y=\"1\"} three\n");
    assert_int_equal(k->done, 3);
}

static void closes_at_its_size(void **state)
{
    struct world *k = *state;

    up(k, FAST("http://a/push"));
    push(k, "{x=\"1\"}", "12345 67890 x");
    assert_int_equal(calls.n, 1);
    push(k, "{x=\"1\"}", "a-line-larger-than-a-batch y");
    serve(k, 2 * NS_PER_SEC, 204, 204);
    assert_buf(&k->a, "{x=\"1\"} 12345 67890\n{x=\"1\"} x\n"
                      "{x=\"1\"} a-line-larger-than-a-batch\n{x=\"1\"} y\n");
}

static void labels_and_tenants(void **state)
{
    struct world *k = *state;

    up(k, "external_labels = { ext = \"e\", x = \"outer\" }\n"
          "endpoint {\n url = \"http://a/push\"\n tenant_id = \"def\"\n}\n");
    push(k, "{x=\"1\", __secret=\"s\"}", "p");
    push(k, "{x=\"1\", __secret=\"t\"}", "q"); /* the same stream */
    push(k, "{z=\"1\", __tenant_id__=\"own\"}", "r");
    serve(k, 2 * NS_PER_SEC, 204, 204);
    assert_buf(&k->a, "def{ext=\"e\", x=\"1\"} p q\nown{ext=\"e\", x=\"outer\", z=\"1\"} r\n");
}

static void streams_are_limited(void **state)
{
    struct world *k = *state;

    up(k, "max_streams = 1\n" ONE);
    push(k, "{x=\"1\"}", "p");
    push(k, "{x=\"2\"}", "q");
    push(k, "{x=\"1\"}", "r");
    serve(k, 2 * NS_PER_SEC, 204, 204);
    assert_buf(&k->a, "{x=\"1\"} p r\n");
    assert_int_equal(k->done, 3);
}

/* --- failures --- */

static void tried_again_in_order(void **state)
{
    struct world *k = *state;
    static const int retried[] = {-1, 429, 500, 503};

    up(k, FAST("http://a/push"));
    for (size_t i = 0; i < ARRAY_LEN(retried); i++) {
        int before = n_calls;
        push(k, "{x=\"1\"}", "1111111111 2222222222 3");
        assert_int_equal(calls.n, 1); /* one at a time: it is one stream */
        answer(k, calls.v[0], retried[i]);
        assert_int_equal(k->w.health, HEALTH_UNHEALTHY);
        assert_non_null(strstr(k->w.health_text, i ? "HTTP status" : "refused"));
        pass(k, 400 * NS_PER_MS);
        assert_int_equal(calls.n, 0);
        serve(k, 3 * NS_PER_SEC, 204, 204);
        assert_buf(&k->a, "{x=\"1\"} 1111111111\n{x=\"1\"} 2222222222\n{x=\"1\"} 3\n");
        assert_int_equal(n_calls - before, 4);
        assert_int_equal(k->w.health, HEALTH_HEALTHY);
    }
    assert_int_equal(k->done, 4);
}

static int count_of(const struct buf *b, const char *text)
{
    int n = 0;

    for (const char *p = b->p; p && (p = strstr(p, text)); p++)
        n++;
    return n;
}

/* How often the log said something since it was asked last. */
static void assert_said(struct world *k, int refuses, int well)
{
    struct buf b = BUF_INIT(1 << 20);

    (void)log_root_recorded(k->w.comp.log, &b);
    buf_ch(&b, '\0');
    assert_int_equal(count_of(&b, "an endpoint does not take entries"), refuses);
    assert_int_equal(count_of(&b, "an endpoint takes entries again"), well);
    assert_int_equal(count_of(&b, "kept_in="), refuses);
    buf_done(&b);
    log_root_record(k->w.comp.log, 1 << 20);
}

static void trouble_is_told(void **state)
{
    struct world *k = *state;
    int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
    struct logger *root = log_root_new(k->w.host.clock, fd);

    log_root_open(root, LOG_INFO, LOG_LOGFMT);
    log_root_record(root, 1 << 20);
    k->w.comp.log = root;
    up(k, "endpoint {\n url = \"http://a/push\"\n batch_wait = \"100ms\"\n"
          " max_backoff_retries = 0\n max_backoff_period = \"10s\"\n}\n");
    push(k, "{x=\"1\"}", "p");
    serve(k, 2 * NS_PER_SEC, 503, 0);
    assert_said(k, 1, 0);
    serve(k, 500 * NS_PER_SEC, 503, 0);
    assert_said(k, 0, 0);
    serve(k, 1400 * NS_PER_SEC, 503, 0);
    assert_said(k, 3, 0);
    serve(k, 30 * NS_PER_SEC, 204, 0);
    assert_said(k, 0, 1);
    for (int i = 0; i < 30; i++) { /* one refusal a second */
        push(k, "{x=\"1\"}", "q");
        serve(k, 150 * NS_PER_MS, 503, 0);
        serve(k, 1850 * NS_PER_MS, 204, 0);
    }
    assert_said(k, 1, 1);
    down(k, 204, 204);
    k->w.comp.log = log_unref(root);
    close(fd);
}

static void serve_tenants(struct world *k, i64 ns, const char *tenant, int status)
{
    for (i64 t = 0; t < ns; t += 50 * NS_PER_MS) {
        struct http_call_handle *h;
        while ((h = call_to("//a")))
            answer(k, h, strstr(h->tenant, tenant) ? status : 204);
        pass(k, 50 * NS_PER_MS);
    }
}

/* Tenants that the server limits hold up no other one, in memory or in the log. */
static void a_limited_tenant_is_alone(void **state)
{
    struct world *k = *state;

    up(k, "endpoint {\n url = \"http://a/push\"\n batch_wait = \"100ms\"\n"
          " max_backoff_period = \"2s\"\n}\n");
    for (int i = 0; i < 40; i++) {
        char slow[64], line[16];
        (void)snprintf(slow, sizeof(slow), "{x=\"1\", __tenant_id__=\"slow%d\"}", i % 10);
        (void)snprintf(line, sizeof(line), "l%02d", i);
        push(k, slow, line);
        push(k, "{x=\"1\"}", line);
        serve_tenants(k, 300 * NS_PER_MS, "slow", 429);
    }
    serve_tenants(k, 5 * NS_PER_SEC, "slow", 429);
    buf_ch(&k->a, '\0');
    assert_int_equal(count_of(&k->a, "l"), 40);
    assert_int_equal(count_of(&k->a, "slow"), 0);
    k->a.n--;
    serve_tenants(k, 30 * NS_PER_SEC, "slow", 204);
    buf_ch(&k->a, '\0');
    assert_int_equal(count_of(&k->a, "slow"), 40);
    const char *first = strstr(k->a.p, "slow3{"), *second = first ? strstr(first, "l13") : NULL;
    assert_non_null(second);
    assert_non_null(strstr(second, "l23"));
}

static void refused_for_good(void **state)
{
    struct world *k = *state;

    up(k, ONE);
    push(k, "{x=\"1\"}", "p");
    pass(k, 1100 * NS_PER_MS);
    answer(k, calls.v[0], 400);
    loop_turn(k->w.loop, 0);
    assert_int_equal(k->failed, 1);
    assert_non_null(
        strstr(k->w.health_text, "server returned HTTP status 400 Bad Request (400): because"));
    serve(k, 5 * NS_PER_SEC, 204, 204);
    assert_int_equal(n_calls, 1);
    struct write *w = k->w.shard.self;
    struct endpoint *e = list_item(w->endpoints.next, struct endpoint, link);
    assert_int_equal(metric_value(e->meters.v[0]->dropped_entries[REASON_INGESTER]), 1);
}

static void rate_limits_that_are_not_retried(void **state)
{
    struct world *k = *state;

    up(k, "endpoint {\n url = \"http://a/push\"\n retry_on_http_429 = false\n}\n");
    push(k, "{x=\"1\"}", "p");
    serve(k, 2 * NS_PER_SEC, 429, 429);
    assert_int_equal(n_calls, 1);
    struct write *w = k->w.shard.self;
    struct endpoint *e = list_item(w->endpoints.next, struct endpoint, link);
    assert_int_equal(metric_value(e->meters.v[0]->dropped_entries[REASON_RATE]), 1);
}

/* All attempts failed: what the source or the log has is kept. */
static void attempts_that_end_lose_nothing(void **state)
{
    struct world *k = *state;

    up(k, "endpoint {\n url = \"http://a/push\"\n max_backoff_retries = 2\n"
          " max_backoff_period = \"1s\"\n}\n");
    push(k, "{x=\"1\"}", "p");
    assert_int_equal(push_lines(k, "{x=\"1\"}", "q", ACK_ACCEPTED), PUSH_TAKEN);
    serve(k, 60 * NS_PER_SEC, 500, 500);
    assert_true(n_calls > 10);
    serve(k, 3 * NS_PER_SEC, 204, 204);
    assert_buf(&k->a, "{x=\"1\"} p q\n");
}

/* --- two endpoints --- */

static void endpoints_are_independent(void **state)
{
    struct world *k = *state;

    up(k, FAST("http://a/push") FAST("http://b/push"));
    for (int i = 0; i < 500; i++) {
        push(k, "{x=\"1\"}", "12345 67890");
        serve(k, 50 * NS_PER_MS, 204, 503);
    }
    serve(k, 2 * NS_PER_SEC, 204, 503);
    assert_int_equal(k->lines_a, 1000);
    assert_int_equal(k->lines_b, 0);
    assert_int_equal(k->done, 500); /* the log has it */
    assert_int_equal(k->w.health, HEALTH_UNHEALTHY);
    serve(k, 600 * NS_PER_SEC, 204, 204); /* the wait has grown meanwhile */
    assert_int_equal(k->lines_b, 1000);
    assert_true(str_eq(buf_view(&k->a), buf_view(&k->b)));
    struct write *w = k->w.shard.self;
    struct disk_log_stats stats;
    disk_log_stats(w->log, &stats);
    assert_int_equal(stats.bytes, 0);
    push(k, "{x=\"1\"}", "again");
    serve(k, 2 * NS_PER_SEC, 204, 204);
    assert_true(str_eq(buf_view(&k->a), buf_view(&k->b)));
    disk_log_stats(w->log, &stats);
    assert_int_equal(stats.records > 0 && stats.bytes == 0, 1);
}

/* One that hangs: its queue fills, then the log takes over. */
static void silence_fills_the_log(void **state)
{
    struct world *k = *state;

    up(k, FAST("http://a/push") FAST("http://b/push"));
    for (int i = 0; i < 100; i++) {
        char line[32];
        (void)snprintf(line, sizeof(line), "%010d x", i);
        push(k, "{x=\"1\"}", line);
        serve(k, 100 * NS_PER_MS, 204, 0);
    }
    serve(k, 2 * NS_PER_SEC, 204, 0);
    assert_int_equal(k->lines_a, 200);
    assert_int_equal(k->done, 100);
    serve(k, 5 * NS_PER_SEC, 204, 204);
    assert_true(str_eq(buf_view(&k->a), buf_view(&k->b)));
}

static int push_until_full(struct world *k)
{
    int n = 0;

    while (n < 100 && push_lines(k, "{x=\"1\"}", "12345 67890", ACK_DELIVERED) == PUSH_TAKEN)
        n++;
    return n;
}

/* One that is slower than what comes: sources wait, the log is for what cannot. */
static void a_slow_one_is_waited_for(void **state)
{
    struct world *k = *state;

    up(k, "endpoint {\n url = \"http://a/push\"\n batch_size = \"10B\"\n"
          " queue_config {\n capacity = \"50B\"\n }\n}\n");
    struct write *w = k->w.shard.self;
    int n = push_until_full(k);
    assert_in_range(n, 2, 20);
    ready = 0;
    serve(k, 2 * NS_PER_SEC, 204, 0);
    assert_true(ready > 0);
    n += push_until_full(k);
    assert_null(w->log);
    assert_int_equal(push_lines(k, "{x=\"1\"}", "once", ACK_ACCEPTED), PUSH_TAKEN);
    assert_non_null(w->log);
    serve(k, 20 * NS_PER_SEC, 204, 0);
    assert_int_equal(k->lines_a, 2 * n + 1);
    assert_true(k->done >= n);
}

/* The log is full, too: sources that can read again wait, for the other endpoint as well. */
static void everything_full(void **state)
{
    struct world *k = *state;
    char big[60000];
    int n = 0;

    memset(big, 'x', sizeof(big));
    for (size_t i = 0; i < sizeof(big); i++)
        big[i] = (char)('a' + (random_u64() & 15));
    big[sizeof(big) - 1] = '\0';
    up(k, "endpoint {\n url = \"http://b/push\"\n batch_size = \"10KiB\"\n"
          " queue_config {\n block_on_overflow = false\n }\n}\n wal {\n max_size = \"1MiB\"\n}\n");
    while (push_lines(k, "{x=\"1\"}", big, ACK_DELIVERED) == PUSH_TAKEN && ++n < 500)
        serve(k, 50 * NS_PER_MS, 503, 503);
    assert_in_range(n, 15, 100);
    assert_non_null(strstr(k->w.health_text, "largest size"));
    assert_int_equal(push_lines(k, "{x=\"1\"}", big, ACK_ACCEPTED), PUSH_TAKEN); /* drops */
    serve(k, 2 * NS_PER_SEC, 503, 503);
    assert_int_equal(push_lines(k, "{x=\"1\"}", big, ACK_DELIVERED), PUSH_FULL);
    struct write *w = k->w.shard.self;
    struct endpoint *e = list_item(w->endpoints.next, struct endpoint, link);
    serve(k, NS_PER_SEC, 503, 503);
    assert_true(metric_value(e->meters.v[0]->dropped_entries[REASON_FULL]) >= 0);
    ready = 0;
    serve(k, 600 * NS_PER_SEC, 204, 204);
    assert_true(ready > 0);
    assert_true(k->lines_b >= (u32)n);
    assert_true(k->done >= n);
    assert_int_equal(push_lines(k, "{x=\"1\"}", big, ACK_DELIVERED), PUSH_TAKEN);
}

/* --- lanes --- */

static void streams_keep_their_order_in_lanes(void **state)
{
    struct world *k = *state;
    char labels[32], line[32];
    u32 most = 0;

    up(k, "endpoint {\n url = \"http://a/push\"\n batch_size = \"40B\"\n"
          " queue_config {\n min_shards = 4\n }\n}\n");
    for (int i = 0; i < 400; i++) {
        (void)snprintf(labels, sizeof(labels), "{s=\"%d\"}", i % 10);
        (void)snprintf(line, sizeof(line), "%03d-%04d-padding", i % 10, i);
        push(k, labels, line);
        most = MAX(most, (u32)calls.n);
        /* Answers come in any order, some are refusals. */
        if (calls.n > 2) {
            struct http_call_handle *h = calls.v[random_u64() % calls.n];
            answer(k, h, random_u64() % 5 == 0 ? 503 : 204);
        }
        pass(k, 20 * NS_PER_MS);
    }
    serve(k, 30 * NS_PER_SEC, 204, 204);
    assert_true(most > 1);
    assert_int_equal(k->lines_a, 400);
    for (int s = 0; s < 10; s++) {
        (void)snprintf(line, sizeof(line), " %03d-", s);
        int last = -1;
        for (const char *at = k->a.p; (at = strstr(at, line)); at += 5) {
            int number = atoi(at + 5);
            assert_true(number > last);
            last = number;
        }
    }
}

/* --- restarts --- */

/* Under load, with a server that is slow, lanes are added; then batches wait a twentieth, until
 * there is little to send. */
static void added_lanes_shorten_the_wait(void **state)
{
    struct world *k = *state;

    up(k, "endpoint {\n url = \"http://a/push\"\n batch_size = \"40B\"\n}\n");
    push(k, "{s=\"0\"}", "alone");
    pass(k, 900 * NS_PER_MS);
    assert_int_equal(calls.n, 0);
    pass(k, 150 * NS_PER_MS);
    assert_int_equal(calls.n, 1);
    for (int i = 0; i < 20; i++)
        push(k, i % 2 ? "{s=\"1\"}" : "{s=\"2\"}", "1234567890123");
    const struct batcher *b = ((struct write *)k->w.shard.self)->batchers.v[0];
    assert_true(b->lanes > 1);
    while (calls.n)
        answer(k, calls.v[0], 204);
    serve(k, 200 * NS_PER_MS, 204, 204);
    push(k, "{s=\"1\"}", "little");
    assert_int_equal(calls.n, 0);
    pass(k, 60 * NS_PER_MS);
    assert_int_equal(calls.n, 1);
    assert_int_equal(b->lanes, 1);
    answer(k, calls.v[0], 204);
    push(k, "{s=\"1\"}", "alone");
    pass(k, 900 * NS_PER_MS);
    assert_int_equal(calls.n, 0);
    pass(k, 150 * NS_PER_MS);
    assert_int_equal(calls.n, 1);
}

/* A source that reads one file for two tenants does not wait for the rare one's time. */
static void a_rare_tenant_does_not_hold_up_the_others(void **state)
{
    struct world *k = *state;

    up(k, "endpoint {\n url = \"http://a/push\"\n batch_size = \"40B\"\n}\n");
    push(k, "{x=\"1\", __tenant_id__=\"rare\"}", "r");
    for (int i = 0; i < 3; i++)
        push(k, "{x=\"1\", __tenant_id__=\"often\"}", "12345678901234567890");
    serve(k, 150 * NS_PER_MS, 204, 204);
    assert_buf(&k->a, "often{x=\"1\"} 12345678901234567890 12345678901234567890\n"
                      "rare{x=\"1\"} r\n");
    serve(k, 2 * NS_PER_SEC, 204, 204); /* the load is over */
    assert_buf(&k->a, "often{x=\"1\"} 12345678901234567890\n");
    push(k, "{x=\"1\", __tenant_id__=\"rare\"}", "r");
    push(k, "{x=\"1\", __tenant_id__=\"often\"}", "o");
    serve(k, 900 * NS_PER_MS, 204, 204);
    assert_buf(&k->a, "");
    serve(k, 200 * NS_PER_MS, 204, 204);
    assert_buf(&k->a, "rare{x=\"1\"} r\noften{x=\"1\"} o\n");
}

/* --- the agent is about to stop --- */

static void a_hurry_sends_what_is_open(void **state)
{
    struct world *k = *state;

    up(k, "endpoint {\n url = \"http://a/push\"\n batch_wait = \"10s\"\n}\n");
    push(k, "{x=\"1\"}", "one");
    assert_int_equal(calls.n, 0);
    loki_write.hurry(&k->w.shard);
    assert_int_equal(calls.n, 1);
    answer(k, calls.v[0], 204);
    loop_turn(k->w.loop, 0);
    assert_int_equal(k->done, 1);
    for (int i = 0; i < 3; i++) { /* what sources read on waits little, too */
        push(k, "{x=\"1\"}", "more");
        assert_int_equal(calls.n, 0);
        pass(k, 60 * NS_PER_MS);
        assert_int_equal(calls.n, 1);
        answer(k, calls.v[0], 204);
    }
    loop_turn(k->w.loop, 0);
    assert_int_equal(k->done, 4);
    assert_buf(&k->a, "{x=\"1\"} one\n{x=\"1\"} more\n{x=\"1\"} more\n{x=\"1\"} more\n");
}

/* A wait that is shorter than that stays. */
static void a_hurry_makes_nothing_slower(void **state)
{
    struct world *k = *state;

    up(k, "endpoint {\n url = \"http://a/push\"\n batch_wait = \"10ms\"\n}\n");
    loki_write.hurry(&k->w.shard);
    push(k, "{x=\"1\"}", "one");
    pass(k, 15 * NS_PER_MS);
    assert_int_equal(calls.n, 1);
}

/* Sources wait until what they sent is safe: what a failing endpoint lacks goes to disk at once,
 * what a silent one lacks after a second. */
static void a_hurry_makes_safe_what_cannot_be_sent(void **state)
{
    struct world *k = *state;

    up(k, TWO);
    push(k, "{x=\"1\"}", "before");
    pass(k, 1100 * NS_PER_MS);
    answer(k, call_to("//a"), 204);
    answer(k, call_to("//b"), 503);
    loop_turn(k->w.loop, 0);
    assert_int_equal(k->done, 0); /* b has not failed for long */
    loki_write.hurry(&k->w.shard);
    pass(k, 10 * NS_PER_MS);
    assert_int_equal(k->done, 1);
    push(k, "{x=\"1\"}", "silence");
    serve(k, 300 * NS_PER_MS, 0, 503);
    assert_int_equal(k->done, 1);
    serve(k, 1200 * NS_PER_MS, 0, 503);
    assert_int_equal(k->done, 2);
    down(k, 0, 503);
    up(k, TWO);
    serve(k, 60 * NS_PER_SEC, 204, 204);
    assert_buf(&k->a, "{x=\"1\"} before\n{x=\"1\"} silence\n");
    assert_buf(&k->b, "{x=\"1\"} before\n{x=\"1\"} silence\n");
}

static void a_kill_goes_on_from_the_log(void **state)
{
    struct world *k = *state;

    up(k, FAST("http://a/push") FAST("http://b/push"));
    for (int i = 0; i < 100; i++) {
        char line[32];
        (void)snprintf(line, sizeof(line), "%010d x", i);
        push(k, "{x=\"1\"}", line);
        serve(k, 50 * NS_PER_MS, 204, -1);
    }
    serve(k, 2 * NS_PER_SEC, 204, -1);
    assert_int_equal(k->done, 100);
    killed(k);
    up(k, FAST("http://a/push") FAST("http://b/push"));
    serve(k, 10 * NS_PER_SEC, 204, 204);
    assert_true(str_eq(buf_view(&k->a), buf_view(&k->b)));
}

/* At the end the log takes what an endpoint does not: nobody sends it again to the other. */
static void a_stop_with_an_endpoint_down(void **state)
{
    struct world *k = *state;

    up(k, TWO);
    push(k, "{x=\"1\"}", "p");
    push(k, "{x=\"1\"}", "q");
    down(k, 204, -1);
    assert_int_equal(k->done, 2);
    assert_int_equal(k->lines_a, 2);
    up(k, TWO);
    push(k, "{x=\"1\"}", "r");
    serve(k, 10 * NS_PER_SEC, 204, 204);
    assert_buf(&k->b, "{x=\"1\"} p q\n{x=\"1\"} r\n");
    assert_buf(&k->a, "{x=\"1\"} p q\n{x=\"1\"} r\n");
}

/* Where there is no disk either, sources are told that it was not delivered. */
static void a_stop_without_a_disk(void **state)
{
    struct world *k = *state;

    up(k, ONE);
    char *file = xprintf("%s/data/wal", k->w.folder);
    write_file_text(file, "w", STR("not a folder"));
    push(k, "{x=\"1\"}", "p");
    down(k, -1, -1);
    assert_int_equal(k->abandoned, 1);
    free(file);
}

/* --- reloads --- */

static void a_reload_keeps_queues(void **state)
{
    struct world *k = *state;

    up(k, TWO);
    push(k, "{x=\"1\"}", "p");
    serve(k, 1500 * NS_PER_MS, 204, 503);
    push(k, "{x=\"1\"}", "q");
    reload(k, "external_labels = { new = \"l\" }\n" TWO);
    push(k, "{x=\"1\"}", "r");
    serve(k, 8 * NS_PER_SEC, 204, 204);
    assert_buf(&k->a, "{x=\"1\"} p\n{x=\"1\"} q\n{new=\"l\", x=\"1\"} r\n");
    assert_text(buf_view(&k->b), "{x=\"1\"} p\n{x=\"1\"} q\n{new=\"l\", x=\"1\"} r\n");
}

static void a_changed_url_takes_over(void **state)
{
    struct world *k = *state;

    up(k, ONE);
    push(k, "{x=\"1\"}", "p");
    serve(k, 1500 * NS_PER_MS, 503, 503);
    reload(k, "endpoint {\n url = \"http://b/push\"\n}\n");
    serve(k, 5 * NS_PER_SEC, 503, 204);
    assert_buf(&k->b, "{x=\"1\"} p\n");
}

/* The same with a backlog in the log, and with a restart in place of a reload. */
static void a_changed_url_takes_the_log_over(void **state)
{
    struct world *k = *state;

    up(k, ONE);
    push(k, "{x=\"1\"}", "p");
    serve(k, 5 * NS_PER_SEC, 503, 503);
    assert_int_equal(k->done, 1);
    reload(k, "endpoint {\n url = \"http://c/push\"\n}\n");
    push(k, "{x=\"1\"}", "q");
    serve(k, 2 * NS_PER_SEC, 503, 503);
    while (calls.n)
        answer(k, calls.v[0], 503);
    reload(k, "endpoint {\n url = \"http://d/push\"\n}\n");
    down(k, 503, 503);
    up(k, "endpoint {\n url = \"http://b/push\"\n}\n");
    serve(k, 5 * NS_PER_SEC, 503, 204);
    assert_buf(&k->b, "{x=\"1\"} p\n{x=\"1\"} q\n");
}

static void a_removed_endpoint_is_forgotten(void **state)
{
    struct world *k = *state;

    up(k, TWO);
    push(k, "{x=\"1\"}", "p");
    serve(k, 5 * NS_PER_SEC, 204, 503);
    struct write *w = k->w.shard.self;
    struct disk_log_stats stats;
    disk_log_stats(w->log, &stats);
    assert_true(stats.bytes > 0);
    reload(k, ONE);
    disk_log_stats(w->log, &stats);
    assert_int_equal(stats.bytes, 0);
    push(k, "{x=\"1\"}", "q");
    serve(k, 2 * NS_PER_SEC, 204, 503);
    assert_buf(&k->a, "{x=\"1\"} p\n{x=\"1\"} q\n");
    assert_int_equal(k->done, 2);
}

/* --- the write-ahead log --- */

#define WAL "wal {\n enabled = true\n}\n"

static void wal_acknowledges_what_is_on_disk(void **state)
{
    struct world *k = *state;

    up(k, WAL TWO);
    push(k, "{x=\"1\"}", "p q");
    assert_int_equal(k->done, 1);
    assert_int_equal(push_lines(k, "{y=\"1\", __tenant_id__=\"t\"}", "r", ACK_ACCEPTED),
                     PUSH_TAKEN);
    killed(k);
    up(k, WAL TWO);
    push(k, "{x=\"1\"}", "s");
    serve(k, 3 * NS_PER_SEC, 204, 204);
    assert_buf(&k->a, "{x=\"1\"} p q{x=\"1\"} s\nt{y=\"1\"} r\n");
    assert_buf(&k->b, "{x=\"1\"} p q{x=\"1\"} s\nt{y=\"1\"} r\n");
    down(k, 204, 204);
    up(k, WAL TWO); /* the marks have moved */
    serve(k, 3 * NS_PER_SEC, 204, 204);
    assert_int_equal(k->a.n, 0);
}

/* Switched on while an endpoint fails: what waited for it in memory is in the log, and in front. */
static void wal_takes_over_what_waits(void **state)
{
    struct world *k = *state;

    up(k, FAST("http://a/push"));
    assert_int_equal(push_lines(k, "{x=\"1\"}", "1111111111 2222222222 3333333333", ACK_ACCEPTED),
                     PUSH_TAKEN);
    push(k, "{x=\"1\"}", "4444444444");
    answer(k, calls.v[0], 503);
    pass(k, 100 * NS_PER_MS);
    reload(k, WAL FAST("http://a/push"));
    assert_int_equal(push_lines(k, "{x=\"1\"}", "5", ACK_ACCEPTED), PUSH_TAKEN);
    serve(k, NS_PER_SEC, 503, 503);
    assert_int_equal(k->a.n, 0);
    down(k, 503, 503);
    up(k, WAL FAST("http://a/push"));
    serve(k, 5 * NS_PER_SEC, 204, 204);
    assert_buf(&k->a, "{x=\"1\"} 1111111111\n{x=\"1\"} 2222222222\n{x=\"1\"} 3333333333\n"
                      "{x=\"1\"} 4444444444\n{x=\"1\"} 5\n");
    assert_int_equal(k->abandoned, 0);
}

static void wal_endpoints_read_at_their_own_pace(void **state)
{
    struct world *k = *state;
    char line[32];

    up(k, WAL FAST("http://a/push") FAST("http://b/push"));
    for (int i = 0; i < 300; i++) {
        (void)snprintf(line, sizeof(line), "%010d", i);
        push(k, i % 3 ? "{x=\"1\"}" : "{x=\"2\"}", line);
        serve(k, 50 * NS_PER_MS, 204, i < 200 ? 500 : 204);
    }
    serve(k, 600 * NS_PER_SEC, 204, 204);
    assert_int_equal(k->lines_a, 300);
    assert_int_equal(k->lines_b, 300);
    assert_int_equal(k->done, 300);
    assert_true(str_eq(buf_view(&k->a), buf_view(&k->b)));
}

/* --- settings --- */

static void faults(void **state)
{
    struct world *k = *state;
    static const struct {
        const char *config, *want;
    } cases[] = {
        {"", "at least one endpoint config must be provided"},
        {ONE ONE, "duplicate endpoint configs are not allowed, found duplicate for name: "},
        {"endpoint {\n name = \"n\"\n url = \"http://a\"\n}\n"
         "endpoint {\n name = \"n\"\n url = \"http://b\"\n}\n",
         "found duplicate for name: n"},
        {ONE "wal {\n min_read_frequency = \"2s\"\n}\n",
         "WAL min read frequency should be lower than max read frequency"},
        {"endpoint {\n url = \"nonsense\"\n}\n", "URL"},
        {"endpoint {\n url = \"http://a\"\n queue_config {\n min_shards = 2\n }\n}\n",
         "changing queue_config requires stability.level flag to be experimental"},
    };

    k->w.host.min_stability = STABILITY_GA;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        size_t before = k->w.diags.list.n;
        assert_null(plan_of(k, cases[i].config));
        bool found = false;
        for (size_t d = before; d < k->w.diags.list.n; d++)
            found |= strstr(k->w.diags.list.v[d].message, cases[i].want) != NULL;
        if (!found) print_error("%s: %s\n", cases[i].want, k->w.diags.list.v[before].message);
        assert_true(found);
    }
    /* Alike but for a setting: two endpoints. */
    assert_non_null(
        plan_of(k, ONE "endpoint {\n url = \"http://a/push\"\n batch_wait = \"2s\"\n}\n"));
}

static void custom_headers(void **state)
{
    struct world *k = *state;

    up(k,
       "endpoint {\n url = \"http://a/push\"\n"
       " headers = { \"X-One\" = \"1\", \"user-agent\" = \"me\", \"X-Scope-OrgID\" = \"dflt\" }\n"
       " basic_auth {\n username = \"u\"\n password = \"p\"\n }\n}\n");
    push(k, "{x=\"1\"}", "p");
    push(k, "{x=\"1\", __tenant_id__=\"own\"}", "q");
    pass(k, 1100 * NS_PER_MS);
    assert_int_equal(calls.n, 2);
    assert_non_null(strstr(calls.v[0]->headers, "X-One: 1\n"));
    assert_non_null(strstr(calls.v[0]->headers, "Authorization: Basic dTpw\n"));
    assert_null(strstr(calls.v[0]->headers, "me\n"));
    serve(k, NS_PER_SEC, 204, 204);
    assert_buf(&k->a, "dflt{x=\"1\"} p\nown{x=\"1\"} q\n");
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(one_request_for_each_wait),
        TEST(closes_at_its_size),
        TEST(labels_and_tenants),
        TEST(streams_are_limited),
        TEST(tried_again_in_order),
        TEST(trouble_is_told),
        TEST(a_limited_tenant_is_alone),
        TEST(refused_for_good),
        TEST(rate_limits_that_are_not_retried),
        TEST(attempts_that_end_lose_nothing),
        TEST(endpoints_are_independent),
        TEST(silence_fills_the_log),
        TEST(a_slow_one_is_waited_for),
        TEST(everything_full),
        TEST(streams_keep_their_order_in_lanes),
        TEST(added_lanes_shorten_the_wait),
        TEST(a_rare_tenant_does_not_hold_up_the_others),
        TEST(a_hurry_sends_what_is_open),
        TEST(a_hurry_makes_nothing_slower),
        TEST(a_hurry_makes_safe_what_cannot_be_sent),
        TEST(a_kill_goes_on_from_the_log),
        TEST(a_stop_with_an_endpoint_down),
        TEST(a_stop_without_a_disk),
        TEST(a_reload_keeps_queues),
        TEST(a_changed_url_takes_over),
        TEST(a_changed_url_takes_the_log_over),
        TEST(a_removed_endpoint_is_forgotten),
        TEST(wal_acknowledges_what_is_on_disk),
        TEST(wal_takes_over_what_waits),
        TEST(wal_endpoints_read_at_their_own_pace),
        TEST(faults),
        TEST(custom_headers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
