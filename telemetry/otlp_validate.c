/* Validation of a whole Export*ServiceRequest, in one walk that also counts the items.
 *
 * The table-driven walker below is the authority: it knows every message of otlp.def. In front of
 * it stand a few recognisers of the shapes that nearly all bytes of a trace have; what they do not
 * recognise at once they leave to the walker, so they can be fast without being wrong. */
#include "telemetry/otlp.h"

#include <errno.h>
#include <stdarg.h>
#include "telemetry/otlp_desc.h"
#include "telemetry/pb.h"

struct check {
    u32 items;
    char *err;
    size_t cap;
};

PRINTF(2, 3) static const char *fail(struct check *c, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    if (c->cap) vsnprintf(c->err, c->cap, fmt, ap);
    va_end(ap);
    return NULL;
}

static const char *broken(struct check *c, const struct otlp_msg *m)
{
    return fail(c, "%s: the message is cut off or has a bad length", m->name);
}

/* --- recognisers --- */

/* AnyValue with one string, int, bool or double, all lengths in one byte. */
static inline bool usual_value(const char *v, size_t n)
{
    if (n < 2) return false;
    switch ((u8)v[0]) {
    case PB_TAG(OTLP_any_value_string_value, PB_BYTES): return (u8)v[1] < 0x80 && (u8)v[1] == n - 2;
    case PB_TAG(OTLP_any_value_double_value, PB_FIXED64): return n == 9;
    case PB_TAG(OTLP_any_value_bool_value, PB_VARINT):
    case PB_TAG(OTLP_any_value_int_value, PB_VARINT): break;
    default: return false;
    }
    size_t i = 1;
    while (i < n - 1 && (v[i] & 0x80))
        i++;
    return i == n - 1 && !(v[i] & 0x80) && n <= 1 + PB_MAX_VARINT;
}

/* KeyValue { key, usual value }. */
static inline bool usual_key_value(const char *p, size_t n)
{
    if (n < 4 || p[0] != PB_TAG(OTLP_key_value_key, PB_BYTES)) return false;
    size_t key = (u8)p[1];
    if (key >= 0x80 || key + 4 > n) return false;
    const char *v = p + 2 + key;
    size_t value = (u8)v[1];
    return v[0] == PB_TAG(OTLP_key_value_value, PB_BYTES) && value < 0x80 && key + 4 + value == n &&
           usual_value(v + 2, value);
}

/* --- the walker --- */

static const char *check_message(struct check *c, const struct otlp_msg *m, const char *p,
                                 const char *end, int depth);
static const char *check_span(struct check *c, const char *p, const char *end, int depth);
static const char *check_resource(struct check *c, const struct otlp_msg *m, const char *p,
                                  const char *end, int depth);

static const char *check_sub(struct check *c, const struct otlp_msg *m, const char *p,
                             const char *end, int depth)
{
    if (depth > OTLP_DEPTH)
        return fail(c, "%s: messages nest more than %d levels deep", m->name, OTLP_DEPTH);
    if (m == &otlp_key_value && usual_key_value(p, (size_t)(end - p))) return end;
    if (m->flags & OTLP_ITEM) c->items++;
    if (m == &otlp_span) return check_span(c, p, end, depth);
    if (m->by_num[OTLP_NUMS - 1]) return check_resource(c, m, p, end, depth);
    return check_message(c, m, p, end, depth);
}

/* Elements of a packed list of numbers. */
static bool packed_ok(u8 wire, const char *p, const char *end)
{
    size_t n = (size_t)(end - p);
    if (wire == PB_FIXED64) return n % 8 == 0;
    if (wire == PB_FIXED32) return n % 4 == 0;
    for (u64 v; p < end;)
        if (!(p = pb_varint(p, end, &v))) return false;
    return true;
}

static const char *check_bytes(struct check *c, const struct otlp_msg *m,
                               const struct otlp_field *f, const char *p, const char *end,
                               int depth)
{
    size_t n;
    if (!(p = pb_len(p, end, &n))) return broken(c, m);
    switch ((enum otlp_type)f->type) {
    case OTLP_MSG: return check_sub(c, f->sub, p, p + n, depth + 1);
    case OTLP_STR:
    case OTLP_BYTES: return p + n;
    case OTLP_ID16:
        if (n != 0 && n != 16)
            return fail(c, "%s." STR_FMT ": %zu bytes instead of 16", m->name, STR_ARG(f->name), n);
        return p + n;
    case OTLP_ID8:
        if (n != 0 && n != 8)
            return fail(c, "%s." STR_FMT ": %zu bytes instead of 8", m->name, STR_ARG(f->name), n);
        return p + n;
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
    case OTLP_DOUBLE: return packed_ok(otlp_wire(f->type), p, p + n) ? p + n : broken(c, m);
    }
    return broken(c, m);
}

/* The field at p. */
static const char *check_field(struct check *c, const struct otlp_msg *m, const char *p,
                               const char *end, int depth)
{
    u64 tag;
    p = pb_varint(p, end, &tag);
    if (!p || tag >> 3 == 0 || tag >> 3 > 0x1fffffff) return fail(c, "%s: illegal tag", m->name);
    u32 num = (u32)(tag >> 3);
    u8 wire = (u8)(tag & 7);
    const struct otlp_field *f = otlp_field_of(m, num);
    if (!f) return (p = pb_skip(p, end, num, wire)) ? p : broken(c, m);

    u8 want = otlp_wire(f->type);
    bool packed = wire == PB_BYTES && want != PB_BYTES && (f->flags & OTLP_REP);
    if (wire != want && !packed)
        return fail(c, "%s." STR_FMT ": wire type %d instead of %d", m->name, STR_ARG(f->name),
                    wire, want);
    if (wire == PB_BYTES) return check_bytes(c, m, f, p, end, depth);
    return (p = pb_skip(p, end, num, wire)) ? p : broken(c, m);
}

static const char *check_message(struct check *c, const struct otlp_msg *m, const char *p,
                                 const char *end, int depth)
{
    while (p && p < end)
        p = check_field(c, m, p, end, depth);
    return p;
}

/* ResourceX: items under the deprecated list count only when the list of scopes is empty. */
static const char *check_resource(struct check *c, const struct otlp_msg *m, const char *p,
                                  const char *end, int depth)
{
    u32 old = 0;
    bool scopes = false;
    while (p && p < end) {
        u32 before = c->items;
        bool is_old = end - p >= 2 && (u8)p[0] == (u8)(PB_TAG(OTLP_SCOPES_OLD, PB_BYTES) | 0x80) &&
                      (u8)p[1] == PB_TAG(OTLP_SCOPES_OLD, PB_BYTES) >> 7;
        scopes |= *p == PB_TAG(OTLP_SCOPES, PB_BYTES);
        p = check_field(c, m, p, end, depth);
        if (!is_old) continue;
        old += c->items - before;
        c->items = before;
    }
    if (!scopes) c->items += old;
    return p;
}

/* The usual fields of a span; *p is moved behind one that was recognised. */
static inline bool usual_span_field(const char **at, const char *end)
{
    const char *p = *at;
    size_t left = (size_t)(end - p), n;
    if (left < 2) return false;
    switch ((u8)p[0]) {
    case PB_TAG(OTLP_span_attributes, PB_BYTES):
        if (!(p = pb_len(p + 1, end, &n)) || !usual_key_value(p, n)) return false;
        *at = p + n;
        return true;
    case PB_TAG(OTLP_span_trace_id, PB_BYTES):
        if (p[1] != 16 || left < 18) return false;
        *at = p + 18;
        return true;
    case PB_TAG(OTLP_span_span_id, PB_BYTES):
    case PB_TAG(OTLP_span_parent_span_id, PB_BYTES):
        if (p[1] != 8 || left < 10) return false;
        *at = p + 10;
        return true;
    case PB_TAG(OTLP_span_name, PB_BYTES):
        if (!(p = pb_len(p + 1, end, &n))) return false;
        *at = p + n;
        return true;
    case PB_TAG(OTLP_span_start_time_unix_nano, PB_FIXED64):
    case PB_TAG(OTLP_span_end_time_unix_nano, PB_FIXED64):
        if (left < 9) return false;
        *at = p + 9;
        return true;
    case PB_TAG(OTLP_span_kind, PB_VARINT):
        if (p[1] & 0x80) return false;
        *at = p + 2;
        return true;
    }
    return false;
}

static const char *check_span(struct check *c, const char *p, const char *end, int depth)
{
    while (p && p < end)
        if (!usual_span_field(&p, end)) p = check_field(c, &otlp_span, p, end, depth);
    return p;
}

int otlp_validate(enum signal s, struct str bytes, u32 *ret_items, char *err, size_t err_cap)
{
    struct check c = {.err = err, .cap = err_cap};
    if (bytes.n && !check_message(&c, otlp_request_of(s), bytes.p, bytes.p + bytes.n, 0))
        return -EBADMSG;
    *ret_items = c.items;
    return 0;
}
