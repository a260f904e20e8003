/* powersupplyclass: batteries and mains of /sys/class/power_supply. */
#include "components/prometheus/unix/values.h"

#define VALUE(file_, name_, factor_)                                                               \
    {                                                                                              \
        file_, "node_power_supply_" name_,                                                         \
            name_ " value of /sys/class/power_supply/<power_supply>.", EXPO_GAUGE, factor_         \
    }
#define PLAIN(name) VALUE(name, name, 0)
#define MICRO(name) VALUE(name, name, -6) /* by division, for the last digit */
#define TENTH(name) VALUE(name, name "_celsius", -1)
static const struct unix_value values[] = {
    PLAIN("authentic"),
    PLAIN("calibrate"),
    PLAIN("capacity"),
    PLAIN("capacity_alert_max"),
    PLAIN("capacity_alert_min"),
    VALUE("cycle_count", "cyclecount", 0),
    PLAIN("online"),
    PLAIN("present"),
    VALUE("time_to_empty_now", "time_to_empty_seconds", 0),
    VALUE("time_to_full_now", "time_to_full_seconds", 0),
    MICRO("current_boot"),
    MICRO("current_max"),
    VALUE("current_now", "current_ampere", -6),
    MICRO("energy_empty"),
    MICRO("energy_empty_design"),
    MICRO("energy_full"),
    MICRO("energy_full_design"),
    VALUE("energy_now", "energy_watthour", -6),
    MICRO("voltage_boot"),
    MICRO("voltage_max"),
    MICRO("voltage_max_design"),
    MICRO("voltage_min"),
    MICRO("voltage_min_design"),
    VALUE("voltage_now", "voltage_volt", -6),
    MICRO("voltage_ocv"),
    MICRO("charge_control_limit"),
    MICRO("charge_control_limit_max"),
    MICRO("charge_counter"),
    MICRO("charge_empty"),
    MICRO("charge_empty_design"),
    MICRO("charge_full"),
    MICRO("charge_full_design"),
    VALUE("charge_now", "charge_ampere", -6),
    MICRO("charge_term_current"),
    MICRO("constant_charge_current"),
    MICRO("constant_charge_current_max"),
    MICRO("constant_charge_voltage"),
    MICRO("constant_charge_voltage_max"),
    MICRO("precharge_current"),
    MICRO("input_current_limit"),
    VALUE("power_now", "power_watt", -6),
    TENTH("temp"),
    TENTH("temp_alert_max"),
    TENTH("temp_alert_min"),
    TENTH("temp_ambient"),
    TENTH("temp_ambient_max"),
    TENTH("temp_ambient_min"),
    TENTH("temp_max"),
    TENTH("temp_min"),
};

struct plan {
    struct regex *ignored;
};

static int prepare(struct collector_prepare *pr, void *plan)
{
    return unix_regex(pr, "powersupply/ignored_supplies", pr->args->powersupply.ignored_supplies,
                      &((struct plan *)plan)->ignored);
}

static void add_info(struct collect *c, const char *folder, struct str name)
{
    static const char *const texts[] = {"capacity_level", "charge_type",   "health", "manufacturer",
                                        "model_name",     "serial_number", "status", "technology",
                                        "type",           "usb_type",      "scope"};
    struct expo_label labels[ARRAY_LEN(texts) + 1] = {EXPO_LS("power_supply", name)};
    size_t n = 1;

    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        labels[n] = unix_text_label(c, texts[i], folder, texts[i]);
        n += labels[n].value.n > 0;
    }
    expo_sample(expo_gauge(c->out, "node_power_supply_info",
                           "info of /sys/class/power_supply/<power_supply>."),
                NULL, 1, labels, n);
}

static int collect_one(struct collect *c, struct str name)
{
    const char *folder = arena_printf(c->arena, "class/power_supply/%s", name.p);
    struct expo_label label = EXPO_LS("power_supply", name);

    add_info(c, folder, name);
    return unix_values(c, values, ARRAY_LEN(values), folder, &label, 1);
}

static int collect(struct collect *c)
{
    const struct plan *p = c->plan;
    struct unix_names names;
    int r = unix_class(c, &names, "class/power_supply");

    for (size_t i = 0; r == 0 && i < names.n; i++)
        if (!unix_matches(p->ignored, names.v[i])) r = collect_one(c, names.v[i]);
    return r;
}

const struct collector_def collector_powersupplyclass = {.name = "powersupplyclass",
                                                         .default_on = true,
                                                         .plan_size = sizeof(struct plan),
                                                         .prepare = prepare,
                                                         .collect = collect};
