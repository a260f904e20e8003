/* Go's time layouts ("2006-01-02T15:04:05Z07:00"): parsing and formatting. Source: spec W.8. A
 * layout is compiled once; immutable, may be shared. */
#ifndef BASE_TIME_LAYOUT_H
#define BASE_TIME_LAYOUT_H

#include "base/buf.h"
#include "base/time_zone.h"

struct time_layout;
struct time_layout *time_layout_new(struct str layout);
void time_layout_free(struct time_layout *l); /* takes NULL */
/* The layout of a predefined name ("RFC3339", "ANSIC" ...), or NULL. */
const char *time_layout_named(struct str name);
struct time_parsed {
    i64 ns; /* since 1970; years outside of 1678..2262 do not fit: -ERANGE */
    int year;
};
/* 0 or -EINVAL (-ERANGE); zone: for layouts without one (NULL: UTC). *ret_err (may be NULL): owned
 * text in Go's words. */
int time_layout_parse(const struct time_layout *l, struct str text, const struct time_zone *zone,
                      struct time_parsed *ret, char **ret_err);
void time_layout_format(const struct time_layout *l, i64 ns, const struct time_zone *zone,
                        struct buf *out);

#endif
