/* One open file being read: whole lines of it as pieces of counted blobs. Plain files are read in
 * place (a line is not read twice, and not kept, while its end is missing); packed ones are
 * unpacked on the way, and offsets are then those of the unpacked bytes.
 *
 * A handle stays when its path names another file already: what it has not given yet is read to its
 * end. Handles of a tailer form a queue (tailer.h); one worker. */
#ifndef COMPONENTS_LOKI_FILE_HANDLE_H
#define COMPONENTS_LOKI_FILE_HANDLE_H

#include <sys/stat.h>
#include "base/blob.h"
#include "base/unpack.h"
#include "components/loki/file/charset.h"

/* Read at once. From 128 KiB on malloc maps and unmaps each piece, which doubles the CPU time of
 * reading. */
#define HANDLE_CHUNK    ((size_t)64 << 10)
#define HANDLE_LINE_MAX ((size_t)64 << 20) /* a longer line is cut into lines of this length */
#define HEAD_MAX        1024

/* What a file is known by, whatever its name and number: its first bytes. */
struct head {
    u32 n;
    u64 hash;
};

/* What all handles of a component share. */
struct reading {
    struct budget *budget;
    struct charset *configured, *utf16_be, *utf16_le; /* the last two when first needed */
    char *scratch;                                    /* HANDLE_CHUNK bytes, when first needed */
};
void reading_done(struct reading *r);

struct packed_lines;
struct handle {
    struct handle *next; /* what was found at the path later */
    int fd;
    u64 dev, ino;
    u64 start;   /* where reading of it began */
    u64 offset;  /* of the next byte to give: the start of a line */
    u64 scanned; /* no newline before this place */
    u64 base;    /* the tailer's mark of its byte 0; the mark where reading began is base + start */
    struct head head;
    struct charset *charset;
    struct packed_lines *packed; /* NULL: plain */
    bool bom_known;
    bool closing; /* what is to be read after it has begun: it is read to its end once more */
    bool ended;   /* it was */
    bool resting; /* nobody writes to it any more: a copy, or packed */
    bool dead;    /* what it had is gone: truncated, and no copy of it was found */
    bool bounded; /* it is read up to `end` only: what is behind belongs to another handle */
    bool late;    /* lines that came when its successor had begun; see late.h */
    u64 end;
    i64 quiet_at; /* while it waits for late lines: until when */
};

/* Opens path. 0; -EISDIR, -EINVAL (no regular file), or -errno. */
int handle_open(const char *path, struct handle **ret);
/* Another handle on the same file; NULL: no descriptor is left. */
struct handle *handle_again(const struct handle *h);
void handle_close(struct handle *h); /* takes NULL; not what follows it */
/* Its bytes are to be unpacked; before anything is read. */
void handle_unpack(struct handle *h, enum unpack_format f);
/* Reads on from there, as if it had not been read beyond. */
void handle_seek(struct handle *h, u64 offset);
/* How large the file is now (as it lies on disk). 0 or -errno. */
int handle_stat(const struct handle *h, struct stat *ret);

/* --- identity --- */
/* Takes more of the head, when it has grown and is not complete. */
void handle_update_head(struct handle *h, u64 size);
/* Whether the file begins with these bytes; an empty head fits every file. */
bool handle_has_head(struct handle *h, const struct reading *r, const struct head *head);

/* --- pieces --- */
struct piece {
    struct blob *blob; /* the caller's reference */
    struct str lines;  /* whole lines with their newlines; the last may lack it when final */
    bool cut;          /* the line is longer than HANDLE_LINE_MAX */
};
/* The next lines: 1, 0: there are none now, -ENOMEM: later, -EAGAIN: the mark at the start is not
 * whole yet, or another negative code with *ret_err (static). final: a last line without newline is
 * given as well. */
int handle_read(struct handle *h, struct reading *r, bool final, struct piece *ret,
                const char **ret_err);
/* Packed: the stream ends within a member. */
bool handle_is_cut_short(const struct handle *h);
/* After the last newline, or 0: where a reader that skips the past begins. */
int handle_seek_last_line(struct handle *h, struct reading *r);

#endif
