/* The label text of a stream, {a="b", c="d"}, as Prometheus reads a metric: names, three kinds of
 * quotes with Go's escapes, a comma at the end, blanks and comments in between. */
#include "telemetry/loki_push.h"

#include <errno.h>
#include <stdlib.h>
#include "base/utf8.h"
#include "base/xalloc.h"

#define MAX_LABELS 4096

struct scan {
    struct str text;
    size_t at;
    struct arena *scratch;
    struct label *v;
    size_t n, cap;
    char *err;
};

static int wrong(struct scan *s, size_t at, const char *what)
{
    if (!s->err) s->err = xprintf("1:%zu: parse error: %s", at + 1, what);
    return -EINVAL;
}

static int unexpected(struct scan *s, const char *where)
{
    if (s->err) return -EINVAL;
    if (s->at >= s->text.n)
        s->err = xprintf("1:%zu: parse error: unexpected end of input %s", s->at + 1, where);
    else
        s->err = xprintf("1:%zu: parse error: unexpected character %s: '%c'", s->at + 1, where,
                         s->text.p[s->at]);
    return -EINVAL;
}

static void skip_blanks(struct scan *s)
{
    for (; s->at < s->text.n; s->at++) {
        char c = s->text.p[s->at];
        if (c == '#')
            while (s->at + 1 < s->text.n && s->text.p[s->at + 1] != '\n')
                s->at++;
        else if (c != ' ' && c != '\t' && c != '\n' && c != '\r')
            return;
    }
}

/* The next character behind blanks, 0 at the end. */
static char peek(struct scan *s)
{
    skip_blanks(s);
    return s->at < s->text.n ? s->text.p[s->at] : '\0';
}

static bool take(struct scan *s, char c)
{
    if (peek(s) != c || s->at >= s->text.n) return false;
    s->at++;
    return true;
}

static bool in_name(char c, bool first)
{
    return c == '_' || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || (!first && c >= '0' && c <= '9');
}

/* Empty when there is none. */
static struct str read_name(struct scan *s, bool colons)
{
    size_t from;

    skip_blanks(s);
    from = s->at;
    while (s->at < s->text.n &&
           (in_name(s->text.p[s->at], s->at == from) || (colons && s->text.p[s->at] == ':')))
        s->at++;
    return str_sub(s->text, from, s->at);
}

/* --- quoted texts --- */

static const char escape_from[] = "abfnrtv\\", escape_to[] = "\a\b\f\n\r\t\v\\";

static int digits(struct str text, size_t at, size_t n, u32 base, u32 *ret)
{
    u32 v = 0;

    if (text.n - at < n) return -EINVAL;
    for (size_t i = at; i < at + n; i++) {
        u8 c = (u8)text.p[i], low = c | 0x20;
        u32 d = c >= '0' && c <= '9' ? c - (u32)'0' : low >= 'a' && low <= 'f' ? low - (u32)'a' + 10 : 99;
        if (d >= base) return -EINVAL;
        v = v * base + d;
    }
    *ret = v;
    return 0;
}

/* What follows a backslash at `at`: characters taken, 0 when it is no escape. */
static size_t unescape(struct str text, size_t at, char quote, struct buf *out)
{
    static const struct {
        char letter;
        u8 n, base;
    } numbered[] = {{'x', 2, 16}, {'u', 4, 16}, {'U', 8, 16}};
    char c = at < text.n ? text.p[at] : '\0';
    const char *simple = c ? strchr(escape_from, c) : NULL;
    u32 v;

    if (simple || (c && c == quote)) {
        buf_ch(out, simple ? escape_to[simple - escape_from] : c);
        return 1;
    }
    for (size_t i = 0; i < ARRAY_LEN(numbered); i++) {
        if (c != numbered[i].letter) continue;
        if (digits(text, at + 1, numbered[i].n, 16, &v)) return 0;
        if (c != 'x' && (v > 0x10FFFF || (v >= 0xD800 && v < 0xE000))) return 0;
        if (c == 'x')
            buf_ch(out, (char)v);
        else
            utf8_encode(out, v);
        return 1u + numbered[i].n;
    }
    if (digits(text, at, 3, 8, &v) || v > 255) return 0;
    buf_ch(out, (char)v);
    return 3;
}

/* The place of the closing quote; the number of backslashes in between. */
static size_t closing(const struct scan *s, char quote, size_t *ret_escapes)
{
    size_t i = s->at;

    *ret_escapes = 0;
    for (; i < s->text.n && s->text.p[i] != quote; i++) {
        if (quote == '`') continue;
        if (s->text.p[i] == '\n') return s->text.n;
        if (s->text.p[i] != '\\') continue;
        ++*ret_escapes;
        i++;
    }
    return i;
}

static int resolve(struct scan *s, struct str raw, char quote, struct str *ret)
{
    struct buf out = BUF_INIT(raw.n * 2 + 8);
    int err = 0;

    for (size_t i = 0; i < raw.n && !err;) {
        if (raw.p[i] != '\\') {
            buf_ch(&out, raw.p[i++]);
            continue;
        }
        size_t n = unescape(raw, i + 1, quote, &out);
        if (n == 0) err = wrong(s, (size_t)(raw.p + i - s->text.p), "unknown escape sequence");
        i += 1 + n;
    }
    if (!err && buf_err(&out)) err = wrong(s, s->at, "out of memory");
    if (!err) *ret = arena_str(s->scratch, buf_view(&out));
    buf_done(&out);
    return err;
}

static int read_quoted(struct scan *s, const char *where, struct str *ret)
{
    char quote = peek(s);
    size_t escapes, start = s->at;

    if (quote != '"' && quote != '\'' && quote != '`') return unexpected(s, where);
    s->at++;
    size_t end = closing(s, quote, &escapes);
    if (end >= s->text.n) return wrong(s, start, "unterminated quoted string");
    *ret = str_sub(s->text, s->at, end);
    if (escapes && resolve(s, *ret, quote, ret)) return -EINVAL;
    s->at = end + 1;
    return 0;
}

/* --- the set --- */

static int add(struct scan *s, struct str name, struct str value)
{
    if (s->n == MAX_LABELS) return wrong(s, s->at, "more than 4096 labels");
    if (s->n == s->cap) {
        s->cap = s->cap ? s->cap * 2 : 8;
        s->v = xrealloc(s->v, s->cap * sizeof(*s->v));
    }
    s->v[s->n++] = (struct label){name, value};
    return 0;
}

static int read_label(struct scan *s)
{
    struct str name, value;

    if (peek(s) == '"') {
        if (read_quoted(s, "in label set", &name)) return -EINVAL;
    } else {
        name = read_name(s, false);
        if (name.n == 0) return unexpected(s, "in label set, expected a name or \"}\"");
    }
    if (!take(s, '=')) return unexpected(s, "in label set, expected \"=\"");
    if (read_quoted(s, "in label set, expected string", &value)) return -EINVAL;
    return add(s, name, value);
}

static int read_set(struct scan *s)
{
    while (!take(s, '}')) {
        if (read_label(s)) return -EINVAL;
        if (!take(s, ',') && peek(s) != '}')
            return unexpected(s, "in label set, expected \",\" or \"}\"");
    }
    return 0;
}

static int read_all(struct scan *s)
{
    struct str metric = read_name(s, true);

    if (metric.n && add(s, STR("__name__"), metric)) return -EINVAL;
    if (take(s, '{')) {
        if (read_set(s)) return -EINVAL;
    } else if (metric.n == 0) {
        return unexpected(s, "in labels, expected \"{\"");
    }
    return peek(s) || s->at < s->text.n ? unexpected(s, "behind the labels") : 0;
}

int loki_labels_parse(struct str text, struct arena *scratch, struct label **ret, size_t *ret_n,
                      char **ret_err)
{
    struct scan s = {.text = text, .scratch = scratch};
    int err = read_all(&s);

    if (err) {
        *ret_err = s.err;
    } else {
        *ret = s.n ? arena_memdup(scratch, s.v, s.n * sizeof(*s.v)) : NULL;
        *ret_n = s.n;
    }
    free(s.v);
    return err;
}
