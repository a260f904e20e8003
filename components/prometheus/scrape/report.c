/* What a scrape says of itself: up, scrape_duration_seconds, ... with the labels of the target. */
#include "components/prometheus/scrape/scrape.h"

static const struct {
    const char *name, *help;
    bool extra;
    const char *unit;
} reports[REPORTS] = {
    [REPORT_UP] = {"up", "Health of the scrape target. 1 means the target is healthy, 0 if the "
                         "scrape failed."},
    [REPORT_DURATION] = {"scrape_duration_seconds", "Duration of the last scrape in seconds.",
                         .unit = "seconds"},
    [REPORT_SAMPLES] = {"scrape_samples_scraped", "Samples that the target exposed."},
    [REPORT_KEPT] = {"scrape_samples_post_metric_relabeling", "Samples that were kept."},
    [REPORT_ADDED] = {"scrape_series_added", "Series that the scrape before did not have."},
    [REPORT_TIMEOUT] = {"scrape_timeout_seconds", "The timeout of the scrape.", true, "seconds"},
    [REPORT_LIMIT] = {"scrape_sample_limit", "The limit of samples, 0: none.", true},
    [REPORT_BODY] = {"scrape_body_size_bytes", "Bytes of the body, -1: over the limit.", true,
                     "bytes"},
};

static struct series *series_of(struct target *t, int i)
{
    struct scraper *s = t->owner;

    if (t->report[i]) return t->report[i];
    label_set_reset(&s->set);
    for (u32 k = 0; k < t->spec.n_labels; k++)
        label_set_put_view(&s->set, t->spec.labels[k].name, t->spec.labels[k].value);
    label_set_put_view(&s->set, STR("__name__"), str_of(reports[i].name));
    t->report[i] = label_set_series(&s->set, s->keeper.table);
    return t->report[i];
}

static void add(struct target *t, int i, i64 time_ms, u64 bits)
{
    struct series *series = series_of(t, i);

    if (!series || sample_builder_add(t->owner->builder, series, time_ms, bits) != 0)
        log_error(t->owner->shard->comp->log, "no memory for a report of a scrape",
                  F_CSTR("series", reports[i].name), F_STR("target", t->spec.url));
}

static void tell_families(struct target *t)
{
    const struct scrape_args *a = t->owner->plan->args;

    if (!a->honor_metadata || map_has(&t->families, STR("up"))) return;
    for (int i = 0; i < REPORTS; i++) {
        struct metric_meta m = {.family = str_of(reports[i].name),
                                .help = str_of(reports[i].help),
                                .unit = reports[i].unit ? str_of(reports[i].unit) : STR(""),
                                .type = TYPE_GAUGE};
        if (reports[i].extra && !a->extra_metrics) continue;
        if (sample_builder_meta(t->owner->builder, &m) == 0)
            (void)map_put(&t->families, m.family, t);
    }
}

void scrape_report(struct target *t, i64 time_ms, const struct scrape_result *r, i64 took)
{
    const struct scrape_args *a = t->owner->plan->args;
    const f64 values[REPORTS] = {
        [REPORT_UP] = t->up,
        [REPORT_DURATION] = (f64)took / (f64)NS_PER_SEC,
        [REPORT_SAMPLES] = r->samples,
        [REPORT_KEPT] = r->kept,
        [REPORT_ADDED] = r->added,
        [REPORT_TIMEOUT] = (f64)t->spec.timeout / (f64)NS_PER_SEC,
        [REPORT_LIMIT] = (f64)a->sample_limit,
        [REPORT_BODY] = (f64)r->body,
    };

    for (int i = 0; i < REPORTS; i++)
        if (!reports[i].extra || a->extra_metrics) add(t, i, time_ms, sample_bits(values[i]));
    tell_families(t);
}

void scrape_report_stale(struct target *t, i64 time_ms)
{
    for (int i = 0; i < REPORTS; i++)
        if (t->report[i]) add(t, i, time_ms, SAMPLE_STALE_BITS);
}
