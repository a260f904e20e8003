/* The metrics that were sent: families by name, series by labels, their values, and when they were
 * last touched. One thread at a time. What they take is limited: past the limit no series is added,
 * those that are there go on. */
#ifndef COMPONENTS_PROMETHEUS_STATSD_REGISTRY_H
#define COMPONENTS_PROMETHEUS_STATSD_REGISTRY_H

#include "components/prometheus/statsd/mapper.h"
#include "components/prometheus/statsd/summary.h"

struct statsd_registry;
/* max: bytes that all series together may take. */
struct statsd_registry *statsd_registry_new(size_t max, struct statsd_stats *stats);
void statsd_registry_free(struct statsd_registry *r); /* takes NULL */

/* One event, mapped; what cannot be kept is counted. labels are those of the metric (any order, no
 * name twice), name is escaped. now: monotonic. */
void statsd_registry_apply(struct statsd_registry *r, const struct statsd_event *e, struct str name,
                           const struct statsd_labels *labels, const struct statsd_mapping *mapping,
                           const struct statsd_mapping *unmapped, i64 now);
/* Forgets series that were not touched within their time to live. */
void statsd_registry_expire(struct statsd_registry *r, i64 now);
bool statsd_registry_expires(const struct statsd_registry *r); /* any series has such a time */

size_t statsd_registry_series(const struct statsd_registry *r);
size_t statsd_registry_bytes(const struct statsd_registry *r);
/* All families as text 0.0.4, sorted by name. */
void statsd_registry_write(struct statsd_registry *r, i64 now, struct buf *out);

#endif
