/* Looking into JSON values: members, equality, text. Recursion is bounded by the depth of what the
 * reader accepts and of what an expression can add. */
#include "components/loki/jmespath/jv.h"

#include <math.h>
#include <stdlib.h>
#include "base/utf8.h"
#include "base/xalloc.h"

const struct jv *jv_get(const struct jv *v, struct str key)
{
    if (v->type != JV_OBJECT) return NULL;
    for (u32 i = 0; i < v->n; i++)
        if (str_eq(v->members[i].key, key)) return &v->members[i].value;
    return NULL;
}

/* --- unique keys --- */

/* Up to here comparing all with all is faster than sorting. */
#define FEW_MEMBERS 24

static u32 unique_few(struct jv_member *m, u32 n)
{
    u32 kept = 0;

    for (u32 i = 0; i < n; i++) {
        u32 k = 0;

        while (k < kept && !str_eq(m[k].key, m[i].key))
            k++;
        m[k].value = m[i].value;
        if (k == kept) m[kept++].key = m[i].key;
    }
    return kept;
}

static int by_key_then_place(const void *a, const void *b)
{
    const struct jv_member *x = *(struct jv_member *const *)a, *y = *(struct jv_member *const *)b;
    int order = str_cmp(x->key, y->key);

    return order ? order : x < y ? -1 : 1;
}

/* Moves each last value to the first place of its key and marks the rest by a key without text. */
static u32 unique_many(struct jv_member *m, u32 n)
{
    struct jv_member **sorted = xmalloc(n * sizeof(*sorted));
    u32 kept = 0;

    for (u32 i = 0; i < n; i++)
        sorted[i] = &m[i];
    qsort(sorted, n, sizeof(*sorted), by_key_then_place);
    for (u32 i = 0, first = 0; i + 1 < n; i++) {
        if (!str_eq(sorted[i + 1]->key, sorted[first]->key)) {
            first = i + 1;
            continue;
        }
        sorted[first]->value = sorted[i + 1]->value;
        sorted[i + 1]->key = (struct str){NULL, SIZE_MAX};
    }
    free(sorted);
    for (u32 i = 0; i < n; i++)
        if (m[i].key.n != SIZE_MAX) m[kept++] = m[i];
    return kept;
}

u32 jv_unique(struct jv_member *m, u32 n)
{
    if (n < 2) return n;
    return n <= FEW_MEMBERS ? unique_few(m, n) : unique_many(m, n);
}

/* --- equality --- */

size_t jv_weight(const struct jv *v, size_t max)
{
    size_t sum = 1;

    for (u32 i = 0; v->type == JV_ARRAY && i < v->n && sum < max; i++)
        sum += jv_weight(&v->elems[i], max - sum);
    for (u32 i = 0; v->type == JV_OBJECT && i < v->n && sum < max; i++)
        sum += jv_weight(&v->members[i].value, max - sum);
    return sum;
}

static bool arrays_equal(const struct jv *a, const struct jv *b)
{
    for (u32 i = 0; i < a->n; i++)
        if (!jv_equal(&a->elems[i], &b->elems[i])) return false;
    return true;
}

/* Mostly both have their members in one order. */
static bool objects_equal(const struct jv *a, const struct jv *b)
{
    for (u32 i = 0; i < a->n; i++) {
        const struct jv_member *m = &a->members[i];
        bool same_place = str_eq(m->key, b->members[i].key);
        const struct jv *other = same_place ? &b->members[i].value : jv_get(b, m->key);

        if (!other || !jv_equal(&m->value, other)) return false;
    }
    return true;
}

bool jv_equal(const struct jv *a, const struct jv *b)
{
    if (a->type != b->type) return false;
    switch (a->type) {
    case JV_NULL: return true;
    case JV_BOOL: return a->b == b->b;
    case JV_NUMBER: return a->num == b->num;
    case JV_STRING: return str_eq(a->str, b->str);
    case JV_ARRAY: return a->n == b->n && arrays_equal(a, b);
    case JV_OBJECT: return a->n == b->n && objects_equal(a, b);
    }
    return false;
}

/* --- text --- */

static bool write_value(struct json_out *j, const struct jv *v);

static bool write_array(struct json_out *j, const struct jv *v)
{
    json_arr(j);
    for (u32 i = 0; i < v->n; i++)
        if (!write_value(j, &v->elems[i])) return false;
    json_arr_end(j);
    return true;
}

static bool write_object(struct json_out *j, const struct jv *v)
{
    json_obj(j);
    for (u32 i = 0; i < v->n; i++) {
        json_key(j, v->members[i].key);
        if (!write_value(j, &v->members[i].value)) return false;
    }
    json_obj_end(j);
    return true;
}

static bool write_value(struct json_out *j, const struct jv *v)
{
    switch (v->type) {
    case JV_NULL: json_null(j); return true;
    case JV_BOOL: json_bool(j, v->b); return true;
    case JV_NUMBER:
        if (!isfinite(v->num)) return false;
        json_f64(j, v->num);
        return true;
    case JV_STRING: json_str(j, v->str); return true;
    case JV_ARRAY: return write_array(j, v);
    case JV_OBJECT: return write_object(j, v);
    }
    return false;
}

bool jv_write(const struct jv *v, bool html, struct buf *out)
{
    return write_value(&(struct json_out){.b = out, .html = html}, v);
}
