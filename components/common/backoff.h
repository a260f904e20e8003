/* When to try again: exponential back-off with jitter, a lower bound asked by the server, and a
 * limit on the whole time. Pure. */
#ifndef COMPONENTS_COMMON_BACKOFF_H
#define COMPONENTS_COMMON_BACKOFF_H

#include "base/common.h"

struct backoff_conf {
    i64 initial, max;  /* ns */
    i64 max_elapsed;   /* ns from the first attempt; 0: for ever */
    f64 multiplier;    /* > 1 */
    f64 randomization; /* >= 0; 0.5: between half and one and a half of the interval */
};

/* State of one request. Zeroed: no attempt has failed yet. */
struct backoff {
    i64 interval; /* the next one, before jitter */
};

/* Wait after another failure. unit is a random number in [0, 1). server_delay (0: none) is a lower
 * bound. */
i64 backoff_next(struct backoff *b, const struct backoff_conf *conf, f64 unit, i64 server_delay);
/* False when waiting that long passes the limit of a request that began at `start`. */
bool backoff_fits(const struct backoff_conf *conf, i64 start, i64 now, i64 wait);

#endif
