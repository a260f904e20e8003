/* One path being tailed for one label set: the queue of files that had the path, the first of which
 * is being read, and what of them was acknowledged.
 *
 * The order of lines is kept over a rotation: the file that was there is read until its successor
 * has its first byte, then to its end once more, and only then the successor. Several rotations
 * between two looks, copies before a truncation, and what happened while the agent was down are
 * found by rotated.h. One worker. */
#ifndef COMPONENTS_LOKI_FILE_TAILER_H
#define COMPONENTS_LOKI_FILE_TAILER_H

#include "components/loki/file/rotated.h"
#include "components/loki/file/source.h"

struct tailer {
    struct list all, ready, waiting; /* of the source */
    struct file_source *source;
    struct watched watched;
    struct target_status *status; /* its texts are path and key_labels */
    const char *path, *key_labels;
    struct labels *labels;
    struct file_metrics *metrics;
    struct ack_window *window; /* NULL: not started */
    struct handle *first;      /* the oldest that is not wholly acknowledged */
    struct handle *reading;
    struct handle *late; /* files that were left, oldest first; see late.h */
    u32 n_late;
    u64 sent, done;  /* marks: up to here lines are on their way, up to here they are delivered */
    i64 last_time;   /* of the last entry */
    i64 again;       /* while waiting */
    i64 quiet_since; /* of a file that was deleted; 0: not */
    i64 late_at;     /* when to look at the late ones */
    i64 backoff;
    bool look;     /* the path may name another file */
    bool rewind;   /* lines were not delivered: they are read again */
    bool failing;  /* told */
    bool finished; /* nothing more is to be read: unpacked to its end, or skipped */
    bool gone;     /* the path names nothing now */
    bool leaving;  /* the target is gone with its file: what is left is read to its end */
    bool seen;     /* the target is still wanted (while targets are gone through) */
};

/* key_labels: the text of the labels without filename. A reference on labels is taken. */
struct tailer *tailer_new(struct file_source *s, const char *path, struct labels *labels,
                          struct str key_labels);
/* What it has on its way is delivered, but not heard of any more. */
void tailer_free(struct tailer *t);
/* The target is gone: its position, too. */
void tailer_forget_position(struct tailer *t);

enum step {
    STEP_MORE, /* there may be more to do */
    STEP_IDLE, /* events wake it */
    STEP_WAIT, /* no memory: later */
};
/* Does one thing: opens, reads one piece, goes on to the next file. Not while the source is blocked
 * or has too much in flight. */
enum step tailer_step(struct tailer *t);
/* To be stepped. structural: its path may name another file. */
void tailer_wake(struct tailer *t, bool structural);
/* It has no file that is being read or waits to be delivered. */
bool tailer_is_done(const struct tailer *t);
/* What others see of it: after a step. */
void tailer_show(struct tailer *t);
/* Its time has come. */
void tailer_wake_waiting(struct tailer *t);
/* Not to be stepped before so many ns. */
void tailer_delay(struct tailer *t, i64 ns);
/* A cheap look whether anything was missed. */
void tailer_check(struct tailer *t);

/* Inside: tailer_start.c. Opens the file and what is left of its predecessors; 0 or -errno. */
int tailer_start(struct tailer *t);
/* Inside: the end of the queue. */
void tailer_append(struct tailer *t, struct handle *h);
/* The same with those of a list from there on, without what is among the late ones: files that came
 * between two others are told by when they were last changed, and late lines change it. */
void tailer_append_all(struct tailer *t, const handle_list *list, size_t from);

#endif
