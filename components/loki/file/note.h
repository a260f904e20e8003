/* What is kept beside a position: which file it was of. */
#ifndef COMPONENTS_LOKI_FILE_NOTE_H
#define COMPONENTS_LOKI_FILE_NOTE_H

#include "components/loki/file/handle.h"

#define NOTE_LATE_MAX 8
#define NOTE_TEXT_MAX 1024

/* A file that had the path before and may have got lines since, see late.h. */
struct late_note {
    u64 ino;
    struct head head;
    u64 offset; /* delivered up to here */
};
struct file_note {
    u64 ino;
    struct head head;
    u64 since; /* of an empty file: when it was last changed, ns; else 0 */
    struct late_note late[NOTE_LATE_MAX];
    u32 n_late;
};
/* "ino=12 head=1024:4711", the hash in decimal; "ino=12 head=0:0 since=1796032800000000000"; behind
 * either " late=11:1024:4712:80000" for each of those. out: NOTE_TEXT_MAX bytes. */
void file_note_write(const struct file_note *n, char *out);
/* False: it is no such text, *ret is zeroed. */
bool file_note_parse(struct str text, struct file_note *ret);

#endif
