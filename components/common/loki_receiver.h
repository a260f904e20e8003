/* The `receiver` export that components of the Loki family share. */
#ifndef COMPONENTS_COMMON_LOKI_RECEIVER_H
#define COMPONENTS_COMMON_LOKI_RECEIVER_H

#include "runtime/component.h"

struct loki_receiver {
    struct capsule_ref receiver;
};
extern const struct schema loki_receiver_schema;
/* Publishes a sink for logs that leads to def->push with port 0; batches carry a struct logs
 * (telemetry/log_batch.h). Call in create. */
void loki_receiver_export(struct comp *c);

#endif
