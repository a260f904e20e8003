/* Names of OTLP as names of Prometheus: metrics with their unit and kind, labels. Source: spec
 * pipelines D.9. Pure; any thread. */
#ifndef COMPONENTS_COMMON_PROM_NAMES_H
#define COMPONENTS_COMMON_PROM_NAMES_H

#include "base/buf.h"

enum prom_kind { PROM_OTHER, PROM_COUNTER, PROM_GAUGE };

/* Appends the name of a metric in words joined by "_": its own, those of its unit ("By/s":
 * bytes_per_second) that it lacks, "total" for counters, "ratio" for gauges of unit 1. */
void prom_metric_name(struct buf *out, struct str name, struct str unit, enum prom_kind kind);
/* The same without suffixes: what may not stand in a name becomes "_". */
void prom_metric_name_plain(struct buf *out, struct str name);
/* Appends the name of a label: "service.name" is service_name, "1st" key_1st, "_x" key_x. */
void prom_label_name(struct buf *out, struct str attribute);

#endif
