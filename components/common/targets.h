/* Targets: maps of texts that discovery exports and others take by `targets` arguments. Here they
 * are read into label sets, and written from them. Pure; any thread (values are counted). */
#ifndef COMPONENTS_COMMON_TARGETS_H
#define COMPONENTS_COMMON_TARGETS_H

#include "runtime/component.h"
#include "telemetry/label_set.h"

/* "list(map(string))" whose maps are targets. */
extern const struct shape targets_shape;
/* Rows for a member `struct value m`. */
#define TARGETS_ATTR_AS(T, m, nm, doc_)                                                            \
    ATTR_AS(T, m, nm, .doc = doc_, .required = true, .shape = &targets_shape,                      \
            .signals = SIGNALS_TARGETS)
#define TARGETS_ATTR(T, m, doc_) TARGETS_ATTR_AS(T, m, #m, doc_)
#define TARGETS_EXPORT(T, m, doc_)                                                                 \
    ATTR(T, m, .doc = doc_, .shape = &targets_shape, .signals = SIGNALS_TARGETS)

/* How many there are; 0 for null (a placeholder of `check`). */
size_t targets_count(struct value targets);
/* The i-th, in place of what was in `into`: each value as text, empty ones included. Texts of plain
 * targets are borrowed from `targets`; the rest are the set's own. Memory that ran out: into->err.
 */
void target_load(struct value targets, size_t i, struct label_set *into);
/* Its labels of these names (none named: all) that have a value are put into `to`. */
void target_copy(struct value targets, size_t i, const struct str_list *names,
                 struct label_set *to);
/* A target with the labels of s; owned. */
struct value target_value(const struct label_set *s);
/* A list of them to be filled: t->v[t->n++]. */
struct target_list {
    struct value *v;
    size_t n, cap;
};
void target_list_add(struct target_list *t, const struct label_set *s);
/* The list as a value, owned; t is empty afterwards. */
struct value target_list_value(struct target_list *t);

/* {"a"="b", "c"="d"}: a target as live debugging prints it. */
void target_text(const struct label_set *s, struct buf *out);
/* Live debugging of what discovery exports: one item for the list. */
void targets_tap(struct comp *c, struct value targets);

#endif
