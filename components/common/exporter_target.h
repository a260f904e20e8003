/* The target that an exporter exports: itself, asked in memory. */
#ifndef COMPONENTS_COMMON_EXPORTER_TARGET_H
#define COMPONENTS_COMMON_EXPORTER_TARGET_H

#include "components/common/target_export.h"

/* Publishes `targets` (target_exports_schema): the page /metrics of this component at the address
 * that never reaches the network, with job="integrations/<name>" and the host's name as instance
 * (instance "": $HOSTNAME, the host name, or "unknown"). Control loop. */
void exporter_target_export(struct comp *c, const char *name, struct str instance);
/* That target alone, for exporters that export several made of it; owned. */
struct value exporter_target_value(const struct comp *c, const char *name, struct str instance);

#endif
