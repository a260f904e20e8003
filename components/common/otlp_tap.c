/* OTLP batches as live debugging shows them: the text is the detailed one of the debug exporter.
 * Source: spec runtime.md 14. */
#include "components/common/otlp_tap.h"

#include "telemetry/otlp.h"

static int render(const void *what, struct buf *out)
{
    return otlp_dump(what, OTLP_DETAILED, out);
}

/* A batch of our own that cannot be read still counts. */
static u64 count_metrics(const struct batch *b)
{
    struct otlp_counts n;

    return otlp_count(b, &n) == 0 ? n.metrics : b->items;
}

void otlp_tap(const struct batch *b, struct tap_item *ret)
{
    static const enum tap_type types[SIGNAL_COUNT] = {[SIGNAL_TRACES] = TAP_OTEL_TRACE,
                                                      [SIGNAL_METRICS] = TAP_OTEL_METRIC,
                                                      [SIGNAL_LOGS] = TAP_OTEL_LOG};

    *ret = (struct tap_item){.type = types[b->signal],
                             .count = b->signal == SIGNAL_METRICS ? count_metrics(b) : b->items,
                             .render = render,
                             .what = b};
}
