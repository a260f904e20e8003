/* The processes that are watched, from look to look: which they are, what they have used up since.
 * Counted; a look runs on one thread at a time. */
#ifndef COMPONENTS_PROMETHEUS_PROCESS_TRACKER_H
#define COMPONENTS_PROMETHEUS_PROCESS_TRACKER_H

#include "base/log.h"
#include "components/prometheus/process/groups.h"
#include "components/prometheus/process/matcher.h"

struct tracker_conf {
    const char *procfs; /* copied */
    bool children;      /* those of watched processes count in their group */
    bool threads;       /* figures by names of threads */
    bool shares;        /* read smaps */
    bool recheck;       /* look again at processes that no matcher matched */
    bool drop_empty;
};
struct tracker;
/* A reference to the matchers is taken. */
struct tracker *tracker_new(const struct tracker_conf *conf, struct matchers *m);
struct tracker *tracker_ref(struct tracker *t);
void tracker_unref(struct tracker *t); /* takes NULL */

/* Looks, and adds the families. What was used up before the first look does not count. 0, or
 * -errno: the folder of processes cannot be read, and only the counts of errors are added. */
int tracker_collect(struct tracker *t, struct logger *log, struct expo *out);

#endif
