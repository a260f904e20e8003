/* A compiled template: a tree of nodes in one arena. */
#ifndef COMPONENTS_COMMON_TEMPLATE_AST_H
#define COMPONENTS_COMMON_TEMPLATE_AST_H

#include "base/map.h"
#include "components/common/template/run.h"

enum node_kind {
    /* statements */
    NODE_TEXT,
    NODE_ACTION,
    NODE_IF,
    NODE_WITH,
    NODE_RANGE,
    NODE_TEMPLATE,
    NODE_BREAK,
    NODE_CONTINUE,
    /* operands */
    NODE_PIPE,
    NODE_DOT,
    NODE_NIL,
    NODE_BOOL,
    NODE_NUMBER,
    NODE_STRING,
    NODE_FIELD,    /* fields of the dot */
    NODE_VARIABLE, /* text: its name; fields of it */
    NODE_CHAIN,    /* fields of an operand */
    NODE_FUNCTION
};
struct number {
    bool is_int, is_float, shows_float; /* the last: written as one */
    i64 i;
    f64 f;
};
struct node;
struct command {
    struct node **args;
    size_t n;
};
struct pipe {
    struct str decl[2];
    size_t n_decl;
    bool assign;
    struct command *cmds;
    size_t n;
};
struct list {
    struct node **v;
    size_t n;
};
struct node {
    enum node_kind kind;
    struct str text; /* of texts, strings, names */
    struct str *fields;
    size_t n_fields;
    bool truth;
    struct number number;
    struct pipe *pipe;
    struct list body, otherwise;
    struct node *of; /* chain */
    const struct tfunc *func;
};

struct template
{
    struct arena arena;
    struct str text;
    struct list main;
    struct map defined;  /* struct list *, in the arena */
    struct map patterns; /* struct regex *: constant ones */
    struct map zones;    /* struct time_zone *: constant ones, and Local */
};

/* 0, or -EINVAL and an owned *ret_err. */
int parse(struct template *t, const char *name, struct str text, char **ret_err);

#endif
