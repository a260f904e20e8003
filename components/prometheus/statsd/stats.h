/* What prometheus.exporter.statsd counts of itself, shown on its page beside the metrics that it
 * was sent. Touched by the shard's worker alone. */
#ifndef COMPONENTS_PROMETHEUS_STATSD_STATS_H
#define COMPONENTS_PROMETHEUS_STATSD_STATS_H

#include "base/str.h"

/* Each is one label value of the family's, in this order. */
enum statsd_sample_fault {
    STATSD_MALFORMED_LINE,
    STATSD_MIXED_TAGGING_STYLES,
    STATSD_NOT_ENOUGH_PARTS,
    STATSD_INVALID_AGGREGATE,
    STATSD_MALFORMED_COMPONENT,
    STATSD_MALFORMED_VALUE,
    STATSD_INVALID_SAMPLE_FACTOR,
    STATSD_MALFORMED_CONTAINER_ID,
    STATSD_ILLEGAL_EVENT,
    STATSD_TOO_MANY_TAGS,
    STATSD_SAMPLE_FAULTS
};
enum statsd_event_fault {
    STATSD_EMPTY_NAME,
    STATSD_NEGATIVE_COUNTER,
    STATSD_NOT_A_NUMBER,
    STATSD_RESERVED_LABEL,
    STATSD_SERIES_LIMIT,
    STATSD_SKETCH_LIMIT,
    STATSD_EVENT_FAULTS
};
enum statsd_type { STATSD_COUNTER, STATSD_GAUGE, STATSD_OBSERVER, STATSD_TYPES };
enum statsd_kind { STATSD_K_COUNTER, STATSD_K_GAUGE, STATSD_K_SUMMARY, STATSD_K_HISTOGRAM };
#define STATSD_KINDS (STATSD_K_HISTOGRAM + 1)

struct statsd_stats {
    u64 udp_packets, udp_drops, unixgram_packets, tcp_connections, tcp_errors, tcp_long_lines;
    u64 lines, samples, tags, tag_errors;
    u64 sample_errors[STATSD_SAMPLE_FAULTS];
    u64 events[STATSD_TYPES], unmapped, mapped, dropped, flushed;
    u64 event_errors[STATSD_EVENT_FAULTS];
    u64 vectors[STATSD_KINDS]; /* sets of label names of a metric */
    u64 cache_gets, cache_hits;
    u64 regex_limit; /* expressions that were given up */
    u64 conflicts[STATSD_TYPES];
};

/* Whether it is the name of one of these families: what is sent under such a name conflicts. */
bool statsd_stats_owns(struct str name);
/* What else the families show. */
struct statsd_gauges {
    size_t mappings, cached;
    bool cache; /* there is one */
    size_t series, bytes;
};
struct expo;
void statsd_stats_show(const struct statsd_stats *s, const struct statsd_gauges *g, struct expo *e);

#endif
