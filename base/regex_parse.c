/* RE2 syntax to PCRE2 syntax: what Go refuses is refused with Go's words, what the two read
 * differently is rewritten. Groups lose their names, i and s are written out just before the item
 * they apply to, m and U go into anchors and repetitions themselves. */
#include "base/regex_impl.h"

#include "base/utf8.h"

#define REPEAT_MAX  1000 /* RE2's bound, of one repetition and of the product of nested ones */
#define NESTING_MAX 1000

bool re_fail(struct re_parse *p, const char *err, struct str expr)
{
    if (!p->err) {
        p->err = err;
        p->err_expr = expr;
    }
    return false;
}

struct str re_since(const struct re_parse *p, size_t from)
{
    return str_sub(p->src, from, p->at);
}

struct str re_rest(const struct re_parse *p, size_t from)
{
    return str_sub(p->src, from, p->src.n);
}

bool re_next(struct re_parse *p, u32 *ret)
{
    bool bad;
    size_t width = utf8_decode(re_rest(p, p->at), ret, &bad);

    if (bad) return re_fail(p, "invalid UTF-8", re_rest(p, p->at));
    p->at += width;
    return true;
}

/* --- items --- */

/* Before an item is written: the flags in force, if they changed. */
static void sync_flags(struct re_parse *p)
{
    static const struct {
        unsigned flag;
        char letter;
    } letters[] = {{RE_FOLD, 'i'}, {RE_DOT_ALL, 's'}};
    unsigned now = p->flags & (RE_FOLD | RE_DOT_ALL);

    if (now == p->emitted) return;
    buf_cstr(&p->out, "(?");
    for (size_t i = 0; i < ARRAY_LEN(letters); i++) {
        if (now & letters[i].flag) buf_ch(&p->out, letters[i].letter);
    }
    buf_ch(&p->out, '-');
    for (size_t i = 0; i < ARRAY_LEN(letters); i++) {
        if (!(now & letters[i].flag)) buf_ch(&p->out, letters[i].letter);
    }
    buf_ch(&p->out, ')');
    p->emitted = now;
}

static void begin_atom(struct re_parse *p, enum re_atom kind)
{
    sync_flags(p);
    p->atom = kind;
    p->atom_out = p->out.n;
    p->atom_weight = 1;
}

static void add_literal(struct re_parse *p, u32 c)
{
    begin_atom(p, RE_ATOM_PLAIN);
    re_literal(p, c);
}

/* An item that is written as a fixed text, assertions needing a wrap before they can be repeated.
 */
static void add_fixed(struct re_parse *p, enum re_atom kind, const char *text)
{
    begin_atom(p, kind);
    buf_cstr(&p->out, text);
}

static void add_anchor(struct re_parse *p, char c)
{
    bool lines = p->flags & RE_MULTILINE;

    if (c == '^')
        add_fixed(p, RE_ATOM_WRAP, lines ? "(?m:^)" : "\\A");
    else
        add_fixed(p, RE_ATOM_WRAP, lines ? "(?m:$)" : "\\z");
    p->at++;
}

/* --- repetition --- */

struct repeat {
    int min, max; /* max -1: without end */
};

/* A count as RE2 reads it: no leading zeros; -2 for one too large to matter. False when there is
 * none. */
static bool take_count(struct re_parse *p, int *ret)
{
    size_t from = p->at;
    int v = 0;

    while (re_peek(p, 0) >= '0' && re_peek(p, 0) <= '9') {
        if (v < 100000000) v = v * 10 + (p->src.p[p->at] - '0');
        p->at++;
    }
    if (p->at == from || (p->src.p[from] == '0' && p->at - from > 1)) return false;
    *ret = v;
    return true;
}

/* The reader stands at '{'. False, and nothing taken, when that is only a brace. */
static bool take_braces(struct re_parse *p, struct repeat *ret)
{
    size_t from = p->at++;
    struct repeat r;
    bool ok = take_count(p, &r.min);

    r.max = r.min;
    if (ok && re_peek(p, 0) == ',') {
        p->at++;
        r.max = -1;
        if (re_peek(p, 0) != '}') ok = take_count(p, &r.max);
    }
    ok = ok && re_peek(p, 0) == '}';
    p->at = ok ? p->at + 1 : from;
    if (ok) *ret = r;
    return ok;
}

static void wrap_atom(struct re_parse *p)
{
    static const char open[] = "(?:";
    size_t n = sizeof(open) - 1;

    buf_cstr(&p->out, open);
    if (buf_err(&p->out)) return;
    char *atom = p->out.p + p->atom_out;
    memmove(atom + n, atom, p->out.n - n - p->atom_out);
    memcpy(atom, open, n);
    buf_ch(&p->out, ')');
}

/* The operator stands between `from` and the reader; a '?' may follow it. */
static bool add_repeat(struct re_parse *p, size_t from, struct str op, const struct repeat *counts)
{
    bool lazy = re_peek(p, 0) == '?';

    p->at += lazy;
    if (p->repeat_at != SIZE_MAX)
        return re_fail(p, "invalid nested repetition operator", re_since(p, p->repeat_at));
    if (p->atom == RE_ATOM_NONE)
        return re_fail(p, "missing argument to repetition operator", re_since(p, from));
    if (p->atom == RE_ATOM_WRAP) wrap_atom(p);
    buf_str(&p->out, op);
    if (lazy != ((p->flags & RE_UNGREEDY) != 0)) buf_ch(&p->out, '?');
    p->atom = RE_ATOM_WRAP;
    p->repeat_at = from;
    if (!counts) return true;
    p->atom_weight *= counts->max < 0 ? counts->min : counts->max;
    bool large = counts->min >= 2 || counts->max >= 2;
    return !large || p->atom_weight <= REPEAT_MAX ||
           re_fail(p, "invalid repeat count", re_since(p, from));
}

static bool parse_simple_repeat(struct re_parse *p)
{
    size_t from = p->at++;

    return add_repeat(p, from, str_n(p->src.p + from, 1), NULL);
}

static bool parse_braces(struct re_parse *p)
{
    size_t from = p->at;
    struct repeat r;

    if (!take_braces(p, &r)) {
        p->repeat_at = SIZE_MAX;
        add_literal(p, '{');
        p->at++;
        return true;
    }
    if (r.min > REPEAT_MAX || r.max > REPEAT_MAX || (r.max >= 0 && r.min > r.max))
        return re_fail(p, "invalid repeat count", re_since(p, from));
    return add_repeat(p, from, re_since(p, from), &r);
}

/* --- groups --- */

static bool open_group(struct re_parse *p, const char *text, unsigned flags)
{
    if (p->groups.n >= NESTING_MAX) return re_fail(p, "expression nests too deeply", p->src);
    begin_atom(p, RE_ATOM_NONE);
    vec_push(&p->groups,
             ((struct re_frame){
                 .flags = p->flags, .emitted = p->emitted, .out = p->out.n, .weight = p->weight}));
    buf_cstr(&p->out, text);
    p->flags = flags;
    p->weight = 1;
    return true;
}

static bool open_capture(struct re_parse *p, struct str name)
{
    vec_push(&p->names, name);
    return open_group(p, "(", p->flags);
}

static bool is_name(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (c != '_' && !((c | 0x20) >= 'a' && (c | 0x20) <= 'z') && !(c >= '0' && c <= '9'))
            return false;
    }
    return s.n > 0;
}

/* The reader stands at "(?P<" or "(?<". */
static bool parse_named(struct re_parse *p, size_t skip)
{
    size_t from = p->at;
    ssize_t end = str_chr(re_rest(p, from), '>');

    if (end < 0) {
        if (!utf8_valid(re_rest(p, from))) return re_fail(p, "invalid UTF-8", re_rest(p, from));
        return re_fail(p, "invalid named capture", re_rest(p, from));
    }
    struct str name = str_sub(p->src, from + skip, from + MAX((size_t)end, skip));
    p->at += (size_t)end + 1;
    if (!is_name(name)) return re_fail(p, "invalid named capture", re_since(p, from));
    return open_capture(p, name);
}

static unsigned flag_of(u32 c)
{
    switch (c) {
    case 'i': return RE_FOLD;
    case 'm': return RE_MULTILINE;
    case 's': return RE_DOT_ALL;
    case 'U': return RE_UNGREEDY;
    default: return 0;
    }
}

static bool bad_perl(struct re_parse *p, size_t from)
{
    return re_fail(p, "invalid or unsupported Perl syntax", re_since(p, from));
}

/* The reader stands behind "(?": flags up to ')' or ':'. */
static bool parse_flags(struct re_parse *p, size_t from)
{
    unsigned on = p->flags;
    bool minus = false, any = true;
    u32 c;

    while (re_more(p)) {
        if (!re_next(p, &c)) return false;
        if (flag_of(c)) {
            on = minus ? on & ~flag_of(c) : on | flag_of(c);
            any = true;
        } else if (c == '-' && !minus) {
            minus = true;
            any = false;
        } else if (any && c == ':') {
            return open_group(p, "(?:", on);
        } else if (any && c == ')') {
            p->flags = on;
            return true;
        } else {
            break;
        }
    }
    return bad_perl(p, from);
}

static bool parse_open(struct re_parse *p)
{
    size_t from = p->at;
    struct str rest = re_rest(p, from);

    if (re_peek(p, 1) != '?') {
        p->at++;
        return open_capture(p, STR(""));
    }
    if (rest.n > 4 && str_starts(rest, STR("(?P<"))) return parse_named(p, 4);
    if (rest.n > 3 && str_starts(rest, STR("(?<"))) return parse_named(p, 3);
    p->at += 2;
    return parse_flags(p, from);
}

static bool parse_close(struct re_parse *p)
{
    if (p->groups.n == 0) return re_fail(p, "unexpected )", p->src);
    struct re_frame f = vec_pop(&p->groups);
    buf_ch(&p->out, ')');
    p->at++;
    p->flags = f.flags;
    p->emitted = f.emitted;
    p->atom = RE_ATOM_PLAIN;
    p->atom_out = f.out;
    p->atom_weight = p->weight;
    p->weight = MAX(f.weight, p->weight);
    return true;
}

static void parse_bar(struct re_parse *p)
{
    buf_ch(&p->out, '|');
    p->at++;
    p->atom = RE_ATOM_NONE;
}

/* --- backslashes outside classes --- */

/* \Q...\E, or to the end. */
static bool parse_quoted(struct re_parse *p)
{
    p->at += 2;
    while (re_more(p)) {
        u32 c;

        if (str_starts(re_rest(p, p->at), STR("\\E"))) {
            p->at += 2;
            break;
        }
        if (!re_next(p, &c)) return false;
        add_literal(p, c);
    }
    return true;
}

static bool parse_backslash(struct re_parse *p)
{
    static const struct {
        char letter;
        const char *text;
    } assertions[] = {{'A', "\\A"}, {'b', "\\b"}, {'B', "\\B"}, {'z', "\\z"}};
    char c = re_peek(p, 1);
    bool taken;
    u32 literal;

    for (size_t i = 0; i < ARRAY_LEN(assertions); i++) {
        if (c != assertions[i].letter) continue;
        add_fixed(p, RE_ATOM_WRAP, assertions[i].text);
        p->at += 2;
        return true;
    }
    if (c == 'Q') return parse_quoted(p);
    if (c && strchr("dDsSwWpP", c)) {
        begin_atom(p, RE_ATOM_PLAIN);
        return re_class_escape(p, false, &taken);
    }
    if (!re_escape(p, &literal)) return false;
    add_literal(p, literal);
    return true;
}

/* --- the whole --- */

static bool parse_literal(struct re_parse *p)
{
    u32 c;

    if (!re_next(p, &c)) return false;
    add_literal(p, c);
    return true;
}

static bool parse_item(struct re_parse *p)
{
    char c = re_peek(p, 0);

    if (c == '*' || c == '+' || c == '?') return parse_simple_repeat(p);
    if (c == '{') return parse_braces(p);
    p->repeat_at = SIZE_MAX;
    switch (c) {
    case '(': return parse_open(p);
    case ')': return parse_close(p);
    case '|': parse_bar(p); return true;
    case '^':
    case '$': add_anchor(p, c); return true;
    case '.':
        add_fixed(p, RE_ATOM_PLAIN, ".");
        p->at++;
        return true;
    case '[': begin_atom(p, RE_ATOM_PLAIN); return re_class(p);
    case '\\': return parse_backslash(p);
    default: return parse_literal(p);
    }
}

bool re_translate(struct re_parse *p, unsigned flags)
{
    p->flags = flags;
    p->weight = 1;
    p->repeat_at = SIZE_MAX;
    while (re_more(p)) {
        if (!parse_item(p)) return false;
        p->weight = MAX(p->weight, p->atom == RE_ATOM_NONE ? 1 : p->atom_weight);
    }
    if (p->groups.n) return re_fail(p, "missing closing )", p->src);
    return buf_err(&p->out) == 0 || re_fail(p, "expression too large", p->src);
}
