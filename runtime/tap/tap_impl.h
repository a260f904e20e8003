/* Inside of live debugging: tap.c (who watches what, and publishing), tap_texts.c, tap_rates.c.
 *
 * A tap belongs to an id. It exists while the id is watched, and longer while instances that were
 * watched live: a worker may still be publishing. Its lock is held for a few instructions, never
 * while an item is rendered. */
#ifndef RUNTIME_TAP_IMPL_H
#define RUNTIME_TAP_IMPL_H

#include <pthread.h>
#include "base/list.h"
#include "base/map.h"
#include "runtime/dataplane/dataplane.h"
#include "runtime/tap/tap.h"

#define TAP_TEXTS_MAX 32 /* watches of each kind; a graph stream is one */
#define TAP_RATES_MAX 32

struct taps {
    struct loop *control;
    struct budget *budget; /* texts that wait are charged to it; may be NULL */
    struct map by_id;      /* struct tap * */
    struct list watches;   /* of all taps, by of_taps */
    u32 n_texts, n_rates;
    bool enabled;
};

struct tap {
    struct taps *taps;
    char *id;
    u32 n_watches;         /* control loop */
    struct list instances; /* with this id, by tap_node; control loop */
    pthread_mutex_t lock;
    struct list watches; /* by of_tap; under the lock */
};

/* Where a batch goes: ids, valid for the call. ids NULL: not told. */
struct tap_targets {
    const char *const *ids;
    size_t n;
};

/* One who watches one tap. Embedded. */
struct tap_watch {
    struct list of_tap, of_taps;
    struct tap *tap;         /* NULL once it ended */
    struct tap_texts *texts; /* whose it is: one of the two */
    struct tap_counts *counts;
};
void tap_watch_begin(struct taps *t, struct comp *c, struct tap_watch *w);
void tap_watch_end(struct tap_watch *w); /* may have ended before */

/* Shows an item to those who watch. Any thread on which the instance works. */
void tap_publish(struct tap *t, const struct tap_item *item, const struct tap_targets *to);

/* Instances: found again by id when they are made (control loop). */
void taps_attach(struct taps *t, struct instance *i); /* t may be NULL */
void taps_detach(struct instance *i);

/* --- tap_texts.c: any thread --- */
/* Whether this reader wants the next item; then a reference, to be given back by texts_put. */
bool texts_want(struct tap_texts *w);
/* Queues the text (a reference is taken) or counts it as lost (NULL: could not be kept), and gives
 * the reference of texts_want back. */
void texts_put(struct tap_texts *w, struct blob *text);
void texts_silence(struct tap_texts *w); /* control loop: drops what waits, takes nothing more */

/* --- tap_rates.c --- */
/* Under the tap's lock. */
void counts_add(struct tap_counts *c, const struct tap_item *item, const struct tap_targets *to);

#endif
