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

const struct row *shape_field(const struct shape *s, struct str name)
{
    for (size_t i = 0; i < s->n_rows; i++)
        if (str_is(name, s->rows[i].name)) return &s->rows[i];
    return NULL;
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
