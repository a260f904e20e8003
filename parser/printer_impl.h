/* The printer's middle layer, shared by the tree walk (printer.c) and the comments
 * (printer_comments.c): tokens with their places in the source, white space that waits for the next
 * token, comments merged in between by place. */
#ifndef PARSER_PRINTER_IMPL_H
#define PARSER_PRINTER_IMPL_H

#include "parser/ast.h"
#include "parser/layout.h"

enum space {
    SP_BLANK,
    SP_CELL,    /* ends the cell: stands before `=` */
    SP_NEWLINE, /* columns go on below */
    SP_BREAK,   /* columns end */
    SP_INDENT,
    SP_UNINDENT,
};

struct printer {
    struct layout out;
    VEC(enum space) waiting;
    const struct comment *comments; /* those not yet printed */
    size_t n_comments;
    struct pos last; /* in the source: right behind what was printed last; line 0 at the start */
    unsigned indent;
    bool line_empty;  /* nothing but indentation to come on this line */
    bool single_line; /* an expression for a message: source lines do not matter */
};

/* Hands white space to the layout. */
void printer_space(struct printer *p, enum space s);
/* Text at the cursor of the output; indents first on a new line. */
void printer_text(struct printer *p, struct str s);
/* Hands over all that waits. */
void printer_write_waiting(struct printer *p);
/* Prints the comments that stand before `next`, and the waiting white space in front of, between
 * and behind them. */
void printer_flush(struct printer *p, struct pos next);

#endif
