/* Any bytes as an OTLP request: what validation takes must survive cutting, editing, JSON and
 * dumping with the same records in it, and protobuf-c must agree on what is a message. The first
 * byte chooses the signal. */
#include "telemetry/otlp.h"
#include "telemetry/otlp_cut.h"
#include "telemetry/otlp_edit.h"
#include "tests/otlp_oracle.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool valid(enum signal s, struct str bytes, u32 *ret_items)
{
    char err[128];
    return otlp_validate(s, bytes, ret_items, err, sizeof(err)) == 0;
}

static void check_batch(const struct batch *b)
{
    struct buf bytes = BUF_INIT(SIZE_MAX);
    u32 items = 0;
    batch_bytes(b, &bytes);
    ASSERT(valid(b->signal, str_n(bytes.p ? bytes.p : "", bytes.n), &items) && items == b->items);
    buf_done(&bytes);
}

/* protobuf-c knows no groups, no limits of depth and no lengths of ids, lets field number 0 pass,
 * and reads booleans whatever their wire type; beyond those it must agree. */
static bool ours_alone(const char *err)
{
    static const char *const reasons[] = {"bytes instead of", "nest more", "illegal tag",
                                          "bool_value: wire type", "is_monotonic: wire type"};
    for (size_t i = 0; i < ARRAY_LEN(reasons); i++)
        if (strstr(err, reasons[i])) return true;
    return false;
}

static void compare_with_oracle(enum signal s, struct str bytes)
{
    struct arena a;
    char err[128] = "";
    u32 items = 0;
    arena_init(&a, 0);
    bool ok = otlp_validate(s, bytes, &items, err, sizeof(err)) == 0;
    ProtobufCMessage *m = oracle_decode(s, bytes, &a);
    ASSERT(!m || ok || ours_alone(err));
    if (m && ok && s != SIGNAL_METRICS) ASSERT(items == oracle_count(s, m));
    arena_done(&a);
}

static void cut(struct batch *b, u32 piece)
{
    struct otlp_cut *c = otlp_cut_new(batch_ref(b));
    u32 sum = 0;
    for (struct batch *part; otlp_cut_left(c) > 0; batch_unref(part)) {
        ASSERT(otlp_cut_take(c, piece, NULL, &part) == 0);
        check_batch(part);
        sum += part->items;
    }
    ASSERT(sum == b->items);
    otlp_cut_free(c);
}

static void edit_record(void *arg, struct otlp_edit *e, const struct otlp_at *at)
{
    u32 n;
    struct otlp_attr *a = otlp_attrs(e, &n);
    if (n > 1) otlp_attr_remove(e, &a[n / 2]);
    if (n > 0) otlp_attr_set(e, &a[0], STR("\x10\x01"));
    otlp_attr_add(e, STR("added"), STR("\x0a\x01x"));
}

static void edit(struct batch *b)
{
    struct otlp_edit *e = otlp_edit_new();
    struct batch *out;
    ASSERT(otlp_edit_batch(e, b, edit_record, NULL, NULL, &out) == 0);
    check_batch(out);
    batch_unref(out);
    otlp_edit_free(e);
}

static void print_json(enum signal s, struct str bytes, u32 items, struct buf *out)
{
    struct batch *b = batch_of_bytes(s, bytes, items);
    ASSERT(otlp_to_json(b, out) == 0);
    batch_unref(b);
}

/* What was written is read as the same message. */
static void json(const struct batch *b)
{
    struct buf first = BUF_INIT(SIZE_MAX), bytes = BUF_INIT(SIZE_MAX), again = BUF_INIT(SIZE_MAX);
    char err[128];
    u32 items = 0, counted = 0;
    ASSERT(otlp_to_json(b, &first) == 0);
    ASSERT(otlp_from_json(b->signal, buf_view(&first), &bytes, &items, err, sizeof(err)) == 0);
    struct str back = str_n(bytes.p ? bytes.p : "", bytes.n);
    ASSERT(valid(b->signal, back, &counted) && counted == items);
    print_json(b->signal, back, items, &again);
    ASSERT(str_eq(buf_view(&first), buf_view(&again)) || b->items == 0);
    buf_done(&first);
    buf_done(&bytes);
    buf_done(&again);
}

static void dump(const struct batch *b)
{
    struct buf out = BUF_INIT(SIZE_MAX);
    struct otlp_counts counts;
    ASSERT(otlp_count(b, &counts) == 0 && counts.items == b->items);
    ASSERT(otlp_dump(b, OTLP_NORMAL, &out) == 0 && otlp_dump(b, OTLP_DETAILED, &out) == 0);
    buf_done(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    u32 items;
    if (size == 0) return 0;
    enum signal s = (enum signal)(data[0] % SIGNAL_COUNT);
    struct str bytes = {(const char *)data + 1, size - 1};
    compare_with_oracle(s, bytes);
    if (!valid(s, bytes, &items)) return 0;
    struct batch *b = batch_of_bytes(s, bytes, items);
    cut(b, 1 + (u32)(data[0] / SIGNAL_COUNT) % 5);
    edit(b);
    json(b);
    dump(b);
    batch_unref(b);
    return 0;
}
