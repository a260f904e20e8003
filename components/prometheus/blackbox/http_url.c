/* References to URLs. */
#include "components/prometheus/blackbox/http_url.h"

#include <ctype.h>

static struct str without_fragment(struct str s)
{
    ssize_t at = str_chr(s, '#');

    return at < 0 ? s : str_sub(s, 0, (size_t)at);
}

static bool begins(struct str s, struct str prefix)
{
    return s.n >= prefix.n && str_ieq(str_sub(s, 0, prefix.n), prefix);
}

struct str http_url_of(struct arena *a, struct str target)
{
    target = without_fragment(target);
    if (begins(target, STR("http://")) || begins(target, STR("https://")))
        return arena_str(a, target);
    return str_of(arena_printf(a, "http://" STR_FMT, STR_ARG(target)));
}

static bool has_scheme(struct str s)
{
    size_t n = 0;

    while (n < s.n && (isalnum((u8)s.p[n]) || (s.p[n] && strchr("+-.", s.p[n]))))
        n++;
    return n > 0 && n < s.n && s.p[n] == ':' && isalpha((u8)s.p[0]);
}

/* Where the path of an absolute URL begins: behind the host. */
static size_t path_at(struct str url)
{
    size_t at = (size_t)(str_find(url, STR("://")) + 3);

    while (at < url.n && !strchr("/?", url.p[at]))
        at++;
    return at;
}

/* Takes "." and ".." out of a path that begins with a slash. */
static struct str clean(struct arena *a, struct str path)
{
    char *to = arena_alloc(a, path.n + 2);
    size_t n = 0;

    while (path.n > 0) {
        struct str rest = str_sub(path, 1, path.n);
        ssize_t slash = str_chr(rest, '/');
        struct str part = slash < 0 ? rest : str_sub(rest, 0, (size_t)slash);
        bool dot = str_is(part, "."), up = str_is(part, "..");
        while (up && n > 0 && to[--n] != '/') {
        }
        if (!dot && !up) {
            to[n++] = '/';
            memcpy(to + n, part.p, part.n);
            n += part.n;
        } else if (slash < 0) {
            to[n++] = '/';
        }
        path = slash < 0 ? STR("") : str_sub(rest, (size_t)slash, rest.n);
    }
    return str_n(to, n);
}

struct str http_url_join(struct arena *a, struct str base, struct str location)
{
    location = without_fragment(location);
    size_t at = path_at(base);
    struct str origin = str_sub(base, 0, at), rest = str_sub(base, at, base.n);
    struct str path = str_cut(&rest, '?'), query = location, own = str_cut(&query, '?');

    if (has_scheme(location)) return arena_str(a, location);
    if (begins(location, STR("//")))
        return str_of(arena_printf(a, STR_FMT STR_FMT,
                                   STR_ARG(str_sub(base, 0, (size_t)str_find(base, STR("//")))),
                                   STR_ARG(location)));
    if (own.n > 0 && own.p[0] != '/') { /* beside the last part of the base */
        ssize_t slash = str_rchr(path, '/');
        path = str_of(arena_printf(a, STR_FMT "/" STR_FMT,
                                   STR_ARG(str_sub(path, 0, (size_t)MAX(slash, (ssize_t)0))),
                                   STR_ARG(own)));
    } else if (own.n > 0) {
        path = own;
    } else if (!query.p) {
        query = rest;
    }
    return str_of(arena_printf(a, STR_FMT STR_FMT "%s" STR_FMT, STR_ARG(origin),
                               STR_ARG(clean(a, path)), query.p ? "?" : "", STR_ARG(query)));
}
