/* The rules by which a value of one type is taken where another is wanted. */
#include "value/convert.h"

#include <errno.h>
#include <stdlib.h>
#include "base/num.h"
#include "base/xalloc.h"

static int mismatch(const char *want, struct value v, struct vfault *f)
{
    return vfault_set(f, "should be %s, got %s", want, vtype_name(v.type));
}

/* --- text --- */

static struct value number_text(struct value v)
{
    struct buf text = BUF_INIT(512);
    value_num_text(v, &text);
    struct value s = value_str(buf_view(&text));
    buf_done(&text);
    return s;
}

static int array_text(struct value v, struct value *ret, struct vfault *f)
{
    if (!v.array->bytes) return mismatch("string", v, f);
    char *p = xmalloc(v.array->n + 1);
    for (size_t i = 0; i < v.array->n; i++)
        p[i] = (char)v.array->v[i].u;
    *ret = value_str(str_n(p, v.array->n));
    free(p);
    return 0;
}

static int capsule_text(struct value v, struct value *ret, struct vfault *f)
{
    struct str s;
    bool secret;
    if (!value_secret_text(v, &s, &secret)) return mismatch("string", v, f);
    if (secret) return vfault_set(f, "secrets may not be converted into strings");
    *ret = value_str(s);
    return 0;
}

int convert_text(struct value v, struct value *ret, struct vfault *f)
{
    switch ((enum vtype)v.type) {
    case V_NULL: *ret = value_cstr(""); return 0;
    case V_NUMBER: *ret = number_text(v); return 0;
    case V_STRING: *ret = value_ref(v); return 0;
    case V_ARRAY: return array_text(v, ret, f);
    case V_CAPSULE: return capsule_text(v, ret, f);
    case V_BOOL:
    case V_OBJECT:
    case V_FUNCTION: return mismatch("string", v, f);
    }
    UNREACHABLE();
}

/* --- numbers --- */

static int parse_float(struct str s, struct value *ret)
{
    f64 d;
    if (num_parse_f64(s, &d)) return -EINVAL;
    *ret = value_float(d);
    return 0;
}

static int parse_int(struct str s, struct value *ret)
{
    i64 i;
    if (num_parse_i64(s, &i)) return -EINVAL;
    *ret = value_int(i);
    return 0;
}

static int parse_uint(struct str s, struct value *ret)
{
    u64 u;
    if (num_parse_u64(s, &u)) return -EINVAL;
    *ret = value_uint(u);
    return 0;
}

/* A sign means integer, also when a fraction follows: "-1.5" is refused, as the reference does. */
static int text_number(struct str s, struct value *ret)
{
    if (s.n == 0) return -EINVAL;
    if (s.p[0] == '-') return parse_int(s, ret);
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] == '.' || s.p[i] == 'e' || s.p[i] == 'E') return parse_float(s, ret);
    return parse_uint(s, ret);
}

int convert_number(struct value v, struct value *ret, struct vfault *f)
{
    struct value text;
    if (v.type == V_NUMBER) {
        *ret = v;
        return 0;
    }
    if (v.type == V_NULL) {
        *ret = value_int(0);
        return 0;
    }
    bool may =
        v.type == V_STRING || (v.type == V_CAPSULE && v.capsule->type == &capsule_opt_secret);
    if (!may) return mismatch("number", v, f);
    if (convert_text(v, &text, f)) return -EINVAL;
    int rc = text_number(value_text(text), ret);
    value_unref(text);
    return rc ? mismatch("number", v, f) : 0;
}

int convert_bool(struct value v, bool *ret, struct vfault *f)
{
    if (v.type != V_BOOL && v.type != V_NULL) return mismatch("bool", v, f);
    *ret = v.type == V_BOOL && v.b;
    return 0;
}

/* --- types written as text --- */

typedef int (*text_parser)(struct str s, i64 *ret, char **ret_err);

static int parse_text(struct value v, text_parser parse, const char *what, i64 *ret,
                      struct vfault *f)
{
    struct value text;
    char *err = NULL;
    if (convert_text(v, &text, f)) return -EINVAL;
    int rc = parse(value_text(text), ret, &err);
    if (rc && err)
        vfault_set(f, "%s", err);
    else if (rc)
        vfault_set(f, "is not a valid %s", what);
    free(err);
    value_unref(text);
    return rc ? -EINVAL : 0;
}

int convert_duration(struct value v, i64 *ret_ns, struct vfault *f)
{
    if (v.type == V_NULL) {
        *ret_ns = 0;
        return 0;
    }
    return parse_text(v, dur_parse, "duration", ret_ns, f);
}

int convert_bytesize(struct value v, i64 *ret, struct vfault *f)
{
    if (v.type == V_NULL) {
        *ret = 0;
        return 0;
    }
    return parse_text(v, bytesize_parse, "size", ret, f);
}

/* --- secrets --- */

static int not_a_secret(const struct capsule_type *want, struct value v, struct vfault *f)
{
    if (v.type != V_CAPSULE) return mismatch("capsule", v, f);
    return vfault_set(f, "expected capsule(\"%s\"), got capsule(\"%s\")", want->name,
                      v.capsule->type->name);
}

static int secret_text(const struct capsule_type *want, struct value v, struct str *ret,
                       bool *ret_is_secret, struct vfault *f)
{
    if (v.type == V_NULL) {
        *ret = STR("");
        *ret_is_secret = false;
        return 0;
    }
    return value_secret_text(v, ret, ret_is_secret) ? 0 : not_a_secret(want, v, f);
}

int convert_opt_secret(struct value v, struct str *ret, bool *ret_is_secret, struct vfault *f)
{
    return secret_text(&capsule_opt_secret, v, ret, ret_is_secret, f);
}

int convert_secret(struct value v, struct str *ret, struct vfault *f)
{
    bool was_secret;
    return secret_text(&capsule_secret, v, ret, &was_secret, f);
}

/* --- composite --- */

int convert_array(struct value v, struct value *ret, struct vfault *f)
{
    if (v.type != V_ARRAY && v.type != V_NULL) return mismatch("array", v, f);
    *ret = v.type == V_NULL ? value_array(0) : value_ref(v);
    return 0;
}

int convert_object(struct value v, struct value *ret, struct vfault *f)
{
    if (v.type == V_NULL) {
        struct object_builder none = {0};
        *ret = object_done(&none);
        return 0;
    }
    return value_to_object(v, ret) ? 0 : mismatch("object", v, f);
}

static bool same_capsule_type(const struct capsule_type *have, const struct capsule_type *want,
                              const char *name)
{
    if (!want && !name) return true;
    return have == want || strcmp(have->name, want ? want->name : name) == 0;
}

int convert_capsule(struct value v, const struct capsule_type *type, const char *name,
                    struct capsule **ret, struct vfault *f)
{
    if (v.type == V_NULL) {
        *ret = NULL;
        return 0;
    }
    if (v.type != V_CAPSULE) return mismatch("capsule", v, f);
    if (!same_capsule_type(v.capsule->type, type, name))
        return vfault_set(f, "expected capsule(\"%s\"), got capsule(\"%s\")",
                          type ? type->name : name, v.capsule->type->name);
    *ret = v.capsule;
    return 0;
}

/* --- arguments of functions --- */

static int text_array(struct value v, struct value *ret, struct vfault *f)
{
    struct value from;
    if (convert_array(v, &from, f)) return -EINVAL;
    struct value to = value_array(from.array->n);
    int rc = 0;
    for (size_t i = 0; i < from.array->n && !rc; i++) {
        rc = convert_text(from.array->v[i], &to.array->v[i], f);
        if (rc) vpath_element(&f->path, i);
    }
    value_unref(from);
    if (rc)
        value_unref(to);
    else
        *ret = to;
    return rc;
}

static int secret_as_text(struct value v, struct value *ret, struct vfault *f)
{
    struct str s;
    if (convert_secret(v, &s, f)) return -EINVAL;
    *ret = value_str(s);
    return 0;
}

static int bool_param(struct value v, struct value *ret, struct vfault *f)
{
    bool b = false;
    if (convert_bool(v, &b, f)) return -EINVAL;
    *ret = value_bool(b);
    return 0;
}

int convert_param(enum param_kind kind, struct value v, struct value *ret, struct vfault *f)
{
    switch (kind) {
    case P_ANY: *ret = value_ref(v); return 0;
    case P_STRING: return convert_text(v, ret, f);
    case P_NUMBER: return convert_number(v, ret, f);
    case P_BOOL: return bool_param(v, ret, f);
    case P_ARRAY: return convert_array(v, ret, f);
    case P_ARRAY_STR: return text_array(v, ret, f);
    case P_OBJECT: return convert_object(v, ret, f);
    case P_STRING_OR_SECRET: return secret_as_text(v, ret, f);
    }
    UNREACHABLE();
}
