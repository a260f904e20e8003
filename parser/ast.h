/* The tree of one configuration text. Nodes live in the tree's arena and borrow the source;
 * immutable once parsed. Every node knows its span. Strings in names and labels are views into the
 * source. */
#ifndef PARSER_AST_H
#define PARSER_AST_H

#include "parser/diag.h"

enum op {
    OP_OR,
    OP_AND,
    OP_EQ,
    OP_NE,
    OP_LT,
    OP_LE,
    OP_GT,
    OP_GE,
    OP_ADD,
    OP_SUB,
    OP_MUL,
    OP_DIV,
    OP_MOD,
    OP_POW, /* binary */
    OP_NOT,
    OP_NEG, /* unary */
};
const char *op_text(enum op op);

enum expr_kind {
    EXPR_NULL,
    EXPR_BOOL,
    EXPR_NUMBER,
    EXPR_FLOAT,
    EXPR_STRING, /* literals */
    EXPR_IDENT,
    EXPR_ACCESS,
    EXPR_INDEX,
    EXPR_CALL,
    EXPR_UNARY,
    EXPR_BINARY,
    EXPR_PAREN,
    EXPR_ARRAY,
    EXPR_OBJECT,
};

struct expr;

struct field {      /* of an object literal */
    struct str key; /* as the language sees it (quirks of spec 4 applied) */
    struct str raw; /* as written, quotes included */
    bool quoted;
    struct span key_span;
    struct expr *value;
};

struct expr {
    enum expr_kind kind;
    struct span span;
    /* Levels below and including this one: at most PARSE_DEPTH_MAX, so recursion over a tree is
     * safe. */
    u32 height;
    struct str raw; /* literals and identifiers: the source text */
    union {
        bool b;       /* BOOL */
        struct str s; /* STRING: unquoted bytes; IDENT: name */
        struct {
            struct expr *of;
            struct str name;
            struct span name_span;
        } access;
        struct {
            struct expr *of, *index;
            struct span open, close;
        } index;
        struct {
            struct expr *fn;
            struct expr **args;
            size_t n;
            struct span open, close;
        } call;
        struct {
            enum op op;
            struct span op_span;
            struct expr *of;
        } unary;
        struct {
            enum op op;
            struct span op_span;
            struct expr *l, *r;
        } binary;
        struct expr *paren;
        struct {
            struct expr **items;
            size_t n;
            struct span close;
        } array;
        struct {
            struct field *fields;
            size_t n;
            struct span close;
        } object;
    };
};

struct block;
struct attr {
    struct str name;
    struct span name_span;
    struct expr *value;
};

enum stmt_kind { STMT_ATTR, STMT_BLOCK };
struct stmt {
    enum stmt_kind kind;
    struct span span;
    union {
        struct attr *attr;
        struct block *block;
    };
};

struct body {
    struct stmt *stmts; /* source order */
    size_t n;
    struct span span; /* between the braces; the file for the root */
};

struct block {
    struct str name;   /* "otelcol.receiver.otlp": full dotted name */
    struct str *parts; /* its fragments */
    struct span *part_spans;
    size_t n_parts;
    struct str label; /* n == 0: none */
    bool has_label;   /* a non-empty label was written */
    struct span span; /* from the name to the closing brace */
    struct str text;  /* the same, as written */
    struct span name_span;
    struct span label_span;
    struct span header_span; /* from the name to the { */
    struct body body;
};

struct comment {
    struct str text; /* with // or the stars; CRs removed */
    struct span span;
};

struct tree {
    struct arena arena;
    struct source *source; /* counted */
    struct body body;
    struct comment *comments; /* source order, for the printer */
    size_t n_comments;
};

/* The i-th of the expressions that e is directly made of, in source order; NULL behind the last.
 * Takes constant time, and literals have none. */
const struct expr *expr_child(const struct expr *e, size_t i);

/* Walks every expression of a body, nested blocks included, in source order. fn returns false to
 * skip an expression's children. */
void ast_walk(const struct body *b, bool (*fn)(void *arg, const struct expr *e), void *arg);

#endif
