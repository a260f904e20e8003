/* Character classes and escapes of RE2, written as PCRE2's. Classes are spelled out as ranges
 * wherever the two differ: \s is without VT, and case folding reaches U+017F and U+212A through
 * named classes as well. */
#include "base/regex_impl.h"

#include <stdlib.h>
#include "base/regex_names.h"
#include "base/utf8.h"

#define NEVER  "(?:(?!))"
#define LONG_S 0x17Fu  /* folds to s */
#define KELVIN 0x212Au /* folds to k */
#define LAST   0x10FFFFu

/* --- single characters --- */

static bool is_alnum(u32 c)
{
    return c < 0x80 && (utf8_is_letter(c) || utf8_is_digit(c));
}

static bool is_surrogate(u32 c)
{
    return c >= 0xD800 && c <= 0xDFFF;
}

static void add_char(struct buf *b, u32 c)
{
    if (is_alnum(c))
        buf_ch(b, (char)c);
    else
        buf_printf(b, "\\x{%X}", c);
}

/* Go lets a pattern name a surrogate, which no text holds; PCRE2 refuses the name. */
void re_literal(struct re_parse *p, u32 c)
{
    if (is_surrogate(c))
        buf_cstr(&p->out, NEVER);
    else
        add_char(&p->out, c);
}

static void add_range(struct buf *b, u32 low, u32 high)
{
    if (is_surrogate(low)) low = 0xE000;
    if (is_surrogate(high)) high = 0xD7FF;
    if (low > high) return;
    add_char(b, low);
    if (low == high) return;
    buf_ch(b, '-');
    add_char(b, high);
}

/* --- escapes of one character --- */

static int hex_value(u32 c)
{
    if (c >= '0' && c <= '9') return (int)c - '0';
    if (c >= 0x80) return -1;
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? (int)c - 'a' + 10 : -1;
}

static bool bad_escape(struct re_parse *p, size_t from)
{
    return re_fail(p, "invalid escape sequence", re_since(p, from));
}

/* After "\x{": digits up to the brace. */
static bool braced_hex(struct re_parse *p, size_t from, u32 *ret)
{
    u32 v = 0, c = 0;
    int digits = 0;

    for (;; digits++) {
        if (!re_more(p)) return bad_escape(p, from);
        if (!re_next(p, &c)) return false;
        if (c == '}') break;
        int digit = hex_value(c);
        if (digit < 0) return bad_escape(p, from);
        v = v << 4 | (u32)digit;
        if (v > LAST) return bad_escape(p, from);
    }
    *ret = v;
    return digits > 0 || bad_escape(p, from);
}

static bool hex_escape(struct re_parse *p, size_t from, u32 *ret)
{
    u32 high, low;

    if (!re_more(p)) return bad_escape(p, from);
    if (!re_next(p, &high)) return false;
    if (high == '{') return braced_hex(p, from, ret);
    if (!re_more(p)) return bad_escape(p, from);
    if (!re_next(p, &low)) return false;
    if (hex_value(high) < 0 || hex_value(low) < 0) return bad_escape(p, from);
    *ret = (u32)(hex_value(high) << 4 | hex_value(low));
    return true;
}

static bool is_octal(char c)
{
    return c >= '0' && c <= '7';
}

/* \0 and up to two more digits; \1 to \7 need one more to be no back-reference. */
static bool octal_escape(struct re_parse *p, size_t from, u32 first, u32 *ret)
{
    u32 v = first - '0';

    if (first != '0' && !is_octal(re_peek(p, 0))) return bad_escape(p, from);
    for (int i = 0; i < 2 && is_octal(re_peek(p, 0)); i++)
        v = v << 3 | (u32)(p->src.p[p->at++] - '0');
    *ret = v;
    return true;
}

bool re_escape(struct re_parse *p, u32 *ret)
{
    static const char from[] = "afnrtv", to[] = "\a\f\n\r\t\v";
    size_t start = p->at++;
    u32 c;

    if (!re_more(p)) return re_fail(p, "trailing backslash at end of expression", STR(""));
    if (!re_next(p, &c)) return false;
    if (c >= '0' && c <= '7') return octal_escape(p, start, c, ret);
    if (c == 'x') return hex_escape(p, start, ret);
    const char *letter = c && c < 0x80 ? strchr(from, (int)c) : NULL;
    if (!letter && (c >= 0x80 || is_alnum(c))) return bad_escape(p, start);
    *ret = letter ? (u32)to[letter - from] : c;
    return true;
}

/* --- sets of ASCII characters by name --- */

struct ascii_set {
    const char *name;
    u8 n, bounds[8]; /* pairs of first and last */
};

static const struct ascii_set sets[] = {
    {"alnum", 6, {'0', '9', 'A', 'Z', 'a', 'z'}},
    {"alpha", 4, {'A', 'Z', 'a', 'z'}},
    {"ascii", 2, {0, 0x7F}},
    {"blank", 4, {'\t', '\t', ' ', ' '}},
    {"cntrl", 4, {0, 0x1F, 0x7F, 0x7F}},
    {"digit", 2, {'0', '9'}},
    {"graph", 2, {'!', '~'}},
    {"lower", 2, {'a', 'z'}},
    {"print", 2, {' ', '~'}},
    {"punct", 8, {'!', '/', ':', '@', '[', '`', '{', '~'}},
    {"space", 4, {'\t', '\r', ' ', ' '}},
    {"upper", 2, {'A', 'Z'}},
    {"word", 8, {'0', '9', 'A', 'Z', '_', '_', 'a', 'z'}},
    {"xdigit", 6, {'0', '9', 'A', 'F', 'a', 'f'}},
    {"d", 2, {'0', '9'}},
    {"s", 6, {'\t', '\n', '\f', '\r', ' ', ' '}},
    {"w", 8, {'0', '9', 'A', 'Z', '_', '_', 'a', 'z'}},
};

static const struct ascii_set *find_set(struct str name)
{
    for (size_t i = 0; i < ARRAY_LEN(sets); i++) {
        if (str_is(name, sets[i].name)) return &sets[i];
    }
    return NULL;
}

struct members {
    bool ascii[0x80];
    bool long_s, kelvin;
};

/* The set, closed under case folding when asked. */
static struct members members_of(const struct ascii_set *set, bool fold)
{
    struct members m = {0};

    for (int i = 0; i < set->n; i += 2) {
        for (u32 c = set->bounds[i]; c <= set->bounds[i + 1]; c++) {
            m.ascii[c] = true;
            if (fold && utf8_is_letter(c)) m.ascii[c ^ 0x20] = true;
        }
    }
    m.long_s = fold && m.ascii['s'];
    m.kelvin = fold && m.ascii['k'];
    return m;
}

/* Writes the members, or all other characters, as the inside of a class. */
static void add_members(struct buf *b, const struct members *m, bool negated)
{
    for (u32 c = 0, from; c < 0x80; c++) {
        if (m->ascii[c] == negated) continue;
        from = c;
        while (c < 0x7F && m->ascii[c + 1] != negated)
            c++;
        add_range(b, from, c);
    }
    if (!negated) {
        if (m->long_s) add_char(b, LONG_S);
        if (m->kelvin) add_char(b, KELVIN);
        return;
    }
    u32 from = 0x80;
    if (m->long_s) {
        add_range(b, from, LONG_S - 1);
        from = LONG_S + 1;
    }
    if (m->kelvin) {
        add_range(b, from, KELVIN - 1);
        from = KELVIN + 1;
    }
    add_range(b, from, LAST);
}

/* Outside a class a negated set is shorter, and faster to match, as a negated class of its members.
 */
static void add_set(struct re_parse *p, const struct ascii_set *set, bool negated, bool inside)
{
    struct members m = members_of(set, (p->flags & RE_FOLD) != 0);

    if (inside) {
        add_members(&p->out, &m, negated);
        return;
    }
    buf_cstr(&p->out, negated ? "[^" : "[");
    add_members(&p->out, &m, false);
    buf_ch(&p->out, ']');
}

/* --- \p{...} --- */

static char *loose_name(struct str name)
{
    struct buf b = BUF_INIT(name.n);

    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];
        if (c != ' ' && c != '_' && c != '-')
            buf_ch(&b, (char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c));
    }
    return buf_take(&b, NULL);
}

static int by_category(const void *key, const void *row)
{
    return strcmp(key, ((const struct category_name *)row)->name);
}

static int by_script(const void *key, const void *row)
{
    return strcmp(key, *(const char *const *)row);
}

/* Case-insensitively, upper, lower and title case letters are one. */
static const char *folded_category(const char *category, bool fold)
{
    bool cased =
        str_is(STR("Lu"), category) || str_is(STR("Ll"), category) || str_is(STR("Lt"), category);

    return fold && cased ? "L&" : category;
}

/* Writes the property; false when there is no such name. */
static bool add_property(struct re_parse *p, const char *name, bool negated, bool inside)
{
    const char *const *script;
    const struct category_name *category =
        bsearch(name, category_names, ARRAY_LEN(category_names), sizeof(*category), by_category);
    char letter = negated ? 'P' : 'p', other = negated ? 'p' : 'P';
    bool fold = p->flags & RE_FOLD;

    if (category) {
        buf_printf(&p->out, "\\%c{%s}", letter, folded_category(category->category, fold));
    } else if (strcmp(name, "any") == 0) {
        buf_printf(&p->out, "\\%c{Any}", letter);
    } else if (strcmp(name, "assigned") == 0) {
        buf_printf(&p->out, "\\%c{Cn}", other);
    } else if (strcmp(name, "ascii") == 0) {
        add_set(p, find_set(STR("ascii")), negated, inside);
    } else {
        script = bsearch(name, script_names, ARRAY_LEN(script_names), sizeof(*script), by_script);
        if (!script) return false;
        buf_printf(&p->out, "\\%c{sc:%s}", letter, *script);
    }
    return true;
}

static bool property_escape(struct re_parse *p, bool inside)
{
    size_t from = p->at;
    bool negated = p->src.p[p->at + 1] == 'P';
    struct str name;
    u32 c;

    p->at += 2;
    if (re_peek(p, 0) == '{') {
        ssize_t n = str_chr(re_rest(p, p->at), '}');
        if (n < 0) return re_fail(p, "invalid character class range", re_rest(p, from));
        name = str_n(p->src.p + p->at + 1, (size_t)n - 1);
        p->at += (size_t)n + 1;
    } else {
        if (re_more(p) && !re_next(p, &c)) return false;
        name = re_since(p, from + 2);
    }
    struct str whole = re_since(p, from);
    if (name.n && name.p[0] == '^') {
        negated = !negated;
        name = str_sub(name, 1, name.n);
    }
    char *loose = loose_name(name);
    bool known = add_property(p, loose, negated, inside);
    free(loose);
    return known || re_fail(p, "invalid character class range", whole);
}

bool re_class_escape(struct re_parse *p, bool inside, bool *ret_taken)
{
    char c = re_peek(p, 1), lower = (char)(c | 0x20);

    *ret_taken = c && strchr("dDsSwWpP", c);
    if (!*ret_taken) return true;
    if (lower == 'p') return property_escape(p, inside);
    /* As they are, where both mean the same: PCRE2 matches these fastest. */
    if (lower != 's' && !(p->flags & RE_FOLD))
        buf_printf(&p->out, "\\%c", c);
    else
        add_set(p, find_set(str_n(&lower, 1)), c != lower, inside);
    p->at += 2;
    return true;
}

/* --- [...] --- */

/* The reader stands at "[:" inside a class. Without a closing ":]" the bracket is an ordinary
 * character. */
static bool named_set(struct re_parse *p, bool *ret_taken)
{
    struct str rest = re_rest(p, p->at);
    ssize_t end = str_find(str_sub(rest, 2, rest.n), STR(":]"));

    *ret_taken = end >= 0;
    if (end < 0) return true;
    struct str whole = str_n(rest.p, (size_t)end + 4), name = str_n(rest.p + 2, (size_t)end);
    bool negated = name.n && name.p[0] == '^';
    if (negated) name = str_sub(name, 1, name.n);
    const struct ascii_set *set = name.n > 1 ? find_set(name) : NULL;
    if (!set) return re_fail(p, "invalid character class range", whole);
    add_set(p, set, negated, true);
    p->at += whole.n;
    return true;
}

static bool class_char(struct re_parse *p, size_t class_at, u32 *ret)
{
    if (!re_more(p)) return re_fail(p, "missing closing ]", re_rest(p, class_at));
    return re_peek(p, 0) == '\\' ? re_escape(p, ret) : re_next(p, ret);
}

static bool class_range(struct re_parse *p, size_t class_at)
{
    size_t from = p->at;
    u32 low, high;

    if (!class_char(p, class_at, &low)) return false;
    high = low;
    if (re_peek(p, 0) == '-' && p->at + 1 < p->src.n && re_peek(p, 1) != ']') {
        p->at++;
        if (!class_char(p, class_at, &high)) return false;
        if (high < low) return re_fail(p, "invalid character class range", re_since(p, from));
    }
    add_range(&p->out, low, high);
    return true;
}

static bool class_item(struct re_parse *p, size_t class_at)
{
    bool taken = false;

    if (re_peek(p, 0) == '[' && re_peek(p, 1) == ':' && !named_set(p, &taken)) return false;
    if (!taken && re_peek(p, 0) == '\\' && !re_class_escape(p, true, &taken)) return false;
    return taken || class_range(p, class_at);
}

bool re_class(struct re_parse *p)
{
    size_t class_at = p->at++, out_at = p->out.n;
    bool negated = re_peek(p, 0) == '^';

    p->at += negated;
    buf_cstr(&p->out, negated ? "[^" : "[");
    size_t inside = p->out.n;
    for (bool first = true; first || re_peek(p, 0) != ']'; first = false) {
        if (!re_more(p)) return re_fail(p, "missing closing ]", re_rest(p, class_at));
        if (!class_item(p, class_at)) return false;
    }
    p->at++;
    if (p->out.n > inside || buf_err(&p->out)) {
        buf_ch(&p->out, ']');
        return true;
    }
    buf_truncate(&p->out, out_at); /* only surrogates were named */
    buf_cstr(&p->out, negated ? "[\\x{0}-\\x{10FFFF}]" : NEVER);
    return true;
}
