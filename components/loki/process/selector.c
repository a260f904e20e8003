/* Reading selectors: a lexer that knows where it is, and one function per rule of the grammar. */
#include "components/loki/process/selector.h"

#include "base/digest.h"
#include "base/buf.h"
#include "base/utf8.h"
#include "base/vec.h"

#define STRING_MAX ((size_t)1 << 20)

enum op { EQ, NEQ, RE, NRE };
struct matcher { /* of a label */
    struct str name, value;
    enum op op;
    struct regex *re;
};
struct filter { /* of the line */
    struct str text;
    enum op op;
    struct regex *re;
};
struct selector {
    struct arena arena;
    VEC(struct matcher) matchers;
    VEC(struct filter) filters;
};

void selector_free(struct selector *s)
{
    if (!s) return;
    vec_each (&s->matchers, m)
        regex_free(m->re);
    vec_each (&s->filters, f)
        regex_free(f->re);
    vec_done(&s->matchers);
    vec_done(&s->filters);
    arena_done(&s->arena);
    free(s);
}

/* --- tokens --- */

enum token {
    T_END,
    T_OPEN,
    T_CLOSE,
    T_COMMA,
    T_EQ,
    T_NEQ,
    T_RE,
    T_NRE,
    T_PIPE_EXACT,
    T_PIPE_MATCH,
    T_IDENTIFIER,
    T_STRING,
    T_BAD
};
static const char *const token_names[] = {[T_END] = "$end",
                                          [T_OPEN] = "{",
                                          [T_CLOSE] = "}",
                                          [T_COMMA] = ",",
                                          [T_EQ] = "=",
                                          [T_NEQ] = "!=",
                                          [T_RE] = "=~",
                                          [T_NRE] = "!~",
                                          [T_PIPE_EXACT] = "|=",
                                          [T_PIPE_MATCH] = "|~",
                                          [T_IDENTIFIER] = "IDENTIFIER",
                                          [T_STRING] = "STRING",
                                          [T_BAD] = "character"};

struct parser {
    struct selector *out;
    struct str text;
    size_t at, start; /* of the rest; of the token */
    enum token token;
    struct str value; /* of identifiers and strings */
    char *err;
};

static int fail(struct parser *p, const char *fmt, ...) PRINTF(2, 3);
static int fail(struct parser *p, const char *fmt, ...)
{
    u32 line = 1, col = 1;
    va_list ap;

    if (p->err) return -EINVAL;
    for (size_t i = 0; i < p->start && i < p->text.n; i++) {
        line += p->text.p[i] == '\n';
        col = p->text.p[i] == '\n' ? 1 : col + 1;
    }
    va_start(ap, fmt);
    char *what = xvprintf(fmt, ap);
    va_end(ap);
    p->err = xprintf("parse error at line %u, col %u: %s", line, col, what);
    free(what);
    return -EINVAL;
}

static bool starts(const struct parser *p, const char *what)
{
    return str_starts(str_sub(p->text, p->at, p->text.n), str_of(what));
}

/* Behind the end of a comment, or at the end of the text. */
static void skip_to(struct parser *p, const char *end)
{
    struct str rest = str_sub(p->text, p->at, p->text.n);
    ssize_t n = str_find(rest, str_of(end));

    p->at = n < 0 ? p->text.n : p->at + (size_t)n + strlen(end);
}

static void skip_blank(struct parser *p)
{
    while (p->at < p->text.n) {
        char c = p->text.p[p->at];
        if (c == ' ' || c == '\t' || c == '\n' || c == '\r')
            p->at++;
        else if (starts(p, "//"))
            skip_to(p, "\n");
        else if (starts(p, "/*"))
            skip_to(p, "*/");
        else
            return;
    }
}

static bool is_name(char c, bool first)
{
    bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';

    return letter || (!first && c >= '0' && c <= '9');
}

static enum token read_name(struct parser *p)
{
    size_t from = p->at;

    while (p->at < p->text.n && is_name(p->text.p[p->at], p->at == from))
        p->at++;
    p->value = str_sub(p->text, from, p->at);
    return p->at > from ? T_IDENTIFIER : T_BAD;
}

/* n digits of a base; -1: not as many. */
static i64 read_digits(struct parser *p, int n, int base)
{
    i64 v = 0;

    for (int i = 0; i < n; i++, p->at++) {
        int d = p->at < p->text.n ? hex_digit(p->text.p[p->at]) : -1;
        if (d < 0 || d >= base) return -1;
        v = v * base + d;
    }
    return v;
}

static bool read_coded(struct parser *p, char c, struct buf *b)
{
    i64 v;

    if (c >= '0' && c <= '7') {
        p->at--;
        v = read_digits(p, 3, 8);
    } else {
        v = read_digits(p, c == 'x' ? 2 : c == 'u' ? 4 : 8, 16);
    }
    if (v < 0) return false;
    if (c == 'u' || c == 'U') {
        if (v > 0x10FFFF || (v >= 0xD800 && v < 0xE000)) return false;
        utf8_encode(b, (u32)v);
        return true;
    }
    buf_ch(b, (char)v);
    return v <= 255;
}

/* One escape of Go's double-quoted strings; at stands behind the backslash. */
static bool read_escape(struct parser *p, struct buf *b)
{
    static const char names[] = "abfnrtv\\\"", values[] = "\a\b\f\n\r\t\v\\\"";

    if (p->at == p->text.n) return false;
    char c = p->text.p[p->at++];
    const char *known = c ? strchr(names, c) : NULL;
    if (known) {
        buf_ch(b, values[known - names]);
        return true;
    }
    if (!c || !strchr("01234567xuU", c)) return false;
    return read_coded(p, c, b);
}

static bool read_chars(struct parser *p, struct buf *b)
{
    while (p->at < p->text.n) {
        char c = p->text.p[p->at++];
        if (c == '"') return true;
        if (c == '\n') return false;
        if (c != '\\')
            buf_ch(b, c);
        else if (!read_escape(p, b))
            return false;
    }
    return false;
}

static enum token read_string(struct parser *p)
{
    struct buf b = BUF_INIT(STRING_MAX);

    p->at++;
    bool ok = read_chars(p, &b) && !buf_err(&b);
    if (ok)
        p->value = arena_str(&p->out->arena, buf_view(&b));
    else
        fail(p, "literal not terminated or with an invalid escape");
    buf_done(&b);
    return ok ? T_STRING : T_BAD;
}

static void next(struct parser *p)
{
    static const struct {
        const char *text;
        enum token token;
    } fixed[] = {{"{", T_OPEN}, {"}", T_CLOSE},       {",", T_COMMA},
                 {"=~", T_RE},  {"=", T_EQ},          {"!=", T_NEQ},
                 {"!~", T_NRE}, {"|=", T_PIPE_EXACT}, {"|~", T_PIPE_MATCH}};

    skip_blank(p);
    p->start = p->at;
    if (p->at == p->text.n) {
        p->token = T_END;
        return;
    }
    for (size_t i = 0; i < ARRAY_LEN(fixed); i++)
        if (starts(p, fixed[i].text)) {
            p->at += strlen(fixed[i].text);
            p->token = fixed[i].token;
            return;
        }
    p->token = p->text.p[p->at] == '"' ? read_string(p) : read_name(p);
}

/* --- grammar --- */

static int unexpected(struct parser *p, const char *wanted)
{
    if (p->token == T_BAD) {
        u8 c = p->start < p->text.n ? (u8)p->text.p[p->start] : 0;
        return c >= ' ' && c < 127
                   ? fail(p, "syntax error: unexpected character '%c', expecting %s", c, wanted)
                   : fail(p, "syntax error: unexpected byte 0x%02x, expecting %s", c, wanted);
    }
    return fail(p, "syntax error: unexpected %s, expecting %s", token_names[p->token], wanted);
}

static int expect(struct parser *p, enum token t)
{
    if (p->token != t) return unexpected(p, token_names[t]);
    next(p);
    return 0;
}

static int take_string(struct parser *p, struct str *ret)
{
    struct str value = p->value;

    if (p->token != T_STRING) return unexpected(p, token_names[T_STRING]);
    *ret = value;
    return 0;
}

static int compile(struct parser *p, enum op op, struct str text, bool whole, struct regex **ret)
{
    char *err = NULL;

    if (op != RE && op != NRE) return 0;
    *ret = whole ? regex_compile_anchored(text, &err) : regex_compile(text, &err);
    if (!*ret) fail(p, "%s", err);
    free(err);
    return *ret ? 0 : -EINVAL;
}

static int matcher(struct parser *p)
{
    struct matcher m = {.name = p->value};
    int err = expect(p, T_IDENTIFIER);

    if (err) return err;
    if (p->token < T_EQ || p->token > T_NRE) return unexpected(p, "=, !=, =~ or !~");
    m.op = (enum op)(p->token - T_EQ);
    next(p);
    err = take_string(p, &m.value);
    if (!err) err = compile(p, m.op, m.value, true, &m.re);
    if (err) return err;
    next(p);
    vec_push(&p->out->matchers, m);
    return 0;
}

static int matchers(struct parser *p)
{
    int err = expect(p, T_OPEN);

    if (!err) err = matcher(p);
    while (!err && p->token == T_COMMA) {
        next(p);
        err = matcher(p);
    }
    if (err) return err;
    if (p->token != T_CLOSE) return unexpected(p, "} or ,");
    next(p);
    return 0;
}

static bool filter_op(enum token t, enum op *ret)
{
    switch (t) {
    case T_PIPE_EXACT: *ret = EQ; return true;
    case T_NEQ: *ret = NEQ; return true;
    case T_PIPE_MATCH: *ret = RE; return true;
    case T_NRE: *ret = NRE; return true;
    default: return false;
    }
}

static int filter(struct parser *p)
{
    struct filter f = {0};

    if (!filter_op(p->token, &f.op)) return unexpected(p, "|=, !=, |~, !~ or the end");
    next(p);
    int err = take_string(p, &f.text);
    if (!err) err = compile(p, f.op, f.text, false, &f.re);
    if (err) return err;
    next(p);
    vec_push(&p->out->filters, f);
    return 0;
}

struct selector *selector_parse(struct str text, char **ret_err)
{
    struct parser p = {.out = xnew(struct selector), .text = text};

    arena_init(&p.out->arena, 0);
    p.text = arena_str(&p.out->arena, text);
    next(&p);
    int err = matchers(&p);
    while (!err && p.token != T_END)
        err = filter(&p);
    if (!err) return p.out;
    selector_free(p.out);
    *ret_err = p.err;
    return NULL;
}

/* --- matching --- */

static bool search(struct stage_run *r, const struct regex *re, struct str text)
{
    if (r) return stage_match(r, re, text, NULL, 0);
    return regex_match(re, text, 0, NULL, 0) == 1;
}

static bool label_matches(const struct matcher *m, struct stage_run *r, const struct entry *e)
{
    struct str value = entry_label(e, m->name);
    bool negative = m->op == NEQ || m->op == NRE;

    return (m->re ? search(r, m->re, value) : str_eq(value, m->value)) != negative;
}

static bool line_matches(const struct filter *f, struct stage_run *r, const struct entry *e)
{
    bool negative = f->op == NEQ || f->op == NRE;

    return (f->re ? search(r, f->re, e->line) : str_find(e->line, f->text) >= 0) != negative;
}

bool selector_matches(const struct selector *s, struct stage_run *r, const struct entry *e)
{
    for (size_t i = 0; i < s->matchers.n; i++)
        if (!label_matches(&s->matchers.v[i], r, e)) return false;
    for (size_t i = 0; i < s->filters.n; i++)
        if (!line_matches(&s->filters.v[i], r, e)) return false;
    return true;
}
