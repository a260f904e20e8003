/* Sprig's lists. Each function makes a new list; the old one stays as it was. */
#include "components/common/template/run.h"

static bool is_list(struct run *r, struct tval v, const char *what)
{
    if (v.type == T_LIST) return true;
    if (v.type == T_NIL)
        run_fail(r, "runtime error: invalid memory address or nil pointer dereference");
    else
        run_fail(r, "Cannot %s type %s", what, tv_kind(v));
    return false;
}

static void copy(struct tval to, size_t at, struct tlist from, size_t first, size_t n)
{
    if (to.list.n >= at + n && n > 0) memcpy(to.list.v + at, from.v + first, n * sizeof(*from.v));
}

/* n elements from the first. */
static struct tval part(struct run *r, struct tval v, size_t first, size_t n)
{
    struct tval l = tlist_new(r, ELEM_ANY, n);
    copy(l, 0, v.list, first, n);
    return l;
}

FN(list)
{
    return part(r, (struct tval){.type = T_LIST, .list = {a, n}}, 0, n);
}

FN(push)
{
    if (!is_list(r, a[0], "push on")) return TV_NIL;
    struct tval l = tlist_new(r, ELEM_ANY, a[0].list.n + 1);
    copy(l, 0, a[0].list, 0, a[0].list.n);
    if (l.list.n) l.list.v[a[0].list.n] = a[1];
    return l;
}

FN(prepend)
{
    if (!is_list(r, a[0], "prepend on")) return TV_NIL;
    struct tval l = tlist_new(r, ELEM_ANY, a[0].list.n + 1);
    copy(l, 1, a[0].list, 0, a[0].list.n);
    if (l.list.n) l.list.v[0] = a[1];
    return l;
}

FN(first)
{
    if (!is_list(r, a[0], "find first on")) return TV_NIL;
    return a[0].list.n ? a[0].list.v[0] : TV_NIL;
}

FN(last)
{
    if (!is_list(r, a[0], "find last on")) return TV_NIL;
    return a[0].list.n ? a[0].list.v[a[0].list.n - 1] : TV_NIL;
}

FN(rest)
{
    if (!is_list(r, a[0], "find rest on")) return TV_NIL;
    return a[0].list.n ? part(r, a[0], 1, a[0].list.n - 1) : part(r, a[0], 0, 0);
}

FN(initial)
{
    if (!is_list(r, a[0], "find initial on")) return TV_NIL;
    return part(r, a[0], 0, a[0].list.n - (a[0].list.n > 0));
}

FN(reverse)
{
    if (!is_list(r, a[0], "find reverse on")) return TV_NIL;
    struct tval l = tlist_new(r, ELEM_ANY, a[0].list.n);
    for (size_t i = 0; i < l.list.n; i++)
        l.list.v[i] = a[0].list.v[l.list.n - 1 - i];
    return l;
}

FN(compact)
{
    if (!is_list(r, a[0], "compact on")) return TV_NIL;
    struct tval l = tlist_new(r, ELEM_ANY, a[0].list.n);
    size_t k = 0;
    for (size_t i = 0; i < l.list.n; i++)
        if (!is_empty(r, a[0].list.v[i])) l.list.v[k++] = a[0].list.v[i];
    l.list.n = k;
    return l;
}

static bool holds(struct run *r, const struct tval *v, size_t n, struct tval what)
{
    for (size_t i = 0; i < n && !run_failed(r); i++)
        if (tv_equal(r, v[i], what)) return true;
    return false;
}

FN(uniq)
{
    if (!is_list(r, a[0], "find uniq on")) return TV_NIL;
    struct tval l = tlist_new(r, ELEM_ANY, a[0].list.n);
    size_t k = 0;
    for (size_t i = 0; i < l.list.n && !run_failed(r); i++)
        if (!holds(r, l.list.v, k, a[0].list.v[i])) l.list.v[k++] = a[0].list.v[i];
    l.list.n = k;
    return l;
}

FN(without)
{
    if (!is_list(r, a[0], "find without on")) return TV_NIL;
    struct tval l = tlist_new(r, ELEM_ANY, a[0].list.n);
    size_t k = 0;
    for (size_t i = 0; i < l.list.n && !run_failed(r); i++)
        if (!holds(r, a + 1, n - 1, a[0].list.v[i])) l.list.v[k++] = a[0].list.v[i];
    l.list.n = k;
    return l;
}

FN(has)
{
    if (a[1].type == T_NIL) return tv_bool(false);
    if (!is_list(r, a[1], "find has on")) return TV_NIL;
    return tv_bool(holds(r, a[1].list.v, a[1].list.n, a[0]));
}

FN(slice)
{
    if (a[0].type != T_LIST && a[0].type != T_NIL)
        return run_fail(r, "list should be type of slice or array but %s", tv_kind(a[0]));
    if (!is_list(r, a[0], "slice")) return TV_NIL;
    if (a[0].list.n == 0) return TV_NIL;
    i64 len = (i64)a[0].list.n, start = n > 1 ? to_int64(r, a[1]) : 0;
    i64 end = n > 2 ? to_int64(r, a[2]) : len;
    if (start < 0 || start > end || end > len)
        return run_fail(r, "reflect.Value.Slice: slice index out of bounds");
    struct tval l = part(r, a[0], (size_t)start, (size_t)(end - start));
    l.sub = a[0].sub;
    return l;
}

FN(concat)
{
    size_t total = 0;
    for (size_t i = 0; i < n; i++) {
        if (a[i].type != T_LIST && a[i].type != T_NIL)
            return run_fail(r, "Cannot concat type %s as list", tv_kind(a[i]));
        if (!is_list(r, a[i], "concat")) return TV_NIL;
        total += a[i].list.n;
    }
    struct tval l = tlist_new(r, ELEM_ANY, total);
    size_t at = 0;
    for (size_t i = 0; i < n; at += a[i++].list.n)
        copy(l, at, a[i].list, 0, a[i].list.n);
    return l;
}

FN(chunk)
{
    if (!is_list(r, a[1], "chunk")) return TV_NIL;
    if (a[0].i <= 0) return run_fail(r, "runtime error: makeslice: len out of range");
    size_t len = a[1].list.n, size = MIN((size_t)a[0].i, len + 1);
    struct tval l = tlist_new(r, ELEM_ANY, (len + size - 1) / size);
    for (size_t i = 0; i < l.list.n; i++)
        l.list.v[i] = part(r, a[1], i * size, MIN(size, len - i * size));
    return l;
}

static const struct tfunc funcs[] = {
    {"list", "a.", list},        {"tuple", "a.", list},
    {"append", "aa", push},      {"mustAppend", "aa", push},
    {"push", "aa", push},        {"mustPush", "aa", push},
    {"prepend", "aa", prepend},  {"mustPrepend", "aa", prepend},
    {"first", "a", first},       {"mustFirst", "a", first},
    {"last", "a", last},         {"mustLast", "a", last},
    {"rest", "a", rest},         {"mustRest", "a", rest},
    {"initial", "a", initial},   {"mustInitial", "a", initial},
    {"reverse", "a", reverse},   {"mustReverse", "a", reverse},
    {"compact", "a", compact},   {"mustCompact", "a", compact},
    {"uniq", "a", uniq},         {"mustUniq", "a", uniq},
    {"without", "aa.", without}, {"mustWithout", "aa.", without},
    {"has", "aa", has},          {"mustHas", "aa", has},
    {"slice", "aa.", slice},     {"mustSlice", "aa.", slice},
    {"concat", "a.", concat},    {"chunk", "ia", chunk},
    {"mustChunk", "ia", chunk},
};
FUNC_TABLE(fn_lists, funcs);
