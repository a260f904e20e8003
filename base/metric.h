/* The agent's own metrics. A metric has one value per writer thread (single writer, relaxed
 * atomics), summed when read, so that counting costs an add and reading needs no message. Families
 * and series are registered and removed on the control loop only. */
#ifndef BASE_METRIC_H
#define BASE_METRIC_H

#include <stdatomic.h>
#include "base/buf.h"

#define METRIC_WRITERS 17 /* control loop = 0, workers 1..16 */
#define METRIC_LABELS  64 /* of one series at most */

enum metric_kind { METRIC_COUNTER, METRIC_GAUGE, METRIC_HISTOGRAM };

struct metric_label {
    const char *name;
    const char *value;
};

struct metric_desc {
    const char *name, *help;
    enum metric_kind kind;
    const f64 *bounds; /* histograms: upper bounds without +Inf */
    size_t n_bounds;
    bool summary; /* a histogram without bounds: shown as a summary, which is its sum and count */
    bool counted; /* made by metric_desc_new */
};
/* A counted copy, for families that a configuration names; descs in code are static and need none.
 * Series and families hold references. Any thread. */
const struct metric_desc *metric_desc_new(const struct metric_desc *d);
const struct metric_desc *metric_desc_ref(const struct metric_desc *d);
void metric_desc_unref(const struct metric_desc *d); /* takes NULL, and static ones */

struct metrics; /* the registry */
struct metric;  /* one series */

struct metrics *metrics_new(void);
void metrics_free(struct metrics *m);
/* New series of desc's family with these labels (copied). Of series that are equal (several threads
 * count the same thing) the sum is shown. Control loop only. */
struct metric *metric_new(struct metrics *m, const struct metric_desc *desc,
                          const struct metric_label *labels, size_t n);
void metric_free(struct metrics *m, struct metric *s); /* takes NULL */

/* In two steps, for series that are found on another thread: made there, and counted in at once;
 * shown once the control loop has registered it. False: the family exists with another kind or
 * other bounds, so that this series cannot be shown. */
struct metric *metric_make(const struct metric_desc *desc, const struct metric_label *labels,
                           size_t n);
/* The same labels as another series, which are then held once. */
struct metric *metric_make_like(const struct metric_desc *desc, const struct metric *other);
bool metric_register(struct metrics *m, struct metric *s) WARN_UNUSED;
const char *metric_name(const struct metric *s);

/* Whatever its maker wants to find again. */
void metric_set_user(struct metric *s, void *user);
void *metric_user(const struct metric *s);

/* The writer number of this thread, set once when the thread starts. */
void metric_set_writer(int writer);
/* Counters and gauges: single-writer per thread; a gauge's value is the sum of its cells. NULL
 * metric: no-op. */
void metric_add(struct metric *s, f64 v);
void metric_inc(struct metric *s);
/* Sets this thread's cell. */
void metric_set(struct metric *s, f64 v);
void metric_observe(struct metric *s, f64 v);
void metric_observe_n(struct metric *s, f64 v, u64 n); /* n times */
/* A gauge or counter whose value is read by a call when scraped (control loop); it is not counted
 * in. */
void metric_fn(struct metric *s, f64 (*fn)(void *arg), void *arg);
f64 metric_value(const struct metric *s);

/* Text exposition 0.0.4 of all families sorted by name (HELP, TYPE, series). names: only these
 * families (n 0: all). Control loop. */
void metrics_write(struct metrics *m, struct buf *out, const struct str *names, size_t n);

#endif
