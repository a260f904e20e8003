/* Escaping. */
#include "ui/html.h"

#include "base/utf8.h"

static const struct {
    char c;
    const char *as;
} escapes[] = {{'<', "&lt;"}, {'>', "&gt;"}, {'&', "&amp;"}, {'"', "&quot;"}, {'\'', "&#39;"}};

static const char *escape_of(u32 c)
{
    for (size_t i = 0; i < ARRAY_LEN(escapes); i++)
        if ((u32)(unsigned char)escapes[i].c == c) return escapes[i].as;
    return NULL;
}

static bool is_shown(u32 c)
{
    return c == '\n' || c == '\t' || (c >= 0x20 && c != 0x7f && !(c >= 0x80 && c < 0xa0));
}

void html_text(struct buf *b, struct str s)
{
    for (size_t i = 0; i < s.n;) {
        u32 c;
        i += utf8_decode(str_sub(s, i, s.n), &c, NULL);
        const char *as = escape_of(c);
        if (as)
            buf_cstr(b, as);
        else
            utf8_encode(b, is_shown(c) ? c : 0xfffd);
    }
}

static bool is_path_char(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c && strchr("/._-", c));
}

void html_path(struct buf *b, struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (is_path_char(c))
            buf_ch(b, (char)c);
        else
            buf_printf(b, "%%%02X", c);
    }
}

void html(struct buf *b, const char *markup, ...)
{
    va_list ap;
    va_start(ap, markup);
    for (const char *p = markup, *at; *p; p = at + 2) {
        at = strstr(p, "%s");
        buf_add(b, p, at ? (size_t)(at - p) : strlen(p));
        if (!at) break;
        html_text(b, str_of(va_arg(ap, const char *)));
    }
    va_end(ap);
}
