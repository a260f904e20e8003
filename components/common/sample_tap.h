/* What live debugging shows of a batch of samples: a line each, with time, labels and value. */
#ifndef COMPONENTS_COMMON_SAMPLE_TAP_H
#define COMPONENTS_COMMON_SAMPLE_TAP_H

#include "runtime/component.h"

/* component_def.tap, for those who send samples on; others give the item to comp_tap. */
void sample_tap(const struct batch *b, struct tap_item *ret);

#endif
