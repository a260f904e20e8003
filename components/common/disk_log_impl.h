/* Inside of the log on disk: disk_log.c (life, appending), disk_segment.c (files and what is
 * removed), disk_reader.c (reading), disk_mark.c (marks). */
#ifndef COMPONENTS_COMMON_DISK_LOG_IMPL_H
#define COMPONENTS_COMMON_DISK_LOG_IMPL_H

#include "base/assert.h"
#include "base/vec.h"
#include "components/common/disk_log.h"

#define RECORD_MAGIC 0x676c6457u /* "Wdlg" */
#define RECORD_ALIGN 8u
#define READER_NAME  64

/* What stands before a payload, little endian; records begin at multiples of RECORD_ALIGN, the
 * bytes between are zero. */
struct record_head {
    u32 magic;
    u32 length; /* of the payload */
    u32 crc;    /* CRC-32C of the payload */
    u8 kind;
    u8 zero;
    u16 check; /* lower half of the CRC-32C of what stands before it */
};
_Static_assert(sizeof(struct record_head) == 16, "the head is written as it stands");
u16 record_check(const struct record_head *h);

struct segment {
    u32 number;
    u64 bytes; /* what may be read */
};

struct disk_log {
    struct disk_log_conf conf;
    char *dir;
    VEC(struct segment) segments; /* oldest first; the last one may be open for writing */
    int fd;                       /* of the last segment; -1: the next append begins one */
    i64 opened;                   /* monotonic, when it was begun */
    bool held;                    /* the next append goes to it, whatever its size */
    u32 next_number;
    u64 bytes, records, damaged, removals;
    i64 removing_ns;
    struct disk_place told; /* where the damage was that was told of last */
    char *error;
    bool removing; /* readers are known: what is passed may go */
    VEC(struct disk_reader *) readers;
};

struct disk_reader {
    struct disk_log *log;
    char name[READER_NAME + 1];
    bool open;  /* else: a mark found on disk that nobody has claimed */
    bool dirty; /* the mark on disk is behind */
    struct disk_place done, at;
    /* What was read of a segment, ahead of `at`. */
    int fd; /* -1: none */
    u32 fd_segment;
    struct buf window;
    u64 window_start;
};

/* --- segments --- */
char *segment_path(const struct disk_log *l, u32 number);
/* Finds what is there. */
int segments_load(struct disk_log *l, char **ret_err);
/* Index of the first segment with at least this number. */
size_t segment_from(const struct disk_log *l, u32 number);
int segment_begin(struct disk_log *l);
/* Closes the one being written; synced on the pool. */
void segment_end(struct disk_log *l);
/* The place is the end of a segment that is not written to any more. */
bool segment_is_passed(const struct disk_log *l, struct disk_place p);
/* Removes what every reader has passed. */
void segments_remove_passed(struct disk_log *l);
int disk_log_fail(struct disk_log *l, int err, const char *what);

/* --- marks --- */
int marks_load(struct disk_log *l, char **ret_err);
int mark_write(struct disk_reader *r);
void mark_remove(struct disk_reader *r);
void reader_free(struct disk_reader *r);
struct disk_place log_start(const struct disk_log *l);
u64 bytes_behind(const struct disk_log *l, struct disk_place p);

#endif
