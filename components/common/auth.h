/* otelcol.Handler: what the otelcol.auth.* components export and OTLP clients and servers use.
 *
 * A handler is immutable and counted with its capsule: a changed secret makes a new handler, and
 * whoever refers to it is evaluated again. Both sides may be called on any worker at the same time.
 */
#ifndef COMPONENTS_COMMON_AUTH_H
#define COMPONENTS_COMMON_AUTH_H

#include "base/arena.h"
#include "net/http.h"
#include "runtime/component.h"

/* Headers of one outgoing request. Names and values live in the arena. */
struct auth_headers {
    struct arena *arena;
    struct http_header *v;
    size_t n, cap;
};
void auth_headers_add(struct auth_headers *h, struct str name, struct str value); /* borrows both */
/* Replaces the first header of that name and removes the others; adds it when there is none. */
void auth_headers_set(struct auth_headers *h, struct str name, struct str value);
void auth_headers_remove(struct auth_headers *h, struct str name);
bool auth_headers_has(const struct auth_headers *h, struct str name);

struct auth_handler {
    /* Client side: changes the headers of a request made for data of `from` (NULL: unknown). NULL:
     * this handler cannot sign requests. */
    void (*sign)(const struct auth_handler *h, const struct client_info *from,
                 struct auth_headers *out);
    /* Server side: NULL when the request may pass (attributes of the client go to `into`), else why
     * not. NULL: cannot check requests. */
    const char *(*check)(const struct auth_handler *h, const struct http_header *headers, size_t n,
                         struct client_info *into);
    void (*free)(struct auth_handler *h);
};

extern const struct capsule_type capsule_otelcol_handler;

/* What every otelcol.auth component exports. */
struct auth_exports {
    struct capsule_ref handler;
};
extern const struct schema auth_exports_schema;
/* Exports h (taken): from a shard, or with s NULL from the control loop (create, configure). */
void auth_export(struct comp *c, struct shard *s, struct auth_handler *h);

/* The handler of an argument, borrowed; NULL when unset. */
const struct auth_handler *auth_of(struct capsule_ref ref);
/* Faults of an argument that holds a handler of the wrong side; 0 or -EINVAL. */
int auth_prepare_client(struct prepare *p, const char *path, struct capsule_ref ref);
int auth_prepare_server(struct prepare *p, const char *path, struct capsule_ref ref);

#endif
