/* v.name and v[i]. */
#include "value/eval_int.h"

#include <errno.h>
#include "value/fault.h"

/* --- v.name --- */

/* Members looked at for a suggestion: a broken text may ask a large object for endlessly many. */
#define SUGGESTED_MAX 256

static int no_field(struct eval *ev, const struct expr *e, struct value object)
{
    struct str name = e->access.name;
    struct suggestion s = {0};
    for (size_t i = 0; i < MIN(object.object->n, (size_t)SUGGESTED_MAX); i++)
        suggestion_offer(&s, name, str_n(object.object->m[i].key->p, object.object->m[i].key->n));
    struct diag *d = diag_error(ev->diags, DIAG_EVAL_FIELD, e->access.name_span,
                                "field \"" STR_FMT "\" does not exist", STR_ARG(name));
    suggestion_hint(&s, ev->diags, d);
    return -EINVAL;
}

static int not_accessible(struct eval *ev, const struct expr *e, struct value v)
{
    if (v.type == V_CAPSULE)
        return eval_fault(
            ev, DIAG_EVAL_TYPE, e->access.of,
            "expected object or array or a capsule convertible to an object, got capsule");
    return eval_fault(ev, DIAG_EVAL_TYPE, e->access.of,
                      "cannot access field \"" STR_FMT "\" on value of type %s",
                      STR_ARG(e->access.name), vtype_name(v.type));
}

int eval_access(struct eval *ev, const struct expr *e, struct value *ret)
{
    struct value v, object;
    if (eval_node(ev, e->access.of, &v)) return -EINVAL;
    int rc = value_to_object(v, &object) ? 0 : not_accessible(ev, e, v);
    value_unref(v);
    if (rc) return rc;
    const struct value *member = value_member(object, e->access.name);
    if (member)
        *ret = value_ref(*member);
    else
        rc = no_field(ev, e, object);
    value_unref(object);
    return rc;
}

/* --- v[i] --- */

static int array_element(struct eval *ev, const struct expr *index, struct value array,
                         struct value i, struct value *ret)
{
    if (i.type != V_NUMBER)
        return eval_fault(ev, DIAG_EVAL_TYPE, index, "should be number, got %s",
                          vtype_name(i.type));
    i64 at = value_num_i64(i);
    if (at < 0 || (u64)at >= array.array->n)
        return eval_fault(ev, DIAG_EVAL_INDEX, index,
                          "index %lld is out of range of array with length %zu", (long long)at,
                          array.array->n);
    *ret = value_ref(array.array->v[at]);
    return 0;
}

/* A missing member is null here, unlike with the dot. */
static int object_element(struct eval *ev, const struct expr *index, struct value object,
                          struct value i, struct value *ret)
{
    if (i.type != V_STRING)
        return eval_fault(ev, DIAG_EVAL_TYPE, index, "should be string, got %s",
                          vtype_name(i.type));
    const struct value *member = value_member(object, value_text(i));
    *ret = member ? value_ref(*member) : value_null();
    return 0;
}

static int not_indexable(struct eval *ev, const struct expr *e, struct value v)
{
    const char *wanted = v.type == V_CAPSULE
                             ? "object or array or a capsule convertible to an object"
                             : "object or array";
    return eval_fault(ev, DIAG_EVAL_TYPE, e->index.of, "expected %s, got %s", wanted,
                      vtype_name(v.type));
}

static int element(struct eval *ev, const struct expr *e, struct value v, struct value i,
                   struct value *ret)
{
    struct value object;
    if (v.type == V_ARRAY) return array_element(ev, e->index.index, v, i, ret);
    if (!value_to_object(v, &object)) return not_indexable(ev, e, v);
    int rc = object_element(ev, e->index.index, object, i, ret);
    value_unref(object);
    return rc;
}

int eval_index(struct eval *ev, const struct expr *e, struct value *ret)
{
    struct value v, i;
    if (eval_node(ev, e->index.of, &v)) return -EINVAL;
    int rc = eval_node(ev, e->index.index, &i);
    if (!rc) {
        rc = element(ev, e, v, i, ret);
        value_unref(i);
    }
    value_unref(v);
    return rc;
}
