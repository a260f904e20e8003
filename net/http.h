/* What HTTP client and server share: headers, status texts, URLs. */
#ifndef NET_HTTP_H
#define NET_HTTP_H

#include "base/buf.h"

struct http_header {
    struct str name, value; /* names compare without case; HTTP/2 gives lower case */
};

const char *http_status_text(int status); /* "Not Found"; "" when unknown */
/* Value of the first header of that name; p == NULL when absent. */
struct str http_header_get(const struct http_header *h, size_t n, struct str name);

struct url {
    struct str scheme, userinfo, host, path,
        query; /* host without brackets; path starts with / or is empty */
    int port;  /* 0: not given */
};
/* Absolute http(s) URLs. 0 or -EINVAL with *ret_err (owned; may be NULL) saying why. Views into s.
 */
int url_parse(struct str s, struct url *ret, char **ret_err);
/* host:port, [v6]:port, :port. port_default used when none is given (negative: a port is required).
 */
int hostport_parse(struct str s, int port_default, struct str *ret_host, int *ret_port,
                   char **ret_err);

#endif
