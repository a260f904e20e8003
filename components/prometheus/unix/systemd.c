/* needs: libsystemd */
/* systemd: units and their states, as the service manager tells over D-Bus. */
#include <errno.h>
#include "base/map.h"
#include "components/prometheus/unix/dbus.h"

#define NAME     "org.freedesktop.systemd1"
#define PATH     "/org/freedesktop/systemd1"
#define FALLBACK "unix:path=/run/systemd/private"
/* Older ones have no state of the system, and no time of a timer. */
#define WITH_STATE 212

static const struct dbus_service manager = {NAME, PATH, NAME ".Manager"},
                                 unit_of = {NAME, PATH, NAME ".Unit"},
                                 service_of = {NAME, PATH, NAME ".Service"},
                                 mount_of = {NAME, PATH, NAME ".Mount"},
                                 socket_of = {NAME, PATH, NAME ".Socket"},
                                 timer_of = {NAME, PATH, NAME ".Timer"};

struct plan {
    struct unix_filter filter; /* of whole names */
    bool restarts, start_time, tasks;
};
struct unit {
    struct str name, state;
    const char *path;
};
struct run {
    struct dbus bus;
    struct unit *units; /* those that are shown */
    size_t n, cap;
    struct map states; /* of all units: how many */
};

static const char *const states[] = {"active", "activating", "deactivating", "inactive", "failed"};

/* --- settings --- */

static struct str whole(struct collector_prepare *pr, struct str pattern)
{
    if (pattern.n == 0) return pattern;
    return str_of(arena_printf(pr->arena, "^(?:" STR_FMT ")$", STR_ARG(pattern)));
}

static int prepare(struct collector_prepare *pr, void *to)
{
    const __typeof__(pr->args->systemd) *a = &pr->args->systemd;
    struct plan *plan = to;

    plan->restarts = a->enable_restarts;
    plan->start_time = a->start_time;
    plan->tasks = a->task_metrics;
    /* An empty one is the name of no unit. */
    return unix_filter_init(pr, &plan->filter, "systemd/unit_include",
                            whole(pr, a->unit_include.n ? a->unit_include : STR("$^")),
                            "systemd/unit_exclude", whole(pr, a->unit_exclude));
}

/* --- units --- */

static void count(struct map *counts, const char *state)
{
    size_t n = (size_t)(uintptr_t)map_get(counts, str_of(state));

    map_put(counts, str_of(state), (void *)(uintptr_t)(n + 1));
}

static void keep(struct run *run, const char *name, const char *state, const char *path)
{
    struct arena *arena = run->bus.c->arena;

    if (run->n == run->cap) {
        run->cap = MAX(run->cap * 2, (size_t)64);
        struct unit *more = arena_array(arena, struct unit, run->cap);
        if (run->n > 0) memcpy(more, run->units, run->n * sizeof(*more));
        run->units = more;
    }
    run->units[run->n++] =
        (struct unit){arena_str(arena, str_of(name)), arena_str(arena, str_of(state)),
                      arena_strdup(arena, str_of(path))};
}

/* 1; 0 at the end of the list. */
static int read_unit(struct run *run, sd_bus_message *m)
{
    const struct plan *plan = run->bus.c->plan;
    const char *name, *load, *active, *path;
    int r = sd_bus_message_read(m, "(ssssssouso)", &name, NULL, &load, &active, NULL, NULL, &path,
                                NULL, NULL, NULL);

    if (r <= 0) return r;
    count(&run->states, active);
    if (run->n == UNIX_LIST_MAX) return -E2BIG;
    if (strcmp(load, "loaded") == 0 && unix_filter_shows(&plan->filter, str_of(name)))
        keep(run, name, active, path);
    return 1;
}

static int read_units(struct run *run)
{
    sd_bus_message *m = NULL;
    int r = dbus_call(&run->bus, &manager, "ListUnits", &m);

    if (r) return r;
    r = sd_bus_message_enter_container(m, SD_BUS_TYPE_ARRAY, "(ssssssouso)");
    while (r > 0)
        r = read_unit(run, m);
    sd_bus_message_unref(m);
    return r < 0 ? collect_fail(run->bus.c, r, "the list of units of systemd cannot be read: %s",
                                strerror(-r))
                 : 0;
}

static bool is_a(const struct unit *u, const char *suffix)
{
    return str_ends(u->name, str_of(suffix));
}

static void show_states(struct run *run)
{
    struct expo_family *f =
        expo_gauge(run->bus.c->out, "node_systemd_units", "Summary of systemd unit states");

    for (size_t i = 0; i < ARRAY_LEN(states); i++)
        if (!map_has(&run->states, str_of(states[i]))) expo_add(f, 0, EXPO_L("state", states[i]));
    map_each (&run->states, e)
        expo_add(f, (uintptr_t)e->value, EXPO_LS("state", e->key));
}

/* --- one unit. What it does not tell (it is gone since, the manager is older) is left out. --- */

static void show_state(struct run *run, const struct unit *u)
{
    struct expo_family *f = expo_gauge(run->bus.c->out, "node_systemd_unit_state", "Systemd unit");
    struct str type = STR("");

    if (is_a(u, ".service")) dbus_text(&run->bus, &service_of, u->path, "Type", &type);
    if (is_a(u, ".mount")) dbus_text(&run->bus, &mount_of, u->path, "Type", &type);
    for (size_t i = 0; i < ARRAY_LEN(states); i++)
        expo_add(f, str_is(u->state, states[i]), EXPO_LS("name", u->name),
                 EXPO_L("state", states[i]), EXPO_LS("type", type));
}

static void show_start(struct run *run, const struct unit *u)
{
    u64 usec = 0;

    if (str_is(u->state, "active") &&
        dbus_value(&run->bus, &unit_of, u->path, "ActiveEnterTimestamp", 't', &usec) < 0)
        return;
    expo_gauge1(run->bus.c->out, "node_systemd_unit_start_time_seconds",
                "Start time of the unit since unix epoch in seconds.", (f64)usec / 1e6,
                EXPO_LS("name", u->name));
}

/* Properties that are numbers: of 32 bits, or of 64, where the largest means none. */
struct number {
    const char *property, *name, *help;
    enum expo_type type;
    char kind;
    f64 divisor;
};

static void show_number(struct run *run, const struct unit *u, const struct dbus_service *s,
                        const struct number *number)
{
    u64 wide = 0;
    u32 narrow = 0;
    int r = dbus_value(&run->bus, s, u->path, number->property, number->kind,
                       number->kind == 't' ? (void *)&wide : (void *)&narrow);

    if (r || wide == UINT64_MAX) return;
    expo_add(expo_family(run->bus.c->out, number->type, number->name, number->help),
             (number->kind == 't' ? (f64)wide : (f64)narrow) / number->divisor,
             EXPO_LS("name", u->name));
}

static const struct number
    restarts = {"NRestarts",
                "node_systemd_service_restart_total",
                "Service unit count of Restart triggers",
                EXPO_COUNTER,
                'u',
                1},
    tasks[] = {{"TasksCurrent", "node_systemd_unit_tasks_current",
                "Current number of tasks per Systemd unit", EXPO_GAUGE, 't', 1},
               {"TasksMax", "node_systemd_unit_tasks_max",
                "Maximum number of tasks per Systemd unit", EXPO_GAUGE, 't', 1}},
    trigger = {"LastTriggerUSec",
               "node_systemd_timer_last_trigger_seconds",
               "Seconds since epoch of last trigger.",
               EXPO_GAUGE,
               't',
               1e6},
    sockets[] = {{"NAccepted", "node_systemd_socket_accepted_connections_total",
                  "Total number of accepted socket connections", EXPO_COUNTER, 'u', 1},
                 {"NConnections", "node_systemd_socket_current_connections",
                  "Current number of socket connections", EXPO_GAUGE, 'u', 1},
                 /* A gauge, as node_exporter has it. */
                 {"NRefused", "node_systemd_socket_refused_connections_total",
                  "Total number of refused socket connections", EXPO_GAUGE, 'u', 1}};

static void show_service(struct run *run, const struct unit *u)
{
    const struct plan *plan = run->bus.c->plan;

    if (plan->restarts) show_number(run, u, &service_of, &restarts);
    for (size_t i = 0; plan->tasks && i < ARRAY_LEN(tasks); i++)
        show_number(run, u, &service_of, &tasks[i]);
}

static void show_unit(struct run *run, const struct unit *u, f64 version)
{
    const struct plan *plan = run->bus.c->plan;

    show_state(run, u);
    if (plan->start_time) show_start(run, u);
    if (is_a(u, ".service")) show_service(run, u);
    if (is_a(u, ".timer") && version >= WITH_STATE) show_number(run, u, &timer_of, &trigger);
    for (size_t i = 0; is_a(u, ".socket") && i < ARRAY_LEN(sockets); i++)
        show_number(run, u, &socket_of, &sockets[i]);
}

/* --- the manager --- */

static bool digit(char ch)
{
    return ch >= '0' && ch <= '9';
}

/* The first number of three digits and more, with what is behind a point: "systemd 252.39-1". */
static f64 number_of(struct str version)
{
    f64 v = 0;

    for (size_t from = 0, to; from < version.n; from = to + 1) {
        for (to = from; to < version.n && digit(version.p[to]);)
            to++;
        if (to - from < 3) continue;
        size_t point = to;
        if (point + 1 < version.n && version.p[point] == '.' && digit(version.p[point + 1]))
            for (to = point + 1; to < version.n && digit(version.p[to]);)
                to++;
        return unix_f64(str_sub(version, from, to), &v) == 0 ? v : 0;
    }
    return 0;
}

static f64 show_version(struct run *run)
{
    struct str text = STR("");

    dbus_text(&run->bus, &manager, PATH, "Version", &text);
    f64 version = number_of(text);
    expo_gauge1(run->bus.c->out, "node_systemd_version", "Detected systemd version", version,
                EXPO_LS("version", version > 0 ? text : STR("")));
    return version;
}

static void show_virtualization(struct run *run)
{
    struct str type = STR("");
    int r = dbus_text(&run->bus, &manager, PATH, "Virtualization", &type);

    if (r) type = STR("unknown");
    expo_gauge1(run->bus.c->out, "node_systemd_virtualization_info",
                "Detected virtualization technology", 1,
                EXPO_LS("virtualization_type", type.n ? type : STR("none")));
}

static int show_running(struct run *run)
{
    struct str state = STR("");
    int r = dbus_text(&run->bus, &manager, PATH, "SystemState", &state);

    if (r)
        return collect_fail(run->bus.c, r, "the state of the system, of systemd: %s", strerror(-r));
    expo_gauge1(run->bus.c->out, "node_systemd_system_running",
                "Whether the system is operational (see 'systemctl is-system-running')",
                str_is(state, "running"));
    return 0;
}

static int show(struct run *run)
{
    f64 version = show_version(run);

    show_virtualization(run);
    int r = read_units(run);
    if (r) return r;
    show_states(run);
    for (size_t i = 0; i < run->n; i++)
        show_unit(run, &run->units[i], version);
    r = dbus_in_time(&run->bus, "systemd");
    return !r && version >= WITH_STATE ? show_running(run) : r;
}

static int collect(struct collect *c)
{
    struct run run = {0};
    int r = dbus_open(&run.bus, c, FALLBACK);

    if (r) return r;
    r = show(&run);
    map_done(&run.states, NULL);
    dbus_close(&run.bus);
    return r;
}

const struct collector_def collector_systemd = {
    .name = "systemd", .plan_size = sizeof(struct plan), .prepare = prepare, .collect = collect};
