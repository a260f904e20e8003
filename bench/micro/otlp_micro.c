/* Nanoseconds per span of the wire path: validate, cut, edit (two upserts), JSON in and out, and
 * protobuf-c decoding as a measure. Payload: one request of 512 spans of about 750 bytes, as
 * bench/otlpgen makes them.
 *
 * Built by `make -C bench micro`, or by hand from the repository's root after `make` (B=build):
 *   cc -O2 -D_GNU_SOURCE -I. -Ibuild -o build/otlp_micro bench/micro/otlp_micro.c -Wl,--start-group
 * build/lib{telemetry,net,proto,base}.a -Wl,--end-group \
 *      $(pkg-config --libs libcurl libnghttp2 openssl jansson libpcre2-8 yaml-0.1 libprotobuf-c
 * zlib libdeflate libzstd liblz4) -lev -lhttp_parser -lsnappy -lm -pthread Usage: otlp_micro
 * [rounds [what]] */
#include <stdlib.h>
#include <time.h>
#include "base/arena.h"
#include "proto/otlp.pb-c.h"
#include "telemetry/otlp.h"
#include "telemetry/otlp_cut.h"
#include "telemetry/otlp_desc.h"
#include "telemetry/otlp_edit.h"
#include "telemetry/otlp_value.h"
#include "telemetry/pb.h"

#define SPANS 512

/* --- payload --- */

static void add_attr(struct buf *b, u32 num, const char *key, const struct otlp_value *v)
{
    size_t kv = pb_open(b, num, 1);
    pb_add_bytes(b, OTLP_key_value_key, str_of(key));
    size_t any = pb_open(b, OTLP_key_value_value, 1);
    otlp_value_write(b, v);
    pb_close(b, any, 1);
    pb_close(b, kv, 1);
}

static void add_text(struct buf *b, u32 num, const char *key, const char *text)
{
    add_attr(b, num, key, &(struct otlp_value){.type = OTLP_V_STR, .s = str_of(text)});
}

static void add_int(struct buf *b, u32 num, const char *key, i64 v)
{
    add_attr(b, num, key, &(struct otlp_value){.type = OTLP_V_INT, .i = v});
}

static void add_attributes(struct buf *b, int i)
{
    u32 a = OTLP_span_attributes;
    char text[160];
    add_text(b, a, "http.request.method", i & 3 ? "GET" : "POST");
    add_text(b, a, "http.route", "/api/v1/orders/:id");
    snprintf(text, sizeof(text),
             "https://shop.example.com/api/v1/orders/:id?session=%08x&ref=campaign-%d", i * 7919,
             i % 97);
    add_text(b, a, "url.full", text);
    add_int(b, a, "http.response.status_code", i % 50 ? 200 : 500);
    add_text(b, a, "server.address", "shop.example.com");
    add_int(b, a, "server.port", 443);
    snprintf(text, sizeof(text), "10.%d.%d.%d", i & 255, i * 3 & 255, i * 5 & 255);
    add_text(b, a, "client.address", text);
    add_text(b, a, "user_agent.original",
             "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
             "Chrome/124.0 Safari/537.36");
    add_text(b, a, "network.protocol.version", "1.1");
    add_text(b, a, "thread.name", "http-nio-8080-exec-7");
    add_int(b, a, "thread.id", i % 64);
    snprintf(text, sizeof(text), "%08x-1111-4222-a333-%012x", i, i);
    add_text(b, a, "enduser.id", text);
    if (!(i & 1)) return;
    add_text(b, a, "db.system", "postgresql");
    add_text(b, a, "db.statement",
             "SELECT o.id, o.total, o.created_at FROM orders o WHERE o.user_id = $1 ORDER BY "
             "o.created_at DESC LIMIT 20");
    add_text(b, a, "db.name", "orders");
    add_int(b, a, "db.rows", i);
}

static void add_span(struct buf *b, int i)
{
    char id[16] = "0123456789abcdef";
    size_t span = pb_open(b, OTLP_RECORDS, 2);
    memcpy(id, &i, sizeof(i));
    pb_add_bytes(b, OTLP_span_trace_id, str_n(id, 16));
    pb_add_bytes(b, OTLP_span_span_id, str_n(id, 8));
    pb_add_bytes(b, OTLP_span_parent_span_id, str_n(id + 8, 8));
    pb_add_bytes(b, OTLP_span_name, STR("GET /api/v1/orders/:id"));
    pb_add_u64(b, OTLP_span_kind, 2);
    pb_add_fixed64(b, OTLP_span_start_time_unix_nano, UINT64_C(1732233600000000000) + (u64)i);
    pb_add_fixed64(b, OTLP_span_end_time_unix_nano, UINT64_C(1732233602000000000) + (u64)i);
    add_attributes(b, i);
    pb_add_bytes(b, OTLP_span_status, STR("\x18\x01"));
    pb_close(b, span, 2);
}

static void add_request(struct buf *b)
{
    size_t rs = pb_open(b, OTLP_RESOURCES, 3), resource = pb_open(b, OTLP_RESOURCE, 1);
    add_text(b, OTLP_resource_attributes, "service.name", "checkout");
    add_text(b, OTLP_resource_attributes, "host.name", "node-1");
    pb_close(b, resource, 1);
    size_t ss = pb_open(b, OTLP_SCOPES, 3);
    for (int i = 0; i < SPANS; i++)
        add_span(b, i);
    pb_close(b, ss, 3);
    pb_close(b, rs, 3);
}

/* --- what is measured --- */

struct bench {
    struct str bytes;
    struct batch *batch;
    struct buf json, out;
    struct otlp_edit *edit;
    struct str values[2];
    const char *only; /* measure nothing else; NULL: all */
};

static void check(int err)
{
    if (!err) return;
    fprintf(stderr, "otlp_micro: error %d\n", err);
    exit(1);
}

static void run_validate(struct bench *b)
{
    char err[128];
    u32 items;
    check(otlp_validate(SIGNAL_TRACES, b->bytes, &items, err, sizeof(err)));
}

static void run_cut(struct bench *b)
{
    struct otlp_cut *c = otlp_cut_new(batch_ref(b->batch));
    struct batch *piece;
    while (otlp_cut_left(c) > 0) {
        check(otlp_cut_take(c, 100, NULL, &piece));
        batch_unref(piece);
    }
    otlp_cut_free(c);
}

static void edit_span(void *arg, struct otlp_edit *e, const struct otlp_at *at)
{
    struct bench *b = arg;
    otlp_attr_put(e, STR("cluster.name"), b->values[0]);
    otlp_attr_put(e, STR("environment"), b->values[1]);
}

static void run_edit(struct bench *b)
{
    struct batch *out;
    check(otlp_edit_batch(b->edit, b->batch, edit_span, b, NULL, &out));
    batch_unref(out);
}

static void run_copy(struct bench *b)
{
    struct buf out = BUF_INIT(SIZE_MAX);
    for (u32 i = 0; i < b->batch->n_slices; i++)
        buf_add(&out, b->batch->slices[i].p, b->batch->slices[i].n);
    buf_done(&out);
}

static void run_json_out(struct bench *b)
{
    buf_reset(&b->out);
    check(otlp_to_json(b->batch, &b->out));
}

static void run_json_in(struct bench *b)
{
    char err[128];
    u32 items;
    buf_reset(&b->out);
    check(otlp_from_json(SIGNAL_TRACES, buf_view(&b->json), &b->out, &items, err, sizeof(err)));
}

static void run_protobuf_c(struct bench *b)
{
    Otlp__ExportTraceServiceRequest *m =
        otlp__export_trace_service_request__unpack(NULL, b->bytes.n, (const u8 *)b->bytes.p);
    if (!m) check(1);
    otlp__export_trace_service_request__free_unpacked(m, NULL);
}

static f64 now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (f64)t.tv_sec * 1e9 + (f64)t.tv_nsec;
}

/* The best of five: what the code costs when nothing else disturbs it. */
static void measure(const char *name, void (*fn)(struct bench *), struct bench *b, int rounds)
{
    f64 best = 1e18;
    if (b->only && strcmp(b->only, name) != 0) return;
    fn(b);
    for (int k = 0; k < 5; k++) {
        f64 start = now();
        for (int i = 0; i < rounds; i++)
            fn(b);
        best = MIN(best, (now() - start) / rounds / SPANS);
    }
    printf("%-12s %8.1f ns/span\n", name, best);
}

int main(int argc, char **argv)
{
    int rounds = argc > 1 ? atoi(argv[1]) : 200;
    struct buf bytes = BUF_INIT(SIZE_MAX);
    add_request(&bytes);
    struct bench b = {.bytes = buf_view(&bytes),
                      .batch = batch_new(SIGNAL_TRACES),
                      .json = BUF_INIT(SIZE_MAX),
                      .out = BUF_INIT(SIZE_MAX),
                      .edit = otlp_edit_new(),
                      .only = argc > 2 ? argv[2] : NULL,
                      .values = {STR("\x0a\x0francher-cluster"), STR("\x0a\x0b"
                                                                     "development")}};
    struct blob *root = blob_take_buf(&bytes, NULL);
    b.bytes = blob_view(root);
    batch_add_slice(b.batch, root, root->p, root->n, SPANS);
    batch_seal(b.batch);
    check(otlp_to_json(b.batch, &b.json));
    printf("%zu bytes/span, JSON %zu bytes/span\n", b.bytes.n / SPANS, b.json.n / SPANS);
    measure("copy", run_copy, &b, rounds);
    measure("validate", run_validate, &b, rounds);
    measure("edit", run_edit, &b, rounds);
    measure("cut", run_cut, &b, rounds);
    measure("json out", run_json_out, &b, rounds);
    measure("json in", run_json_in, &b, rounds);
    measure("protobuf-c", run_protobuf_c, &b, rounds);
    otlp_edit_free(b.edit);
    batch_unref(b.batch);
    blob_unref(root);
    buf_done(&b.json);
    buf_done(&b.out);
    return 0;
}
