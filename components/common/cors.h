/* Cross-origin requests (CORS): which origins may call, and the headers that say so. Pure. */
#ifndef COMPONENTS_COMMON_CORS_H
#define COMPONENTS_COMMON_CORS_H

#include "base/arena.h"
#include "net/http.h"
#include "value/schema.h"

struct cors_args {
    struct str_list allowed_origins, allowed_headers, exposed_headers;
    i64 max_age; /* seconds */
};
extern const struct schema cors_schema;

#define CORS_HEADERS_MAX 6

static inline bool cors_on(const struct cors_args *c)
{
    return c->allowed_origins.n > 0;
}
/* An allowed origin may hold one `*`, which stands for any run of characters. Case does not matter.
 */
bool cors_origin_allowed(const struct cors_args *c, struct str origin);
/* OPTIONS with Access-Control-Request-Method. */
bool cors_is_preflight(struct str method, const struct http_header *h, size_t n);
/* Headers of the answer to a preflight, or to an actual request. Returns how many; texts live in
 * the arena or borrow the request. */
size_t cors_preflight_headers(const struct cors_args *c, const struct http_header *h, size_t n,
                              struct arena *a, struct http_header out[CORS_HEADERS_MAX]);
size_t cors_actual_headers(const struct cors_args *c, const struct http_header *h, size_t n,
                           struct arena *a, struct http_header out[CORS_HEADERS_MAX]);

#endif
