/* OTLP/JSON from protobuf bytes: fields in declaration order, whatever their order on the wire.
 * Source: spec W.2b.
 *
 * Each message is read twice: one pass notes where every field begins and ends, then the table is
 * followed and the noted places are written out. */
#include "telemetry/otlp.h"

#include <errno.h>
#include <math.h>
#include "base/digest.h"
#include "base/json.h"
#include "base/num.h"
#include "telemetry/otlp_desc.h"
#include "telemetry/pb.h"

struct printer {
    struct json_out j;
    struct buf number; /* text of one number or id */
    int err;
};

/* What the wire holds of one field. */
struct seen {
    u32 n;
    const char *from, *to; /* first occurrence, end of the last */
    struct pb_field last;
};

static void print_message(struct printer *p, const struct otlp_msg *m, struct str msg, int depth);

static void fail(struct printer *p, int err)
{
    if (!p->err) p->err = err;
}

/* A member of a oneof forgets the others. */
static void forget_oneof(const struct otlp_msg *m, struct seen *seen, size_t but)
{
    for (size_t i = 0; i < m->n; i++)
        if (i != but && (m->fields[i].flags & OTLP_IN_ONEOF)) seen[i].n = 0;
}

/* Packed numbers may be there and hold none. */
static bool is_empty_list(const struct otlp_field *d, const struct pb_field *f)
{
    return f->wire == PB_BYTES && f->b.n == 0 && otlp_wire(d->type) != PB_BYTES;
}

static void look(struct printer *p, const struct otlp_msg *m, struct str msg, struct seen *seen)
{
    struct pb_field f;
    struct pb_in in = pb_in(msg);
    while (pb_next(&in, &f)) {
        const struct otlp_field *d = otlp_field_of(m, f.num);
        if (!d || is_empty_list(d, &f)) continue;
        size_t at = (size_t)(d - m->fields);
        if (d->flags & OTLP_IN_ONEOF) forget_oneof(m, seen, at);
        if (seen[at].n++ == 0) seen[at].from = f.at;
        seen[at].to = in.p;
        seen[at].last = f;
    }
    if (in.bad) fail(p, -EBADMSG);
}

/* --- scalars --- */

/* The collected text, in quotes or not, as one value. */
static void print_text(struct printer *p, bool quoted)
{
    if (quoted)
        json_str(&p->j, buf_view(&p->number));
    else
        json_raw(&p->j, buf_view(&p->number));
    if (buf_err(&p->number)) fail(p, buf_err(&p->number));
    buf_reset(&p->number);
}

static void print_double(struct printer *p, f64 v)
{
    if (isfinite(v))
        num_f64_json_wide(&p->number, v);
    else
        buf_cstr(&p->number, isnan(v) ? "NaN" : v > 0 ? "Infinity" : "-Infinity");
    print_text(p, !isfinite(v));
}

static void print_decimal(struct printer *p, u64 v, bool is_signed)
{
    if (is_signed)
        buf_printf(&p->number, "%lld", (long long)v);
    else
        buf_printf(&p->number, "%llu", (unsigned long long)v);
    print_text(p, true);
}

static void print_number(struct printer *p, enum otlp_type type, u64 v)
{
    switch (type) {
    case OTLP_BOOL: json_bool(&p->j, v != 0); return;
    case OTLP_ENUM:
    case OTLP_I32: json_i64(&p->j, (i32)v); return;
    case OTLP_U32:
    case OTLP_F32: json_u64(&p->j, (u32)v); return;
    case OTLP_S32: json_i64(&p->j, (i32)pb_zigzag(v)); return;
    case OTLP_I64:
    case OTLP_SF64: print_decimal(p, v, true); return;
    case OTLP_U64:
    case OTLP_F64: print_decimal(p, v, false); return;
    case OTLP_DOUBLE: print_double(p, pb_f64(v)); return;
    case OTLP_STR:
    case OTLP_BYTES:
    case OTLP_MSG:
    case OTLP_ID16:
    case OTLP_ID8: break;
    }
    UNREACHABLE();
}

static void print_bytes(struct printer *p, enum otlp_type type, struct str s)
{
    if (type == OTLP_STR) {
        json_str(&p->j, s);
        return;
    }
    if (type == OTLP_BYTES)
        base64_encode(&p->number, BASE64_STD, s.p, s.n);
    else
        hex_encode(&p->number, s.p, s.n);
    print_text(p, true);
}

/* --- fields --- */

/* Names of fields need no escapes, so they are copied with their quotes. */
static void print_key(struct printer *p, const struct otlp_field *d)
{
    json_key_quoted(&p->j, d->json_key);
}

static bool all_zero(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i]) return false;
    return true;
}

/* Varints of 32-bit types are cut to 32 bits. */
static bool is_narrow(u8 type)
{
    return type == OTLP_ENUM || type == OTLP_I32 || type == OTLP_U32 || type == OTLP_S32;
}

/* Equal to the type's default, which is left out. */
static bool is_default(const struct otlp_field *d, const struct pb_field *f)
{
    if (d->flags & OTLP_SET) return false;
    if (d->type == OTLP_ID16 || d->type == OTLP_ID8) return all_zero(f->b);
    if (f->wire == PB_BYTES) return f->b.n == 0;
    return (is_narrow(d->type) ? (u32)f->v : f->v) == 0;
}

static void print_packed(struct printer *p, const struct otlp_field *d, struct str list)
{
    u8 wire = otlp_wire(d->type);
    const char *at = list.p, *end = at + list.n;
    while (at < end) {
        u64 v;
        if (wire == PB_VARINT) {
            at = pb_varint(at, end, &v);
        } else {
            v = end - at >= 8 ? pb_load64(at) : 0;
            at = end - at >= 8 ? at + 8 : NULL;
        }
        if (!at) {
            fail(p, -EBADMSG);
            return;
        }
        print_number(p, d->type, v);
    }
}

static void print_element(struct printer *p, const struct otlp_field *d, const struct pb_field *f,
                          int depth)
{
    if (d->type == OTLP_MSG)
        print_message(p, d->sub, f->b, depth + 1);
    else if (f->wire != PB_BYTES)
        print_number(p, d->type, f->v);
    else if (otlp_wire(d->type) == PB_BYTES)
        print_bytes(p, d->type, f->b);
    else
        print_packed(p, d, f->b);
}

/* Elements of d under the name of `as`. */
static void print_list(struct printer *p, const struct otlp_field *d, const struct seen *s,
                       const struct otlp_field *as, int depth)
{
    struct pb_field f;
    struct pb_in in = {s->from, s->to, false};
    print_key(p, as);
    json_arr(&p->j);
    while (pb_next(&in, &f))
        if (f.num == d->num) print_element(p, d, &f, depth);
    json_arr_end(&p->j);
}

/* A message field given several times is one message: that of all its bytes in a row. (In a oneof
 * the last one stands alone.) */
static void print_merged(struct printer *p, const struct otlp_field *d, const struct seen *s,
                         int depth)
{
    struct buf all = BUF_INIT((size_t)(s->to - s->from));
    struct pb_field f;
    struct pb_in in = {s->from, s->to, false};
    while (pb_next(&in, &f))
        if (f.num == d->num) buf_str(&all, f.b);
    if (buf_err(&all))
        fail(p, buf_err(&all));
    else
        print_message(p, d->sub, buf_view(&all), depth + 1);
    buf_done(&all);
}

static void print_single(struct printer *p, const struct otlp_field *d, const struct seen *s,
                         int depth)
{
    if (d->type != OTLP_MSG && is_default(d, &s->last)) return;
    print_key(p, d);
    if (d->type == OTLP_MSG && s->n > 1 && !(d->flags & OTLP_IN_ONEOF))
        print_merged(p, d, s, depth);
    else
        print_element(p, d, &s->last, depth);
}

static void print_empty(struct printer *p, const struct otlp_field *d)
{
    print_key(p, d);
    json_obj(&p->j);
    json_obj_end(&p->j);
}

/* The deprecated list stands in for an empty list of scopes, under its name. */
static const struct otlp_field *old_list(const struct otlp_msg *m, const struct otlp_field *d)
{
    bool scopes = d->num == OTLP_SCOPES && m->by_num[OTLP_NUMS - 1];
    return scopes ? &m->fields[m->by_num[OTLP_NUMS - 1] - 1] : NULL;
}

static void print_repeated(struct printer *p, const struct otlp_msg *m, const struct otlp_field *d,
                           const struct seen *seen, int depth)
{
    const struct otlp_field *old = old_list(m, d);
    const struct seen *s = &seen[d - m->fields];
    if (old && s->n == 0) {
        s = &seen[old - m->fields];
        if (s->n > 0) print_list(p, old, s, d, depth);
    } else if (s->n > 0) {
        print_list(p, d, s, d, depth);
    }
}

static void print_message(struct printer *p, const struct otlp_msg *m, struct str msg, int depth)
{
    struct seen seen[OTLP_MAX_FIELDS]; /* the first m->n are used: most messages are small */
    if (depth > OTLP_DEPTH) {
        fail(p, -EBADMSG);
        return;
    }
    memset(seen, 0, m->n * sizeof(*seen));
    look(p, m, msg, seen);
    json_obj(&p->j);
    for (size_t i = 0; i < m->n && !p->err; i++) {
        const struct otlp_field *d = &m->fields[i];
        if (d->flags & OTLP_OLD) continue;
        if (d->flags & OTLP_REP)
            print_repeated(p, m, d, seen, depth);
        else if (seen[i].n > 0)
            print_single(p, d, &seen[i], depth);
        else if (d->flags & OTLP_ALWAYS)
            print_empty(p, d);
    }
    json_obj_end(&p->j);
}

/* --- a batch: its slices are one message --- */

/* The top-level list goes on from slice to slice. */
static void print_slice(struct printer *p, const struct otlp_field *d, const struct slice *s)
{
    struct pb_field f;
    struct pb_in in = pb_in(str_n(s->p, s->n));
    while (!p->err && pb_next(&in, &f))
        if (f.num == d->num && f.wire == PB_BYTES) print_message(p, d->sub, f.b, 1);
    if (in.bad) fail(p, -EBADMSG);
}

int otlp_to_json(const struct batch *b, struct buf *out)
{
    const struct otlp_field *d = &otlp_request_of(b->signal)->fields[0];
    struct printer p = {.j = {.b = out}, .number = BUF_INIT(SIZE_MAX)};
    json_obj(&p.j);
    if (b->bytes > 0) {
        print_key(&p, d);
        json_arr(&p.j);
        for (u32 i = 0; i < b->n_slices; i++)
            print_slice(&p, d, &b->slices[i]);
        json_arr_end(&p.j);
    }
    json_obj_end(&p.j);
    buf_done(&p.number);
    return p.err ? p.err : buf_err(out);
}
