/* Editing against protobuf-c: the same actions done on its tree and at the wire give the same
 * messages, for all signals and kinds of points. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include "telemetry/otlp.h"
#include "telemetry/otlp_edit.h"
#include "telemetry/otlp_value.h"
#include "tests/otlp_oracle.h"

#define ROUNDS 400

static const struct str kept_key = {"service.name", 12}, added_key = {"added", 5},
                        gone_key = {"key", 3};
static const struct str new_value = {"\x0a\x03new", 5};

/* --- at the wire --- */

static void edit(void *arg, struct otlp_edit *e, const struct otlp_at *at)
{
    u32 n;
    otlp_attr_put(e, kept_key, new_value);
    otlp_attr_put(e, added_key, new_value);
    otlp_attr_put(e, added_key, new_value); /* finds what it added */
    struct otlp_attr *a = otlp_attrs(e, &n);
    for (u32 i = 0; i < n; i++)
        if (str_eq(a[i].key, gone_key)) otlp_attr_remove(e, &a[i]);
    ++*(u32 *)arg;
}

/* --- on the tree --- */

struct tree {
    struct arena a;
    u32 records;
};

static Otlp__KeyValue *key_value(struct arena *a, struct str key)
{
    Otlp__KeyValue *kv = arena_new(a, Otlp__KeyValue);
    otlp__key_value__init(kv);
    kv->key = arena_strdup(a, key);
    kv->value = arena_new(a, Otlp__AnyValue);
    otlp__any_value__init(kv->value);
    kv->value->value_case = OTLP__ANY_VALUE__VALUE_STRING_VALUE;
    kv->value->string_value = arena_strdup(a, STR("new"));
    return kv;
}

/* First of the key replaced, or appended. */
static void tree_upsert(struct tree *t, Otlp__KeyValue **list, size_t *n, struct str key)
{
    for (size_t i = 0; i < *n; i++) {
        if (!str_is(key, list[i]->key)) continue;
        Otlp__KeyValue *kv = key_value(&t->a, key);
        list[i]->value = kv->value;
        list[i]->key_strindex = 0;
        return;
    }
    list[(*n)++] = key_value(&t->a, key);
}

static void tree_edit(void *arg, ProtobufCMessage *r, ProtobufCMessage *s, ProtobufCMessage *m,
                      ProtobufCMessage *record)
{
    struct tree *t = arg;
    const ProtobufCFieldDescriptor *f =
        protobuf_c_message_descriptor_get_field_by_name(record->descriptor, "attributes");
    Otlp__KeyValue **old = *MEMBER(Otlp__KeyValue **, record, f->offset);
    size_t *n = MEMBER(size_t, record, f->quantifier_offset), kept = 0;
    Otlp__KeyValue **list = arena_array(&t->a, Otlp__KeyValue *, *n + 2);
    for (size_t i = 0; i < *n; i++)
        list[i] = old[i];
    tree_upsert(t, list, n, kept_key);
    tree_upsert(t, list, n, added_key);
    for (size_t i = 0; i < *n; i++)
        if (!str_is(gone_key, list[i]->key)) list[kept++] = list[i];
    *n = kept;
    *MEMBER(Otlp__KeyValue **, record, f->offset) = list;
    t->records++;
}

/* --- compared --- */

static void oracle_edits(enum signal s, struct str bytes, struct buf *out, u32 *ret_records)
{
    struct tree t = {0};
    arena_init(&t.a, 65536);
    ProtobufCMessage *m = oracle_decode(s, bytes, &t.a);
    assert_non_null(m);
    oracle_each(s, m, tree_edit, &t);
    oracle_tidy(m);
    oracle_pack(m, out);
    *ret_records = t.records;
    arena_done(&t.a);
}

static void wire_edits(struct otlp_edit *e, enum signal s, struct str bytes, struct buf *out,
                       u32 *ret_records)
{
    struct buf raw = BUF_INIT(SIZE_MAX);
    char err[128];
    u32 items, after;
    assert_int_equal(otlp_validate(s, bytes, &items, err, sizeof(err)), 0);
    struct batch *b = batch_of_bytes(s, bytes, items), *edited;
    *ret_records = 0;
    assert_int_equal(otlp_edit_batch(e, b, edit, ret_records, NULL, &edited), 0);
    assert_int_equal(edited->items, items);
    batch_bytes(edited, &raw);
    assert_int_equal(otlp_validate(s, str_n(raw.p ? raw.p : "", raw.n), &after, err, sizeof(err)),
                     0);
    assert_int_equal(after, items);
    assert_true(oracle_normal(s, str_n(raw.p ? raw.p : "", raw.n), out));
    batch_unref(edited);
    batch_unref(b);
    buf_done(&raw);
}

static void edits_like_the_oracle(void **state)
{
    struct otlp_edit *e = otlp_edit_new();
    struct buf bytes = BUF_INIT(SIZE_MAX), want = BUF_INIT(SIZE_MAX), got = BUF_INIT(SIZE_MAX);
    u32 total = 0;
    for (u64 seed = 0; seed < ROUNDS; seed++) {
        enum signal s = (enum signal)(seed % SIGNAL_COUNT);
        struct gen g = {.rng = {seed}};
        u32 by_tree, by_wire;
        buf_reset(&bytes);
        buf_reset(&want);
        buf_reset(&got);
        gen_request(&g, s, &bytes);
        struct str in = str_n(bytes.p ? bytes.p : "", bytes.n);
        oracle_edits(s, in, &want, &by_tree);
        wire_edits(e, s, in, &got, &by_wire);
        assert_int_equal(by_tree, by_wire);
        assert_int_equal(want.n, got.n);
        assert_memory_equal(want.p ? want.p : "", got.p ? got.p : "", want.n);
        total += by_wire;
    }
    assert_true(total > ROUNDS);
    buf_done(&bytes);
    buf_done(&want);
    buf_done(&got);
    otlp_edit_free(e);
}

/* request { ResourceSpans { ScopeSpans { span { name "n", attributes { key "k", value { string "v"
 * } } flags } } } } */
static const struct str one_span = {
    "\x0a\x19\x12\x17\x12\x15\x2a\x01n\x4a\x0a\x0a\x01k\x12\x05\x0a\x03vvv\x85\x01\x01\x00\x00\x00",
    27};

static void touch_nothing(void *arg, struct otlp_edit *e, const struct otlp_at *at)
{
    assert_null(otlp_attr_find(e, STR("absent")));
}

static void unchanged_batches_are_shared(void **state)
{
    struct otlp_edit *e = otlp_edit_new();
    struct batch *b = batch_of_bytes(SIGNAL_TRACES, one_span, 1), *out;
    assert_int_equal(otlp_edit_batch(e, b, touch_nothing, NULL, NULL, &out), 0);
    assert_ptr_equal(out, b);
    batch_unref(out);
    batch_unref(b);
    otlp_edit_free(e);
}

static void set_and_add(void *arg, struct otlp_edit *e, const struct otlp_at *at)
{
    char *p = otlp_edit_scratch(e, 4);
    assert_non_null(p);
    memcpy(p, "\x0a\x02hi", 4);
    otlp_attr_set(e, otlp_attr_find(e, STR("k")), str_n(p, 4));
    otlp_attr_add(e, STR("z"), STR("\x10\x01"));
}

static void new_attributes_follow_the_last(void **state)
{
    struct otlp_edit *e = otlp_edit_new();
    struct budget budget;
    budget_init(&budget, 1);
    struct batch *b = batch_of_bytes(SIGNAL_TRACES, one_span, 1), *out;
    static const struct str want = {
        "\x0a\x21\x12\x1f\x12\x1d\x2a\x01n\x4a\x09\x0a\x01k\x12\x04\x0a\x02hi\x4a\x07\x0a\x01z\x12"
        "\x02\x10\x01\x85\x01\x01\x00\x00\x00",
        35};
    assert_int_equal(otlp_edit_batch(e, b, set_and_add, NULL, &budget, &out), 0);
    assert_int_equal(out->bytes, want.n);
    assert_memory_equal(out->slices[0].p, want.p, want.n);
    assert_int_equal(budget_used(&budget), out->pinned);
    batch_unref(out);
    batch_unref(b);
    assert_int_equal(budget_used(&budget), 0);
    otlp_edit_free(e);
}

static void grow_too_much(void *arg, struct otlp_edit *e, const struct otlp_at *at)
{
    static char large[1 << 20];
    for (int i = 0; i < 65; i++)
        otlp_attr_add(e, STR("big"), str_n(large, sizeof(large)));
}

static void growth_is_bounded(void **state)
{
    struct otlp_edit *e = otlp_edit_new();
    struct batch *b = batch_of_bytes(SIGNAL_TRACES, one_span, 1), *out = NULL;
    assert_int_equal(otlp_edit_batch(e, b, grow_too_much, NULL, NULL, &out), -E2BIG);
    assert_null(out);
    batch_unref(b);
    otlp_edit_free(e);
}

static void fail_here(void *arg, struct otlp_edit *e, const struct otlp_at *at)
{
    otlp_edit_fail(e, -ENOMEM);
}

static void failures_are_reported(void **state)
{
    struct otlp_edit *e = otlp_edit_new();
    struct batch *b = batch_of_bytes(SIGNAL_TRACES, one_span, 1), *out = NULL;
    assert_int_equal(otlp_edit_batch(e, b, fail_here, NULL, NULL, &out), -ENOMEM);
    assert_null(out);
    assert_int_equal(otlp_edit_batch(e, b, touch_nothing, NULL, NULL, &out), 0);
    batch_unref(out);
    batch_unref(b);
    otlp_edit_free(e);
}

/* --- values --- */

static void expect_text(struct str any_value, const char *want)
{
    struct buf b = BUF_INIT(1000);
    struct otlp_value v = otlp_value_read(any_value);
    otlp_value_text(&b, &v);
    assert_string_equal(b.p ? b.p : "", want);
    buf_done(&b);
}

static void values_have_texts(void **state)
{
    expect_text(STR(""), "");
    expect_text(STR("\x0a\x02hi"), "hi");
    expect_text(STR("\x10\x01"), "true");
    expect_text(STR("\x18\x85\xff\xff\xff\xff\xff\xff\xff\xff\x01"), "-123");
    expect_text(STR("\x21\x00\x00\x00\x00\x00\x00\xf8\x3f"), "1.5");
    expect_text(STR("\x3a\x02\x01\x02"), "AQI=");
    expect_text(STR("\x2a\x0a\x0a\x02\x18\x01\x0a\x00\x0a\x02\x10\x00"), "[1,null,false]");
    expect_text(STR("\x32\x10\x0a\x07\x0a\x01z\x12\x02\x18\x01\x0a\x05\x0a\x01"
                    "a\x12\x00"),
                "{\"a\":null,\"z\":1}");
    expect_text(STR("\x18\x01\x0a\x01x"), "x");
}

static void values_compare_by_content(void **state)
{
    struct str za = STR("\x32\x10\x0a\x07\x0a\x01z\x12\x02\x18\x01\x0a\x05\x0a\x01"
                        "a\x12\x00"),
               az = STR("\x32\x10\x0a\x05\x0a\x01"
                        "a\x12\x00\x0a\x07\x0a\x01z\x12\x02\x18\x01");
    assert_true(otlp_value_equal(za, az));
    assert_false(otlp_value_equal(STR("\x18\x01"), STR("\x10\x01")));
    assert_true(otlp_value_equal(STR("\x2a\x04\x0a\x02\x18\x01"), STR("\x2a\x04\x0a\x02\x18\x01")));
    assert_false(otlp_value_equal(STR("\x2a\x04\x0a\x02\x18\x01"), STR("\x2a\x00")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(edits_like_the_oracle),
        cmocka_unit_test(unchanged_batches_are_shared),
        cmocka_unit_test(new_attributes_follow_the_last),
        cmocka_unit_test(growth_is_bounded),
        cmocka_unit_test(failures_are_reported),
        cmocka_unit_test(values_have_texts),
        cmocka_unit_test(values_compare_by_content),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
