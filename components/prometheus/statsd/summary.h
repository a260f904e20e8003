/* Quantiles over a sliding window: what came is kept exactly while it is little, then as a targeted
 * sketch (Cormode, Korn, Muthukrishnan, Srivastava: "Effective Computation of Biased Quantiles over
 * Data Streams") whose error is what each quantile may have. The window moves in slices: it covers
 * between max_age less one slice, and max_age.
 *
 * A client library keeps one sketch for each slice, with all that comes in each of them; here each
 * has its own time only, and a question merges them. Pure; one thread at a time. */
#ifndef COMPONENTS_PROMETHEUS_STATSD_SUMMARY_H
#define COMPONENTS_PROMETHEUS_STATSD_SUMMARY_H

#include "components/prometheus/statsd/mapper.h"

/* What all series together may take, and take. */
struct statsd_room {
    size_t used, max;
};

struct statsd_summary;
/* The options are borrowed for as long as it lives. NULL: no room. */
struct statsd_summary *statsd_summary_new(const struct statsd_options *o, i64 now,
                                          struct statsd_room *room);
void statsd_summary_free(struct statsd_summary *s, struct statsd_room *room); /* takes NULL */
/* A value that stands for so many. now: monotonic. False: no room, it is not among the quantiles.
 */
bool statsd_summary_add(struct statsd_summary *s, f64 v, u64 times, i64 now,
                        struct statsd_room *room);
/* One for each of the options' quantiles, in their order; NaN when nothing came within the window.
 */
void statsd_summary_read(struct statsd_summary *s, i64 now, struct statsd_room *room, f64 *ret);

#endif
