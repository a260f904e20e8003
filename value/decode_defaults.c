/* A struct as if nothing were written: every row's default, given as configuration text in the
 * table, or computed. */
#include "value/decode_int.h"

#include "base/assert.h"
#include "parser/parser.h"
#include "value/member.h"

/* Tables are our own text: a default that does not decode is our bug, which the self-test finds
 * first. */
static void set_default(const struct row *row, struct arena *arena, void *member)
{
    struct diags diags;
    struct expr *e;
    struct value v;
    struct vfault fault = {0};
    enum diag_code code;
    diags_init(&diags);
    struct source *src = source_new(row->name, str_of(row->def));
    struct tree *tree = parse_expr(src, &diags, &e);
    ASSERT(tree);
    int rc = eval_expr(e, NULL, &v, &diags);
    ASSERT(rc == 0);
    rc = member_set(row, v, arena, member, &fault, &code);
    ASSERT(rc == 0);
    value_unref(v);
    tree_free(tree);
    source_unref(src);
    diags_done(&diags);
}

static void default_of(const struct row *row, struct arena *arena, void *out)
{
    void *member = member_at(out, row);
    if (row->alias_of) return; /* the target's row has it, and may share the member */
    if (row->kind == K_BLOCK && row->sub->size > 0)
        decode_defaults(row->sub, arena, member);
    else if (!kind_is_block(row->kind))
        member_zero(row, member);
    if (row->def_fn)
        row->def_fn(arena, member);
    else if (row->def)
        set_default(row, arena, member);
}

void decode_defaults(const struct schema *s, struct arena *arena, void *out)
{
    ASSERT(s->size > 0);
    memset(out, 0, s->size);
    for (size_t i = 0; i < s->n_rows; i++)
        default_of(&s->rows[i], arena, out);
    if (schema_keeps_rest(s)) {
        struct value none = object_done(&(struct object_builder){.ordered = true});
        *rest_at(out, s) = arena_value(arena, none);
        value_unref(none);
    }
}
