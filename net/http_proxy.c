/* Proxies by the environment. */
#include "net/http_proxy.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include "base/num.h"

static struct str env(const char *upper, const char *lower)
{
    const char *v = getenv(upper);

    if (!v || !*v) v = getenv(lower);
    return str_of(v);
}

struct ip {
    u8 b[16];
    int bits; /* 32, 128; 0: no address */
};

static struct ip parse_ip(struct str s)
{
    char text[INET6_ADDRSTRLEN];
    struct ip ip = {0};

    if (s.n == 0 || s.n >= sizeof(text)) return ip;
    memcpy(text, s.p, s.n);
    text[s.n] = '\0';
    if (inet_pton(AF_INET, text, ip.b) == 1)
        ip.bits = 32;
    else if (inet_pton(AF_INET6, text, ip.b) == 1)
        ip.bits = 128;
    return ip;
}

static bool is_loopback(struct str host)
{
    struct ip ip = parse_ip(host);
    static const u8 v6[16] = {[15] = 1};

    return str_ieq(host, STR("localhost")) || (ip.bits == 32 && ip.b[0] == 127) ||
           (ip.bits == 128 && memcmp(ip.b, v6, 16) == 0);
}

static bool in_network(struct str cidr, size_t slash, struct str host)
{
    struct ip net = parse_ip(str_sub(cidr, 0, slash)), ip = parse_ip(host);
    i64 bits;

    if (!net.bits || net.bits != ip.bits ||
        num_parse_i64(str_sub(cidr, slash + 1, cidr.n), &bits) != 0 || bits < 0 || bits > net.bits)
        return false;
    for (i64 i = 0; i < bits; i++)
        if ((net.b[i / 8] ^ ip.b[i / 8]) & (0x80 >> (i % 8))) return false;
    return true;
}

/* "example.com" covers the name and what ends in it; ".example.com" (and "*.example.com") only what
 * ends in it. */
static bool in_domain(struct str rule, struct str host)
{
    if (str_starts(rule, STR("*."))) rule = str_sub(rule, 1, rule.n);
    if (rule.n && rule.p[0] != '.' && str_ieq(rule, host)) return true;
    struct str suffix = rule.n && rule.p[0] == '.' ? rule : (struct str){0};
    if (suffix.n)
        return host.n > suffix.n && str_ieq(str_sub(host, host.n - suffix.n, host.n), suffix);
    return host.n > rule.n && host.p[host.n - rule.n - 1] == '.' &&
           str_ieq(str_sub(host, host.n - rule.n, host.n), rule);
}

static bool matches(struct str rule, struct str host, int port)
{
    ssize_t slash = str_chr(rule, '/');
    struct str name;
    int rule_port;

    if (str_is(rule, "*")) return true;
    if (slash >= 0) return in_network(rule, (size_t)slash, host);
    if (parse_ip(rule).bits) return str_ieq(rule, host);
    if (hostport_parse(rule, 0, &name, &rule_port, NULL) != 0 || (rule_port && rule_port != port))
        return false;
    return in_domain(name, host);
}

bool http_proxy_bypassed(struct str no_proxy, struct str host, int port)
{
    if (is_loopback(host)) return true;
    while (no_proxy.p) {
        struct str rule = str_trim(str_cut(&no_proxy, ','));
        if (rule.n && matches(rule, host, port)) return true;
    }
    return false;
}

struct str http_proxy_from_env(const struct url *url)
{
    bool https = str_ieq(url->scheme, STR("https"));
    struct str proxy = https ? env("HTTPS_PROXY", "https_proxy") : env("HTTP_PROXY", "http_proxy");
    int port = url->port ? url->port : https ? 443 : 80;

    if (!proxy.n || http_proxy_bypassed(env("NO_PROXY", "no_proxy"), url->host, port))
        return (struct str){0};
    return proxy;
}
