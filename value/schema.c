/* Lookups in schema tables, and the names of what they say. */
#include "value/schema.h"

#include "base/assert.h"

bool kind_is_block(enum kind k)
{
    switch (k) {
    case BLOCK_KINDS: return true;
    case ATTR_KINDS:
    case K_LABEL: return false;
    }
    UNREACHABLE();
}

static const struct one_of_def *variant_of(const struct row *row, struct str name)
{
    for (size_t i = 0; row->kind == K_ONE_OF && i < row->n_variants; i++)
        if (row->variants[i].name && str_is(name, row->variants[i].name)) return &row->variants[i];
    return NULL;
}

const struct row *schema_block(const struct schema *s, struct str name,
                               const struct one_of_def **ret_variant)
{
    for (size_t i = 0; i < s->n_rows; i++) {
        const struct row *row = &s->rows[i];
        const struct one_of_def *variant = variant_of(row, name);
        bool named = kind_is_block(row->kind) && row->kind != K_ONE_OF && str_is(name, row->name);
        if (!variant && !named) continue;
        *ret_variant = variant;
        return row;
    }
    return NULL;
}

const struct row *schema_row(const struct schema *s, struct str name)
{
    const struct one_of_def *variant;
    for (size_t i = 0; i < s->n_rows; i++)
        if (s->rows[i].kind != K_LABEL && s->rows[i].kind != K_ONE_OF &&
            str_is(name, s->rows[i].name))
            return &s->rows[i];
    return schema_block(s, name, &variant);
}

const struct row *schema_label(const struct schema *s)
{
    for (size_t i = 0; i < s->n_rows; i++)
        if (s->rows[i].kind == K_LABEL) return &s->rows[i];
    return NULL;
}

struct span schema_span(const struct schema *s, const struct span *at, const char *name)
{
    const struct row *row = schema_row(s, str_of(name));
    ASSERT(row);
    const struct span *written = &at[1 + (row - s->rows)];
    return written->start.line ? *written : at[0];
}

/* --- stability levels --- */

static const char *const stability_names[] = {
    [STABILITY_GA] = "generally-available",
    [STABILITY_PUBLIC_PREVIEW] = "public-preview",
    [STABILITY_EXPERIMENTAL] = "experimental",
};

const char *stability_name(enum stability s)
{
    return stability_names[s];
}

bool stability_parse(struct str s, enum stability *ret)
{
    for (size_t i = 0; i < ARRAY_LEN(stability_names); i++)
        if (str_is(s, stability_names[i])) {
            *ret = (enum stability)i;
            return true;
        }
    return false;
}

/* --- types for people --- */

static const char *const type_names[] = {
    [K_BOOL] = "bool",
    [K_I64] = "number",
    [K_F64] = "number",
    [K_STR] = "string",
    [K_DUR] = "duration",
    [K_BYTES] = "size",
    [K_SECRET] = "secret",
    [K_OPT_SECRET] = "string or secret",
    [K_OPT_STR] = "string",
    [K_OPT_I64] = "number",
    [K_OPT_F64] = "number",
    [K_OPT_BOOL] = "bool",
    [K_OPT_DUR] = "duration",
    [K_STR_LIST] = "list(string)",
    [K_STR_MAP] = "map(string)",
    [K_SECRET_MAP] = "map(secret)",
    [K_CAPSULE] = "capsule",
    [K_CAPSULE_LIST] = "list(capsule)",
    [K_ANY] = "any",
    [K_BLOCK] = "block",
    [K_BLOCK_PTR] = "block",
    [K_BLOCKS] = "blocks",
    [K_ONE_OF] = "blocks",
    [K_LABEL] = "label",
    [K_MAP_BLOCK] = "block",
};

void row_type_text(const struct row *row, struct buf *out)
{
    const char *capsule = row->capsule ? row->capsule->name : row->capsule_name;
    if (capsule && row->kind == K_CAPSULE)
        buf_printf(out, "capsule(%s)", capsule);
    else if (capsule && row->kind == K_CAPSULE_LIST)
        buf_printf(out, "list(capsule(%s))", capsule);
    else
        buf_cstr(out, type_names[row->kind]);
}
