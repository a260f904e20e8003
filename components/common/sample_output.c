/* Sending samples on, counted and timed. */
#include "components/common/sample_output.h"

#include "base/clock.h"

static const f64 buckets[] = {.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60};

static const struct metric_desc forwarded_desc = {.name = "prometheus_forwarded_samples_total",
                                                  .help = "Samples sent to receivers.",
                                                  .kind = METRIC_COUNTER},
                                latency_desc = {.name = "prometheus_fanout_latency",
                                                .help = "Seconds that handing on samples took.",
                                                .kind = METRIC_HISTOGRAM,
                                                .bounds = buckets,
                                                .n_bounds = ARRAY_LEN(buckets)};

void sample_output_init(struct sample_output *o, struct comp *c)
{
    o->forwarded = comp_metric(c, &forwarded_desc, NULL, 0);
    o->latency = comp_metric(c, &latency_desc, NULL, 0);
}

enum push sample_output_push(const struct sample_output *o, struct shard *s, struct fanout *f,
                             struct batch *b)
{
    u32 items = b->items;
    i64 before = clock_mono(s->comp->host->clock);
    enum push answer = fanout_push(f, b);

    if (answer != PUSH_TAKEN) return answer;
    metric_add(o->forwarded, items);
    metric_observe(o->latency, (f64)(clock_mono(s->comp->host->clock) - before) / NS_PER_SEC);
    return answer;
}
