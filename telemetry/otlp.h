/* OTLP payloads as wire bytes: validate and count, merge, split, JSON in and out, text dumps. No
 * objects per span. Source: spec W.2a, W.2b. Pure functions over bytes; any thread. */
#ifndef TELEMETRY_OTLP_H
#define TELEMETRY_OTLP_H

#include "base/buf.h"
#include "telemetry/batch.h"

/* Validates a whole Export*ServiceRequest as a decoder would (wire types, lengths, id lengths;
 * unknown fields skipped, deprecated 1000 fields and empty requests allowed) and counts items
 * (spans, data points, log records). 0, or -EBADMSG with a static or scratch text in err (cap
 * bytes). */
int otlp_validate(enum signal s, struct str bytes, u32 *ret_items, char *err, size_t err_cap);

/* Splits off the first `items` items (0 < items < b->items): *ret_head gets them, *ret_tail the
 * rest; resource and scope wrappers stand on both sides. Both carry all acks and share roots
 * (wrapper bytes live in a small new root). b is borrowed. 0 or -ENOMEM. */
int otlp_split(const struct batch *b, u32 items, struct batch **ret_head, struct batch **ret_tail);

/* OTLP/JSON text to protobuf bytes appended to out (W.2b decoding). 0, -EBADMSG with text in err,
 * -ENOMEM, -E2BIG. *ret_items counted. */
int otlp_from_json(enum signal s, struct str json, struct buf *out, u32 *ret_items, char *err,
                   size_t err_cap);
/* Protobuf slices of a batch to OTLP/JSON (W.2b encoding). 0, -EBADMSG, -ENOMEM, -E2BIG. */
int otlp_to_json(const struct batch *b, struct buf *out);

/* Export*ServiceResponse: partial success. Absent or empty: rejected 0 and empty message. 0 or
 * -EBADMSG. Protobuf or JSON. */
struct otlp_partial {
    i64 rejected;
    struct str message; /* view, or in scratch */
};
int otlp_response_parse(struct str bytes, struct otlp_partial *ret);
struct arena;
int otlp_response_parse_json(struct str text, struct arena *scratch, enum signal s,
                             struct otlp_partial *ret);

/* Text for the debug exporter and live debugging. */
enum otlp_verbosity { OTLP_BASIC, OTLP_NORMAL, OTLP_DETAILED };
/* Counts for the basic line: resources, items, metrics. */
struct otlp_counts {
    u32 resources, items, metrics;
};
int otlp_count(const struct batch *b, struct otlp_counts *ret);
/* One line per record (normal), one per field (detailed); nothing for basic, whose line is made of
 * otlp_count. */
int otlp_dump(const struct batch *b, enum otlp_verbosity v, struct buf *out);

#endif
