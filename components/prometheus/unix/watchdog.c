/* watchdog: the watchdog timers of /sys/class/watchdog. */
#include "components/prometheus/unix/values.h"

#define VALUE(name_, file_)                                                                        \
    {                                                                                              \
        file_, "node_watchdog_" name_, "Value of /sys/class/watchdog/<watchdog>/" file_,           \
            EXPO_GAUGE, 0                                                                          \
    }
static const struct unix_value values[] = {
    VALUE("bootstatus", "bootstatus"),   VALUE("fw_version", "fw_version"),
    VALUE("nowayout", "nowayout"),       VALUE("timeleft_seconds", "timeleft"),
    VALUE("timeout_seconds", "timeout"), VALUE("pretimeout_seconds", "pretimeout"),
    VALUE("access_cs0", "access_cs0"),
};

static int collect_one(struct collect *c, struct str name)
{
    const char *folder = arena_printf(c->arena, "class/watchdog/%s", name.p);
    struct expo_label label = EXPO_LS("name", name);

    expo_gauge1(c->out, "node_watchdog_info", "Info of /sys/class/watchdog/<watchdog>", 1, label,
                unix_text_label(c, "options", folder, "options"),
                unix_text_label(c, "identity", folder, "identity"),
                unix_text_label(c, "state", folder, "state"),
                unix_text_label(c, "status", folder, "status"),
                unix_text_label(c, "pretimeout_governor", folder, "pretimeout_governor"));
    return unix_values(c, values, ARRAY_LEN(values), folder, &label, 1);
}

static int collect(struct collect *c)
{
    struct unix_names names;
    int r = unix_class(c, &names, "class/watchdog");

    for (size_t i = 0; r == 0 && i < names.n; i++)
        r = collect_one(c, names.v[i]);
    return r;
}

const struct collector_def collector_watchdog = {
    .name = "watchdog", .default_on = true, .collect = collect};
