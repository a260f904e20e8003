/* Equality: the language's == (functions never equal), and sameness for change detection (functions
 * by identity). */
#include "value/value.h"

#include <math.h>

static bool equal(struct value a, struct value b, bool same);

/* NaN equals nothing, but it is the same as before: an export that stays NaN must not look like a
 * change. */
static bool numbers_equal(struct value a, struct value b, bool same)
{
    if (same && isnan(value_num_f64(a)) && isnan(value_num_f64(b))) return true;
    if (a.numkind == NUM_FLOAT || b.numkind == NUM_FLOAT)
        return value_num_f64(a) == value_num_f64(b);
    return a.u == b.u; /* coerced to the higher integer kind, which keeps the bits */
}

static bool arrays_equal(const struct varray *a, const struct varray *b, bool same)
{
    if (a == b && same) return true;
    if (a->n != b->n) return false;
    for (size_t i = 0; i < a->n; i++)
        if (!equal(a->v[i], b->v[i], same)) return false;
    return true;
}

static bool objects_equal(struct value a, struct value b, bool same)
{
    if (a.object == b.object && same) return true;
    if (a.object->n != b.object->n) return false;
    for (size_t i = 0; i < a.object->n; i++) {
        const struct vmember *m = &a.object->m[i];
        const struct value *other = value_member(b, str_n(m->key->p, m->key->n));
        if (!other || !equal(m->value, *other, same)) return false;
    }
    return true;
}

/* A secret equals the plain string it holds: the language unwraps both sides. */
static bool secrets_equal(struct value a, struct value b)
{
    struct str sa, sb;
    bool secret;
    return value_secret_text(a, &sa, &secret) && value_secret_text(b, &sb, &secret) &&
           str_eq(sa, sb);
}

static bool capsules_equal(const struct capsule *a, const struct capsule *b)
{
    if (a == b) return true;
    if (a->type != b->type) return false;
    return a->type->equal ? a->type->equal(a->data, b->data) : a->data == b->data;
}

static bool same_type_equal(struct value a, struct value b, bool same)
{
    switch ((enum vtype)a.type) {
    case V_NULL: return true;
    case V_NUMBER: return numbers_equal(a, b, same);
    case V_BOOL: return a.b == b.b;
    case V_STRING: return str_eq(value_text(a), value_text(b));
    case V_ARRAY: return arrays_equal(a.array, b.array, same);
    case V_OBJECT: return objects_equal(a, b, same);
    case V_FUNCTION: return same && a.func == b.func;
    case V_CAPSULE: return capsules_equal(a.capsule, b.capsule) || (!same && secrets_equal(a, b));
    }
    UNREACHABLE();
}

static bool equal(struct value a, struct value b, bool same)
{
    if (a.type == b.type) return same_type_equal(a, b, same);
    return !same && (a.type == V_CAPSULE || b.type == V_CAPSULE) && secrets_equal(a, b);
}

bool value_equal(struct value a, struct value b)
{
    return equal(a, b, false);
}

bool value_same(struct value a, struct value b)
{
    return equal(a, b, true);
}
