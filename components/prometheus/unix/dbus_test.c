/* systemd and logind, played by a thread at the other end of a socket. */
#include "components/prometheus/unix/testing.h"

#ifdef HAVE_LIBSYSTEMD
#include <errno.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <systemd/sd-bus.h>

extern const struct collector_def collector_logind, collector_systemd;

#define SYSTEMD "org.freedesktop.systemd1."
#define LOGIN   "org.freedesktop.login1."

static struct unix_test t;
static int listener;
static pthread_t thread;

/* --- what is told --- */

static const struct {
    const char *path, *interface, *property, *type, *text;
    u64 number;
} properties[] = {
    {"/org/freedesktop/systemd1", SYSTEMD "Manager", "Version", "s", "252.39-1~deb12u1", 0},
    {"/org/freedesktop/systemd1", SYSTEMD "Manager", "Virtualization", "s", "", 0},
    {"/org/freedesktop/systemd1", SYSTEMD "Manager", "SystemState", "s", "running", 0},
    {"/u/web", SYSTEMD "Service", "Type", "s", "notify", 0},
    {"/u/web", SYSTEMD "Service", "NRestarts", "u", NULL, 3},
    {"/u/web", SYSTEMD "Service", "TasksCurrent", "t", NULL, 12},
    {"/u/web", SYSTEMD "Service", "TasksMax", "t", NULL, UINT64_MAX},
    {"/u/web", SYSTEMD "Unit", "ActiveEnterTimestamp", "t", NULL, 1700000000500000},
    {"/u/tick", SYSTEMD "Timer", "LastTriggerUSec", "t", NULL, 1600000000000000},
    {"/u/sock", SYSTEMD "Socket", "NAccepted", "u", NULL, 7},
    {"/u/sock", SYSTEMD "Socket", "NConnections", "u", NULL, 2},
    {"/u/sock", SYSTEMD "Socket", "NRefused", "u", NULL, 1},
    {"/s/1", LOGIN "Session", "Remote", "b", NULL, 0},
    {"/s/1", LOGIN "Session", "Type", "s", "wayland", 0},
    {"/s/1", LOGIN "Session", "Class", "s", "user", 0},
    {"/s/2", LOGIN "Session", "Remote", "b", NULL, 1},
    {"/s/2", LOGIN "Session", "Type", "s", "carrier-pigeon", 0},
    {"/s/2", LOGIN "Session", "Class", "s", "user", 0},
};
static const struct {
    const char *name, *load, *active, *path;
} units[] = {
    {"web.service", "loaded", "active", "/u/web"},
    {"gone.service", "loaded", "failed", "/u/gone"},
    {"tick.timer", "loaded", "active", "/u/tick"},
    {"a.socket", "loaded", "activating", "/u/sock"},
    {"dev-sda.device", "loaded", "active", "/u/dev"},
    {"masked.service", "masked", "inactive", "/u/masked"},
    {"odd.service", "not-found", "maintenance", "/u/odd"},
};

static int give(sd_bus_message *reply, const char *type, const char *text, u64 number)
{
    if (*type == 's') return sd_bus_message_append(reply, "v", "s", text);
    if (*type == 't') return sd_bus_message_append(reply, "v", "t", number);
    return sd_bus_message_append(reply, "v", type, (u32)number);
}

static int answer_property(sd_bus_message *m)
{
    const char *interface, *property;
    sd_bus_message *reply = NULL;
    size_t i = 0;

    assert_true(sd_bus_message_read(m, "ss", &interface, &property) > 0);
    while (i < ARRAY_LEN(properties) &&
           !(strcmp(properties[i].path, sd_bus_message_get_path(m)) == 0 &&
             strcmp(properties[i].interface, interface) == 0 &&
             strcmp(properties[i].property, property) == 0))
        i++;
    if (i == ARRAY_LEN(properties))
        return sd_bus_reply_method_errorf(m, SD_BUS_ERROR_UNKNOWN_PROPERTY, "no such property");
    sd_bus_message_new_method_return(m, &reply);
    give(reply, properties[i].type, properties[i].text, properties[i].number);
    sd_bus_send(NULL, reply, NULL);
    sd_bus_message_unref(reply);
    return 1;
}

static int answer_units(sd_bus_message *m)
{
    sd_bus_message *reply = NULL;

    sd_bus_message_new_method_return(m, &reply);
    sd_bus_message_open_container(reply, 'a', "(ssssssouso)");
    for (size_t i = 0; i < ARRAY_LEN(units); i++)
        sd_bus_message_append(reply, "(ssssssouso)", units[i].name, "words", units[i].load,
                              units[i].active, "sub", "", units[i].path, 0, "", "/");
    sd_bus_message_close_container(reply);
    sd_bus_send(NULL, reply, NULL);
    sd_bus_message_unref(reply);
    return 1;
}

static int on_message(sd_bus_message *m, void *arg, sd_bus_error *error)
{
    (void)arg, (void)error;
    if (sd_bus_message_is_method_call(m, "org.freedesktop.DBus", "Hello"))
        return sd_bus_reply_method_return(m, "s", ":1.1");
    if (sd_bus_message_is_method_call(m, "org.freedesktop.DBus.Properties", "Get"))
        return answer_property(m);
    if (sd_bus_message_is_method_call(m, SYSTEMD "Manager", "ListUnits")) return answer_units(m);
    if (sd_bus_message_is_method_call(m, LOGIN "Manager", "ListSeats"))
        return sd_bus_reply_method_return(m, "a(so)", 1, "seat0", "/seat0");
    if (sd_bus_message_is_method_call(m, LOGIN "Manager", "ListSessions"))
        return sd_bus_reply_method_return(m, "a(susso)", 3, "1", 1000, "ann", "seat0", "/s/1", "2",
                                          1001, "bob", "", "/s/2", "3", 1001, "bob", "", "/s/gone");
    return 0;
}

/* --- the other end --- */

static void serve(int fd)
{
    sd_bus *bus = NULL;
    int r;

    sd_bus_new(&bus);
    sd_bus_set_fd(bus, fd, fd);
    sd_bus_set_server(bus, true, SD_ID128_MAKE(1, 2, 3, 4, 5, 6, 7, 8, 9, a, b, c, d, e, f, 1));
    sd_bus_set_anonymous(bus, true);
    sd_bus_add_filter(bus, NULL, on_message, NULL);
    r = sd_bus_start(bus);
    while (r >= 0) {
        r = sd_bus_process(bus, NULL);
        if (r == 0) r = sd_bus_wait(bus, UINT64_MAX);
    }
    sd_bus_close(bus);
    sd_bus_unref(bus);
}

static void *work(void *arg)
{
    int fd;

    (void)arg;
    while ((fd = accept(listener, NULL, NULL)) >= 0)
        serve(fd);
    return NULL;
}

static int setup(void **state)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};

    (void)state;
    unix_test_begin(&t);
    snprintf(at.sun_path, sizeof(at.sun_path), "%s/bus", t.dir);
    char *address = xprintf("unix:path=%s", at.sun_path);
    setenv("DBUS_SYSTEM_BUS_ADDRESS", address, 1);
    free(address);
    listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&at, sizeof(at)), 0);
    assert_int_equal(listen(listener, 8), 0);
    return pthread_create(&thread, NULL, work, NULL);
}

static int teardown(void **state)
{
    (void)state;
    shutdown(listener, SHUT_RDWR);
    pthread_join(thread, NULL);
    close(listener);
    unix_test_end(&t);
    return 0;
}

static void test_systemd(void **state)
{
    struct unix_args args = unix_test_args(&t);

    (void)state;
    args.systemd.enable_restarts = args.systemd.start_time = args.systemd.task_metrics = true;
    assert_int_equal(unix_test_run(&t, &collector_systemd, &args), 0);
#define UNIT "node_systemd_unit_state{name="
    unix_test_line(&t, UNIT "\"web.service\",state=\"active\",type=\"notify\"} 1");
    unix_test_line(&t, UNIT "\"web.service\",state=\"failed\",type=\"notify\"} 0");
    unix_test_line(&t, UNIT "\"gone.service\",state=\"failed\",type=\"\"} 1");
    unix_test_line(&t, UNIT "\"a.socket\",state=\"activating\",type=\"\"} 1");
    assert_int_equal(str_find(unix_test_text(&t), STR("dev-sda")), -1);
    assert_int_equal(str_find(unix_test_text(&t), STR("masked.service")), -1);
    unix_test_line(&t, "node_systemd_units{state=\"active\"} 3");
    unix_test_line(&t, "node_systemd_units{state=\"deactivating\"} 0");
    unix_test_line(&t, "node_systemd_units{state=\"maintenance\"} 1");
    unix_test_line(&t, "node_systemd_service_restart_total{name=\"web.service\"} 3");
    unix_test_line(&t, "node_systemd_unit_tasks_current{name=\"web.service\"} 12");
    assert_int_equal(str_find(unix_test_text(&t), STR("tasks_max")), -1);
    unix_test_line(&t,
                   "node_systemd_unit_start_time_seconds{name=\"web.service\"} 1.7000000005e+09");
    unix_test_line(&t, "node_systemd_unit_start_time_seconds{name=\"gone.service\"} 0");
    unix_test_line(&t, "node_systemd_timer_last_trigger_seconds{name=\"tick.timer\"} 1.6e+09");
    unix_test_line(&t, "node_systemd_socket_accepted_connections_total{name=\"a.socket\"} 7");
    unix_test_line(&t, "node_systemd_socket_refused_connections_total{name=\"a.socket\"} 1");
    unix_test_line(&t, "node_systemd_version{version=\"252.39-1~deb12u1\"} 252.39");
    unix_test_line(&t, "node_systemd_virtualization_info{virtualization_type=\"none\"} 1");
    unix_test_line(&t, "node_systemd_system_running 1");
}

static void test_systemd_filters(void **state)
{
    struct unix_args args = unix_test_args(&t);

    (void)state;
    args.systemd.unit_include = STR("web|web.service|tick.*");
    args.systemd.unit_exclude = STR(".+timer");
    assert_int_equal(unix_test_run(&t, &collector_systemd, &args), 0);
    unix_test_line(&t, UNIT "\"web.service\",state=\"active\",type=\"notify\"} 1");
    assert_int_equal(str_find(unix_test_text(&t), STR("tick")), -1);
    assert_int_equal(str_find(unix_test_text(&t), STR("gone")), -1);
    assert_int_equal(str_find(unix_test_text(&t), STR("restart")), -1);
    unix_test_line(&t, "node_systemd_units{state=\"active\"} 3");
}

static void test_logind(void **state)
{
    (void)state;
    assert_int_equal(unix_test_run(&t, &collector_logind, NULL), 0);
#define SESSIONS "node_logind_sessions{class=\"user\",remote="
    unix_test_line(&t, SESSIONS "\"false\",seat=\"seat0\",type=\"wayland\"} 1");
    unix_test_line(&t, SESSIONS "\"true\",seat=\"\",type=\"other\"} 1");
    unix_test_line(&t, SESSIONS "\"false\",seat=\"\",type=\"tty\"} 0");
    assert_int_equal(expo_count(t.out), 2 * 7 * 5 * 2);
}

static void test_no_bus(void **state)
{
    (void)state;
    setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nowhere/bus", 1);
    assert_int_equal(unix_test_run(&t, &collector_logind, NULL), -ENOENT);
    assert_true(str_find(str_of(t.c.error), STR("/run/dbus/system_bus_socket")) > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_systemd, setup, teardown),
        cmocka_unit_test_setup_teardown(test_systemd_filters, setup, teardown),
        cmocka_unit_test_setup_teardown(test_logind, setup, teardown),
        cmocka_unit_test_setup_teardown(test_no_bus, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
#else
int main(void)
{
    return 0; /* built without libsystemd */
}
#endif
