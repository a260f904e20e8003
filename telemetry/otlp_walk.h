/* The levels of an OTLP request, the same for all signals: which fields of a container lead to the
 * next level, down to the items that are counted.
 *
 *   traces, logs: request > ResourceX > ScopeX > item
 *   metrics:      request > ResourceMetrics > ScopeMetrics > Metric > Gauge, Sum ... > item
 * Bytes are valid (otlp_validate); where they are not, a walk ends early. Pure; any thread. */
#ifndef TELEMETRY_OTLP_WALK_H
#define TELEMETRY_OTLP_WALK_H

#include "base/signal.h"
#include "telemetry/otlp_desc.h"
#include "telemetry/pb.h"

enum otlp_level { LEVEL_REQUEST, LEVEL_RESOURCE, LEVEL_SCOPE, LEVEL_METRIC, LEVEL_DATA, LEVEL_MAX };

/* The level of items: LEVEL_METRIC (a span or record stands there) or LEVEL_MAX (points). */
static inline enum otlp_level otlp_item_level(enum signal s)
{
    return s == SIGNAL_METRICS ? LEVEL_MAX : LEVEL_METRIC;
}

/* Set of the field numbers that lead down from a container of this level. The deprecated list of
 * scopes counts when there is no other. */
u32 otlp_children(enum otlp_level level, struct str msg);
static inline bool otlp_is_child(u32 set, const struct pb_field *f)
{
    u32 bit = f->num < 31 ? 1u << f->num : f->num == OTLP_SCOPES_OLD ? 1u << 31 : 0;
    return f->wire == PB_BYTES && (set & bit);
}

/* Items inside a container (or 1 for an item). */
u32 otlp_items_in(enum signal s, enum otlp_level level, struct str msg);

#endif
