/* Texts and characters of a directive: padding, truncation, quoting, hexadecimal. */
#include "base/gofmt_int.h"

#include "base/digest.h"
#include "base/utf8.h"

#define RUNE_MAX 0x10FFFF

static size_t count_chars(struct str s)
{
    size_t n = 0;
    for (size_t i = 0; i < s.n; n++)
        i += utf8_decode(str_sub(s, i, s.n), &(u32){0}, NULL);
    return n;
}

void gofmt_padding(struct gofmt_directive *d, size_t n)
{
    char *to = n > 0 ? buf_reserve(d->out, n) : NULL;
    if (!to) return;
    memset(to, d->zero && !d->minus ? '0' : ' ', n);
    buf_commit(d->out, n);
}

void gofmt_pad(struct gofmt_directive *d, struct str text)
{
    size_t chars = d->has_width ? count_chars(text) : 0;
    size_t pad = d->has_width && (size_t)d->width > chars ? (size_t)d->width - chars : 0;
    if (!d->minus) gofmt_padding(d, pad);
    buf_str(d->out, text);
    if (d->minus) gofmt_padding(d, pad);
}

/* The precision of a text is a number of characters. */
static struct str truncated(const struct gofmt_directive *d, struct str s)
{
    size_t end = 0;
    for (int chars = 0; d->has_prec && end < s.n && chars < d->prec; chars++)
        end += utf8_decode(str_sub(s, end, s.n), &(u32){0}, NULL);
    return d->has_prec ? str_sub(s, 0, end) : s;
}

void gofmt_string(struct gofmt_directive *d, struct str s)
{
    gofmt_pad(d, truncated(d, s));
}

/* --- quoting --- */

static char short_escape(u32 c, char quote)
{
    static const char from[] = "\a\b\f\n\r\t\v\\", to[] = "abfnrtv\\";
    if (c == (u32)quote) return quote;
    for (size_t i = 0; i < sizeof(from) - 1; i++)
        if (c == (u32)from[i]) return to[i];
    return 0;
}

static void quoted_rune(struct buf *b, u32 c, char quote, bool ascii)
{
    char esc = short_escape(c, quote);
    if (esc)
        buf_printf(b, "\\%c", esc);
    else if (c < 0x80 ? c >= 0x20 && c < 0x7F : !ascii && utf8_is_print(c))
        utf8_encode(b, c);
    else if (c < 0x20 || c == 0x7F)
        buf_printf(b, "\\x%02x", (unsigned)c);
    else
        buf_printf(b, c < 0x10000 ? "\\u%04x" : "\\U%08x", (unsigned)c);
}

static void quote_text(struct buf *b, struct str s, bool ascii)
{
    buf_ch(b, '"');
    for (size_t i = 0; i < s.n;) {
        u32 c;
        bool bad;
        size_t n = utf8_decode(str_sub(s, i, s.n), &c, &bad);
        if (bad)
            buf_printf(b, "\\x%02x", (unsigned)(u8)s.p[i]);
        else
            quoted_rune(b, c, '"', ascii);
        i += n;
    }
    buf_ch(b, '"');
}

static bool fits_back_quotes(struct str s)
{
    if (!utf8_valid(s)) return false;
    for (size_t i = 0; i < s.n; i++) {
        u8 c = (u8)s.p[i];
        if ((c < 0x20 && c != '\t') || c == '`' || c == 0x7F) return false;
    }
    return str_find(s, STR("\xEF\xBB\xBF")) < 0;
}

void gofmt_quoted(struct gofmt_directive *d, struct str s)
{
    struct buf text = BUF_INIT(d->out->max);
    s = truncated(d, s);
    if (d->sharp && fits_back_quotes(s))
        buf_printf(&text, "`" STR_FMT "`", STR_ARG(s));
    else
        quote_text(&text, s, d->plus);
    gofmt_pad(d, buf_view(&text));
    if (buf_err(&text)) d->out->err = buf_err(&text);
    buf_done(&text);
}

/* --- characters --- */

static u32 as_rune(u64 c)
{
    return c > RUNE_MAX ? UTF8_INVALID : (u32)c;
}

void gofmt_char(struct gofmt_directive *d, u64 c)
{
    struct buf text = BUF_INIT(16);
    utf8_encode(&text, as_rune(c));
    gofmt_pad(d, buf_view(&text));
    buf_done(&text);
}

void gofmt_quoted_char(struct gofmt_directive *d, u64 c)
{
    struct buf text = BUF_INIT(32);
    u32 rune = as_rune(c);
    bool surrogate = rune >= 0xD800 && rune <= 0xDFFF;
    buf_ch(&text, '\'');
    quoted_rune(&text, surrogate ? UTF8_INVALID : rune, '\'', d->plus);
    buf_ch(&text, '\'');
    gofmt_pad(d, buf_view(&text));
    buf_done(&text);
}

/* U+0041, and with # the character itself. The precision is the least number of digits. */
void gofmt_unicode(struct gofmt_directive *d, u64 c)
{
    struct buf text = BUF_INIT((size_t)2 << 20);
    bool zero = d->zero;
    buf_printf(&text, "U+%0*llX", d->has_prec && d->prec > 4 ? d->prec : 4, (unsigned long long)c);
    if (d->sharp && c <= RUNE_MAX && utf8_is_print((u32)c)) {
        buf_cstr(&text, " '");
        utf8_encode(&text, (u32)c);
        buf_ch(&text, '\'');
    }
    d->zero = false;
    gofmt_pad(d, buf_view(&text));
    d->zero = zero;
    buf_done(&text);
}

/* --- hexadecimal of the bytes --- */

static void hex_prefix(const struct gofmt_directive *d, struct buf *out, bool upper)
{
    if (d->sharp) buf_cstr(out, upper ? "0X" : "0x");
}

void gofmt_hex(struct gofmt_directive *d, struct str s, bool upper)
{
    struct buf text = BUF_INIT(d->out->max);
    if (d->has_prec && (size_t)d->prec < s.n) s.n = (size_t)d->prec;
    for (size_t i = 0; i < s.n && !buf_err(&text); i++) {
        if (i > 0 && d->space) buf_ch(&text, ' ');
        if (i == 0 || d->space) hex_prefix(d, &text, upper);
        buf_printf(&text, upper ? "%02X" : "%02x", (unsigned)(u8)s.p[i]);
    }
    gofmt_pad(d, buf_view(&text));
    if (buf_err(&text)) d->out->err = buf_err(&text);
    buf_done(&text);
}
