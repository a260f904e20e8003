/* The `receiver` export of the Prometheus family. */
#include "components/common/metrics_receiver.h"

static const struct row receiver_rows[] = {
    METRICS_RECEIVER_EXPORT(struct metrics_receiver, receiver),
};
const struct schema metrics_receiver_schema = SCHEMA(struct metrics_receiver, receiver_rows);

void metrics_receiver_export(struct comp *c)
{
    struct metrics_receiver e = {.receiver.c =
                                     comp_sink(c, &capsule_metrics_receiver, 0, SIGNALS_METRICS)};

    comp_export(c, &e);
    capsule_unref(e.receiver.c);
}
