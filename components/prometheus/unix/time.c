/* time: the machine's time, its zone, and what it takes the time from. */
#include "components/prometheus/unix/collector.h"

#include <time.h>

static void add_zone(struct collect *c, i64 now)
{
    time_t seconds = (time_t)(now / NS_PER_SEC);
    struct tm tm;

    if (!localtime_r(&seconds, &tm)) return;
    expo_gauge1(c->out, "node_time_zone_offset_seconds", "System time zone offset in seconds.",
                tm.tm_gmtoff, EXPO_L("time_zone", tm.tm_zone ? tm.tm_zone : ""));
}

static void add_sources(struct collect *c, struct str dir)
{
    const char *device = dir.p + STR("clocksource").n;
    struct str available =
        unix_text(c, ROOT_SYS, "devices/system/clocksource/%s/%s", dir.p, "available_clocksource");
    struct str current =
        unix_text(c, ROOT_SYS, "devices/system/clocksource/%s/%s", dir.p, "current_clocksource");
    struct str name;

    while (unix_field(&available, &name))
        expo_gauge1(c->out, "node_time_clocksource_available_info",
                    "Available clocksources read from '/sys/devices/system/clocksource'.", 1,
                    EXPO_L("device", device), EXPO_LS("clocksource", name));
    if (current.n > 0)
        expo_gauge1(c->out, "node_time_clocksource_current_info",
                    "Current clocksource read from '/sys/devices/system/clocksource'.", 1,
                    EXPO_L("device", device), EXPO_LS("clocksource", current));
}

static int collect(struct collect *c)
{
    i64 now = clock_real(c->clock);
    struct unix_names dirs;

    expo_gauge1(c->out, "node_time_seconds", "System time in seconds since epoch (1970).",
                (f64)now / (f64)NS_PER_SEC);
    add_zone(c, now);
    unix_list(c, &dirs, ROOT_SYS, "devices/system/clocksource"); /* none: nothing to show */
    for (size_t i = 0; i < dirs.n; i++)
        if (str_starts(dirs.v[i], STR("clocksource"))) add_sources(c, dirs.v[i]);
    return COLLECT_OK;
}

const struct collector_def collector_time = {
    .name = "time", .default_on = true, .collect = collect};
