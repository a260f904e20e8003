/* A parsed path: steps, and the expressions of filters. Everything lives in the path's arena. */
#ifndef STDLIB_JSONPATH_INT_H
#define STDLIB_JSONPATH_INT_H

#include "base/arena.h"
#include "base/regex.h"
#include "parser/ast.h"
#include "stdlib/jsonpath.h"

#define JSONPATH_STEPS_MAX 1000 /* steps of one path, those inside filters included */
#define JSONPATH_DEPTH_MAX 100  /* nesting of filters and parentheses */

enum selector_kind { SELECT_NAME, SELECT_INDEX, SELECT_SLICE };
struct selector {
    enum selector_kind kind;
    struct str name;
    i64 index;
    i64 from, to, step; /* slice */
    bool has_to;
};

enum step_kind { STEP_SELECT, STEP_ALL, STEP_DESCENT, STEP_FILTER };
struct step {
    enum step_kind kind;
    struct selector *selectors; /* SELECT: a union */
    size_t n;
    struct fexpr *filter;
};

struct path {
    bool relative; /* @: the element at hand; else the document */
    struct step *steps;
    size_t n;
};

enum fexpr_kind { F_LITERAL, F_PATH, F_NOT, F_BINARY, F_FUNCTION, F_LIST };
enum fop {
    FOP_OR,
    FOP_AND,
    FOP_EQ,
    FOP_NE,
    FOP_LT,
    FOP_LE,
    FOP_GT,
    FOP_GE,
    FOP_ADD,
    FOP_SUB,
    FOP_MUL,
    FOP_DIV,
    FOP_MATCH,
    FOP_IN,
    FOP_HAS,
    FOP_EMPTY
};
enum ffunc { FFUNC_LENGTH, FFUNC_COUNT, FFUNC_MATCH, FFUNC_SEARCH };
struct fexpr {
    enum fexpr_kind kind;
    enum fop op;
    enum ffunc func;
    struct value value;   /* LITERAL: held by the arena */
    struct path path;     /* PATH */
    struct regex *regex;  /* LITERAL: /.../ */
    struct fexpr *l, *r;  /* NOT: l; BINARY; FUNCTION: arguments */
    struct fexpr **items; /* LIST */
    size_t n;
};

struct jsonpath {
    struct arena arena;
    struct path path;
};

struct path_parser {
    struct str text;
    size_t at;
    struct arena *arena;
    char *err; /* owned, the first one */
    int depth;
    size_t steps;
};

/* NULL, with the error set. */
void *jsonpath_fail(struct path_parser *p, const char *what);
void jsonpath_space(struct path_parser *p);
bool jsonpath_take(struct path_parser *p, const char *token);
/* The character at hand, 0 at the end. */
char jsonpath_peek(const struct path_parser *p);
bool jsonpath_is_name(char c);
/* A quoted string; the quote is at hand. */
bool jsonpath_string(struct path_parser *p, struct str *ret);
/* Steps up to what is no step. */
bool jsonpath_steps(struct path_parser *p, struct path *ret);
/* The expression after '?'. */
struct fexpr *jsonpath_filter(struct path_parser *p);

struct path_walk {
    struct value doc;
    struct value *found; /* owned */
    size_t n, cap;
    size_t *work; /* shared with the walks of filters */
    bool first_only;
    bool over; /* too many matches or too much work */
};
void jsonpath_walk(struct path_walk *w, const struct path *p, struct value at);
void jsonpath_walk_done(struct path_walk *w);
/* Whether an element passes a filter. */
bool jsonpath_passes(struct path_walk *w, const struct fexpr *f, struct value element);

#endif
