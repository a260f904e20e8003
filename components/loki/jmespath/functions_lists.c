/* JMESPath's functions of lists and objects. What has an order is numbers or texts; a sort keeps
 * the order of equals. */
#include <stdlib.h>
#include "base/utf8.h"
#include "base/xalloc.h"
#include "components/loki/jmespath/ast.h"

static struct jv_member *new_members(struct search *s, size_t n)
{
    if (!jmespath_steps(s, n) || !jmespath_memory(s, n * sizeof(struct jv_member))) return NULL;
    return arena_array(s->a, struct jv_member, n + 1);
}

static int order_of(const struct jv *a, const struct jv *b)
{
    if (a->type == JV_STRING) return str_cmp(a->str, b->str);
    return a->num < b->num ? -1 : a->num > b->num;
}

/* --- size and order --- */

static bool fn_length(struct search *s, const struct arg *args, size_t n, struct jv *ret)
{
    const struct jv *v = &args[0].v;
    size_t chars = 0;

    for (size_t i = 0; v->type == JV_STRING && i < v->str.n; i++)
        chars += ((u8)v->str.p[i] & 0xC0) != 0x80;
    *ret = jv_num(v->type == JV_STRING ? (f64)chars : v->n);
    return true;
}

static bool reverse_text(struct search *s, struct str in, struct jv *ret)
{
    u32 c;

    if (!jmespath_memory(s, in.n)) return false;
    char *out = arena_alloc(s->a, in.n + 1);
    for (size_t at = 0; at < in.n;) {
        size_t width = utf8_decode(str_sub(in, at, in.n), &c, NULL);

        memcpy(out + in.n - at - width, in.p + at, width);
        at += width;
    }
    *ret = jv_str(str_n(out, in.n));
    return true;
}

static bool fn_reverse(struct search *s, const struct arg *args, size_t n, struct jv *ret)
{
    const struct jv *v = &args[0].v;

    if (v->type == JV_STRING) return reverse_text(s, v->str, ret);
    struct jv *out = jmespath_array(s, v->n);
    if (!out) return false;
    for (u32 i = 0; i < v->n; i++)
        out[i] = v->elems[v->n - 1 - i];
    *ret = jv_arr(out, v->n);
    return true;
}

/* The element whose key is the first lowest (sign -1) or highest (1). */
static struct jv extreme(const struct jv *elems, const struct jv *keys, u32 n, int sign)
{
    u32 best = 0;

    for (u32 i = 1; i < n; i++)
        if (order_of(&keys[i], &keys[best]) * sign > 0) best = i;
    return n ? elems[best] : jv_null();
}

static bool fn_max(struct search *s, const struct arg *args, size_t n, struct jv *ret)
{
    const struct jv *v = &args[0].v;

    *ret = extreme(v->elems, v->elems, v->n, 1);
    return true;
}

static bool fn_min(struct search *s, const struct arg *args, size_t n, struct jv *ret)
{
    const struct jv *v = &args[0].v;

    *ret = extreme(v->elems, v->elems, v->n, -1);
    return true;
}

/* --- by an expression --- */

static bool fn_map(struct search *s, const struct arg *args, size_t n, struct jv *ret)
{
    const struct jv *v = &args[1].v;
    struct jv *out = jmespath_array(s, v->n);

    if (!out) return false;
    for (u32 i = 0; i < v->n; i++)
        if (!jmespath_apply(s, args[0].fn, &v->elems[i], &out[i])) return false;
    *ret = jv_arr(out, v->n);
    return true;
}

/* What fn gives for each element: all numbers, or all texts. NULL: failed. */
static struct jv *keys_of(struct search *s, const struct closure *fn, const struct jv *v)
{
    struct jv *keys = jmespath_array(s, v->n);

    for (u32 i = 0; keys && i < v->n; i++) {
        if (!jmespath_apply(s, fn, &v->elems[i], &keys[i])) return NULL;
        bool ordered = keys[i].type == JV_NUMBER || keys[i].type == JV_STRING;
        if (ordered && keys[i].type == keys[0].type) continue;
        jmespath_fail(s, "the expression gives no number or text, or now one and now the other");
        return NULL;
    }
    return keys;
}

static bool extreme_by(struct search *s, const struct arg *args, int sign, struct jv *ret)
{
    const struct jv *v = &args[0].v;
    struct jv *keys = v->n > 1 ? keys_of(s, args[1].fn, v) : NULL;

    if (v->n > 1 && !keys) return false;
    *ret = v->n > 1 ? extreme(v->elems, keys, v->n, sign) : v->n ? v->elems[0] : jv_null();
    return true;
}

static bool fn_max_by(struct search *s, const struct arg *args, size_t n, struct jv *ret)
{
    return extreme_by(s, args, 1, ret);
}

static bool fn_min_by(struct search *s, const struct arg *args, size_t n, struct jv *ret)
{
    return extreme_by(s, args, -1, ret);
}

struct keyed {
    const struct jv *key, *elem;
    u32 at;
};

static int by_key(const void *a, const void *b)
{
    const struct keyed *x = a, *y = b;
    int order = order_of(x->key, y->key);

    return order ? order : x->at < y->at ? -1 : 1;
}

/* Elements sorted by their keys. NULL: failed. */
static struct keyed *sorted(struct search *s, const struct jv *elems, const struct jv *keys, u32 n)
{
    if (!jmespath_steps(s, 4 * (size_t)n) || !jmespath_memory(s, n * sizeof(struct keyed)))
        return NULL;
    struct keyed *v = arena_array(s->a, struct keyed, n + 1);
    for (u32 i = 0; i < n; i++)
        v[i] = (struct keyed){&keys[i], &elems[i], i};
    qsort(v, n, sizeof(*v), by_key);
    return v;
}

static bool sort(struct search *s, const struct jv *v, const struct jv *keys, struct jv *ret)
{
    struct keyed *order = sorted(s, v->elems, keys, v->n);
    struct jv *out = order ? jmespath_array(s, v->n) : NULL;

    if (!out) return false;
    for (u32 i = 0; i < v->n; i++)
        out[i] = *order[i].elem;
    *ret = jv_arr(out, v->n);
    return true;
}

static bool fn_sort(struct search *s, const struct arg *args, size_t n, struct jv *ret)
{
    return sort(s, &args[0].v, args[0].v.elems, ret);
}

static bool fn_sort_by(struct search *s, const struct arg *args, size_t n, struct jv *ret)
{
    const struct jv *v = &args[0].v;

    *ret = *v;
    if (v->n < 2) return true;
    struct jv *keys = keys_of(s, args[1].fn, v);
    return keys && sort(s, v, keys, ret);
}

/* --- groups --- */

static int by_place(const void *a, const void *b)
{
    const struct keyed *x = *(struct keyed *const *)a, *y = *(struct keyed *const *)b;

    return x->at < y->at ? -1 : 1;
}

static u32 group_size(const struct keyed *first, u32 max)
{
    u32 n = 1;

    while (n < max && str_eq(first[n].key->str, first->key->str))
        n++;
    return n;
}

/* The elements of equal keys, which lie side by side, as an array each. */
static bool fill_groups(struct search *s, struct keyed *order, u32 n, struct keyed **firsts,
                        u32 groups, struct jv *ret)
{
    struct jv_member *out = new_members(s, groups);
    struct jv *all = out ? jmespath_array(s, n) : NULL;

    if (!all) return false;
    for (u32 g = 0; g < groups; g++) {
        u32 size = group_size(firsts[g], n - (u32)(firsts[g] - order));

        out[g] = (struct jv_member){firsts[g]->key->str, jv_arr(all, size)};
        for (u32 i = 0; i < size; i++)
            *all++ = *firsts[g][i].elem;
    }
    *ret = jv_obj(out, groups);
    return true;
}

/* Groups in the order of their first elements. */
static bool fn_group_by(struct search *s, const struct arg *args, size_t n, struct jv *ret)
{
    const struct jv *v = &args[0].v;
    u32 groups = 0;

    *ret = jv_null();
    if (!v->n) return true;
    struct jv *keys = keys_of(s, args[1].fn, v);
    if (!keys) return false;
    if (keys[0].type != JV_STRING)
        return jmespath_fail(s, "groups are by texts, the expression gives numbers");
    struct keyed *order = sorted(s, v->elems, keys, v->n);
    if (!order || !jmespath_memory(s, v->n * sizeof(order))) return false;
    struct keyed **firsts = arena_array(s->a, struct keyed *, v->n);
    for (u32 i = 0; i < v->n; i += group_size(&order[i], v->n - i))
        firsts[groups++] = &order[i];
    qsort(firsts, groups, sizeof(*firsts), by_place);
    return fill_groups(s, order, v->n, firsts, groups, ret);
}

/* --- objects --- */

static bool fn_keys(struct search *s, const struct arg *args, size_t n, struct jv *ret)
{
    const struct jv *v = &args[0].v;
    struct jv *out = jmespath_array(s, v->n);

    if (!out) return false;
    for (u32 i = 0; i < v->n; i++)
        out[i] = jv_str(v->members[i].key);
    *ret = jv_arr(out, v->n);
    return true;
}

static bool fn_values(struct search *s, const struct arg *args, size_t n, struct jv *ret)
{
    const struct jv *v = &args[0].v;
    struct jv *out = jmespath_array(s, v->n);

    if (!out) return false;
    for (u32 i = 0; i < v->n; i++)
        out[i] = v->members[i].value;
    *ret = jv_arr(out, v->n);
    return true;
}

static bool fn_items(struct search *s, const struct arg *args, size_t n, struct jv *ret)
{
    const struct jv *v = &args[0].v;
    struct jv *out = jmespath_array(s, v->n), *pairs = jmespath_array(s, 2 * (size_t)v->n);

    if (!out || !pairs) return false;
    for (u32 i = 0; i < v->n; i++, pairs += 2) {
        pairs[0] = jv_str(v->members[i].key);
        pairs[1] = v->members[i].value;
        out[i] = jv_arr(pairs, 2);
    }
    *ret = jv_arr(out, v->n);
    return true;
}

static bool fn_from_items(struct search *s, const struct arg *args, size_t n, struct jv *ret)
{
    const struct jv *v = &args[0].v;
    struct jv_member *out = new_members(s, v->n);

    if (!out) return false;
    for (u32 i = 0; i < v->n; i++) {
        const struct jv *pair = &v->elems[i];

        if (pair->n != 2 || pair->elems[0].type != JV_STRING)
            return jmespath_fail(s, "an item is a pair of a text and a value");
        out[i] = (struct jv_member){pair->elems[0].str, pair->elems[1]};
    }
    *ret = jv_obj(out, jv_unique(out, v->n));
    return true;
}

static bool fn_merge(struct search *s, const struct arg *args, size_t n, struct jv *ret)
{
    size_t total = 0, at = 0;

    for (size_t i = 0; i < n; i++)
        total += args[i].v.n;
    struct jv_member *out = new_members(s, total);
    if (!out) return false;
    for (size_t i = 0; i < n; i++) {
        if (args[i].v.n) memcpy(&out[at], args[i].v.members, args[i].v.n * sizeof(*out));
        at += args[i].v.n;
    }
    *ret = jv_obj(out, jv_unique(out, (u32)total));
    return true;
}

static bool fn_zip(struct search *s, const struct arg *args, size_t n, struct jv *ret)
{
    u32 len = args[0].v.n;

    for (size_t i = 1; i < n; i++)
        if (args[i].v.n < len) len = args[i].v.n;
    struct jv *out = jmespath_array(s, len), *rows = jmespath_array(s, n * len);
    if (!out || !rows) return false;
    for (u32 k = 0; k < len; k++, rows += n) {
        for (size_t i = 0; i < n; i++)
            rows[i] = args[i].v.elems[k];
        out[k] = jv_arr(rows, n);
    }
    *ret = jv_arr(out, len);
    return true;
}

const struct function jmespath_fn_lists[] = {
    {"from_items", fn_from_items, 1, 1, {A_ARRAYS}},
    {"group_by", fn_group_by, 2, 2, {A_ARRAY, A_EXPR}},
    {"items", fn_items, 1, 1, {A_OBJECT}},
    {"keys", fn_keys, 1, 1, {A_OBJECT}},
    {"length", fn_length, 1, 1, {A_STRING | A_ARRAY | A_OBJECT}},
    {"map", fn_map, 2, 2, {A_EXPR, A_ARRAY}},
    {"max", fn_max, 1, 1, {A_NUMBERS | A_STRINGS}},
    {"max_by", fn_max_by, 2, 2, {A_ARRAY, A_EXPR}},
    {"merge", fn_merge, 1, FN_MANY, {A_OBJECT}},
    {"min", fn_min, 1, 1, {A_NUMBERS | A_STRINGS}},
    {"min_by", fn_min_by, 2, 2, {A_ARRAY, A_EXPR}},
    {"reverse", fn_reverse, 1, 1, {A_ARRAY | A_STRING}},
    {"sort", fn_sort, 1, 1, {A_NUMBERS | A_STRINGS}},
    {"sort_by", fn_sort_by, 2, 2, {A_ARRAY, A_EXPR}},
    {"values", fn_values, 1, 1, {A_OBJECT}},
    {"zip", fn_zip, 2, FN_MANY, {A_ARRAY}},
    {0},
};
