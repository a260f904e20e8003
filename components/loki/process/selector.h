/* Selectors of stage.match: {label matchers} and line filters, the part of LogQL that it takes.
 * Compiled once, immutable, any thread. Spec: pipelines A.4. */
#ifndef COMPONENTS_LOKI_PROCESS_SELECTOR_H
#define COMPONENTS_LOKI_PROCESS_SELECTOR_H

#include "components/loki/process/stage.h"

struct selector;
/* NULL on failure: *ret_err is "parse error at line L, col C: ...", owned. */
struct selector *selector_parse(struct str text, char **ret_err);
void selector_free(struct selector *s); /* takes NULL */
/* r counts match limits; NULL in tests. */
bool selector_matches(const struct selector *s, struct stage_run *r, const struct entry *e);

#endif
