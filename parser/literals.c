/* Reading string literals. `...` is taken as it stands but for carriage returns; "..." has its
 * escapes resolved. */
#include "parser/literals.h"
#include "base/assert.h"
#include "base/utf8.h"

static const char simple_escapes[][2] = {
    {'a', '\a'}, {'b', '\b'}, {'f', '\f'},  {'n', '\n'}, {'r', '\r'},
    {'t', '\t'}, {'v', '\v'}, {'\\', '\\'}, {'"', '"'},
};

static struct str inner(struct str raw)
{
    return raw.n >= 2 ? str_sub(raw, 1, raw.n - 1) : (struct str){0};
}

static u32 digits(const char *p, size_t n, u32 base)
{
    u32 v = 0;
    for (size_t i = 0; i < n; i++) {
        u32 c = (u8)p[i];
        v = v * base + (c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
    }
    return v;
}

/* Appends what the sequence at p (behind the backslash) stands for; returns its length. left bounds
 * what is read. */
static size_t unescape(const char *p, size_t left, struct buf *out)
{
    for (size_t i = 0; i < ARRAY_LEN(simple_escapes); i++)
        if (simple_escapes[i][0] == *p) {
            buf_ch(out, simple_escapes[i][1]);
            return 1;
        }
    size_t n = *p == 'x' ? 2 : *p == 'u' ? 4 : *p == 'U' ? 8 : 0;
    if (n == 0) { /* octal */
        n = MIN((size_t)3, left);
        buf_ch(out, (char)digits(p, n, 8));
        return n;
    }
    n = MIN(n, left - 1);
    u32 c = digits(p + 1, n, 16);
    if (*p == 'x')
        buf_ch(out, (char)c);
    else
        utf8_encode(out, c);
    return n + 1;
}

static void unescape_all(struct str s, struct buf *out)
{
    for (size_t i = 0; i < s.n;) {
        if (s.p[i] == '\\' && i + 1 < s.n) {
            i += 1 + unescape(s.p + i + 1, s.n - i - 1, out);
        } else {
            buf_ch(out, s.p[i++]);
        }
    }
}

static void drop_returns(struct str s, struct buf *out)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] != '\r') buf_ch(out, s.p[i]);
}

struct str literal_unquote(struct arena *a, struct str raw)
{
    struct str s = inner(raw);
    bool raw_string = raw.n > 0 && raw.p[0] == '`';
    if (str_chr(s, raw_string ? '\r' : '\\') < 0) return s;
    struct buf b = BUF_INIT(s.n); /* no sequence grows */
    if (raw_string)
        drop_returns(s, &b);
    else
        unescape_all(s, &b);
    ASSERT(buf_err(&b) == 0);
    struct str text = arena_str(a, buf_view(&b));
    buf_done(&b);
    return text;
}

struct str literal_field_key(struct str raw)
{
    return raw.n > 2 ? inner(raw) : raw;
}
