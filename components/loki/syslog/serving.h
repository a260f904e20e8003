/* Inside of loki.source.syslog on its worker: the shard, its listeners, and what becomes of a
 * message. */
#ifndef COMPONENTS_LOKI_SYSLOG_SERVING_H
#define COMPONENTS_LOKI_SYSLOG_SERVING_H

#include "base/list.h"
#include "components/common/log_source.h"
#include "components/loki/syslog/port.h"
#include "net/reverse_names.h"

/* Ten warnings in ten seconds; the others are counted. */
struct syslog_quiet {
    i64 until;
    u32 n;
    u64 left_out;
};
/* Whether to log now; *ret_left_out: how many were not since the last one. */
bool syslog_may_log(struct syslog_quiet *q, i64 now, u64 *ret_left_out);

struct syslog_shared {
    struct syslog_table *table;
    struct metric *entries, *errors, *empty, *lost;
};

struct syslog_source {
    struct shard *shard;
    struct syslog_shared *shared;
    struct log_source out;
    struct list serving, leaving;
    struct timer *tick;  /* names that do not come, ports that could not be opened */
    struct timer *retry; /* no memory: reading goes on in a moment */
    struct syslog_question *question;
    i64 asked_at; /* monotonic */
    struct msg flush;
    bool flushing, starved, stopping, done;
    struct label_set labels; /* scratch */
    struct buf key;
    struct syslog_quiet bad, lost;
};

#define SYSLOG_MEMO 256
struct syslog_memo {
    u64 hash;
    struct str key; /* owned */
    struct labels *labels;
};

/* One listener at work. */
struct syslog_serving {
    struct list node;
    struct syslog_source *self; /* NULL: forgotten */
    struct syslog_conf *conf;
    struct syslog_port *port; /* NULL: not open yet */
    struct list peers;
    struct reverse_names *names; /* NULL: nobody looks at them */
    struct list waiting;         /* datagrams, for their sender's name */
    size_t n_waiting;
    bool serves, limit_told;
    struct labels *plain; /* without rules all entries have these */
    struct syslog_memo *memo;
};
struct syslog_serving *syslog_serving_new(struct syslog_source *self, struct syslog_conf *conf,
                                          struct syslog_port *port);
/* Another plan, or a port at last (takes the reference). */
void syslog_serving_set(struct syslog_serving *sv, struct syslog_conf *conf,
                        struct syslog_port *port);
/* Connections end within grace; it frees itself, and tells the source. */
void syslog_serving_leave(struct syslog_serving *sv, i64 grace);
/* The shard is over: connections that still end tell nobody. */
void syslog_serving_forget(struct syslog_serving *sv);
/* There is room again. */
void syslog_serving_resume(struct syslog_serving *sv);
/* Names that are not answered in time count as none. True: something still waits. */
bool syslog_serving_tick(struct syslog_serving *sv);

/* --- source_syslog.c --- */
/* Nothing may be added: pause. */
bool syslog_blocked(const struct syslog_source *self);
/* Sends what was added later in this turn; at once when it is much. */
void syslog_flush_soon(struct syslog_source *self);
/* There was no memory. */
void syslog_starve(struct syslog_source *self);
void syslog_left(struct syslog_source *self);
/* Something waits: syslog_serving_tick is wanted. */
void syslog_tick_soon(struct syslog_source *self);

/* --- entry.c --- */
/* Makes an entry of a message. 0; -ENOMEM: not taken, it may be given again. */
int syslog_take(struct syslog_serving *sv, struct str line, struct str ip, struct str host);
/* Counts what is wrong with a message or its framing, and says so. */
void syslog_complain(struct syslog_serving *sv, struct str peer, const char *what, struct str line);
void syslog_memo_clear(struct syslog_serving *sv);

#endif
