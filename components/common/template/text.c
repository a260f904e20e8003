/* Texts: replacing, trimming, mapping, splitting. */
#include "components/common/template/text.h"

#include "base/utf8.h"

size_t text_chars(struct str s)
{
    size_t n = 0;
    for (size_t i = 0; i < s.n; n++)
        i += utf8_decode(str_sub(s, i, s.n), &(u32){0}, NULL);
    return n;
}

static void replace_empty(struct buf *out, struct str s, struct str by, i64 most)
{
    while (s.n > 0 && !buf_err(out)) {
        size_t n = utf8_decode(s, &(u32){0}, NULL);
        if (most != 0) buf_str(out, by);
        if (most > 0) most--;
        buf_add(out, s.p, n);
        s = str_sub(s, n, s.n);
    }
    if (most != 0) buf_str(out, by);
}

void text_replace(struct buf *out, struct str s, struct str old, struct str by, i64 most)
{
    if (old.n == 0) {
        replace_empty(out, s, by, most);
        return;
    }
    for (; most != 0 && !buf_err(out); most -= most > 0) {
        ssize_t at = str_find(s, old);
        if (at < 0) break;
        buf_add(out, s.p, (size_t)at);
        buf_str(out, by);
        s = str_sub(s, (size_t)at + old.n, s.n);
    }
    buf_str(out, s);
}

static bool in_set(struct str set, u32 c)
{
    while (set.n > 0) {
        u32 have;
        set = str_sub(set, utf8_decode(set, &have, NULL), set.n);
        if (have == c) return true;
    }
    return false;
}

/* The last character and its width. */
static size_t last_char(struct str s, u32 *ret)
{
    for (size_t n = MIN(s.n, 4u); n > 1; n--)
        if (utf8_decode(str_sub(s, s.n - n, s.n), ret, NULL) == n) return n;
    return utf8_decode(str_sub(s, s.n - 1, s.n), ret, NULL);
}

struct str text_trim(struct str s, struct str set, int ends)
{
    u32 c;
    while ((ends & TRIM_LEFT) && s.n > 0) {
        size_t n = utf8_decode(s, &c, NULL);
        if (!in_set(set, c)) break;
        s = str_sub(s, n, s.n);
    }
    while ((ends & TRIM_RIGHT) && s.n > 0) {
        size_t n = last_char(s, &c);
        if (!in_set(set, c)) break;
        s.n -= n;
    }
    return s;
}

struct str text_trim_space(struct str s)
{
    u32 c;
    while (s.n > 0) {
        size_t n = utf8_decode(s, &c, NULL);
        if (!utf8_is_space(c)) break;
        s = str_sub(s, n, s.n);
    }
    while (s.n > 0) {
        size_t n = last_char(s, &c);
        if (!utf8_is_space(c)) break;
        s.n -= n;
    }
    return s;
}

void text_map(struct buf *out, struct str s, u32 (*fn)(u32))
{
    while (s.n > 0 && !buf_err(out)) {
        u32 c;
        s = str_sub(s, utf8_decode(s, &c, NULL), s.n);
        utf8_encode(out, fn(c));
    }
}

static size_t count_pieces(struct str s, struct str sep)
{
    size_t n = 1;
    if (sep.n == 0) return text_chars(s);
    for (ssize_t at; (at = str_find(s, sep)) >= 0; n++)
        s = str_sub(s, (size_t)at + sep.n, s.n);
    return n;
}

struct tval text_split(struct run *r, struct str s, struct str sep, i64 n)
{
    size_t pieces = n == 0 ? 0 : count_pieces(s, sep);
    if (n > 0 && pieces > (u64)n) pieces = (size_t)n;
    struct tval l = tlist_new(r, ELEM_STRING, pieces);
    for (size_t i = 0; i < l.list.n; i++) {
        bool last = i + 1 == l.list.n;
        size_t len = sep.n == 0 ? utf8_decode(s, &(u32){0}, NULL) : (size_t)str_find(s, sep);
        l.list.v[i] = tv_str(last ? s : str_sub(s, 0, len));
        if (!last) s = str_sub(s, len + sep.n, s.n);
    }
    return l;
}
