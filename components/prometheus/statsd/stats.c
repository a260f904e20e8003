/* The statsd_exporter_* families. Names, labels and help: those of statsd_exporter. */
#include "components/prometheus/statsd/stats.h"

#include "components/common/expo.h"

#if defined(__x86_64__)
#define ARCH "amd64"
#elif defined(__aarch64__)
#define ARCH "arm64"
#else
#define ARCH "unknown"
#endif

static const char *const sample_faults[STATSD_SAMPLE_FAULTS] = {
    [STATSD_MALFORMED_LINE] = "malformed_line",
    [STATSD_MIXED_TAGGING_STYLES] = "mixed_tagging_styles",
    [STATSD_NOT_ENOUGH_PARTS] = "not_enough_parts_after_colon",
    [STATSD_INVALID_AGGREGATE] = "invalid_extended_aggregate_type",
    [STATSD_MALFORMED_COMPONENT] = "malformed_component",
    [STATSD_MALFORMED_VALUE] = "malformed_value",
    [STATSD_INVALID_SAMPLE_FACTOR] = "invalid_sample_factor",
    [STATSD_MALFORMED_CONTAINER_ID] = "malformed_container_id",
    [STATSD_ILLEGAL_EVENT] = "illegal_event",
    [STATSD_TOO_MANY_TAGS] = "too_many_tags",
};
static const char *const event_faults[STATSD_EVENT_FAULTS] = {
    [STATSD_EMPTY_NAME] = "empty_metric_name",
    [STATSD_NEGATIVE_COUNTER] = "illegal_negative_counter",
    [STATSD_NOT_A_NUMBER] = "not_a_number",
    [STATSD_RESERVED_LABEL] = "reserved_label",
    [STATSD_SERIES_LIMIT] = "series_limit",
    [STATSD_SKETCH_LIMIT] = "quantiles_limit",
};
static const char *const types[STATSD_TYPES] = {"counter", "gauge", "observer"};
static const char *const kinds[STATSD_KINDS] = {"counter", "gauge", "summary", "histogram"};

/* --- what is one number --- */

struct simple {
    const char *name, *help;
    size_t offset;
};
#define N(name_, member, help_)                                                                    \
    {                                                                                              \
        .name = (name_), .help = (help_), .offset = offsetof(struct statsd_stats, member)          \
    }
static const struct simple simple[] = {
    N("statsd_exporter_event_queue_flushed_total", flushed,
      "Number of times events were flushed to exporter"),
    N("statsd_exporter_events_unmapped_total", unmapped,
      "The total number of StatsD events no mapping was found for."),
    N("statsd_exporter_udp_packets_total", udp_packets,
      "The total number of StatsD packets received over UDP."),
    N("statsd_exporter_udp_packet_drops_total", udp_drops,
      "The total number of dropped StatsD packets which received over UDP."),
    N("statsd_exporter_tcp_connections_total", tcp_connections,
      "The total number of TCP connections handled."),
    N("statsd_exporter_tcp_connection_errors_total", tcp_errors,
      "The number of errors encountered reading from TCP."),
    N("statsd_exporter_tcp_too_long_lines_total", tcp_long_lines,
      "The number of lines discarded due to being too long."),
    N("statsd_exporter_unixgram_packets_total", unixgram_packets,
      "The total number of StatsD packets received over Unixgram."),
    N("statsd_exporter_lines_total", lines, "The total number of StatsD lines received."),
    N("statsd_exporter_samples_total", samples, "The total number of StatsD samples received."),
    N("statsd_exporter_tags_total", tags, "The total number of DogStatsD tags processed."),
    N("statsd_exporter_tag_errors_total", tag_errors,
      "The number of errors parsing DogStatsD tags."),
    N("statsd_exporter_mapping_regex_limit_total", regex_limit,
      "The number of regular expressions of mappings that were given up for their effort."),
};
#undef N

static const char *const others[] = {
    "statsd_exporter_build_info",
    "statsd_exporter_events_total",
    "statsd_exporter_sample_errors_total",
    "statsd_exporter_loaded_mappings",
    "statsd_exporter_events_conflict_total",
    "statsd_exporter_events_error_total",
    "statsd_exporter_events_actions_total",
    "statsd_exporter_metrics_total",
    "statsd_metric_mapper_cache_length",
    "statsd_metric_mapper_cache_gets_total",
    "statsd_metric_mapper_cache_hits_total",
    "statsd_exporter_series",
    "statsd_exporter_series_bytes",
};

bool statsd_stats_owns(struct str name)
{
    if (!str_starts(name, STR("statsd_"))) return false;
    for (size_t i = 0; i < ARRAY_LEN(simple); i++)
        if (str_is(name, simple[i].name)) return true;
    for (size_t i = 0; i < ARRAY_LEN(others); i++)
        if (str_is(name, others[i])) return true;
    return false;
}

/* --- the page --- */

static void by_label(struct expo *e, const char *name, const char *help, const char *label,
                     const char *const *values, const u64 *counts, size_t n)
{
    struct expo_family *f = expo_counter(e, name, help);

    for (size_t i = 0; i < n; i++)
        if (counts[i]) expo_add(f, counts[i], EXPO_L(label, values[i]));
}

static void show_cache(const struct statsd_stats *s, const struct statsd_gauges *g, struct expo *e)
{
    if (!g->cache) return;
    expo_gauge1(e, "statsd_metric_mapper_cache_length",
                "The count of unique metrics currently cached.", g->cached);
    expo_counter1(e, "statsd_metric_mapper_cache_gets_total",
                  "The count of total metric cache gets.", s->cache_gets);
    expo_counter1(e, "statsd_metric_mapper_cache_hits_total",
                  "The count of total metric cache hits.", s->cache_hits);
}

static void show_gauges(const struct statsd_stats *s, const struct statsd_gauges *g, struct expo *e)
{
    struct expo_family *f =
        expo_gauge(e, "statsd_exporter_metrics_total", "The total number of metrics.");

    for (int i = 0; i < STATSD_KINDS; i++)
        if (s->vectors[i]) expo_add(f, s->vectors[i], EXPO_L("type", kinds[i]));
    expo_gauge1(e, "statsd_exporter_loaded_mappings",
                "The current number of configured metric mappings.", g->mappings);
    expo_gauge1(e, "statsd_exporter_series", "The current number of series.", g->series);
    expo_gauge1(e, "statsd_exporter_series_bytes", "Memory that series take.", g->bytes);
}

static void show_build(struct expo *e)
{
    expo_gauge1(e, "statsd_exporter_build_info",
                "A metric with a constant '1' value labeled by version, revision, branch, "
                "goversion from which statsd_exporter was built, and the goos and goarch for the "
                "build.",
                1, EXPO_L("branch", "main"), EXPO_L("goarch", ARCH), EXPO_L("goos", "linux"),
                EXPO_L("goversion", "none"), EXPO_L("revision", WEIR_REVISION),
                EXPO_L("tags", "weir"), EXPO_L("version", WEIR_VERSION));
}

void statsd_stats_show(const struct statsd_stats *s, const struct statsd_gauges *g, struct expo *e)
{
    const u64 actions[] = {s->dropped, s->mapped};
    static const char *const action_names[] = {"drop", "map"};

    for (size_t i = 0; i < ARRAY_LEN(simple); i++)
        expo_counter1(e, simple[i].name, simple[i].help,
                      *(const u64 *)(const void *)((const char *)s + simple[i].offset));
    by_label(e, "statsd_exporter_events_total", "The total number of StatsD events seen.", "type",
             types, s->events, STATSD_TYPES);
    by_label(e, "statsd_exporter_sample_errors_total",
             "The total number of errors parsing StatsD samples.", "reason", sample_faults,
             s->sample_errors, STATSD_SAMPLE_FAULTS);
    by_label(e, "statsd_exporter_events_error_total",
             "The total number of StatsD events discarded due to errors.", "reason", event_faults,
             s->event_errors, STATSD_EVENT_FAULTS);
    by_label(e, "statsd_exporter_events_actions_total",
             "The total number of StatsD events by action.", "action", action_names, actions, 2);
    by_label(e, "statsd_exporter_events_conflict_total",
             "The total number of StatsD events with conflicting names.", "type", types,
             s->conflicts, STATSD_TYPES);
    show_cache(s, g, e);
    show_gauges(s, g, e);
    show_build(e);
}
