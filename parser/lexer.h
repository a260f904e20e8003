/* Source text to tokens, pulled one at a time. Faults go to diags as they are met; scanning always
 * goes on. Plain struct: copying it saves the place. Borrows source and diags. */
#ifndef PARSER_LEXER_H
#define PARSER_LEXER_H

#include "parser/source.h"
#include "parser/token.h"

#define LEX_END UINT32_MAX /* the character past the end */

/* Of one text; further ones are of no use and would only cost memory. */
#define LEX_FAULTS_MAX 10000

struct lexer {
    const struct source *src;
    struct diags *diags;
    size_t fault_limit; /* of errors in diags */
    size_t at;          /* offset of the character under the cursor */
    size_t next;        /* offset behind it */
    u32 ch;             /* the character, LEX_END at the end */
    u32 line;           /* of the cursor, from 1 */
    size_t line_start;  /* offset of that line's first byte */
    bool terminate;     /* a newline here ends a statement */
};

void lex_init(struct lexer *lx, const struct source *src, struct diags *diags);
/* LEX_FAULTS_MAX errors were added since lex_init, the parser's included: no more are reported. */
bool lex_full(const struct lexer *lx);
/* The next token, comments included; TOK_EOF for ever at the end. */
struct lexeme lex_next(struct lexer *lx);
/* True when the whole of s is one identifier and no reserved word. */
bool lex_is_identifier(struct str s);

#endif
