/* What decoding and checking have in common: the walk over a body's statements against its schema.
 * Every statement is resolved to its row or reported; at the end what is missing and what rules
 * forbid. */
#ifndef VALUE_BODY_H
#define VALUE_BODY_H

#include "parser/ast.h"
#include "value/schema.h"

struct body_walk {
    const struct schema *s;
    const struct block *block; /* may be NULL */
    struct diags *diags;
    struct span *at; /* [0] the block, [1 + row] the row's statement */
    bool *written;   /* by row: given, and not null */
    bool *unsure;    /* by row: written, but perhaps with an empty value, which counts as unset */
    bool warn;       /* also report deprecated names */
};

void body_walk_init(struct body_walk *w, const struct schema *s, const struct block *block,
                    struct diags *diags, bool warn);
void body_walk_done(struct body_walk *w);
/* The row the statement sets (an alias resolves to its target), or NULL when there is none;
 * reported unless the schema is free-form. */
const struct row *body_attr(struct body_walk *w, const struct attr *a);
const struct row *body_block(struct body_walk *w, const struct block *b,
                             const struct one_of_def **ret_variant);
/* An assigned null counts as given (required is satisfied), but rules across rows do not see it. */
void body_null(struct body_walk *w, const struct row *row);
/* Rules across rows are lenient with it: whether it is set shows only when it is evaluated. */
void body_unsure(struct body_walk *w, const struct row *row);
/* Missing rows, then rules. */
void body_end(struct body_walk *w);

#endif
