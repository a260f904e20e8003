/* The tokens of the language: their names as messages print them, and their binary precedence (0:
 * no binary operator). One table, three readers: the enum, the names, the precedences. */
#ifndef PARSER_TOKEN_H
#define PARSER_TOKEN_H

#include "parser/ast.h"

/* X(name, printed, precedence) */
#define TOKENS(X)                                                                                  \
    X(EOF, "EOF", 0)                                                                               \
    X(ILLEGAL, "ILLEGAL", 0)                                                                       \
    X(COMMENT, "COMMENT", 0)                                                                       \
    X(TERMINATOR, "TERMINATOR", 0)                                                                 \
    X(IDENT, "IDENT", 0)                                                                           \
    X(NUMBER, "NUMBER", 0)                                                                         \
    X(FLOAT, "FLOAT", 0)                                                                           \
    X(STRING, "STRING", 0)                                                                         \
    X(BOOL, "BOOL", 0)                                                                             \
    X(NULL, "NULL", 0)                                                                             \
    X(OR, "||", 1)                                                                                 \
    X(AND, "&&", 2)                                                                                \
    X(EQ, "==", 3)                                                                                 \
    X(NE, "!=", 3)                                                                                 \
    X(LT, "<", 3)                                                                                  \
    X(LE, "<=", 3)                                                                                 \
    X(GT, ">", 3)                                                                                  \
    X(GE, ">=", 3)                                                                                 \
    X(ADD, "+", 4)                                                                                 \
    X(SUB, "-", 4)                                                                                 \
    X(MUL, "*", 5)                                                                                 \
    X(DIV, "/", 5)                                                                                 \
    X(MOD, "%", 5)                                                                                 \
    X(POW, "^", 6)                                                                                 \
    X(NOT, "!", 0)                                                                                 \
    X(ASSIGN, "=", 0)                                                                              \
    X(LCURLY, "{", 0)                                                                              \
    X(RCURLY, "}", 0)                                                                              \
    X(LPAREN, "(", 0)                                                                              \
    X(RPAREN, ")", 0)                                                                              \
    X(LBRACK, "[", 0)                                                                              \
    X(RBRACK, "]", 0)                                                                              \
    X(COMMA, ",", 0)                                                                               \
    X(DOT, ".", 0)

enum token {
#define TOKEN_ENUM(name, text, prec) TOK_##name,
    TOKENS(TOKEN_ENUM)
#undef TOKEN_ENUM
};

/* Set arithmetic over tokens: recovery skips to "one of these". */
#define TOK_BIT(t) (UINT64_C(1) << (t))

const char *token_name(enum token t);
int token_precedence(enum token t);

/* One token with its place. end is the place of its last byte. text is a view into the source. */
struct lexeme {
    enum token tok;
    struct str text;
    struct pos start, end;
};

#endif
