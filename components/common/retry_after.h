/* The Retry-After header: seconds, or an RFC 1123 date. Pure. */
#ifndef COMPONENTS_COMMON_RETRY_AFTER_H
#define COMPONENTS_COMMON_RETRY_AFTER_H

#include "base/str.h"

/* "Sun, 06 Nov 1994 08:49:37 GMT" (two digits of day, any three-letter day name) to ns since 1970.
 * 0 or -EINVAL. */
int http_date_parse(struct str s, i64 *ret_real);
/* Time to wait in ns; 0 when the header is absent, means nothing, is negative or lies in the past.
 * now_real in ns since 1970. */
i64 retry_after_parse(struct str value, i64 now_real);

#endif
