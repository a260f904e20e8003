/* Text to tree. Recovers and goes on: every fault is in diags. */
#ifndef PARSER_PARSER_H
#define PARSER_PARSER_H

#include "parser/ast.h"
#include "parser/source.h"

#define PARSE_DEPTH_MAX                                                                            \
    2000 /* nested expressions and blocks; deeper is a diagnostic, not a stack overflow */

/* NULL when any error was added. The tree holds a reference on src; tree_free it. */
struct tree *parse_file(struct source *src, struct diags *diags);
/* A lone expression (eval, defaults in schema tables): the whole text must be one. */
struct tree *parse_expr(struct source *src, struct diags *diags, struct expr **ret);
void tree_free(struct tree *t); /* takes NULL */

/* The check made at load time (not by fmt): is the text marked as another encoding than UTF-8? NULL
 * when not, else an owned message, free() it. Bytes that are not UTF-8 are the lexer's to report:
 * it knows where they stand. */
char *source_check_encoding(struct str text);

#endif
