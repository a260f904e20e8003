/* How many senders an endpoint needs: Prometheus' rule. Rates in and out are smoothed over ten
 * second steps; what one sample costs, times what comes in and a twentieth of what is behind, is
 * how many must be sent at a time. Pure. */
#ifndef COMPONENTS_PROMETHEUS_REMOTE_WRITE_SCALING_H
#define COMPONENTS_PROMETHEUS_REMOTE_WRITE_SCALING_H

#include "base/common.h"

#define SCALING_STEP (10 * NS_PER_SEC)

struct scaling {
    u64 in, out, dropped; /* samples since the last step */
    i64 busy;             /* ns that requests took */
    f64 in_rate, out_rate, dropped_rate, busy_rate;
    bool begun;
};
struct scaling_now {
    u32 senders, min, max;
    f64 delay; /* seconds that the newest sample sent is behind the newest that came in */
};
/* One step is over: the rates are renewed. */
void scaling_step(struct scaling *s);
/* How many there should be; *ret_wish (may be NULL): before rounding and bounds. The same number
 * when the change would be less than three tenths. */
u32 scaling_wanted(const struct scaling *s, const struct scaling_now *now, f64 *ret_wish);

#endif
