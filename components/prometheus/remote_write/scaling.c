/* See scaling.h. */
#include "components/prometheus/remote_write/scaling.h"

#include <math.h>

#define WEIGHT    0.2  /* of the newest step */
#define TOLERANCE 0.3  /* changes below are not worth it */
#define CATCH_UP  0.05 /* of what is behind, each second */
#define LATE      10.0 /* seconds: who is later does not get fewer */

static void smooth(bool begun, f64 *rate, f64 now)
{
    *rate = begun ? *rate + WEIGHT * (now - *rate) : now;
}

void scaling_step(struct scaling *s)
{
    const f64 seconds = (f64)SCALING_STEP / (f64)NS_PER_SEC;

    smooth(s->begun, &s->in_rate, (f64)s->in / seconds);
    smooth(s->begun, &s->out_rate, (f64)s->out / seconds);
    smooth(s->begun, &s->dropped_rate, (f64)s->dropped / seconds);
    smooth(s->begun, &s->busy_rate, (f64)s->busy / (f64)NS_PER_SEC / seconds);
    s->begun = true;
    s->in = s->out = s->dropped = 0;
    s->busy = 0;
}

static f64 wish(const struct scaling *s, const struct scaling_now *now)
{
    f64 kept = s->out_rate / (s->dropped_rate + s->out_rate);
    f64 each = s->busy_rate / s->out_rate;
    f64 incoming = s->in_rate * kept;

    return each * (incoming + CATCH_UP * MAX(now->delay, 0) * incoming);
}

u32 scaling_wanted(const struct scaling *s, const struct scaling_now *now, f64 *ret_wish)
{
    f64 w = s->out_rate > 0 ? wish(s, now) : (f64)now->senders, n = (f64)now->senders;

    if (ret_wish) *ret_wish = w;
    if (s->out_rate <= 0) return now->senders;
    w = ceil(w);
    bool near_enough = w >= n * (1 - TOLERANCE) && w <= n * (1 + TOLERANCE);
    if (near_enough || (w < n && now->delay >= LATE)) w = n;
    return (u32)MIN(MAX(w, (f64)now->min), (f64)now->max);
}
