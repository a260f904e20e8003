/* Writes a ZIP archive into a buf: entries deflated, or stored where that is no larger. Names are
 * UTF-8; sizes below 4 GiB. The buf is the caller's and carries the errors. One thread. */
#ifndef BASE_ZIP_H
#define BASE_ZIP_H

#include "base/buf.h"
#include "base/vec.h"

struct zip_entry {
    char *name;
    u32 crc, packed, size, offset;
    bool deflated;
};
struct zip {
    struct buf *out;
    u16 date, time;
    VEC(struct zip_entry) entries;
};

/* real_ns: when all entries were last changed. */
void zip_init(struct zip *z, struct buf *out, i64 real_ns);
void zip_add(struct zip *z, const char *name, struct str content);
/* Writes the directory and frees; buf_err(out) tells whether all fitted. */
void zip_finish(struct zip *z);

#endif
