/* Which proxy a request goes through, by the environment variables HTTP_PROXY, HTTPS_PROXY and
 * NO_PROXY (or lower case). */
#ifndef NET_HTTP_PROXY_H
#define NET_HTTP_PROXY_H

#include "net/http.h"

/* The proxy's URL as the environment has it, or an empty text. Views into the environment. */
struct str http_proxy_from_env(const struct url *url);
/* NO_PROXY's rule: a comma-separated list of hosts, .suffixes, addresses, CIDRs and "*", each with
 * an optional port. Never for loopback names. */
bool http_proxy_bypassed(struct str no_proxy, struct str host, int port);

#endif
