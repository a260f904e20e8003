/* OTLP/JSON to protobuf bytes, in one pass without a tree. Source: spec W.2b.
 *
 * What JSON says twice is written twice: protobuf's own rules (last scalar wins, lists append,
 * messages merge) then give what OTLP/JSON asks for. */
#include "telemetry/otlp.h"

#include <errno.h>
#include "base/digest.h"
#include "base/json.h"
#include "base/num.h"
#include "telemetry/otlp_json.h"
#include "telemetry/pb.h"

#define SCRATCH_MAX                                                                                \
    ((size_t)64 << 10) /* decoded strings kept before their memory is used again                   \
                        */

struct reader {
    struct json_in j;
    struct arena scratch;
    struct buf *out;
    u32 items;
    const char *err; /* static; NULL: none, or the JSON reader's own */
    struct str name; /* of the field at fault; views the input or a table */
};

static bool fail(struct reader *r, const struct otlp_field *f, const char *err)
{
    if (r->err) return false;
    r->err = err;
    r->name = f->json;
    return false;
}

/* --- scalars: the value was read, its text is in j.raw --- */

static bool is_decimal(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] == '.' || s.p[i] == 'e' || s.p[i] == 'E') return false;
    return true;
}

static bool read_unsigned(struct str s, u64 max, u64 *ret)
{
    return is_decimal(s) && num_parse_u64(s, ret) == 0 && *ret <= max;
}

static bool read_signed(struct str s, i64 min, i64 max, u64 *ret)
{
    i64 v;
    if (!is_decimal(s) || num_parse_i64(s, &v) || v < min || v > max) return false;
    *ret = (u64)v;
    return true;
}

/* Integer in the form it has on the wire. */
static bool read_integer(enum otlp_type type, struct str s, u64 *ret)
{
    switch (type) {
    case OTLP_ENUM:
    case OTLP_I32: return read_signed(s, INT32_MIN, INT32_MAX, ret);
    case OTLP_S32:
        if (!read_signed(s, INT32_MIN, INT32_MAX, ret)) return false;
        *ret = (u64)(((i64)*ret * 2) ^ ((i64)*ret >> 63));
        return true;
    case OTLP_I64:
    case OTLP_SF64: return read_signed(s, INT64_MIN, INT64_MAX, ret);
    case OTLP_U32:
    case OTLP_F32: return read_unsigned(s, UINT32_MAX, ret);
    case OTLP_U64:
    case OTLP_F64: return read_unsigned(s, UINT64_MAX, ret);
    case OTLP_STR:
    case OTLP_BYTES:
    case OTLP_MSG:
    case OTLP_ID16:
    case OTLP_ID8:
    case OTLP_BOOL:
    case OTLP_DOUBLE: break;
    }
    return false;
}

static bool read_double(struct str s, u64 *ret)
{
    f64 v;
    if (num_parse_f64(s, &v)) return false;
    memcpy(ret, &v, sizeof(v));
    return true;
}

static bool read_enum(const struct otlp_field *f, enum json_type t, struct str s, u64 *ret)
{
    i32 v;
    if (t == JSON_NUMBER) return read_integer(OTLP_ENUM, s, ret);
    if (t != JSON_STRING || !otlp_enum_value(f->names, s, &v)) return false;
    *ret = (u64)v;
    return true;
}

/* The number of a field from whatever JSON form it may have. */
static bool read_number(struct reader *r, const struct otlp_field *f, u64 *ret)
{
    enum json_type t = json_value(&r->j);
    struct str s = r->j.raw;
    bool text = t == JSON_NUMBER || t == JSON_STRING, ok;
    if (t == JSON_ERROR) return false;
    if (f->type == OTLP_BOOL) {
        *ret = t == JSON_BOOL && s.p[0] == 't';
        return t == JSON_BOOL || fail(r, f, "expects true or false");
    }
    if (f->type == OTLP_ENUM)
        ok = read_enum(f, t, s, ret);
    else if (f->type == OTLP_DOUBLE)
        ok = text && read_double(s, ret);
    else
        ok = text && read_integer(f->type, s, ret);
    return ok || fail(r, f, "expects a number in its range");
}

static void write_bare(struct buf *out, u8 wire, u64 v)
{
    u32 narrow = (u32)v;
    if (wire == PB_VARINT)
        pb_add_varint(out, v);
    else if (wire == PB_FIXED32)
        buf_add(out, &narrow, sizeof(narrow));
    else
        buf_add(out, &v, sizeof(v));
}

/* `again`: the field was given before, so that a default must be written too. */
static bool put_number(struct reader *r, const struct otlp_field *f, bool again)
{
    u64 v;
    u8 wire = otlp_wire(f->type);
    if (!read_number(r, f, &v)) return false;
    if (v == 0 && !again && !(f->flags & OTLP_SET)) return true;
    pb_add_tag(r->out, f->num, wire);
    write_bare(r->out, wire, v);
    return true;
}

/* --- texts --- */

static bool put_id(struct reader *r, const struct otlp_field *f, struct str hex, bool again)
{
    u8 id[16];
    size_t want = f->type == OTLP_ID16 ? 16 : 8, n;
    if (hex.n == 0) {
        if (again) pb_add_bytes(r->out, f->num, (struct str){0});
        return true;
    }
    if (hex.n != 2 * want) return fail(r, f, "length mismatch");
    if (hex_decode(hex, id, want, &n)) return fail(r, f, "expects hexadecimal digits");
    pb_add_bytes(r->out, f->num, str_n((const char *)id, want));
    return true;
}

static bool put_base64(struct reader *r, const struct otlp_field *f, struct str text)
{
    struct buf bytes = BUF_INIT(text.n);
    int err = base64_decode(&bytes, BASE64_STD, text, NULL);
    if (!err) pb_add_bytes(r->out, f->num, buf_view(&bytes));
    buf_done(&bytes);
    return !err || fail(r, f, "expects base64");
}

static bool put_text(struct reader *r, const struct otlp_field *f, bool again)
{
    enum json_type t = json_value(&r->j);
    if (t == JSON_ERROR) return false;
    if (t == JSON_NULL && f->type == OTLP_STR) return true;
    if (t != JSON_STRING) return fail(r, f, "expects a string");
    struct str s = r->j.raw;
    bool ok = true, skip = s.n == 0 && !again && !(f->flags & (OTLP_SET | OTLP_REP));
    if (f->type == OTLP_STR && !skip)
        pb_add_bytes(r->out, f->num, s);
    else if (f->type == OTLP_BYTES)
        ok = put_base64(r, f, s);
    else if (f->type != OTLP_STR)
        ok = put_id(r, f, s, again);
    if (arena_size(&r->scratch) > SCRATCH_MAX) arena_reset(&r->scratch);
    return ok;
}

/* --- messages --- */

static bool put_members(struct reader *r, const struct otlp_msg *m, int depth);

/* Bytes to keep for the length: wrappers are usually large, records middling, the rest small. */
static unsigned length_width(const struct otlp_msg *m, int depth)
{
    return depth <= 2 ? 3 : m->flags & OTLP_ITEM ? 2 : 1;
}

static bool put_message(struct reader *r, const struct otlp_field *f, int depth)
{
    enum json_type t = json_value(&r->j);
    if (t == JSON_ERROR) return false;
    if (t == JSON_NULL && !(f->flags & OTLP_REP)) return true;
    if (t != JSON_OBJ && t != JSON_NULL) return fail(r, f, "expects an object");
    if (depth > OTLP_DEPTH) return fail(r, f, "nests too deeply");
    if (f->sub->flags & OTLP_ITEM) r->items++;
    unsigned width = length_width(f->sub, depth);
    size_t start = pb_open(r->out, f->num, width);
    bool ok = t == JSON_NULL || put_members(r, f->sub, depth);
    pb_close(r->out, start, width);
    return ok;
}

static bool put_value(struct reader *r, const struct otlp_field *f, bool again, int depth)
{
    if (f->type == OTLP_MSG) return put_message(r, f, depth);
    if (otlp_wire(f->type) == PB_BYTES) return put_text(r, f, again);
    return put_number(r, f, again);
}

/* Numbers of a list, packed. */
static bool put_numbers(struct reader *r, const struct otlp_field *f)
{
    bool first = true, ok = true;
    u64 v;
    size_t before = r->out->n, start = pb_open(r->out, f->num, 1);
    while (ok && json_next_elem(&r->j, &first)) {
        ok = read_number(r, f, &v);
        if (ok) write_bare(r->out, otlp_wire(f->type), v);
    }
    if (r->out->n > start)
        pb_close(r->out, start, 1);
    else if (!buf_err(r->out))
        buf_truncate(r->out, before);
    return ok;
}

static bool put_list(struct reader *r, const struct otlp_field *f, int depth)
{
    bool first = true, ok = true;
    enum json_type t = json_value(&r->j);
    if (t == JSON_ERROR) return false;
    if (t == JSON_NULL) return true;
    if (t != JSON_ARR) return fail(r, f, "expects an array");
    if (otlp_wire(f->type) != PB_BYTES) return put_numbers(r, f);
    while (ok && json_next_elem(&r->j, &first))
        ok = put_value(r, f, true, depth);
    return ok;
}

/* Behind the '{' of a message. */
static bool put_members(struct reader *r, const struct otlp_msg *m, int depth)
{
    bool first = true;
    u32 hint = 0, given = 0;
    struct str key;
    while (json_next_key(&r->j, &key, &first)) {
        const struct otlp_field *f = otlp_field_named(m, key, &hint);
        if (!f || (f->flags & OTLP_OLD)) {
            if (json_skip(&r->j)) return false;
            continue;
        }
        u32 bit = 1u << (f - m->fields);
        bool ok = f->flags & OTLP_REP ? put_list(r, f, depth + 1)
                                      : put_value(r, f, given & bit, depth + 1);
        if (!ok || buf_err(r->out)) return false;
        given |= bit;
    }
    return !r->j.err;
}

static bool put_top(struct reader *r, const struct otlp_msg *m)
{
    switch (json_value(&r->j)) {
    case JSON_NULL: return true;
    case JSON_OBJ: return put_members(r, m, 0);
    case JSON_END: r->err = "the body is empty"; return false;
    case JSON_ERROR: return false;
    case JSON_BOOL:
    case JSON_NUMBER:
    case JSON_STRING:
    case JSON_ARR: break;
    }
    r->err = "expects an object";
    return false;
}

static int explain(const struct reader *r, char *err, size_t cap)
{
    const char *why = r->err ? r->err : r->j.err ? r->j.err : "unreadable";
    snprintf(err, cap, "offset %zu: " STR_FMT "%s%s", json_offset(&r->j), STR_ARG(r->name),
             r->name.n ? ": " : "", why);
    return -EBADMSG;
}

int otlp_json_read(const struct otlp_msg *m, struct str json, struct buf *out, u32 *ret_items,
                   char *err, size_t err_cap)
{
    struct reader r = {.out = out};
    arena_init(&r.scratch, 0);
    json_in_init(&r.j, json, &r.scratch);
    bool ok = put_top(&r, m);
    int code = buf_err(out) ? buf_err(out) : ok ? 0 : explain(&r, err, err_cap);
    if (!code) *ret_items = r.items;
    arena_done(&r.scratch);
    return code;
}

int otlp_from_json(enum signal s, struct str json, struct buf *out, u32 *ret_items, char *err,
                   size_t err_cap)
{
    return otlp_json_read(otlp_request_of(s), json, out, ret_items, err, err_cap);
}
