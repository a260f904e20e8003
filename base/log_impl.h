/* What log.c, log_format.c and log_write.c share. Nobody else includes it. */
#ifndef BASE_LOG_IMPL_H
#define BASE_LOG_IMPL_H

#include "base/json.h"
#include "base/log.h"
#include "base/refcount.h"
#include "base/spin.h"

/* --- formatting: one line being built in a buf of the caller's --- */
struct log_line {
    struct buf *b;
    enum log_format format;
    struct json_out json;
};
void log_line_begin(struct log_line *l, struct buf *b, enum log_format format, i64 now,
                    enum log_level level, const char *msg);
void log_line_fields(struct log_line *l, const struct log_field *fields, size_t n);
void log_line_end(struct log_line *l); /* with the LF */

/* --- writing: whole lines to a descriptor, from any thread, never waiting --- */
struct log_writer;
struct log_writer *log_writer_new(int fd);
void log_writer_free(struct log_writer *w);
void log_writer_add(struct log_writer *w, struct str line);
/* Counts a line that was lost before it came here. */
void log_writer_drop(struct log_writer *w);
u64 log_writer_dropped(const struct log_writer *w);

#endif
