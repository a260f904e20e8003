/* Relabelling: one engine for targets, log entries and samples. Source: spec pipelines B.3.
 *
 * `rule` blocks (relabel_rule_schema) are compiled in prepare into a counted, immutable struct
 * relabel, which any number of threads may apply, each to a label set of its own. Components that
 * export `rules` publish it as a capsule; those that take `relabel_rules` read it there. */
#ifndef COMPONENTS_COMMON_RELABEL_H
#define COMPONENTS_COMMON_RELABEL_H

#include "runtime/component.h"
#include "telemetry/label_set.h"

struct relabel_rule {
    struct str_list source_labels;
    struct str separator, regex, target_label, replacement, action;
    i64 modulus;
    struct span span;
};
struct relabel_rules {
    struct relabel_rule *v;
    size_t n;
};
extern const struct schema relabel_rule_schema;

/* What a target_label that rules make may be called: of a target anything that is UTF-8, elsewhere
 * [A-Za-z_][A-Za-z0-9_]*. */
enum relabel_names { RELABEL_NAMES_ANY, RELABEL_NAMES_CLASSIC };

struct relabel;
/* Prepare: faults of the rules go to p->diags with their spans. 0 or -EINVAL. *ret is released with
 * the plan's arena; take a reference to keep it longer. */
int relabel_prepare(struct prepare *p, const struct relabel_rules *rules, enum relabel_names names,
                    struct relabel **ret) WARN_UNUSED;
struct relabel *relabel_ref(struct relabel *r);
void relabel_unref(struct relabel *r);       /* takes NULL */
bool relabel_empty(const struct relabel *r); /* no rules; NULL too */
/* The same rules, in the same order. */
bool relabel_equal(const struct relabel *a, const struct relabel *b);
/* False: the rules drop the set (whose labels are then whatever they were at that rule). r may be
 * NULL. Labels without a value count as absent, and are, once there are rules. limited: set to true
 * when a regular expression reached its match limit (the rule counts as not matching); may be NULL.
 * Memory that ran out shows in s->err. Names and values made are the set's own. */
bool relabel_apply(const struct relabel *r, struct label_set *s, bool *limited);

/* What to say, once, when a regular expression was limited. */
#define RELABEL_LIMITED                                                                            \
    "a regular expression of relabel rules took too many steps: its rule counts as not matching"
/* Says it when it is so, unless it was told. */
static inline void relabel_tell_limited(struct logger *log, bool limited, bool *told)
{
    if (limited && !*told) log_warn(log, RELABEL_LIMITED);
    *told |= limited;
}

/* The `rules` export and the `relabel_rules` argument. What goes through a capsule makes classic
 * names only, whoever wrote the rules. */
extern const struct capsule_type capsule_relabel_rules; /* "RelabelRules" */
struct capsule *relabel_capsule(struct relabel *r);     /* keeps r; owned by the caller */
/* The rules of a capsule (NULL capsule: NULL). Borrowed from it. */
struct relabel *relabel_of(const struct capsule *c);

/* Rows that are the same in every component. */
#define RELABEL_RULE_BLOCKS(T, m)                                                                  \
    BLOCKS_AS(T, m, "rule", &relabel_rule_schema, .doc = "A step of relabelling, in order.")
#define RELABEL_RULES_EXPORT(T, m)                                                                 \
    ATTR(T, m, .doc = "The rules themselves, for relabel_rules of other components.",              \
         .capsule = &capsule_relabel_rules)
#define RELABEL_RULES_ATTR(T, m)                                                                   \
    ATTR(T, m, .doc = "Relabelling rules applied to each entry, from a component's rules export.", \
         .capsule = &capsule_relabel_rules)

#endif
