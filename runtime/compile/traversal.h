/* References in a body, found without evaluating: chains of names such as `local.file.x.content`. A
 * chain is cut by an index or a call; what stands inside those is searched on its own. Spec:
 * language.md 9. */
#ifndef RUNTIME_TRAVERSAL_H
#define RUNTIME_TRAVERSAL_H

#include "parser/ast.h"
#include "value/schema.h"

#define TRAVERSAL_MAX                                                                              \
    32 /* names kept of one chain; ids and exports are far shorter, the rest is field access */

enum traversal_use {
    USE_PART,    /* somewhere inside an expression */
    USE_WHOLE,   /* the attribute's value itself */
    USE_ELEMENT, /* an element of the list that is the attribute's value */
};

struct traversal {
    struct str names[TRAVERSAL_MAX];
    struct span spans[TRAVERSAL_MAX];
    size_t n;
    struct span span;        /* first to last name */
    const struct expr *expr; /* the outermost node of the chain */
    const struct row *row;   /* of the attribute it stands in; NULL: unknown or free-form */
    enum traversal_use use;
    struct str attr; /* the attribute's name */
};

/* Fills *ret and returns true when e is such a chain. What it says of the attribute
 * stays unset. */
bool traversal_of(const struct expr *e, struct traversal *ret);
/* "a.b.c": the first n names; into buf. */
void traversal_text(const struct traversal *t, size_t n, struct buf *out);

typedef void (*traversal_fn)(void *arg, const struct traversal *t);
/* Every chain of a body in source order, nested blocks included. schema: of the body, NULL when
 * unknown. */
void traversal_each(const struct body *body, const struct schema *schema, traversal_fn fn,
                    void *arg);

#endif
