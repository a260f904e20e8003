/* Pieces of a file as log entries: lines without their ends, as slices of the piece's blob where
 * its bytes are the text already. Spec: pipelines A.3. */
#ifndef COMPONENTS_LOKI_FILE_LINES_H
#define COMPONENTS_LOKI_FILE_LINES_H

#include "components/loki/file/handle.h"
#include "telemetry/log_batch.h"

/* Adds every line of p to b. Each gets a time of its own, at least *time, which is moved behind the
 * last: of two entries of a stream that agree in time and text Loki keeps one. 0 or -ENOMEM, b is
 * then to be thrown away. */
int lines_add(struct log_builder *b, struct labels *labels, struct charset *c,
              const struct piece *p, i64 *time);

#endif
