/* What /proc says of one process or thread. Pure but for reading; what is there belongs to others
 * and may vanish, lie, or be forbidden at any time.
 *
 * Functions return 0 or -errno (-ENOENT, -ESRCH: it is gone; -EBADMSG: not the text it should be).
 */
#ifndef COMPONENTS_PROMETHEUS_PROCESS_PROC_TASK_H
#define COMPONENTS_PROMETHEUS_PROCESS_PROC_TASK_H

#include "base/buf.h"

/* What only grows while it lives. Times in ticks of the kernel. */
enum proc_count {
    COUNT_USER,
    COUNT_SYSTEM,
    COUNT_READ,
    COUNT_WRITE,
    COUNT_MAJOR_FAULTS,
    COUNT_MINOR_FAULTS,
    COUNT_VOLUNTARY,
    COUNT_NONVOLUNTARY,
    PROC_COUNTS
};
struct proc_counts {
    u64 v[PROC_COUNTS];
};
void proc_counts_add(struct proc_counts *to, const struct proc_counts *more);
/* What came since `before`; what has become less counts as nothing. */
struct proc_counts proc_counts_since(const struct proc_counts *now,
                                     const struct proc_counts *before);

enum proc_state {
    STATE_RUNNING,
    STATE_SLEEPING,
    STATE_WAITING,
    STATE_ZOMBIE,
    STATE_OTHER,
    PROC_STATES
};

#define PROC_NAME_MAX  64  /* with its end; kernel workers have the longest */
#define PROC_WCHAN_MAX 128 /* with its end */
struct proc_task {
    i32 id, parent;
    u64 start; /* ticks since boot: with the id it names a process for good */
    char name[PROC_NAME_MAX];
    char wchan[PROC_WCHAN_MAX]; /* empty: it waits for nothing, or that is not to be seen */
    enum proc_state state;
    u64 n_threads, virtual_bytes, resident_bytes, swapped_bytes;
    u32 uid; /* effective */
    struct proc_counts counts;
};

struct proc_reader {
    struct buf text; /* of the file read last */
};
void proc_reader_init(struct proc_reader *r);
void proc_reader_done(struct proc_reader *r);

/* The whole file into r->text. -EFBIG: more than a MiB (smaps: 64). */
int proc_read(struct proc_reader *r, int dir, const char *file);
/* The line "<key>:" of r->text: what is behind it, trimmed. Empty: there is none. */
struct str proc_value(const struct proc_reader *r, const char *key);

/* stat alone: who it is. */
int proc_read_stat(struct proc_reader *r, int dir, struct proc_task *t);
/* The rest of a task: status, io, wchan. *ret_partial: something was forbidden. */
int proc_read_rest(struct proc_reader *r, int dir, struct proc_task *t, bool *ret_partial);
/* Effective user, of status. */
int proc_read_uid(struct proc_reader *r, int dir, u32 *ret);

/* Open descriptors and the soft limit of them (UINT64_MAX: none). */
int proc_count_fds(int dir, u64 *ret);
int proc_read_fd_limit(struct proc_reader *r, int dir, u64 *ret);
/* Shared pages counted in part. */
struct proc_shares {
    u64 resident_bytes, swapped_bytes;
};
int proc_read_shares(struct proc_reader *r, int dir, struct proc_shares *ret);
/* Entries of a folder that are numbers; false from fn ends it. */
int proc_each_id(int at, const char *folder, bool (*fn)(void *arg, int dir, const char *id),
                 void *arg);

#endif
