/* A schema visitor: compares member by member. */
#include "value/args_equal.h"

/* Members whose bytes are their meaning, and texts, by kind. */
#define SAME(T, expr)                                                                              \
    {                                                                                              \
        const T *x = a, *y = b;                                                                    \
        return (expr);                                                                             \
    }

static bool lists_equal(const struct str_list *x, const struct str_list *y)
{
    if (x->n != y->n) return false;
    for (size_t i = 0; i < x->n; i++)
        if (!str_eq(x->v[i], y->v[i])) return false;
    return true;
}

static bool pairs_equal(const struct str_pair *x, size_t nx, const struct str_pair *y, size_t ny)
{
    if (nx != ny) return false;
    for (size_t i = 0; i < nx; i++)
        if (!str_eq(x[i].key, y[i].key) || !str_eq(x[i].value, y[i].value)) return false;
    return true;
}

static bool capsules_equal(const struct capsule *x, const struct capsule *y)
{
    if (x == y) return true;
    return x && y && x->type == y->type && x->type->equal && x->type->equal(x->data, y->data);
}

static bool capsule_lists_equal(const struct capsule_list *x, const struct capsule_list *y)
{
    if (x->n != y->n) return false;
    for (size_t i = 0; i < x->n; i++)
        if (!capsules_equal(x->v[i], y->v[i])) return false;
    return true;
}

static bool pointers_equal(const struct schema *s, const void *x, const void *y)
{
    return x && y ? args_equal(s, x, y) : x == y;
}

struct any_list { /* the shape of every K_BLOCKS member */
    char *v;
    size_t n;
};

static bool blocks_equal(const struct row *r, const struct any_list *x, const struct any_list *y)
{
    if (x->n != y->n) return false;
    for (size_t i = 0; i < x->n; i++)
        if (!args_equal(r->sub, x->v + i * r->elem_size, y->v + i * r->elem_size)) return false;
    return true;
}

static bool variants_equal(const struct one_of_list *x, const struct one_of_list *y)
{
    if (x->n != y->n) return false;
    for (size_t i = 0; i < x->n; i++)
        if (x->v[i].def != y->v[i].def || !args_equal(x->v[i].def->sub, x->v[i].args, y->v[i].args))
            return false;
    return true;
}

static bool members_equal(const struct row *r, const void *a, const void *b)
{
    switch (r->kind) {
    case K_BOOL: SAME(bool, *x == *y)
    case K_I64: SAME(i64, *x == *y)
    case K_F64: SAME(f64, *x == *y || (*x != *x && *y != *y))
    case K_STR:
    case K_LABEL: SAME(struct str, str_eq(*x, *y))
    case K_DUR: SAME(struct dur, x->ns == y->ns)
    case K_BYTES: SAME(struct bytesize, x->n == y->n)
    case K_SECRET: SAME(struct secret, str_eq(x->s, y->s))
    case K_OPT_SECRET:
        SAME(struct opt_secret_text,
             x->set == y->set && x->is_secret == y->is_secret && str_eq(x->s, y->s))
    case K_OPT_STR: SAME(struct opt_str, x->set == y->set && str_eq(x->s, y->s))
    case K_OPT_I64: SAME(struct opt_i64, x->set == y->set && x->v == y->v)
    case K_OPT_F64: SAME(struct opt_f64, x->set == y->set && x->v == y->v)
    case K_OPT_BOOL: SAME(struct opt_bool, x->set == y->set && x->v == y->v)
    case K_OPT_DUR: SAME(struct opt_dur, x->set == y->set && x->ns == y->ns)
    case K_STR_LIST: return lists_equal(a, b);
    case K_STR_MAP: SAME(struct str_map, pairs_equal(x->v, x->n, y->v, y->n))
    case K_SECRET_MAP: SAME(struct secret_map, pairs_equal(x->v, x->n, y->v, y->n))
    case K_CAPSULE: SAME(struct capsule_ref, capsules_equal(x->c, y->c))
    case K_CAPSULE_LIST: return capsule_lists_equal(a, b);
    case K_ANY:
    case K_MAP_BLOCK: SAME(struct value, value_same(*x, *y))
    case K_BLOCK: return args_equal(r->sub, a, b);
    case K_BLOCK_PTR: return pointers_equal(r->sub, *(void *const *)a, *(void *const *)b);
    case K_BLOCKS: return blocks_equal(r, a, b);
    case K_ONE_OF: return variants_equal(a, b);
    }
    return false;
}

bool args_equal(const struct schema *s, const void *a, const void *b)
{
    const char *x = a, *y = b;
    if (s->present_off >= 0 &&
        *(const bool *)(x + s->present_off) != *(const bool *)(y + s->present_off))
        return false;
    for (size_t i = 0; i < s->n_rows; i++)
        if (!s->rows[i].alias_of &&
            !members_equal(&s->rows[i], x + s->rows[i].off, y + s->rows[i].off))
            return false;
    if (!schema_keeps_rest(s)) return true;
    return value_same(*(const struct value *)(const void *)(x + s->rest_off),
                      *(const struct value *)(const void *)(y + s->rest_off));
}
