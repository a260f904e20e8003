/* A struct as if nothing were written: every row's default, given as configuration text in the
 * table, or computed. */
#include "value/decode_int.h"

#include "base/assert.h"
#include "base/num.h"
#include "parser/parser.h"
#include "value/member.h"

/* --- plain literals, without a parser: nearly all defaults are --- */

static bool plain_string(struct str s, struct value *ret)
{
    if (s.n < 2 || s.p[0] != '"' || s.p[s.n - 1] != '"' || str_chr(s, '\\') >= 0) return false;
    struct str inside = str_sub(s, 1, s.n - 1);
    if (str_chr(inside, '"') >= 0) return false;
    *ret = value_str(inside);
    return true;
}

/* A leading zero would mean octal. */
static bool plain_number(struct str s, struct value *ret)
{
    i64 n = 0;
    if (s.n == 0 || s.n > 18 || (s.n > 1 && s.p[0] == '0')) return false;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9') return false;
        n = n * 10 + (s.p[i] - '0');
    }
    *ret = value_int(n);
    return true;
}

static bool plain_fraction(struct str s, struct value *ret)
{
    f64 f;
    size_t points = 0;
    for (size_t i = 0; i < s.n; i++) {
        points += s.p[i] == '.';
        if (s.p[i] != '.' && (s.p[i] < '0' || s.p[i] > '9')) return false;
    }
    if (points != 1 || num_parse_f64(s, &f) < 0) return false;
    *ret = value_float(f);
    return true;
}

static bool plain_word(struct str s, struct value *ret)
{
    if (str_is(s, "true") || str_is(s, "false"))
        *ret = value_bool(s.p[0] == 't');
    else if (str_is(s, "[]"))
        *ret = value_array(0);
    else if (str_is(s, "{}"))
        *ret = object_done(&(struct object_builder){0});
    else
        return false;
    return true;
}

static bool plain_value(struct str s, struct value *ret)
{
    return plain_string(s, ret) || plain_number(s, ret) || plain_word(s, ret) ||
           plain_fraction(s, ret);
}

/* --- the others --- */

/* Tables are our own text: a default that does not decode is our bug, which the self-test finds
 * first. */
static struct value evaluated(const struct row *row)
{
    struct diags diags;
    struct expr *e;
    struct value v;
    diags_init(&diags);
    struct source *src = source_new(row->name, str_of(row->def));
    struct tree *tree = parse_expr(src, &diags, &e);
    ASSERT(tree);
    int rc = eval_expr(e, NULL, &v, &diags);
    ASSERT(rc == 0);
    tree_free(tree);
    source_unref(src);
    diags_done(&diags);
    return v;
}

static void set_default(const struct row *row, struct arena *arena, void *member)
{
    struct vfault fault = {0};
    enum diag_code code;
    struct value v;
    if (!plain_value(str_of(row->def), &v)) v = evaluated(row);
    int rc = member_set(row, v, arena, member, &fault, &code);
    ASSERT(rc == 0);
    value_unref(v);
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
