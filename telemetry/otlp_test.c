/* The wire path against protobuf-c, on random payloads of all signals: validation and counting,
 * cutting, JSON both ways. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include "telemetry/otlp.h"
#include "telemetry/otlp_cut.h"
#include "tests/otlp_oracle.h"

#define ROUNDS 400

static void assert_same(struct str a, struct str b)
{
    assert_int_equal(a.n, b.n);
    assert_memory_equal(a.p ? a.p : "", b.p ? b.p : "", a.n);
}

/* Calls fn with many random requests. */
static void each_random(bool messy, void (*fn)(enum signal s, struct str bytes, struct gen *g))
{
    struct buf b = BUF_INIT(SIZE_MAX);
    for (u64 seed = 0; seed < ROUNDS; seed++) {
        struct gen g = {.rng = {seed * 7 + messy}, .messy = messy};
        buf_reset(&b);
        gen_request(&g, (enum signal)(seed % SIGNAL_COUNT), &b);
        fn((enum signal)(seed % SIGNAL_COUNT), str_n(b.p ? b.p : "", b.n), &g);
    }
    buf_done(&b);
}

static u32 items_of(enum signal s, struct str bytes)
{
    char err[128] = "";
    u32 items = 0;
    int code = otlp_validate(s, bytes, &items, err, sizeof(err));
    if (code) print_error("%s\n", err);
    assert_int_equal(code, 0);
    return items;
}

/* --- validate --- */

static void counts_like_the_oracle(enum signal s, struct str bytes, struct gen *g)
{
    struct arena a;
    arena_init(&a, 65536);
    ProtobufCMessage *m = oracle_decode(s, bytes, &a);
    assert_non_null(m);
    assert_int_equal(items_of(s, bytes), oracle_count(s, m));
    arena_done(&a);
}

static void validates_and_counts(void **state)
{
    each_random(false, counts_like_the_oracle);
}

static void accepts_messy_payloads(enum signal s, struct str bytes, struct gen *g)
{
    items_of(s, bytes);
}

static void validates_messy(void **state)
{
    each_random(true, accepts_messy_payloads);
}

/* Every prefix that ends inside a message is refused, or is one that protobuf-c takes too. */
static void judges_prefixes(enum signal s, struct str bytes, struct gen *g)
{
    for (size_t n = 0; n < bytes.n; n += 1 + bytes.n / 200) {
        struct arena a;
        char err[128];
        u32 items;
        struct str prefix = str_n(bytes.p, n);
        arena_init(&a, 65536);
        bool ok = otlp_validate(s, prefix, &items, err, sizeof(err)) == 0;
        assert_int_equal(ok, oracle_decode(s, prefix, &a) != NULL);
        arena_done(&a);
    }
}

static void refuses_cut_off(void **state)
{
    each_random(false, judges_prefixes);
}

static void expect_refusal(struct str bytes, const char *part)
{
    char err[128] = "";
    u32 items = 77;
    assert_int_equal(otlp_validate(SIGNAL_TRACES, bytes, &items, err, sizeof(err)), -EBADMSG);
    assert_int_equal(items, 77);
    if (!strstr(err, part)) print_error("got: %s\n", err);
    assert_non_null(strstr(err, part));
}

static void refuses_by_name(void **state)
{
    expect_refusal(STR("\x08\x01"),
                   "ExportTraceServiceRequest.resource_spans: wire type 0 instead of 2");
    expect_refusal(STR("\x02\x00"), "illegal tag");
    expect_refusal(STR("\x0c"), "wire type 4 instead of 2");
    expect_refusal(STR("\x0a\x09\x12\x07\x12\x05\x0a\x03"
                       "abc"),
                   "Span.trace_id: 3 bytes instead of 16");
    expect_refusal(STR("\x0a\x0a\x12\x08\x12\x06\x12\x04"
                       "abcd"),
                   "Span.span_id: 4 bytes instead of 8");
    expect_refusal(STR("\x0a\x7f"), "cut off");
}

static void accepts_empty_and_groups(void **state)
{
    assert_int_equal(items_of(SIGNAL_LOGS, STR("")), 0);
    assert_int_equal(items_of(SIGNAL_TRACES, STR("\x1b\x08\x01\x1c")), 0);
}

static void counts_deprecated_scopes(void **state)
{
    struct str old = STR("\x0a\x07\xc2\x3e\x04\x12\x00\x12\x00"),
               both = STR("\x0a\x0b\xc2\x3e\x04\x12\x00\x12\x00\x12\x02\x12\x00");
    assert_int_equal(items_of(SIGNAL_TRACES, old), 2);
    assert_int_equal(items_of(SIGNAL_TRACES, both), 1);
}

/* resource { attributes { key, value { array_value { values { array_value ... } } } } } */
static void bounds_depth(void **state)
{
    struct buf in = BUF_INIT(100000), out = BUF_INIT(100000);
    for (int levels = 0; levels < 200; levels++) {
        static const u32 nums[] = {OTLP_array_value_values, OTLP_any_value_array_value};
        buf_reset(&out);
        pb_add_bytes(&out, nums[levels % 2], buf_view(&in));
        struct buf swap = in;
        in = out;
        out = swap;
    }
    static const u32 path[] = {OTLP_key_value_value, OTLP_resource_attributes, OTLP_RESOURCE,
                               OTLP_RESOURCES};
    for (size_t i = 0; i < ARRAY_LEN(path); i++) {
        buf_reset(&out);
        pb_add_bytes(&out, path[i], buf_view(&in));
        struct buf swap = in;
        in = out;
        out = swap;
    }
    expect_refusal(buf_view(&in), "nest more than 100 levels");
    buf_done(&in);
    buf_done(&out);
}

/* --- cut --- */

static void cuts_into(enum signal s, struct str bytes, u32 piece)
{
    struct buf want = BUF_INIT(SIZE_MAX), got = BUF_INIT(SIZE_MAX), one = BUF_INIT(SIZE_MAX);
    struct batch *b = batch_of_bytes(s, bytes, items_of(s, bytes)), *part;
    u32 left = b->items;
    oracle_flat(s, bytes, &want);
    struct otlp_cut *c = otlp_cut_new(b);
    while (otlp_cut_left(c) > 0) {
        assert_int_equal(otlp_cut_take(c, piece, NULL, &part), 0);
        assert_int_equal(part->items, MIN(piece, left));
        left -= part->items;
        buf_reset(&one);
        batch_bytes(part, &one);
        assert_int_equal(items_of(s, buf_view(&one)), part->items);
        oracle_flat(s, buf_view(&one), &got);
        batch_unref(part);
    }
    assert_int_equal(left, 0);
    otlp_cut_free(c);
    assert_same(buf_view(&want), buf_view(&got));
    buf_done(&want);
    buf_done(&got);
    buf_done(&one);
}

static void cuts_like_the_oracle(enum signal s, struct str bytes, struct gen *g)
{
    u32 items = items_of(s, bytes);
    if (items == 0) return;
    cuts_into(s, bytes, 1);
    cuts_into(s, bytes, 1 + (u32)rng_below(&g->rng, items));
}

static void cuts(void **state)
{
    each_random(false, cuts_like_the_oracle);
}

static void splits_in_two(void **state)
{
    struct str good = STR("\x0a\x0d\x12\x08\x12\x02\x2a\x00\x12\x02\x2a\x00\x1a\x01u");
    struct batch *b = batch_of_bytes(SIGNAL_TRACES, good, items_of(SIGNAL_TRACES, good)), *head,
                 *tail;
    assert_int_equal(b->items, 2);
    assert_int_equal(otlp_split(b, 1, &head, &tail), 0);
    assert_same(str_n(head->slices[0].p, head->slices[0].n),
                STR("\x0a\x09\x1a\x01u\x12\x04\x12\x02\x2a\x00"));
    assert_same(str_n(tail->slices[0].p, tail->slices[0].n),
                STR("\x0a\x09\x1a\x01u\x12\x04\x12\x02\x2a\x00"));
    batch_unref(head);
    batch_unref(tail);
    batch_unref(b);
}

/* --- JSON --- */

static void to_json(enum signal s, struct str bytes, struct buf *out)
{
    struct batch *b = batch_of_bytes(s, bytes, items_of(s, bytes));
    assert_int_equal(otlp_to_json(b, out), 0);
    batch_unref(b);
}

static void from_json(enum signal s, struct str json, u32 items, struct buf *out)
{
    char err[256] = "";
    u32 got = 0;
    int code = otlp_from_json(s, json, out, &got, err, sizeof(err));
    if (code) print_error("%s\n" STR_FMT "\n", err, STR_ARG(json));
    assert_int_equal(code, 0);
    assert_int_equal(got, items);
}

static void survives_json(enum signal s, struct str bytes, struct gen *g)
{
    struct buf json = BUF_INIT(SIZE_MAX), back = BUF_INIT(SIZE_MAX), want = BUF_INIT(SIZE_MAX),
               got = BUF_INIT(SIZE_MAX);
    u32 items = items_of(s, bytes);
    to_json(s, bytes, &json);
    from_json(s, buf_view(&json), items, &back);
    assert_int_equal(items_of(s, buf_view(&back)), items);
    assert_true(oracle_normal(s, bytes, &want));
    assert_true(oracle_normal(s, buf_view(&back), &got));
    assert_same(buf_view(&want), buf_view(&got));
    buf_done(&json);
    buf_done(&back);
    buf_done(&want);
    buf_done(&got);
}

static void json_both_ways(void **state)
{
    each_random(false, survives_json);
}

/* Messages given in parts are one: resource { dropped 1 } resource { attribute }. */
static void json_merges_messages(void **state)
{
    struct buf json = BUF_INIT(1000);
    to_json(SIGNAL_TRACES, STR("\x0a\x0b\x0a\x02\x10\x01\x0a\x05\x0a\x03\x0a\x01k"), &json);
    assert_string_equal(json.p, "{\"resourceSpans\":[{\"resource\":{\"attributes\":[{\"key\":\"k\","
                                "\"value\":{}}],\"droppedAttributesCount\":1}}]}");
    buf_done(&json);
}

static void json_both_ways_messy(void **state)
{
    each_random(true, survives_json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(validates_and_counts),
        cmocka_unit_test(validates_messy),
        cmocka_unit_test(refuses_cut_off),
        cmocka_unit_test(refuses_by_name),
        cmocka_unit_test(accepts_empty_and_groups),
        cmocka_unit_test(counts_deprecated_scopes),
        cmocka_unit_test(bounds_depth),
        cmocka_unit_test(cuts),
        cmocka_unit_test(splits_in_two),
        cmocka_unit_test(json_both_ways),
        cmocka_unit_test(json_both_ways_messy),
        cmocka_unit_test(json_merges_messages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
