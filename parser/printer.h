/* Tree back to canonical text: `weir fmt` (with comments), and the one-line form of an expression
 * in messages. Spec: formatter.md. */
#ifndef PARSER_PRINTER_H
#define PARSER_PRINTER_H

#include "parser/ast.h"

void print_tree(const struct tree *t, struct buf *out);
void print_expr(const struct expr *e, struct buf *out);
/* A string literal as the language writes it, quotes included. */
void print_quoted(struct str s, struct buf *out);

#endif
