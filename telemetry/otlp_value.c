/* AnyValue, read and written at the wire. */
#include "telemetry/otlp_value.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include "base/budget.h"
#include "base/digest.h"
#include "base/json.h"
#include "base/num.h"
#include "telemetry/otlp_desc.h"
#include "telemetry/pb.h"

const char *otlp_vtype_name(enum otlp_vtype t)
{
    static const char *const names[] = {"Empty",  "Str",   "Bool", "Int",
                                        "Double", "Slice", "Map",  "Bytes"};
    return names[t];
}

struct otlp_value otlp_value_read(struct str any_value)
{
    struct otlp_value v = {.type = OTLP_V_NONE};
    struct pb_field f;
    for (struct pb_in in = pb_in(any_value); pb_next(&in, &f);) {
        switch (f.num) {
        case OTLP_any_value_string_value:
            v = (struct otlp_value){.type = OTLP_V_STR, .s = f.b};
            break;
        case OTLP_any_value_bool_value:
            v = (struct otlp_value){.type = OTLP_V_BOOL, .b = f.v != 0};
            break;
        case OTLP_any_value_int_value:
            v = (struct otlp_value){.type = OTLP_V_INT, .i = (i64)f.v};
            break;
        case OTLP_any_value_double_value:
            v = (struct otlp_value){.type = OTLP_V_DOUBLE, .f = pb_f64(f.v)};
            break;
        case OTLP_any_value_array_value:
            v = (struct otlp_value){.type = OTLP_V_ARRAY, .s = f.b};
            break;
        case OTLP_any_value_kvlist_value:
            v = (struct otlp_value){.type = OTLP_V_MAP, .s = f.b};
            break;
        case OTLP_any_value_bytes_value:
            v = (struct otlp_value){.type = OTLP_V_BYTES, .s = f.b};
            break;
        }
    }
    return v;
}

void otlp_value_write(struct buf *b, const struct otlp_value *v)
{
    switch (v->type) {
    case OTLP_V_NONE: return;
    case OTLP_V_STR: pb_add_bytes(b, OTLP_any_value_string_value, v->s); return;
    case OTLP_V_BOOL: pb_add_u64(b, OTLP_any_value_bool_value, v->b); return;
    case OTLP_V_INT: pb_add_u64(b, OTLP_any_value_int_value, (u64)v->i); return;
    case OTLP_V_DOUBLE: pb_add_double(b, OTLP_any_value_double_value, v->f); return;
    case OTLP_V_ARRAY: pb_add_bytes(b, OTLP_any_value_array_value, v->s); return;
    case OTLP_V_MAP: pb_add_bytes(b, OTLP_any_value_kvlist_value, v->s); return;
    case OTLP_V_BYTES: pb_add_bytes(b, OTLP_any_value_bytes_value, v->s); return;
    }
}

void otlp_value_add_element(struct buf *b, struct str value)
{
    pb_add_bytes(b, OTLP_array_value_values, value);
}

void otlp_value_add_entry(struct buf *b, struct str key, struct str value)
{
    size_t start = pb_open(b, OTLP_kvlist_value_values, 1);
    pb_add_bytes(b, OTLP_key_value_key, key);
    pb_add_bytes(b, OTLP_key_value_value, value);
    pb_close(b, start, 1);
}

bool otlp_value_next_element(struct pb_in *list, struct str *ret_value)
{
    struct pb_field f;
    while (pb_next(list, &f)) {
        if (f.num != OTLP_array_value_values || f.wire != PB_BYTES) continue;
        *ret_value = f.b;
        return true;
    }
    return false;
}

static void read_entry(struct str kv, struct str *ret_key, struct str *ret_value)
{
    struct pb_field f;
    *ret_key = *ret_value = (struct str){0};
    for (struct pb_in in = pb_in(kv); pb_next(&in, &f);) {
        if (f.num == OTLP_key_value_key && f.wire == PB_BYTES) *ret_key = f.b;
        if (f.num == OTLP_key_value_value && f.wire == PB_BYTES) *ret_value = f.b;
    }
}

static bool next_entry(struct pb_in *list, u32 num, struct str *ret_key, struct str *ret_value)
{
    struct pb_field f;
    while (pb_next(list, &f)) {
        if (f.num != num || f.wire != PB_BYTES) continue;
        read_entry(f.b, ret_key, ret_value);
        return true;
    }
    return false;
}

bool otlp_value_next_entry(struct pb_in *list, struct str *ret_key, struct str *ret_value)
{
    return next_entry(list, OTLP_kvlist_value_values, ret_key, ret_value);
}

bool otlp_attribute(struct str msg, u32 num, struct str key, struct str *ret_value)
{
    struct str k, v;
    for (struct pb_in in = pb_in(msg); next_entry(&in, num, &k, &v);) {
        if (!str_eq(k, key)) continue;
        *ret_value = v;
        return true;
    }
    return false;
}

/* --- text --- */

static void json_list(struct json_out *j, struct str list)
{
    struct str value;
    json_arr(j);
    for (struct pb_in in = pb_in(list); otlp_value_next_element(&in, &value);) {
        struct otlp_value v = otlp_value_read(value);
        otlp_value_json(j, &v);
    }
    json_arr_end(j);
}

struct entry {
    struct str key, value;
};

static int by_key(const void *a, const void *b)
{
    return str_cmp(((const struct entry *)a)->key, ((const struct entry *)b)->key);
}

static size_t count_entries(struct str map)
{
    struct str k, v;
    size_t n = 0;
    for (struct pb_in in = pb_in(map); otlp_value_next_entry(&in, &k, &v);)
        n++;
    return n;
}

/* Entries by key; of equal keys the last one shows, as in a map. */
static void json_entries(struct json_out *j, const struct entry *e, size_t n)
{
    json_obj(j);
    for (size_t i = 0; i < n; i++) {
        if (i + 1 < n && str_eq(e[i].key, e[i + 1].key)) continue;
        struct otlp_value v = otlp_value_read(e[i].value);
        json_key(j, e[i].key);
        otlp_value_json(j, &v);
    }
    json_obj_end(j);
}

static void json_map(struct json_out *j, struct str map)
{
    size_t n = count_entries(map), at = 0;
    struct entry *e = budget_alloc((n + 1) * sizeof(*e));
    if (!e) {
        j->b->err = j->b->err ? j->b->err : -ENOMEM;
        return;
    }
    for (struct pb_in in = pb_in(map); otlp_value_next_entry(&in, &e[at].key, &e[at].value);)
        at++;
    qsort(e, n, sizeof(*e), by_key);
    json_entries(j, e, n);
    free(e);
}

static void add_f64(struct buf *b, f64 f)
{
    if (isfinite(f))
        num_f64_json(b, f);
    else
        num_f64_g(b, f);
}

void otlp_value_json(struct json_out *j, const struct otlp_value *v)
{
    struct buf text = BUF_INIT(SIZE_MAX);
    switch (v->type) {
    case OTLP_V_NONE: json_null(j); return;
    case OTLP_V_STR: json_str(j, v->s); return;
    case OTLP_V_BOOL: json_bool(j, v->b); return;
    case OTLP_V_INT: json_i64(j, v->i); return;
    case OTLP_V_DOUBLE: json_f64(j, v->f); return;
    case OTLP_V_ARRAY: json_list(j, v->s); return;
    case OTLP_V_MAP: json_map(j, v->s); return;
    case OTLP_V_BYTES:
        base64_encode(&text, BASE64_STD, v->s.p, v->s.n);
        json_str(j, buf_view(&text));
        if (buf_err(&text) && !j->b->err) j->b->err = buf_err(&text);
        buf_done(&text);
    }
}

void otlp_value_text(struct buf *b, const struct otlp_value *v)
{
    struct json_out j = {.b = b, .html = true};
    switch (v->type) {
    case OTLP_V_NONE: return;
    case OTLP_V_STR: buf_str(b, v->s); return;
    case OTLP_V_BOOL: buf_cstr(b, v->b ? "true" : "false"); return;
    case OTLP_V_INT: buf_printf(b, "%lld", (long long)v->i); return;
    case OTLP_V_DOUBLE: add_f64(b, v->f); return;
    case OTLP_V_BYTES: base64_encode(b, BASE64_STD, v->s.p, v->s.n); return;
    case OTLP_V_ARRAY:
    case OTLP_V_MAP: otlp_value_json(&j, v); return;
    }
}

/* --- equality --- */

static bool list_equal(struct str a, struct str b)
{
    struct pb_in ia = pb_in(a), ib = pb_in(b);
    struct str va, vb;
    for (;;) {
        bool more_a = otlp_value_next_element(&ia, &va), more_b = otlp_value_next_element(&ib, &vb);
        if (more_a != more_b) return false;
        if (!more_a) return true;
        if (!otlp_value_equal(va, vb)) return false;
    }
}

static bool map_equal(struct str a, struct str b)
{
    struct str key, va, vb;
    if (count_entries(a) != count_entries(b)) return false;
    for (struct pb_in in = pb_in(a); otlp_value_next_entry(&in, &key, &va);)
        if (!otlp_attribute(b, OTLP_kvlist_value_values, key, &vb) || !otlp_value_equal(va, vb))
            return false;
    return true;
}

bool otlp_value_equal(struct str a, struct str b)
{
    struct otlp_value va = otlp_value_read(a), vb = otlp_value_read(b);
    if (va.type != vb.type) return false;
    switch (va.type) {
    case OTLP_V_NONE: return true;
    case OTLP_V_STR:
    case OTLP_V_BYTES: return str_eq(va.s, vb.s);
    case OTLP_V_BOOL: return va.b == vb.b;
    case OTLP_V_INT: return va.i == vb.i;
    case OTLP_V_DOUBLE: return va.f == vb.f;
    case OTLP_V_ARRAY: return list_equal(va.s, vb.s);
    case OTLP_V_MAP: return map_equal(va.s, vb.s);
    }
    return false;
}
