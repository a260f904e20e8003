/* Rules from text, for tests and the fuzz target of relabelling. Header only. */
#ifndef COMPONENTS_COMMON_RELABEL_TESTING_H
#define COMPONENTS_COMMON_RELABEL_TESTING_H

#include "components/common/relabel.h"
#include "parser/parser.h"
#include "value/decode.h"

struct relabel_case {
    struct arena arena;
    struct diags diags;
    struct relabel *rules; /* NULL: refused, diags say why */
};

struct relabel_body {
    struct relabel_rules rules;
};
static const struct row relabel_body_rows[] = {
    RELABEL_RULE_BLOCKS(struct relabel_body, rules),
};
static const struct schema relabel_body_schema = SCHEMA(struct relabel_body, relabel_body_rows);

static int relabel_case_prepare(struct relabel_case *c, struct tree *tree, enum relabel_names names)
{
    struct relabel_body body;
    struct prepare p = {.arena = &c->arena, .diags = &c->diags};

    if (decode_body(&relabel_body_schema, NULL, &tree->body, NULL, &c->arena, &body, &c->diags))
        return -1;
    return relabel_prepare(&p, &body.rules, names, &c->rules);
}

static inline void relabel_case_init(struct relabel_case *c, struct str text,
                                     enum relabel_names names)
{
    *c = (struct relabel_case){0};
    arena_init(&c->arena, 0);
    diags_init(&c->diags);
    struct source *src = source_new("rules", text);
    struct tree *tree = parse_file(src, &c->diags);
    source_unref(src);
    if (!tree) return;
    if (relabel_case_prepare(c, tree, names)) c->rules = NULL;
    tree_free(tree);
}

static inline void relabel_case_done(struct relabel_case *c)
{
    arena_done(&c->arena);
    diags_done(&c->diags);
}

#endif
