/* YAML documents as trees of nodes, by libyaml. Scalars stay text: what a plain `017` or `yes`
 * means is the reader's to say. Aliases are resolved: a node may stand in several places of the
 * tree, never inside itself. Nodes and texts live in the arena given. The size of the tree as a
 * walker sees it, aliases followed, is limited, and so is its depth: a few lines of nested aliases
 * cannot make it exponential. One thread at a time. */
#ifndef BASE_YAML_H
#define BASE_YAML_H

#include "base/arena.h"

enum yaml_kind { YAML_SCALAR, YAML_SEQ, YAML_MAP };
/* Only plain scalars without tag may be anything but strings. */
enum yaml_style { YAML_PLAIN, YAML_SINGLE, YAML_DOUBLE, YAML_LITERAL, YAML_FOLDED };

struct yaml_node {
    enum yaml_kind kind;
    enum yaml_style style; /* of scalars */
    struct str
        tag; /* written in the text and resolved ("tag:yaml.org,2002:int", "!local"); else empty */
    struct str text;          /* of scalars */
    struct yaml_node **items; /* SEQ: n elements; MAP: n keys and values in turn */
    size_t n;                 /* MAP: twice the number of pairs */
    size_t weight;            /* nodes below and with this one, aliases followed */
    u32 line, col;            /* where it starts, from 1; col counts characters */
    size_t index;             /* the same as the number of characters before it in the whole text */
};

#define YAML_MAX_NODES 1000000
#define YAML_MAX_DEPTH 512

struct yaml_reader;
/* text and arena must outlive the reader. */
struct yaml_reader *yaml_reader_new(struct str text, struct arena *a);
void yaml_reader_free(struct yaml_reader *r); /* takes NULL */
/* Other limits than those above. */
void yaml_reader_limit(struct yaml_reader *r, size_t max_nodes, int max_depth);
/* The next document. 1 and *ret its root, 0 after the last; -EBADMSG broken or over a limit:
 * *ret_err (may be NULL) is then "yaml: line N: ...", in the arena. */
int yaml_next(struct yaml_reader *r, struct yaml_node **ret, const char **ret_err);
/* What was wrong after -EBADMSG, without its place in front; the text lives in the arena. */
struct yaml_fault {
    const char *what;
    size_t index; /* as of a node */
};
struct yaml_fault yaml_reader_fault(const struct yaml_reader *r);
/* The first document alone; *ret is NULL when there is none. 0 or as above; what follows it is not
 * looked at. */
int yaml_parse(struct str text, struct arena *a, struct yaml_node **ret, const char **ret_err);

/* The value of a plain text key in a MAP, NULL when absent. */
struct yaml_node *yaml_get(const struct yaml_node *map, struct str key);

#endif
