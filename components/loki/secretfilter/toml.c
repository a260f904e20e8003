/* One pass by recursive descent; the current table is where [header]s and keys put their values. */
#include "components/loki/secretfilter/toml.h"

#include <errno.h>
#include "base/num.h"
#include "base/utf8.h"

struct reader {
    const char *p, *end;
    struct arena *a;
    u32 line;
    int depth;
    const char *err;
};

static bool fail(struct reader *r, const char *fmt, ...) PRINTF(2, 3);
static struct toml *read_value(struct reader *r);

static bool fail(struct reader *r, const char *fmt, ...)
{
    struct buf b = BUF_INIT(1000);
    va_list ap;

    buf_printf(&b, "line %u: ", r->line);
    va_start(ap, fmt);
    buf_vprintf(&b, fmt, ap);
    va_end(ap);
    if (!r->err) r->err = arena_strdup(r->a, buf_view(&b));
    buf_done(&b);
    return false;
}

struct toml *toml_get(const struct toml *table, struct str key)
{
    for (struct toml *t = table->first; t; t = t->next)
        if (str_eq(t->key, key)) return t;
    return NULL;
}

static struct toml *make(struct reader *r, enum toml_type type)
{
    struct toml *t = arena_new(r->a, struct toml);

    t->type = type;
    t->line = r->line;
    return t;
}

static void append(struct toml *to, struct toml *t)
{
    if (to->last) to->last->next = t;
    if (!to->first) to->first = t;
    to->last = t;
}

/* --- characters --- */

static bool at(const struct reader *r, const char *text)
{
    size_t n = strlen(text);

    return (size_t)(r->end - r->p) >= n && memcmp(r->p, text, n) == 0;
}

static bool take(struct reader *r, const char *text)
{
    if (!at(r, text)) return false;
    r->p += strlen(text);
    return true;
}

static void skip_blanks(struct reader *r)
{
    while (r->p < r->end && (*r->p == ' ' || *r->p == '\t'))
        r->p++;
}

static void skip_comment(struct reader *r)
{
    if (r->p == r->end || *r->p != '#') return;
    while (r->p < r->end && *r->p != '\n')
        r->p++;
}

static bool take_newline(struct reader *r)
{
    if (!take(r, "\r\n") && !take(r, "\n")) return false;
    r->line++;
    return true;
}

/* Blanks, comments and line ends. */
static void skip_lines(struct reader *r)
{
    do {
        skip_blanks(r);
        skip_comment(r);
    } while (take_newline(r));
}

static bool end_of_line(struct reader *r)
{
    skip_blanks(r);
    skip_comment(r);
    return r->p == r->end || take_newline(r) || fail(r, "expected the end of the line");
}

/* --- texts --- */

static bool read_code_point(struct reader *r, int digits, struct buf *b)
{
    u32 c = 0;

    for (int i = 0; i < digits; i++, r->p++) {
        char d = r->p < r->end ? *r->p : ' ', low = (char)(d | 0x20);
        bool digit = d >= '0' && d <= '9';

        if (!digit && !(low >= 'a' && low <= 'f'))
            return fail(r, "expected %d hexadecimal digits", digits);
        c = c << 4 | (u32)(digit ? d - '0' : low - 'a' + 10);
    }
    if (c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF)) return fail(r, "the escape is no character");
    utf8_encode(b, c);
    return true;
}

/* Behind a backslash. In texts of several lines one at the end of a line joins it with the next. */
static bool read_escape(struct reader *r, bool many, struct buf *b)
{
    static const char from[] = "btnfr\"\\", to[] = "\b\t\n\f\r\"\\";
    const char *found;
    char c;

    if (r->p == r->end) return fail(r, "the text does not end");
    c = *r->p;
    if (many && memchr(" \t\r\n", c, 4)) {
        skip_blanks(r);
        if (!take_newline(r)) return fail(r, "expected the end of the line behind \\");
        do
            skip_blanks(r);
        while (take_newline(r));
        return true;
    }
    r->p++;
    if (c == 'u' || c == 'U') return read_code_point(r, c == 'u' ? 4 : 8, b);
    found = c ? strchr(from, c) : NULL;
    if (!found) return fail(r, "there is no escape \\%c (texts in '...' have none at all)", c);
    buf_ch(b, to[found - from]);
    return true;
}

/* Up to two quotes may stand before the closing three. */
static void take_more_quotes(struct reader *r, char quote, struct buf *b)
{
    for (int i = 0; i < 2 && r->p < r->end && *r->p == quote; i++)
        buf_ch(b, *r->p++);
}

static bool read_text_char(struct reader *r, bool many, bool escapes, struct buf *b)
{
    u8 c = (u8)*r->p;

    if (c == '\\' && escapes) {
        r->p++;
        return read_escape(r, many, b);
    }
    if (c == '\n' && !many) return fail(r, "the text does not end on its line");
    if ((c < ' ' && c != '\t' && c != '\n' && c != '\r') || c == 127)
        return fail(r, "a text holds the control character 0x%02x", c);
    if (c == '\n') r->line++;
    buf_ch(b, *r->p++);
    return true;
}

/* At the opening quote of "...", '...', or three of them. */
static struct toml *read_text(struct reader *r)
{
    char quote = *r->p, three[] = {quote, quote, quote, 0}, one[] = {quote, 0};
    bool many = take(r, three), escapes = quote == '"', closed = false;
    struct toml *t = make(r, TOML_STRING);
    struct buf b = BUF_INIT(1 << 20);

    if (!many) r->p++;
    if (many) take_newline(r);
    while (!r->err && !closed && r->p < r->end) {
        closed = take(r, many ? three : one);
        if (!closed) read_text_char(r, many, escapes, &b);
    }
    if (closed && many) take_more_quotes(r, quote, &b);
    if (!closed) fail(r, "the text does not end");
    if (buf_err(&b)) fail(r, "the text is too long");
    t->str = arena_str(r->a, buf_view(&b));
    buf_done(&b);
    return r->err ? NULL : t;
}

/* --- numbers and words --- */

static bool is_bare(char c)
{
    char low = (char)(c | 0x20);

    return (low >= 'a' && low <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

static struct str take_word(struct reader *r, const char *more)
{
    const char *from = r->p;

    while (r->p < r->end && (is_bare(*r->p) || (*r->p && strchr(more, *r->p))))
        r->p++;
    return str_n(from, (size_t)(r->p - from));
}

/* Without the _ between digits. */
static struct str plain_number(struct reader *r, struct str word)
{
    char *out = arena_alloc(r->a, word.n + 1);
    size_t n = 0;

    for (size_t i = 0; i < word.n; i++)
        if (word.p[i] != '_') out[n++] = word.p[i];
    return str_n(out, n);
}

static struct toml *read_number(struct reader *r)
{
    struct str word = take_word(r, "+.:"), plain = plain_number(r, word);
    struct toml *t = make(r, TOML_INT);
    bool based = plain.n > 1 && plain.p[0] == '0' && memchr("xob", plain.p[1], 3);

    if (!based && num_parse_i64(plain, &t->i) == 0) {
        t->f = (f64)t->i;
        return t;
    }
    t->type = TOML_FLOAT;
    if (!based && num_parse_f64(plain, &t->f) == 0) return t;
    fail(r, "no value of a kind known here: " STR_FMT, STR_ARG(word));
    return NULL;
}

static struct toml *read_bool(struct reader *r)
{
    struct toml *t = make(r, TOML_BOOL);
    struct str word = take_word(r, "");

    t->b = str_is(word, "true");
    if (t->b || str_is(word, "false")) return t;
    fail(r, "no value: " STR_FMT " (texts stand in quotes)", STR_ARG(word));
    return NULL;
}

/* --- keys --- */

#define MAX_PARTS 8
struct key {
    struct str part[MAX_PARTS];
    u32 n;
};

static bool read_part(struct reader *r, struct str *ret)
{
    struct toml *t;

    skip_blanks(r);
    if (r->p < r->end && (*r->p == '"' || *r->p == '\'') && !at(r, "\"\"\"") && !at(r, "'''")) {
        t = read_text(r);
        if (t) *ret = t->str;
        return t;
    }
    *ret = take_word(r, "");
    return ret->n || fail(r, "expected a key");
}

/* a, "a b", a.b */
static bool read_key(struct reader *r, struct key *ret)
{
    ret->n = 0;
    do {
        if (ret->n == MAX_PARTS) return fail(r, "the key has too many parts");
        if (!read_part(r, &ret->part[ret->n++])) return false;
        skip_blanks(r);
    } while (take(r, "."));
    return true;
}

/* The table at a part of a key, made when it is not there. Of an array of tables: its last. */
static struct toml *step(struct reader *r, struct toml *in, struct str part)
{
    struct toml *t = toml_get(in, part);

    if (!t) {
        t = make(r, TOML_TABLE);
        t->key = part;
        append(in, t);
    }
    if (t->type == TOML_ARRAY && t->tables) t = t->last;
    if (t->type == TOML_TABLE && !t->closed) return t;
    fail(r, STR_FMT " is no table to add to (see line %u)", STR_ARG(part), t->line);
    return NULL;
}

static struct toml *walk(struct reader *r, struct toml *in, const struct key *k)
{
    for (u32 i = 0; in && i + 1 < k->n; i++)
        in = step(r, in, k->part[i]);
    return in;
}

/* key = value */
static bool read_pair(struct reader *r, struct toml *in)
{
    struct key k;
    struct toml *v, *old;

    if (!read_key(r, &k)) return false;
    if (!take(r, "=")) return fail(r, "expected = behind the key");
    skip_blanks(r);
    in = walk(r, in, &k);
    if (!in) return false;
    old = toml_get(in, k.part[k.n - 1]);
    if (old)
        return fail(r, STR_FMT " is set already, on line %u", STR_ARG(k.part[k.n - 1]), old->line);
    v = read_value(r);
    if (!v) return false;
    v->key = k.part[k.n - 1];
    append(in, v);
    return true;
}

/* --- arrays and inline tables --- */

static struct toml *read_array(struct reader *r)
{
    struct toml *t = make(r, TOML_ARRAY), *e;

    t->closed = true;
    r->p++;
    for (;;) {
        skip_lines(r);
        if (take(r, "]")) return t;
        e = read_value(r);
        if (!e) return NULL;
        append(t, e);
        skip_lines(r);
        if (take(r, "]")) return t;
        if (take(r, ",")) continue;
        fail(r, "expected , or ] in the array that begins on line %u", t->line);
        return NULL;
    }
}

static struct toml *read_inline(struct reader *r)
{
    struct toml *t = make(r, TOML_TABLE);

    r->p++;
    skip_blanks(r);
    if (!take(r, "}")) {
        do
            if (!read_pair(r, t)) return NULL;
        while (skip_blanks(r), take(r, ","));
        if (!take(r, "}")) {
            fail(r, "expected , or } in { }");
            return NULL;
        }
    }
    t->closed = true;
    return t;
}

static struct toml *read_value(struct reader *r)
{
    struct toml *t = NULL;

    if (r->p == r->end) fail(r, "expected a value");
    if (++r->depth > TOML_MAX_DEPTH) fail(r, "nested too deeply");
    if (!r->err) switch (*r->p) {
        case '"':
        case '\'': t = read_text(r); break;
        case '[': t = read_array(r); break;
        case '{': t = read_inline(r); break;
        default:
            t = (*r->p >= '0' && *r->p <= '9') || memchr("+-.", *r->p, 3) ? read_number(r)
                                                                          : read_bool(r);
        }
    r->depth--;
    return t;
}

/* --- headers --- */

static struct toml *new_element(struct reader *r, struct toml *in, struct str name)
{
    struct toml *array = toml_get(in, name), *t;

    if (!array) {
        array = make(r, TOML_ARRAY);
        array->key = name;
        array->tables = true;
        append(in, array);
    }
    if (!array->tables) {
        fail(r, STR_FMT " is something else already, on line %u", STR_ARG(name), array->line);
        return NULL;
    }
    t = make(r, TOML_TABLE);
    append(array, t);
    return t;
}

static struct toml *new_table(struct reader *r, struct toml *in, struct str name)
{
    struct toml *t = step(r, in, name);

    if (t && t->defined) {
        fail(r, "[" STR_FMT "] is defined already, on line %u", STR_ARG(name), t->line);
        return NULL;
    }
    if (t) t->defined = true;
    return t;
}

/* [a.b] or [[a.b]]: the table that what follows goes to. */
static struct toml *read_header(struct reader *r, struct toml *top)
{
    bool element = take(r, "[[");
    struct toml *in, *t;
    struct key k;

    if (!element) r->p++;
    if (!read_key(r, &k)) return NULL;
    if (!take(r, element ? "]]" : "]")) {
        fail(r, "expected %s behind the name", element ? "]]" : "]");
        return NULL;
    }
    in = walk(r, top, &k);
    if (!in) return NULL;
    t = element ? new_element(r, in, k.part[k.n - 1]) : new_table(r, in, k.part[k.n - 1]);
    return t && end_of_line(r) ? t : NULL;
}

int toml_parse(struct str text, struct arena *a, struct toml **ret, const char **ret_err)
{
    struct reader r = {.p = text.p, .end = text.p + text.n, .a = a, .line = 1};
    struct toml *top = make(&r, TOML_TABLE), *in = top;

    if (!utf8_valid(text)) fail(&r, "the file is not UTF-8");
    take(&r, "\xEF\xBB\xBF");
    for (skip_lines(&r); !r.err && r.p < r.end; skip_lines(&r)) {
        if (*r.p == '[')
            in = read_header(&r, top);
        else if (read_pair(&r, in))
            end_of_line(&r);
    }
    *ret = top;
    *ret_err = r.err;
    return r.err ? -EBADMSG : 0;
}
