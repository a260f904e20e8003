/* JMESPath text to tokens. */
#include <errno.h>
#include "base/utf8.h"
#include "components/loki/jmespath/ast.h"

struct lexer {
    struct str expr;
    size_t at;
    struct arena *a;
    struct token *v;
    size_t n;
    const char *err;
    u32 err_at;
};

static bool fail(struct lexer *l, size_t at, const char *what)
{
    l->err = what;
    l->err_at = (u32)at;
    return false;
}

static struct token *add(struct lexer *l, enum tok type, size_t from)
{
    struct token *t = &l->v[l->n++];

    *t = (struct token){.type = type, .at = (u32)from, .text = str_sub(l->expr, from, l->at)};
    return t;
}

static char peek(const struct lexer *l)
{
    return l->at < l->expr.n ? l->expr.p[l->at] : '\0';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}
static bool is_name_start(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/* --- symbols: the longest first --- */
static const struct {
    const char *text;
    enum tok type;
} symbols[] = {
    {"[?", T_FILTER},
    {"[]", T_FLATTEN},
    {"||", T_OR},
    {"&&", T_AND},
    {"==", T_EQ},
    {"!=", T_NE},
    {"<=", T_LE},
    {">=", T_GE},
    {"//", T_INT_DIVIDE},
    {".", T_DOT},
    {"*", T_STAR},
    {"[", T_LBRACKET},
    {"]", T_RBRACKET},
    {"{", T_LBRACE},
    {"}", T_RBRACE},
    {"(", T_LPAREN},
    {")", T_RPAREN},
    {",", T_COMMA},
    {":", T_COLON},
    {"@", T_CURRENT},
    {"&", T_EXPREF},
    {"|", T_PIPE},
    {"!", T_NOT},
    {"=", T_ASSIGN},
    {"<", T_LT},
    {">", T_GT},
    {"+", T_PLUS},
    {"-", T_MINUS},
    {"\xE2\x88\x92", T_MINUS},
    {"\xC3\x97", T_TIMES},
    {"/", T_DIVIDE},
    {"\xC3\xB7", T_DIVIDE},
    {"%", T_MODULO},
    {"?", T_QUESTION},
};

static bool lex_symbol(struct lexer *l)
{
    struct str rest = str_sub(l->expr, l->at, l->expr.n);
    size_t from = l->at;

    for (size_t i = 0; i < sizeof(symbols) / sizeof(*symbols); i++) {
        struct str text = str_of(symbols[i].text);

        if (!str_starts(rest, text)) continue;
        l->at += text.n;
        add(l, symbols[i].type, from);
        return true;
    }
    return fail(l, from, "unexpected character");
}

/* --- words and numbers --- */

static void skip_word(struct lexer *l)
{
    while (is_name_start(peek(l)) || is_digit(peek(l)))
        l->at++;
}

static bool lex_word(struct lexer *l)
{
    size_t from = l->at;

    skip_word(l);
    add(l, T_IDENT, from);
    return true;
}

static bool lex_variable(struct lexer *l)
{
    size_t from = l->at++;

    skip_word(l);
    add(l, l->at - from == 1 ? T_ROOT : T_VARIABLE, from);
    return true;
}

static bool lex_number(struct lexer *l)
{
    size_t from = l->at++;

    while (is_digit(peek(l)))
        l->at++;
    add(l, T_NUMBER, from);
    return true;
}

/* --- quoted texts --- */

/* From the opening delimiter at l->at to behind the closing one; what stands between. */
static bool take_delimited(struct lexer *l, char delim, struct str *ret)
{
    size_t from = l->at++;

    for (; l->at < l->expr.n; l->at++) {
        char c = l->expr.p[l->at];

        if (c == delim) {
            *ret = str_sub(l->expr, from + 1, l->at++);
            return true;
        }
        if (c == '\\' && l->at + 1 < l->expr.n) l->at++;
    }
    return fail(l, from, "text without its closing delimiter");
}

/* Without the backslash before each character of `of`. */
static struct str unescape(struct lexer *l, struct str s, const char *of)
{
    char *out = arena_alloc(l->a, s.n + 1);
    size_t n = 0;

    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '\\' && i + 1 < s.n && strchr(of, s.p[i + 1])) i++;
        out[n++] = s.p[i];
    }
    return str_n(out, n);
}

static bool lex_raw_string(struct lexer *l)
{
    size_t from = l->at;
    struct str inner;

    if (!take_delimited(l, '\'', &inner)) return false;
    add(l, T_LITERAL, from)->lit = jv_str(unescape(l, inner, "'\\"));
    return true;
}

static bool lex_literal(struct lexer *l)
{
    size_t from = l->at;
    struct str inner;
    struct jv v;
    const char *err;

    if (!take_delimited(l, '`', &inner)) return false;
    if (jv_parse(unescape(l, inner, "`"), l->a, &v, &err))
        return fail(
            l, from,
            arena_printf(l->a, "the literal is not JSON (%s; a text is written '...')", err));
    add(l, T_LITERAL, from)->lit = v;
    return true;
}

static bool lex_quoted(struct lexer *l)
{
    size_t from = l->at;
    struct str inner;
    struct jv v;
    const char *err;

    if (!take_delimited(l, '"', &inner)) return false;
    if (jv_parse(str_sub(l->expr, from, l->at), l->a, &v, &err))
        return fail(l, from, arena_printf(l->a, "the quoted name is no JSON text (%s)", err));
    add(l, T_QUOTED, from)->text = v.str;
    return true;
}

/* --- the whole --- */

static bool lex_token(struct lexer *l)
{
    char c = peek(l), next = l->at + 1 < l->expr.n ? l->expr.p[l->at + 1] : '\0';

    if (is_name_start(c)) return lex_word(l);
    if (is_digit(c) || (c == '-' && is_digit(next))) return lex_number(l);
    if (c == '$') return lex_variable(l);
    if (c == '"') return lex_quoted(l);
    if (c == '\'') return lex_raw_string(l);
    if (c == '`') return lex_literal(l);
    return lex_symbol(l);
}

static bool skip_space(struct lexer *l)
{
    while (l->at < l->expr.n && memchr(" \t\r\n", l->expr.p[l->at], 4))
        l->at++;
    return l->at < l->expr.n;
}

struct token *jmespath_lex(struct str expr, struct arena *a, const char **ret_err, u32 *ret_at)
{
    struct lexer l = {.expr = expr, .a = a};

    if (expr.n > JMESPATH_MAX_TEXT)
        fail(&l, 0, "the expression is longer than 65536 bytes");
    else if (!utf8_valid(expr))
        fail(&l, 0, "the expression is not UTF-8");
    if (!l.err) l.v = arena_array(a, struct token, expr.n + 1);
    while (!l.err && skip_space(&l))
        lex_token(&l);
    if (!l.err) {
        add(&l, T_EOF, expr.n);
        return l.v;
    }
    *ret_err = l.err;
    *ret_at = l.err_at;
    return NULL;
}
