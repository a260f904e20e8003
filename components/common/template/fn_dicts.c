/* Sprig's dictionaries. Keys come in their order, where Sprig has them in any. */
#include "components/common/template/run.h"

static struct tval new_map(struct run *r)
{
    return (struct tval){.type = T_MAP, .map = tmap_new(r)};
}

FN(dict)
{
    struct tval d = new_map(r);
    for (size_t i = 0; i < n && !run_failed(r); i += 2)
        tmap_put(r, d.map, to_text(r, a[i]), i + 1 < n ? a[i + 1] : tv_str((struct str){0}));
    return d;
}

FN(get)
{
    struct tval *v = tmap_get(r, a[0].map, a[1].s);
    return v ? *v : tv_str((struct str){0});
}

FN(set)
{
    tmap_put(r, a[0].map, a[1].s, a[2]);
    return a[0];
}

FN(unset)
{
    tmap_del(r, a[0].map, a[1].s);
    return a[0];
}

FN(has_key)
{
    return tv_bool(tmap_get(r, a[0].map, a[1].s) != NULL);
}

FN(pluck)
{
    struct tval l = tlist_new(r, ELEM_ANY, n - 1);
    size_t k = 0;
    for (size_t i = 1; i < n && l.list.n; i++) {
        struct tval *v = tmap_get(r, a[i].map, a[0].s);
        if (v) l.list.v[k++] = *v;
    }
    l.list.n = k;
    return l;
}

FN(keys)
{
    size_t total = 0, k = 0;
    for (size_t i = 0; i < n; i++) {
        tmap_force(r, a[i].map);
        total += a[i].map->n;
    }
    struct tval l = tlist_new(r, ELEM_STRING, total);
    for (size_t i = 0; i < n && l.list.n; i++)
        for (size_t j = 0; j < a[i].map->n; j++)
            l.list.v[k++] = tv_str(a[i].map->v[j].key);
    return l;
}

FN(values)
{
    tmap_force(r, a[0].map);
    struct tval l = tlist_new(r, ELEM_ANY, a[0].map->n);
    for (size_t i = 0; i < l.list.n; i++)
        l.list.v[i] = a[0].map->v[i].value;
    return l;
}

FN(pick)
{
    struct tval d = new_map(r);
    for (size_t i = 1; i < n && !run_failed(r); i++) {
        struct tval *v = tmap_get(r, a[0].map, a[i].s);
        if (v) tmap_put(r, d.map, a[i].s, *v);
    }
    return d;
}

FN(omit)
{
    struct tval d = new_map(r);
    tmap_force(r, a[0].map);
    for (size_t i = 0; i < a[0].map->n && !run_failed(r); i++)
        tmap_put(r, d.map, a[0].map->v[i].key, a[0].map->v[i].value);
    for (size_t i = 1; i < n; i++)
        tmap_del(r, d.map, a[i].s);
    return d;
}

/* --- merging: what is there wins unless it is empty, or (over) what comes; maps in both merge ---
 */

static void merge_into(struct run *r, struct tmap *to, struct tmap *from, bool over)
{
    tmap_force(r, from);
    if (to == from) return;
    if (++r->depth > DEPTH_LIMIT) run_too_big(r);
    for (size_t i = 0; i < from->n && !run_failed(r); i++) {
        struct tpair *p = &from->v[i];
        struct tval *have = tmap_get(r, to, p->key);
        if (++r->steps > STEP_LIMIT) run_too_big(r);
        if (have && have->type == T_MAP && p->value.type == T_MAP)
            merge_into(r, have->map, p->value.map, over);
        else if (!have || over || (is_empty(r, *have) && p->value.type != T_NIL))
            tmap_put(r, to, p->key, p->value);
    }
    r->depth--;
}

static struct tval merged(struct run *r, struct tval *a, size_t n, bool over)
{
    for (size_t i = 1; i < n; i++)
        merge_into(r, a[0].map, a[i].map, over);
    return a[0];
}

FN(merge)
{
    return merged(r, a, n, false);
}

FN(merge_overwrite)
{
    return merged(r, a, n, true);
}

/* --- copies and paths --- */

static struct tval deep(struct run *r, struct tval v);

static struct tval deep_list(struct run *r, struct tval v)
{
    struct tval l = tlist_new(r, v.sub, v.list.n);
    for (size_t i = 0; i < l.list.n && !run_failed(r); i++)
        l.list.v[i] = deep(r, v.list.v[i]);
    return l;
}

static struct tval deep_map(struct run *r, struct tval v)
{
    struct tval d = new_map(r);
    d.sub = v.sub;
    tmap_force(r, v.map);
    for (size_t i = 0; i < v.map->n && !run_failed(r); i++)
        tmap_put(r, d.map, v.map->v[i].key, deep(r, v.map->v[i].value));
    return d;
}

static struct tval deep(struct run *r, struct tval v)
{
    if (++r->depth > DEPTH_LIMIT || ++r->steps > STEP_LIMIT) run_too_big(r);
    if (v.type == T_LIST && !run_failed(r))
        v = deep_list(r, v);
    else if (v.type == T_MAP && !run_failed(r))
        v = deep_map(r, v);
    r->depth--;
    return v;
}

FN(deep_copy)
{
    return deep(r, a[0]);
}

/* dig KEY ... DEFAULT DICT */
FN(dig)
{
    if (n < 3) return run_fail(r, "dig needs at least three arguments");
    struct tval at = a[n - 1];
    for (size_t i = 0; i < n - 2; i++) {
        if (a[i].type != T_STRING || at.type != T_MAP || at.sub != ELEM_ANY)
            return run_fail(r, "interface conversion: interface {} is %s, not %s",
                            tv_go_type(a[i].type != T_STRING ? a[i] : at),
                            a[i].type != T_STRING ? "string" : "map[string]interface {}");
        struct tval *v = tmap_get(r, at.map, a[i].s);
        if (!v) return a[n - 2];
        at = *v;
    }
    return at;
}

static const struct tfunc funcs[] = {
    {"dict", "a.", dict},
    {"get", "ms", get},
    {"set", "msa", set},
    {"unset", "ms", unset},
    {"hasKey", "ms", has_key},
    {"pluck", "sm.", pluck},
    {"keys", "m.", keys},
    {"values", "m", values},
    {"pick", "ms.", pick},
    {"omit", "ms.", omit},
    {"merge", "mm.", merge},
    {"mustMerge", "mm.", merge},
    {"mergeOverwrite", "mm.", merge_overwrite},
    {"mustMergeOverwrite", "mm.", merge_overwrite},
    {"deepCopy", "a", deep_copy},
    {"mustDeepCopy", "a", deep_copy},
    {"dig", "a.", dig},
};
FUNC_TABLE(fn_dicts, funcs);
