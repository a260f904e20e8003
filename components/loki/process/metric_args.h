/* The configuration of stage.metrics, and what is made of it. */
#ifndef COMPONENTS_LOKI_PROCESS_METRIC_ARGS_H
#define COMPONENTS_LOKI_PROCESS_METRIC_ARGS_H

#include "components/loki/process/stage.h"

struct metric_args { /* of all kinds */
    struct str action, name, description, prefix, source, value;
    struct dur max_idle_duration;
    bool match_all, count_entry_bytes;
    struct value buckets;
};
enum metric_action { ACTION_INC, ACTION_DEC, ACTION_ADD, ACTION_SUB, ACTION_SET, ACTION_OBSERVE };
struct metric_plan {
    const struct metric_args *args;
    const struct metric_desc *desc; /* released with the plan */
    struct str source;
    enum metric_action action;
    bool needs_number;
};
struct metrics_plan {
    struct metric_plan *v;
    size_t n;
    i64 shortest_idle;
};
int metrics_prepare(struct prepare *p, const void *args, const struct span *span, void *plan);

#endif
