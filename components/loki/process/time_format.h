/* The formats of stage.timestamp: predefined names, Unix times, Go layouts. Immutable. */
#ifndef COMPONENTS_LOKI_PROCESS_TIME_FORMAT_H
#define COMPONENTS_LOKI_PROCESS_TIME_FORMAT_H

#include "base/time_layout.h"

enum time_format_kind { TIME_LAYOUT, TIME_UNIX, TIME_UNIX_MS, TIME_UNIX_US, TIME_UNIX_NS };
struct time_format {
    enum time_format_kind kind;
    struct time_layout *layout;
    bool named; /* a predefined layout: the stage's location does not concern it */
    bool without_year;
};
struct time_format time_format_new(struct str format);
void time_format_done(struct time_format *f);
/* location: of own layouts, NULL for UTC; local: where the host is, whose abbreviations are known.
 * now: for texts without a year. 0, or -EINVAL (-ERANGE: a time that 64 bits of nanoseconds do not
 * reach). */
int time_format_parse(const struct time_format *f, struct str text,
                      const struct time_zone *location, const struct time_zone *local, i64 now,
                      i64 *ret_ns);

#endif
