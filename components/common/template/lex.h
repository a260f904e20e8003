/* Template text to tokens. */
#ifndef COMPONENTS_COMMON_TEMPLATE_LEX_H
#define COMPONENTS_COMMON_TEMPLATE_LEX_H

#include "base/arena.h"

enum token_kind {
    TOK_ERROR, /* text: what is wrong */
    TOK_EOF,
    TOK_BOOL,
    TOK_CHAR, /* a printable ASCII character: "," */
    TOK_CHAR_CONSTANT,
    TOK_ASSIGN,
    TOK_DECLARE,
    TOK_FIELD, /* ".x" */
    TOK_IDENTIFIER,
    TOK_LEFT,
    TOK_LEFT_PAREN,
    TOK_NUMBER,
    TOK_PIPE,
    TOK_RAW_STRING,
    TOK_RIGHT,
    TOK_RIGHT_PAREN,
    TOK_SPACE,
    TOK_STRING,
    TOK_TEXT,
    TOK_VARIABLE, /* "$x" */
    TOK_KEYWORD,  /* only to compare with: what follows is one */
    TOK_BLOCK,
    TOK_BREAK,
    TOK_CONTINUE,
    TOK_DEFINE,
    TOK_DOT,
    TOK_ELSE,
    TOK_END,
    TOK_IF,
    TOK_NIL,
    TOK_RANGE,
    TOK_TEMPLATE,
    TOK_WITH
};
struct token {
    enum token_kind kind;
    struct str text;
    int line;
};
struct tokens {
    struct token *v; /* in the arena; the last is TOK_EOF or TOK_ERROR */
    size_t n;
};
/* Tokens are views of the text, which must stay. */
struct tokens lex(struct str text, struct arena *a);
bool lex_alphanumeric(u32 c);

#endif
