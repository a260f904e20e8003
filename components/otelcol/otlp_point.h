/* One data point of OTLP metrics with all its fields, whatever its kind: views into the request and
 * lists that are used again for the next point. Pure; one thread. */
#ifndef COMPONENTS_OTELCOL_OTLP_POINT_H
#define COMPONENTS_OTELCOL_OTLP_POINT_H

#include "base/vec.h"
#include "telemetry/otlp_desc.h"
#include "telemetry/pb.h"

enum point_kind { POINT_NUMBER, POINT_HISTOGRAM, POINT_EXPONENTIAL, POINT_SUMMARY };

typedef VEC(u64) point_counts;
struct point_buckets {
    i32 offset;
    point_counts counts;
};
struct point_quantile {
    f64 quantile, value;
};
struct otlp_point {
    u64 start, time; /* ns */
    u32 flags;
    f64 value; /* POINT_NUMBER */
    u64 count, zero_count;
    f64 sum, zero_threshold;
    bool has_sum;
    i32 scale;
    point_counts counts; /* of explicit bounds */
    VEC(f64) bounds;
    struct point_buckets positive, negative;
    VEC(struct point_quantile) quantiles;
    VEC(struct str) attributes; /* KeyValue */
    VEC(struct str) exemplars;
};
#define POINT_NO_VALUE 1u /* flag: no recorded value */

void otlp_point_done(struct otlp_point *p);
/* Reads a NumberDataPoint, HistogramDataPoint ... in place of what was in p. */
void otlp_point_read(struct otlp_point *p, enum point_kind kind, struct str msg);

struct otlp_exemplar {
    u64 time;
    f64 value;
    bool is_int;
    struct str trace_id, span_id;
};
void otlp_exemplar_read(struct otlp_exemplar *e, struct str msg);

#endif
