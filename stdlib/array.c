/* array.*: concatenation, joins of lists of objects, grouping. */
#include <errno.h>

#include "base/map.h"
#include "base/vec.h"
#include "stdlib/tables.h"

static struct value array_of(const struct value *v, size_t n)
{
    struct value a = value_array(n);
    for (size_t i = 0; i < n; i++)
        a.array->v[i] = v[i];
    return a;
}

/* --- concat --- */

static int concat(CALL_ARGS)
{
    size_t total = 0, at = 0;
    for (size_t i = 0; i < n; i++) {
        if (want_type(args, i, V_ARRAY, err)) return -EINVAL;
        total += args[i].array->n;
        if (total > VALUE_ARRAY_MAX) return result_too_long(err);
    }
    if (n == 1) {
        *ret = value_ref(args[0]);
        return 0;
    }
    *ret = value_array(total);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < args[i].array->n; j++)
            ret->array->v[at++] = value_ref(args[i].array->v[j]);
    return 0;
}

/* --- lists of objects --- */

/* The elements of argument i as objects, in a new array. */
static int objects_of(const struct value *args, size_t i, struct value *ret, struct func_error *err)
{
    if (want_type(args, i, V_ARRAY, err)) return -EINVAL;
    const struct varray *from = args[i].array;
    struct value to = value_array(from->n);
    for (size_t j = 0; j < from->n; j++) {
        if (value_to_object(from->v[j], &to.array->v[j])) continue;
        func_error_set(err, (int)i, "should be object, got %s", vtype_name(from->v[j].type));
        vpath_element(&err->path, j);
        value_unref(to);
        return -EINVAL;
    }
    *ret = to;
    return 0;
}

/* --- combine_maps --- */

#define PAIRS_MAX (VALUE_ARRAY_MAX * 16) /* comparisons, not results: bounds the time of a join */

struct join {
    const struct varray *left, *right, *keys;
    bool keep;
};

static int check_keys(const struct value *args, struct func_error *err)
{
    if (want_type(args, 2, V_ARRAY, err)) return -EINVAL;
    const struct varray *keys = args[2].array;
    if (keys->n == 0)
        return func_error_set(err, -1, "combine_maps: merge conditions must not be empty");
    for (size_t i = 0; i < keys->n; i++) {
        if (keys->v[i].type == V_STRING) continue;
        func_error_set(err, 2, "should be string, got %s", vtype_name(keys->v[i].type));
        vpath_element(&err->path, i);
        return -EINVAL;
    }
    return 0;
}

/* Values under a key are compared by type and value; lists and objects cannot be keys of a join. */
static int check_conditions(const struct value *args, size_t arg, const struct varray *list,
                            const struct varray *keys, struct func_error *err)
{
    for (size_t i = 0; i < list->n; i++) {
        for (size_t k = 0; k < keys->n; k++) {
            struct str key = value_text(keys->v[k]);
            const struct value *v = value_member(list->v[i], key);
            if (!v || (v->type != V_ARRAY && v->type != V_OBJECT)) continue;
            func_error_set(err, (int)arg, "cannot be a key: %ss are not compared",
                           vtype_name(v->type));
            vpath_member(&err->path, key);
            vpath_element(&err->path, i);
            return -EINVAL;
        }
    }
    return 0;
}

static bool matches(struct value l, struct value r, const struct varray *keys)
{
    for (size_t k = 0; k < keys->n; k++) {
        const struct value *a = value_member(l, value_text(keys->v[k])),
                           *b = value_member(r, value_text(keys->v[k]));
        if (!a || !b || !value_equal(*a, *b)) return false;
    }
    return true;
}

static void add_members(struct object_builder *b, struct value object)
{
    for (size_t i = 0; i < object.object->n; i++) {
        const struct vmember *m = &object.object->m[i];
        object_set_take(b, str_n(m->key->p, m->key->n), value_ref(m->value));
    }
}

static struct value merged(struct value l, struct value r)
{
    struct object_builder b = {0};
    add_members(&b, l);
    add_members(&b, r);
    return object_done(&b);
}

/* With keep, a left element stands once for every right one it does not match: that is what users
 * have. */
static int join_all(const struct join *j, struct value *ret, struct func_error *err)
{
    VEC(struct value) found = {0};
    for (size_t l = 0; l < j->left->n && found.n <= VALUE_ARRAY_MAX; l++) {
        for (size_t r = 0; r < j->right->n && found.n <= VALUE_ARRAY_MAX; r++) {
            struct value lv = j->left->v[l], rv = j->right->v[r];
            if (matches(lv, rv, j->keys))
                vec_push(&found, merged(lv, rv));
            else if (j->keep)
                vec_push(&found, value_ref(lv));
        }
    }
    *ret = array_of(found.v, found.n);
    bool fits = found.n <= VALUE_ARRAY_MAX;
    vec_done(&found);
    if (fits) return 0;
    value_unref(*ret);
    return result_too_long(err);
}

static int combine(const struct value *args, struct value left, struct value right, bool keep,
                   struct value *ret, struct func_error *err)
{
    struct join j = {left.array, right.array, args[2].array, keep};
    if (j.right->n > 0 && j.left->n > PAIRS_MAX / j.right->n / j.keys->n)
        return func_error_set(err, -1, "combine_maps: would compare more than %zu pairs",
                              PAIRS_MAX);
    if (check_conditions(args, 0, j.left, j.keys, err) ||
        check_conditions(args, 1, j.right, j.keys, err))
        return -EINVAL;
    return join_all(&j, ret, err);
}

static int combine_maps(CALL_ARGS)
{
    struct value left, right;
    if (n != 3 && n != 4) {
        func_error_set(err, -1, "combine_maps: expected 3 or 4 arguments, got %zu", n);
        err->no_pos = true;
        return -EINVAL;
    }
    if (objects_of(args, 0, &left, err)) return -EINVAL;
    if (objects_of(args, 1, &right, err)) {
        value_unref(left);
        return -EINVAL;
    }
    int rc = check_keys(args, err);
    if (!rc && n == 4) rc = want_type(args, 3, V_BOOL, err);
    if (!rc) rc = combine(args, left, right, n == 4 && args[3].b, ret, err);
    value_unref(left);
    value_unref(right);
    return rc;
}

/* --- group_by --- */

struct group {
    VEC(struct value) items;
};

static void group_free(void *p)
{
    struct group *g = p;
    vec_each (&g->items, v)
        value_unref(*v);
    vec_done(&g->items);
    free(g);
}

static void group_add(struct map *groups, struct str name, struct value item)
{
    struct group *g = map_get(groups, name);
    if (!g) {
        g = xnew(struct group);
        map_put(groups, name, g);
    }
    vec_push(&g->items, value_ref(item));
}

static int collect(const struct varray *items, struct str key, bool drop_missing,
                   struct map *groups, struct func_error *err)
{
    for (size_t i = 0; i < items->n; i++) {
        const struct value *v = value_member(items->v[i], key);
        if (v && v->type != V_STRING) {
            func_error_set(err, 0, "should be string, got %s", vtype_name(v->type));
            vpath_member(&err->path, key);
            vpath_element(&err->path, i);
            return -EINVAL;
        }
        if (v || !drop_missing) group_add(groups, v ? value_text(*v) : STR(""), items->v[i]);
    }
    return 0;
}

static struct value group_value(struct str key, struct str name, struct group *g)
{
    struct object_builder b = {0};
    object_set_take(&b, key, value_str(name));
    object_set_take(&b, STR("items"), array_of(g->items.v, g->items.n));
    g->items.n = 0; /* moved */
    return object_done(&b);
}

static struct value group_values(struct map *groups, struct str key)
{
    struct value v = value_array(groups->live);
    size_t at = 0;
    map_each (groups, e)
        v.array->v[at++] = group_value(key, e->key, e->value);
    return v;
}

static int group_by(CALL_ARGS)
{
    struct value items;
    struct map groups = {0};
    if (n != 3) {
        func_error_set(err, -1, "group_by: expected 3 arguments, got %zu", n);
        err->no_pos = true;
        return -EINVAL;
    }
    if (objects_of(args, 0, &items, err)) return -EINVAL;
    int rc = want_type(args, 1, V_STRING, err);
    if (!rc) rc = want_type(args, 2, V_BOOL, err);
    if (!rc) rc = collect(items.array, value_text(args[1]), args[2].b, &groups, err);
    if (!rc) *ret = group_values(&groups, value_text(args[1]));
    map_done(&groups, group_free);
    value_unref(items);
    return rc;
}

static const struct func rows[] = {
    {.name = "array.concat",
     .doc = "One list of the elements of all.",
     .call = concat,
     .param_names = "lists...",
     .param_types = "list(any)",
     .returns = "list(any)",
     .variadic = true,
     PARAMS(P_ANY)},
    {.name = "concat",
     .doc = "One list of the elements of all.",
     .call = concat,
     .param_names = "lists...",
     .param_types = "list(any)",
     .returns = "list(any)",
     .variadic = true,
     .deprecated = true,
     PARAMS(P_ANY)},
    {.name = "array.combine_maps",
     .doc = "Joins two lists of objects on the keys named; the right side wins.",
     .call = combine_maps,
     .param_names = "left, right, keys, keep_unmatched_left?",
     .param_types = "list(map(any)), list(map(any)), list(string), bool",
     .returns = "list(map(any))",
     .variadic = true,
     .experimental = true,
     PARAMS(P_ANY)},
    {.name = "array.group_by",
     .doc = "Groups objects by the string under a key.",
     .call = group_by,
     .param_names = "items, key, drop_missing",
     .param_types = "list(object), string, bool",
     .returns = "list(object)",
     .variadic = true,
     .experimental = true,
     PARAMS(P_ANY)},
};
const struct func_table funcs_array = {rows, ARRAY_LEN(rows)};
