/* Values into members of structs, by kind. */
#include "value/member.h"

#include <errno.h>
#include "base/assert.h"

/* --- references that the arena drops --- */

static void drop_value(void *v)
{
    value_unref(*(struct value *)v);
}

struct value arena_value(struct arena *a, struct value v)
{
    struct value *held = arena_new(a, struct value);
    *held = value_ref(v);
    arena_cleanup(a, drop_value, held);
    return *held;
}

static struct str copy(struct arena *a, struct str s)
{
    return str_n(arena_strdup(a, s), s.n);
}

/* --- scalars --- */

static int set_str(struct value v, struct arena *a, struct str *ret, struct vfault *f)
{
    struct value text;
    if (convert_text(v, &text, f)) return -EINVAL;
    *ret = copy(a, value_text(text));
    value_unref(text);
    return 0;
}

static int set_i64(struct value v, i64 *ret, struct vfault *f)
{
    struct value n;
    if (convert_number(v, &n, f)) return -EINVAL;
    *ret = value_num_i64(n);
    return 0;
}

/* Out of range is no fault: the reference keeps the low bits, so that -1 means the largest. */
static int set_integer(const struct row *row, struct value v, i64 *ret, struct vfault *f)
{
    if (set_i64(v, ret, f)) return -EINVAL;
    if (row->unsigned_bits) *ret &= ((i64)1 << row->unsigned_bits) - 1;
    return 0;
}

static int set_f64(struct value v, f64 *ret, struct vfault *f)
{
    struct value n;
    if (convert_number(v, &n, f)) return -EINVAL;
    *ret = value_num_f64(n);
    return 0;
}

static int set_secret(struct value v, struct arena *a, struct str *ret, struct vfault *f)
{
    struct str s;
    if (convert_secret(v, &s, f)) return -EINVAL;
    *ret = copy(a, s);
    return 0;
}

static int set_opt_secret(struct value v, struct arena *a, struct opt_secret_text *ret,
                          struct vfault *f)
{
    struct str s;
    bool secret;
    if (convert_opt_secret(v, &s, &secret, f)) return -EINVAL;
    *ret = (struct opt_secret_text){copy(a, s), secret, v.type != V_NULL};
    return 0;
}

/* --- lists and maps --- */

static int fill_list(const struct varray *from, struct arena *a, struct str_list *to,
                     struct vfault *f)
{
    for (size_t i = 0; i < from->n; i++) {
        if (set_str(from->v[i], a, &to->v[i], f)) {
            vpath_element(&f->path, i);
            return -EINVAL;
        }
    }
    return 0;
}

static int set_list(struct value v, struct arena *a, struct str_list *ret, struct vfault *f)
{
    struct value from;
    if (convert_array(v, &from, f)) return -EINVAL;
    struct str_list to = {arena_array(a, struct str, from.array->n + 1), from.array->n};
    int rc = fill_list(from.array, a, &to, f);
    value_unref(from);
    if (!rc) *ret = to;
    return rc;
}

typedef int (*set_text)(struct value v, struct arena *a, struct str *ret, struct vfault *f);

static int fill_map(const struct vobject *from, struct arena *a, set_text set, struct str_map *to,
                    struct vfault *f)
{
    for (size_t i = 0; i < from->n; i++) {
        struct str key = str_n(from->m[i].key->p, from->m[i].key->n);
        if (set(from->m[i].value, a, &to->v[i].value, f)) {
            vpath_member(&f->path, key);
            return -EINVAL;
        }
        to->v[i].key = copy(a, key);
    }
    return 0;
}

static int by_key(const void *pa, const void *pb)
{
    const struct str_pair *a = pa, *b = pb;
    return str_cmp(a->key, b->key);
}

static int set_map(struct value v, struct arena *a, set_text set, struct str_map *ret,
                   struct vfault *f)
{
    struct value from;
    if (convert_object(v, &from, f)) return -EINVAL;
    struct str_map to = {arena_array(a, struct str_pair, from.object->n + 1), from.object->n};
    arena_value(a, from); /* the keys of a fault's path are borrowed from it */
    int rc = fill_map(from.object, a, set, &to, f);
    if (from.object->ordered) qsort(to.v, rc ? 0 : to.n, sizeof(*to.v), by_key);
    value_unref(from);
    if (!rc) *ret = to;
    return rc;
}

/* --- capsules --- */

static int set_capsule(const struct row *row, struct value v, struct arena *a, struct capsule **ret,
                       struct vfault *f)
{
    if (convert_capsule(v, row->capsule, row->capsule_name, ret, f)) return -EINVAL;
    if (*ret) arena_value(a, v);
    return 0;
}

/* A null among receivers is nobody to send to: it is left out. */
static int set_capsules(const struct row *row, struct value v, struct arena *a,
                        struct capsule_list *ret, struct vfault *f)
{
    struct value from;
    int rc = 0;
    if (convert_array(v, &from, f)) return -EINVAL;
    struct capsule_list to = {arena_array(a, struct capsule *, from.array->n + 1), 0};
    for (size_t i = 0; i < from.array->n && !rc; i++) {
        rc = set_capsule(row, from.array->v[i], a, &to.v[to.n], f);
        if (rc)
            vpath_element(&f->path, i);
        else if (to.v[to.n])
            to.n++;
    }
    value_unref(from);
    if (!rc) *ret = to;
    return rc;
}

/* --- all --- */

/* Kinds whose struct says whether it was set: null leaves them unset. */
static bool unset_by_null(enum kind k)
{
    return k == K_OPT_STR || k == K_OPT_I64 || k == K_OPT_F64 || k == K_OPT_BOOL || k == K_OPT_DUR;
}

static int convert_kind(const struct row *row, struct value v, struct arena *a, void *m,
                        struct vfault *f)
{
    switch (row->kind) {
    case K_BOOL: return convert_bool(v, m, f);
    case K_I64: return set_integer(row, v, m, f);
    case K_F64: return set_f64(v, m, f);
    case K_STR: return set_str(v, a, m, f);
    case K_DUR: return convert_duration(v, &((struct dur *)m)->ns, f);
    case K_BYTES: return convert_bytesize(v, &((struct bytesize *)m)->n, f);
    case K_SECRET: return set_secret(v, a, &((struct secret *)m)->s, f);
    case K_OPT_SECRET: return set_opt_secret(v, a, m, f);
    case K_OPT_STR:
        ((struct opt_str *)m)->set = true;
        return set_str(v, a, &((struct opt_str *)m)->s, f);
    case K_OPT_I64:
        ((struct opt_i64 *)m)->set = true;
        return set_i64(v, &((struct opt_i64 *)m)->v, f);
    case K_OPT_F64:
        ((struct opt_f64 *)m)->set = true;
        return set_f64(v, &((struct opt_f64 *)m)->v, f);
    case K_OPT_BOOL:
        ((struct opt_bool *)m)->set = true;
        return convert_bool(v, &((struct opt_bool *)m)->v, f);
    case K_OPT_DUR:
        ((struct opt_dur *)m)->set = true;
        return convert_duration(v, &((struct opt_dur *)m)->ns, f);
    case K_STR_LIST: return set_list(v, a, m, f);
    case K_STR_MAP: return set_map(v, a, set_str, m, f);
    case K_SECRET_MAP: return set_map(v, a, set_secret, m, f);
    case K_CAPSULE: return set_capsule(row, v, a, &((struct capsule_ref *)m)->c, f);
    case K_CAPSULE_LIST: return set_capsules(row, v, a, m, f);
    case K_ANY:
        *(struct value *)m = arena_value(a, v);
        return row->shape ? shape_judge(row->shape, v, a, f) : 0;
    case BLOCK_KINDS:
    case K_LABEL: break;
    }
    UNREACHABLE();
}

static int set_and_check(const struct row *row, struct value v, struct arena *arena, void *member,
                         struct vfault *f, enum diag_code *ret_code)
{
    if (v.type == V_NULL && unset_by_null(row->kind)) {
        memset(member, 0, kind_size(row->kind));
        return 0;
    }
    if (convert_kind(row, v, arena, member, f)) {
        *ret_code = DIAG_EVAL_TYPE;
        return -EINVAL;
    }
    return v.type == V_NULL ? 0 : member_check(row, member, f, ret_code);
}

int member_set(const struct row *row, struct value v, struct arena *arena, void *member,
               struct vfault *f, enum diag_code *ret_code)
{
    char old[64];
    size_t size = kind_size(row->kind);
    ASSERT(size <= sizeof(old));
    memcpy(old, member, size);
    int r = set_and_check(row, v, arena, member, f, ret_code);
    if (r) memcpy(member, old, size);
    return r;
}

/* Texts are always terminated, absent ones too. */
void member_zero(const struct row *row, void *member)
{
    if (row->kind == K_STR || row->kind == K_LABEL)
        *(struct str *)member = STR("");
    else if (row->kind == K_SECRET)
        ((struct secret *)member)->s = STR("");
    else if (row->kind == K_OPT_STR)
        ((struct opt_str *)member)->s = STR("");
    else if (row->kind == K_OPT_SECRET)
        ((struct opt_secret_text *)member)->s = STR("");
}

size_t kind_size(enum kind k)
{
    static const size_t sizes[] = {
        [K_BOOL] = sizeof(bool),
        [K_I64] = sizeof(i64),
        [K_F64] = sizeof(f64),
        [K_STR] = sizeof(struct str),
        [K_DUR] = sizeof(struct dur),
        [K_BYTES] = sizeof(struct bytesize),
        [K_SECRET] = sizeof(struct secret),
        [K_OPT_SECRET] = sizeof(struct opt_secret_text),
        [K_OPT_STR] = sizeof(struct opt_str),
        [K_OPT_I64] = sizeof(struct opt_i64),
        [K_OPT_F64] = sizeof(struct opt_f64),
        [K_OPT_BOOL] = sizeof(struct opt_bool),
        [K_OPT_DUR] = sizeof(struct opt_dur),
        [K_STR_LIST] = sizeof(struct str_list),
        [K_STR_MAP] = sizeof(struct str_map),
        [K_SECRET_MAP] = sizeof(struct secret_map),
        [K_CAPSULE] = sizeof(struct capsule_ref),
        [K_CAPSULE_LIST] = sizeof(struct capsule_list),
        [K_ANY] = sizeof(struct value),
        [K_BLOCK] = 0,
        [K_BLOCK_PTR] = 0,
        [K_BLOCKS] = 0,
        [K_ONE_OF] = sizeof(struct one_of_list),
        [K_LABEL] = sizeof(struct str),
        [K_MAP_BLOCK] = sizeof(struct value),
    };
    return sizes[k];
}
