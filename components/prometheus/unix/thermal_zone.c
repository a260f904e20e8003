/* thermal_zone: temperatures, and what cools. */
#include "components/prometheus/unix/values.h"

#include <errno.h>

#define ZONE   "thermal_zone"
#define DEVICE "cooling_device"

static void collect_zone(struct collect *c, const char *folder, struct str number)
{
    i64 milli;

    /* a sensor that is switched off, or a zone without one */
    if (unix_read_i64(c, &milli, ROOT_SYS, "%s/temp", folder)) return;
    expo_gauge1(c->out, "node_thermal_zone_temp", "Zone temperature in Celsius",
                (f64)milli / 1000.0, EXPO_LS("zone", number),
                unix_text_label(c, "type", folder, "type"));
}

static void collect_device(struct collect *c, const char *folder, struct str number)
{
    struct expo_label type = unix_text_label(c, "type", folder, "type");
    i64 now, max;

    if (unix_read_i64(c, &now, ROOT_SYS, "%s/cur_state", folder) ||
        unix_read_i64(c, &max, ROOT_SYS, "%s/max_state", folder))
        return;
    expo_gauge1(c->out, "node_cooling_device_cur_state",
                "Current throttle state of the cooling device", now, EXPO_LS("name", number), type);
    expo_gauge1(c->out, "node_cooling_device_max_state",
                "Maximum throttle state of the cooling device", max, EXPO_LS("name", number), type);
}

static int collect(struct collect *c)
{
    struct unix_names names;
    int r = unix_list(c, &names, ROOT_SYS, "class/thermal");

    if (r == -ENOENT) return COLLECT_OK;
    if (r) return unix_read_failed(c, r, ROOT_SYS, "class/thermal");
    for (size_t i = 0; i < names.n; i++) {
        struct str name = names.v[i];
        const char *folder = arena_printf(c->arena, "class/thermal/%s", name.p);
        if (str_starts(name, STR(ZONE)))
            collect_zone(c, folder, str_sub(name, sizeof(ZONE) - 1, name.n));
        else if (str_starts(name, STR(DEVICE)))
            collect_device(c, folder, str_sub(name, sizeof(DEVICE) - 1, name.n));
    }
    return COLLECT_OK;
}

const struct collector_def collector_thermal_zone = {
    .name = "thermal_zone", .default_on = true, .collect = collect};
