/* Arithmetic of ticks. Source: spec pipelines C.2, timing. */
#include "components/prometheus/scrape/ticks.h"

#include "base/clock.h"

#define TOLERANCE (2 * NS_PER_MS) /* of a tick: its own time is taken */

i64 tick_first(u64 place, i64 interval, i64 now)
{
    i64 at = now - now % interval + (i64)(place % (u64)interval);

    while (at <= now)
        at += interval;
    return at - now > interval ? at - interval : at;
}

i64 tick_after(i64 due, u64 place, i64 interval, i64 now)
{
    i64 next = due + interval;
    bool missed = next <= now, back = next - now > interval + interval / 2;

    return missed || back ? tick_first(place, interval, now) : next;
}

i64 tick_early(i64 due, i64 interval, i64 now)
{
    i64 early = due - now;

    return early > 0 && early <= interval / 2 ? early : 0;
}

i64 tick_time(i64 due, i64 interval, i64 now)
{
    i64 off = now - due;

    return off >= 0 && off <= MIN(TOLERANCE, interval / 100) ? due : now;
}
