/* The collectors that one configuration has on, with their plans and what they keep from scrape to
 * scrape; and running them all. Counted: a run that hangs in a file system keeps its set after the
 * instance has got another one, or is gone. */
#ifndef COMPONENTS_PROMETHEUS_UNIX_SET_H
#define COMPONENTS_PROMETHEUS_UNIX_SET_H

#include <stdatomic.h>
#include "base/refcount.h"
#include "components/prometheus/unix/collector.h"

struct unix_member {
    const struct collector_def *def;
    void *plan, *state;
};
struct unix_set {
    struct refs refs;
    struct arena arena;
    struct unix_member *members; /* sorted by name */
    size_t n;
    const char *roots[UNIX_ROOTS];
    const char *_Atomic running; /* name of the collector that is at work, for who waits; or NULL */
};

/* Chooses the collectors and prepares them; faults and warnings go to p. NULL on faults. */
struct unix_set *unix_set_new(struct prepare *p, const struct unix_args *args);
struct unix_set *unix_set_ref(struct unix_set *s);
void unix_set_unref(struct unix_set *s); /* takes NULL; any thread */
/* Runs all of them: their families, and what each took and whether it succeeded. A pool thread; one
 * run of a set at a time. */
void unix_set_run(struct unix_set *s, const struct collect *base, struct expo *out);

#endif
