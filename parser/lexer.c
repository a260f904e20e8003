/* The scanner: characters to tokens, with the language's newline rule (a newline ends a statement
 * after a token that can end one). It reads one character ahead; faults of single characters (NUL,
 * bad UTF-8, stray byte order mark) are reported when the cursor reaches them, so their order
 * against token faults is part of the language's observable behaviour. */
#include "parser/lexer.h"
#include "base/utf8.h"

#define BOM 0xFEFFu

static const char *const token_names[] = {
#define TOKEN_NAME(name, text, prec) [TOK_##name] = text,
    TOKENS(TOKEN_NAME)
#undef TOKEN_NAME
};

static const u8 token_precedences[] = {
#define TOKEN_PREC(name, text, prec) [TOK_##name] = prec,
    TOKENS(TOKEN_PREC)
#undef TOKEN_PREC
};

const char *token_name(enum token t)
{
    return token_names[t];
}

int token_precedence(enum token t)
{
    return token_precedences[t];
}

/* --- characters and places --- */

static struct pos place(const struct lexer *lx)
{
    return (struct pos){lx->line, (u32)(lx->at - lx->line_start) + 1};
}

static void fault(struct lexer *lx, enum diag_code code, struct pos at, const char *fmt, ...)
    PRINTF(4, 5);
static void fault(struct lexer *lx, enum diag_code code, struct pos at, const char *fmt, ...)
{
    if (lex_full(lx)) return;
    va_list ap;
    va_start(ap, fmt);
    diag_vadd(lx->diags, SEV_ERROR, code, (struct span){.file = lx->src, .start = at}, fmt, ap);
    va_end(ap);
}

/* Decodes the character under the cursor and reports what no text may hold. */
static void read_char(struct lexer *lx)
{
    struct str rest = str_sub(lx->src->text, lx->at, lx->src->text.n);
    bool bad;
    lx->next = lx->at + utf8_decode(rest, &lx->ch, &bad);
    if (bad)
        fault(lx, DIAG_LEX_ENCODING, place(lx), "illegal UTF-8 encoding");
    else if (lx->ch == 0)
        fault(lx, DIAG_LEX_CHAR, place(lx), "illegal character NUL");
    else if (lx->ch == BOM && lx->at > 0)
        fault(lx, DIAG_LEX_CHAR, place(lx), "illegal byte order mark");
}

static void advance(struct lexer *lx)
{
    if (lx->ch == '\n') {
        lx->line++;
        lx->line_start = lx->next;
    }
    lx->at = lx->next;
    if (lx->at < lx->src->text.n)
        read_char(lx);
    else
        lx->ch = LEX_END;
}

bool lex_full(const struct lexer *lx)
{
    return lx->diags->n_errors >= lx->fault_limit;
}

void lex_init(struct lexer *lx, const struct source *src, struct diags *diags)
{
    *lx = (struct lexer){
        .src = src, .diags = diags, .fault_limit = diags->n_errors + LEX_FAULTS_MAX, .line = 1};
    advance(lx);
    if (lx->ch == BOM) advance(lx);
}

static bool accept(struct lexer *lx, u32 ch)
{
    if (lx->ch != ch) return false;
    advance(lx);
    return true;
}

static bool is_digit(u32 c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(u32 c)
{
    if (c < 0x80) return c == '_' || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
    return c != LEX_END && utf8_is_letter(c);
}

static bool is_word(u32 c)
{
    return is_letter(c) || is_digit(c) || (c >= 0x80 && c != LEX_END && utf8_is_digit(c));
}

static void skip_space(struct lexer *lx)
{
    while (lx->ch == ' ' || lx->ch == '\t' || lx->ch == '\r' || (lx->ch == '\n' && !lx->terminate))
        advance(lx);
}

/* --- identifiers and numbers --- */

static const struct {
    const char *text;
    enum token tok;
} keywords[] = {{"true", TOK_BOOL}, {"false", TOK_BOOL}, {"null", TOK_NULL}};

static enum token word_token(struct str word)
{
    for (size_t i = 0; i < ARRAY_LEN(keywords); i++)
        if (str_is(word, keywords[i].text)) return keywords[i].tok;
    return TOK_IDENT;
}

static enum token lex_word(struct lexer *lx)
{
    size_t from = lx->at;
    while (is_word(lx->ch))
        advance(lx);
    return word_token(str_sub(lx->src->text, from, lx->at));
}

bool lex_is_identifier(struct str s)
{
    if (s.n == 0 || word_token(s) != TOK_IDENT) return false;
    for (size_t i = 0; i < s.n;) {
        u32 c;
        bool bad;
        size_t width = utf8_decode(str_sub(s, i, s.n), &c, &bad);
        if (bad || !(i == 0 ? is_letter(c) : is_word(c))) return false;
        i += width;
    }
    return true;
}

static void skip_digits(struct lexer *lx)
{
    while (is_digit(lx->ch))
        advance(lx);
}

static void lex_exponent(struct lexer *lx, struct pos start)
{
    advance(lx);
    if (lx->ch == '+' || lx->ch == '-') advance(lx);
    if (!is_digit(lx->ch)) fault(lx, DIAG_LEX_NUMBER, start, "exponent has no digits");
    skip_digits(lx);
}

/* The cursor is on the first digit, or behind a leading dot. */
static enum token lex_number(struct lexer *lx, struct pos start, bool dotted)
{
    enum token tok = dotted ? TOK_FLOAT : TOK_NUMBER;
    skip_digits(lx);
    if (!dotted && accept(lx, '.')) {
        tok = TOK_FLOAT;
        skip_digits(lx);
    }
    if (lx->ch == 'e' || lx->ch == 'E') {
        tok = TOK_FLOAT;
        lex_exponent(lx, start);
    }
    return tok;
}

/* --- strings --- */

#define SIMPLE_ESCAPES "abfnrtv\\\""

/* Escapes with digits: how many, of which base, up to which value. Octal ones have no letter. */
struct escape {
    char letter;
    u8 digits, base;
    u32 max;
};
static const struct escape octal_escape = {0, 3, 8, 255};
static const struct escape letter_escapes[] = {
    {'x', 2, 16, 0xFF},
    {'u', 4, 16, 0x10FFFF},
    {'U', 8, 16, 0x10FFFF},
};

static const struct escape *escape_with_digits(u32 c)
{
    if (c >= '0' && c <= '7') return &octal_escape;
    for (size_t i = 0; i < ARRAY_LEN(letter_escapes); i++)
        if ((u32)letter_escapes[i].letter == c) return &letter_escapes[i];
    return NULL;
}

static bool is_simple_escape(u32 c)
{
    return c > 0 && c < 0x80 && strchr(SIMPLE_ESCAPES, (int)c) != NULL;
}

static u32 digit_value(u32 c)
{
    if (is_digit(c)) return c - '0';
    if (c < 0x80 && (c | 0x20) >= 'a' && (c | 0x20) <= 'f') return (c | 0x20) - 'a' + 10;
    return 16;
}

/* `U+0041 'A'`, without the quoted form when it does not print. */
static const char *char_text(u32 c, struct buf *out)
{
    buf_printf(out, "U+%04X", c);
    if (utf8_is_print(c)) {
        buf_cstr(out, " '");
        utf8_encode(out, c);
        buf_ch(out, '\'');
    }
    return buf_err(out) ? "" : out->p;
}

static void bad_digit(struct lexer *lx, struct pos at)
{
    if (lx->ch == LEX_END) {
        fault(lx, DIAG_LEX_ESCAPE, at, "escape sequence not terminated");
        return;
    }
    struct buf b = BUF_INIT(64);
    fault(lx, DIAG_LEX_ESCAPE, at, "illegal character %s in escape sequence",
          char_text(lx->ch, &b));
    buf_done(&b);
}

static void escape_digits(struct lexer *lx, const struct escape *e, struct pos at)
{
    u32 value = 0;
    for (int i = 0; i < e->digits; i++) {
        u32 d = digit_value(lx->ch);
        if (d >= e->base) {
            bad_digit(lx, at);
            return;
        }
        value = value * e->base + d;
        advance(lx);
    }
    if (value > e->max || (value >= 0xD800 && value < 0xE000))
        fault(lx, DIAG_LEX_ESCAPE, at, "escape sequence is invalid Unicode code point");
}

/* The cursor is behind the backslash, where all faults of the sequence are reported. */
static void lex_escape(struct lexer *lx)
{
    struct pos at = place(lx);
    if (is_simple_escape(lx->ch)) {
        advance(lx);
        return;
    }
    const struct escape *e = escape_with_digits(lx->ch);
    if (!e) {
        fault(lx, DIAG_LEX_ESCAPE, at, "%s",
              lx->ch == LEX_END ? "escape sequence not terminated" : "unknown escape sequence");
        return;
    }
    if (e->letter) advance(lx);
    escape_digits(lx, e, at);
}

static void unterminated(struct lexer *lx, struct pos start)
{
    fault(lx, DIAG_LEX_STRING, start, "string literal not terminated");
}

/* The cursor is behind the opening quote. */
static void lex_quoted(struct lexer *lx, struct pos start, u32 quote)
{
    for (;;) {
        u32 c = lx->ch;
        if (c == '\n' || c == LEX_END) {
            unterminated(lx, start);
            return;
        }
        advance(lx);
        if (c == quote) return;
        if (c == '\\') lex_escape(lx);
    }
}

static void lex_raw(struct lexer *lx, struct pos start)
{
    while (lx->ch != '`') {
        if (lx->ch == LEX_END) {
            unterminated(lx, start);
            return;
        }
        advance(lx);
    }
    advance(lx);
}

/* --- comments --- */

/* From behind the opening to behind the end; false when the text ends first. *ret_newline: one
 * stands inside. */
static bool skip_block_comment(struct lexer *lx, bool *ret_newline)
{
    while (lx->ch != LEX_END) {
        u32 c = lx->ch;
        if (c == '\n') *ret_newline = true;
        advance(lx);
        if (c == '*' && accept(lx, '/')) return true;
    }
    return false;
}

/* The cursor is on the second character of a comment. */
static void lex_comment(struct lexer *lx, struct pos start)
{
    if (lx->ch == '/') {
        while (lx->ch != '\n' && lx->ch != LEX_END)
            advance(lx);
        return;
    }
    advance(lx);
    bool newline = false;
    if (!skip_block_comment(lx, &newline))
        fault(lx, DIAG_LEX_COMMENT, start, "block comment not terminated");
}

/* Looks ahead from the cursor, on a slash: does nothing but comments follow on this line? A copy of
 * the lexer walks. */
static bool comments_end_line(struct lexer lx)
{
    while (accept(&lx, '/')) {
        if (lx.ch == '/') return true;
        if (!accept(&lx, '*')) return false;
        bool newline = false;
        skip_block_comment(&lx, &newline);
        if (newline) return true;
        skip_space(&lx);
        if (lx.ch == '\n' || lx.ch == LEX_END) return true;
    }
    return false;
}

/* --- operators --- */

/* single: the token of the character alone. pair + second: the token with the second character.
 * need: the character must be doubled, alone it is reported and taken for the pair. */
static const struct op_row {
    char first, second;
    bool need;
    enum token single, pair;
} op_rows[] = {
    {'|', '|', true, TOK_OR, TOK_OR},   {'&', '&', true, TOK_AND, TOK_AND},
    {'!', '=', false, TOK_NOT, TOK_NE}, {'=', '=', false, TOK_ASSIGN, TOK_EQ},
    {'<', '=', false, TOK_LT, TOK_LE},  {'>', '=', false, TOK_GT, TOK_GE},
    {'+', 0, false, TOK_ADD, TOK_ADD},  {'-', 0, false, TOK_SUB, TOK_SUB},
    {'*', 0, false, TOK_MUL, TOK_MUL},  {'/', 0, false, TOK_DIV, TOK_DIV},
    {'%', 0, false, TOK_MOD, TOK_MOD},  {'^', 0, false, TOK_POW, TOK_POW},
    {'{', 0, false, TOK_LCURLY, 0},     {'}', 0, false, TOK_RCURLY, 0},
    {'(', 0, false, TOK_LPAREN, 0},     {')', 0, false, TOK_RPAREN, 0},
    {'[', 0, false, TOK_LBRACK, 0},     {']', 0, false, TOK_RBRACK, 0},
    {',', 0, false, TOK_COMMA, 0},      {'.', 0, false, TOK_DOT, 0},
};

static enum token lex_illegal(struct lexer *lx, struct pos start, u32 c)
{
    if (c == BOM) return TOK_ILLEGAL; /* reported when it was read */
    struct buf b = BUF_INIT(64);
    fault(lx, DIAG_LEX_CHAR, start, "illegal character %s", char_text(c, &b));
    buf_done(&b);
    return TOK_ILLEGAL;
}

static enum token lex_operator(struct lexer *lx, struct pos start, u32 c)
{
    for (const struct op_row *r = op_rows; r < op_rows + ARRAY_LEN(op_rows); r++) {
        if ((u32)r->first != c) continue;
        if (r->second && accept(lx, (u32)r->second)) return r->pair;
        if (r->need)
            fault(lx, DIAG_LEX_OPERATOR, place(lx), "missing second %c in %s", r->first,
                  token_name(r->pair));
        return r->single;
    }
    return lex_illegal(lx, start, c);
}

/* --- the token --- */

#define ENDS_STATEMENT                                                                             \
    (TOK_BIT(TOK_IDENT) | TOK_BIT(TOK_NUMBER) | TOK_BIT(TOK_FLOAT) | TOK_BIT(TOK_STRING) |         \
     TOK_BIT(TOK_BOOL) | TOK_BIT(TOK_NULL) | TOK_BIT(TOK_RPAREN) | TOK_BIT(TOK_RBRACK) |           \
     TOK_BIT(TOK_RCURLY))

/* A token that begins with the character c, behind which the cursor stands. */
static enum token lex_punctuated(struct lexer *lx, struct pos start, u32 c)
{
    switch (c) {
    case '"': lex_quoted(lx, start, '"'); return TOK_STRING;
    case '`': lex_raw(lx, start); return TOK_STRING;
    case '\'':
        fault(lx, DIAG_LEX_STRING, start, "illegal single-quoted string; use double quotes");
        lex_quoted(lx, start, '\'');
        return TOK_ILLEGAL;
    case '.':
        if (is_digit(lx->ch)) return lex_number(lx, start, true);
        break;
    case '/':
        if (lx->ch == '/' || lx->ch == '*') {
            lex_comment(lx, start);
            return TOK_COMMENT;
        }
        break;
    }
    return lex_operator(lx, start, c);
}

/* Does the statement end at the cursor? Comments up to the end of the line come after its
 * terminator. */
static bool terminator_due(struct lexer *lx)
{
    if (!lx->terminate) return false;
    if (lx->ch == '\n' || lx->ch == LEX_END) return true;
    if (lx->ch != '/') return false;
    struct diags ignored; /* what is wrong further on is reported when it is really read */
    diags_init(&ignored);
    struct lexer ahead = *lx;
    ahead.diags = &ignored;
    bool due = comments_end_line(ahead);
    diags_done(&ignored);
    return due;
}

static enum token scan(struct lexer *lx, struct pos start)
{
    u32 c = lx->ch;
    if (c == LEX_END) return TOK_EOF;
    if (is_letter(c)) return lex_word(lx);
    if (is_digit(c)) return lex_number(lx, start, false);
    advance(lx);
    return lex_punctuated(lx, start, c);
}

/* The place of the byte before the cursor, on the token's own last line. */
static struct pos last_byte(const struct lexer *lx, struct pos start)
{
    struct pos end = place(lx);
    if (end.col <= 1) return start;
    end.col--;
    return end;
}

struct lexeme lex_next(struct lexer *lx)
{
    skip_space(lx);
    size_t from = lx->at;
    struct lexeme t = {
        .text = str_sub(lx->src->text, from, from), .start = place(lx), .end = place(lx)};
    if (terminator_due(lx)) {
        lx->terminate = false;
        t.tok = TOK_TERMINATOR;
        return t;
    }
    bool was = lx->terminate;
    t.tok = scan(lx, t.start);
    t.text = str_sub(lx->src->text, from, lx->at);
    if (t.text.n) t.end = last_byte(lx, t.start);
    if (t.tok == TOK_ILLEGAL)
        lx->terminate = was || t.text.p[0] == '\'';
    else
        lx->terminate = (TOK_BIT(t.tok) & ENDS_STATEMENT) != 0;
    return t;
}
