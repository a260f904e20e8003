/* Makes batches of the agent's own log lines: one stream, {component="alloy"}. Control loop. */
#ifndef CMD_OWN_LINES_H
#define CMD_OWN_LINES_H

#include "runtime/own_log.h"
#include "telemetry/log_batch.h"

struct own_lines {
    struct labels *labels;
    struct budget *budget;
};
void own_lines_init(struct own_lines *o, struct label_table *table, struct budget *budget);
void own_lines_done(struct own_lines *o);
/* own_log_conf.make; arg: struct own_lines. */
struct batch *own_lines_make(void *arg, const struct own_line *lines, size_t n);

#endif
