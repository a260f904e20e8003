/* The agent's own metrics about configuration, build and process (spec runtime.md 19); those of the
 * controller are made with it. Control loop. */
#ifndef RUNTIME_SELF_METRICS_H
#define RUNTIME_SELF_METRICS_H

#include "base/metric.h"
#include "runtime/controller.h"

/* Configuration: how reading and parsing went. Evaluation does not count. */
struct config_metrics;
struct config_metrics *config_metrics_new(struct metrics *m, const struct clock *clock,
                                          const char *cluster_name);
void config_metrics_free(struct config_metrics *c);
/* sha256: 64 hex digits of what was read; NULL: nothing could be read. */
void config_metrics_loaded(struct config_metrics *c, const char *sha256, bool ok);

/* alloy_build_info and the process's resources; read when scraped. */
struct process_metrics;
struct process_metrics *process_metrics_new(struct metrics *m, const char *version,
                                            const char *revision, const char *arch);
void process_metrics_free(struct process_metrics *p);

/* Brings series whose labels come and go up to date; before each exposition. */
void controller_metrics_refresh(struct controller *c);

#endif
