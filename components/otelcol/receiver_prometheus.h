/* Samples of series as OTLP metrics. Source: spec pipelines D.10. Samples are gathered into points
 * by resource, scope, family and attributes, then written in one go; types come from metadata, and
 * what has none is a gauge with its exact name. One thread. */
#ifndef COMPONENTS_OTELCOL_RECEIVER_PROMETHEUS_H
#define COMPONENTS_OTELCOL_RECEIVER_PROMETHEUS_H

#include "base/arena.h"
#include "base/map.h"
#include "base/vec.h"
#include "telemetry/sample_batch.h"

/* What is known of a family, from metadata that came with samples. */
struct otel_known {
    enum metric_type type;
    struct str help, unit;
};
#define OTEL_KNOWN_MAX 100000 /* families; further ones stay without metadata */

struct otel_bucket {
    f64 bound;
    u64 cumulative;
};
struct otel_quantile {
    f64 quantile, value;
};
/* A point under way; which members count follows from its metric's type. */
struct otel_point {
    struct otel_point *next;
    struct series *series; /* the first sample's: labels */
    i64 time;              /* ms */
    i64 start;             /* ms; 0: unknown */
    bool stale, has_count, has_sum;
    f64 value, sum;
    u64 count;
    VEC(struct otel_bucket) buckets;
    VEC(struct otel_quantile) quantiles;
    const struct histogram_sample *native;
    VEC(const struct exemplar_sample *) exemplars;
};
struct otel_metric {
    struct otel_metric *next;
    struct str name, help, unit;
    enum metric_type type;
    bool native;
    bool has_starts; /* there are some of its points in otel_gather.starts */
    struct otel_point *points, **end;
};
struct otel_scope {
    struct otel_scope *next;
    struct series *series; /* of which it has the scope labels */
    struct series *info;   /* otel_scope_info; or NULL */
    struct map metrics;    /* by name and type */
    struct otel_metric *first, **end;
};
struct otel_resource {
    struct otel_resource *next;
    struct series *series; /* of which it has job and instance */
    struct series *info;   /* target_info; or NULL */
    struct map scopes;
    struct otel_scope *first, **end;
};
struct otel_gather {
    struct map known; /* family -> struct otel_known, owned; stays from batch to batch */
    size_t too_many;

    /* Of the batch at hand: */
    struct arena arena;
    struct map resources; /* by job and instance */
    struct otel_resource *first, **end;
    struct map points;    /* by resource, family, attributes, time */
    struct map starts;    /* of _created, by metric and attributes -> ms, in the arena */
    struct map by_series; /* series -> its point: where exemplars go */
    struct buf key;
    u32 n_points, no_job, failed_scrapes;
};
void otel_gather_init(struct otel_gather *g);
void otel_gather_done(struct otel_gather *g);
/* Takes in the samples, which must live until the next call; forgets those before. */
void otel_gather_samples(struct otel_gather *g, const struct samples *s);
/* Writes what was gathered as ExportMetricsServiceRequest. 0, -ENOMEM, -E2BIG. */
struct otel_origin {
    struct str name, version; /* of the scope where series name none */
};
int otel_gather_write(struct otel_gather *g, const struct otel_origin *o, struct buf *out);
/* Labels that are no attributes of a point of this type. */
bool otel_label_is_attribute(struct str name, enum metric_type type);

#endif
