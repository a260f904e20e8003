/* Configuration values as AnyValue bytes. */
#include "components/otelcol/attributes_value.h"

#include <errno.h>

static int add_value(struct buf *b, struct value v, const char **ret_type);

static int add_array(struct buf *b, const struct varray *a, const char **ret_type)
{
    struct buf list = BUF_INIT(SIZE_MAX), one = BUF_INIT(SIZE_MAX);
    int err = 0;
    for (size_t i = 0; i < a->n && !err; i++) {
        buf_reset(&one);
        err = add_value(&one, a->v[i], ret_type);
        otlp_value_add_element(&list, buf_view(&one));
    }
    otlp_value_write(b, &(struct otlp_value){.type = OTLP_V_ARRAY, .s = buf_view(&list)});
    buf_done(&list);
    buf_done(&one);
    return err;
}

static int add_object(struct buf *b, const struct vobject *o, const char **ret_type)
{
    struct buf list = BUF_INIT(SIZE_MAX), one = BUF_INIT(SIZE_MAX);
    int err = 0;
    for (size_t i = 0; i < o->n && !err; i++) {
        buf_reset(&one);
        err = add_value(&one, o->m[i].value, ret_type);
        otlp_value_add_entry(&list, str_n(o->m[i].key->p, o->m[i].key->n), buf_view(&one));
    }
    otlp_value_write(b, &(struct otlp_value){.type = OTLP_V_MAP, .s = buf_view(&list)});
    buf_done(&list);
    buf_done(&one);
    return err;
}

static struct otlp_value number(struct value v)
{
    if (v.numkind == NUM_FLOAT) return (struct otlp_value){.type = OTLP_V_DOUBLE, .f = v.f};
    return (struct otlp_value){.type = OTLP_V_INT, .i = v.i};
}

/* An optional secret that is none (the content of a file) is text. In `check` its data is not there
 * yet. */
static int add_capsule(struct buf *b, struct value v, const char **ret_type)
{
    const struct opt_secret *o = v.capsule->type == &capsule_opt_secret ? v.capsule->data : NULL;
    if (v.capsule->type != &capsule_opt_secret || (o && o->is_secret)) {
        *ret_type = v.capsule->type == &capsule_opt_secret ? "secret" : vtype_name(V_CAPSULE);
        return -EINVAL;
    }
    struct str text = o ? str_n(o->text->p, o->text->n) : (struct str){0};
    otlp_value_write(b, &(struct otlp_value){.type = OTLP_V_STR, .s = text});
    return 0;
}

static int add_value(struct buf *b, struct value v, const char **ret_type)
{
    struct otlp_value out = {.type = OTLP_V_NONE};
    switch ((enum vtype)v.type) {
    case V_NULL: return 0;
    case V_NUMBER: out = number(v); break;
    case V_STRING: out = (struct otlp_value){.type = OTLP_V_STR, .s = value_text(v)}; break;
    case V_BOOL: out = (struct otlp_value){.type = OTLP_V_BOOL, .b = v.b}; break;
    case V_ARRAY: return add_array(b, v.array, ret_type);
    case V_OBJECT: return add_object(b, v.object, ret_type);
    case V_CAPSULE: return add_capsule(b, v, ret_type);
    case V_FUNCTION: *ret_type = vtype_name(v.type); return -EINVAL;
    }
    otlp_value_write(b, &out);
    return 0;
}

int attributes_value(struct arena *a, struct value v, struct str *ret, const char **ret_type)
{
    struct buf b = BUF_INIT(SIZE_MAX);
    int err = add_value(&b, v, ret_type);
    if (!err) err = buf_err(&b);
    if (!err) *ret = arena_str(a, buf_view(&b));
    buf_done(&b);
    return err;
}
