/* Self metrics of prometheus.scrape, with the names of Prometheus' and Alloy's. Lengths are shown
 * as summaries of sum and count, and those that Prometheus has a histogram of, as that too. */
#include "components/prometheus/scrape/scrape.h"

static const f64 seconds[] = {0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60};
static const f64 sync_seconds[] = {0.01, 0.1, 1, 10};

#define COUNTER_(i, n, h) [i] = {.name = n, .help = h, .kind = METRIC_COUNTER}
#define GAUGE_(i, n, h)   [i] = {.name = n, .help = h, .kind = METRIC_GAUGE}
#define SUMMARY_(i, n, h) [i] = {.name = n, .help = h, .kind = METRIC_HISTOGRAM, .summary = true}
#define SECONDS_(i, n, h, b)                                                                       \
    [i] = {.name = n, .help = h, .kind = METRIC_HISTOGRAM, .bounds = b, .n_bounds = ARRAY_LEN(b)}
static const struct metric_desc descs[METERS] = {
    GAUGE_(METER_TARGETS_GAUGE, "prometheus_scrape_targets_gauge",
           "Number of targets this component is configured to scrape"),
    COUNTER_(METER_MOVED, "prometheus_scrape_targets_moved_total",
             "Targets that other members of a cluster took over; a single agent has none."),
    COUNTER_(METER_POOLS, "prometheus_target_scrape_pools_total",
             "Total number of scrape pool creation attempts."),
    COUNTER_(METER_POOLS_FAILED, "prometheus_target_scrape_pools_failed_total",
             "Total number of scrape pool creations that failed."),
    COUNTER_(METER_RELOADS, "prometheus_target_scrape_pool_reloads_total",
             "Total number of scrape pool reloads."),
    COUNTER_(METER_RELOADS_FAILED, "prometheus_target_scrape_pool_reloads_failed_total",
             "Total number of failed scrape pool reloads."),
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
    COUNTER_(METER_OUT_OF_ORDER, "prometheus_target_scrapes_sample_out_of_order_total",
             "Total number of samples that were older than those of the scrape before."),
    COUNTER_(METER_OUT_OF_BOUNDS, "prometheus_target_scrapes_sample_out_of_bounds_total",
             "Total number of samples that were rejected for their time."),
    COUNTER_(METER_EXEMPLARS_OLD, "prometheus_target_scrapes_exemplar_out_of_order_total",
             "Total number of exemplars that were older than one sent before."),
    COUNTER_(METER_FLUSHES, "prometheus_target_scrapes_cache_flush_forced_total",
             "How many times the series of a target that stays away were forgotten."),
    COUNTER_(METER_SKIPPED, "prometheus_target_scrapes_skipped_total",
             "Scrapes left out because the samples of the last one were not yet taken."),
    SECONDS_(METER_DURATION, "prometheus_target_scrape_duration_seconds",
             "Total duration of the scrape from start to the end of its processing.", seconds),
    GAUGE_(METER_POOL_TARGETS, "prometheus_target_scrape_pool_targets",
           "Current number of targets in this scrape pool."),
    GAUGE_(METER_POOL_TARGET_LIMIT, "prometheus_target_scrape_pool_target_limit",
           "Maximum number of targets allowed in this scrape pool."),
    GAUGE_(METER_SYMBOLS, "prometheus_target_scrape_pool_symboltable_items",
           "Label values that are held, each once for all series of the process."),
    COUNTER_(METER_SYNCS, "prometheus_target_scrape_pool_sync_total",
             "Total number of syncs that were executed on a scrape pool."),
    COUNTER_(METER_SYNC_FAILED, "prometheus_target_sync_failed_total",
             "Total number of targets that could not be made out of the configuration."),
    SUMMARY_(METER_SYNC_LENGTH, "prometheus_target_sync_length_seconds",
             "Actual interval to sync the scrape pool."),
    SECONDS_(METER_SYNC_LENGTH_H, "prometheus_target_sync_length_histogram_seconds",
             "Actual interval to sync the scrape pool.", sync_seconds),
    GAUGE_(METER_META_ENTRIES, "prometheus_target_metadata_cache_entries",
           "Families whose metadata was sent on."),
    GAUGE_(METER_META_BYTES, "prometheus_target_metadata_cache_bytes",
           "Bytes that knowing these takes."),
    SUMMARY_(METER_RELOAD_LENGTH, "prometheus_target_reload_length_seconds",
             "Actual interval to reload the scrape pool with a given configuration."),
    SUMMARY_(METER_INTERVAL, "prometheus_target_interval_length_seconds",
             "Actual intervals between scrapes."),
    SECONDS_(METER_INTERVAL_H, "prometheus_target_interval_length_histogram_seconds",
             "Actual intervals between scrapes.", seconds),
};
#define FIRST_OF_JOB      METER_POOL_TARGETS
#define FIRST_OF_INTERVAL METER_RELOAD_LENGTH

void scrape_meters_create(struct comp *c, struct metric *ret[METERS])
{
    for (int i = 0; i < FIRST_OF_JOB; i++)
        ret[i] = comp_metric(c, &descs[i], NULL, 0);
    metric_inc(ret[METER_POOLS]);
}

/* Those from `from` up to `to`, with one label; they are kept while that is the same. */
static void label(struct shard *s, int from, int to, const char *name, struct str value,
                  char **held, struct metric *m[METERS])
{
    const struct metric_desc *of[METERS];

    if (*held && str_is(value, *held)) return;
    for (int i = from; i < to; i++)
        of[i - from] = &descs[i];
    if (m[from]) shard_metric_free(s, m[from]);
    free(*held);
    *held = str_dup(value);
    shard_metrics(s, of, (size_t)(to - from), &(struct metric_label){name, *held}, 1, &m[from]);
}

void scrape_meters_label(struct shard *s, struct str job, i64 interval,
                         struct scrape_meter_labels *labels, struct metric *m[METERS])
{
    struct buf b = BUF_INIT(100);

    prom_duration_format(&b, interval);
    label(s, FIRST_OF_JOB, FIRST_OF_INTERVAL, "scrape_job", job, &labels->job, m);
    label(s, FIRST_OF_INTERVAL, METERS, "interval", buf_view(&b), &labels->interval, m);
    buf_done(&b);
}
