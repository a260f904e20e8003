/* Values as JSON text in Go's form: members sorted, < > & and the line separators escaped, floats
 * shortest. */
#include "stdlib/document.h"

#include <errno.h>
#include <math.h>
#include "base/num.h"
#include "base/utf8.h"
#include "base/xalloc.h"

static int encode(struct value v, struct buf *out, char **err);

/* --- strings --- */

static const char *short_escape(u32 c)
{
    switch (c) {
    case '"': return "\\\"";
    case '\\': return "\\\\";
    case '\b': return "\\b";
    case '\f': return "\\f";
    case '\n': return "\\n";
    case '\r': return "\\r";
    case '\t': return "\\t";
    default: return NULL;
    }
}

static bool needs_code(u32 c, bool bad)
{
    return bad || c < 0x20 || c == '<' || c == '>' || c == '&' || c == 0x2028 || c == 0x2029;
}

static void string(struct str s, struct buf *out)
{
    buf_ch(out, '"');
    for (size_t i = 0, w; i < s.n && !buf_err(out); i += w) {
        u32 c;
        bool bad;
        w = utf8_decode(str_sub(s, i, s.n), &c, &bad);
        const char *esc = short_escape(c);
        if (esc)
            buf_cstr(out, esc);
        else if (needs_code(c, bad))
            buf_printf(out, "\\u%04x", (unsigned)c);
        else
            buf_str(out, str_sub(s, i, i + w));
    }
    buf_ch(out, '"');
}

/* --- the rest --- */

static int number(struct value v, struct buf *out, char **err)
{
    if (v.numkind != NUM_FLOAT) {
        value_num_text(v, out);
        return 0;
    }
    if (!isfinite(v.f)) {
        *err = xstrdup("JSON has no number for NaN and infinities");
        return -EINVAL;
    }
    num_f64_json(out, v.f);
    return 0;
}

static int array(const struct varray *a, struct buf *out, char **err)
{
    buf_ch(out, '[');
    for (size_t i = 0; i < a->n && !buf_err(out); i++) {
        if (i > 0) buf_ch(out, ',');
        if (encode(a->v[i], out, err)) return -EINVAL;
    }
    buf_ch(out, ']');
    return 0;
}

static int by_key(const void *pa, const void *pb)
{
    const struct vmember *const *a = pa, *const *b = pb;
    return str_cmp(str_n((*a)->key->p, (*a)->key->n), str_n((*b)->key->p, (*b)->key->n));
}

/* Objects of declared order are printed sorted all the same. */
static int members(const struct vmember **m, size_t n, struct buf *out, char **err)
{
    buf_ch(out, '{');
    for (size_t i = 0; i < n && !buf_err(out); i++) {
        if (i > 0) buf_ch(out, ',');
        string(str_n(m[i]->key->p, m[i]->key->n), out);
        buf_ch(out, ':');
        if (encode(m[i]->value, out, err)) return -EINVAL;
    }
    buf_ch(out, '}');
    return 0;
}

static int object(const struct vobject *o, struct buf *out, char **err)
{
    const struct vmember **m = xcalloc(o->n + 1, sizeof(*m));
    for (size_t i = 0; i < o->n; i++)
        m[i] = &o->m[i];
    qsort(m, o->n, sizeof(*m), by_key);
    int rc = members(m, o->n, out, err);
    free(m);
    return rc;
}

static int unsupported(const char *what, char **err)
{
    *err = xprintf("JSON has no form for a %s", what);
    return -EINVAL;
}

static int capsule(struct value v, struct buf *out, char **err)
{
    struct value o;
    struct str s;
    bool secret;
    if (value_secret_text(v, &s, &secret)) {
        if (secret) return unsupported("secret", err);
        string(s, out);
        return 0;
    }
    if (!value_to_object(v, &o)) return unsupported("capsule", err);
    int rc = encode(o, out, err);
    value_unref(o);
    return rc;
}

static int encode(struct value v, struct buf *out, char **err)
{
    switch ((enum vtype)v.type) {
    case V_NULL: buf_cstr(out, "null"); return 0;
    case V_NUMBER: return number(v, out, err);
    case V_STRING: string(value_text(v), out); return 0;
    case V_BOOL: buf_cstr(out, v.b ? "true" : "false"); return 0;
    case V_ARRAY: return array(v.array, out, err);
    case V_OBJECT: return object(v.object, out, err);
    case V_FUNCTION: return unsupported("function", err);
    case V_CAPSULE: return capsule(v, out, err);
    }
    UNREACHABLE();
}

int json_encode(struct value v, struct buf *out, char **err)
{
    return encode(v, out, err);
}
