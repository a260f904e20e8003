/* OTLP metrics as samples of series. Source: spec pipelines D.9. Knows which series it made and
 * when each was written last, so that a point older than that is left out. One thread. */
#ifndef COMPONENTS_OTELCOL_EXPORTER_PROMETHEUS_H
#define COMPONENTS_OTELCOL_EXPORTER_PROMETHEUS_H

#include "components/otelcol/otlp_point.h"
#include "telemetry/label_set.h"
#include "telemetry/sample_batch.h"

struct prom_conf {
    bool add_metric_suffixes, include_target_info, include_scope_info, include_scope_labels;
    bool resource_to_telemetry_conversion, keep_identifying_resource_attributes, honor_metadata;
    bool convert_classic_histograms_to_nhcb, start_timestamp_zero_ingestion;
};
/* What could not become samples, since prom_convert_begin. */
struct prom_dropped {
    u32 delta_sums, not_cumulative, scales, labels;
};

struct prom_slot {
    struct series *series; /* a reference, or NULL */
    i64 last;              /* ms */
    bool seen;             /* since the last sweep */
};
struct prom_convert {
    struct prom_conf conf;
    struct series_table *table;
    struct series_keeper keeper;
    struct sample_builder *out;
    VEC(struct prom_slot) slots; /* by series id */
    i64 now;                     /* ms */
    struct prom_dropped dropped;

    /* The resource, scope and metric at hand. */
    VEC(struct str) resource; /* KeyValue */
    struct label_set common;  /* job, instance, scope */
    struct label_set labels;  /* of the point */
    struct buf name, full, scratch;
    size_t n_gone; /* series that the last sweep let go */
    struct otlp_point point;
};
void prom_convert_init(struct prom_convert *c, const struct prom_conf *conf, struct series_table *t,
                       struct budget *budget);
void prom_convert_done(struct prom_convert *c);
/* Forgets what is in c->out; samples of this turn are made at `now` (ms). */
void prom_convert_begin(struct prom_convert *c, i64 now);
/* Adds the samples of an ExportMetricsServiceRequest to c->out. -ENOMEM: begin again later. */
int prom_convert_request(struct prom_convert *c, struct str request) WARN_UNUSED;
/* Lets go of series that were not written since the last sweep. */
void prom_convert_sweep(struct prom_convert *c);

/* --- for the parts --- */
/* Sets __name__ to the metric's name with a suffix. */
void prom_name(struct prom_convert *c, const char *suffix);
/* Writes c->labels at `time` (ms) unless that is older than the last; *ret_series (may be NULL):
 * the series, held. -ENOMEM. */
int prom_write(struct prom_convert *c, i64 time, u64 bits, struct series **ret_series);
/* The series of c->labels; NULL with *ret_err: -ENOMEM, or -EINVAL (it cannot be made: counted). */
struct prom_slot *prom_slot_of(struct prom_convert *c, int *ret_err);
/* The point at hand, in its kind's way. */
int prom_gauge(struct prom_convert *c);
int prom_counter(struct prom_convert *c);
int prom_histogram(struct prom_convert *c);
int prom_exponential(struct prom_convert *c);
int prom_summary(struct prom_convert *c);

#endif
