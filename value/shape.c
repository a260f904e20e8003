/* Values of K_ANY rows against their shape: lists, maps and objects are judged down to their
 * leaves, each by the conversion of its own row. Nothing is kept but the value itself. */
#include "value/member.h"

#include <errno.h>

static int judge(const struct row *row, struct value v, struct arena *a, struct vfault *f)
{
    enum diag_code code;
    return member_set(row, v, a, arena_alloc(a, kind_size(row->kind)), f, &code);
}

static int list(const struct shape *s, struct value v, struct arena *a, struct vfault *f)
{
    struct value from;
    int rc = convert_array(v, &from, f);
    if (rc) return rc;
    for (size_t i = 0; i < from.array->n && !rc; i++) {
        rc = judge(s->rows, from.array->v[i], a, f);
        if (rc) vpath_element(&f->path, i);
    }
    value_unref(from);
    return rc;
}

static int target_value(struct value v, struct vfault *f)
{
    struct str text;
    bool secret = false;
    if (v.type == V_NULL)
        return vfault_set(f, "target::ConvertFrom: cannot convert a nil value to a target value");
    if (v.type == V_CAPSULE && value_secret_text(v, &text, &secret) && secret)
        return vfault_set(f, "target::ConvertFrom: cannot use a secret as a target value");
    return 0;
}

/* The row of a member; NULL when an object has no such field. */
static const struct row *member_row(const struct shape *s, struct str key)
{
    return s->form == SHAPE_OBJECT ? shape_field(s, key) : s->rows;
}

static int member(const struct shape *s, const struct vmember *m, struct arena *a, struct vfault *f)
{
    struct str key = str_n(m->key->p, m->key->n);
    const struct row *row = member_row(s, key);
    int rc = row ? judge(row, m->value, a, f) : vfault_set(f, "unrecognized field name");
    if (!rc && s->form == SHAPE_TARGET) rc = target_value(m->value, f);
    if (rc) vpath_member(&f->path, key);
    return rc;
}

static bool has_member(const struct vobject *o, const char *name)
{
    for (size_t i = 0; i < o->n; i++)
        if (str_is(str_n(o->m[i].key->p, o->m[i].key->n), name)) return true;
    return false;
}

static int missing(const struct shape *s, const struct vobject *o, struct vfault *f)
{
    for (size_t i = 0; s->form == SHAPE_OBJECT && i < s->n_rows; i++)
        if (s->rows[i].required && !has_member(o, s->rows[i].name))
            return vfault_set(f, "missing required field \"%s\"", s->rows[i].name);
    return 0;
}

static int object(const struct shape *s, struct value v, struct arena *a, struct vfault *f)
{
    struct value from;
    int rc = convert_object(v, &from, f);
    if (rc) return rc;
    for (size_t i = 0; i < from.object->n && !rc; i++)
        rc = member(s, &from.object->m[i], a, f);
    if (!rc) rc = missing(s, from.object, f);
    if (rc) arena_value(a, from); /* the keys of a fault's path are borrowed from it */
    value_unref(from);
    return rc;
}

static void drop_arena(void *a)
{
    arena_done(a);
}

/* In an arena of its own, so that thousands of targets leave nothing behind; a fault's path borrows
 * from what is in there. */
int shape_judge(const struct shape *s, struct value v, struct arena *a, struct vfault *f)
{
    struct arena own;
    int rc;

    if (v.type == V_NULL) return 0;
    arena_init(&own, 0);
    rc = s->form == SHAPE_LIST ? list(s, v, &own, f) : object(s, v, &own, f);
    if (rc)
        arena_cleanup(a, drop_arena, arena_memdup(a, &own, sizeof(own)));
    else
        arena_done(&own);
    return rc;
}
