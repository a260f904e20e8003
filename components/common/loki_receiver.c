/* The `receiver` export of the Loki family. */
#include "components/common/loki_receiver.h"

static const struct row receiver_rows[] = {
    ATTR(struct loki_receiver, receiver, .doc = "Takes log entries from other components.",
         .capsule = &capsule_logs_receiver, .signals = SIGNALS_LOGS),
};
const struct schema loki_receiver_schema = SCHEMA(struct loki_receiver, receiver_rows);

void loki_receiver_export(struct comp *c)
{
    struct loki_receiver e = {.receiver.c = comp_sink(c, &capsule_logs_receiver, 0, SIGNALS_LOGS)};

    comp_export(c, &e);
    capsule_unref(e.receiver.c);
}
