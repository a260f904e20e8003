/* Shared by the two files of the `action` blocks: what a compiled action is. */
#ifndef COMPONENTS_OTELCOL_ATTRIBUTES_ACTION_INT_H
#define COMPONENTS_OTELCOL_ATTRIBUTES_ACTION_INT_H

#include "base/regex.h"
#include "components/otelcol/attributes_action.h"

enum value_source { FROM_VALUE, FROM_ATTRIBUTE, FROM_CONTEXT };
enum convert { TO_INT, TO_DOUBLE, TO_STRING };

struct action {
    const struct action_kind *kind;
    struct str key;
    enum value_source source;
    struct str value; /* AnyValue bytes */
    struct str from;  /* attribute or context key */
    struct regex *pattern;
    struct str *groups; /* names of the pattern's groups, from 1 */
    int n_groups;
    enum convert to;
};

/* Settings. IGNORED: from_context may be given and means nothing, as in the Collector. GROUPS: the
 * pattern's groups must have names. */
enum {
    ACT_KEY = 1,
    ACT_PATTERN = 2,
    ACT_SOURCE = 4,
    ACT_TYPE = 8,
    ACT_KEY_OR_PATTERN = 16,
    ACT_IGNORED = 32,
    ACT_GROUPS = 64,
};
struct action_kind {
    const char *name;
    int takes; /* settings it may have */
    int needs; /* and must have */
    void (*run)(const struct action *a, size_t nth, const struct action_run *r,
                struct otlp_edit *e);
};
/* NULL: there is no such action. */
const struct action_kind *action_kind_of(struct str name);

#endif
