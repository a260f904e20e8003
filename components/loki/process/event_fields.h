/* What the two stages that read messages of Windows events share: their arguments, and how a field
 * of a message becomes an extracted value. */
#ifndef COMPONENTS_LOKI_PROCESS_EVENT_FIELDS_H
#define COMPONENTS_LOKI_PROCESS_EVENT_FIELDS_H

#include "components/loki/process/stage.h"

struct event_args {
    struct str source;
    bool drop_invalid_labels, overwrite_existing;
};
extern const struct row event_rows[3];

/* The message; STAGE_DROP when the source is not convertible, as Alloy has it: .p is NULL then, and
 * with STAGE_PASS when there is no such value. */
enum stage_result event_message(struct entry *e, const struct event_args *a, struct str *ret);
/* Puts a field; whether its key may stand as it is was judged by the caller, others are changed
 * to what a label's name may be, or left out. */
void event_put(struct entry *e, const struct event_args *a, struct str key, bool valid,
               struct str value);
/* Cuts s at the first sep: what stands before it; *more: there was one. */
struct str event_cut(struct str *s, struct str sep, bool *more);
/* Without white space of any kind of Unicode's around it. */
struct str event_trim(struct str s);

#endif
