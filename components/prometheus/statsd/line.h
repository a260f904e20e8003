/* Lines of StatsD with all the dialects that statsd_exporter knows: tags in the manner of
 * DogStatsD, InfluxDB, Librato and SignalFx, several samples of one name, DogStatsD's packed
 * values, container ids and times. Pure. Every line comes from outside. */
#ifndef COMPONENTS_PROMETHEUS_STATSD_LINE_H
#define COMPONENTS_PROMETHEUS_STATSD_LINE_H

#include "base/arena.h"
#include "base/buf.h"
#include "components/prometheus/statsd/stats.h"

#define STATSD_TAGS_MAX 128 /* of one line */

struct statsd_label {
    struct str name, value;
};
struct statsd_labels {
    struct statsd_label v[STATSD_TAGS_MAX];
    size_t n;
};
struct statsd_event {
    enum statsd_type type;
    bool relative;   /* of a gauge */
    struct str name; /* as sent */
    f64 value;       /* seconds where milliseconds were sent */
    u64 times;       /* an observation that stands for so many */
    const struct statsd_labels *labels;
};
struct statsd_parser {
    bool dogstatsd, influxdb, librato, signalfx;
    struct statsd_stats *stats;
    struct arena scratch; /* names that are made of what came */
    struct statsd_labels labels;
};
void statsd_parser_init(struct statsd_parser *p, struct statsd_stats *stats);
void statsd_parser_done(struct statsd_parser *p);
/* Calls event for each of the line's; what it is given is valid until it returns. What is wrong is
 * counted. */
void statsd_line(struct statsd_parser *p, struct str line,
                 void (*event)(void *arg, const struct statsd_event *e), void *arg);

/* A name of Prometheus': what is no letter, digit or underscore becomes an underscore, a run of
 * dashes one; before a digit at the start goes one. Writes to `to` (name.n + 1 bytes of room); the
 * bytes written. */
size_t statsd_escape(struct str name, char *to);

#endif
