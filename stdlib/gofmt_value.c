/* Values under a verb: which verbs a type knows, composites element by element, and the mark of a
 * wrong verb. */
#include "stdlib/gofmt_int.h"

#include "base/utf8.h"

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

const char *gofmt_type(struct value v)
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

static void bad_verb(struct directive *d, struct value v, u32 verb)
{
    buf_cstr(d->out, "%!");
    utf8_encode(d->out, verb);
    buf_printf(d->out, "(%s=", gofmt_type(v));
    gofmt_value(d, v, 'v');
    buf_ch(d->out, ')');
}

/* --- scalars --- */

static void null(struct directive *d, u32 verb)
{
    if (verb == 'v' || verb == 'T') {
        gofmt_pad(d, STR("<nil>"));
        return;
    }
    buf_cstr(d->out, "%!");
    utf8_encode(d->out, verb);
    buf_cstr(d->out, "(<nil>)");
}

static void boolean(struct directive *d, struct value v, u32 verb)
{
    if (verb == 't' || verb == 'v')
        gofmt_pad(d, v.b ? STR("true") : STR("false"));
    else
        bad_verb(d, v, verb);
}

static void floating(struct directive *d, struct value v, u32 verb)
{
    switch (verb) {
    case 'v': gofmt_float(d, v.f, 'g', -1); return;
    case 'b':
    case 'g':
    case 'G':
    case 'x':
    case 'X': gofmt_float(d, v.f, verb, -1); return;
    case 'f':
    case 'e':
    case 'E': gofmt_float(d, v.f, verb, 6); return;
    case 'F': gofmt_float(d, v.f, 'f', 6); return;
    default: bad_verb(d, v, verb);
    }
}

static void integer(struct directive *d, struct value v, u32 verb)
{
    bool is_signed = !is_uint64(v);
    switch (verb) {
    case 'v':
        if (d->sharp_v && !is_signed) {
            d->sharp = true;
            gofmt_integer(d, v.u, false, 16, verb, false);
            d->sharp = false;
            return;
        }
        gofmt_integer(d, v.u, is_signed, 10, verb, false);
        return;
    case 'd': gofmt_integer(d, v.u, is_signed, 10, verb, false); return;
    case 'b': gofmt_integer(d, v.u, is_signed, 2, verb, false); return;
    case 'o':
    case 'O': gofmt_integer(d, v.u, is_signed, 8, verb, false); return;
    case 'x': gofmt_integer(d, v.u, is_signed, 16, verb, false); return;
    case 'X': gofmt_integer(d, v.u, is_signed, 16, verb, true); return;
    case 'c': gofmt_char(d, v.u); return;
    case 'q': gofmt_quoted_char(d, v.u); return;
    case 'U': gofmt_unicode(d, v.u); return;
    default: bad_verb(d, v, verb);
    }
}

static void string(struct directive *d, struct value v, u32 verb)
{
    struct str s = value_text(v);
    switch (verb) {
    case 'v':
        if (d->sharp_v)
            gofmt_quoted(d, s);
        else
            gofmt_string(d, s);
        return;
    case 's': gofmt_string(d, s); return;
    case 'x': gofmt_hex(d, s, false); return;
    case 'X': gofmt_hex(d, s, true); return;
    case 'q': gofmt_quoted(d, s); return;
    default: bad_verb(d, v, verb);
    }
}

/* --- composites: the verb goes to every element --- */

static void element(struct directive *d, struct value v, u32 verb)
{
    if (v.type != V_NULL)
        gofmt_value(d, v, verb);
    else
        buf_cstr(d->out, d->sharp_v ? "interface {}(nil)" : "<nil>");
}

static void array(struct directive *d, struct value v, u32 verb)
{
    buf_cstr(d->out, d->sharp_v ? "[]interface {}{" : "[");
    for (size_t i = 0; i < v.array->n && !buf_err(d->out); i++) {
        if (i > 0) buf_cstr(d->out, d->sharp_v ? ", " : " ");
        element(d, v.array->v[i], verb);
    }
    buf_ch(d->out, d->sharp_v ? '}' : ']');
}

static void member(struct directive *d, const struct vmember *m, u32 verb)
{
    gofmt_value(d, (struct value){.type = V_STRING, .text = m->key}, verb);
    buf_ch(d->out, ':');
    element(d, m->value, verb);
}

static void object(struct directive *d, struct value v, u32 verb)
{
    buf_cstr(d->out, d->sharp_v ? "map[string]interface {}{" : "map[");
    for (size_t i = 0; i < v.object->n && !buf_err(d->out); i++) {
        if (i > 0) buf_cstr(d->out, d->sharp_v ? ", " : " ");
        member(d, &v.object->m[i], verb);
    }
    buf_ch(d->out, d->sharp_v ? '}' : ']');
}

/* Opaque things show their name only; a secret never shows its text. */
static void capsule(struct directive *d, struct value v)
{
    struct str s;
    bool secret;
    if (!value_secret_text(v, &s, &secret))
        buf_printf(d->out, "capsule(\"%s\")", v.capsule->type->name);
    else
        gofmt_pad(d, secret ? STR("(secret)") : s);
}

void gofmt_value(struct directive *d, struct value v, u32 verb)
{
    if (verb == 'T' && v.type != V_NULL) {
        gofmt_string(d, str_of(gofmt_type(v)));
        return;
    }
    if (verb == 'w' && v.type != V_NULL) { /* wraps errors, which no value is */
        bad_verb(d, v, verb);
        return;
    }
    switch ((enum vtype)v.type) {
    case V_NULL: null(d, verb); return;
    case V_NUMBER:
        if (v.numkind == NUM_FLOAT)
            floating(d, v, verb);
        else
            integer(d, v, verb);
        return;
    case V_STRING: string(d, v, verb); return;
    case V_BOOL: boolean(d, v, verb); return;
    case V_ARRAY: array(d, v, verb); return;
    case V_OBJECT: object(d, v, verb); return;
    case V_FUNCTION: gofmt_pad(d, STR("func")); return;
    case V_CAPSULE: capsule(d, v); return;
    }
}
