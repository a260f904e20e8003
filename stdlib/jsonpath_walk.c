/* Walking a document along a path. Members are visited in the order of their keys; '..' gives the
 * deepest nodes first. */
#include "stdlib/jsonpath_int.h"

#include <errno.h>
#include <stdlib.h>
#include "base/xalloc.h"
#include "value/limits.h"

#define WORK_MAX 5000000 /* nodes looked at by one evaluation, filters included */

static void walk(struct path_walk *w, const struct path *p, size_t i, struct value at);

static bool stopped(const struct path_walk *w)
{
    return w->over || (w->first_only && w->n > 0);
}

static void found(struct path_walk *w, struct value v)
{
    if (w->n >= VALUE_ARRAY_MAX) {
        w->over = true;
        return;
    }
    if (w->n == w->cap) {
        w->cap = w->cap ? w->cap * 2 : 8;
        w->found = xrealloc(w->found, w->cap * sizeof(*w->found));
    }
    w->found[w->n++] = value_ref(v);
}

/* --- selectors --- */

static void index_step(struct path_walk *w, const struct path *p, size_t i, struct value at,
                       i64 index)
{
    if (at.type != V_ARRAY) return;
    i64 n = (i64)at.array->n;
    if (index < 0) index += n;
    if (index >= 0 && index < n) walk(w, p, i + 1, at.array->v[index]);
}

static i64 from_end(i64 index, i64 n)
{
    return index < 0 ? MAX(index, -n) + n : MIN(index, n);
}

static void slice_step(struct path_walk *w, const struct path *p, size_t i, struct value at,
                       const struct selector *s)
{
    if (at.type != V_ARRAY || s->step == 0) return;
    i64 n = (i64)at.array->n, from = from_end(s->from, n), to = s->has_to ? from_end(s->to, n) : n;
    i64 step = MAX(MIN(s->step, n + 1), -n - 1);
    if (step < 0 && from == n) from = n - 1;
    for (i64 k = from; k >= 0 && k < n && (step > 0 ? k < to : k > to) && !stopped(w); k += step)
        walk(w, p, i + 1, at.array->v[k]);
}

static void select_step(struct path_walk *w, const struct path *p, size_t i, struct value at,
                        const struct selector *s)
{
    const struct value *member;
    switch (s->kind) {
    case SELECT_NAME:
        member = value_member(at, s->name);
        if (member) walk(w, p, i + 1, *member);
        return;
    case SELECT_INDEX: index_step(w, p, i, at, s->index); return;
    case SELECT_SLICE: slice_step(w, p, i, at, s); return;
    }
}

/* --- children --- */

static size_t child_count(struct value v)
{
    return v.type == V_ARRAY ? v.array->n : v.type == V_OBJECT ? v.object->n : 0;
}

static struct value child(struct value v, size_t i)
{
    return v.type == V_ARRAY ? v.array->v[i] : v.object->m[i].value;
}

static void all_step(struct path_walk *w, const struct path *p, size_t i, struct value at)
{
    for (size_t k = 0; k < child_count(at) && !stopped(w); k++)
        walk(w, p, i + 1, child(at, k));
}

static void filter_step(struct path_walk *w, const struct path *p, size_t i, struct value at)
{
    for (size_t k = 0; k < child_count(at) && !stopped(w); k++)
        if (jsonpath_passes(w, p->steps[i].filter, child(at, k))) walk(w, p, i + 1, child(at, k));
}

static void descent_step(struct path_walk *w, const struct path *p, size_t i, struct value at)
{
    for (size_t k = 0; k < child_count(at) && !stopped(w); k++)
        walk(w, p, i, child(at, k));
    walk(w, p, i + 1, at);
}

static void walk(struct path_walk *w, const struct path *p, size_t i, struct value at)
{
    if (++*w->work > WORK_MAX) w->over = true;
    if (stopped(w)) return;
    if (i == p->n) {
        found(w, at);
        return;
    }
    const struct step *s = &p->steps[i];
    switch (s->kind) {
    case STEP_SELECT:
        for (size_t k = 0; k < s->n && !stopped(w); k++)
            select_step(w, p, i, at, &s->selectors[k]);
        return;
    case STEP_ALL: all_step(w, p, i, at); return;
    case STEP_DESCENT: descent_step(w, p, i, at); return;
    case STEP_FILTER: filter_step(w, p, i, at); return;
    }
}

/* --- entry --- */

void jsonpath_walk(struct path_walk *w, const struct path *p, struct value at)
{
    walk(w, p, 0, p->relative ? at : w->doc);
}

void jsonpath_walk_done(struct path_walk *w)
{
    for (size_t i = 0; i < w->n; i++)
        value_unref(w->found[i]);
    free(w->found);
}

int jsonpath_get(const struct jsonpath *p, struct value doc, struct value *ret)
{
    size_t work = 0;
    struct path_walk w = {.doc = doc, .work = &work};
    jsonpath_walk(&w, &p->path, doc);
    int rc = w.over ? -E2BIG : 0;
    if (!rc) {
        *ret = value_array(w.n);
        for (size_t i = 0; i < w.n; i++)
            ret->array->v[i] = value_ref(w.found[i]);
    }
    jsonpath_walk_done(&w);
    return rc;
}
