/* The lexer: text between actions, and what stands in them. */
#include "components/common/template/lex.h"

#include "base/utf8.h"
#include "base/vec.h"

struct lexer {
    struct str text;
    size_t at, start;
    int line, start_line, parens;
    bool failed;
    struct arena *arena;
    VEC(struct token) out;
};

#define END_OF_TEXT UINT32_MAX

static bool is_space(u32 c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

bool lex_alphanumeric(u32 c)
{
    return c == '_' || (c != END_OF_TEXT && (utf8_is_letter(c) || utf8_is_digit(c)));
}

/* --- moving --- */

static struct str rest(const struct lexer *l)
{
    return str_sub(l->text, l->at, l->text.n);
}

static u32 peek(const struct lexer *l)
{
    u32 c = END_OF_TEXT;
    if (l->at < l->text.n) utf8_decode(rest(l), &c, NULL);
    return c;
}

static void advance(struct lexer *l, size_t n)
{
    for (size_t i = 0; i < n; i++)
        l->line += l->text.p[l->at + i] == '\n';
    l->at += n;
}

static u32 next(struct lexer *l)
{
    u32 c = END_OF_TEXT;
    if (l->at < l->text.n) advance(l, utf8_decode(rest(l), &c, NULL));
    return c;
}

static void ignore(struct lexer *l)
{
    l->start = l->at;
    l->start_line = l->line;
}

static void emit(struct lexer *l, enum token_kind kind)
{
    struct token t = {kind, str_sub(l->text, l->start, l->at), l->start_line};
    vec_push(&l->out, t);
    ignore(l);
}

static void fail(struct lexer *l, const char *text)
{
    struct token t = {TOK_ERROR, str_of(text), l->start_line};
    vec_push(&l->out, t);
    l->failed = true;
}

static void fail_char(struct lexer *l, const char *what, u32 c)
{
    struct buf ch = BUF_INIT(16);
    if (c != END_OF_TEXT) utf8_encode(&ch, c);
    if (c == END_OF_TEXT)
        fail(l, arena_printf(l->arena, "%s U+FFFFFFFFFFFFFFFF", what));
    else if (utf8_is_print(c))
        fail(l, arena_printf(l->arena, "%s U+%04X '" STR_FMT "'", what, c, STR_ARG(buf_view(&ch))));
    else
        fail(l, arena_printf(l->arena, "%s U+%04X", what, c));
    buf_done(&ch);
}

/* --- delimiters --- */

static bool trims_left(struct str s)
{
    return s.n >= 2 && s.p[0] == '-' && is_space((u8)s.p[1]);
}

/* At the right delimiter, perhaps behind " -". */
static bool at_right(const struct lexer *l, bool *ret_trim)
{
    struct str s = rest(l);
    *ret_trim = s.n >= 2 && is_space((u8)s.p[0]) && s.p[1] == '-' &&
                str_starts(str_sub(s, 2, s.n), STR("}}"));
    return *ret_trim || str_starts(s, STR("}}"));
}

static void skip_spaces(struct lexer *l)
{
    while (l->at < l->text.n && is_space((u8)l->text.p[l->at]))
        advance(l, 1);
    ignore(l);
}

static void right_delimiter(struct lexer *l, bool trim)
{
    if (trim) advance(l, 2);
    ignore(l);
    advance(l, 2);
    emit(l, TOK_RIGHT);
    if (trim) skip_spaces(l);
}

static void comment(struct lexer *l)
{
    bool trim;
    ssize_t end = str_find(rest(l), STR("*/"));
    if (end < 0) {
        fail(l, "unclosed comment");
        return;
    }
    advance(l, (size_t)end + 2);
    if (!at_right(l, &trim)) {
        fail(l, "comment ends before closing delimiter");
        return;
    }
    advance(l, trim ? 4 : 2);
    ignore(l);
    if (trim) skip_spaces(l);
}

/* --- in an action --- */

static bool at_terminator(const struct lexer *l)
{
    u32 c = peek(l);
    return is_space(c) || c == END_OF_TEXT || c == '.' || c == ',' || c == '|' || c == ':' ||
           c == ')' || c == '(' || str_starts(rest(l), STR("}}"));
}

static void word(struct lexer *l)
{
    while (lex_alphanumeric(peek(l)))
        next(l);
}

static const struct {
    const char *word;
    enum token_kind kind;
} keywords[] = {
    {"block", TOK_BLOCK},   {"break", TOK_BREAK}, {"continue", TOK_CONTINUE},
    {"define", TOK_DEFINE}, {"else", TOK_ELSE},   {"end", TOK_END},
    {"if", TOK_IF},         {"nil", TOK_NIL},     {"range", TOK_RANGE},
    {"true", TOK_BOOL},     {"false", TOK_BOOL},  {"template", TOK_TEMPLATE},
    {"with", TOK_WITH},
};

static void identifier(struct lexer *l)
{
    word(l);
    if (!at_terminator(l)) {
        fail_char(l, "bad character", peek(l));
        return;
    }
    struct str s = str_sub(l->text, l->start, l->at);
    for (size_t i = 0; i < ARRAY_LEN(keywords); i++) {
        if (!str_is(s, keywords[i].word)) continue;
        emit(l, keywords[i].kind);
        return;
    }
    emit(l, TOK_IDENTIFIER);
}

/* Behind "." or "$". */
static void name(struct lexer *l, enum token_kind alone, enum token_kind named)
{
    if (at_terminator(l)) {
        emit(l, alone);
        return;
    }
    word(l);
    if (at_terminator(l))
        emit(l, named);
    else
        fail_char(l, "bad character", peek(l));
}

/* A quoted text up to `quote`, which a line break ends too soon. */
static void quoted(struct lexer *l, u32 quote, enum token_kind kind, const char *fault)
{
    for (u32 c = next(l); c != quote; c = next(l)) {
        if (c == '\\') c = next(l);
        if (c == END_OF_TEXT || c == '\n') {
            fail(l, fault);
            return;
        }
    }
    emit(l, kind);
}

static void raw(struct lexer *l)
{
    u32 c;
    while ((c = next(l)) != '`')
        if (c == END_OF_TEXT) {
            fail(l, "unterminated raw quoted string");
            return;
        }
    emit(l, TOK_RAW_STRING);
}

static bool take(struct lexer *l, const char *set)
{
    u32 c = peek(l);
    if (c == 0 || c >= 0x80 || !strchr(set, (int)c)) return false;
    next(l);
    return true;
}

static void take_all(struct lexer *l, const char *set)
{
    while (take(l, set))
        ;
}

static bool scan_number(struct lexer *l)
{
    const char *digits = "0123456789_";
    take(l, "+-");
    if (take(l, "0")) {
        if (take(l, "xX"))
            digits = "0123456789abcdefABCDEF_";
        else if (take(l, "oO"))
            digits = "01234567_";
        else if (take(l, "bB"))
            digits = "01_";
    }
    take_all(l, digits);
    if (take(l, ".")) take_all(l, digits);
    bool hex = strlen(digits) > 20;
    if (hex ? take(l, "pP") : strlen(digits) == 11 && take(l, "eE")) {
        take(l, "+-");
        take_all(l, "0123456789_");
    }
    if (!lex_alphanumeric(peek(l))) return true;
    next(l);
    return false;
}

static void number(struct lexer *l)
{
    l->at = l->start;
    if (scan_number(l)) {
        emit(l, TOK_NUMBER);
        return;
    }
    struct buf b = BUF_INIT(1 << 16);
    buf_cstr(&b, "bad number syntax: ");
    utf8_quote(&b, str_sub(l->text, l->start, l->at));
    fail(l, arena_strdup(l->arena, buf_view(&b)));
    buf_done(&b);
}

/* A run of spaces; the last one belongs to a "-}}" behind it. */
static void spaces(struct lexer *l)
{
    bool trim = false;
    while (is_space(peek(l))) {
        if (at_right(l, &trim) && trim) break;
        next(l);
    }
    if (l->at == l->start)
        right_delimiter(l, true);
    else
        emit(l, TOK_SPACE);
}

static void close_paren(struct lexer *l)
{
    if (--l->parens < 0)
        fail(l, "unexpected right paren");
    else
        emit(l, TOK_RIGHT_PAREN);
}

static void other(struct lexer *l, u32 c)
{
    if (c < 0x80 && utf8_is_print(c))
        emit(l, TOK_CHAR);
    else
        fail_char(l, "unrecognized character in action:", c);
}

static void dot(struct lexer *l)
{
    u32 c = peek(l);
    if (c >= '0' && c <= '9')
        number(l);
    else
        name(l, TOK_DOT, TOK_FIELD);
}

static void declare(struct lexer *l)
{
    if (next(l) == '=')
        emit(l, TOK_DECLARE);
    else
        fail(l, "expected :=");
}

static void open_paren(struct lexer *l)
{
    l->parens++;
    emit(l, TOK_LEFT_PAREN);
}

static void in_action(struct lexer *l)
{
    u32 c = next(l);
    switch (c) {
    case END_OF_TEXT: fail(l, "unclosed action"); return;
    case '=': emit(l, TOK_ASSIGN); return;
    case ':': declare(l); return;
    case '|': emit(l, TOK_PIPE); return;
    case '"': quoted(l, '"', TOK_STRING, "unterminated quoted string"); return;
    case '`': raw(l); return;
    case '$': name(l, TOK_VARIABLE, TOK_VARIABLE); return;
    case '\'': quoted(l, '\'', TOK_CHAR_CONSTANT, "unterminated character constant"); return;
    case '.': dot(l); return;
    case '(': open_paren(l); return;
    case ')': close_paren(l); return;
    default: break;
    }
    if (c == '+' || c == '-' || (c >= '0' && c <= '9'))
        number(l);
    else if (lex_alphanumeric(c))
        identifier(l);
    else
        other(l, c);
}

static void action(struct lexer *l)
{
    bool trim;
    for (l->parens = 0; !l->failed;) {
        if (at_right(l, &trim)) {
            if (l->parens == 0) {
                right_delimiter(l, trim);
                return;
            }
            fail(l, "unclosed left paren");
        } else if (is_space(peek(l))) {
            size_t before = l->out.n;
            spaces(l);
            if (l->out.v[before].kind == TOK_RIGHT) return;
        } else {
            in_action(l);
        }
    }
}

static void left_delimiter(struct lexer *l)
{
    ignore(l);
    bool trim = trims_left(str_sub(rest(l), 2, rest(l).n));
    struct str body = str_sub(rest(l), trim ? 4 : 2, rest(l).n);
    if (str_starts(body, STR("/*"))) {
        advance(l, trim ? 4 : 2);
        comment(l);
        return;
    }
    advance(l, 2);
    emit(l, TOK_LEFT);
    if (trim) advance(l, 2);
    ignore(l);
    action(l);
}

static void text(struct lexer *l)
{
    ssize_t found = str_find(rest(l), STR("{{"));
    size_t n = found < 0 ? rest(l).n : (size_t)found, keep = n;
    if (found >= 0 && trims_left(str_sub(rest(l), n + 2, rest(l).n)))
        while (keep > 0 && is_space((u8)rest(l).p[keep - 1]))
            keep--;
    advance(l, keep);
    if (keep > 0) emit(l, TOK_TEXT);
    advance(l, n - keep);
}

struct tokens lex(struct str all, struct arena *a)
{
    struct lexer l = {.text = all, .line = 1, .start_line = 1, .arena = a};
    while (!l.failed && l.at < all.n) {
        text(&l);
        if (l.at < all.n) left_delimiter(&l);
    }
    ignore(&l);
    if (!l.failed) emit(&l, TOK_EOF);
    struct tokens out = {arena_memdup(a, l.out.v, l.out.n * sizeof(*l.out.v)), l.out.n};
    vec_done(&l.out);
    return out;
}
