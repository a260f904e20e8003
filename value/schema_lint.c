/* The self-test of schema tables: what the compiler cannot see is proved here, once, for every
 * table of the registry. */
#include "value/schema.h"

#include "base/assert.h"
#include "base/vec.h"
#include "parser/parser.h"
#include "value/decode_int.h"
#include "value/member.h"

struct lint {
    VEC(const struct schema *) seen; /* tables may contain themselves */
    struct buf *out;
    size_t problems;
};

static void table(struct lint *l, const struct schema *s, const char *path);

static void problem(struct lint *l, const char *path, const char *row, const char *fmt, ...)
    PRINTF(4, 5);
static void problem(struct lint *l, const char *path, const char *row, const char *fmt, ...)
{
    va_list ap;
    buf_printf(l->out, "%s: %s: ", path, row ? row : "(no name)");
    va_start(ap, fmt);
    buf_vprintf(l->out, fmt, ap);
    va_end(ap);
    buf_ch(l->out, '\n');
    l->problems++;
}

/* --- names and documentation --- */

static void row_text(struct lint *l, const char *path, const struct row *row)
{
    if (row->kind == K_LABEL || row->kind == K_ONE_OF) return;
    size_t n = row->doc ? strlen(row->doc) : 0;
    if (n == 0)
        problem(l, path, row->name, "has no documentation");
    else if (row->doc[n - 1] != '.')
        problem(l, path, row->name, "its documentation is no sentence");
}

static void row_unique(struct lint *l, const char *path, const struct schema *s, size_t at)
{
    for (size_t i = 0; i < at; i++)
        if (s->rows[i].name && str_is(str_of(s->rows[i].name), s->rows[at].name))
            problem(l, path, s->rows[at].name, "appears twice");
}

/* --- sizes --- */

static void sub_size(struct lint *l, const char *path, const struct row *row,
                     const struct schema *s)
{
    size_t member = row->kind == K_BLOCKS ? row->elem_size : row->size;
    bool bound = s->size > 0;
    if (!row->sub)
        problem(l, path, row->name, "is a block without a table");
    else if (bound && row->sub->size != member)
        problem(l, path, row->name, "its struct has %zu bytes, the member %zu", row->sub->size,
                member);
}

static void row_size(struct lint *l, const char *path, const struct schema *s,
                     const struct row *row)
{
    bool has_sub = row->kind == K_BLOCK || row->kind == K_BLOCK_PTR || row->kind == K_BLOCKS;
    if (has_sub) sub_size(l, path, row, s);
    if (s->size == 0) return;
    size_t want = has_sub ? row->size : kind_size(row->kind);
    if (row->size != want)
        problem(l, path, row->name, "its kind needs %zu bytes, the member has %u", want, row->size);
    size_t held = row->kind == K_BLOCK_PTR ? sizeof(void *) : row->size;
    if (row->off + held > s->size) problem(l, path, row->name, "lies outside the struct");
}

/* --- defaults --- */

static void default_value(struct lint *l, const char *path, const struct row *row, struct expr *e,
                          struct arena *arena)
{
    struct vfault fault = {0};
    enum diag_code code;
    struct diags diags;
    struct value v;
    diags_init(&diags);
    if (eval_expr(e, NULL, &v, &diags)) {
        problem(l, path, row->name, "its default does not evaluate: %s", diags.list.v[0].message);
    } else {
        if (member_set(row, v, arena, arena_alloc(arena, kind_size(row->kind)), &fault, &code))
            problem(l, path, row->name, "its default does not decode: %s", fault.text);
        value_unref(v);
    }
    vfault_done(&fault);
    diags_done(&diags);
}

static void row_default(struct lint *l, const char *path, const struct row *row)
{
    struct diags diags;
    struct arena arena;
    struct expr *e;
    if (!row->def) return;
    if (kind_is_block(row->kind) || row->kind == K_LABEL) {
        problem(l, path, row->name, "a block has no default text");
        return;
    }
    diags_init(&diags);
    arena_init(&arena, 0);
    struct source *src = source_new(row->name, str_of(row->def));
    struct tree *tree = parse_expr(src, &diags, &e);
    if (tree)
        default_value(l, path, row, e, &arena);
    else
        problem(l, path, row->name, "its default does not parse: %s", row->def);
    tree_free(tree);
    source_unref(src);
    arena_done(&arena);
    diags_done(&diags);
}

/* --- the rest of a row --- */

static void row_meaning(struct lint *l, const char *path, const struct schema *s,
                        const struct row *row)
{
    bool texts = row->kind == K_STR || row->kind == K_OPT_STR || row->kind == K_STR_LIST;
    if (row->required && row->def) problem(l, path, row->name, "is required and has a default");
    if (row->one_of && !texts) problem(l, path, row->name, "has allowed texts but is no text");
    if (row->alias_of && !schema_row(s, str_of(row->alias_of)))
        problem(l, path, row->name, "is an alias of no row");
    if (row->kind == K_ONE_OF && row->n_variants == 0)
        problem(l, path, row->name, "has no variants");
}

static void variants(struct lint *l, const char *path, const struct row *row)
{
    for (size_t i = 0; row->kind == K_ONE_OF && i < row->n_variants; i++) {
        const struct one_of_def *v = &row->variants[i];
        if (!v->name) continue;
        if (v->sub && v->sub->size > 0 && !v->doc)
            problem(l, path, v->name, "has no documentation");
        if (v->sub)
            table(l, v->sub, v->name);
        else
            problem(l, path, v->name, "is a variant without a table");
    }
}

static void rule(struct lint *l, const char *path, const struct schema *s, const struct rule *r)
{
    if (!r->message) problem(l, path, r->names[0], "its rule has no message");
    for (size_t i = 0; i < ARRAY_LEN(r->names) && r->names[i]; i++)
        if (!schema_row(s, str_of(r->names[i])))
            problem(l, path, r->names[i], "a rule names no row");
}

/* --- tables --- */

static bool was_seen(struct lint *l, const struct schema *s)
{
    vec_each (&l->seen, p)
        if (*p == s) return true;
    vec_push(&l->seen, s);
    return false;
}

static void row(struct lint *l, const char *path, const struct schema *s, size_t i)
{
    const struct row *r = &s->rows[i];
    if (!r->name) {
        problem(l, path, r->name, "has no name");
        return;
    }
    if (s->size > 0) row_text(l, path, r); /* described without code: by its names and types */
    row_unique(l, path, s, i);
    row_size(l, path, s, r);
    row_default(l, path, r);
    row_meaning(l, path, s, r);
    variants(l, path, r);
    if (!r->sub) return;
    char *inner = xprintf("%s.%s", path, r->name);
    table(l, r->sub, inner);
    free(inner);
}

static void whole(struct lint *l, const char *path, const struct schema *s)
{
    if (s->opaque && (s->n_rows > 0 || s->freeform))
        problem(l, path, NULL, "is opaque and describes a body");
    if (schema_keeps_rest(s) && (size_t)s->rest_off + sizeof(struct value) > s->size)
        problem(l, path, NULL, "keeps other attributes outside the struct");
}

static void table(struct lint *l, const struct schema *s, const char *path)
{
    if (was_seen(l, s)) return;
    whole(l, path, s);
    for (size_t i = 0; i < s->n_rows; i++)
        row(l, path, s, i);
    for (size_t i = 0; i < s->n_rules; i++)
        rule(l, path, s, &s->rules[i]);
}

size_t schema_lint(const struct schema *s, const char *name, struct buf *out)
{
    struct lint l = {.out = out};
    table(&l, s, name);
    vec_done(&l.seen);
    return l.problems;
}
