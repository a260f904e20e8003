/* Inside of prometheus.scrape. Each worker scrapes the targets whose hash falls to it. Spec:
 * pipelines C.2. */
#ifndef COMPONENTS_PROMETHEUS_SCRAPE_H
#define COMPONENTS_PROMETHEUS_SCRAPE_H

#include <stdatomic.h>

#include "base/map.h"
#include "base/spin.h"
#include "base/vec.h"
#include "components/common/http_endpoint.h"
#include "components/common/line_writer.h"
#include "components/common/metrics_receiver.h"
#include "components/common/sample_output.h"
#include "components/common/targets.h"
#include "telemetry/exposition.h"
#include "telemetry/sample_batch.h"

struct scrape_args {
    struct capsule_list forward_to;
    struct value targets, params;
    struct bytesize body_size_limit;
    bool convert_classic_histograms_to_nhcb, start_timestamp_zero_ingestion, enable_compression,
        enable_protobuf_negotiation, enable_type_and_unit_labels, extra_metrics, honor_labels,
        honor_timestamps, honor_metadata, scrape_classic_histograms, scrape_native_histograms,
        track_timestamps_staleness;
    struct str job_name, metric_name_escaping_scheme, metric_name_validation_scheme, metrics_path,
        scheme, scrape_failure_log_file, scrape_fallback_protocol;
    i64 label_limit, label_name_length_limit, label_value_length_limit,
        native_histogram_bucket_limit, sample_limit, target_limit;
    f64 native_histogram_min_bucket_factor;
    struct dur scrape_interval, scrape_timeout;
    struct str_list scrape_protocols;
    struct http_client_args client;
    struct {
        bool enabled;
    } clustering;
};

struct scrape_plan {
    const struct scrape_args *args;
    struct str accept;
    bool utf8;
    i32 max_schema; /* of native histograms */
};

/* --- self metrics (meters.c) --- */
enum scrape_meter {
    METER_TARGETS_GAUGE,
    METER_MOVED,
    METER_POOLS,
    METER_POOLS_FAILED,
    METER_RELOADS,
    METER_RELOADS_FAILED,
    METER_EXCEEDED_TARGETS,
    METER_EXCEEDED_BODY,
    METER_EXCEEDED_SAMPLES,
    METER_EXCEEDED_LABELS,
    METER_EXCEEDED_BUCKETS,
    METER_DUPLICATES,
    METER_OUT_OF_ORDER,
    METER_OUT_OF_BOUNDS,
    METER_EXEMPLARS_OLD,
    METER_FLUSHES,
    METER_SKIPPED,
    METER_DURATION,
    /* with the label scrape_job */
    METER_POOL_TARGETS,
    METER_POOL_TARGET_LIMIT,
    METER_SYMBOLS,
    METER_SYNCS,
    METER_SYNC_FAILED,
    METER_SYNC_LENGTH,
    METER_SYNC_LENGTH_H,
    METER_META_ENTRIES,
    METER_META_BYTES,
    /* with the label interval */
    METER_RELOAD_LENGTH,
    METER_INTERVAL,
    METER_INTERVAL_H,
    METERS
};
/* Those without labels of their own: in create. */
void scrape_meters_create(struct comp *c, struct metric *ret[METERS]);
/* Those with the labels of this plan, in place of those of `old` (NULL: the first one). */
struct scrape_meter_labels {
    char *job, *interval; /* owned */
};
void scrape_meters_label(struct shard *s, struct str job, i64 interval,
                         struct scrape_meter_labels *labels, struct metric *m[METERS]);

/* --- what a target is (target_build.c) --- */
struct target_spec {
    const struct label *labels; /* of its series, by name */
    u32 n_labels;
    struct str url, address;
    u64 placed; /* hash of the labels: which worker */
    u64 hash;   /* of labels and URL */
    i64 interval, timeout;
    bool native, classic_too, nhcb;
};
/* From a target of the configuration; texts in the arena. NULL, or why it is none (in the arena).
 * set is the caller's, used here. */
const char *target_spec_build(const struct scrape_plan *p, struct str job, struct value targets,
                              size_t i, struct label_set *set, struct arena *arena,
                              struct target_spec *ret);
/* Durations of Prometheus: 1h30m. -EINVAL with a text in the arena. */
int prom_duration_parse(struct str s, struct arena *arena, i64 *ret, const char **ret_err);
void prom_duration_format(struct buf *b, i64 ns);

/* --- protocols (protocols.c) --- */
void scrape_accept(const struct scrape_args *a, struct buf *out);
/* The format of an answer; false: *ret_err (static or in the arena). */
bool scrape_format(const struct scrape_args *a, struct str content_type,
                   enum exposition_format *ret, struct buf *err);
bool scrape_protocol_known(struct str name);

/* --- series of the last scrape (cache.c) --- */

/* One line: 16 bytes. The reference is a pointer, flags in its low bits, the length of the line's
 * series text above it (0: longer than fits). */
struct line {
    u64 hash, ref;
};
enum { LINE_SEEN = 1, LINE_TIMED = 2, LINE_DOUBLE = 4, LINE_NEW = 8, LINE_FLAGS = 15 };
#define LINE_POINTER UINT64_C(0x0000fffffffffff0)
static inline struct series *line_series(const struct line *l)
{
    return (struct series *)(uintptr_t)(l->ref & LINE_POINTER); // NOLINT
}
static inline u32 line_length(const struct line *l)
{
    return (u32)(l->ref >> 48);
}
struct series_set { /* of pointers, open addressing */
    struct series **v;
    size_t n, cap;
};
struct scrape_cache {
    VEC(struct line) last, now;
    bool moved;    /* now is filled; until then the lines are those of last, in order */
    bool watching; /* series of this scrape are in `present` */
    bool ended;    /* markers were sent for all of last: the scrape after it failed */
    size_t at;     /* place in last that is expected next */
    u32 *table;    /* of last by hash, made when a line is not in its place */
    size_t table_n;
    struct series_set present;
    u32 added;
};
void cache_begin(struct scrape_cache *c);
/* The line expected next; NULL at the end. */
const struct line *cache_expected(const struct scrape_cache *c);
/* The series of a line: 1 found (*ret), 0 unknown (cache_add it), 2 seen in this scrape already
 * (*ret too). */
int cache_find(struct scrape_cache *c, u64 hash, bool expected, u32 flags, struct series **ret);
/* Takes the reference. False: the series is there already under another text. */
bool cache_add(struct scrape_cache *c, u64 hash, u32 length, u32 flags, struct series *s);
/* A series that ends. stale: a marker is due; leaves: its reference is the callee's. */
typedef void cache_gone_fn(void *arg, struct series *s, bool stale, bool leaves);
/* Calls gone for each series that no line named; then the lines of this scrape are the last ones.
 */
void cache_end(struct scrape_cache *c, bool track_timed, cache_gone_fn *gone, void *arg);
/* The scrape failed, or the target is gone: what it had added leaves, and markers are due for what
 * the last one had, once. That stays known: targets mostly come back with the same lines. */
void cache_fail(struct scrape_cache *c, bool track_timed, cache_gone_fn *gone, void *arg);
/* After cache_fail: what was kept leaves as well. */
void cache_forget(struct scrape_cache *c, cache_gone_fn *gone, void *arg);
void cache_free(struct scrape_cache *c);

/* --- exemplars that were sent (exemplars.c) --- */

/* Targets show the same exemplars at every scrape; only those that were not yet sent go on. Kept
 * per series that ever had one: the newest. Embedded, zero at first. */
struct exemplar_memory {
    struct map told; /* series to struct told */
};
/* Whether it is new, and remembered then. *ret_old: it is older than one that was sent. */
bool exemplar_is_new(struct exemplar_memory *m, const struct exemplar_sample *e, bool *ret_old);
/* Native histograms show many: only those after this time are new; remembered by the former. */
i64 exemplar_newest(const struct exemplar_memory *m, const struct series *s);
void exemplar_forget(struct exemplar_memory *m, const struct series *s);
void exemplar_memory_done(struct exemplar_memory *m); /* all are forgotten */

/* --- one target (target.c) --- */
enum report {
    REPORT_UP,
    REPORT_DURATION,
    REPORT_SAMPLES,
    REPORT_KEPT,
    REPORT_ADDED,
    REPORT_TIMEOUT,
    REPORT_LIMIT,
    REPORT_BODY,
    REPORTS
};

struct scraper;
struct target {
    struct scraper *owner;
    struct arena arena; /* texts of spec */
    struct arena texts; /* of one scrape: metadata */
    struct target_spec spec;
    struct timer *timer;
    struct http_request *request;
    struct scrape_cache cache;
    struct exemplar_memory exemplars;
    struct map started; /* series to the start that was sent, in ms */
    struct series *report[REPORTS];
    struct map families; /* metadata that was told: family to hash */
    i64 due;             /* real time of the tick that comes next */
    i64 tick;            /* time of the scrape under way, real */
    i64 began;           /* mono */
    i64 meta_told;
    bool listed; /* while targets are compared */
    bool leaving, said_failed, said_nhcb, ever;
    bool up;
    struct batch *held; /* made, not delivered */
    /* for people */
    char *error;
    i64 last, took;
    i64 failing_since; /* mono; 0: it is up */
};
struct target *target_start(struct scraper *s, const struct target_spec *spec);
/* Other settings, same identity. */
void target_update(struct target *t, const struct target_spec *spec);
void target_leave(struct target *t);
/* No more requests; what is held stays. */
void target_halt(struct target *t);
void target_free(struct target *t);
/* There is room: what is held goes. False: still full. */
bool target_deliver(struct target *t);

/* What one scrape brought. */
struct scrape_result {
    u32 samples, kept, added;
    i64 body; /* -1: over the limit */
    char error[320];
};
/* Reads a body into the builder; 0, or -EINVAL with an error (all series are stale then). */
int scrape_ingest(struct target *t, struct str body, enum exposition_format format, i64 time_ms,
                  struct scrape_result *r);
/* Markers for all series of the cache. */
void scrape_all_stale(struct target *t, i64 time_ms);
/* The series that a target had before its scrapes failed are given up. */
void scrape_forget(struct target *t);
void scrape_report(struct target *t, i64 time_ms, const struct scrape_result *r, i64 took);
void scrape_report_stale(struct target *t, i64 time_ms);

/* --- the shard (scraper.c) --- */
struct scrape_view { /* of one shard, immutable */
    struct refs refs;
    struct arena arena;
    struct scrape_target_info *v;
    size_t n;
};
struct scrape_target_info {
    struct str job, url, health, last_error, last_scrape, last_scrape_duration;
    struct str_map labels;
};
struct scrape_shared {
    struct http_endpoint *endpoint, *memory;
    struct metric *meters[METERS];
    struct sample_output output;
    struct spin lock;                          /* of the pointers */
    struct scrape_view *views[METRIC_WRITERS]; /* by worker */
};
struct scraper {
    struct shard *shard;
    const struct scrape_plan *plan;
    struct str job;
    struct scrape_shared *shared;
    struct http_endpoint *endpoint, *memory;
    struct fanout *out;
    struct sample_builder *builder;
    struct series_keeper keeper;
    struct label_set set, scratch;
    struct buf unpacked;
    i64 unpacked_n; /* charged to the data budget */
    struct metric *meters[METERS];
    struct scrape_meter_labels meter_labels;
    struct line_writer *failures; /* scrape_failure_log_file; NULL: none, or it cannot be opened */
    bool failures_said;
    VEC(struct target *) targets; /* leaving ones too */
    VEC(struct target *) waiting; /* with a batch that is held, in order */
    bool target_limit_hit;
    u32 n_all;
    struct timer *show, *give_up;
    bool stopping, reloaded;
    i64 skipped_said;
};
/* Before anything is put into the builder: what is retired from now on outlives its batch. */
void scraper_begin(struct scraper *s);
/* Puts what the builder has into a batch and sends or holds it. */
void scraper_send(struct scraper *s, struct target *t);
/* debug_info is made anew, soon. */
void scraper_changed(struct scraper *s);
void scraper_remove(struct scraper *s, struct target *t);
/* A line of scrape_failure_log_file, when there is one (failure_log.c). */
void scraper_log_failure(struct scraper *s, const struct target *t, const char *error);
/* The file is opened anew with the next line: a new plan, or the file was moved away. */
void scraper_reopen_failures(struct scraper *s);
/* The shard's life. */
void scraper_start(struct scraper *s, struct shard *shard);
void scraper_apply(struct scraper *s, const struct scrape_plan *plan);
void scraper_stop(struct scraper *s);
void scraper_done(struct scraper *s);
void scrape_view_unref(struct scrape_view *v); /* takes NULL */

#endif
