/* When a target is scraped: ticks lie on a grid of its interval, each target's at a place of its
 * own, so that targets are spread over the interval and keep their places over restarts. All times
 * are of the real clock in ns; it may jump. Pure. */
#ifndef COMPONENTS_PROMETHEUS_SCRAPE_TICKS_H
#define COMPONENTS_PROMETHEUS_SCRAPE_TICKS_H

#include "base/common.h"

/* The first tick after now. place: any number, the target's own. */
i64 tick_first(u64 place, i64 interval, i64 now);
/* The tick behind `due`; one of the grid when the clock jumped, or ticks were missed. */
i64 tick_after(i64 due, u64 place, i64 interval, i64 now);
/* How long it is still too early for a tick that a timer announced; 0: it is time, also when the
 * clock was set back so far that nobody should wait for it to catch up. */
i64 tick_early(i64 due, i64 interval, i64 now);
/* The time of the samples: that of the tick when it was met nearly, so that intervals between
 * samples are equal, which makes them small to store. */
i64 tick_time(i64 due, i64 interval, i64 now);

#endif
