/* A bounded log of records on disk with several readers: the write-ahead log and the spill of
 * loki.write, and of other queues that must survive the process.
 *
 * Files: <dir>/NNNNNNNN.seg, segments of at most segment_bytes, records of {length, CRC-32C, kind,
 * payload}, little endian; <dir>/<reader>.mark, the place up to which a reader is done. "Written"
 * means write(2) has returned: it survives kill -9; segments are synced when they are closed, which
 * is what a power loss may cost. A log cut short or with flipped bits loses the records concerned,
 * no others: they are skipped, counted and told. Segments that every reader has passed are removed.
 * One owner thread; appending is a write(2) into the page cache, reading a pread(2). */
#ifndef COMPONENTS_COMMON_DISK_LOG_H
#define COMPONENTS_COMMON_DISK_LOG_H

#include <sys/uio.h>
#include "base/buf.h"
#include "base/log.h"

struct disk_log;
struct disk_log_conf {
    const char *dir;      /* made when missing, mode 0750; files 0600 */
    size_t segment_bytes; /* 0: 16 MiB */
    u64 max_bytes;        /* of all segments; 0: no bound */
    i64 max_segment_age;  /* ns; older segments are closed, and removed when passed; 0: none */
    struct logger *log;   /* for damage found */
};
struct disk_log_stats {
    u64 bytes;             /* of all segments */
    u64 records, damaged;  /* appended since the start; skipped records */
    u32 segments;
};
/* 0 or -errno with an owned *ret_err. */
int disk_log_open(const struct disk_log_conf *conf, struct disk_log **ret, char **ret_err);
void disk_log_close(struct disk_log *l); /* marks are written; takes NULL */
/* Appends one record. -ENOSPC: the bound is reached, nothing was written (a disk that is full says
 * the same, with errno's text from disk_log_error). */
int disk_log_append(struct disk_log *l, u8 kind, const struct iovec *v, int n) WARN_UNUSED;
const char *disk_log_error(const struct disk_log *l);
void disk_log_stats(const struct disk_log *l, struct disk_log_stats *ret);

/* A reader by name ([A-Za-z0-9_-]): it goes on where its mark is; without a mark at `from_start` the
 * oldest record, else the end. */
struct disk_reader;
struct disk_reader *disk_reader_open(struct disk_log *l, const char *name, bool from_start);
void disk_reader_close(struct disk_reader *r); /* the mark stays; takes NULL */
/* Forgets the mark as well: what only this reader held back is removed. */
void disk_reader_remove(struct disk_reader *r);
struct disk_place {
    u32 segment;
    u64 offset; /* of the next record */
};
/* The next record: 1 with *ret_payload (valid until the next call) and the place after it; 0: none
 * now; -errno. */
int disk_reader_next(struct disk_reader *r, u8 *ret_kind, struct str *ret_payload,
                     struct disk_place *ret_after);
/* Everything before `place` is done with: what a restart goes on from. Written soon, see
 * disk_log_sync_marks. */
void disk_reader_done(struct disk_reader *r, struct disk_place place);
/* Reads again from what is done. */
void disk_reader_rewind(struct disk_reader *r);
/* Bytes of records not yet done with. */
u64 disk_reader_backlog(const struct disk_reader *r);
void disk_log_sync_marks(struct disk_log *l);

#endif
