/* needs: libsystemd */
/* logind: sessions, by seat and kind. */
#include <errno.h>
#include "components/prometheus/unix/dbus.h"

#define NAME "org.freedesktop.login1"
#define PATH "/org/freedesktop/login1"

static const struct dbus_service manager = {NAME, PATH, NAME ".Manager"},
                                 session_of = {NAME, PATH, NAME ".Session"};

/* The first stands for all that logind may know one day. */
static const char *const types[] = {"other", "unspecified", "tty", "x11", "wayland", "mir", "web"};
static const char *const classes[] = {"other", "user", "greeter", "lock-screen", "background"};

struct session {
    struct str seat;
    const char *path, *type, *class;
    bool remote;
};
struct run {
    struct dbus bus;
    struct str *seats; /* "" at the end: of sessions over the network */
    struct session *sessions;
    size_t n_seats, n_sessions, cap;
};

static const char *known(struct str text, const char *const *all, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (str_is(text, all[i])) return all[i];
    return all[0];
}

/* False: it ended meanwhile. */
static bool ask_session(struct run *run, struct session *s)
{
    struct str type, class;
    int remote = 0;

    if (dbus_value(&run->bus, &session_of, s->path, "Remote", 'b', &remote) < 0 ||
        dbus_text(&run->bus, &session_of, s->path, "Type", &type) < 0 ||
        dbus_text(&run->bus, &session_of, s->path, "Class", &class) < 0)
        return false;
    s->remote = remote;
    s->type = known(type, types, ARRAY_LEN(types));
    s->class = known(class, classes, ARRAY_LEN(classes));
    return true;
}

/* --- lists --- */

static int add_seat(struct run *run, sd_bus_message *m)
{
    const char *name;
    int r = sd_bus_message_read(m, "(so)", &name, NULL);

    if (r > 0) run->seats[run->n_seats++] = arena_str(run->bus.c->arena, str_of(name));
    return r;
}

static struct session *room(struct run *run)
{
    if (run->n_sessions == run->cap) {
        run->cap = MAX(run->cap * 2, (size_t)64);
        struct session *more = arena_array(run->bus.c->arena, struct session, run->cap);
        if (run->n_sessions > 0) memcpy(more, run->sessions, run->n_sessions * sizeof(*more));
        run->sessions = more;
    }
    return &run->sessions[run->n_sessions];
}

static int add_session(struct run *run, sd_bus_message *m)
{
    const char *seat, *path;
    int r = sd_bus_message_read(m, "(susso)", NULL, NULL, NULL, &seat, &path);

    if (r <= 0) return r;
    *room(run) = (struct session){.seat = arena_str(run->bus.c->arena, str_of(seat)),
                                  .path = arena_strdup(run->bus.c->arena, str_of(path))};
    run->n_sessions++;
    return r;
}

#define SEATS_MAX    256
#define SESSIONS_MAX 65536

static int read_list(struct run *run, const char *method, const char *of, size_t max,
                     int (*add)(struct run *run, sd_bus_message *m))
{
    sd_bus_message *m = NULL;
    size_t n = 0;
    int r = dbus_call(&run->bus, &manager, method, &m);

    if (r) return r;
    r = sd_bus_message_enter_container(m, SD_BUS_TYPE_ARRAY, of);
    while (r > 0)
        r = n++ < max ? add(run, m) : -E2BIG;
    sd_bus_message_unref(m);
    return r < 0 ? collect_fail(run->bus.c, r, "the answer to %s of logind cannot be read: %s",
                                method, strerror(-r))
                 : 0;
}

static int read_lists(struct run *run)
{
    run->seats = arena_array(run->bus.c->arena, struct str, SEATS_MAX + 1);
    int r = read_list(run, "ListSeats", "(so)", SEATS_MAX, add_seat);
    run->seats[run->n_seats++] = STR("");
    return r ? r : read_list(run, "ListSessions", "(susso)", SESSIONS_MAX, add_session);
}

/* --- showing --- */

static size_t count(const struct run *run, struct str seat, bool remote, const char *type,
                    const char *class)
{
    size_t n = 0;

    for (size_t i = 0; i < run->n_sessions; i++) {
        const struct session *s = &run->sessions[i];
        n += s->type == type && s->class == class && s->remote == remote && str_eq(s->seat, seat);
    }
    return n;
}

static void show_kind(struct run *run, bool remote, const char *type, const char *class)
{
    for (size_t i = 0; i < run->n_seats; i++)
        expo_gauge1(run->bus.c->out, "node_logind_sessions",
                    "Number of sessions registered in logind.",
                    count(run, run->seats[i], remote, type, class), EXPO_LS("seat", run->seats[i]),
                    EXPO_L("remote", remote ? "true" : "false"), EXPO_L("type", type),
                    EXPO_L("class", class));
}

static void show(struct run *run)
{
    for (size_t i = 0; i < ARRAY_LEN(types); i++)
        for (size_t j = 0; j < ARRAY_LEN(classes); j++) {
            show_kind(run, true, types[i], classes[j]);
            show_kind(run, false, types[i], classes[j]);
        }
}

static void keep_answered(struct run *run)
{
    size_t n = 0;

    for (size_t i = 0; i < run->n_sessions; i++)
        if (ask_session(run, &run->sessions[i])) run->sessions[n++] = run->sessions[i];
    run->n_sessions = n;
}

static int collect(struct collect *c)
{
    struct run run = {0};
    int r = dbus_open(&run.bus, c, NULL);

    if (r) return r;
    r = read_lists(&run);
    if (!r) {
        keep_answered(&run);
        show(&run);
        r = dbus_in_time(&run.bus, "logind");
    }
    dbus_close(&run.bus);
    return r;
}

const struct collector_def collector_logind = {.name = "logind", .collect = collect};
