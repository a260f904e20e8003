/* Letters and words: case, abbreviation, wrapping. */
#include "base/clock.h"
#include "base/utf8.h"
#include "components/common/template/text.h"

static bool is_upper(u32 c)
{
    return utf8_is_letter(c) && utf8_lower(c) != c;
}

static bool is_lower(u32 c)
{
    return utf8_is_letter(c) && utf8_upper(c) != c;
}

static struct str rest_of(struct str s, size_t n)
{
    return str_sub(s, n, s.n);
}

/* --- character by character --- */

static bool between_words(u32 c)
{
    if (c < 0x80) return !utf8_is_letter(c) && !utf8_is_digit(c) && c != '_';
    return !utf8_is_letter(c) && !utf8_is_digit(c) && utf8_is_space(c);
}

FN(title)
{
    struct buf b = run_buf();
    u32 before = ' ', c;
    for (struct str s = a[0].s; s.n > 0 && !buf_err(&b); before = c) {
        s = rest_of(s, utf8_decode(s, &c, NULL));
        utf8_encode(&b, between_words(before) ? utf8_upper(c) : c);
    }
    return run_value(r, &b);
}

FN(untitle)
{
    struct buf b = run_buf();
    u32 before = ' ', c;
    for (struct str s = a[0].s; s.n > 0 && !buf_err(&b); before = c) {
        s = rest_of(s, utf8_decode(s, &c, NULL));
        utf8_encode(&b, utf8_is_space(before) ? utf8_lower(c) : c);
    }
    return run_value(r, &b);
}

static u32 swapped(u32 c)
{
    return is_upper(c) ? utf8_lower(c) : is_lower(c) ? utf8_upper(c) : c;
}

FN(swapcase)
{
    struct buf b = run_buf();
    text_map(&b, a[0].s, swapped);
    return run_value(r, &b);
}

FN(nospace)
{
    struct buf b = run_buf();
    u32 c;
    for (struct str s = a[0].s; s.n > 0 && !buf_err(&b);) {
        s = rest_of(s, utf8_decode(s, &c, NULL));
        if (!utf8_is_space(c)) utf8_encode(&b, c);
    }
    return run_value(r, &b);
}

FN(initials)
{
    struct buf b = run_buf();
    u32 before = ' ', c;
    for (struct str s = a[0].s; s.n > 0 && !buf_err(&b); before = c) {
        s = rest_of(s, utf8_decode(s, &c, NULL));
        if (utf8_is_space(before) && !utf8_is_space(c)) utf8_encode(&b, c);
    }
    return run_value(r, &b);
}

/* --- words of an identifier --- */

enum word_kind {
    WORD_NONE,
    WORD_NUMBER,
    WORD_UPPER,
    WORD_LOWER,
    WORD_JOINT,
    WORD_PUNCT,
    WORD_OTHER
};
struct word {
    enum word_kind kind;
    struct str text;
};

static bool is_joint(u32 c)
{
    return c == '-' || c == '_' || utf8_is_space(c);
}

/* Unicode's punctuation, as far as ASCII goes; beyond it marks count as other characters. */
static bool is_punct(u32 c)
{
    return c < 0x80 && c > ' ' && strchr("!\"#%&'()*,-./:;?@[\\]_{}", (int)c);
}

static enum word_kind kind_of(u32 c)
{
    if (is_joint(c)) return WORD_JOINT;
    if (is_punct(c)) return WORD_PUNCT;
    if (is_upper(c)) return WORD_UPPER;
    if (utf8_is_letter(c)) return WORD_LOWER;
    return utf8_is_digit(c) ? WORD_NUMBER : WORD_OTHER;
}

static size_t run_of(struct str s, enum word_kind kind)
{
    size_t n = 0;
    u32 c;
    while (n < s.n) {
        size_t width = utf8_decode(rest_of(s, n), &c, NULL);
        if (kind_of(c) != kind) break;
        n += width;
    }
    return n;
}

/* "HTTP" and "Status" of "HTTPStatus": the last capital belongs to what follows. */
static size_t upper_word(struct str s)
{
    size_t capitals = run_of(s, WORD_UPPER), first = utf8_decode(s, &(u32){0}, NULL);
    size_t small = run_of(rest_of(s, capitals), WORD_LOWER);
    if (small == 0) return capitals;
    if (capitals == first) return capitals + small;
    size_t last = capitals - 1;
    while (((u8)s.p[last] & 0xC0) == 0x80)
        last--;
    return last;
}

static struct word next_word(struct str *s)
{
    u32 c;
    if (s->n == 0) return (struct word){0};
    size_t first = utf8_decode(*s, &c, NULL);
    enum word_kind kind = kind_of(c);
    size_t n = kind == WORD_UPPER ? upper_word(*s) : run_of(*s, kind);
    struct word w = {kind, str_sub(*s, 0, MAX(n, first))};
    *s = rest_of(*s, w.text.n);
    return w;
}

struct joined {
    struct buf out;
    char joint;
    struct str rest;
    struct word now; /* the word that is not written yet */
};

static void write_word(struct joined *j, struct word w)
{
    u32 c;
    for (struct str s = w.text; s.n > 0;) {
        s = rest_of(s, utf8_decode(s, &c, NULL));
        utf8_encode(&j->out, w.kind == WORD_JOINT && is_joint(c) ? (u32)j->joint : utf8_lower(c));
    }
}

static void advance(struct joined *j)
{
    write_word(j, j->now);
    j->now = next_word(&j->rest);
}

static bool wants_joint(struct word next)
{
    return next.kind != WORD_NONE && next.kind != WORD_JOINT && next.kind != WORD_PUNCT;
}

/* Numbers and the small letters behind them stay together. */
static void number_tail(struct joined *j)
{
    while (j->now.kind == WORD_LOWER || j->now.kind == WORD_NUMBER)
        advance(j);
    if (wants_joint(j->now)) buf_ch(&j->out, j->joint);
}

/* A number behind a word is part of it ("bld4_floor"), unless small letters follow ("http_2xx"). */
static void after_letters(struct joined *j)
{
    struct str peek = j->rest;
    if (j->now.kind != WORD_NUMBER) {
        if (wants_joint(j->now)) buf_ch(&j->out, j->joint);
        return;
    }
    if (j->rest.n == 0) return;
    if (next_word(&peek).kind == WORD_LOWER) {
        buf_ch(&j->out, j->joint);
        advance(j);
        number_tail(j);
        return;
    }
    advance(j);
    if (j->now.kind != WORD_JOINT && j->now.kind != WORD_PUNCT) buf_ch(&j->out, j->joint);
}

static struct tval joined_words(struct run *r, struct str s, char joint)
{
    struct joined j = {.out = run_buf(), .joint = joint, .rest = s};
    j.now = next_word(&j.rest);
    while (j.rest.n > 0) {
        enum word_kind kind = j.now.kind;
        advance(&j);
        if (kind == WORD_NUMBER)
            number_tail(&j);
        else if (kind != WORD_JOINT && kind != WORD_PUNCT)
            after_letters(&j);
    }
    write_word(&j, j.now);
    return run_value(r, &j.out);
}

FN(snakecase)
{
    return joined_words(r, a[0].s, '_');
}

FN(kebabcase)
{
    return joined_words(r, a[0].s, '-');
}

struct pascal {
    struct buf out;
    bool begun;    /* a character that is no joint was seen */
    bool capitals; /* in a run of them that began a word */
    u32 joint;     /* read and not written yet; 0: none */
};

/* A joint takes the place of the one before it, which is written. */
static void pascal_joint(struct pascal *p, u32 c)
{
    if (!p->begun)
        utf8_encode(&p->out, c);
    else if (p->joint)
        utf8_encode(&p->out, p->joint);
    p->joint = c;
}

static void pascal_char(struct pascal *p, u32 c)
{
    if (!p->begun || p->joint) {
        p->capitals = is_upper(c);
        c = utf8_upper(c);
    } else {
        p->capitals = p->capitals && is_upper(c);
        if (p->capitals) c = utf8_lower(c);
    }
    utf8_encode(&p->out, c);
    p->begun = true;
    p->joint = 0;
}

/* SomeWords of some_words: letters behind joints become capitals, later capitals of a run of them
 * small. Of joints between words one is taken away, at the ends all stay; where there is nothing
 * else the last one is doubled, which is what Sprig does. */
FN(camelcase)
{
    struct pascal p = {.out = run_buf()};
    u32 c;
    for (struct str s = a[0].s; s.n > 0 && !buf_err(&p.out);) {
        s = rest_of(s, utf8_decode(s, &c, NULL));
        if (is_joint(c))
            pascal_joint(&p, c);
        else
            pascal_char(&p, c);
    }
    if (p.joint) utf8_encode(&p.out, p.joint);
    return run_value(r, &p.out);
}

/* --- abbreviation, by bytes --- */

/* A view that begins at `offset`, in at most width bytes with "..." where something is left out. */
static void abbreviate(struct buf *b, struct str s, size_t offset, i64 width)
{
    if (width < 4 || s.n == 0) return;
    size_t w = (size_t)width;
    if (s.n <= w) {
        buf_str(b, s);
        return;
    }
    offset = MIN(offset, s.n);
    if (s.n - offset < w - 3) offset = s.n - (w - 3);
    if (offset <= 4) {
        buf_str(b, str_sub(s, 0, w - 3));
        buf_cstr(b, "...");
    } else if (w >= 7) {
        buf_cstr(b, "...");
        if (offset + w - 3 < s.n)
            abbreviate(b, str_sub(s, offset, s.n), 0, width - 3);
        else
            buf_str(b, str_sub(s, s.n - (w - 3), s.n));
    }
}

FN(abbrev)
{
    struct buf b = run_buf();
    if (a[0].i < 4) return a[1];
    abbreviate(&b, a[1].s, 0, a[0].i);
    return run_value(r, &b);
}

FN(abbrevboth)
{
    struct buf b = run_buf();
    if (a[1].i < 4 || (a[0].i > 0 && a[1].i < 7)) return a[2];
    abbreviate(&b, a[2].s, a[0].i > 0 ? (size_t)a[0].i : 0, a[1].i);
    return run_value(r, &b);
}

/* --- wrapping, by bytes --- */

struct wrapping {
    struct buf out;
    struct str s, line_end;
    size_t at, width;
    bool cut_words;
};

static void wrap_line(struct wrapping *w, size_t end, size_t next)
{
    buf_str(&w->out, str_sub(w->s, w->at, end));
    buf_str(&w->out, w->line_end);
    w->at = next;
}

/* A word longer than the line: cut, or kept whole up to its end. */
static void long_word(struct wrapping *w)
{
    size_t end = w->at + w->width;
    ssize_t blank = w->cut_words ? 0 : str_chr(str_sub(w->s, end, w->s.n), ' ');
    if (w->cut_words)
        wrap_line(w, end, end);
    else if (blank >= 0)
        wrap_line(w, end + (size_t)blank, end + (size_t)blank + 1);
    else
        w->width = w->s.n; /* the rest is one line */
}

static struct tval wrapped(struct run *r, struct wrapping *w)
{
    w->out = run_buf();
    while (w->s.n - w->at > w->width && !buf_err(&w->out)) {
        if (w->s.p[w->at] == ' ') {
            w->at++;
            continue;
        }
        ssize_t blank = str_rchr(str_sub(w->s, w->at, w->at + w->width + 1), ' ');
        if (blank >= 0)
            wrap_line(w, w->at + (size_t)blank, w->at + (size_t)blank + 1);
        else
            long_word(w);
    }
    buf_str(&w->out, str_sub(w->s, w->at, w->s.n));
    return run_value(r, &w->out);
}

static size_t wrap_width(i64 i)
{
    return i < 1 ? 1 : (size_t)i;
}

FN(wrap)
{
    struct wrapping w = {.s = a[1].s, .width = wrap_width(a[0].i), .line_end = STR("\n")};
    return wrapped(r, &w);
}

FN(wrap_with)
{
    struct wrapping w = {.s = a[2].s, .width = wrap_width(a[0].i), .cut_words = true};
    w.line_end = a[1].s.n ? a[1].s : STR("\n");
    return wrapped(r, &w);
}

/* --- chance --- */

FN(shuffle)
{
    struct tval l = text_split(r, a[0].s, (struct str){0}, -1);
    struct buf b = run_buf();
    for (size_t i = l.list.n; i > 1; i--) {
        size_t k = random_u64() % i;
        struct tval t = l.list.v[k];
        l.list.v[k] = l.list.v[i - 1];
        l.list.v[i - 1] = t;
    }
    for (size_t i = 0; i < l.list.n; i++)
        buf_str(&b, l.list.v[i].s);
    return run_value(r, &b);
}

static const struct tfunc funcs[] = {
    {"title", "s", title},          {"untitle", "s", untitle},
    {"swapcase", "s", swapcase},    {"nospace", "s", nospace},
    {"initials", "s", initials},    {"snakecase", "s", snakecase},
    {"kebabcase", "s", kebabcase},  {"camelcase", "s", camelcase},
    {"abbrev", "is", abbrev},       {"wrap", "is", wrap},
    {"wrapWith", "iss", wrap_with}, {"abbrevboth", "iis", abbrevboth},
    {"shuffle", "s", shuffle},
};
FUNC_TABLE(fn_words, funcs);
