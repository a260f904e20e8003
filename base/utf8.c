/* UTF-8 in and out, and look-ups in the range tables that scripts/unicode_tables.py writes. */
#include "base/utf8.h"

#include "base/unicode_tables.h"

/* What the first byte says: width of the sequence and the bounds of the second byte, which alone
 * tells overlong forms, surrogates and values past U+10FFFF. */
struct lead {
    u8 width, low, high;
};

static struct lead read_lead(u8 c)
{
    if (c < 0xC2 || c > 0xF4) return (struct lead){0, 0, 0};
    if (c < 0xE0) return (struct lead){2, 0x80, 0xBF};
    if (c < 0xF0) return (struct lead){3, c == 0xE0 ? 0xA0 : 0x80, c == 0xED ? 0x9F : 0xBF};
    return (struct lead){4, c == 0xF0 ? 0x90 : 0x80, c == 0xF4 ? 0x8F : 0xBF};
}

/* The width of the character at p with n bytes left, or 0 for a bad one. */
static size_t sequence(const u8 *p, size_t n)
{
    struct lead lead = read_lead(p[0]);

    if (lead.width == 0 || n < lead.width || p[1] < lead.low || p[1] > lead.high) return 0;
    for (size_t i = 2; i < lead.width; i++) {
        if ((p[i] & 0xC0) != 0x80) return 0;
    }
    return lead.width;
}

size_t utf8_decode(struct str s, u32 *ret, bool *ret_bad)
{
    const u8 *p = (const u8 *)s.p;
    size_t width = p[0] < 0x80 ? 1 : sequence(p, s.n);

    if (ret_bad) *ret_bad = width == 0;
    if (width == 0) {
        *ret = UTF8_INVALID;
        return 1;
    }
    u32 c = width == 1 ? p[0] : p[0] & (0x7Fu >> width);
    for (size_t i = 1; i < width; i++)
        c = c << 6 | (p[i] & 0x3F);
    *ret = c;
    return width;
}

void utf8_encode(struct buf *b, u32 c)
{
    char out[4];
    size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

    if (c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF)) {
        c = UTF8_INVALID;
        n = 3;
    }
    for (size_t i = n - 1; i > 0; i--, c >>= 6)
        out[i] = (char)(0x80 | (c & 0x3F));
    out[0] = (char)(n == 1 ? c : (0xF00u >> n & 0xFF) | c);
    buf_add(b, out, n);
}

/* Most text is ASCII, and most texts are short: what is left of a block is looked at by blocks that
 * overlap, not by bytes. */
#define HIGH_BITS UINT64_C(0x8080808080808080)
#define BLOCK     64

static inline u64 load64(const u8 *p)
{
    u64 v;

    memcpy(&v, p, sizeof(v));
    return v;
}

static inline u64 two_words(const u8 *p)
{
    return load64(p) | load64(p + 8);
}

static inline u64 block(const u8 *p)
{
    typedef u64 pair __attribute__((vector_size(16), aligned(1), may_alias));
    const pair *v = (const pair *)p;
    pair all = v[0] | v[1] | v[2] | v[3];

    return all[0] | all[1];
}

static bool few_are_ascii(const u8 *p, size_t n)
{
    u32 first, last;

    if (n >= 8) return !((load64(p) | load64(p + n - 8)) & HIGH_BITS);
    if (n >= 4) {
        memcpy(&first, p, 4);
        memcpy(&last, p + n - 4, 4);
        return !((first | last) & (u32)HIGH_BITS);
    }
    return n == 0 || !((p[0] | p[n / 2] | p[n - 1]) & 0x80);
}

/* Less than a block. */
static bool rest_is_ascii(const u8 *p, size_t n)
{
    if (n < 16) return few_are_ascii(p, n);
    u64 all = two_words(p + n - 16);

    for (size_t i = 0; i + 16 < n; i += 16)
        all |= two_words(p + i);
    return !(all & HIGH_BITS);
}

/* Where the first block begins that is not ASCII. */
static const u8 *skip_ascii(const u8 *p, const u8 *end)
{
    while (end - p >= BLOCK && !(block(p) & HIGH_BITS))
        p += BLOCK;
    return p;
}

/* p: at the beginning of a character. */
static bool is_valid(const u8 *p, const u8 *end)
{
    while (p < end) {
        size_t width = *p < 0x80 ? 1 : sequence(p, (size_t)(end - p));
        if (width == 0) return false;
        p += width;
        if (end - p >= 8 && !(load64(p) & HIGH_BITS)) p = skip_ascii(p + 8, end);
    }
    return true;
}

bool utf8_valid(struct str s)
{
    const u8 *end = (const u8 *)s.p + s.n, *p = skip_ascii((const u8 *)s.p, end);

    return (end - p < BLOCK && rest_is_ascii(p, (size_t)(end - p))) || is_valid(p, end);
}

static bool in_ranges(const struct code_range *r, size_t n, u32 c)
{
    while (n) {
        size_t half = n / 2;

        if (c < r[half].first) {
            n = half;
        } else if (c > r[half].last) {
            r += half + 1;
            n -= half + 1;
        } else {
            return true;
        }
    }
    return false;
}

bool utf8_is_letter(u32 c)
{
    if (c < 0x80) return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
    return in_ranges(letter_ranges, ARRAY_LEN(letter_ranges), c);
}

bool utf8_is_digit(u32 c)
{
    if (c < 0x80) return c >= '0' && c <= '9';
    return in_ranges(digit_ranges, ARRAY_LEN(digit_ranges), c);
}

bool utf8_is_space(u32 c)
{
    if (c < 0x80) return c == ' ' || (c >= '\t' && c <= '\r');
    return in_ranges(space_ranges, ARRAY_LEN(space_ranges), c);
}

bool utf8_is_print(u32 c)
{
    if (c < 0x80) return c >= 0x20 && c < 0x7F;
    return in_ranges(print_ranges, ARRAY_LEN(print_ranges), c);
}

/* The first run that ends at or after c; callers see to it that there is one. */
static u32 map_case(const struct case_run *runs, size_t n, u32 c)
{
    size_t low = 0;

    while (low < n) {
        size_t half = (low + n) / 2;

        if (c > runs[half].last)
            low = half + 1;
        else
            n = half;
    }
    const struct case_run *r = &runs[low];
    if (c < r->first || (c - r->first) % (u32)r->stride) return c;
    return (u32)((i32)c + r->delta);
}

u32 utf8_lower(u32 c)
{
    if (c < 0x80) return c >= 'A' && c <= 'Z' ? c + 32 : c;
    if (c > lower_runs[ARRAY_LEN(lower_runs) - 1].last) return c;
    return map_case(lower_runs, ARRAY_LEN(lower_runs), c);
}

u32 utf8_upper(u32 c)
{
    if (c < 0x80) return c >= 'a' && c <= 'z' ? c - 32 : c;
    if (c > upper_runs[ARRAY_LEN(upper_runs) - 1].last) return c;
    return map_case(upper_runs, ARRAY_LEN(upper_runs), c);
}

static void quote_char(struct buf *b, u32 c, struct str bytes, bool bad)
{
    static const char letters[] = "abtnvfr"; /* escapes of 7 to 13 */

    if (bad || c == 0x7F)
        buf_printf(b, "\\x%02x", (u8)bytes.p[0]);
    else if (c == '"' || c == '\\')
        buf_printf(b, "\\%c", (char)c);
    else if (utf8_is_print(c))
        buf_str(b, bytes);
    else if (c >= 7 && c <= 13)
        buf_printf(b, "\\%c", letters[c - 7]);
    else
        buf_printf(b, c < ' ' ? "\\x%02x" : c < 0x10000 ? "\\u%04x" : "\\U%08x", c);
}

/* How many bytes at the start are printable ASCII that stands for itself. */
static size_t plain_run(struct str s)
{
    size_t n = 0;

    while (n < s.n && s.p[n] >= ' ' && s.p[n] < 0x7F && s.p[n] != '"' && s.p[n] != '\\')
        n++;
    return n;
}

void utf8_quote(struct buf *b, struct str s)
{
    buf_ch(b, '"');
    while (s.n) {
        bool bad;
        u32 c;
        size_t plain = plain_run(s);

        buf_add(b, s.p, plain);
        s = str_sub(s, plain, s.n);
        if (s.n == 0) break;
        size_t width = utf8_decode(s, &c, &bad);

        quote_char(b, c, str_n(s.p, width), bad);
        s = str_sub(s, width, s.n);
    }
    buf_ch(b, '"');
}
