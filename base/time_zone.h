/* Time zones by IANA name, from the system's zone files (TZif, RFC 8536); pure but for opening the
 * file. Immutable once loaded, may be shared. */
#ifndef BASE_TIME_ZONE_H
#define BASE_TIME_ZONE_H

#include "base/str.h"

struct time_zone;
/* "" and "UTC": UTC; "Local": TZ or /etc/localtime (UTC when that cannot be read). NULL and an
 * owned *ret_err ("unknown time zone X"). Names that leave the zone folder are unknown. */
struct time_zone *time_zone_load(struct str name, char **ret_err);
/* The same from the bytes of a zone file, NULL when they are none. */
struct time_zone *time_zone_decode(struct str file);
void time_zone_free(struct time_zone *z); /* takes NULL */
/* The offset in force at a moment (s since 1970), seconds east of UTC; *ret_abbr (may be NULL) its
 * abbreviation, which lives as long as z. z NULL: UTC. */
i32 time_zone_offset(const struct time_zone *z, i64 unix_s, const char **ret_abbr);
/* The moment of a local date and time given as if it were UTC; in a gap or overlap the offset in
 * force on one side is used. */
i64 time_zone_to_unix(const struct time_zone *z, i64 local_s);
/* The offset that an abbreviation has in this zone, at best for the local date and time; false when
 * it has none such. */
bool time_zone_abbr(const struct time_zone *z, struct str abbr, i64 local_s, i32 *ret);

#endif
