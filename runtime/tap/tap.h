/* Live debugging: what flows through components, shown to whoever watches.
 *
 * Components show items (comp_tap, or the tap of their definition: component.h) on whatever thread
 * they are; while nobody watches a component, that is one load of a pointer. Watches are made, read
 * and freed on the control loop. They are bounded: a reader that is slow loses items, never holds
 * anything up. A watch follows an id: it goes on when a reload makes the component anew. */
#ifndef RUNTIME_TAP_H
#define RUNTIME_TAP_H

#include "runtime/component.h"

/* What the process has of it; freed after every watch, and after the workers. */
struct taps *taps_new(struct loop *control, struct budget *budget);
void taps_free(struct taps *t); /* takes NULL */
/* The livedebugging block. Turning it off ends every watch of both kinds: they get nothing more. */
void taps_enable(struct taps *t, bool on);
bool taps_enabled(const struct taps *t);

/* Whether components of this kind show anything. */
static inline bool component_is_live(const struct component_def *def)
{
    return def->tap || def->taps_itself;
}

/* --- the texts of one component --- */

struct tap_texts;
struct tap_texts_conf {
    f64 probability; /* of an item to be shown, 0 to 1 */
    /* Control loop: the queue is filling up; take from it soon. */
    void (*filling)(void *arg);
    void *arg;
};
/* NULL: too many already. */
struct tap_texts *tap_texts_new(struct taps *t, struct comp *c, const struct tap_texts_conf *conf);
void tap_texts_free(struct tap_texts *w); /* takes NULL */
/* The oldest text, the caller's; NULL: none. */
struct blob *tap_texts_next(struct tap_texts *w);
/* How many were lost so far because the queue was full. */
u64 tap_texts_lost(struct tap_texts *w);

/* --- the rates of several components --- */

struct tap_rates;
/* Components that show nothing are passed over. NULL: too many already. */
struct tap_rates *tap_rates_new(struct taps *t, struct comp *const *comps, size_t n);
void tap_rates_free(struct tap_rates *w); /* takes NULL */
struct tap_rate {
    const char *id; /* global id of the component */
    enum tap_type type;
    u64 count;                  /* of what flowed since the last call */
    const char *const *targets; /* where the first item went; NULL: not told */
    size_t n_targets;
};
/* Calls fn for each component and type of which something flowed, and starts to count anew. */
void tap_rates_take(struct tap_rates *w, void (*fn)(void *arg, const struct tap_rate *r),
                    void *arg);
const char *tap_type_name(enum tap_type t); /* "otel_trace" */

#endif
