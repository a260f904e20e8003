/* The D-Bus of the machine, for collectors that ask its services: a connection of one scrape, whose
 * calls are bounded in time. Needs libsystemd. A pool thread. */
#ifndef COMPONENTS_PROMETHEUS_UNIX_DBUS_H
#define COMPONENTS_PROMETHEUS_UNIX_DBUS_H

#include <systemd/sd-bus.h>
#include "components/prometheus/unix/collector.h"

#define DBUS_CALL_SECONDS 5

/* Who is asked. */
struct dbus_service {
    const char *name, *path, *interface;
};
struct dbus {
    struct collect *c;
    sd_bus *bus;
    i64 deadline; /* of all calls together: past it each answers -ETIMEDOUT at once */
    bool late;    /* one did */
};

/* Connects to the bus of the system (DBUS_SYSTEM_BUS_ADDRESS, else its usual socket). `direct`: a
 * socket of the service itself, tried next when we are root; NULL: none. 0, or collect_fail. */
int dbus_open(struct dbus *d, struct collect *c, const char *direct);
void dbus_close(struct dbus *d);
/* Calls a method without arguments of s. 0, or collect_fail. */
int dbus_call(struct dbus *d, const struct dbus_service *s, const char *method,
              sd_bus_message **ret);
/* Properties of an object of the service. 0 or -errno, without a sentence: many are optional. */
int dbus_text(struct dbus *d, const struct dbus_service *s, const char *path, const char *property,
              struct str *ret); /* in c->arena */
int dbus_value(struct dbus *d, const struct dbus_service *s, const char *path, const char *property,
               char type, void *ret);

/* 0, or collect_fail when calls were left out because the time for all of them was over. */
int dbus_in_time(struct dbus *d, const char *service);

#endif
