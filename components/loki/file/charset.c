/* Lines and characters of encodings, by iconv. */
#include "components/loki/file/charset.h"

#include <errno.h>
#include <iconv.h>
#include <stdlib.h>
#include "base/xalloc.h"

#define REPLACEMENT "\xef\xbf\xbd"
#define PIECE       1024 /* of output at a time */

struct charset {
    iconv_t to_utf8;
    char newline[4];
    size_t width; /* of the newline */
};

/* In place of the name: without a mark UTF-16 is big-endian by its standard, the machine's own for
 * iconv. */
static const char *iconv_name(struct str name, char *copy, size_t size)
{
    (void)snprintf(copy, size, STR_FMT, STR_ARG(name));
    return str_ieq(name, STR("UTF-16")) ? "UTF-16BE" : copy;
}

static int find_newline(struct charset *c, const char *name)
{
    iconv_t from = iconv_open(name, "UTF-8");
    char text[] = "\n", *in = text, *out = c->newline;
    size_t in_n = 1, room = sizeof(c->newline);

    if (from == (iconv_t)-1) return -EINVAL;
    bool fine = iconv(from, &in, &in_n, &out, &room) != (size_t)-1;
    (void)iconv_close(from);
    c->width = sizeof(c->newline) - room;
    return fine && c->width > 0 ? 0 : -EINVAL;
}

int charset_new(struct str name, struct charset **ret)
{
    char copy[64];
    const char *known = iconv_name(name, copy, sizeof(copy));

    if (name.n == 0 || str_ieq(name, STR("UTF-8")) || str_ieq(name, STR("UTF8"))) {
        *ret = NULL;
        return 0;
    }
    iconv_t cd = name.n < sizeof(copy) ? iconv_open("UTF-8", known) : (iconv_t)-1;
    if (cd == (iconv_t)-1) return -EINVAL;
    struct charset *c = xnew(struct charset);
    c->to_utf8 = cd;
    if (find_newline(c, known) < 0) {
        charset_free(c);
        return -EINVAL;
    }
    *ret = c;
    return 0;
}

void charset_free(struct charset *c)
{
    if (!c) return;
    (void)iconv_close(c->to_utf8);
    free(c);
}

/* --- lines --- */

size_t charset_width(const struct charset *c)
{
    return c ? c->width : 1;
}

static bool ends_here(const struct charset *c, struct str s, size_t at)
{
    return at % c->width == 0 && at + c->width <= s.n &&
           memcmp(s.p + at, c->newline, c->width) == 0;
}

static size_t one_byte_end(struct str s, char newline)
{
    const char *p = s.n ? memchr(s.p, newline, s.n) : NULL;

    return p ? (size_t)(p - s.p) + 1 : 0;
}

size_t charset_line_end(const struct charset *c, struct str s)
{
    if (!c || c->width == 1) return one_byte_end(s, c ? c->newline[0] : '\n');
    for (size_t at = 0; at + c->width <= s.n; at += c->width)
        if (ends_here(c, s, at)) return at + c->width;
    return 0;
}

size_t charset_last_end(const struct charset *c, struct str s)
{
    if (!c || c->width == 1) {
        const char *p = s.n ? memrchr(s.p, c ? c->newline[0] : '\n', s.n) : NULL;
        return p ? (size_t)(p - s.p) + 1 : 0;
    }
    for (size_t at = s.n - s.n % c->width; at >= c->width; at -= c->width)
        if (ends_here(c, s, at - c->width)) return at;
    return 0;
}

struct str charset_chomp(const struct charset *c, struct str line)
{
    size_t width = charset_width(c);

    if (!c) return line.n > 0 && line.p[line.n - 1] == '\n' ? str_sub(line, 0, line.n - 1) : line;
    return line.n >= width && ends_here(c, line, line.n - width) ? str_sub(line, 0, line.n - width)
                                                                 : line;
}

/* --- characters --- */

/* One piece. False when all of it was read, or what is left is half a character. */
static bool convert_some(struct charset *c, char **in, size_t *in_n, struct buf *out)
{
    size_t room = PIECE;
    char *p = buf_reserve(out, PIECE), *end = p;

    if (!p) return false;
    size_t rc = iconv(c->to_utf8, in, in_n, &end, &room);
    int err = rc == (size_t)-1 ? errno : 0;
    buf_commit(out, (size_t)(end - p));
    if (err != EILSEQ) return err == E2BIG;
    buf_cstr(out, REPLACEMENT);
    size_t skip = MIN(c->width, *in_n);
    *in += skip;
    *in_n -= skip;
    return *in_n > 0;
}

void charset_decode(struct charset *c, struct str line, struct buf *out)
{
    char *in = (char *)(uintptr_t)line.p;
    size_t n = line.n;

    (void)iconv(c->to_utf8, NULL, NULL, NULL, NULL);
    while (n > 0 && convert_some(c, &in, &n, out)) {
    }
    if (n > 0) buf_cstr(out, REPLACEMENT);
}

/* --- the mark --- */

static const struct {
    struct str bytes;
    enum bom bom;
} marks[] = {
    {{"\xef\xbb\xbf", 3}, BOM_UTF8},
    {{"\xfe\xff", 2}, BOM_UTF16_BE},
    {{"\xff\xfe", 2}, BOM_UTF16_LE},
    {{"\0\0\xfe\xff", 4}, BOM_UNKNOWN},
};

enum bom charset_bom(struct str head, size_t *ret_n)
{
    *ret_n = 0;
    for (size_t i = 0; i < ARRAY_LEN(marks); i++) {
        struct str m = marks[i].bytes;
        if (str_starts(head, m)) {
            *ret_n = m.n;
            return marks[i].bom;
        }
        if (head.n < m.n && str_starts(m, head)) return BOM_MAYBE;
    }
    return BOM_NONE;
}
