/* Socket addresses from and to text. */
#include "net/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <unistd.h>
#include "base/assert.h"
#include "base/xalloc.h"
#include "net/http.h"

static int unix_address(const char *path, struct address *ret, char **ret_err)
{
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    size_t n = strlen(path);

    if (n == 0 || n >= sizeof(un.sun_path)) {
        *ret_err = xprintf("listen unix %s: bind: invalid argument", path);
        return -EINVAL;
    }
    memcpy(un.sun_path, path, n);
    if (path[0] == '@') un.sun_path[0] = '\0'; /* a name that is no file */
    memcpy(&ret->sa, &un, sizeof(un));
    ret->len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n + (path[0] != '@'));
    return 0;
}

/* tcp4, udp4; tcp6, udp6. */
static bool ends_with(const char *network, char digit)
{
    return strlen(network) == 4 && network[3] == digit;
}

static bool has_ipv6(void)
{
    int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0) return false;
    close(fd);
    return true;
}

static void any_address(const char *network, int port, struct address *ret)
{
    if (ends_with(network, '4') || !has_ipv6()) {
        struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
        memcpy(&ret->sa, &in, sizeof(in));
        ret->len = sizeof(in);
    } else {
        struct sockaddr_in6 in = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};
        memcpy(&ret->sa, &in, sizeof(in));
        ret->len = sizeof(in);
    }
}

static int family_of(const char *network)
{
    return ends_with(network, '4') ? AF_INET : ends_with(network, '6') ? AF_INET6 : AF_UNSPEC;
}

/* IPv4 first when the name has both, as Go does for listening. */
static const struct addrinfo *prefer_v4(const struct addrinfo *list)
{
    for (const struct addrinfo *a = list; a; a = a->ai_next)
        if (a->ai_family == AF_INET) return a;
    return list;
}

static int look_up(const char *network, const char *host, int port, struct address *ret,
                   char **ret_err)
{
    struct addrinfo hints = {.ai_family = family_of(network),
                             .ai_socktype = SOCK_STREAM,
                             .ai_flags = AI_NUMERICSERV},
                    *list = NULL;
    char service[16];

    (void)snprintf(service, sizeof(service), "%d", port);
    int r = getaddrinfo(host, service, &hints, &list);
    if (r != 0) {
        *ret_err = xprintf("listen %s: lookup %s: %s", network, host,
                           r == EAI_NONAME ? "no such host" : gai_strerror(r));
        return -EADDRNOTAVAIL;
    }
    const struct addrinfo *a = prefer_v4(list);
    memcpy(&ret->sa, a->ai_addr, a->ai_addrlen);
    ret->len = a->ai_addrlen;
    freeaddrinfo(list);
    return 0;
}

int address_parse(const char *network, const char *addr, struct address *ret, char **ret_err)
{
    struct str host;
    char *why = NULL;
    int port;

    if (strncmp(network, "unix", 4) == 0) return unix_address(addr, ret, ret_err);
    if (strncmp(addr, "unix:", 5) == 0) return unix_address(addr + 5, ret, ret_err);
    if (hostport_parse(str_of(addr), -1, &host, &port, &why) != 0) {
        *ret_err = xprintf("listen %s: %s", network, why);
        free(why);
        return -EINVAL;
    }
    if (host.n == 0) {
        any_address(network, port, ret);
        return 0;
    }
    char *name = str_dup(host);
    int r = look_up(network, name, port, ret, ret_err);
    free(name);
    return r;
}

static void put(char *to, size_t cap, const char *text)
{
    if (!to) return;
    int n = snprintf(to, cap, "%s", text);
    ASSERT(n >= 0);
}

static void format_inet(int family, const void *ip, uint16_t port, char *text, size_t cap,
                        char *ret_ip, size_t ip_cap)
{
    char buf[INET6_ADDRSTRLEN] = "?", whole[INET6_ADDRSTRLEN + 10];

    inet_ntop(family, ip, buf, sizeof(buf));
    (void)snprintf(whole, sizeof(whole), family == AF_INET6 ? "[%s]:%u" : "%s:%u", buf,
                   ntohs(port));
    put(text, cap, whole);
    put(ret_ip, ip_cap, buf);
}

/* An IPv4 peer on an IPv6 socket is shown as IPv4. */
static void format_v6(const struct sockaddr_in6 *in, char *text, size_t cap, char *ip,
                      size_t ip_cap)
{
    if (IN6_IS_ADDR_V4MAPPED(&in->sin6_addr))
        format_inet(AF_INET, &in->sin6_addr.s6_addr[12], in->sin6_port, text, cap, ip, ip_cap);
    else
        format_inet(AF_INET6, &in->sin6_addr, in->sin6_port, text, cap, ip, ip_cap);
}

void address_format(const struct sockaddr *sa, socklen_t len, char *text, size_t cap, char *ip,
                    size_t ip_cap)
{
    if (sa->sa_family == AF_INET && len >= sizeof(struct sockaddr_in)) {
        struct sockaddr_in in;
        memcpy(&in, sa, sizeof(in));
        format_inet(AF_INET, &in.sin_addr, in.sin_port, text, cap, ip, ip_cap);
    } else if (sa->sa_family == AF_INET6 && len >= sizeof(struct sockaddr_in6)) {
        struct sockaddr_in6 in;
        memcpy(&in, sa, sizeof(in));
        format_v6(&in, text, cap, ip, ip_cap);
    } else {
        const struct sockaddr_un *un = (const void *)sa;
        bool named = len > offsetof(struct sockaddr_un, sun_path) && un->sun_path[0];
        put(text, cap, named ? un->sun_path : "@");
        put(ip, ip_cap, "");
    }
}
