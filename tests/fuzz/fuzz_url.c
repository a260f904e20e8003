/* URLs, host:port, NO_PROXY: any text; views stay inside it. */
#include <stdlib.h>
#include "base/assert.h"
#include "net/http_proxy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void inside(struct str part, struct str whole)
{
    ASSERT(part.n == 0 || (part.p >= whole.p && part.p + part.n <= whole.p + whole.n));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct str text = {(const char *)data, n}, host, rest = text, rule = str_cut(&rest, ' ');
    struct url u;
    char *err = NULL;
    int port;

    if (url_parse(text, &u, &err) == 0) {
        inside(u.host, text);
        inside(u.path, text);
        inside(u.query, text);
        inside(u.userinfo, text);
        ASSERT(u.host.n > 0 && u.port >= 0 && u.port <= 65535);
    }
    free(err);
    if (hostport_parse(text, 80, &host, &port, NULL) == 0) inside(host, text);
    http_proxy_bypassed(rule, rest, 80);
    return 0;
}
