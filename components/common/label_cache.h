/* What became of label sets: a cache from interned sets to interned sets, the least recently asked
 * for leaving first. A key is a pointer, so that a lookup costs no hashing of texts. Both sets are
 * kept alive by the cache. One thread. */
#ifndef COMPONENTS_COMMON_LABEL_CACHE_H
#define COMPONENTS_COMMON_LABEL_CACHE_H

#include "telemetry/labels.h"

struct label_cache;
/* max: entries, at least 1. */
struct label_cache *label_cache_new(u32 max);
void label_cache_free(struct label_cache *c); /* takes NULL */
/* True: *ret is what became of `in`, borrowed until the next call (NULL: nothing). */
bool label_cache_get(struct label_cache *c, const struct labels *in, struct labels **ret);
/* For one that is not in it. References on both are taken; out may be NULL. False: no memory. */
bool label_cache_put(struct label_cache *c, struct labels *in, struct labels *out);
u32 label_cache_count(const struct label_cache *c);

#endif
