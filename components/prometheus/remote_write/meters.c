/* Metrics, with the names that Prometheus gave them. */
#include "base/xalloc.h"
#include "components/prometheus/remote_write/write.h"

#define STORAGE "prometheus_remote_storage_"
#define WAL     "prometheus_remote_write_wal_"
#define WATCHER "prometheus_wal_watcher_"
#define COUNT(n, h)                                                                                \
    {                                                                                              \
        .name = (n), .help = (h), .kind = METRIC_COUNTER                                           \
    }
#define GAUGE(n, h)                                                                                \
    {                                                                                              \
        .name = (n), .help = (h), .kind = METRIC_GAUGE                                             \
    }

/* --- of an endpoint --- */

enum meter {
    M_SAMPLES,
    M_HISTOGRAMS,
    M_EXEMPLARS,
    M_METADATA,
    M_FAILED_SAMPLES,
    M_FAILED_HISTOGRAMS,
    M_FAILED_EXEMPLARS,
    M_FAILED_METADATA,
    M_RETRIED_SAMPLES,
    M_RETRIED_HISTOGRAMS,
    M_RETRIED_EXEMPLARS,
    M_RETRIED_METADATA,
    M_PENDING_SAMPLES,
    M_PENDING_HISTOGRAMS,
    M_PENDING_EXEMPLARS,
    M_ENQUEUE_RETRIES,
    M_BYTES,
    M_METADATA_BYTES,
    M_SECONDS,
    M_HIGHEST,
    M_HIGHEST_SENT,
    M_CAPACITY,
    M_SHARDS,
    M_SHARDS_MIN,
    M_SHARDS_MAX,
    M_SHARDS_DESIRED,
    M_MAX_PER_SEND,
    M_ALL
};
static const f64 seconds_bounds[] = {0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1,
                                     2.5,   5,    10,    25,   60,  120,  300};
static const struct metric_desc descs[M_ALL] = {
    [M_SAMPLES] = COUNT(STORAGE "samples_total", "Samples that were delivered."),
    [M_HISTOGRAMS] = COUNT(STORAGE "histograms_total", "Histograms that were delivered."),
    [M_EXEMPLARS] = COUNT(STORAGE "exemplars_total", "Exemplars that were delivered."),
    [M_METADATA] = COUNT(STORAGE "metadata_total", "Metadata that was delivered."),
    [M_FAILED_SAMPLES] = COUNT(STORAGE "samples_failed_total", "Samples that were refused."),
    [M_FAILED_HISTOGRAMS] =
        COUNT(STORAGE "histograms_failed_total", "Histograms that were refused."),
    [M_FAILED_EXEMPLARS] = COUNT(STORAGE "exemplars_failed_total", "Exemplars that were refused."),
    [M_FAILED_METADATA] = COUNT(STORAGE "metadata_failed_total", "Metadata that was refused."),
    [M_RETRIED_SAMPLES] = COUNT(STORAGE "samples_retried_total", "Samples to be sent again."),
    [M_RETRIED_HISTOGRAMS] =
        COUNT(STORAGE "histograms_retried_total", "Histograms to be sent again."),
    [M_RETRIED_EXEMPLARS] = COUNT(STORAGE "exemplars_retried_total", "Exemplars to be sent again."),
    [M_RETRIED_METADATA] = COUNT(STORAGE "metadata_retried_total", "Metadata to be sent again."),
    [M_PENDING_SAMPLES] = GAUGE(STORAGE "samples_pending", "Samples read that wait."),
    [M_PENDING_HISTOGRAMS] = GAUGE(STORAGE "histograms_pending", "Histograms read that wait."),
    [M_PENDING_EXEMPLARS] = GAUGE(STORAGE "exemplars_pending", "Exemplars read that wait."),
    [M_ENQUEUE_RETRIES] =
        COUNT(STORAGE "enqueue_retries_total", "Always 0: what finds no room waits in the log."),
    [M_BYTES] = COUNT(STORAGE "bytes_total", "Compressed bytes of samples delivered."),
    [M_METADATA_BYTES] =
        COUNT(STORAGE "metadata_bytes_total", "Compressed bytes of metadata delivered."),
    [M_SECONDS] = {.name = STORAGE "sent_batch_duration_seconds",
                   .help = "Duration of requests that were successful.",
                   .kind = METRIC_HISTOGRAM,
                   .bounds = seconds_bounds,
                   .n_bounds = ARRAY_LEN(seconds_bounds)},
    [M_HIGHEST] = GAUGE(STORAGE "queue_highest_timestamp_seconds", "Newest sample that came in."),
    [M_HIGHEST_SENT] =
        GAUGE(STORAGE "queue_highest_sent_timestamp_seconds", "Newest sample delivered."),
    [M_CAPACITY] = GAUGE(STORAGE "shard_capacity", "Samples of a shard that may wait in memory."),
    [M_SHARDS] = GAUGE(STORAGE "shards", "Shards that send at a time."),
    [M_SHARDS_MIN] = GAUGE(STORAGE "shards_min", "Least number of shards."),
    [M_SHARDS_MAX] = GAUGE(STORAGE "shards_max", "Largest number of shards."),
    [M_SHARDS_DESIRED] = GAUGE(STORAGE "shards_desired", "Shards that the load asks for."),
    [M_MAX_PER_SEND] = GAUGE(STORAGE "max_samples_per_send", "Most samples of one request."),
};
static const char *const reasons[DROPS] = {
    [DROP_OLD] = "too_old",
    [DROP_SERIES] = "dropped_series",
    [DROP_LOST] = "unintentionally_dropped_series",
    [DROP_NHCB] = "nhcb_in_rw1_not_supported",
};
static const struct metric_desc dropped[ITEM_KINDS] = {
    [ITEM_SAMPLE] = COUNT(STORAGE "samples_dropped_total", "Samples that are not sent."),
    [ITEM_HISTOGRAM] = COUNT(STORAGE "histograms_dropped_total", "Histograms that are not sent."),
    [ITEM_EXEMPLAR] = COUNT(STORAGE "exemplars_dropped_total", "Exemplars that are not sent."),
};
static const struct metric_desc retries =
    COUNT(STORAGE "samples_retries_total", "The same as samples_retried_total, by its older name.");

/* Of what reads the log for an endpoint. */
enum watch { W_RECORDS, W_FAILURES, W_BEFORE, W_SKIPPED, W_SEGMENT, WATCHES };
static const struct metric_desc watches[WATCHES] = {
    [W_RECORDS] = COUNT(WATCHER "records_read_total", "Records of the log that were read."),
    [W_FAILURES] =
        COUNT(WATCHER "record_decode_failures_total", "Records of the log that cannot be read."),
    [W_BEFORE] = COUNT(WATCHER "samples_sent_pre_tailing_total",
                       "Records read that an earlier process wrote."),
    [W_SKIPPED] = COUNT(WATCHER "notifications_skipped_total",
                        "Always 0: readers are not woken, they are handed what is written."),
    [W_SEGMENT] = GAUGE(WATCHER "current_segment", "Segment of the log that is read."),
};

struct meters {
    struct metric *v[M_ALL];
    struct metric *dropped[ITEM_KINDS][DROPS];
    struct metric *retries, *watch[WATCHES];
};

static struct metric *make(struct endpoint *e, const struct metric_desc *d, const char *reason)
{
    const struct metric_label labels[] = {
        {"remote_name", e->conf->remote}, {"url", e->conf->url}, {"reason", reason}};

    return shard_metric(e->write->shard, d, labels, reason ? 3 : 2);
}

static struct metric *watcher(struct endpoint *e, const struct metric_desc *d, const char *type)
{
    const struct metric_label labels[] = {{"consumer", e->conf->remote}, {"type", type}};

    return shard_metric(e->write->shard, d, labels, type ? 2 : 1);
}

struct meters *remote_meters_new(struct endpoint *e)
{
    struct meters *m = xnew(struct meters);

    for (int i = 0; i < M_ALL; i++)
        m->v[i] = make(e, &descs[i], NULL);
    for (int k = 0; k < ITEM_KINDS; k++)
        for (int i = 0; i < DROPS; i++)
            m->dropped[k][i] = make(e, &dropped[k], reasons[i]);
    m->retries = make(e, &retries, NULL);
    for (int i = 0; i < WATCHES; i++)
        m->watch[i] = watcher(e, &watches[i], i == W_RECORDS ? "samples" : NULL);
    return m;
}

void remote_meters_free(struct endpoint *e)
{
    struct shard *s = e->write->shard;
    struct meters *m = e->meters;

    for (int i = 0; i < M_ALL; i++)
        shard_metric_free(s, m->v[i]);
    for (int k = 0; k < ITEM_KINDS; k++)
        for (int i = 0; i < DROPS; i++)
            shard_metric_free(s, m->dropped[k][i]);
    shard_metric_free(s, m->retries);
    for (int i = 0; i < WATCHES; i++)
        shard_metric_free(s, m->watch[i]);
    free(m);
    e->meters = NULL;
}

static void add_counts(struct endpoint *e, enum meter first, const struct rw_counts *c)
{
    struct metric **v = e->meters->v + first;

    metric_add(v[0], c->samples);
    metric_add(v[1], c->histograms);
    metric_add(v[2], c->exemplars);
    metric_add(v[3], c->metadata);
}

void remote_meters_sent(struct endpoint *e, const struct attempt *a, i64 elapsed)
{
    struct metric **v = e->meters->v;

    add_counts(e, M_SAMPLES, &a->counts);
    metric_add(v[a->metadata ? M_METADATA_BYTES : M_BYTES], (f64)a->iov.iov_len);
    if (!a->metadata) metric_observe(v[M_SECONDS], (f64)elapsed / (f64)NS_PER_SEC);
}

void remote_meters_failed(struct endpoint *e, const struct rw_counts *c)
{
    add_counts(e, M_FAILED_SAMPLES, c);
}

void remote_meters_retried(struct endpoint *e, const struct rw_counts *c)
{
    add_counts(e, M_RETRIED_SAMPLES, c);
    metric_add(e->meters->retries, c->samples);
}

void remote_meters_pending(struct endpoint *e)
{
    struct metric **v = e->meters->v;

    metric_set(v[M_PENDING_SAMPLES], e->pending[ITEM_SAMPLE]);
    metric_set(v[M_PENDING_HISTOGRAMS], e->pending[ITEM_HISTOGRAM]);
    metric_set(v[M_PENDING_EXEMPLARS], e->pending[ITEM_EXEMPLAR]);
}

void remote_meters_shards(struct endpoint *e, f64 desired)
{
    const struct queue_args *q = &e->conf->args->queue_config;
    struct metric **v = e->meters->v;

    metric_set(v[M_SHARDS], (f64)e->senders.n);
    metric_set(v[M_SHARDS_DESIRED], desired);
    metric_set(v[M_SHARDS_MIN], (f64)q->min_shards);
    metric_set(v[M_SHARDS_MAX], (f64)q->max_shards);
    metric_set(v[M_CAPACITY], (f64)q->capacity);
    metric_set(v[M_MAX_PER_SEND], (f64)q->max_samples_per_send);
}

void remote_meters_highest(struct endpoint *e)
{
    metric_set(e->meters->v[M_HIGHEST], (f64)e->write->newest_in / 1000);
    metric_set(e->meters->v[M_HIGHEST_SENT], (f64)e->newest_sent / 1000);
}

static bool is_before(struct disk_place a, struct disk_place b)
{
    return a.segment < b.segment || (a.segment == b.segment && a.offset <= b.offset);
}

void remote_meters_read(struct endpoint *e, struct disk_place after)
{
    metric_inc(e->meters->watch[W_RECORDS]);
    if (is_before(after, e->write->journal.found)) metric_inc(e->meters->watch[W_BEFORE]);
    metric_set(e->meters->watch[W_SEGMENT], e->view->names->segment);
}

void remote_meters_broken(struct endpoint *e)
{
    metric_inc(e->meters->watch[W_FAILURES]);
    metric_inc(write_own(e->write, OWN_CORRUPTIONS));
}

void remote_dropped(struct endpoint *e, enum item_kind k, enum drop why, u64 n)
{
    metric_add(e->meters->dropped[k][why], (f64)n);
    if (k != ITEM_EXEMPLAR) e->scaling.dropped += n;
}

/* --- of the component --- */

#define NO_CHECKPOINTS "Always 0: a file of the log stands alone, there are no checkpoints."
static const struct metric_desc own[OWN_METERS] = {
    [OWN_SAMPLES_IN] = COUNT(STORAGE "samples_in_total", "Samples that came in."),
    [OWN_EXEMPLARS_IN] = COUNT(STORAGE "exemplars_in_total", "Exemplars that came in."),
    [OWN_HISTOGRAMS_IN] = COUNT(STORAGE "histograms_in_total", "Histograms that came in."),
    [OWN_HIGHEST_IN] = GAUGE(STORAGE "highest_timestamp_in_seconds", "Newest sample that came in."),
    [OWN_ACTIVE] =
        GAUGE(WAL "storage_active_series", "Series in the segment of the log that is written."),
    [OWN_CREATED] =
        COUNT(WAL "storage_created_series_total", "Series that were declared in the log."),
    [OWN_REMOVED] =
        COUNT(WAL "storage_removed_series_total", "Series that went with their segment."),
    [OWN_DELETED] =
        GAUGE(WAL "storage_deleted_series", "Always 0: what a segment does not use is not in it."),
    [OWN_OUT_OF_ORDER] =
        COUNT(WAL "out_of_order_samples_total", "Always 0: samples are sent as they come."),
    [OWN_SAMPLES] = COUNT(WAL "samples_appended_total", "Samples written to the log."),
    [OWN_EXEMPLARS] = COUNT(WAL "exemplars_appended_total", "Exemplars written to the log."),
    [OWN_METADATA] =
        COUNT(WAL "metadata_updates_total", "Metadata of families that was new or changed."),
    [OWN_CORRUPTIONS] =
        COUNT(WAL "corruptions_total", "Places of the log that are damaged, and passed over."),
    [OWN_REPLAY] = GAUGE("prometheus_remote_write_data_replay_duration_seconds",
                         "Time that opening the log took; it is read as it is sent."),
    [OWN_TRUNCATE] = {.name = WAL "truncate_duration_seconds",
                      .help = "Time that removing files of the log took.",
                      .kind = METRIC_HISTOGRAM},
    [OWN_CHECKPOINTS] = COUNT(WAL "checkpoint_creations_total", NO_CHECKPOINTS),
    [OWN_CHECKPOINTS_FAILED] = COUNT(WAL "checkpoint_creations_failed_total", NO_CHECKPOINTS),
    [OWN_CHECKPOINTS_DELETED] = COUNT(WAL "checkpoint_deletions_total", NO_CHECKPOINTS),
    [OWN_CHECKPOINTS_KEPT] = COUNT(WAL "checkpoint_deletions_failed_total", NO_CHECKPOINTS),
};

void own_meters_log(struct write *w)
{
    struct journal *j = &w->journal;
    struct disk_log_stats now;

    if (!j->log) return;
    disk_log_stats(j->log, &now);
    metric_add(write_own(w, OWN_CORRUPTIONS), (f64)(now.damaged - j->seen.damaged));
    for (u64 i = j->seen.removals; i < now.removals; i++)
        metric_observe(write_own(w, OWN_TRUNCATE), (f64)(now.removing - j->seen.removing) /
                                                       (f64)(now.removals - j->seen.removals) /
                                                       (f64)NS_PER_SEC);
    j->seen = now;
}

void own_meters_make(struct comp *c, struct metric *v[OWN_METERS])
{
    for (int i = 0; i < OWN_METERS; i++)
        v[i] = comp_metric(c, &own[i], NULL, 0);
}
