/* base64 and base32; what cannot be decoded becomes the text of the error, as in Sprig. */
#include "base/digest.h"
#include "components/common/template/run.h"

FN(b64enc)
{
    struct buf b = run_buf();
    base64_encode(&b, BASE64_STD, a[0].s.p, a[0].s.n);
    return run_value(r, &b);
}

FN(b64dec)
{
    struct buf b = run_buf();
    size_t at = 0;
    if (base64_decode(&b, BASE64_STD, a[0].s, &at) && !buf_err(&b)) {
        buf_reset(&b);
        buf_printf(&b, "illegal base64 data at input byte %zu", at);
    }
    return run_value(r, &b);
}

static const char base32_digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/* Up to five bytes become eight digits. */
static void group_out(struct buf *b, const u8 *in, size_t n)
{
    u64 v = 0;
    size_t digits = (n * 8 + 4) / 5;
    for (size_t i = 0; i < 5; i++)
        v = v << 8 | (i < n ? in[i] : 0);
    for (size_t i = 0; i < 8; i++)
        buf_ch(b, i < digits ? base32_digits[v >> (35 - 5 * i) & 31] : '=');
}

FN(b32enc)
{
    struct buf b = run_buf();
    for (size_t i = 0; i < a[0].s.n && !buf_err(&b); i += 5)
        group_out(&b, (const u8 *)a[0].s.p + i, MIN(5u, a[0].s.n - i));
    return run_value(r, &b);
}

/* The digits of a group without its padding, 0 when a group cannot have so many. */
static size_t group_bytes(size_t digits)
{
    static const u8 bytes[9] = {0, 0, 1, 0, 2, 3, 0, 4, 5};
    return bytes[digits];
}

/* One group of eight; -1 and *ret_bad: the byte that is wrong. */
static ssize_t group_in(const char *p, u8 out[5], size_t *ret_bad)
{
    u64 v = 0;
    size_t digits = 0;
    for (; digits < 8 && p[digits] != '='; digits++) {
        const char *d = p[digits] ? strchr(base32_digits, p[digits]) : NULL;
        *ret_bad = digits;
        if (!d) return -1;
        v |= (u64)(d - base32_digits) << (35 - 5 * digits);
    }
    for (size_t i = digits; i < 8; i++) {
        *ret_bad = i;
        if (p[i] != '=') return -1;
    }
    *ret_bad = digits;
    if (group_bytes(digits) == 0) return -1;
    for (size_t i = 0; i < 5; i++)
        out[i] = (u8)(v >> (32 - 8 * i));
    return (ssize_t)group_bytes(digits);
}

/* Of a group that is too short: its first bad digit, or its start. */
static size_t bad_digit(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!s.p[i] || !strchr(base32_digits, s.p[i])) return i;
    return 0;
}

static struct tval bad_base32(struct run *r, struct buf *b, size_t at)
{
    buf_reset(b);
    buf_printf(b, "illegal base32 data at input byte %zu", at);
    return run_value(r, b);
}

static struct str without_lines(struct run *r, struct str s)
{
    struct buf b = run_buf();
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] != '\r' && s.p[i] != '\n') buf_ch(&b, s.p[i]);
    return run_text(r, &b);
}

FN(b32dec)
{
    struct buf b = run_buf();
    struct str s = without_lines(r, a[0].s);
    for (size_t i = 0; i < s.n; i += 8) {
        u8 out[5];
        size_t bad = 0;
        ssize_t got = s.n - i < 8 ? -1 : group_in(s.p + i, out, &bad);
        if (s.n - i < 8) bad = bad_digit(str_sub(s, i, s.n));
        if (got < 0) return bad_base32(r, &b, i + bad);
        buf_add(&b, out, (size_t)got);
        if (got < 5 && i + 8 < s.n) return bad_base32(r, &b, i + 8);
    }
    return run_value(r, &b);
}

static const struct tfunc funcs[] = {
    {"b64enc", "s", b64enc},
    {"b64dec", "s", b64dec},
    {"b32enc", "s", b32enc},
    {"b32dec", "s", b32dec},
};
FUNC_TABLE(fn_encoding, funcs);
