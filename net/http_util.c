/* Status texts, header lookup, URLs and host:port. No state. */
#include <errno.h>
#include "base/num.h"
#include "base/xalloc.h"
#include "net/http.h"

static const struct {
    int status;
    const char *text;
} texts[] = {
    {100, "Continue"},
    {101, "Switching Protocols"},
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {203, "Non-Authoritative Information"},
    {204, "No Content"},
    {205, "Reset Content"},
    {206, "Partial Content"},
    {300, "Multiple Choices"},
    {301, "Moved Permanently"},
    {302, "Found"},
    {303, "See Other"},
    {304, "Not Modified"},
    {305, "Use Proxy"},
    {307, "Temporary Redirect"},
    {308, "Permanent Redirect"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {402, "Payment Required"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {407, "Proxy Authentication Required"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {410, "Gone"},
    {411, "Length Required"},
    {412, "Precondition Failed"},
    {413, "Request Entity Too Large"},
    {414, "Request URI Too Long"},
    {415, "Unsupported Media Type"},
    {416, "Requested Range Not Satisfiable"},
    {417, "Expectation Failed"},
    {418, "I'm a teapot"},
    {421, "Misdirected Request"},
    {422, "Unprocessable Entity"},
    {423, "Locked"},
    {424, "Failed Dependency"},
    {425, "Too Early"},
    {426, "Upgrade Required"},
    {428, "Precondition Required"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {451, "Unavailable For Legal Reasons"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {505, "HTTP Version Not Supported"},
    {507, "Insufficient Storage"},
    {508, "Loop Detected"},
    {511, "Network Authentication Required"},
};

const char *http_status_text(int status)
{
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        if (texts[i].status == status) return texts[i].text;
    return "";
}

struct str http_header_get(const struct http_header *h, size_t n, struct str name)
{
    for (size_t i = 0; i < n; i++)
        if (str_ieq(h[i].name, name)) return h[i].value;
    return (struct str){0};
}

static int fail(char **ret_err, const char *why, struct str s)
{
    if (ret_err) *ret_err = xprintf("%s: \"" STR_FMT "\"", why, STR_ARG(s));
    return -EINVAL;
}

/* 0 .. 65535, or -1. An empty port is 0, as in "http://host:/". */
static int parse_port(struct str s)
{
    u64 port = 0;

    if (s.n == 0) return 0;
    return num_parse_u64(s, &port) == 0 && port <= 65535 ? (int)port : -1;
}

/* Splits at the colon that stands before the port: "[v6]:80", "host:80", "host". False when the
 * brackets are wrong or a bare v6 stands there. */
static bool split_port(struct str s, struct str *ret_host, struct str *ret_port, bool *ret_has)
{
    if (s.n && s.p[0] == '[') {
        ssize_t close = str_chr(s, ']');
        if (close < 0) return false;
        struct str rest = str_sub(s, (size_t)close + 1, s.n);
        if (rest.n && rest.p[0] != ':') return false;
        *ret_host = str_sub(s, 1, (size_t)close);
        *ret_has = rest.n > 0;
        *ret_port = rest.n ? str_sub(rest, 1, rest.n) : rest;
        return true;
    }
    ssize_t colon = str_rchr(s, ':');
    if (colon >= 0 && str_chr(s, ':') != colon) return false;
    *ret_has = colon >= 0;
    *ret_host = colon < 0 ? s : str_sub(s, 0, (size_t)colon);
    *ret_port = colon < 0 ? (struct str){0} : str_sub(s, (size_t)colon + 1, s.n);
    return true;
}

static bool has_bad_byte(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((u8)s.p[i] <= ' ' || s.p[i] == 0x7f) return true;
    return false;
}

/* What stands between "//" and the path: [userinfo@]host[:port] */
static int parse_authority(struct str whole, struct str a, struct url *u, char **ret_err)
{
    ssize_t at = str_rchr(a, '@');
    struct str port;
    bool has_port;

    if (at >= 0) {
        u->userinfo = str_sub(a, 0, (size_t)at);
        a = str_sub(a, (size_t)at + 1, a.n);
    }
    if (!split_port(a, &u->host, &port, &has_port))
        return fail(ret_err, "invalid host in URL", whole);
    if (u->host.n == 0) return fail(ret_err, "no host in URL", whole);
    u->port = parse_port(port);
    return u->port < 0 ? fail(ret_err, "invalid port in URL", whole) : 0;
}

static size_t until(struct str s, size_t from, const char *set)
{
    while (from < s.n && !strchr(set, s.p[from]))
        from++;
    return from;
}

int url_parse(struct str s, struct url *ret, char **ret_err)
{
    struct url u = {0};
    ssize_t sep = str_find(s, STR("://"));

    if (sep <= 0) return fail(ret_err, "URL without scheme", s);
    if (has_bad_byte(s)) return fail(ret_err, "invalid character in URL", s);
    u.scheme = str_sub(s, 0, (size_t)sep);
    if (!str_ieq(u.scheme, STR("http")) && !str_ieq(u.scheme, STR("https")))
        return fail(ret_err, "unsupported protocol scheme in URL", s);
    size_t host = (size_t)sep + 3, path = until(s, host, "/?#"), query = until(s, path, "?#");
    int r = parse_authority(s, str_sub(s, host, path), &u, ret_err);
    if (r) return r;
    u.path = str_sub(s, path, query);
    if (query < s.n && s.p[query] == '?') u.query = str_sub(s, query + 1, until(s, query, "#"));
    *ret = u;
    return 0;
}

int hostport_parse(struct str s, int port_default, struct str *ret_host, int *ret_port,
                   char **ret_err)
{
    struct str host, port;
    bool has_port;

    if (!split_port(s, &host, &port, &has_port)) return fail(ret_err, "invalid address", s);
    if (!has_port && port_default < 0) return fail(ret_err, "missing port in address", s);
    int n = has_port ? parse_port(port) : port_default;
    if (n < 0) return fail(ret_err, "invalid port in address", s);
    *ret_host = host;
    *ret_port = n;
    return 0;
}
