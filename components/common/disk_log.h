/* A bounded log of records on disk with several readers: the write-ahead log and the spill of
 * loki.write, and of other queues that must survive the process.
 *
 * Files: <dir>/NNNNNNNN.seg, segments of at most segment_bytes (a larger record has one of its
 * own); <dir>/<reader>.mark, the place up to which a reader is done. "Written" means write(2) has
 * returned: it survives kill -9; segments are synced when they are closed, which is what a power
 * loss may cost. Each record has a checksum of its head and one of its payload: a log cut short or
 * with flipped bits loses the records concerned, no others: they are skipped, counted and told. A
 * new process never writes behind what an old one left: it begins a segment of its own. Segments
 * that every reader has passed are removed.
 * One owner thread; appending is a write(2) into the page cache, reading a pread(2); closed
 * segments are synced on the pool. */
#ifndef COMPONENTS_COMMON_DISK_LOG_H
#define COMPONENTS_COMMON_DISK_LOG_H

#include <sys/uio.h>
#include "base/buf.h"
#include "base/log.h"
#include "net/loop.h"

#define DISK_LOG_MAX_RECORD ((size_t)64 << 20)
#define DISK_LOG_MAX_IOV    16

struct disk_log;
struct disk_log_conf {
    const char *dir;      /* made when missing, mode 0750; files 0600 */
    size_t segment_bytes; /* 0: 16 MiB */
    u64 max_bytes;        /* of all segments; 0: no bound */
    i64 max_segment_age;  /* ns; older segments are closed, so that they can go; 0: none */
    struct logger *log;   /* for damage found; may be NULL */
    const struct clock *clock;
    struct offload *pool; /* syncs closed segments; NULL: in place */
};
struct disk_log_stats {
    u64 bytes;            /* of all segments */
    u64 records, damaged; /* appended since the start; places that were skipped */
    u64 removals;         /* how often segments were removed, */
    i64 removing;         /* and the ns that took */
    u32 segments;
};
struct disk_place {
    u32 segment;
    u64 offset; /* of the next record */
};

/* 0 or -errno with an owned *ret_err. Nothing is removed before all readers could be opened: see
 * disk_log_keep_readers. */
int disk_log_open(const struct disk_log_conf *conf, struct disk_log **ret, char **ret_err);
void disk_log_close(struct disk_log *l); /* marks are written; takes NULL */
/* New bounds from now on (segment_bytes, max_bytes, max_segment_age of conf). */
void disk_log_limit(struct disk_log *l, const struct disk_log_conf *conf);
/* Appends one record of at most DISK_LOG_MAX_RECORD; *ret_after (may be NULL): the place behind it.
 * -ENOSPC: the bound is reached; another -errno: the disk did not take it (its words:
 * disk_log_error). Nothing was written then. */
int disk_log_append(struct disk_log *l, u8 kind, const struct iovec *v, int n,
                    struct disk_place *ret_after) WARN_UNUSED;
/* For records whose contents depend on the segment they stand in: the next append goes to the
 * segment *ret_number, whatever its size. fresh: one is begun unless the last has no records. 0 or
 * -errno, as for disk_log_append. */
int disk_log_segment(struct disk_log *l, bool fresh, u32 *ret_number) WARN_UNUSED;
struct disk_segment {
    u32 number; /* 0: there is none */
    u64 bytes;
    i64 age;      /* ns since it was begun by this process; 0 for the others */
    bool writing; /* appends go to it */
};
/* The last one, and the first one. */
struct disk_segment disk_log_newest(const struct disk_log *l);
struct disk_segment disk_log_oldest(const struct disk_log *l);
/* When a segment was written to last: ns since 1970; 0: not known. */
i64 disk_log_written(const struct disk_log *l, u32 number);
/* Why the last append failed. */
const char *disk_log_error(const struct disk_log *l);
/* Whether a record of n bytes would fit within the bound. */
bool disk_log_has_room(const struct disk_log *l, size_t n);
void disk_log_stats(const struct disk_log *l, struct disk_log_stats *ret);
/* Forgets the marks of all readers but those that are open, and what only they held back; returns
 * how many there were. From then on segments are removed as they are passed. */
u32 disk_log_keep_readers(struct disk_log *l);
/* Behind the last record. */
struct disk_place disk_log_end(const struct disk_log *l);

/* A reader by name ([A-Za-z0-9_-], 64 at most): it goes on where its mark is; without a mark at
 * `from_start` the oldest record, else the end. Its mark is written at once. NULL when that failed
 * (disk_log_error). */
struct disk_reader;
bool disk_log_has_mark(const struct disk_log *l, const char *name);
/* The name of the only mark that no open reader has; NULL when there is none or several. */
const char *disk_log_sole_mark(const struct disk_log *l);
struct disk_reader *disk_reader_open(struct disk_log *l, const char *name, bool from_start);
void disk_reader_close(struct disk_reader *r); /* the mark stays; takes NULL */
/* Forgets the mark as well: what only this reader held back is removed. Takes NULL. */
void disk_reader_remove(struct disk_reader *r);
/* The next record: 1 with *ret_payload (valid until the next call) and the place behind it; 0: none
 * now; -errno. */
int disk_reader_next(struct disk_reader *r, u8 *ret_kind, struct str *ret_payload,
                     struct disk_place *ret_after);
/* Reads on from a place (of an append, or behind a record). */
void disk_reader_seek(struct disk_reader *r, struct disk_place place);
/* Everything before `place` is done with: what a restart goes on from. Written by
 * disk_log_sync_marks. */
void disk_reader_done(struct disk_reader *r, struct disk_place place);
/* Reads again from what is done. */
void disk_reader_rewind(struct disk_reader *r);
/* Where it reads next. */
struct disk_place disk_reader_at(const struct disk_reader *r);
/* Bytes of records not yet done with; not yet read. */
u64 disk_reader_backlog(const struct disk_reader *r);
u64 disk_reader_unread(const struct disk_reader *r);
/* Everything is read: as nothing unread, but it costs nothing. */
bool disk_reader_at_end(const struct disk_reader *r);
/* Writes the marks that moved. -errno: at least one could not be written, it is tried again. */
int disk_log_sync_marks(struct disk_log *l);

#endif
