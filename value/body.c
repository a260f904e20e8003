/* The statements of a body against the rows of its schema. */
#include "value/body.h"

#include <stdlib.h>
#include "base/assert.h"
#include "base/xalloc.h"
#include "value/fault.h"

void body_walk_init(struct body_walk *w, const struct schema *s, const struct block *block,
                    struct diags *diags, bool warn)
{
    *w = (struct body_walk){.s = s, .block = block, .diags = diags, .warn = warn};
    w->at = xcalloc(s->n_rows + 1, sizeof(*w->at));
    w->written = xcalloc(s->n_rows + 1, sizeof(*w->written));
    w->unsure = xcalloc(s->n_rows + 1, sizeof(*w->unsure));
    if (block) w->at[0] = block->span;
}

void body_walk_done(struct body_walk *w)
{
    free(w->at);
    free(w->written);
    free(w->unsure);
}

static bool given(const struct body_walk *w, const struct row *row)
{
    return w->at[1 + (row - w->s->rows)].start.line != 0;
}

static void mark(struct body_walk *w, const struct row *row, struct span at)
{
    if (at.start.line == 0) at.start.line = 1; /* built without positions: still given */
    w->at[1 + (row - w->s->rows)] = at;
    w->written[row - w->s->rows] = true;
}

void body_null(struct body_walk *w, const struct row *row)
{
    w->written[row - w->s->rows] = false;
}

void body_unsure(struct body_walk *w, const struct row *row)
{
    w->unsure[row - w->s->rows] = true;
}

/* --- names --- */

static void offer_rows(struct suggestion *s, struct str wanted, const struct row *row, bool blocks)
{
    if (row->kind == K_LABEL || kind_is_block(row->kind) != blocks) return;
    if (row->kind != K_ONE_OF) suggestion_offer(s, wanted, str_of(row->name));
    for (size_t i = 0; row->kind == K_ONE_OF && i < row->n_variants; i++)
        if (row->variants[i].name) suggestion_offer(s, wanted, str_of(row->variants[i].name));
}

static void unknown(struct body_walk *w, struct str name, struct span at, bool block)
{
    struct suggestion s = {0};
    for (size_t i = 0; i < w->s->n_rows; i++)
        offer_rows(&s, name, &w->s->rows[i], block);
    struct diag *d = diag_error(w->diags, block ? DIAG_BLOCK_UNKNOWN : DIAG_ATTR_UNKNOWN, at,
                                "unrecognized %s name \"" STR_FMT "\"",
                                block ? "block" : "attribute", STR_ARG(name));
    suggestion_hint(&s, w->diags, d);
}

static void deprecated(struct body_walk *w, const struct row *row, struct span at)
{
    if (!w->warn || (!row->deprecated && !row->alias_of)) return;
    struct diag *d = diag_add(w->diags, SEV_WARNING, DIAG_SETTING_DEPRECATED, at,
                              "\"%s\" is deprecated", row->name);
    if (row->alias_of) diag_hint(w->diags, d, "use `%s`", row->alias_of);
}

static const struct row *resolve_alias(const struct schema *s, const struct row *row)
{
    if (!row->alias_of) return row;
    const struct row *target = schema_row(s, str_of(row->alias_of));
    ASSERT(target);
    return target;
}

/* --- attributes --- */

const struct row *body_attr(struct body_walk *w, const struct attr *a)
{
    const struct row *row = schema_row(w->s, a->name);
    if (!row) {
        if (!w->s->freeform) unknown(w, a->name, a->name_span, false);
        return NULL;
    }
    if (kind_is_block(row->kind)) {
        diag_error(w->diags, DIAG_BODY_KIND, a->name_span,
                   "\"" STR_FMT "\" must be a block, but is used as an attribute",
                   STR_ARG(a->name));
        return NULL;
    }
    if (given(w, row)) {
        diag_error(w->diags, DIAG_ATTR_TWICE, a->name_span,
                   "attribute \"" STR_FMT "\" may only be provided once", STR_ARG(a->name));
        return NULL;
    }
    deprecated(w, row, a->name_span);
    mark(w, row, a->value->span);
    row = resolve_alias(w->s, row);
    mark(w, row, a->value->span);
    return row;
}

/* --- blocks --- */

static const struct schema *block_schema(const struct row *row, const struct one_of_def *variant)
{
    return variant ? variant->sub : row->sub;
}

static void check_label(struct body_walk *w, const struct row *row,
                        const struct one_of_def *variant, const struct block *b)
{
    const struct schema *sub = block_schema(row, variant);
    const char *what = NULL;
    if (row->kind == K_MAP_BLOCK)
        what = b->has_label ? "requires empty label" : NULL;
    else if (sub && schema_label(sub))
        what = b->has_label ? NULL : "requires non-empty label";
    else if (b->has_label)
        what = "does not support specifying labels";
    if (what)
        diag_error(w->diags, DIAG_BODY_LABEL, b->header_span, "block \"" STR_FMT "\" %s",
                   STR_ARG(b->name), what);
}

static const struct row *not_a_block(struct body_walk *w, const struct block *b)
{
    const struct row *row = schema_row(w->s, b->name);
    if (!row && schema_keeps_rest(w->s))
        diag_error(w->diags, DIAG_BODY_KIND, b->header_span, "nested blocks not supported here");
    else if (row)
        diag_error(w->diags, DIAG_BODY_KIND, b->name_span,
                   "\"" STR_FMT "\" must be an attribute, but is used as a block",
                   STR_ARG(b->name));
    else
        unknown(w, b->name, b->name_span, true);
    return NULL;
}

/* A table with code may hold blocks that this build only knows by description. */
static bool unsupported(struct body_walk *w, const struct schema *sub, const struct block *b)
{
    if (w->s->size == 0 || !sub || sub->size > 0) return false;
    diag_error(w->diags, DIAG_BLOCK_UNKNOWN, b->name_span,
               "block \"" STR_FMT "\" is not supported by this build", STR_ARG(b->name));
    return true;
}

const struct row *body_block(struct body_walk *w, const struct block *b,
                             const struct one_of_def **ret_variant)
{
    const struct row *row = schema_block(w->s, b->name, ret_variant);
    if (!row) return not_a_block(w, b);
    check_label(w, row, *ret_variant, b);
    if (unsupported(w, block_schema(row, *ret_variant), b)) return NULL;
    bool repeatable = row->kind == K_BLOCKS || row->kind == K_ONE_OF;
    if (given(w, row) && !repeatable) {
        diag_error(w->diags, DIAG_BLOCK_TWICE, b->name_span,
                   "block \"" STR_FMT "\" may only be specified once", STR_ARG(b->name));
        return NULL;
    }
    deprecated(w, row, b->name_span);
    mark(w, row, b->span);
    return row;
}

/* --- the end --- */

static void missing(struct body_walk *w, const struct row *row)
{
    if (!row->required || row->kind == K_LABEL || given(w, row)) return;
    bool block = kind_is_block(row->kind);
    diag_error(w->diags, block ? DIAG_BLOCK_MISSING : DIAG_ATTR_MISSING, w->at[0],
               "missing required %s \"%s\"", block ? "block" : "attribute", row->name);
}

/* How many of a rule's rows, from the first-th on, are set: for certain, and at most. */
struct count {
    size_t least, most;
};

static struct count count_set(const struct body_walk *w, const struct rule *rule, size_t first,
                              size_t end)
{
    struct count c = {0};
    for (size_t i = first; i < end && rule->names[i]; i++) {
        const struct row *row = schema_row(w->s, str_of(rule->names[i]));
        ASSERT(row);
        size_t at = (size_t)(row - w->s->rows);
        c.most += w->written[at];
        c.least += w->written[at] && !w->unsure[at];
    }
    return c;
}

static bool rule_holds(const struct body_walk *w, const struct rule *rule)
{
    size_t end = ARRAY_LEN(rule->names);
    struct count all = count_set(w, rule, 0, end);
    switch (rule->kind) {
    case RULE_AT_MOST_ONE: return all.least <= 1;
    case RULE_EXACTLY_ONE: return all.least <= 1 && all.most >= 1;
    case RULE_AT_LEAST_ONE: return all.most >= 1;
    case RULE_REQUIRES:
        return count_set(w, rule, 0, 1).least == 0 || count_set(w, rule, 1, end).most > 0;
    }
    UNREACHABLE();
}

void body_end(struct body_walk *w)
{
    for (size_t i = 0; i < w->s->n_rows; i++)
        missing(w, &w->s->rows[i]);
    for (size_t i = 0; i < w->s->n_rules; i++)
        if (!rule_holds(w, &w->s->rules[i]))
            diag_error(w->diags, DIAG_BODY_RULE, w->at[0], "%s", w->s->rules[i].message);
}
