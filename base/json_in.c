/* JSON pull reader: one pass, no tree, strict grammar. Depth is bounded because callers recurse on
 * it. Bytes of strings are not checked for UTF-8 (the formats that use it do not); an escaped lone
 * surrogate becomes U+FFFD. */
#include "base/json.h"

#include <endian.h>
#include <errno.h>
#include "base/utf8.h"

void json_in_init(struct json_in *j, struct str text, struct arena *scratch)
{
    *j = (struct json_in){.p = text.p,
                          .start = text.p,
                          .end = text.p + text.n,
                          .scratch = scratch,
                          .max_depth = JSON_DEPTH};
}

size_t json_offset(const struct json_in *j)
{
    return (size_t)(j->p - j->start);
}

static enum json_type fail(struct json_in *j, const char *err)
{
    if (!j->err) j->err = err;
    return JSON_ERROR;
}

static void skip_space(struct json_in *j)
{
    while (j->p < j->end && (*j->p == ' ' || *j->p == '\n' || *j->p == '\t' || *j->p == '\r'))
        j->p++;
}

/* --- strings --- */

/* The high bits of bytes that are a quote, a backslash or a control character: the usual arithmetic
 * on all eight at once. Borrows go upwards, so the lowest bit set is right; those above may not
 * be. */
static u64 special_bits(u64 word)
{
    const u64 ones = UINT64_C(0x0101010101010101), high = ones << 7;
    u64 quote = word ^ ones * '"', backslash = word ^ ones * '\\';

    return (((quote - ones) & ~quote) | ((backslash - ones) & ~backslash) |
            ((word - ones * 0x20) & ~word)) &
           high;
}

static const char *find_special(const char *p, const char *end)
{
    u64 word;

    for (; end - p >= 8; p += 8) {
        memcpy(&word, p, 8);
        u64 bits = special_bits(le64toh(word));
        if (bits) return p + __builtin_ctzll(bits) / 8;
    }
    while (p < end && (u8)*p >= 0x20 && *p != '"' && *p != '\\')
        p++;
    return p;
}

static int hex4(const char *p, const char *end, u32 *ret)
{
    u32 v = 0;

    if (end - p < 4) return -EBADMSG;
    for (int i = 0; i < 4; i++) {
        char c = p[i], low = (char)(c | 0x20);

        if (c >= '0' && c <= '9')
            v = v << 4 | (u32)(c - '0');
        else if (low >= 'a' && low <= 'f')
            v = v << 4 | (u32)(low - 'a' + 10);
        else
            return -EBADMSG;
    }
    *ret = v;
    return 0;
}

static const char escape_from[] = "\"\\/bfnrt", escape_to[] = "\"\\/\b\f\n\r\t";

/* Passes over the string whose opening quote was taken: *ret_raw is what stands between the quotes,
 * escapes unresolved but known to be good. */
static int scan_string(struct json_in *j, struct str *ret_raw, bool *ret_escapes)
{
    const char *start = j->p, *p = start;
    u32 unit;

    *ret_escapes = false;
    for (;;) {
        p = find_special(p, j->end);
        if (p == j->end || *p != '\\') break;
        *ret_escapes = true;
        j->p = p;
        if (j->end - p < 2) break;
        if (p[1] == 'u' ? hex4(p + 2, j->end, &unit) != 0 : !memchr(escape_from, p[1], 8)) {
            fail(j, "invalid escape in string");
            return -EBADMSG;
        }
        p += p[1] == 'u' ? 6 : 2;
    }
    j->p = p;
    if (p == j->end || *p != '"') {
        fail(j, p == j->end || *p == '\\' ? "unterminated string" : "control character in string");
        return -EBADMSG;
    }
    *ret_raw = str_n(start, (size_t)(p - start));
    j->p++;
    return 0;
}

/* The character of a \u escape at p, joined with its low surrogate when that follows; the place
 * after it. */
static const char *decode_unit(const char *p, const char *end, u32 *ret)
{
    u32 high = 0, low = 0;

    hex4(p + 2, end, &high);
    *ret = high;
    if (high < 0xD800 || high > 0xDBFF) return p + 6;
    if (end - p < 12 || p[6] != '\\' || p[7] != 'u') return p + 6;
    hex4(p + 8, end, &low);
    if (low < 0xDC00 || low > 0xDFFF) return p + 6;
    *ret = 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
    return p + 12;
}

static size_t put_utf8(char *out, u32 c)
{
    struct buf b = {.p = out, .cap = 8, .max = 7};

    utf8_encode(&b, c);
    return b.n;
}

/* Resolved text is never longer than its escapes; four spare bytes let put_utf8 end with its NUL.
 */
static struct str decode_string(struct json_in *j, struct str raw)
{
    char *out = arena_alloc(j->scratch, raw.n + 8), *at = out;
    const char *p = raw.p, *end = raw.p + raw.n;

    while (p < end) {
        const char *plain = p;
        u32 c;

        while (p < end && *p != '\\')
            p++;
        memcpy(at, plain, (size_t)(p - plain));
        at += p - plain;
        if (p == end) break;
        if (p[1] == 'u') {
            p = decode_unit(p, end, &c);
            at += put_utf8(at, c);
        } else {
            *at++ = escape_to[strchr(escape_from, p[1]) - escape_from];
            p += 2;
        }
    }
    return str_n(out, (size_t)(at - out));
}

struct str json_text(struct json_in *j, struct str raw)
{
    return raw.n && memchr(raw.p, '\\', raw.n) ? decode_string(j, raw) : raw;
}

static enum json_type read_string(struct json_in *j, bool decode)
{
    bool escapes;

    j->p++;
    if (scan_string(j, &j->raw, &escapes)) return JSON_ERROR;
    if (escapes && decode) j->raw = decode_string(j, j->raw);
    return JSON_STRING;
}

/* --- other scalars --- */

static const char *digits(const char *p, const char *end)
{
    while (p < end && *p >= '0' && *p <= '9')
        p++;
    return p;
}

/* The end of the number at p, or NULL when the grammar is broken. */
static const char *number_end(const char *p, const char *end)
{
    const char *from;

    if (p < end && *p == '-') p++;
    from = p;
    p = digits(p, end);
    if (p == from || (*from == '0' && p - from > 1)) return NULL;
    if (p < end && *p == '.') {
        from = ++p;
        p = digits(p, end);
        if (p == from) return NULL;
    }
    if (p < end && (*p == 'e' || *p == 'E')) {
        p++;
        if (p < end && (*p == '+' || *p == '-')) p++;
        from = p;
        p = digits(p, end);
        if (p == from) return NULL;
    }
    return p;
}

static enum json_type read_number(struct json_in *j)
{
    const char *end = number_end(j->p, j->end);

    if (!end) return fail(j, strchr("-0123456789", *j->p) ? "invalid number" : "expected a value");
    j->raw = str_n(j->p, (size_t)(end - j->p));
    j->p = end;
    return JSON_NUMBER;
}

static enum json_type read_word(struct json_in *j, struct str word, enum json_type type)
{
    if (!str_starts(str_n(j->p, (size_t)(j->end - j->p)), word)) return fail(j, "expected a value");
    j->raw = str_n(j->p, word.n);
    j->p += word.n;
    return type;
}

static enum json_type open_nested(struct json_in *j, enum json_type type)
{
    if (j->depth >= j->max_depth) return fail(j, "nested too deeply");
    j->depth++;
    j->p++;
    return type;
}

static enum json_type read_value(struct json_in *j, bool decode)
{
    if (j->err) return JSON_ERROR;
    skip_space(j);
    if (j->p == j->end) return j->depth == 0 ? JSON_END : fail(j, "unexpected end");
    switch (*j->p) {
    case '{': return open_nested(j, JSON_OBJ);
    case '[': return open_nested(j, JSON_ARR);
    case '"': return read_string(j, decode);
    case 't': return read_word(j, STR("true"), JSON_BOOL);
    case 'f': return read_word(j, STR("false"), JSON_BOOL);
    case 'n': return read_word(j, STR("null"), JSON_NULL);
    default: return read_number(j);
    }
}

enum json_type json_value(struct json_in *j)
{
    return read_value(j, true);
}

/* --- members and elements --- */

/* True when another item follows in the structure that `close` ends, the comma taken. */
static bool next_item(struct json_in *j, bool *first, char close)
{
    bool was_first = *first;

    *first = false;
    if (j->err) return false;
    skip_space(j);
    if (j->p < j->end && *j->p == close) {
        j->p++;
        j->depth--;
        return false;
    }
    if (was_first) return true;
    if (j->p == j->end || *j->p != ',') {
        fail(j, j->p == j->end ? "unexpected end" : "expected a comma");
        return false;
    }
    j->p++;
    return true;
}

bool json_next_elem(struct json_in *j, bool *first)
{
    return next_item(j, first, ']');
}

bool json_next_key(struct json_in *j, struct str *ret_key, bool *first)
{
    bool escapes;

    if (!next_item(j, first, '}')) return false;
    skip_space(j);
    if (j->p == j->end || *j->p != '"') {
        fail(j, "expected a member name");
        return false;
    }
    j->p++;
    if (scan_string(j, ret_key, &escapes)) return false;
    skip_space(j);
    if (j->p == j->end || *j->p != ':') {
        fail(j, "expected a colon");
        return false;
    }
    j->p++;
    return true;
}

/* Recursion is bounded by max_depth. */
int json_skip(struct json_in *j)
{
    bool first = true;
    struct str key;

    switch (read_value(j, false)) {
    case JSON_ERROR: return -EBADMSG;
    case JSON_END: fail(j, "unexpected end"); return -EBADMSG;
    case JSON_OBJ:
        while (json_next_key(j, &key, &first)) {
            if (json_skip(j)) return -EBADMSG;
        }
        break;
    case JSON_ARR:
        while (json_next_elem(j, &first)) {
            if (json_skip(j)) return -EBADMSG;
        }
        break;
    case JSON_NULL:
    case JSON_BOOL:
    case JSON_NUMBER:
    case JSON_STRING: break;
    }
    return j->err ? -EBADMSG : 0;
}
