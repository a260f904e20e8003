/* When to try again. Source: spec D.6. */
#include "components/common/backoff.h"

static i64 grown(i64 interval, const struct backoff_conf *conf)
{
    f64 next = (f64)interval * conf->multiplier;
    return next >= (f64)conf->max ? conf->max : (i64)next;
}

i64 backoff_next(struct backoff *b, const struct backoff_conf *conf, f64 unit, i64 server_delay)
{
    if (b->interval == 0) b->interval = MIN(conf->initial, conf->max);
    f64 spread = (f64)b->interval * conf->randomization;
    f64 wait = (f64)b->interval - spread + unit * 2 * spread;
    b->interval = grown(b->interval, conf);
    return MAX((i64)MAX(wait, 0.0), server_delay);
}

bool backoff_fits(const struct backoff_conf *conf, i64 start, i64 now, i64 wait)
{
    return conf->max_elapsed == 0 || now + wait - start <= conf->max_elapsed;
}
