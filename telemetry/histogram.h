/* Native histograms with fewer buckets: neighbours are merged until a schema fits. Source:
 * Prometheus' native histograms: bucket i of schema s ends at 2^(i * 2^-s), so that two buckets
 * become one when the schema is lowered by one. */
#ifndef TELEMETRY_HISTOGRAM_H
#define TELEMETRY_HISTOGRAM_H

#include "base/arena.h"
#include "telemetry/sample_batch.h"

#define HISTOGRAM_SCHEMA_MIN    (-4)
#define HISTOGRAM_SCHEMA_MAX    8
#define HISTOGRAM_SCHEMA_CUSTOM (-53) /* bounds are listed: such ones cannot be lowered */

/* Whether its buckets are of a schema that has a lower one with half of them. */
static inline bool histogram_is_exponential(const struct histogram *h)
{
    return h->schema >= HISTOGRAM_SCHEMA_MIN && h->schema <= HISTOGRAM_SCHEMA_MAX;
}
/* The same observations in buckets of `schema`, which is at least HISTOGRAM_SCHEMA_MIN and at most
 * its own; lists are new ones in the arena. Spans must fit the buckets. -EINVAL: it cannot be (its
 * bounds are listed, or buckets lie too far apart); then it is as it was. */
int histogram_lower(struct histogram *h, i32 schema, struct arena *a) WARN_UNUSED;
/* Lowers it until it has at most `limit` buckets; -ERANGE when no schema has so few, or -EINVAL as
 * above. */
int histogram_limit(struct histogram *h, u32 limit, struct arena *a) WARN_UNUSED;
/* The highest schema whose buckets grow by at least this factor each. */
i32 histogram_schema_of_factor(f64 factor);

#endif
