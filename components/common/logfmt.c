/* The scan is one pass; quoted values with escapes go through the JSON reader's rules. */
#include "components/common/logfmt.h"

#include "base/digest.h"
#include "base/utf8.h"

void logfmt_init(struct logfmt *l, struct str text, struct arena *scratch)
{
    *l = (struct logfmt){.p = text.p, .end = text.p + text.n, .scratch = scratch};
}

static bool fail(struct logfmt *l)
{
    l->failed = true;
    return false;
}

static bool is_space(char c)
{
    return (u8)c <= ' ';
}

/* To the first byte that ends a word; *ret is the word. */
static void take_word(struct logfmt *l, struct str *ret)
{
    const char *from = l->p;

    while (l->p < l->end && !is_space(*l->p) && *l->p != '=' && *l->p != '"')
        l->p++;
    *ret = str_n(from, (size_t)(l->p - from));
}

/* --- quoted values --- */

/* The four digits of \uXXXX at p, which has them. -1: no digits. */
static i32 read_unit(const char *p, const char *end)
{
    i32 v = 0;

    if (end - p < 6 || p[0] != '\\' || p[1] != 'u') return -1;
    for (int i = 2; i < 6; i++) {
        int digit = hex_digit(p[i]);
        if (digit < 0) return -1;
        v = v << 4 | digit;
    }
    return v;
}

/* \uXXXX, with the half that follows when the two are a pair; a lone half is U+FFFD. */
static const char *decode_unit(const char *p, const char *end, struct buf *out)
{
    i32 c = read_unit(p, end), low;

    if (c < 0) return NULL;
    p += 6;
    if (c >= 0xD800 && c < 0xDC00) {
        low = read_unit(p, end);
        bool pair = low >= 0xDC00 && low < 0xE000;
        if (pair) p += 6;
        c = pair ? 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00) : (i32)UTF8_INVALID;
    }
    utf8_encode(out, (u32)c);
    return p;
}

static const char *decode_escape(const char *p, const char *end, struct buf *out)
{
    static const char from[] = "\"\\/'bfnrt", to[] = "\"\\/'\b\f\n\r\t";
    const char *at;

    if (end - p < 2) return NULL;
    if (p[1] == 'u') return decode_unit(p, end, out);
    at = p[1] ? strchr(from, p[1]) : NULL;
    if (!at) return NULL;
    buf_ch(out, to[at - from]);
    return p + 2;
}

static const char *decode_char(const char *p, const char *end, struct buf *out)
{
    u32 c;

    if (*p == '\\') return decode_escape(p, end, out);
    if ((u8)*p < ' ') return NULL;
    p += utf8_decode(str_n(p, (size_t)(end - p)), &c, NULL);
    utf8_encode(out, c);
    return p;
}

static bool decode(struct logfmt *l, struct str raw)
{
    struct buf b = BUF_INIT(3 * raw.n + 8);
    const char *p = raw.p, *end = raw.p + raw.n;

    while (p && p < end)
        p = decode_char(p, end, &b);
    if (p) l->value = arena_str(l->scratch, buf_view(&b));
    buf_done(&b);
    return p ? true : fail(l);
}

/* At the opening quote. */
static bool take_quoted(struct logfmt *l)
{
    const char *from = ++l->p;
    bool escapes = false;

    for (; l->p < l->end && *l->p != '"' && *l->p != '\n'; l->p++) {
        if (*l->p != '\\') continue;
        escapes = true;
        if (++l->p == l->end || *l->p == '\n') return fail(l);
    }
    if (l->p >= l->end || *l->p == '\n') return fail(l);
    struct str raw = str_n(from, (size_t)(l->p++ - from));
    l->value = raw;
    return !escapes || decode(l, raw);
}

/* --- pairs --- */

static bool bad_key(struct str key)
{
    static const struct str invalid = {"\xEF\xBF\xBD", 3};

    return !utf8_valid(key) || str_find(key, invalid) >= 0;
}

/* Behind the `=`. */
static bool take_value(struct logfmt *l)
{
    if (l->p < l->end && *l->p == '"') return take_quoted(l);
    take_word(l, &l->value);
    return l->p == l->end || is_space(*l->p) || fail(l);
}

bool logfmt_next(struct logfmt *l)
{
    if (l->failed) return false;
    while (l->p < l->end && is_space(*l->p))
        l->p++;
    if (l->p == l->end) return false;
    take_word(l, &l->key);
    l->value = STR("");
    if (l->key.n == 0 || bad_key(l->key)) return fail(l);
    if (l->p == l->end || is_space(*l->p)) return true;
    if (*l->p == '"') return fail(l);
    l->p++;
    return take_value(l);
}
