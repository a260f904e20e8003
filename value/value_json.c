/* Values as JSON: the plain form of `weir eval`, and the typed form of the API. Secrets never come
 * out. */
#include "value/value.h"

#include <math.h>
#include "base/digest.h"
#include "base/json.h"
#include "base/num.h"
#include "base/utf8.h"

static struct str key_of(const struct vmember *m)
{
    return str_n(m->key->p, m->key->n);
}

/* --- plain --- */

static void tagged(struct json_out *j, struct str tag, struct str text)
{
    json_obj(j);
    json_key(j, tag);
    json_str(j, text);
    json_obj_end(j);
}

static void plain_number(struct value v, struct json_out *j)
{
    struct buf text = BUF_INIT(512);
    value_num_text(v, &text);
    bool finite = v.numkind != NUM_FLOAT || isfinite(v.f);
    if (finite)
        json_raw(j, buf_view(&text));
    else
        tagged(j, STR("$number"), buf_view(&text));
    buf_done(&text);
}

static void plain_string(struct str s, struct json_out *j)
{
    if (utf8_valid(s)) {
        json_str(j, s);
        return;
    }
    struct buf b64 = BUF_INIT(SIZE_MAX / 2);
    base64_encode(&b64, BASE64_STD, s.p, s.n);
    tagged(j, STR("$bytes"), buf_view(&b64));
    buf_done(&b64);
}

static void plain(struct value v, struct json_out *j);

static void plain_array(const struct varray *a, struct json_out *j)
{
    json_arr(j);
    for (size_t i = 0; i < a->n && !buf_err(j->b); i++)
        plain(a->v[i], j);
    json_arr_end(j);
}

static void plain_object(const struct vobject *o, struct json_out *j)
{
    json_obj(j);
    for (size_t i = 0; i < o->n && !buf_err(j->b); i++) {
        json_key(j, key_of(&o->m[i]));
        plain(o->m[i].value, j);
    }
    json_obj_end(j);
}

static void plain_capsule(struct value v, struct json_out *j)
{
    struct str s;
    bool secret;
    if (!value_secret_text(v, &s, &secret))
        tagged(j, STR("$kind"), STR("capsule"));
    else if (secret)
        json_str(j, STR("(secret)"));
    else
        plain_string(s, j);
}

static void plain(struct value v, struct json_out *j)
{
    switch ((enum vtype)v.type) {
    case V_NULL: json_null(j); return;
    case V_NUMBER: plain_number(v, j); return;
    case V_STRING: plain_string(value_text(v), j); return;
    case V_BOOL: json_bool(j, v.b); return;
    case V_ARRAY: plain_array(v.array, j); return;
    case V_OBJECT: plain_object(v.object, j); return;
    case V_FUNCTION: tagged(j, STR("$kind"), STR("function")); return;
    case V_CAPSULE: plain_capsule(v, j); return;
    }
}

void value_json(struct value v, struct buf *out)
{
    struct json_out j = {.b = out};
    plain(v, &j);
}

/* --- typed --- */

static void typed_array(const struct varray *a, struct json_out *j)
{
    json_arr(j);
    for (size_t i = 0; i < a->n && !buf_err(j->b); i++)
        value_api_json(a->v[i], j);
    json_arr_end(j);
}

static void typed_object(const struct vobject *o, struct json_out *j)
{
    json_arr(j);
    for (size_t i = 0; i < o->n && !buf_err(j->b); i++) {
        json_obj(j);
        json_key(j, STR("key"));
        json_str(j, key_of(&o->m[i]));
        json_key(j, STR("value"));
        value_api_json(o->m[i].value, j);
        json_obj_end(j);
    }
    json_arr_end(j);
}

static void typed_capsule(const struct capsule *c, struct json_out *j)
{
    struct buf text = BUF_INIT(SIZE_MAX / 2);
    if (c->type->text)
        c->type->text(c->data, &text);
    else
        buf_printf(&text, "capsule(\"%s\")", c->type->name);
    json_str(j, buf_view(&text));
    buf_done(&text);
}

static void typed_payload(struct value v, struct json_out *j)
{
    switch ((enum vtype)v.type) {
    case V_NULL: json_null(j); return;
    case V_NUMBER: json_f64(j, value_num_f64(v)); return;
    case V_STRING: json_str(j, value_text(v)); return;
    case V_BOOL: json_bool(j, v.b); return;
    case V_ARRAY: typed_array(v.array, j); return;
    case V_OBJECT: typed_object(v.object, j); return;
    case V_FUNCTION: json_str(j, STR("function")); return;
    case V_CAPSULE: typed_capsule(v.capsule, j); return;
    }
}

void value_api_json(struct value v, struct json_out *j)
{
    struct value object;
    bool converts = v.type == V_CAPSULE && value_to_object(v, &object);
    if (converts) v = object;
    json_obj(j);
    json_key(j, STR("type"));
    json_str(j, str_of(vtype_name(v.type)));
    json_key(j, STR("value"));
    typed_payload(v, j);
    json_obj_end(j);
    if (converts) value_unref(object);
}
