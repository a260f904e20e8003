/* What the parts of the JMESPath compiler and interpreter share. */
#ifndef COMPONENTS_LOKI_JMESPATH_AST_H
#define COMPONENTS_LOKI_JMESPATH_AST_H

#include "components/loki/jmespath/jmespath.h"

/* --- tokens --- */
enum tok {
    T_EOF,
    T_IDENT,
    T_QUOTED,
    T_VARIABLE,
    T_ROOT,
    T_LITERAL, /* `json` or 'raw': its value is in lit */
    T_NUMBER,
    T_DOT,
    T_STAR,
    T_LBRACKET,
    T_RBRACKET,
    T_LBRACE,
    T_RBRACE,
    T_LPAREN,
    T_RPAREN,
    T_FILTER,  /* [? */
    T_FLATTEN, /* [] */
    T_COMMA,
    T_COLON,
    T_CURRENT,
    T_EXPREF,
    T_PIPE,
    T_QUESTION,
    T_OR,
    T_AND,
    T_NOT,
    T_ASSIGN,
    T_EQ,
    T_NE,
    T_LT,
    T_LE,
    T_GT,
    T_GE,
    T_PLUS,
    T_MINUS,
    T_TIMES,
    T_DIVIDE,
    T_MODULO,
    T_INT_DIVIDE,
    T_KINDS
};
struct token {
    enum tok type;
    u32 at; /* byte offset */
    struct str text;
    struct jv lit;
};
/* The whole expression, ended by T_EOF. NULL with *ret_err in the arena and *ret_at. */
struct token *jmespath_lex(struct str expr, struct arena *a, const char **ret_err, u32 *ret_at);

/* --- tree --- */
enum node_type {
    N_CURRENT,
    N_ROOT,
    N_FIELD,    /* text */
    N_VARIABLE, /* text */
    N_LITERAL,  /* lit */
    N_INDEX,    /* slice[0] */
    N_SLICE,
    N_SUB,  /* left, then right on what it gave; null ends */
    N_PIPE, /* the same, null goes on */
    N_LIST, /* kids */
    N_HASH, /* kids, names */
    N_OR,
    N_AND,
    N_NOT,
    N_COMPARE,    /* op */
    N_ARITHMETIC, /* op */
    N_SIGN,       /* op */
    N_CALL,       /* kids, fn */
    N_EXPREF,
    N_LET,     /* names and kids are the bindings, left what they hold for */
    N_FLATTEN, /* left */
    N_EACH,    /* left is an array: right on each element */
    N_EACH_VALUE,
    N_IF,     /* left, then one of two kids */
    N_FILTER, /* left, right, and kids[0] the condition */
};
struct node {
    enum node_type type;
    enum tok op;
    u32 depth;
    u32 n; /* kids */
    struct str text;
    struct node *left, *right;
    struct node **kids;
    struct str *names;
    const struct function *fn; /* NULL: unknown */
    struct jv lit;
    i64 slice[3];
    bool sliced[3];
};
/* NULL with *ret_err in the arena and *ret_at. */
struct node *jmespath_parse(struct str expr, struct arena *a, const char **ret_err, u32 *ret_at);

/* --- interpreter --- */
/* A value while it is worked on: an expression reference is no JSON value, but may be an argument
 * or be bound to a variable. */
struct binding {
    struct str name;
    struct jv value;
    const struct closure *fn; /* value is an expression reference */
    const struct binding *outer;
};
struct closure {
    const struct node *body;
    const struct binding *scope;
};
struct arg {
    struct jv v;
    const struct closure *fn;
};
struct search {
    struct arena *a;
    const struct jv *root;
    size_t steps, memory;
    const char *err;
};
/* All return false with s->err set on failure. */
bool jmespath_fail(struct search *s, const char *fmt, ...) PRINTF(2, 3);
/* Counts n steps, or n bytes that are about to be taken from the arena. */
bool jmespath_steps(struct search *s, size_t n);
bool jmespath_memory(struct search *s, size_t n);
struct jv *jmespath_array(struct search *s, size_t n); /* NULL: failed */
bool jmespath_apply(struct search *s, const struct closure *fn, const struct jv *on,
                    struct jv *ret);
bool jmespath_false(const struct jv *v);
int jmespath_eval(const struct node *n, const struct jv *doc, struct arena *a, struct jv *ret,
                  const char **ret_err);

/* --- functions --- */
/* What an argument may be; several are or-ed. */
enum {
    A_NULL = 1 << JV_NULL,
    A_BOOL = 1 << JV_BOOL,
    A_NUMBER = 1 << JV_NUMBER,
    A_STRING = 1 << JV_STRING,
    A_ARRAY = 1 << JV_ARRAY,
    A_OBJECT = 1 << JV_OBJECT,
    A_ANY = A_NULL | A_BOOL | A_NUMBER | A_STRING | A_ARRAY | A_OBJECT,
    A_NUMBERS = 1 << 8, /* array of numbers */
    A_STRINGS = 1 << 9,
    A_ARRAYS = 1 << 10,
    A_EXPR = 1 << 11
};
struct function {
    const char *name;
    bool (*call)(struct search *s, const struct arg *args, size_t n, struct jv *ret);
    u8 min, max; /* arguments; FN_MANY: any number, all further ones like the last */
    u16 types[4];
};
#define FN_MANY 255
const struct function *jmespath_function(struct str name); /* NULL: unknown */
bool jmespath_call(struct search *s, const struct function *fn, const struct arg *args, size_t n,
                   struct jv *ret);
extern const struct function jmespath_fn_text[], jmespath_fn_lists[], jmespath_fn_numbers[];

#endif
