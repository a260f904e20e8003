/* hwmon: sensors of temperatures, voltages, fans and the like. A file "temp1_max" is the property
 * "max" of the sensor "temp1"; what it becomes is a table. */
#include "components/prometheus/unix/collector.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/vec.h"

struct plan {
    struct unix_filter chips;
};

static int prepare(struct collector_prepare *pr, void *plan)
{
    return unix_filter_init(pr, &((struct plan *)plan)->chips, "hwmon/chip_include",
                            pr->args->hwmon.chip_include, "hwmon/chip_exclude",
                            pr->args->hwmon.chip_exclude);
}

/* --- names --- */

/* Small letters, digits, ":" and "_"; none of the last at the ends. */
static struct str clean(struct collect *c, struct str name)
{
    char *s = arena_strdup(c->arena, name);
    struct str r = {s, name.n};

    for (size_t i = 0; i < name.n; i++) {
        char ch = s[i] >= 'A' && s[i] <= 'Z' ? (char)(s[i] + 32) : s[i];
        bool fits = (ch >= 'a' && ch <= 'z') || (ch >= '0' && ch <= '9') || ch == ':' || ch == '_';
        s[i] = fits ? ch : '_';
    }
    while (r.n > 0 && r.p[r.n - 1] == '_')
        r.n--;
    while (r.n > 0 && r.p[0] == '_')
        r = str_sub(r, 1, r.n);
    return r;
}

static struct str last_part(struct str *path)
{
    ssize_t slash = str_rchr(*path, '/');
    struct str last = str_sub(*path, (size_t)(slash + 1), path->n);

    *path = str_sub(*path, 0, slash < 0 ? 0 : (size_t)slash);
    return last;
}

/* Where a path really is; empty: nowhere. */
static struct str real(struct collect *c, const char *path)
{
    char *r = realpath(path, NULL);
    struct str s = r ? arena_str(c->arena, str_of(r)) : STR("");

    free(r);
    return s;
}

/* Numbers of hwmon change with each boot, places of devices do not: the bus and the device, else
 * what the driver is called, else the number. */
static struct str chip_of(struct collect *c, const char *folder, struct str driver)
{
    struct str path = real(c, unix_path(c, ROOT_SYS, "%s/device", folder));

    if (path.n > 0) {
        struct str device = clean(c, last_part(&path)), bus = clean(c, last_part(&path));
        if (device.n > 0 && bus.n > 0)
            return str_of(
                arena_printf(c->arena, STR_FMT "_" STR_FMT, STR_ARG(bus), STR_ARG(device)));
        if (device.n > 0) return device;
    }
    if (driver.n > 0) return driver;
    path = real(c, unix_path(c, ROOT_SYS, "%s", folder));
    return clean(c, last_part(&path));
}

/* --- files --- */

struct reading {
    struct str sensor, type, property, value;
};
struct chip {
    struct str name;
    VEC(struct reading) v;
};

/* "temp1_max": type temp, number 1, property max. */
static bool split(struct collect *c, struct str file, struct reading *ret)
{
    static const char *const types[] = {
        "vrm",  "beep_enable", "update_interval", "in",     "cpu",      "fan",       "pwm",
        "temp", "curr",        "power",           "energy", "humidity", "intrusion", "freq"};
    size_t type = 0, number, i = 0;

    while (type < file.n && (file.p[type] < '0' || file.p[type] > '9'))
        type++;
    for (number = type; number < file.n && file.p[number] >= '0' && file.p[number] <= '9';)
        number++;
    if (number < file.n && (file.p[number] != '_' || number + 1 == file.n)) return false;
    ret->type = str_sub(file, 0, type);
    ret->property = number < file.n ? str_sub(file, number + 1, file.n) : STR("");
    while (i < ARRAY_LEN(types) && !str_is(ret->type, types[i]))
        i++;
    if (i == ARRAY_LEN(types) || number - type > 9) return false;
    struct str digits = str_sub(file, type, number);
    while (digits.n > 1 && digits.p[0] == '0')
        digits = str_sub(digits, 1, digits.n);
    ret->sensor = str_of(arena_printf(c->arena, STR_FMT STR_FMT, STR_ARG(ret->type),
                                      STR_ARG(digits.n > 0 ? digits : STR("0"))));
    return true;
}

/* One read: broken drivers answer EAGAIN for ever. */
static bool read_once(struct collect *c, const char *folder, struct str file, struct str *ret)
{
    int fd =
        open(unix_path(c, ROOT_SYS, "%s/%s", folder, file.p), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    char text[128];
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text));

    if (fd >= 0) close(fd);
    if (n < 0) return false;
    while (n > 0 && text[n - 1] == '\n')
        n--;
    *ret = arena_str(c->arena, str_n(text, (size_t)n));
    return true;
}

static struct reading *find(struct chip *chip, struct str sensor, const char *property)
{
    vec_each (&chip->v, r)
        if (str_eq(r->sensor, sensor) && str_is(r->property, property)) return r;
    return NULL;
}

static void put(struct chip *chip, const struct reading *reading)
{
    vec_each (&chip->v, r)
        if (str_eq(r->sensor, reading->sensor) && str_eq(r->property, reading->property)) {
            *r = *reading;
            return;
        }
    vec_push(&chip->v, *reading);
}

static int read_folder(struct collect *c, const char *folder, struct chip *chip)
{
    struct unix_names names;
    struct reading r;
    int err = unix_list(c, &names, ROOT_SYS, "%s", folder);

    if (err) return err;
    for (size_t i = 0; i < names.n; i++)
        if (split(c, names.v[i], &r) && read_once(c, folder, names.v[i], &r.value)) put(chip, &r);
    return 0;
}

/* --- readings as samples --- */

#define ANY "*" /* a property of any name */
static const struct unit {
    const char *type, *property, *suffix, *help; /* help: "%s" is the property */
    f64 divisor, factor;
    bool counter;
} units[] = {
    {"in", ANY, "_volts", "Hardware monitor for voltage (%s)", 0, 0.001, false},
    {"cpu", ANY, "_volts", "Hardware monitor for voltage (%s)", 0, 0.001, false},
    {"temp", "type", "", "Hardware monitor temp element %s", 0, 1, false},
    {"temp", ANY, "_celsius", "Hardware monitor for temperature (%s)", 0, 0.001, false},
    {"curr", ANY, "_amps", "Hardware monitor for current (%s)", 0, 0.001, false},
    {"energy", ANY, "_joule_total", "Hardware monitor for joules used so far (%s)", 1000000.0, 1,
     true},
    {"power", "accuracy", "", "Hardware monitor power meter accuracy, as a ratio", 1000000.0, 1,
     false},
    {"power", "average_interval", "_seconds", "Hardware monitor power usage update interval (%s)",
     0, 0.001, false},
    {"power", "average_interval_min", "_seconds",
     "Hardware monitor power usage update interval (%s)", 0, 0.001, false},
    {"power", "average_interval_max", "_seconds",
     "Hardware monitor power usage update interval (%s)", 0, 0.001, false},
    {"power", ANY, "_watt", "Hardware monitor for power usage in watts (%s)", 1000000.0, 1, false},
    {"humidity", ANY, "",
     "Hardware monitor for humidity, as a ratio (multiply with 100.0 to get the humidity as a "
     "percentage) (%s)",
     1000000.0, 1, false},
    {"fan", "input", "_rpm", "Hardware monitor for fan revolutions per minute (%s)", 0, 1, false},
    {"fan", "min", "_rpm", "Hardware monitor for fan revolutions per minute (%s)", 0, 1, false},
    {"fan", "max", "_rpm", "Hardware monitor for fan revolutions per minute (%s)", 0, 1, false},
    {"fan", "target", "_rpm", "Hardware monitor for fan revolutions per minute (%s)", 0, 1, false},
};
/* Before all others, whatever the type. */
static const struct unit fault_unit = {NULL, "fault", "", NULL, 0, 1, false};
static const struct unit alarm_unit = {NULL, "alarm", "", NULL, 0, 1, false};
static const struct unit beep_unit = {
    NULL, "beep", "_enabled", "Hardware monitor sensor has beeping enabled", 0, 1, false};

static const struct unit *unit_of(const struct reading *r)
{
    if (str_is(r->property, "fault")) return &fault_unit;
    if (str_is(r->property, "alarm")) return &alarm_unit;
    if (str_is(r->property, "beep")) return &beep_unit;
    for (size_t i = 0; i < ARRAY_LEN(units); i++)
        if (str_is(r->type, units[i].type) &&
            (strcmp(units[i].property, ANY) == 0 || str_is(r->property, units[i].property)))
            return &units[i];
    return NULL;
}

static const char *help_of(struct collect *c, const struct unit *unit, const struct reading *r)
{
    struct str property = r->property;

    if (unit == &fault_unit || unit == &alarm_unit)
        return arena_printf(c->arena, "Hardware sensor " STR_FMT " status (" STR_FMT ")",
                            STR_ARG(property), STR_ARG(r->type));
    if (!unit)
        return arena_printf(c->arena, "Hardware monitor " STR_FMT " element " STR_FMT,
                            STR_ARG(r->type), STR_ARG(property));
    if (property.n == 0 && str_is(r->type, "temp")) property = STR("input");
    const char *at = strstr(unit->help, "%s");
    if (!at) return unit->help;
    return arena_printf(c->arena, "%.*s" STR_FMT "%s", (int)(at - unit->help), unit->help,
                        STR_ARG(property), at + 2);
}

/* node_hwmon_temp, node_hwmon_temp_max; "input" is the value itself, unless there is another. */
static const char *name_of(struct collect *c, struct chip *chip, const struct reading *r)
{
    if (r->property.n == 0 || (str_is(r->property, "input") && !find(chip, r->sensor, "")))
        return arena_printf(c->arena, "node_hwmon_" STR_FMT, STR_ARG(r->type));
    struct str property = clean(c, r->property);
    return arena_printf(c->arena, "node_hwmon_" STR_FMT "_" STR_FMT, STR_ARG(r->type),
                        STR_ARG(property));
}

static const char *keep(struct collect *c, const char *text)
{
    return expo_keep(c->out, str_of(text));
}

/* Frequencies are named by their labels. */
static void add_frequency(struct collect *c, struct chip *chip, const struct reading *r, f64 v)
{
    const struct reading *label = find(chip, r->sensor, "label");

    if (label)
        expo_gauge1(c->out, keep(c, arena_printf(c->arena, "%s_freq_mhz", name_of(c, chip, r))),
                    "Hardware monitor for GPU frequency in MHz", v / 1000000.0,
                    EXPO_LS("chip", chip->name), EXPO_LS("sensor", clean(c, label->value)));
}

static void add_number(struct collect *c, struct chip *chip, const struct reading *r, f64 v)
{
    const struct unit *unit = unit_of(r);
    const char *name = name_of(c, chip, r);

    if (!unit && str_is(r->type, "freq") && str_is(r->property, "input")) {
        add_frequency(c, chip, r, v);
        return;
    }
    if (unit) name = arena_printf(c->arena, "%s%s", name, unit->suffix);
    if (unit) v = unit->divisor != 0 ? v / unit->divisor : v * unit->factor;
    expo_add(expo_family(c->out, unit && unit->counter ? EXPO_COUNTER : EXPO_GAUGE, keep(c, name),
                         keep(c, help_of(c, unit, r))),
             v, EXPO_LS("chip", chip->name), EXPO_LS("sensor", r->sensor));
}

/* Settings of the chip, whatever their property. False: it is a sensor. */
static bool add_setting(struct collect *c, struct chip *chip, const struct reading *r)
{
    struct expo_label labels[] = {EXPO_LS("chip", chip->name), EXPO_LS("sensor", r->sensor)};
    bool is_number;
    f64 v;

    is_number = r->property.n == 0 && unix_f64(r->value, &v) == 0;
    if (str_is(r->type, "beep_enable"))
        expo_gauge1(c->out, "node_hwmon_beep_enabled", "Hardware beep enabled",
                    str_is(r->value, "1"), labels[0], labels[1]);
    else if (str_is(r->type, "vrm") && is_number)
        expo_gauge1(c->out, "node_hwmon_voltage_regulator_version", "Hardware voltage regulator", v,
                    labels[0], labels[1]);
    else if (str_is(r->type, "update_interval") && is_number)
        expo_gauge1(c->out, "node_hwmon_update_interval_seconds",
                    "Hardware monitor update interval", v * 0.001, labels[0], labels[1]);
    return str_is(r->type, "beep_enable") || str_is(r->type, "vrm") ||
           str_is(r->type, "update_interval");
}

static void add_reading(struct collect *c, struct chip *chip, const struct reading *r)
{
    f64 v;

    if (str_is(r->property, "label"))
        expo_gauge1(c->out, "node_hwmon_sensor_label", "Label for given chip and sensor", 1,
                    EXPO_LS("chip", chip->name), EXPO_LS("sensor", r->sensor),
                    EXPO_LS("label", r->value));
    else if (!add_setting(c, chip, r) && unix_f64(r->value, &v) == 0)
        add_number(c, chip, r, v);
}

/* An entry of /sys/class/hwmon. */
struct entry {
    const char *folder;
    struct str number, driver, name;
};

static struct entry read_entry(struct collect *c, struct str number)
{
    struct entry e = {.number = number};

    e.folder = arena_printf(c->arena, "class/hwmon/%s", number.p);
    e.driver = clean(c, unix_text(c, ROOT_SYS, "%s/name", e.folder));
    e.name = chip_of(c, e.folder, e.driver);
    return e;
}

/* Entries of one device have one name: their drivers tell them apart, else their numbers. */
static struct str unique_name(struct collect *c, const struct entry *v, size_t n, size_t i)
{
    bool shared = false, same_driver = false;

    for (size_t k = 0; k < n; k++) {
        if (k == i || !str_eq(v[k].name, v[i].name)) continue;
        shared = true;
        same_driver |= str_eq(v[k].driver, v[i].driver);
    }
    if (!shared) return v[i].name;
    struct str more = same_driver || v[i].driver.n == 0 ? clean(c, v[i].number) : v[i].driver;
    return str_of(arena_printf(c->arena, STR_FMT "_" STR_FMT, STR_ARG(v[i].name), STR_ARG(more)));
}

static int collect_chip(struct collect *c, const struct entry *entry, struct str name)
{
    struct str driver = entry->driver;
    struct chip chip = {.name = name};
    const char *folder = entry->folder;

    if (!unix_filter_shows(&((const struct plan *)c->plan)->chips, chip.name)) return 0;
    int r = read_folder(c, folder, &chip);
    if (r == 0 && unix_exists(c, ROOT_SYS, "%s/device", folder))
        r = read_folder(c, arena_printf(c->arena, "%s/device", folder), &chip);
    if (r == 0 && driver.n > 0)
        expo_gauge1(c->out, "node_hwmon_chip_names",
                    "Annotation metric for human-readable chip names", 1,
                    EXPO_LS("chip", chip.name), EXPO_LS("chip_name", driver));
    if (r == 0)
        vec_each (&chip.v, reading)
            add_reading(c, &chip, reading);
    vec_done(&chip.v);
    return r == -ENOENT || r == -ENOTDIR ? 0 : r;
}

/* One chip that cannot be read does not keep the others from being told. */
static int collect(struct collect *c)
{
    struct unix_names names;
    struct entry *v;
    int r = unix_list(c, &names, ROOT_SYS, "class/hwmon"), worst = 0;

    if (r == -ENOENT) return COLLECT_NO_DATA;
    if (r) return unix_read_failed(c, r, ROOT_SYS, "class/hwmon");
    v = arena_array(c->arena, struct entry, names.n + 1);
    for (size_t i = 0; i < names.n; i++)
        v[i] = read_entry(c, names.v[i]);
    for (size_t i = 0; i < names.n; i++) {
        r = collect_chip(c, &v[i], unique_name(c, v, names.n, i));
        if (r) worst = unix_read_failed(c, r, ROOT_SYS, "class/hwmon/%s", names.v[i].p);
    }
    return worst;
}

const struct collector_def collector_hwmon = {.name = "hwmon",
                                              .default_on = true,
                                              .plan_size = sizeof(struct plan),
                                              .prepare = prepare,
                                              .collect = collect};
