/* Bodies into structs: defaults first, then the statements in source order, then rules, then the
 * table's own validation. */
#include "value/decode_int.h"

#include <errno.h>
#include "base/assert.h"
#include "value/fault.h"
#include "value/member.h"

/* --- values --- */

/* As decode_value, with a position for values without an expression. */
static int decode_member(struct decode *d, const struct row *row, struct value v,
                         const struct expr *from, struct span at, void *member)
{
    struct vfault fault = {0};
    enum diag_code code;
    if (!member_set(row, v, d->arena, member, &fault, &code)) return 0;
    if (from)
        fault_report(d->diags, code, from, &fault.path, fault.text);
    else
        fault_report_at(d->diags, code, at, &fault.path, fault.text);
    vfault_done(&fault);
    return -EINVAL;
}

int decode_value(const struct row *row, struct value v, const struct expr *from,
                 struct arena *arena, void *member, struct diags *diags)
{
    struct decode d = {.arena = arena, .diags = diags};
    return decode_member(&d, row, v, from, NO_SPAN, member);
}

/* --- attributes --- */

/* rest: takes attributes without a row, where the schema keeps them. */
static void attribute(struct decode *d, struct body_walk *w, const struct attr *a, void *out,
                      struct object_builder *rest)
{
    struct value v;
    const struct row *row = body_attr(w, a);
    if (eval_expr(a->value, d->scope, &v, d->diags)) return;
    if (row) {
        decode_member(d, row, v, a->value, a->value->span, member_at(out, row));
        if (v.type == V_NULL) body_null(w, row);
        value_unref(v);
    } else if (schema_keeps_rest(w->s)) {
        object_set_take(rest, a->name, v);
    } else {
        value_unref(v);
    }
}

/* --- blocks --- */

/* How many of the body's blocks go into one repeatable row: the array is made once. */
static size_t count_blocks(const struct schema *s, const struct body *body, const struct row *row)
{
    const struct one_of_def *variant;
    size_t n = 0;
    for (size_t i = 0; i < body->n; i++)
        n += body->stmts[i].kind == STMT_BLOCK &&
             schema_block(s, body->stmts[i].block->name, &variant) == row;
    return n;
}

static void *next_element(struct decode *d, struct body_walk *w, const struct body *body,
                          const struct row *row, size_t size, void *out)
{
    struct block_list *l = member_at(out, row);
    if (!l->v) l->v = arena_alloc(d->arena, size * count_blocks(w->s, body, row));
    return l->v + size * l->n++;
}

static void variant_block(struct decode *d, const struct block *b, const struct one_of_def *variant,
                          struct one_of *element)
{
    element->def = variant;
    element->span = b->span;
    element->args = arena_alloc(d->arena, variant->sub->size);
    decode_into(d, variant->sub, b, &b->body, element->args);
}

static void map_attr(struct decode *d, const struct attr *a, struct object_builder *b)
{
    struct value v;
    if (!eval_expr(a->value, d->scope, &v, d->diags)) object_set_take(b, a->name, v);
}

/* A free-form body as an object. */
static void map_block(struct decode *d, const struct block *block, struct value *member)
{
    struct object_builder b = {0};
    for (size_t i = 0; i < block->body.n; i++) {
        const struct stmt *s = &block->body.stmts[i];
        if (s->kind == STMT_ATTR)
            map_attr(d, s->attr, &b);
        else
            diag_error(d->diags, DIAG_BODY_KIND, s->block->header_span,
                       "nested blocks not supported here");
    }
    struct value v = object_done(&b);
    *member = arena_value(d->arena, v);
    value_unref(v);
}

static void block_pointer(struct decode *d, const struct block *b, const struct row *row,
                          void **member)
{
    void *p = arena_alloc(d->arena, row->sub->size);
    decode_into(d, row->sub, b, &b->body, p);
    *member = p;
}

static void block(struct decode *d, struct body_walk *w, const struct body *body,
                  const struct block *b, void *out)
{
    const struct one_of_def *variant;
    const struct row *row = body_block(w, b, &variant);
    if (!row) return;
    switch (row->kind) {
    case K_BLOCK: decode_into(d, row->sub, b, &b->body, member_at(out, row)); return;
    case K_BLOCK_PTR: block_pointer(d, b, row, member_at(out, row)); return;
    case K_BLOCKS:
        decode_into(d, row->sub, b, &b->body, next_element(d, w, body, row, row->elem_size, out));
        return;
    case K_ONE_OF:
        variant_block(d, b, variant, next_element(d, w, body, row, sizeof(struct one_of), out));
        return;
    case K_MAP_BLOCK: map_block(d, b, member_at(out, row)); return;
    case ATTR_KINDS:
    case K_LABEL: break;
    }
    UNREACHABLE();
}

/* --- bodies --- */

static void identity(struct decode *d, const struct schema *s, const struct block *b, void *out)
{
    const struct row *label = schema_label(s);
    if (s->present_off >= 0) *(bool *)((char *)out + s->present_off) = true;
    if (s->span_off >= 0 && b) *(struct span *)((char *)out + s->span_off) = b->span;
    if (label && b)
        *(struct str *)member_at(out, label) = str_n(arena_strdup(d->arena, b->label), b->label.n);
}

void keep_rest(struct decode *d, const struct schema *s, struct object_builder *rest, void *out)
{
    if (!schema_keeps_rest(s)) return;
    struct value v = object_done(rest);
    *rest_at(out, s) = arena_value(d->arena, v);
    value_unref(v);
}

void decode_into(struct decode *d, const struct schema *s, const struct block *b,
                 const struct body *body, void *out)
{
    struct body_walk w;
    struct object_builder rest = {.ordered = true};
    size_t errors = d->diags->n_errors;
    decode_defaults(s, d->arena, out);
    identity(d, s, b, out);
    if (s->opaque) return;
    body_walk_init(&w, s, b, d->diags, d->warn);
    for (size_t i = 0; i < body->n; i++) {
        const struct stmt *st = &body->stmts[i];
        if (st->kind == STMT_ATTR)
            attribute(d, &w, st->attr, out, &rest);
        else
            block(d, &w, body, st->block, out);
    }
    keep_rest(d, s, &rest, out);
    body_end(&w);
    if (s->validate && d->diags->n_errors == errors) s->validate(out, w.at, d->diags);
    body_walk_done(&w);
}

int decode_body(const struct schema *s, const struct block *b, const struct body *body,
                const struct scope *scope, struct arena *arena, void *out, struct diags *diags)
{
    struct decode d = {.scope = scope, .arena = arena, .diags = diags};
    size_t errors = diags->n_errors;
    decode_into(&d, s, b, body, out);
    return diags->n_errors == errors ? 0 : -EINVAL;
}
