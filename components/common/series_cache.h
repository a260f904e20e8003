/* What became of series: a cache from series to series, the least recently asked for leaving first
 * (or those that were not asked for in a while). A key is a pointer, so that a lookup costs no
 * hashing of texts. Both series are kept alive by the cache; a result that leaves it is retired to
 * the keeper's epoch, since batches may name it still (telemetry/series.h). One thread. */
#ifndef COMPONENTS_COMMON_SERIES_CACHE_H
#define COMPONENTS_COMMON_SERIES_CACHE_H

#include "telemetry/series.h"

struct series_cache;
/* max: entries; 0: without limit, series_cache_expire bounds it then. The keeper must outlive it.
 */
struct series_cache *series_cache_new(struct series_keeper *k, u32 max);
void series_cache_free(struct series_cache *c); /* takes NULL */
/* True: *ret is what became of `in`, borrowed until its epoch ends (NULL: nothing). */
bool series_cache_get(struct series_cache *c, const struct series *in, i64 now,
                      struct series **ret);
/* For one that is not in it; the caller's reference on out (may be NULL) is taken, also when there
 * is no memory and nothing is remembered: it is retired then. */
void series_cache_put(struct series_cache *c, struct series *in, struct series *out, i64 now);
/* Forgets it, when it is there; whether it was. */
bool series_cache_del(struct series_cache *c, const struct series *in);
/* Forgets at most n of those last asked for before this time; how many. */
u32 series_cache_expire(struct series_cache *c, i64 before, u32 n);
u32 series_cache_count(const struct series_cache *c);

#endif
