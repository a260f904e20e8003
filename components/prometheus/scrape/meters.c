/* Self metrics of prometheus.scrape, with Alloy's names. */
#include "components/prometheus/scrape/scrape.h"

static const f64 seconds[] = {0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60};

#define COUNTER_(i, n, h) [i] = {.name = n, .help = h, .kind = METRIC_COUNTER}
#define GAUGE_(i, n, h)   [i] = {.name = n, .help = h, .kind = METRIC_GAUGE}
#define SECONDS_(i, n, h)                                                                          \
    [i] = {.name = n,                                                                              \
           .help = h,                                                                              \
           .kind = METRIC_HISTOGRAM,                                                               \
           .bounds = seconds,                                                                      \
           .n_bounds = ARRAY_LEN(seconds)}
static const struct metric_desc descs[METERS] = {
    GAUGE_(METER_TARGETS_GAUGE, "prometheus_scrape_targets_gauge",
           "Number of targets this component is configured to scrape"),
    GAUGE_(METER_POOL_TARGETS, "prometheus_target_scrape_pool_targets",
           "Current number of targets in this scrape pool."),
    GAUGE_(METER_POOL_TARGET_LIMIT, "prometheus_target_scrape_pool_target_limit",
           "Maximum number of targets allowed in this scrape pool."),
    COUNTER_(METER_EXCEEDED_TARGETS, "prometheus_target_scrape_pool_exceeded_target_limit_total",
             "Total number of times scrape pools hit the target limit."),
    COUNTER_(METER_EXCEEDED_BODY, "prometheus_target_scrapes_exceeded_body_size_limit_total",
             "Total number of scrapes that hit the body size limit"),
    COUNTER_(METER_EXCEEDED_SAMPLES, "prometheus_target_scrapes_exceeded_sample_limit_total",
             "Total number of scrapes that hit the sample limit and were rejected."),
    COUNTER_(METER_EXCEEDED_LABELS, "prometheus_target_scrape_pool_exceeded_label_limits_total",
             "Total number of times scrape pools hit the label limits."),
    COUNTER_(METER_EXCEEDED_BUCKETS,
             "prometheus_target_scrapes_exceeded_native_histogram_bucket_limit_total",
             "Total number of scrapes that hit the native histogram bucket limit."),
    COUNTER_(METER_DUPLICATES, "prometheus_target_scrapes_sample_duplicate_timestamp_total",
             "Total number of samples that a scrape had twice."),
    COUNTER_(METER_OUT_OF_BOUNDS, "prometheus_target_scrapes_sample_out_of_bounds_total",
             "Total number of samples that were rejected for their time."),
    COUNTER_(METER_EXEMPLARS_OLD, "prometheus_target_scrapes_exemplar_out_of_order_total",
             "Total number of exemplars that were older than one sent before."),
    COUNTER_(METER_SYNCS, "prometheus_target_scrape_pool_sync_total",
             "Total number of syncs that were executed on a scrape pool."),
    COUNTER_(METER_SYNC_FAILED, "prometheus_target_sync_failed_total",
             "Total number of targets that could not be made out of the configuration."),
    COUNTER_(METER_SKIPPED, "prometheus_target_scrapes_skipped_total",
             "Scrapes left out because the samples of the last one were not yet taken."),
    SECONDS_(METER_DURATION, "prometheus_target_scrape_duration_seconds",
             "Total duration of the scrape from start to the end of its processing."),
};

void scrape_meters_create(struct comp *c, struct metric *ret[METERS])
{
    for (int i = 0; i < METERS; i++)
        ret[i] = comp_metric(c, &descs[i], NULL, 0);
}
