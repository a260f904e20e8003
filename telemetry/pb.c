/* Protobuf at the wire: the parts that need no inlining. */
#include "telemetry/pb.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "fixed fields are read in place");

const char *pb_varint_slow(const char *p, const char *end, u64 *ret)
{
    u64 v = 0;
    for (unsigned shift = 0; shift < 70 && p < end; shift += 7) {
        u8 c = (u8)*p++;
        v |= (u64)(c & 0x7f) << shift; /* bits beyond 64 are cut, as Go does */
        if (!(c & 0x80)) {
            *ret = v;
            return p;
        }
    }
    return NULL;
}

/* Tag with the checks every decoder makes: number 1 .. 2^29-1. */
static const char *read_tag(const char *p, const char *end, u32 *ret_num, u8 *ret_wire)
{
    u64 tag;
    p = pb_varint(p, end, &tag);
    if (!p || tag >> 3 == 0 || tag >> 3 > 0x1fffffff) return NULL;
    *ret_num = (u32)(tag >> 3);
    *ret_wire = (u8)(tag & 7);
    return p;
}

/* Up to the end tag that matches num; groups may nest. */
static const char *skip_group(const char *p, const char *end, u32 num)
{
    u32 open[PB_MAX_GROUPS];
    size_t depth = 0;
    open[depth++] = num;
    while (depth > 0) {
        u32 n;
        u8 wire;
        p = read_tag(p, end, &n, &wire);
        if (!p) return NULL;
        if (wire == PB_GROUP_END) {
            if (open[--depth] != n) return NULL;
        } else if (wire == PB_GROUP) {
            if (depth == PB_MAX_GROUPS) return NULL;
            open[depth++] = n;
        } else if (!(p = pb_skip(p, end, n, wire))) {
            return NULL;
        }
    }
    return p;
}

const char *pb_skip(const char *p, const char *end, u32 num, u8 wire)
{
    u64 v;
    size_t n;
    switch (wire) {
    case PB_VARINT: return pb_varint(p, end, &v);
    case PB_FIXED64: return end - p >= 8 ? p + 8 : NULL;
    case PB_FIXED32: return end - p >= 4 ? p + 4 : NULL;
    case PB_BYTES: return (p = pb_len(p, end, &n)) ? p + n : NULL;
    case PB_GROUP: return skip_group(p, end, num);
    }
    return NULL;
}

static const char *read_value(const char *p, const char *end, struct pb_field *f)
{
    size_t n;
    switch (f->wire) {
    case PB_VARINT: return pb_varint(p, end, &f->v);
    case PB_FIXED64:
        if (end - p < 8) return NULL;
        f->v = pb_load64(p);
        return p + 8;
    case PB_FIXED32:
        if (end - p < 4) return NULL;
        f->v = pb_load32(p);
        return p + 4;
    case PB_BYTES:
        if (!(p = pb_len(p, end, &n))) return NULL;
        f->b = (struct str){p, n};
        return p + n;
    case PB_GROUP: return skip_group(p, end, f->num);
    }
    return NULL;
}

bool pb_next(struct pb_in *in, struct pb_field *f)
{
    if (in->p >= in->end) return false;
    f->at = in->p;
    const char *p = read_tag(in->p, in->end, &f->num, &f->wire);
    if (p) p = read_value(p, in->end, f);
    if (!p) {
        in->bad = true;
        return false;
    }
    in->p = p;
    return true;
}

bool pb_find(struct str msg, u32 num, struct pb_field *ret)
{
    bool found = false;
    struct pb_field f;
    for (struct pb_in in = pb_in(msg); pb_next(&in, &f);) {
        if (f.num != num) continue;
        *ret = f;
        found = true;
    }
    return found;
}

/* --- writing --- */

/* Room for a tag, another varint and n bytes more, in one step. */
static char *reserve(struct buf *b, size_t n)
{
    return buf_reserve(b, 2 * PB_MAX_VARINT + n);
}

static void commit(struct buf *b, const char *end)
{
    buf_commit(b, (size_t)(end - (b->p + b->n)));
}

void pb_add_varint(struct buf *b, u64 v)
{
    char *p = buf_reserve(b, PB_MAX_VARINT);
    if (p) commit(b, pb_put_varint(p, v));
}

void pb_add_tag(struct buf *b, u32 num, u8 wire)
{
    pb_add_varint(b, PB_TAG(num, wire));
}

void pb_add_u64(struct buf *b, u32 num, u64 v)
{
    char *p = reserve(b, 0);
    if (p) commit(b, pb_put_varint(pb_put_varint(p, PB_TAG(num, PB_VARINT)), v));
}

static void add_fixed(struct buf *b, u32 tag, const void *v, size_t n)
{
    char *p = reserve(b, n);
    if (!p) return;
    p = pb_put_varint(p, tag);
    memcpy(p, v, n);
    commit(b, p + n);
}

void pb_add_fixed64(struct buf *b, u32 num, u64 v)
{
    add_fixed(b, PB_TAG(num, PB_FIXED64), &v, sizeof(v));
}

void pb_add_fixed32(struct buf *b, u32 num, u32 v)
{
    add_fixed(b, PB_TAG(num, PB_FIXED32), &v, sizeof(v));
}

void pb_add_double(struct buf *b, u32 num, f64 v)
{
    add_fixed(b, PB_TAG(num, PB_FIXED64), &v, sizeof(v));
}

void pb_add_bytes(struct buf *b, u32 num, struct str s)
{
    char *p = reserve(b, s.n);
    if (!p) return;
    p = pb_put_varint(pb_put_varint(p, PB_TAG(num, PB_BYTES)), s.n);
    if (s.n) memcpy(p, s.p, s.n);
    commit(b, p + s.n);
}

size_t pb_open(struct buf *b, u32 num, unsigned width)
{
    char *p = reserve(b, width);
    if (p) commit(b, pb_put_varint(p, PB_TAG(num, PB_BYTES)) + width);
    return b->n;
}

void pb_close(struct buf *b, size_t start, unsigned width)
{
    if (buf_err(b)) return;
    size_t n = b->n - start, need = pb_varint_size(n);
    if (need > width && !buf_reserve(b, need - width)) return;
    if (need != width) {
        memmove(b->p + start - width + need, b->p + start, n);
        if (need > width)
            buf_commit(b, need - width);
        else
            buf_truncate(b, b->n - (width - need));
    }
    pb_put_varint(b->p + start - width, n);
}
