/* Values under a verb: scalars as Go's basic types, composites element by element. */
#include "stdlib/format.h"

#include "base/gofmt.h"

static void show(struct gofmt_directive *d, struct value v, u32 verb);

/* An integer of any kind that fits is Go's int. */
static bool is_uint64(struct value v)
{
    return v.numkind == NUM_UINT && v.u > INT64_MAX;
}

static const char *number_type(struct value v)
{
    if (v.numkind == NUM_FLOAT) return "float64";
    return is_uint64(v) ? "uint64" : "int";
}

static const char *type_name(struct value v)
{
    switch ((enum vtype)v.type) {
    case V_NULL: return "";
    case V_NUMBER: return number_type(v);
    case V_STRING: return "string";
    case V_BOOL: return "bool";
    case V_ARRAY: return "[]interface {}";
    case V_OBJECT: return "map[string]interface {}";
    case V_FUNCTION: return "func";
    case V_CAPSULE: return v.capsule->type->name;
    }
    UNREACHABLE();
}

static void bad_verb(struct gofmt_directive *d, struct value v, u32 verb)
{
    gofmt_bad_verb(d, verb, type_name(v));
    show(d, v, 'v');
    buf_ch(d->out, ')');
}

/* --- scalars --- */

static bool number(struct gofmt_directive *d, struct value v, u32 verb)
{
    return v.numkind == NUM_FLOAT ? gofmt_show_float(d, v.f, verb)
                                  : gofmt_show_whole(d, v.u, !is_uint64(v), verb);
}

/* --- composites: the verb goes to every element --- */

static void element(struct gofmt_directive *d, struct value v, u32 verb)
{
    if (v.type != V_NULL)
        show(d, v, verb);
    else
        buf_cstr(d->out, d->sharp_v ? "interface {}(nil)" : "<nil>");
}

static void array(struct gofmt_directive *d, struct value v, u32 verb)
{
    buf_cstr(d->out, d->sharp_v ? "[]interface {}{" : "[");
    for (size_t i = 0; i < v.array->n && !buf_err(d->out); i++) {
        if (i > 0) buf_cstr(d->out, d->sharp_v ? ", " : " ");
        element(d, v.array->v[i], verb);
    }
    buf_ch(d->out, d->sharp_v ? '}' : ']');
}

static void member(struct gofmt_directive *d, const struct vmember *m, u32 verb)
{
    show(d, (struct value){.type = V_STRING, .text = m->key}, verb);
    buf_ch(d->out, ':');
    element(d, m->value, verb);
}

static void object(struct gofmt_directive *d, struct value v, u32 verb)
{
    buf_cstr(d->out, d->sharp_v ? "map[string]interface {}{" : "map[");
    for (size_t i = 0; i < v.object->n && !buf_err(d->out); i++) {
        if (i > 0) buf_cstr(d->out, d->sharp_v ? ", " : " ");
        member(d, &v.object->m[i], verb);
    }
    buf_ch(d->out, d->sharp_v ? '}' : ']');
}

/* Opaque things show their name only; a secret never shows its text. */
static void capsule(struct gofmt_directive *d, struct value v)
{
    struct str s;
    bool secret;
    if (!value_secret_text(v, &s, &secret))
        buf_printf(d->out, "capsule(\"%s\")", v.capsule->type->name);
    else
        gofmt_pad(d, secret ? STR("(secret)") : s);
}

/* False: the value's type does not know the verb. */
static bool known(struct gofmt_directive *d, struct value v, u32 verb)
{
    switch ((enum vtype)v.type) {
    case V_NULL: gofmt_show_nil(d, verb); return true;
    case V_NUMBER: return number(d, v, verb);
    case V_STRING: return gofmt_show_text(d, value_text(v), verb);
    case V_BOOL: return gofmt_show_bool(d, v.b, verb);
    case V_ARRAY: array(d, v, verb); return true;
    case V_OBJECT: object(d, v, verb); return true;
    case V_FUNCTION: gofmt_pad(d, STR("func")); return true;
    case V_CAPSULE: capsule(d, v); return true;
    }
    UNREACHABLE();
}

static void show(struct gofmt_directive *d, struct value v, u32 verb)
{
    if (verb == 'T' && v.type != V_NULL)
        gofmt_string(d, str_of(type_name(v)));
    else if (verb == 'w' && v.type != V_NULL) /* wraps errors, which no value is */
        bad_verb(d, v, verb);
    else if (!known(d, v, verb))
        bad_verb(d, v, verb);
}

/* --- the arguments of a format --- */

static void show_nth(void *arg, struct gofmt_directive *d, size_t i, u32 verb)
{
    show(d, ((const struct value *)arg)[i], verb);
}

static bool whole_nth(void *arg, size_t i, i64 *ret)
{
    const struct value *v = (const struct value *)arg + i;

    if (v->type != V_NUMBER || v->numkind == NUM_FLOAT) return false;
    *ret = v->i;
    return true;
}

static const char *type_nth(void *arg, size_t i)
{
    return type_name(((const struct value *)arg)[i]);
}

void format_values(struct buf *out, struct str format, const struct value *args, size_t n)
{
    const struct gofmt_args a = {
        .n = n, .arg = (void *)args, .show = show_nth, .whole = whole_nth, .type = type_nth};

    gofmt(out, format, &a);
}
