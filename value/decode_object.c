/* Objects into structs: the same tables, fed by members instead of statements. Blocks are objects,
 * repeated blocks arrays of them. */
#include "value/decode_int.h"

#include <errno.h>
#include "base/assert.h"
#include "value/convert.h"
#include "value/fault.h"
#include "value/member.h"

/* A step on the way to the current value; the path of a fault is built from the chain. */
struct place {
    const struct place *outer;
    struct str key; /* p NULL: an element */
    size_t index;
};

static void object_into(struct decode *d, const struct schema *s, struct value v, struct span at,
                        const struct place *where, void *out);

static void report(struct decode *d, enum diag_code code, struct span at, const struct place *where,
                   struct vfault *f)
{
    for (; where; where = where->outer) {
        if (where->key.p)
            vpath_member(&f->path, where->key);
        else
            vpath_element(&f->path, where->index);
    }
    fault_report_at(d->diags, code, at, &f->path, f->text);
    vfault_done(f);
}

static void one_fault(struct decode *d, enum diag_code code, struct span at,
                      const struct place *where, const char *text)
{
    struct vfault f = {0};
    vfault_set(&f, "%s", text);
    report(d, code, at, where, &f);
}

/* --- blocks --- */

static void pointed(struct decode *d, const struct row *row, struct value v, struct span at,
                    const struct place *where, void **member)
{
    if (v.type == V_NULL) return;
    *member = arena_alloc(d->arena, row->sub->size);
    object_into(d, row->sub, v, at, where, *member);
}

static void repeated(struct decode *d, const struct row *row, struct value v, struct span at,
                     const struct place *where, struct block_list *l)
{
    struct value from;
    struct vfault f = {0};
    if (convert_array(v, &from, &f)) {
        report(d, DIAG_EVAL_TYPE, at, where, &f);
        return;
    }
    l->v = arena_alloc(d->arena, row->elem_size * (from.array->n + 1));
    for (; l->n < from.array->n; l->n++) {
        struct place element = {.outer = where, .index = l->n};
        object_into(d, row->sub, from.array->v[l->n], at, &element, l->v + row->elem_size * l->n);
    }
    value_unref(from);
}

static void map(struct decode *d, struct value v, struct span at, const struct place *where,
                struct value *member)
{
    struct value object;
    struct vfault f = {0};
    if (convert_object(v, &object, &f)) {
        report(d, DIAG_EVAL_TYPE, at, where, &f);
        return;
    }
    *member = arena_value(d->arena, object);
    value_unref(object);
}

static void attribute(struct decode *d, const struct row *row, struct value v, struct span at,
                      const struct place *where, void *member)
{
    struct vfault f = {0};
    enum diag_code code;
    if (member_set(row, v, d->arena, member, &f, &code)) report(d, code, at, where, &f);
}

static void member(struct decode *d, const struct row *row, struct value v, struct span at,
                   const struct place *where, void *out)
{
    void *m = member_at(out, row);
    switch (row->kind) {
    case K_BLOCK: object_into(d, row->sub, v, at, where, m); return;
    case K_BLOCK_PTR: pointed(d, row, v, at, where, m); return;
    case K_BLOCKS: repeated(d, row, v, at, where, m); return;
    case K_MAP_BLOCK: map(d, v, at, where, m); return;
    case K_ONE_OF: one_fault(d, DIAG_BODY_KIND, at, where, "can only be written as blocks"); return;
    case ATTR_KINDS:
    case K_LABEL: attribute(d, row, v, at, where, m); return;
    }
    UNREACHABLE();
}

/* --- objects --- */

static void unknown(struct decode *d, const struct schema *s, struct str key, struct span at,
                    const struct place *where)
{
    struct suggestion near = {0};
    struct vfault f = {0};
    for (size_t i = 0; i < s->n_rows; i++)
        suggestion_offer(&near, key, str_of(s->rows[i].name));
    if (near.best.p)
        vfault_set(&f, "does not have field named \"" STR_FMT "\" (did you mean `" STR_FMT "`?)",
                   STR_ARG(key), STR_ARG(near.best));
    else
        vfault_set(&f, "does not have field named \"" STR_FMT "\"", STR_ARG(key));
    report(d, DIAG_EVAL_FIELD, at, where, &f);
}

static void members(struct decode *d, const struct schema *s, struct value object, struct span at,
                    const struct place *where, void *out)
{
    struct object_builder rest = {.ordered = true};
    for (size_t i = 0; i < object.object->n; i++) {
        struct str key = str_n(object.object->m[i].key->p, object.object->m[i].key->n);
        const struct row *row = schema_row(s, key);
        struct place inner = {.outer = where, .key = key};
        if (row && row->alias_of) row = schema_row(s, str_of(row->alias_of));
        if (row)
            member(d, row, object.object->m[i].value, at, &inner, out);
        else if (!s->freeform)
            unknown(d, s, key, at, where);
        else if (schema_keeps_rest(s))
            object_set_take(&rest, key, value_ref(object.object->m[i].value));
    }
    keep_rest(d, s, &rest, out);
}

/* Validation sees every row at the object's place. */
static void validate(struct decode *d, const struct schema *s, struct span at, const void *out)
{
    struct span *spans = arena_array(d->arena, struct span, s->n_rows + 1);
    for (size_t i = 0; i <= s->n_rows; i++)
        spans[i] = at;
    s->validate(out, spans, d->diags);
}

static void object_into(struct decode *d, const struct schema *s, struct value v, struct span at,
                        const struct place *where, void *out)
{
    struct value object;
    struct vfault f = {0};
    size_t errors = d->diags->n_errors;
    if (s->size == 0) {
        one_fault(d, DIAG_BLOCK_UNKNOWN, at, where, "is not supported by this build");
        return;
    }
    decode_defaults(s, d->arena, out);
    if (convert_object(v, &object, &f)) {
        report(d, DIAG_EVAL_TYPE, at, where, &f);
        return;
    }
    if (s->present_off >= 0) *(bool *)((char *)out + s->present_off) = true;
    if (s->span_off >= 0) *(struct span *)((char *)out + s->span_off) = at;
    members(d, s, object, at, where, out);
    if (s->validate && d->diags->n_errors == errors) validate(d, s, at, out);
    value_unref(object);
}

int decode_object(const struct schema *s, struct value v, struct span at, struct arena *arena,
                  void *out, struct diags *diags)
{
    struct decode d = {.arena = arena, .diags = diags};
    size_t errors = diags->n_errors;
    object_into(&d, s, v, at, NULL, out);
    return diags->n_errors == errors ? 0 : -EINVAL;
}
