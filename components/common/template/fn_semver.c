/* Semantic versions and what they are asked to satisfy. */
#include "base/num.h"
#include "components/common/template/run.h"

/* --- versions: "v1.2.3-pre+meta", minor and patch may be missing --- */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool id_char(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-';
}

static struct str leading(struct str s, bool (*fn)(char))
{
    size_t n = 0;
    while (n < s.n && fn(s.p[n]))
        n++;
    return str_sub(s, 0, n);
}

static bool take(struct str *s, char c)
{
    if (s->n == 0 || s->p[0] != c) return false;
    *s = str_sub(*s, 1, s->n);
    return true;
}

/* Identifiers between dots, none empty. */
static bool identifiers(struct str *s, struct str *ret)
{
    const char *begin = s->p;
    do {
        struct str id = leading(*s, id_char);
        if (id.n == 0) return false;
        *s = str_sub(*s, id.n, s->n);
    } while (take(s, '.'));
    *ret = str_n(begin, (size_t)(s->p - begin));
    return true;
}

static bool digits_only(struct str s)
{
    return s.n > 0 && leading(s, is_digit).n == s.n;
}

static const char *bad_pre(struct str pre)
{
    while (pre.n > 0) {
        struct str id = str_cut(&pre, '.');
        if (id.n > 1 && id.p[0] == '0' && digits_only(id)) return "Version segment starts with 0";
    }
    return NULL;
}

static const char bad_version[] = "Invalid Semantic Version";

/* "-pre" and "+meta" up to the end. */
static const char *suffixes(struct str s, struct tversion *v)
{
    if (take(&s, '-') && !identifiers(&s, &v->pre)) return bad_version;
    if (take(&s, '+') && !identifiers(&s, &v->meta)) return bad_version;
    return s.n ? bad_version : bad_pre(v->pre);
}

static const char *parse_version(struct str s, struct tversion *v)
{
    u64 *const parts[] = {&v->major, &v->minor, &v->patch};
    *v = (struct tversion){.original = s};
    take(&s, 'v');
    for (size_t i = 0; i < 3; i++) {
        if (i > 0 && !take(&s, '.')) break;
        struct str number = leading(s, is_digit);
        if (number.n == 0 || num_parse_u64(number, parts[i])) return bad_version;
        s = str_sub(s, number.n, s.n);
    }
    return suffixes(s, v);
}

static int compare_u64(u64 a, u64 b)
{
    return (a > b) - (a < b);
}

/* Numbers below words, numbers by value. */
static int compare_id(struct str a, struct str b)
{
    bool x = digits_only(a), y = digits_only(b);
    if (x && y) return a.n != b.n ? compare_u64(a.n, b.n) : str_cmp(a, b);
    if (x != y) return x ? -1 : 1;
    return str_cmp(a, b);
}

/* None is above any; of two the shorter is below when all else is equal. */
static int compare_pre(struct str a, struct str b)
{
    if (a.n == 0 || b.n == 0) return (a.n == 0) - (b.n == 0);
    while (a.n > 0 && b.n > 0) {
        int c = compare_id(str_cut(&a, '.'), str_cut(&b, '.'));
        if (c) return c;
    }
    return (a.n > 0) - (b.n > 0);
}

static int compare(const struct tversion *a, const struct tversion *b)
{
    int c = compare_u64(a->major, b->major);
    if (!c) c = compare_u64(a->minor, b->minor);
    if (!c) c = compare_u64(a->patch, b->patch);
    return c ? c : compare_pre(a->pre, b->pre);
}

/* --- constraints --- */

enum op { OP_EQUAL, OP_NOT, OP_GT, OP_LT, OP_GE, OP_LE, OP_TILDE, OP_CARET };
struct constraint {
    enum op op;
    struct tversion v;
    int parts; /* how many of major, minor, patch are told; 3: all */
};

static bool same_parts(const struct tversion *a, const struct tversion *b, int parts)
{
    return (parts < 1 || a->major == b->major) && (parts < 2 || a->minor == b->minor) &&
           (parts < 3 || a->patch == b->patch);
}

/* Major and minor, as far as they are told: <0, 0, >0. */
static int compare_parts(const struct tversion *a, const struct tversion *b, int parts)
{
    int c = compare_u64(a->major, b->major);
    return c || parts == 1 ? c : compare_u64(a->minor, b->minor);
}

static bool tilde(const struct tversion *v, const struct constraint *c)
{
    if (compare(v, &c->v) < 0) return false;
    bool anything = c->v.major + c->v.minor + c->v.patch == 0 && c->parts != 1 && c->parts != 2;
    return anything || same_parts(v, &c->v, c->parts == 1 ? 1 : 2);
}

/* The leftmost part that is not 0 stays. */
static bool caret(const struct tversion *v, const struct constraint *c)
{
    if (compare(v, &c->v) < 0) return false;
    if (c->v.major > 0 || c->parts == 1) return same_parts(v, &c->v, 1);
    if (c->v.minor > 0 || c->parts == 2) return same_parts(v, &c->v, 2);
    return same_parts(v, &c->v, 3);
}

static bool greater(const struct tversion *v, const struct constraint *c)
{
    if (c->parts == 1 || c->parts == 2) return compare_parts(v, &c->v, c->parts) > 0;
    return compare(v, &c->v) > 0;
}

/* A release is wanted unless the constraint tells a pre-release itself. */
static bool satisfies(const struct tversion *v, const struct constraint *c)
{
    if (v->pre.n && !c->v.pre.n) return false;
    switch (c->op) {
    case OP_EQUAL: return c->parts < 3 ? tilde(v, c) : compare(v, &c->v) == 0;
    case OP_NOT:
        return c->parts == 1 || c->parts == 2 ? !same_parts(v, &c->v, c->parts)
                                              : compare(v, &c->v) != 0;
    case OP_GT: return greater(v, c);
    case OP_LT: return compare(v, &c->v) < 0;
    case OP_GE: return compare(v, &c->v) >= 0;
    case OP_LE:
        return c->parts < 3 ? compare_parts(v, &c->v, c->parts) <= 0 : compare(v, &c->v) <= 0;
    case OP_TILDE: return tilde(v, c);
    case OP_CARET: return caret(v, c);
    }
    return false;
}

static const struct {
    struct str text;
    enum op op;
} ops[] = {
    {STR("!="), OP_NOT}, {STR(">="), OP_GE},    {STR("=>"), OP_GE},   {STR("<="), OP_LE},
    {STR("=<"), OP_LE},  {STR("~>"), OP_TILDE}, {STR("="), OP_EQUAL}, {STR(">"), OP_GT},
    {STR("<"), OP_LT},   {STR("~"), OP_TILDE},  {STR("^"), OP_CARET},
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool in_version(char c)
{
    return id_char(c) || c == '.' || c == '+' || c == '*';
}

static struct str skip_blanks(struct str s)
{
    return str_sub(s, leading(s, is_blank).n, s.n);
}

static bool is_x(struct str s)
{
    return str_is(s, "x") || str_is(s, "X") || str_is(s, "*");
}

/* "1.x" and "1": one part is told. */
static bool constraint_version(struct str s, struct constraint *c)
{
    u64 *const parts[] = {&c->v.major, &c->v.minor, &c->v.patch};
    take(&s, 'v');
    size_t end = 0;
    while (end < s.n && s.p[end] != '-' && s.p[end] != '+')
        end++;
    struct str numbers = str_sub(s, 0, end);
    bool open = false;
    if (numbers.n == 0) return false;
    for (c->parts = 0; numbers.p && c->parts < 3;) {
        struct str part = str_cut(&numbers, '.');
        if (is_x(part))
            open = true;
        else if (!digits_only(part))
            return false;
        else if (!open && num_parse_u64(part, parts[c->parts]))
            return false;
        if (open) break;
        c->parts++;
    }
    if (c->parts < 3) c->v.patch = 0;
    return !suffixes(str_sub(s, end, s.n), &c->v);
}

/* One constraint off the front of *s. */
static bool next_constraint(struct str *s, struct constraint *c)
{
    *c = (struct constraint){0};
    *s = skip_blanks(*s);
    for (size_t i = 0; i < ARRAY_LEN(ops); i++) {
        if (!str_starts(*s, ops[i].text)) continue;
        c->op = ops[i].op;
        *s = skip_blanks(str_sub(*s, ops[i].text.n, s->n));
        break;
    }
    struct str version = leading(*s, in_version);
    *s = str_sub(*s, version.n, s->n);
    return constraint_version(version, c);
}

/* "A - B" is ">= A, <= B". */
static bool range_end(struct str *s, struct constraint *first, struct constraint *last)
{
    struct str rest = skip_blanks(*s);
    if (rest.p == s->p || rest.n < 2 || rest.p[0] != '-' || !is_blank(rest.p[1])) return false;
    *s = str_sub(rest, 1, rest.n);
    if (!next_constraint(s, last)) return false;
    first->op = OP_GE;
    last->op = OP_LE;
    return true;
}

/* Constraints that all must hold. False: not well formed. */
static bool all_of(struct str s, const struct tversion *v, bool *ret)
{
    *ret = true;
    do {
        struct constraint c, last;
        if (!next_constraint(&s, &c)) return false;
        if (range_end(&s, &c, &last)) *ret &= satisfies(v, &last);
        *ret &= satisfies(v, &c);
        struct str rest = skip_blanks(s);
        if (rest.n > 0 && !take(&rest, ',') && rest.p == s.p) return false;
        s = rest;
    } while (s.n > 0);
    return true;
}

FN(semver_compare)
{
    struct tversion v;
    bool any = false;
    struct str s = a[0].s;
    const char *fault = parse_version(a[1].s, &v);
    do {
        ssize_t at = str_find(s, STR("||"));
        bool holds;
        if (!all_of(at < 0 ? s : str_sub(s, 0, (size_t)at), &v, &holds))
            return run_fail(r, "improper constraint: " STR_FMT, STR_ARG(a[0].s));
        any |= holds;
        s = at < 0 ? (struct str){0} : str_sub(s, (size_t)at + 2, s.n);
    } while (s.p);
    return fault ? run_fail(r, "%s", fault) : tv_bool(any);
}

FN(semver)
{
    struct tval v = {.type = T_VERSION, .version = arena_new(r->arena, struct tversion)};
    const char *fault = parse_version(a[0].s, v.version);
    return fault ? run_fail(r, "%s", fault) : v;
}

static const struct tfunc funcs[] = {
    {"semver", "s", semver},
    {"semverCompare", "ss", semver_compare},
};
FUNC_TABLE(fn_semver, funcs);

/* --- methods --- */

FN(major)
{
    return tv_int64((i64)a[0].version->major);
}

FN(minor)
{
    return tv_int64((i64)a[0].version->minor);
}

FN(patch)
{
    return tv_int64((i64)a[0].version->patch);
}

FN(prerelease)
{
    return tv_str(a[0].version->pre);
}

FN(metadata)
{
    return tv_str(a[0].version->meta);
}

FN(original)
{
    return tv_str(a[0].version->original);
}

FN(text)
{
    return tv_str(to_text(r, a[0]));
}

FN(m_compare)
{
    return tv_int(compare(a[0].version, a[1].version));
}

FN(equal)
{
    return tv_bool(compare(a[0].version, a[1].version) == 0);
}

FN(less_than)
{
    return tv_bool(compare(a[0].version, a[1].version) < 0);
}

FN(greater_than)
{
    return tv_bool(compare(a[0].version, a[1].version) > 0);
}

static const struct tfunc of_versions[] = {
    {"Major", "n", major},
    {"Minor", "n", minor},
    {"Patch", "n", patch},
    {"Prerelease", "n", prerelease},
    {"Metadata", "n", metadata},
    {"Original", "n", original},
    {"String", "n", text},
    {"Compare", "nn", m_compare},
    {"Equal", "nn", equal},
    {"LessThan", "nn", less_than},
    {"GreaterThan", "nn", greater_than},
};
FUNC_TABLE(methods_version, of_versions);
