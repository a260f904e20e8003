/* Metadata of families as it stands in a file beside the log, so that a restart knows it: entries,
 * one behind the other, each with a checksum. Of two of one family the later counts.
 *
 *   4 bytes length, 4 bytes CRC-32C (little endian), then as many bytes:
 *   varint type, then family, help and unit, each a varint length and bytes
 *
 * Pure. Every byte read is hostile. */
#ifndef COMPONENTS_PROMETHEUS_REMOTE_WRITE_FAMILY_RECORD_H
#define COMPONENTS_PROMETHEUS_REMOTE_WRITE_FAMILY_RECORD_H

#include "base/buf.h"
#include "telemetry/sample_batch.h"

void family_record_add(struct buf *out, const struct metric_meta *m);
/* Cuts the first entry off *text. 1: *ret points into it; 0: there is none; -EBADMSG: it is
 * damaged, *text is behind it, empty when its end cannot be told. */
int family_record_next(struct str *text, struct metric_meta *ret) WARN_UNUSED;
/* Whether a series of that name belongs to the family: x_bucket to a histogram x. */
bool family_has(const struct metric_meta *m, struct str series);

#endif
