/* Members of structs as values: for exports, the API, and comparison with defaults. */
#include "value/member.h"

#include "base/num.h"

static struct value text_by(void (*format)(struct buf *, i64), i64 n)
{
    struct buf text = BUF_INIT(256);
    format(&text, n);
    struct value v = value_str(buf_view(&text));
    buf_done(&text);
    return v;
}

static struct value list(const struct str_list *l)
{
    struct value v = value_array(l->n);
    for (size_t i = 0; i < l->n; i++)
        v.array->v[i] = value_str(l->v[i]);
    return v;
}

static struct value map(const struct str_pair *pairs, size_t n, struct value (*make)(struct str))
{
    struct object_builder b = {0};
    for (size_t i = 0; i < n; i++)
        object_set_take(&b, pairs[i].key, make(pairs[i].value));
    return object_done(&b);
}

static struct value capsules(const struct capsule_list *l)
{
    struct value v = value_array(l->n);
    for (size_t i = 0; i < l->n; i++)
        v.array->v[i] = value_of_capsule(l->v[i]);
    return v;
}

static struct value secret_or_text(const struct opt_secret_text *o)
{
    return o->set ? value_opt_secret(o->s, o->is_secret) : value_null();
}

static struct value if_set(bool set, struct value v)
{
    return set ? v : value_null();
}

static struct value capsule(struct capsule *c)
{
    return c ? value_of_capsule(c) : value_null();
}

static struct value opt_text(const struct opt_str *o)
{
    return o->set ? value_str(o->s) : value_null();
}

static struct value opt_dur_text(const struct opt_dur *o)
{
    return o->set ? text_by(dur_format, o->ns) : value_null();
}

struct value member_get(const struct row *row, const void *m)
{
    const struct str_map *pairs = m;
    switch (row->kind) {
    case K_BOOL: return value_bool(*(const bool *)m);
    case K_I64: return value_int(*(const i64 *)m);
    case K_F64: return value_float(*(const f64 *)m);
    case K_STR:
    case K_LABEL: return value_str(*(const struct str *)m);
    case K_DUR: return text_by(dur_format, ((const struct dur *)m)->ns);
    case K_BYTES: return text_by(bytesize_format, ((const struct bytesize *)m)->n);
    case K_SECRET: return value_secret(((const struct secret *)m)->s);
    case K_OPT_SECRET: return secret_or_text(m);
    case K_OPT_STR: return opt_text(m);
    case K_OPT_I64:
        return if_set(((const struct opt_i64 *)m)->set, value_int(((const struct opt_i64 *)m)->v));
    case K_OPT_F64:
        return if_set(((const struct opt_f64 *)m)->set,
                      value_float(((const struct opt_f64 *)m)->v));
    case K_OPT_BOOL:
        return if_set(((const struct opt_bool *)m)->set,
                      value_bool(((const struct opt_bool *)m)->v));
    case K_OPT_DUR: return opt_dur_text(m);
    case K_STR_LIST: return list(m);
    case K_STR_MAP: return map(pairs->v, pairs->n, value_str);
    case K_SECRET_MAP: return map(pairs->v, pairs->n, value_secret);
    case K_CAPSULE: return capsule(((const struct capsule_ref *)m)->c);
    case K_CAPSULE_LIST: return capsules(m);
    case K_ANY:
    case K_MAP_BLOCK: return value_ref(*(const struct value *)m);
    case K_BLOCK:
    case K_BLOCK_PTR:
    case K_BLOCKS:
    case K_ONE_OF: break;
    }
    UNREACHABLE();
}
