/* The `action` blocks of otelcol.processor.attributes: arguments, checks, and what each action does
 * to a record's attributes.
 *
 * A compiled list is immutable, lives in the plan's arena, and is shared by all workers; what
 * differs per batch (from_context) is in struct action_run. */
#ifndef COMPONENTS_OTELCOL_ATTRIBUTES_ACTION_H
#define COMPONENTS_OTELCOL_ATTRIBUTES_ACTION_H

#include "runtime/component.h"
#include "telemetry/otlp_edit.h"

struct action_args {
    struct str key, action;
    struct value value;
    struct str pattern, from_attribute, from_context, converted_type;
};
struct action_args_list {
    struct action_args *v;
    size_t n;
};
extern const struct schema attributes_action_schema;

struct action;
struct action_list {
    struct action *v;
    size_t n;
};
/* Faults go to p->diags with their spans. */
void actions_prepare(struct prepare *p, const struct action_args_list *args,
                     struct action_list *ret);

/* Values taken from the context of one batch; reusable. Embedded: zero it, action_run_done. One
 * worker. */
struct action_run {
    const struct action_list *list;
    struct buf values; /* AnyValue bytes, one after the other */
    struct {
        size_t at, n;
        bool set;
    } * of; /* by action */
    size_t cap;
};
/* Looks the context up; 0 or -ENOMEM. */
int action_run_begin(struct action_run *r, const struct action_list *list,
                     const struct client_info *client);
void action_run_done(struct action_run *r);
/* Runs all actions on the record that e is at. */
void actions_apply(const struct action_run *r, struct otlp_edit *e);

#endif
