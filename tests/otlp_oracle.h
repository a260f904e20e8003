/* For tests: random OTLP payloads, and protobuf-c as the judge of what the wire-level code makes of
 * them. Header only; test programs include it once. */
#ifndef TESTS_OTLP_ORACLE_H
#define TESTS_OTLP_ORACLE_H

#include <math.h>
#include "base/arena.h"
#include "base/buf.h"
#include "proto/otlp.pb-c.h"
#include "telemetry/batch.h"
#include "telemetry/otlp_desc.h"
#include "telemetry/pb.h"

/* --- random numbers: the same in every run --- */

struct rng {
    u64 state;
};

static inline u64 rng_next(struct rng *r)
{
    u64 z = (r->state += UINT64_C(0x9E3779B97F4A7C15));
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

static inline u64 rng_below(struct rng *r, u64 n)
{
    return rng_next(r) % n;
}

/* --- random messages --- */

struct gen {
    struct rng rng;
    bool messy; /* unknown fields, repeated singular fields, unpacked numbers */
    int items;  /* records still allowed */
};

static inline u64 gen_double(struct gen *g)
{
    static const f64 special[] = {0.0,      1.5,         -0.1,   1e21,
                                  1e-7,     123456789.0, 5e-324, 1.7976931348623157e308,
                                  INFINITY, -INFINITY,   3};
    f64 v = special[rng_below(&g->rng, ARRAY_LEN(special))];
    u64 bits;
    memcpy(&bits, &v, 8);
    return bits;
}

static inline void gen_text(struct gen *g, struct buf *b)
{
    static const char *const parts[] = {"a", "key",      "service.name", "\n\"\\",
                                        "é", "乳牛",     "<&>",          "\x01\x1f",
                                        " ", "GET /api", "x=1"};
    u64 n = rng_below(&g->rng, rng_below(&g->rng, 20) == 0 ? 200 : 4);
    for (u64 i = 0; i < n; i++)
        buf_cstr(b, parts[rng_below(&g->rng, ARRAY_LEN(parts))]);
}

static inline u64 gen_number(struct gen *g, const struct otlp_field *f)
{
    static const u64 special[] = {0,         1,          127,       128,        300,
                                  INT32_MAX, UINT32_MAX, INT64_MAX, UINT64_MAX, UINT64_C(1) << 63};
    u64 v = rng_below(&g->rng, 2) ? rng_below(&g->rng, 6)
                                  : special[rng_below(&g->rng, ARRAY_LEN(special))];
    switch ((enum otlp_type)f->type) {
    case OTLP_DOUBLE: return gen_double(g);
    case OTLP_BOOL: return v & 1;
    case OTLP_ENUM:
    case OTLP_I32: return (u64)(i64)(i32)v;
    case OTLP_U32:
    case OTLP_F32:
    case OTLP_S32: return (u32)v;
    case OTLP_I64:
    case OTLP_U64:
    case OTLP_F64:
    case OTLP_SF64:
    case OTLP_STR:
    case OTLP_BYTES:
    case OTLP_MSG:
    case OTLP_ID16:
    case OTLP_ID8: break;
    }
    return v;
}

static inline void gen_bare(struct buf *b, u8 wire, u64 v)
{
    if (wire == PB_VARINT) pb_add_varint(b, v);
    if (wire == PB_FIXED32) buf_add(b, &v, 4);
    if (wire == PB_FIXED64) buf_add(b, &v, 8);
}

static inline void gen_bytes(struct gen *g, struct buf *b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        buf_ch(b, (char)(1 + rng_below(&g->rng, 255)));
}

static inline void gen_message(struct gen *g, struct buf *b, const struct otlp_msg *m, int depth);

static inline void gen_packed(struct gen *g, struct buf *b, const struct otlp_field *f)
{
    size_t start = pb_open(b, f->num, 1);
    for (u64 n = rng_below(&g->rng, 4); n > 0; n--)
        gen_bare(b, otlp_wire(f->type), gen_number(g, f));
    pb_close(b, start, 1);
}

static inline void gen_field(struct gen *g, struct buf *b, const struct otlp_field *f, int depth)
{
    u8 wire = otlp_wire(f->type);
    if ((f->flags & OTLP_REP) && wire != PB_BYTES && !(g->messy && rng_below(&g->rng, 3) == 0)) {
        gen_packed(g, b, f);
        return;
    }
    if (wire != PB_BYTES) {
        pb_add_tag(b, f->num, wire);
        gen_bare(b, wire, gen_number(g, f));
        return;
    }
    size_t start = pb_open(b, f->num, 1);
    switch ((enum otlp_type)f->type) {
    case OTLP_MSG: gen_message(g, b, f->sub, depth + 1); break;
    case OTLP_STR: gen_text(g, b); break;
    case OTLP_BYTES: gen_bytes(g, b, rng_below(&g->rng, 5)); break;
    case OTLP_ID16: gen_bytes(g, b, rng_below(&g->rng, 4) ? 16 : 0); break;
    case OTLP_ID8: gen_bytes(g, b, rng_below(&g->rng, 4) ? 8 : 0); break;
    case OTLP_BOOL:
    case OTLP_ENUM:
    case OTLP_I32:
    case OTLP_I64:
    case OTLP_U32:
    case OTLP_U64:
    case OTLP_S32:
    case OTLP_F32:
    case OTLP_F64:
    case OTLP_SF64:
    case OTLP_DOUBLE: break;
    }
    pb_close(b, start, 1);
}

static inline void gen_unknown(struct gen *g, struct buf *b)
{
    u32 num = 100 + (u32)rng_below(&g->rng, 5000);
    switch (rng_below(&g->rng, 4)) {
    case 0: pb_add_u64(b, num, rng_next(&g->rng)); break;
    case 1: pb_add_fixed64(b, num, rng_next(&g->rng)); break;
    case 2: pb_add_fixed32(b, num, (u32)rng_next(&g->rng)); break;
    case 3: pb_add_bytes(b, num, STR("unknown")); break;
    }
}

/* How often a field is written. */
static inline u64 gen_times(struct gen *g, const struct otlp_field *f, int depth)
{
    bool nests = f->type == OTLP_MSG;
    if (f->num == 1000 || (nests && depth > 14)) return 0;
    if ((f->flags & OTLP_IN_ONEOF) && rng_below(&g->rng, 4)) return 0;
    if (f->flags & OTLP_REP) return rng_below(&g->rng, depth > 8 ? 2 : 4);
    if (g->messy && !nests && rng_below(&g->rng, 40) == 0)
        return 2; /* protobuf-c does not merge messages as others do */
    return rng_below(&g->rng, 3) > 0;
}

/* One member of a oneof; several only in messy values (never a metric's data, which decoders would
 * have to throw away). */
static inline void gen_message(struct gen *g, struct buf *b, const struct otlp_msg *m, int depth)
{
    bool chosen = false;
    for (size_t i = 0; i < m->n; i++) {
        bool oneof = m->fields[i].flags & OTLP_IN_ONEOF;
        if (oneof && chosen && (!g->messy || m == &otlp_metric)) continue;
        u64 n = gen_times(g, &m->fields[i], depth);
        chosen |= oneof && n > 0;
        while (n-- > 0)
            gen_field(g, b, &m->fields[i], depth);
    }
    if (g->messy && rng_below(&g->rng, 10) == 0) gen_unknown(g, b);
}

/* Appends a random request of the signal. */
static inline void gen_request(struct gen *g, enum signal s, struct buf *b)
{
    gen_message(g, b, otlp_request_of(s), 0);
}

/* A sealed batch with one slice that holds a copy of the bytes. */
static inline struct batch *batch_of_bytes(enum signal s, struct str bytes, u32 items)
{
    struct batch *b = batch_new(s);
    struct blob *root = blob_new(bytes.n + 1, NULL);
    ASSERT(root);
    if (bytes.n) memcpy(root->p, bytes.p, bytes.n);
    root->n = bytes.n;
    batch_add_slice(b, root, root->p, bytes.n, items);
    blob_unref(root);
    batch_seal(b);
    return b;
}

/* All slices of a batch in a row. */
static inline void batch_bytes(const struct batch *b, struct buf *out)
{
    for (u32 i = 0; i < b->n_slices; i++)
        buf_add(out, b->slices[i].p, b->slices[i].n);
}

/* --- protobuf-c --- */

static inline void *oracle_alloc(void *arena, size_t n)
{
    return arena_alloc(arena, n);
}
static inline void oracle_free(void *arena, void *p) {}

static inline const ProtobufCMessageDescriptor *oracle_desc(enum signal s)
{
    const ProtobufCMessageDescriptor *const all[] = {
        [SIGNAL_TRACES] = &otlp__export_trace_service_request__descriptor,
        [SIGNAL_METRICS] = &otlp__export_metrics_service_request__descriptor,
        [SIGNAL_LOGS] = &otlp__export_logs_service_request__descriptor,
    };
    return all[s];
}

/* NULL: protobuf-c refuses the bytes. The tree lives in the arena. */
static inline ProtobufCMessage *oracle_decode(enum signal s, struct str bytes, struct arena *a)
{
    ProtobufCAllocator alloc = {oracle_alloc, oracle_free, a};
    return protobuf_c_message_unpack(oracle_desc(s), &alloc, bytes.n, (const u8 *)bytes.p);
}

#define MEMBER(T, msg, off) ((T *)(void *)((char *)(msg) + (off)))

static inline bool oracle_has(ProtobufCMessage *m, const ProtobufCFieldDescriptor *f)
{
    if (f->flags & PROTOBUF_C_FIELD_FLAG_ONEOF)
        return *MEMBER(u32, m, f->quantifier_offset) == f->id;
    return true;
}

static inline ProtobufCMessage *oracle_sub(ProtobufCMessage *m, unsigned num)
{
    const ProtobufCFieldDescriptor *f = protobuf_c_message_descriptor_get_field(m->descriptor, num);
    return f && oracle_has(m, f) ? *MEMBER(ProtobufCMessage *, m, f->offset) : NULL;
}

static inline size_t oracle_list(ProtobufCMessage *m, unsigned num, ProtobufCMessage ***ret)
{
    const ProtobufCFieldDescriptor *f = protobuf_c_message_descriptor_get_field(m->descriptor, num);
    *ret = *MEMBER(ProtobufCMessage **, m, f->offset);
    return *MEMBER(size_t, m, f->quantifier_offset);
}

static inline bool oracle_is_message(const ProtobufCFieldDescriptor *f)
{
    return f->type == PROTOBUF_C_TYPE_MESSAGE;
}

/* Forgets unknown fields and empty singular messages outside of oneofs: what JSON does not keep, or
 * writes always. */
static inline void oracle_tidy(ProtobufCMessage *m)
{
    m->n_unknown_fields = 0;
    for (unsigned i = 0; i < m->descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *f = &m->descriptor->fields[i];
        if (!oracle_is_message(f)) continue;
        if (f->label == PROTOBUF_C_LABEL_REPEATED) {
            ProtobufCMessage **list;
            size_t n = oracle_list(m, f->id, &list);
            for (size_t k = 0; k < n; k++)
                oracle_tidy(list[k]);
            continue;
        }
        ProtobufCMessage *sub = oracle_sub(m, f->id);
        if (!sub) continue;
        oracle_tidy(sub);
        bool oneof = f->flags & PROTOBUF_C_FIELD_FLAG_ONEOF;
        if (!oneof && protobuf_c_message_get_packed_size(sub) == 0)
            *MEMBER(ProtobufCMessage *, m, f->offset) = NULL;
    }
}

static inline void oracle_pack(ProtobufCMessage *m, struct buf *out)
{
    size_t n = protobuf_c_message_get_packed_size(m);
    char *p = buf_reserve(out, n + 1);
    ASSERT(p);
    protobuf_c_message_pack(m, (u8 *)p);
    buf_commit(out, n);
}

/* The bytes as protobuf-c writes them after tidying; false when it cannot read them. */
static inline bool oracle_normal(enum signal s, struct str bytes, struct buf *out)
{
    struct arena a;
    arena_init(&a, 65536);
    ProtobufCMessage *m = oracle_decode(s, bytes, &a);
    if (m) {
        oracle_tidy(m);
        oracle_pack(m, out);
    }
    arena_done(&a);
    return m;
}

/* --- records, one by one, in order --- */

typedef void (*oracle_record_fn)(void *arg, ProtobufCMessage *resource_x, ProtobufCMessage *scope_x,
                                 ProtobufCMessage *metric, ProtobufCMessage *record);

static inline void oracle_points(ProtobufCMessage *r, ProtobufCMessage *s, ProtobufCMessage *metric,
                                 oracle_record_fn fn, void *arg)
{
    static const unsigned data[] = {OTLP_metric_gauge, OTLP_metric_sum, OTLP_metric_histogram,
                                    OTLP_metric_exponential_histogram, OTLP_metric_summary};
    for (size_t i = 0; i < ARRAY_LEN(data); i++) {
        ProtobufCMessage *d = oracle_sub(metric, data[i]), **points;
        size_t n = d ? oracle_list(d, OTLP_POINTS, &points) : 0;
        for (size_t k = 0; k < n; k++)
            fn(arg, r, s, metric, points[k]);
    }
}

static inline void oracle_each(enum signal sig, ProtobufCMessage *request, oracle_record_fn fn,
                               void *arg)
{
    ProtobufCMessage **rs, **ss, **items;
    size_t n_rs = oracle_list(request, OTLP_RESOURCES, &rs);
    for (size_t r = 0; r < n_rs; r++) {
        size_t n_ss = oracle_list(rs[r], OTLP_SCOPES, &ss);
        if (n_ss == 0) n_ss = oracle_list(rs[r], OTLP_SCOPES_OLD, &ss);
        for (size_t s = 0; s < n_ss; s++) {
            size_t n = oracle_list(ss[s], OTLP_RECORDS, &items);
            for (size_t i = 0; i < n; i++) {
                if (sig == SIGNAL_METRICS)
                    oracle_points(rs[r], ss[s], items[i], fn, arg);
                else
                    fn(arg, rs[r], ss[s], NULL, items[i]);
            }
        }
    }
}

static inline void oracle_count_one(void *arg, ProtobufCMessage *r, ProtobufCMessage *s,
                                    ProtobufCMessage *m, ProtobufCMessage *record)
{
    ++*(u32 *)arg;
}

static inline u32 oracle_count(enum signal s, ProtobufCMessage *request)
{
    u32 n = 0;
    oracle_each(s, request, oracle_count_one, &n);
    return n;
}

/* Appends one record with all that stands around it: resource, schema URLs, scope, metric without
 * its points. */
static inline void oracle_flat_one(void *arg, ProtobufCMessage *r, ProtobufCMessage *s,
                                   ProtobufCMessage *metric, ProtobufCMessage *record)
{
    struct buf *out = arg;
    ProtobufCMessage *around[] = {oracle_sub(r, OTLP_RESOURCE), oracle_sub(s, OTLP_SCOPE), record};
    const char *texts[] = {
        *MEMBER(char *, r, protobuf_c_message_descriptor_get_field(r->descriptor, 3)->offset),
        *MEMBER(char *, s, protobuf_c_message_descriptor_get_field(s->descriptor, 3)->offset),
        metric ? ((Otlp__Metric *)metric)->name : "", metric ? ((Otlp__Metric *)metric)->unit : ""};
    for (size_t i = 0; i < ARRAY_LEN(around); i++) {
        buf_ch(out, '|');
        if (around[i]) oracle_pack(around[i], out);
    }
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        buf_printf(out, "|%s", texts[i]);
    buf_ch(out, '\n');
}

static inline void oracle_flat(enum signal s, struct str bytes, struct buf *out)
{
    struct arena a;
    arena_init(&a, 65536);
    ProtobufCMessage *m = oracle_decode(s, bytes, &a);
    ASSERT(m);
    oracle_tidy(m);
    oracle_each(s, m, oracle_flat_one, out);
    arena_done(&a);
}

#endif
