/* Go's expansion of $1, ${name} and $$ in a replacement. */
#include "base/buf.h"
#include "base/num.h"
#include "base/regex.h"
#include "base/utf8.h"

/* The longest run of letters, digits and '_' at the front. */
static struct str name_at_front(struct str s)
{
    size_t n = 0;

    while (n < s.n) {
        u32 c;
        size_t width = utf8_decode(str_sub(s, n, s.n), &c, NULL);

        if (c != '_' && !utf8_is_letter(c) && !utf8_is_digit(c)) break;
        n += width;
    }
    return str_n(s.p, n);
}

/* Behind a '$': takes "name" or "{name}" from *s. False when neither is there. */
static bool take_name(struct str *s, struct str *ret)
{
    bool braces = s->n && s->p[0] == '{';
    struct str name = name_at_front(str_sub(*s, braces, s->n));
    size_t end = name.n + braces;

    if (name.n == 0) return false;
    if (braces && (end == s->n || s->p[end] != '}')) return false;
    *s = str_sub(*s, end + braces, s->n);
    *ret = name;
    return true;
}

/* A number without leading zeros is a group's, anything else its name; -1 when there is no such
 * group. */
static int group_of(const struct regex *re, struct str name)
{
    u64 v;

    if (num_parse_u64(name, &v) == 0 && (name.n == 1 || name.p[0] != '0') && v < 100000000)
        return v <= (u64)regex_groups(re) ? (int)v : -1;
    return regex_group_index(re, name);
}

void regex_expand(const struct regex *re, struct str tmpl, struct str text, const ssize_t *ov,
                  struct buf *out)
{
    for (ssize_t at; (at = str_chr(tmpl, '$')) >= 0;) {
        struct str name;

        buf_add(out, tmpl.p, (size_t)at);
        tmpl = str_sub(tmpl, (size_t)at + 1, tmpl.n);
        if (tmpl.n && tmpl.p[0] == '$') {
            buf_ch(out, '$');
            tmpl = str_sub(tmpl, 1, tmpl.n);
        } else if (!take_name(&tmpl, &name)) {
            buf_ch(out, '$');
        } else {
            int g = group_of(re, name);
            if (g >= 0 && ov[2 * g] >= 0)
                buf_str(out, str_sub(text, (size_t)ov[2 * g], (size_t)ov[2 * g + 1]));
        }
    }
    buf_str(out, tmpl);
}
