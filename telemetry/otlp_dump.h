/* Shared by the two text forms of a batch: walking it level by level, and picking single fields.
 * Not for use outside of telemetry/. Speed does not matter here; each field is looked up in its
 * message when it is needed. */
#ifndef TELEMETRY_OTLP_DUMP_H
#define TELEMETRY_OTLP_DUMP_H

#include "telemetry/otlp.h"
#include "telemetry/otlp_value.h"
#include "telemetry/otlp_walk.h"

/* Where a container or record stands: its number in its parent, and the field it was found under.
 */
struct dump_at {
    enum signal signal;
    u32 index, field;
};
/* What a text form does at each level. data: Gauge, Sum ...; at->field tells which. */
struct dump_style {
    void (*resource)(struct buf *out, const struct dump_at *at, struct str resource_x);
    void (*scope)(struct buf *out, const struct dump_at *at, struct str scope_x);
    void (*metric)(struct buf *out, const struct dump_at *at,
                   struct str metric); /* before its points; may be NULL */
    void (*span)(struct buf *out, const struct dump_at *at, struct str span);
    void (*log)(struct buf *out, const struct dump_at *at, struct str record);
    void (*point)(struct buf *out, const struct dump_at *at, struct str metric, struct str point);
};
extern const struct dump_style dump_normal, dump_detailed;

struct str dump_text(struct str msg, u32 num); /* empty when absent */
u64 dump_number(struct str msg, u32 num);      /* 0 when absent */
bool dump_has(struct str msg, u32 num);
void dump_value(struct buf *out, struct str any_value); /* its text form */
/* The numbers of a repeated field, packed or not. Start with dump_numbers(). */
struct dump_list {
    struct pb_in in;
    u32 num;
    u8 wire;
    const char *p, *end; /* inside a packed run */
};
struct dump_list dump_numbers(struct str msg, u32 num, u8 wire);
bool dump_next(struct dump_list *l, u64 *ret);
/* Counts of an exponential histogram's Buckets as u64 in ret, for printing them backwards; returns
 * how many. */
size_t dump_bucket_counts(struct str buckets, struct buf *ret);

/* Bounds of an exponential histogram's bucket: base^index, the base given by its scale. */
f64 dump_exponential_bound(i32 scale, i64 index);
/* Fields of a number of data point kinds that are the same or go by other numbers; 0: the kind has
 * none. */
struct dump_point {
    u32 attributes, exemplars;
    const char *title, *type; /* "NumberDataPoints", "Gauge" */
};
const struct dump_point *dump_point_of(u32 data); /* by field of Metric; NULL: unknown */

#endif
