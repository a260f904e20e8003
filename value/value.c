/* Making, counting and taking apart values. Comparison is in value_cmp.c, text and JSON in
 * value_json.c. */
#include "value/value.h"

#include <stdlib.h>
#include "base/num.h"
#include "base/xalloc.h"

const char *vtype_name(enum vtype t)
{
    static const char *const names[] = {
        [V_NULL] = "null",         [V_NUMBER] = "number",   [V_STRING] = "string",
        [V_BOOL] = "bool",         [V_ARRAY] = "array",     [V_OBJECT] = "object",
        [V_FUNCTION] = "function", [V_CAPSULE] = "capsule",
    };
    return names[t];
}

/* --- scalars --- */

struct value value_null(void)
{
    return (struct value){.type = V_NULL};
}

struct value value_bool(bool b)
{
    return (struct value){.type = V_BOOL, .b = b};
}

struct value value_int(i64 i)
{
    return (struct value){.type = V_NUMBER, .numkind = NUM_INT, .i = i};
}

struct value value_uint(u64 u)
{
    return (struct value){.type = V_NUMBER, .numkind = NUM_UINT, .u = u};
}

struct value value_float(f64 f)
{
    return (struct value){.type = V_NUMBER, .numkind = NUM_FLOAT, .f = f};
}

struct value value_func(const struct func *f)
{
    return (struct value){.type = V_FUNCTION, .func = f};
}

/* --- text --- */

static struct vtext *text_new(struct str s)
{
    struct vtext *t = xmalloc(sizeof(*t) + s.n + 1);
    refs_init(&t->refs);
    t->n = s.n;
    if (s.n > 0) memcpy(t->p, s.p, s.n);
    t->p[s.n] = '\0';
    return t;
}

static void text_unref(struct vtext *t)
{
    if (refs_put(&t->refs)) free(t);
}

struct value value_str(struct str s)
{
    return (struct value){.type = V_STRING, .text = text_new(s)};
}

struct value value_cstr(const char *s)
{
    return value_str(str_of(s));
}

/* --- arrays --- */

struct value value_array(size_t n)
{
    ASSERT(n <= (SIZE_MAX - sizeof(struct varray)) / sizeof(struct value));
    struct varray *a = xcalloc(1, sizeof(*a) + n * sizeof(struct value));
    refs_init(&a->refs);
    a->n = n;
    return (struct value){.type = V_ARRAY, .array = a};
}

struct value value_bytes(struct str s)
{
    struct value v = value_array(s.n);
    v.array->bytes = true;
    for (size_t i = 0; i < s.n; i++)
        v.array->v[i] = value_uint((u8)s.p[i]);
    return v;
}

static void array_unref(struct varray *a)
{
    if (!refs_put(&a->refs)) return;
    for (size_t i = 0; i < a->n; i++)
        value_unref(a->v[i]);
    free(a);
}

/* --- objects --- */

static struct str member_key(const struct vmember *m)
{
    return (struct str){m->key->p, m->key->n};
}

static struct vmember *member_of(struct vobject *o, struct str key)
{
    if (o->ordered) {
        for (size_t i = 0; i < o->n; i++)
            if (str_eq(member_key(&o->m[i]), key)) return &o->m[i];
        return NULL;
    }
    size_t lo = 0, hi = o->n;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        int c = str_cmp(member_key(&o->m[mid]), key);
        if (c == 0) return &o->m[mid];
        if (c < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return NULL;
}

const struct value *value_member(struct value obj, struct str key)
{
    struct vmember *m = obj.type == V_OBJECT ? member_of(obj.object, key) : NULL;
    return m ? &m->value : NULL;
}

void object_set_take(struct object_builder *b, struct str key, struct value v)
{
    if (b->n == b->cap) {
        b->cap = b->cap ? b->cap * 2 : 8;
        b->m = xrealloc(b->m, b->cap * sizeof(*b->m));
    }
    b->m[b->n++] = (struct vmember){text_new(key), v};
}

/* By key, and of equal keys by age, so that the last of a run is the one that wins. */
struct keyed {
    struct vmember m;
    size_t at;
};

static int by_key(const void *pa, const void *pb)
{
    const struct keyed *a = pa, *b = pb;
    int c = str_cmp(member_key(&a->m), member_key(&b->m));
    return c ? c : (a->at > b->at) - (a->at < b->at);
}

static int by_age(const void *pa, const void *pb)
{
    const struct keyed *a = pa, *b = pb;
    return (a->at > b->at) - (a->at < b->at);
}

static void member_done(struct vmember *m)
{
    text_unref(m->key);
    value_unref(m->value);
}

/* Keeps of each run of equal keys the last value, in the place of the first. */
static size_t drop_overwritten(struct keyed *k, size_t n)
{
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        if (kept > 0 && str_eq(member_key(&k[kept - 1].m), member_key(&k[i].m))) {
            member_done(&k[kept - 1].m);
            k[kept - 1].m = k[i].m;
        } else {
            k[kept++] = k[i];
        }
    }
    return kept;
}

static struct vobject *object_new(const struct keyed *k, size_t n, bool ordered)
{
    struct vobject *o = xcalloc(1, sizeof(*o) + n * sizeof(struct vmember));
    refs_init(&o->refs);
    o->ordered = ordered;
    o->n = n;
    for (size_t i = 0; i < n; i++)
        o->m[i] = k[i].m;
    return o;
}

struct value object_done(struct object_builder *b)
{
    struct keyed *k = xcalloc(b->n + 1, sizeof(*k));
    for (size_t i = 0; i < b->n; i++)
        k[i] = (struct keyed){b->m[i], i};
    qsort(k, b->n, sizeof(*k), by_key);
    size_t n = drop_overwritten(k, b->n);
    if (b->ordered) qsort(k, n, sizeof(*k), by_age);
    struct vobject *o = object_new(k, n, b->ordered);
    free(k);
    free(b->m);
    *b = (struct object_builder){.ordered = b->ordered};
    return (struct value){.type = V_OBJECT, .object = o};
}

static void object_unref(struct vobject *o)
{
    if (!refs_put(&o->refs)) return;
    for (size_t i = 0; i < o->n; i++)
        member_done(&o->m[i]);
    free(o);
}

bool value_to_object(struct value v, struct value *ret)
{
    if (v.type == V_OBJECT) {
        *ret = value_ref(v);
        return true;
    }
    if (v.type != V_CAPSULE || !v.capsule->type->to_object) return false;
    return v.capsule->type->to_object(v.capsule->data, ret);
}

/* --- capsules --- */

struct value value_capsule(const struct capsule_type *type, void *data)
{
    struct capsule *c = xnew(struct capsule);
    refs_init(&c->refs);
    c->type = type;
    c->data = data;
    return (struct value){.type = V_CAPSULE, .capsule = c};
}

struct value value_of_capsule(struct capsule *c)
{
    refs_get(&c->refs);
    return (struct value){.type = V_CAPSULE, .capsule = c};
}

static void capsule_unref(struct capsule *c)
{
    if (!refs_put(&c->refs)) return;
    if (c->type->destroy) c->type->destroy(c->data);
    free(c);
}

/* --- counts --- */

struct value value_ref(struct value v)
{
    switch ((enum vtype)v.type) {
    case V_NULL:
    case V_NUMBER:
    case V_BOOL:
    case V_FUNCTION: break;
    case V_STRING: refs_get(&v.text->refs); break;
    case V_ARRAY: refs_get(&v.array->refs); break;
    case V_OBJECT: refs_get(&v.object->refs); break;
    case V_CAPSULE: refs_get(&v.capsule->refs); break;
    }
    return v;
}

void value_unref(struct value v)
{
    switch ((enum vtype)v.type) {
    case V_NULL:
    case V_NUMBER:
    case V_BOOL:
    case V_FUNCTION: break;
    case V_STRING: text_unref(v.text); break;
    case V_ARRAY: array_unref(v.array); break;
    case V_OBJECT: object_unref(v.object); break;
    case V_CAPSULE: capsule_unref(v.capsule); break;
    }
}

/* --- numbers --- */

f64 value_num_f64(struct value v)
{
    switch ((enum numkind)v.numkind) {
    case NUM_UINT: return (f64)v.u;
    case NUM_INT: return (f64)v.i;
    case NUM_FLOAT: return v.f;
    }
    UNREACHABLE();
}

static i64 trunc_f64(f64 f)
{
    /* What the reference's hardware does: everything that does not fit is the smallest integer. */
    return f >= -0x1p63 && f < 0x1p63 ? (i64)f : INT64_MIN;
}

i64 value_num_i64(struct value v)
{
    return v.numkind == NUM_FLOAT ? trunc_f64(v.f) : v.i;
}

void value_num_text(struct value v, struct buf *out)
{
    switch ((enum numkind)v.numkind) {
    case NUM_UINT: buf_printf(out, "%llu", (unsigned long long)v.u); return;
    case NUM_INT: buf_printf(out, "%lld", (long long)v.i); return;
    case NUM_FLOAT: num_f64_plain(out, v.f); return;
    }
    UNREACHABLE();
}
