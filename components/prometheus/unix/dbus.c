/* needs: libsystemd */
/* Calls over libsystemd's sd-bus. */
#include "components/prometheus/unix/dbus.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#define PATIENCE (10 * NS_PER_SEC)

static int open_direct(const char *address, sd_bus **ret)
{
    sd_bus *bus = NULL;
    int r = sd_bus_new(&bus);

    if (r >= 0) r = sd_bus_set_address(bus, address);
    if (r >= 0) r = sd_bus_start(bus);
    if (r >= 0)
        *ret = bus;
    else
        sd_bus_unref(bus);
    return r;
}

int dbus_open(struct dbus *d, struct collect *c, const char *direct)
{
    *d = (struct dbus){.c = c, .deadline = clock_mono(c->clock) + PATIENCE};
    int r = sd_bus_open_system(&d->bus);

    if (r < 0 && direct && geteuid() == 0 && open_direct(direct, &d->bus) >= 0) r = 0;
    if (r < 0)
        return collect_fail(c, r,
                            "connect to the system's D-Bus: %s; in a container mount "
                            "/run/dbus/system_bus_socket, or set DBUS_SYSTEM_BUS_ADDRESS",
                            strerror(-r));
    sd_bus_set_method_call_timeout(d->bus, DBUS_CALL_SECONDS * (u64)1000000);
    return 0;
}

void dbus_close(struct dbus *d)
{
    sd_bus_flush_close_unref(d->bus);
}

static bool too_late(struct dbus *d)
{
    d->late = d->late || clock_mono(d->c->clock) > d->deadline;
    return d->late;
}

int dbus_in_time(struct dbus *d, const char *service)
{
    if (!d->late) return 0;
    return collect_fail(d->c, -ETIMEDOUT,
                        "%s did not answer all questions within %lld seconds: what is shown is "
                        "incomplete",
                        service, (long long)(PATIENCE / NS_PER_SEC));
}

int dbus_call(struct dbus *d, const struct dbus_service *s, const char *method,
              sd_bus_message **ret)
{
    sd_bus_error why = SD_BUS_ERROR_NULL;
    int r = too_late(d) ? -ETIMEDOUT
                        : sd_bus_call_method(d->bus, s->name, s->path, s->interface, method, &why,
                                             ret, NULL);

    if (r < 0)
        collect_fail(d->c, r, "%s of %s: %s", method, s->name,
                     why.message ? why.message : strerror(-r));
    sd_bus_error_free(&why);
    return MIN(r, 0);
}

int dbus_text(struct dbus *d, const struct dbus_service *s, const char *path, const char *property,
              struct str *ret)
{
    char *text = NULL;
    int r = too_late(d) ? -ETIMEDOUT
                        : sd_bus_get_property_string(d->bus, s->name, path, s->interface, property,
                                                     NULL, &text);

    if (r >= 0) *ret = arena_str(d->c->arena, str_of(text));
    free(text);
    return MIN(r, 0);
}

int dbus_value(struct dbus *d, const struct dbus_service *s, const char *path, const char *property,
               char type, void *ret)
{
    int r = too_late(d) ? -ETIMEDOUT
                        : sd_bus_get_property_trivial(d->bus, s->name, path, s->interface, property,
                                                      NULL, type, ret);
    return MIN(r, 0);
}
