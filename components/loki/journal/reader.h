/* A systemd journal that is read on and on: opened and placed on a pool thread (which may take a
 * while), then read on one loop. Thin over libsystemd; times in microseconds since 1970, as
 * journals keep them. */
#ifndef COMPONENTS_LOKI_JOURNAL_READER_H
#define COMPONENTS_LOKI_JOURNAL_READER_H

#include "components/loki/journal/entry.h"

struct journal;
struct journal_place {
    struct str path;    /* folder; empty: the journals of this machine */
    struct str matches; /* FIELD=value, between white space */
    struct str cursor;  /* read up to here; empty: nothing yet */
    u64 since;          /* without a cursor, or when its entry is gone or older: begin here; 0: at
                           the oldest */
};
/* The first term of matches that is none, or an empty text. */
struct str journal_bad_match(struct str matches);
/* -errno with an owned *ret_err. */
int journal_open(const struct journal_place *at, struct journal **ret, char **ret_err);
void journal_close(struct journal *j); /* takes NULL */
/* Readable when there may be more to read; then journal_process. */
int journal_fd(const struct journal *j);
/* Nanoseconds after which journal_process is due without the descriptor being readable (network
 * file systems); -1: never. */
i64 journal_due(const struct journal *j);
void journal_process(struct journal *j);
/* Moves on: 1 to an entry, 0 there is none yet, -errno. */
int journal_next(struct journal *j);
/* The same entry comes again with the next journal_next. */
void journal_stay(struct journal *j);
/* Of the entry at hand. 0 or -errno; *ret_cursor is owned. */
int journal_read(struct journal *j, struct journal_fields *fields, u64 *ret_time,
                 char **ret_cursor);

#endif
