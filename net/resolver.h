/* Host names to addresses through a cache, looked up on the offload pool: at most one lookup of a
 * name at a time. Thread safe. */
#ifndef NET_RESOLVER_H
#define NET_RESOLVER_H

#include "net/loop.h"

struct resolver;
struct resolver *resolver_new(struct offload *pool);
/* Queries may still be on their way; none may be started after. */
void resolver_free(struct resolver *r);

struct resolver_query;
/* addrs: "10.0.0.1,[fe80::1]" or NULL with err ("no such host"); both valid during the call. */
typedef void resolver_fn(void *arg, const char *addrs, const char *err);

/* Answers at once from the cache: an owned text, and *ret stays NULL. Otherwise NULL, and fn is
 * called on the loop later unless cancelled. */
char *resolver_start(struct resolver *r, struct loop *l, struct str host, resolver_fn *fn,
                     void *arg, struct resolver_query **ret);
void resolver_cancel(struct resolver_query *q);
/* Forgets what is known of a host: its addresses did not answer. */
void resolver_forget(struct resolver *r, struct str host);
/* Needs no lookup: an address, or localhost. */
bool resolver_is_literal(struct str host);

#endif
