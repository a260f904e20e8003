/* JSON writer: commas by itself, strings always valid JSON whatever bytes come in. */
#include "base/json.h"

#include <math.h>
#include "base/num.h"
#include "base/utf8.h"

static void before_value(struct json_out *j)
{
    if (j->comma) buf_ch(j->b, ',');
    j->comma = true;
}

static void open(struct json_out *j, char bracket)
{
    before_value(j);
    buf_ch(j->b, bracket);
    j->comma = false;
}

static void close(struct json_out *j, char bracket)
{
    buf_ch(j->b, bracket);
    j->comma = true;
}

void json_obj(struct json_out *j)
{
    open(j, '{');
}

void json_obj_end(struct json_out *j)
{
    close(j, '}');
}

void json_arr(struct json_out *j)
{
    open(j, '[');
}

void json_arr_end(struct json_out *j)
{
    close(j, ']');
}

void json_key(struct json_out *j, struct str key)
{
    json_str(j, key);
    buf_ch(j->b, ':');
    j->comma = false;
}

static bool is_plain(const struct json_out *j, u8 c)
{
    if (c < 0x20 || c >= 0x80 || c == '"' || c == '\\') return false;
    return !j->html || (c != '<' && c != '>' && c != '&');
}

static void add_escape(struct buf *b, u8 c)
{
    switch (c) {
    case '"': buf_cstr(b, "\\\""); break;
    case '\\': buf_cstr(b, "\\\\"); break;
    case '\n': buf_cstr(b, "\\n"); break;
    case '\r': buf_cstr(b, "\\r"); break;
    case '\t': buf_cstr(b, "\\t"); break;
    default: buf_printf(b, "\\u%04x", c);
    }
}

/* One character that cannot be copied blindly; its width. */
static size_t add_special(struct json_out *j, struct str s)
{
    bool bad;
    u32 c;
    size_t width = utf8_decode(s, &c, &bad);

    if (c < 0x80)
        add_escape(j->b, (u8)c);
    else if (bad)
        buf_cstr(j->b, j->html ? "\\ufffd" : "\xEF\xBF\xBD");
    else if (j->html && (c == 0x2028 || c == 0x2029)) /* line ends to JavaScript */
        buf_printf(j->b, "\\u%04x", c);
    else
        buf_add(j->b, s.p, width);
    return width;
}

/* True when all eight bytes can be copied: ASCII, no quote, backslash or control character, and
 * none of < > &. */
static bool all_plain(u64 word)
{
    const u64 ones = UINT64_C(0x0101010101010101), high = ones << 7;
    u64 quote = word ^ ones * '"', backslash = word ^ ones * '\\',
        angle = (word & ~(ones * 2)) ^ ones * '<', amp = word ^ ones * '&';

    return !((word | (word - ones * 0x20) | (quote - ones) | (backslash - ones) | (angle - ones) |
              (amp - ones)) &
             high);
}

static size_t plain_prefix(const struct json_out *j, struct str s)
{
    size_t n = 0;
    u64 word;

    for (; s.n - n >= 8; n += 8) {
        memcpy(&word, s.p + n, 8);
        if (!all_plain(word)) break;
    }
    while (n < s.n && is_plain(j, (u8)s.p[n]))
        n++;
    return n;
}

/* Text that needs no escapes, in one piece. */
static void add_plain(struct json_out *j, struct str s)
{
    char *p = buf_reserve(j->b, s.n + 3), *start = p;

    if (!p) return;
    if (j->comma) *p++ = ',';
    *p++ = '"';
    memcpy(p, s.p, s.n);
    p += s.n;
    *p++ = '"';
    buf_commit(j->b, (size_t)(p - start));
    j->comma = true;
}

void json_key_quoted(struct json_out *j, struct str quoted)
{
    if (j->comma) buf_ch(j->b, ',');
    buf_str(j->b, quoted);
    j->comma = false;
}

void json_str(struct json_out *j, struct str s)
{
    if (s.n > 0 && plain_prefix(j, s) == s.n) {
        add_plain(j, s);
        return;
    }
    before_value(j);
    buf_ch(j->b, '"');
    while (s.n) {
        size_t n = plain_prefix(j, s);

        buf_add(j->b, s.p, n);
        s = str_sub(s, n, s.n);
        if (s.n) {
            size_t width = add_special(j, s);
            s = str_sub(s, width, s.n);
        }
    }
    buf_ch(j->b, '"');
}

void json_i64(struct json_out *j, i64 v)
{
    before_value(j);
    buf_printf(j->b, "%lld", (long long)v);
}

void json_u64(struct json_out *j, u64 v)
{
    before_value(j);
    buf_printf(j->b, "%llu", (unsigned long long)v);
}

void json_f64(struct json_out *j, f64 v)
{
    before_value(j);
    if (isfinite(v)) {
        num_f64_json(j->b, v);
        return;
    }
    buf_ch(j->b, '"');
    num_f64_g(j->b, v);
    buf_ch(j->b, '"');
}

void json_bool(struct json_out *j, bool v)
{
    before_value(j);
    buf_cstr(j->b, v ? "true" : "false");
}

void json_null(struct json_out *j)
{
    before_value(j);
    buf_cstr(j->b, "null");
}

void json_raw(struct json_out *j, struct str s)
{
    before_value(j);
    buf_str(j->b, s);
}
