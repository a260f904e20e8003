/* Reading a journal into batches on one worker: opening and opening again, bounded bursts, and how
 * far entries were delivered. Embedded in the shard's self. */
#ifndef COMPONENTS_LOKI_JOURNAL_TAIL_H
#define COMPONENTS_LOKI_JOURNAL_TAIL_H

#include "base/vec.h"
#include "components/common/ack_window.h"
#include "components/common/log_source.h"
#include "components/common/positions.h"
#include "components/loki/journal/reader.h"

struct journal_conf {
    struct str path, matches;
    i64 max_age;
    struct journal_format format;
    const struct capsule_list *forward_to;
};

/* Entries up to number `end` are read up to this cursor. */
struct journal_mark {
    u64 end;
    char *cursor;
};
struct opening;
struct journal_tail {
    struct shard *shard;
    const struct journal_conf *conf;
    struct log_source source;
    struct ack_window *window;
    struct positions *positions;
    char *key; /* in the positions */
    struct journal *journal;
    struct io *io;
    struct opening *opening;
    struct timer *timer;            /* what is next: opening again, or going on */
    u64 read, sent;                 /* number of the last entry read; of the last handed over */
    char *cursor;                   /* of the last read; NULL: none yet */
    VEC(struct journal_mark) marks; /* handed over, not yet delivered; in order */
    char *done;                     /* cursor of what was delivered; NULL: nothing */
    u64 since;                      /* where reading began without a cursor, us since 1970 */
    i64 backoff;
    struct journal_fields fields;
    struct label_set set;
    struct buf scratch;
    struct metric *lines, *no_message, *no_labels, *too_large;
    bool stopping, stopped, failed, limit_told, reread, reading;
};

/* In run; t->lines and its kin are set before. positions: of the component, started here. */
void journal_tail_start(struct journal_tail *t, struct shard *s, const struct journal_conf *conf,
                        struct positions *positions);
/* In apply: another configuration; the journal is opened again when it is another one. */
void journal_tail_apply(struct journal_tail *t, const struct journal_conf *conf);
/* In stop: reads no more, waits a little for what is on its way, saves. */
void journal_tail_stop(struct journal_tail *t);
/* In shard_done. */
void journal_tail_done(struct journal_tail *t);

#endif
