/* Endpoints of gRPC clients. Source: spec D.7. */
#include "components/common/grpc_endpoint.h"

#include <errno.h>

#include "base/xalloc.h"
#include "net/http.h"

#define DEFAULT_PORT 443

static bool strip(struct str *s, struct str prefix)
{
    if (!str_starts(*s, prefix)) return false;
    *s = str_sub(*s, prefix.n, s->n);
    return true;
}

/* dns:host, dns:///host, dns://SERVER/host */
static void strip_dns(struct str *s, struct grpc_endpoint *e)
{
    if (!strip(s, STR("dns:")) || !strip(s, STR("//"))) return;
    struct str server = str_cut(s, '/');
    e->dns_server = server.n > 0;
}

int grpc_endpoint_parse(struct str s, struct grpc_endpoint *ret, char **ret_err)
{
    struct grpc_endpoint e = {0};
    e.https = strip(&s, STR("https://"));
    if (!e.https && !strip(&s, STR("http://"))) strip_dns(&s, &e);
    if (s.n > 0 && s.p[s.n - 1] == '/') s.n--;
    if (s.n == 0 || str_chr(s, '/') >= 0) {
        *ret_err = xprintf("requires a non-empty \"endpoint\" of the form host:port");
        return -EINVAL;
    }
    int r = hostport_parse(s, DEFAULT_PORT, &e.host, &e.port, ret_err);
    if (r == 0 && e.host.n == 0) e.host = STR("localhost");
    if (r == 0) *ret = e;
    return r;
}

char *grpc_endpoint_base(const struct grpc_endpoint *e, bool tls)
{
    bool v6 = str_chr(e->host, ':') >= 0;
    return xprintf("%s://%s" STR_FMT "%s:%d", tls ? "https" : "http", v6 ? "[" : "",
                   STR_ARG(e->host), v6 ? "]" : "", e->port);
}
