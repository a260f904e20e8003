/* URLs to dictionaries and back, with the rules of Go's net/url. */
#include "components/common/template/run.h"

#include "base/digest.h"

struct url {
    struct str scheme, opaque, userinfo, host, path, query, fragment;
};

/* What may stand unescaped, beside letters, digits and -_.~ */
#define IN_PATH     "$&+,/:;=@"
#define IN_HOST     "!$&'()*+,;=:[]<>\""
#define IN_USER     "$&+,;="
#define IN_FRAGMENT "$&+,/:;=?@!()*"

static bool letter_or_digit(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static void escape(struct buf *b, struct str s, const char *plain)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (letter_or_digit(c) || (c && (strchr("-_.~", c) || strchr(plain, c))))
            buf_ch(b, c);
        else
            buf_printf(b, "%%%02X", (u8)c);
    }
}

static bool unescape(struct run *r, struct str s, struct str *ret)
{
    struct buf b = run_buf();
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] != '%') {
            buf_ch(&b, s.p[i]);
            continue;
        }
        int hi = i + 2 < s.n ? hex_digit(s.p[i + 1]) : -1, lo = hi < 0 ? -1 : hex_digit(s.p[i + 2]);
        if (lo < 0) {
            run_fail(r, "unable to parse url: invalid URL escape \"" STR_FMT "\"",
                     STR_ARG(str_sub(s, i, MIN(i + 3, s.n))));
            buf_done(&b);
            return false;
        }
        buf_ch(&b, (char)(hi << 4 | lo));
        i += 2;
    }
    *ret = run_text(r, &b);
    return !run_failed(r);
}

static bool bad(struct run *r, const char *why)
{
    run_fail(r, "unable to parse url: %s", why);
    return false;
}

/* --- reading --- */

static struct str lower(struct run *r, struct str s)
{
    char *p = arena_strdup(r->arena, s);
    for (size_t i = 0; i < s.n; i++)
        if (p[i] >= 'A' && p[i] <= 'Z') p[i] |= 0x20;
    return str_n(p, s.n);
}

static bool read_scheme(struct run *r, struct str *s, struct url *u)
{
    size_t n = 0;
    while (n < s->n && (letter_or_digit(s->p[n]) || (n > 0 && strchr("+-.", s->p[n]) && s->p[n])))
        n++;
    if (n == s->n || s->p[n] != ':') return true;
    if (n == 0) return bad(r, "missing protocol scheme");
    if (s->p[0] >= '0' && s->p[0] <= '9') return true;
    u->scheme = lower(r, str_sub(*s, 0, n));
    *s = str_sub(*s, n + 1, s->n);
    return true;
}

static bool port_ok(struct str s)
{
    if (s.n == 0) return true;
    if (s.p[0] != ':') return false;
    for (size_t i = 1; i < s.n; i++)
        if (s.p[i] < '0' || s.p[i] > '9') return false;
    return true;
}

static bool read_host(struct run *r, struct str host, struct url *u)
{
    ssize_t close = str_rchr(host, ']'), colon = str_rchr(host, ':');
    struct str port = {0};
    if (host.n > 0 && host.p[0] == '[') {
        if (close < 0) return bad(r, "missing ']' in host");
        port = str_sub(host, (size_t)close + 1, host.n);
    } else if (colon >= 0) {
        port = str_sub(host, (size_t)colon, host.n);
    }
    if (!port_ok(port)) return bad(r, "invalid port after host");
    for (size_t i = 0; i < host.n; i++)
        if (host.p[i] == ' ' || host.p[i] == '^' || host.p[i] == '{' || host.p[i] == '\\')
            return bad(r, "invalid character in host name");
    return unescape(r, host, &u->host);
}

static struct str userinfo_text(struct run *r, struct str user, struct str password)
{
    struct buf b = run_buf();
    escape(&b, user, IN_USER);
    if (password.p) {
        buf_ch(&b, ':');
        escape(&b, password, IN_USER);
    }
    return run_text(r, &b);
}

static bool read_userinfo(struct run *r, struct str s, struct url *u)
{
    struct str user, password = s, clear = {0};
    user = str_cut(&password, ':');
    for (size_t i = 0; i < s.n; i++)
        if (!letter_or_digit(s.p[i]) && !strchr("-._:~!$&'()*+,;=%@", s.p[i]))
            return bad(r, "net/url: invalid userinfo");
    if (!unescape(r, user, &user)) return false;
    if (password.p && !unescape(r, password, &clear)) return false;
    if (password.p && !clear.p) clear.p = "";
    u->userinfo = userinfo_text(r, user, clear);
    return true;
}

static bool read_authority(struct run *r, struct str *s, struct url *u)
{
    ssize_t slash = str_chr(*s, '/');
    struct str all = slash < 0 ? *s : str_sub(*s, 0, (size_t)slash);
    *s = str_sub(*s, all.n, s->n);
    ssize_t at = str_rchr(all, '@');
    if (at >= 0 && !read_userinfo(r, str_sub(all, 0, (size_t)at), u)) return false;
    return read_host(r, str_sub(all, (size_t)(at + 1), all.n), u);
}

static bool control_byte(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((u8)s.p[i] < ' ' || s.p[i] == 0x7f) return true;
    return false;
}

static bool colon_first(struct str s)
{
    ssize_t colon = str_chr(s, ':'), slash = str_chr(s, '/');
    return colon >= 0 && (slash < 0 || colon < slash);
}

static bool read_url(struct run *r, struct str s, struct url *u)
{
    struct str fragment = s, query;
    s = str_cut(&fragment, '#');
    if (control_byte(s)) return bad(r, "net/url: invalid control character in URL");
    if (!read_scheme(r, &s, u)) return false;
    query = s;
    s = str_cut(&query, '?');
    u->query = query;
    if (fragment.p && !unescape(r, fragment, &u->fragment)) return false;
    bool rooted = s.n > 0 && s.p[0] == '/';
    if (!rooted && u->scheme.n) {
        u->opaque = s;
        return true;
    }
    if (!rooted && colon_first(s)) return bad(r, "first path segment in URL cannot contain colon");
    if (str_starts(s, STR("//")) && (u->scheme.n || !str_starts(s, STR("///")))) {
        s = str_sub(s, 2, s.n);
        if (!read_authority(r, &s, u)) return false;
    }
    return unescape(r, s, &u->path);
}

static struct str host_name(struct str host)
{
    ssize_t close = str_rchr(host, ']'), colon = str_rchr(host, ':');
    if (host.n > 0 && host.p[0] == '[' && close > 0) return str_sub(host, 1, (size_t)close);
    return colon >= 0 ? str_sub(host, 0, (size_t)colon) : host;
}

FN(url_parse)
{
    struct url u = {0};
    struct tval d = {.type = T_MAP, .map = tmap_new(r)};
    if (!read_url(r, a[0].s, &u)) return TV_NIL;
    tmap_put(r, d.map, STR("scheme"), tv_str(u.scheme));
    tmap_put(r, d.map, STR("host"), tv_str(u.host));
    tmap_put(r, d.map, STR("hostname"), tv_str(host_name(u.host)));
    tmap_put(r, d.map, STR("path"), tv_str(u.path));
    tmap_put(r, d.map, STR("query"), tv_str(u.query));
    tmap_put(r, d.map, STR("opaque"), tv_str(u.opaque));
    tmap_put(r, d.map, STR("fragment"), tv_str(u.fragment));
    tmap_put(r, d.map, STR("userinfo"), tv_str(u.userinfo));
    return d;
}

/* --- writing --- */

static struct str part(struct run *r, struct tmap *m, const char *name)
{
    struct tval *v = tmap_get(r, m, str_of(name));
    if (!v) return (struct str){0};
    if (v->type == T_STRING) return v->s;
    run_fail(r, "unable to parse %s key, must be of type string, but %s found", name, tv_kind(*v));
    return (struct str){0};
}

static bool parts(struct run *r, struct tmap *m, struct url *u)
{
    u->scheme = part(r, m, "scheme");
    u->host = part(r, m, "host");
    u->path = part(r, m, "path");
    u->query = part(r, m, "query");
    u->opaque = part(r, m, "opaque");
    u->fragment = part(r, m, "fragment");
    struct str userinfo = part(r, m, "userinfo");
    return !run_failed(r) && (userinfo.n == 0 || read_userinfo(r, userinfo, u));
}

static void write_path(struct buf *b, const struct url *u)
{
    if (str_is(u->path, "*")) {
        buf_ch(b, '*');
        return;
    }
    if (u->path.n && u->path.p[0] != '/' && u->host.n) buf_ch(b, '/');
    if (b->n == 0 && colon_first(u->path)) buf_cstr(b, "./");
    escape(b, u->path, IN_PATH);
}

static void write_url(struct buf *b, const struct url *u)
{
    if (u->scheme.n) buf_printf(b, STR_FMT ":", STR_ARG(u->scheme));
    if (u->opaque.n) {
        buf_str(b, u->opaque);
    } else {
        bool authority = u->scheme.n || u->host.n || u->userinfo.n;
        if (authority && (u->host.n || u->path.n || u->userinfo.n)) buf_cstr(b, "//");
        if (u->userinfo.n) buf_printf(b, STR_FMT "@", STR_ARG(u->userinfo));
        escape(b, u->host, IN_HOST);
        write_path(b, u);
    }
    if (u->query.n) buf_printf(b, "?" STR_FMT, STR_ARG(u->query));
    if (u->fragment.n) {
        buf_ch(b, '#');
        escape(b, u->fragment, IN_FRAGMENT);
    }
}

FN(url_join)
{
    struct url u = {0};
    struct buf b = run_buf();
    if (!parts(r, a[0].map, &u)) return TV_NIL;
    write_url(&b, &u);
    return run_value(r, &b);
}

static const struct tfunc funcs[] = {
    {"urlParse", "s", url_parse},
    {"urlJoin", "m", url_join},
};
FUNC_TABLE(fn_url, funcs);
