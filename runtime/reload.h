/* Loading from a path, at start and again: asked for by SIGHUP, by HTTP, or by a change of the
 * watched file. Loads are serialised: one that comes while an earlier commit has not settled waits
 * for it, and all that wait are served by one load. Keep last good: a load that fails changes
 * nothing. Control loop. */
#ifndef RUNTIME_RELOAD_H
#define RUNTIME_RELOAD_H

#include "base/clock.h"
#include "net/loop.h"
#include "runtime/controller.h"
#include "runtime/self_metrics.h"

struct reloader_conf {
    struct controller *controller;
    struct loop *loop;
    struct logger *log;
    struct config_metrics *metrics; /* may be NULL (tests) */
    const char *path;
    struct offload *offload;          /* reads and compiles reloads; NULL: the control loop does */
    const struct compile_opts *aside; /* for that thread alone; NULL: the controller's */
};
struct reloader;
struct reloader *reloader_new(const struct reloader_conf *conf);
/* Requests that still wait are answered with an error. Takes NULL. */
void reloader_free(struct reloader *r);

/* The first load. 0; -EINVAL with faults in diags; or another -errno with an owned *ret_err. */
int reloader_first(struct reloader *r, struct diags *diags, char **ret_err);
/* A reload; done(arg, err) when it was decided, maybe at once; err NULL: loaded. done may be NULL.
 * Logs the outcome, with log when the first of those who wait gave one (else NULL). */
void reloader_request(struct reloader *r, struct logger *log,
                      void (*done)(void *arg, const char *err), void *arg);
/* Reloads by itself when the file or directory changes. */
void reloader_watch(struct reloader *r);
/* How loading went, for people. Texts are owned by the reloader and valid until the next load. */
struct load_report {
    i64 when;  /* real ns, when the last load was decided */
    i64 since; /* real ns, when the running configuration was loaded */
    bool ok;
    const char *error;      /* one line, as logged; NULL: it succeeded. May quote what is secret */
    const char *diags_text; /* every fault with its excerpt, secrets starred out; "": none */
    size_t faults;
    struct load_counts counts; /* of the last load that succeeded */
};
struct load_report reloader_report(const struct reloader *r);
/* The files that were last read and parsed, even when their load failed later. NULL: none yet.
 * Valid until the next load. */
const struct source_set *reloader_sources(const struct reloader *r);
const char *reloader_path(const struct reloader *r);
/* Before the controller stops: what waits, and all that comes later, is answered with an error. */
void reloader_stop(struct reloader *r);

#endif
