/* Sprig's regular expressions: pattern first. */
#include "components/common/template/pattern.h"

FN(match)
{
    const char *why;
    const struct regex *re = pattern_get(r, a[0].s, &why);
    if (!re) return tv_bool(false);
    int found = regex_match(re, a[1].s, 0, NULL, 0);
    if (found == REGEX_LIMIT)
        return run_fail(r, "the regular expression takes too long on this text");
    return tv_bool(found == 1);
}

FN(must_match)
{
    return pattern_must(r, a[0].s) ? match(r, a, n) : TV_NIL;
}

FN(find)
{
    struct matches m;
    const struct regex *re = pattern_must(r, a[0].s);
    if (!re) return TV_NIL;
    matches_init(&m, re, a[1].s);
    if (!matches_next(r, &m)) return tv_str((struct str){0});
    return tv_str(str_sub(a[1].s, (size_t)m.ov[0], (size_t)m.ov[1]));
}

static size_t count(struct run *r, const struct regex *re, struct str s, i64 most)
{
    struct matches m;
    size_t n = 0;
    matches_init(&m, re, s);
    while ((most < 0 || n < (u64)most) && matches_next(r, &m))
        n++;
    return n;
}

FN(find_all)
{
    struct matches m;
    const struct regex *re = pattern_must(r, a[0].s);
    if (!re) return TV_NIL;
    struct tval l = tlist_new(r, ELEM_STRING, count(r, re, a[1].s, a[2].i));
    matches_init(&m, re, a[1].s);
    for (size_t i = 0; i < l.list.n && matches_next(r, &m); i++)
        l.list.v[i] = tv_str(str_sub(a[1].s, (size_t)m.ov[0], (size_t)m.ov[1]));
    return l;
}

FN(replace)
{
    return pattern_replace(r, a[0].s, a[1].s, a[2].s, true);
}

FN(replace_literal)
{
    return pattern_replace(r, a[0].s, a[1].s, a[2].s, false);
}

/* A match at the very start that is empty does not split. */
static size_t pieces(struct run *r, const struct regex *re, struct tval *a, struct tlist *out)
{
    struct str s = a[1].s;
    i64 most = a[2].i;
    struct matches m;
    size_t n = 0, begin = 0;
    ssize_t end = 0;
    if (s.n == 0 && a[0].s.n > 0) {
        if (out) out->v[0] = tv_str(s);
        return 1;
    }
    matches_init(&m, re, s);
    while (matches_next(r, &m)) {
        if (most > 0 && n + 1 == (u64)most) break;
        end = m.ov[0];
        if (m.ov[1] != 0) {
            if (out) out->v[n] = tv_str(str_sub(s, begin, (size_t)end));
            n++;
        }
        begin = (size_t)m.ov[1];
    }
    if ((size_t)end == s.n) return n;
    if (out) out->v[n] = tv_str(str_sub(s, begin, s.n));
    return n + 1;
}

FN(split)
{
    const struct regex *re = pattern_must(r, a[0].s);
    if (!re) return TV_NIL;
    if (a[2].i == 0) return tlist_new(r, ELEM_STRING, 0);
    struct tval l = tlist_new(r, ELEM_STRING, pieces(r, re, a, NULL));
    if (!run_failed(r)) pieces(r, re, a, &l.list);
    return l;
}

FN(quote_meta)
{
    struct buf b = run_buf();
    for (size_t i = 0; i < a[0].s.n; i++) {
        char c = a[0].s.p[i];
        if (c && strchr("\\.+*?()|[]{}^$", c)) buf_ch(&b, '\\');
        buf_ch(&b, c);
    }
    return run_value(r, &b);
}

static const struct tfunc funcs[] = {
    {"regexMatch", "ss", match},
    {"mustRegexMatch", "ss", must_match},
    {"regexFind", "ss", find},
    {"mustRegexFind", "ss", find},
    {"regexFindAll", "ssi", find_all},
    {"mustRegexFindAll", "ssi", find_all},
    {"mustRegexReplaceAll", "sss", replace},
    {"mustRegexReplaceAllLiteral", "sss", replace_literal},
    {"regexSplit", "ssi", split},
    {"mustRegexSplit", "ssi", split},
    {"regexQuoteMeta", "s", quote_meta},
};
FUNC_TABLE(fn_regex, funcs);
