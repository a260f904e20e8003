/* Health of one node: what evaluation, running and the component itself say, each with its time;
 * the worst is shown. Texts and order: spec runtime.md 6. Control loop. */
#ifndef RUNTIME_HEALTH_H
#define RUNTIME_HEALTH_H

#include "runtime/component.h"

struct health_part {
    enum health state;
    i64 when;   /* real ns */
    char *text; /* owned; NULL: this part says nothing yet */
};
enum health_source { HEALTH_RUN, HEALTH_EVAL, HEALTH_OWN, HEALTH_SOURCES };
struct node_health {
    struct health_part part[HEALTH_SOURCES];
};

/* What a new node says for run and eval ("component created"). kind: enum node_kind. */
void node_health_init(struct node_health *h, int kind, i64 now);
/* The node was evaluated (err NULL), or it failed. */
void node_health_evaluated(struct node_health *h, int kind, i64 now, const char *err);
/* A node without an instance runs from now on ("started custom component"). */
void node_health_started(struct node_health *h, int kind, i64 now);
void node_health_done(struct node_health *h);
/* Keeps the time of an equal earlier report. */
void node_health_set(struct node_health *h, enum health_source src, enum health state, i64 now,
                     const char *text);
/* The worst; ties: the most recent, then run, eval, own. */
const struct health_part *node_health_worst(const struct node_health *h);
const char *health_name(enum health h); /* "unknown", "healthy", "unhealthy", "exited" */

#endif
