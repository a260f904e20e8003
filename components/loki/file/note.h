/* What is kept beside a position: which file it was of. */
#ifndef COMPONENTS_LOKI_FILE_NOTE_H
#define COMPONENTS_LOKI_FILE_NOTE_H

#include "components/loki/file/handle.h"

struct file_note {
    u64 ino;
    struct head head;
    u64 since; /* of an empty file: when it was last changed, ns; else 0 */
};
/* "ino=12 head=1024:4711", the hash in decimal; "ino=12 head=0:0 since=1796032800000000000". */
void file_note_write(const struct file_note *n, char *out, size_t size);
/* False: it is no such text, *ret is zeroed. */
bool file_note_parse(struct str text, struct file_note *ret);

#endif
