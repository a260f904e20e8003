/* The map of extracted values of one entry, as the engine sees it. Labels of the entry are not
 * copied into it: a name that was not written is looked for among them, and then kept like a value
 * that was. One owner. */
#ifndef COMPONENTS_LOKI_PROCESS_EXTRACTED_H
#define COMPONENTS_LOKI_PROCESS_EXTRACTED_H

#include "components/loki/process/stage.h"

struct extracted *ex_new(void);
void ex_free(struct extracted *x); /* takes NULL */
/* Empty but for these labels, which are borrowed. Costs what the last entry used. */
void ex_begin(struct extracted *x, const struct labels *labels);
/* Becomes a copy of from with texts of its own in a, over labels, a reference on those of from. */
void ex_copy(struct extracted *x, const struct extracted *from, const struct labels *labels,
             struct arena *a);
/* The same without copying texts. */
void ex_share(struct extracted *x, const struct extracted *from);
const struct labels *ex_labels(const struct extracted *x);

#endif
