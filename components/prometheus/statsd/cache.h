/* What names were mapped to last: a name that was seen is looked up, not matched again. Holds so
 * many names; a new one displaces the least recently used, or any. One thread at a time. */
#ifndef COMPONENTS_PROMETHEUS_STATSD_CACHE_H
#define COMPONENTS_PROMETHEUS_STATSD_CACHE_H

#include "components/prometheus/statsd/mapper.h"

#define STATSD_CACHE_NAME_MAX 1024 /* longer names are matched each time */

struct statsd_cache;
struct statsd_cache *statsd_cache_new(size_t size, bool random);
void statsd_cache_free(struct statsd_cache *c); /* takes NULL */
size_t statsd_cache_length(const struct statsd_cache *c);
/* As statsd_mapper_match; what it answers is valid until the next call, or lives in scratch.
 * Escapes the name, too. c NULL: no cache. */
void statsd_cache_match(struct statsd_cache *c, const struct statsd_mapper *m, struct str name,
                        enum statsd_type type, struct arena *scratch, struct statsd_mapped *ret,
                        struct statsd_stats *stats);

#endif
