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
    i64 ns; /* since 1970; years outside of 1678..2262 do not fit: -ERANGE, the rest is set */
    int year;
    /* The same in full: local date and time as if it were UTC, and its offset. */
    i64 local_s;
    i32 nsec, offset;
    bool zoned; /* the text told the offset, or its zone; else it came of the zone given */
};
/* 0 or -EINVAL (-ERANGE); zone: for layouts without one (NULL: UTC), and where its abbreviations
 * are known. *ret_err (may be NULL): owned text in Go's words. */
int time_layout_parse(const struct time_layout *l, struct str text, const struct time_zone *zone,
                      struct time_parsed *ret, char **ret_err);
/* The same with abbreviations looked up in a zone of their own: Go without a location takes UTC,
 * but knows the abbreviations of the host's zone. */
int time_layout_parse_in(const struct time_layout *l, struct str text, const struct time_zone *zone,
                         const struct time_zone *abbrs, struct time_parsed *ret, char **ret_err);
/* Adds years to the date: February 29 becomes March 1 in a common year. 0 or -ERANGE as above. */
int time_parsed_add_years(struct time_parsed *t, int years, const struct time_zone *zone);

void time_layout_format(const struct time_layout *l, i64 ns, const struct time_zone *zone,
                        struct buf *out);
/* For moments beyond the reach of i64 nanoseconds. */
void time_layout_format_s(const struct time_layout *l, i64 unix_s, i32 nsec,
                          const struct time_zone *zone, struct buf *out);

#endif
