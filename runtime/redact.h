/* Secrets as they stand in configuration text, found from the schema tables without running
 * anything: the values of attributes whose row is a secret or an optional secret, in nested blocks
 * too, and what is handed to a declared component or a foreach that uses it as a secret. Where the
 * body is not known (imported components, unknown names) every value with a text in it counts as
 * one. Control loop. */
#ifndef RUNTIME_REDACT_H
#define RUNTIME_REDACT_H

#include "runtime/compile/template.h"

/* What may be known of the blocks: the registry and the config blocks of o. Calls fn for each
 * attribute with a secret, in no particular order; fn may replace its value. */
void secrets_each(const struct tree_set *trees, const struct compile_opts *o,
                  void (*fn)(void *arg, struct attr *a), void *arg);
/* Replaces those values by the text (secret), and drops the comments beside them. */
void redact_trees(struct tree_set *trees, const struct compile_opts *o);
/* A copy of the text with the same lines and columns, secrets starred out. A text that does not
 * parse loses all its strings. Owned. */
struct source *redact_source(const struct source *s, const struct compile_opts *o);
/* Terminal form of the diagnostics over redacted sources, about max bytes of it; what is left out
 * is said. A message about a secret value is not shown. */
void redact_diags(const struct diags *d, const struct compile_opts *o, size_t max, struct buf *out);

#endif
