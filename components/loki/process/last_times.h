/* The times that streams had last, by their label sets: of at most 10,000 sets, the one that was
 * not used for longest goes first. One worker. */
#ifndef COMPONENTS_LOKI_PROCESS_LAST_TIMES_H
#define COMPONENTS_LOKI_PROCESS_LAST_TIMES_H

#include "telemetry/labels.h"

#define LAST_TIMES_MAX 10000

struct last_time {
    struct labels *labels; /* counted */
    i64 parsed, given;     /* what the text said, and what the entry got */
    u32 newer, older;      /* in order of use; index + 1, 0: none */
    u32 chain;             /* of the hash slot */
};
struct last_times {
    struct last_time *v;
    u32 n, cap;
    u32 *slots;
    u32 n_slots; /* a power of two */
    u32 newest, oldest;
};
/* The stream's record, now the newest; NULL: none yet. Valid until the next call. */
struct last_time *last_times_find(struct last_times *t, struct labels *l);
/* Makes one. */
void last_times_add(struct last_times *t, struct labels *l, i64 parsed, i64 given);
void last_times_done(struct last_times *t);

#endif
