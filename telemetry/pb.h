/* Protobuf at the wire: a reader over borrowed bytes that never copies, and a writer into a buf.
 * Source: spec W.1. Nothing here knows a message; descriptors stand in telemetry/otlp_desc.h. Pure;
 * any thread. */
#ifndef TELEMETRY_PB_H
#define TELEMETRY_PB_H

#include "base/buf.h"

enum pb_wire {
    PB_VARINT = 0,
    PB_FIXED64 = 1,
    PB_BYTES = 2,
    PB_GROUP = 3,
    PB_GROUP_END = 4,
    PB_FIXED32 = 5
};

#define PB_TAG(num, wire) ((u32)(num) << 3 | (wire))
#define PB_MAX_VARINT     10
#define PB_MAX_GROUPS     100 /* nesting of groups, which only occur in unknown fields */

/* --- reading: functions return the place after what they read, NULL when the bytes are broken ---
 */
const char *pb_varint_slow(const char *p, const char *end, u64 *ret);
static inline const char *pb_varint(const char *p, const char *end, u64 *ret)
{
    if (LIKELY(p < end && !(*p & 0x80))) {
        *ret = (u8)*p;
        return p + 1;
    }
    return pb_varint_slow(p, end, ret);
}
/* Length prefix: *ret_n bytes stand at the returned place and lie inside. */
static inline const char *pb_len(const char *p, const char *end, size_t *ret_n)
{
    u64 n;
    p = pb_varint(p, end, &n);
    if (UNLIKELY(!p || n > (u64)(end - p))) return NULL;
    *ret_n = (size_t)n;
    return p;
}
static inline u64 pb_load64(const char *p)
{
    u64 v;
    memcpy(&v, p, 8);
    return v; /* every supported machine is little endian; checked in pb.c */
}
static inline u32 pb_load32(const char *p)
{
    u32 v;
    memcpy(&v, p, 4);
    return v;
}
static inline f64 pb_f64(u64 bits)
{
    f64 v;
    memcpy(&v, &bits, 8);
    return v;
}
static inline i64 pb_zigzag(u64 v)
{
    return (i64)(v >> 1) ^ -(i64)(v & 1);
}

/* One field as it stands on the wire. */
struct pb_field {
    u32 num;
    u8 wire;
    u64 v;          /* PB_VARINT, PB_FIXED64, PB_FIXED32 */
    struct str b;   /* PB_BYTES */
    const char *at; /* where its tag begins; it ends where the next one begins */
};
struct pb_in {
    const char *p, *end;
    bool bad;
};
static inline struct pb_in pb_in(struct str s)
{
    return (struct pb_in){s.p, s.p + s.n, false};
}
/* The next field; false at the end or, with in->bad, on broken bytes. Groups are skipped whole and
 * returned with wire PB_GROUP. */
bool pb_next(struct pb_in *in, struct pb_field *f);
/* Skips the value behind a tag. */
const char *pb_skip(const char *p, const char *end, u32 num, u8 wire);
/* The last field num of the message, false when there is none. */
bool pb_find(struct str msg, u32 num, struct pb_field *ret);

/* --- writing --- */
static inline size_t pb_varint_size(u64 v)
{
    return (size_t)((70 - __builtin_clzll(v | 1)) / 7);
}
static inline char *pb_put_varint(char *p, u64 v)
{
    while (v >= 0x80) {
        *p++ = (char)(v | 0x80);
        v >>= 7;
    }
    *p++ = (char)v;
    return p;
}
void pb_add_varint(struct buf *b, u64 v);
void pb_add_tag(struct buf *b, u32 num, u8 wire);
void pb_add_u64(struct buf *b, u32 num, u64 v); /* field of wire type varint */
void pb_add_fixed64(struct buf *b, u32 num, u64 v);
void pb_add_fixed32(struct buf *b, u32 num, u32 v);
void pb_add_double(struct buf *b, u32 num, f64 v);
void pb_add_bytes(struct buf *b, u32 num, struct str s);
/* A length-prefixed field whose length is not known yet: `width` bytes are kept for the length.
 * Write the contents, then pb_close with what pb_open gave; contents move only when the guess was
 * wrong. */
size_t pb_open(struct buf *b, u32 num, unsigned width);
void pb_close(struct buf *b, size_t start, unsigned width);

#endif
