/* Log records: level, message, fields; logfmt or JSON lines (Alloy's form: ts, level, msg, then
 * fields in order of attachment). A logger is a chain: root (formats and writes, never blocks: a
 * stderr that does not take it drops and counts) and children that carry fixed fields such as
 * component_id. Thread safe. Floors 0-3 do not log; they return errors. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/clock.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };
enum log_format { LOG_LOGFMT, LOG_JSON };

struct log_field {
    const char *key;
    enum { LF_STR, LF_INT, LF_UINT, LF_FLOAT, LF_BOOL, LF_DUR } kind;
    union {
        struct str s;
        i64 i;
        u64 u;
        f64 f;
        bool b;
    };
};

#define F_STR(k, v)   ((struct log_field){.key = (k), .kind = LF_STR, .s = (v)})
#define F_CSTR(k, v)  ((struct log_field){.key = (k), .kind = LF_STR, .s = str_of(v)})
#define F_INT(k, v)   ((struct log_field){.key = (k), .kind = LF_INT, .i = (v)})
#define F_UINT(k, v)  ((struct log_field){.key = (k), .kind = LF_UINT, .u = (v)})
#define F_FLOAT(k, v) ((struct log_field){.key = (k), .kind = LF_FLOAT, .f = (v)})
#define F_BOOL(k, v)  ((struct log_field){.key = (k), .kind = LF_BOOL, .b = (v)})
#define F_DUR(k, v)   ((struct log_field){.key = (k), .kind = LF_DUR, .i = (v)})

struct logger; /* counted */

/* Root writing to fd (made non-blocking use of with poll(0); never closed). Records are held in
 * memory until log_root_open. */
struct logger *log_root_new(const struct clock *clock, int fd);
/* Sets level and format; the first call releases what was held. Thread safe. */
void log_root_open(struct logger *root, enum log_level level, enum log_format format);
/* Drops what is held without printing it (first load failed). */
void log_root_discard(struct logger *root);
/* Also hands every formatted line (with LF) to fn on the calling thread; fn must not block or log.
 * NULL to stop; a call that another thread has begun may still be running then, so arg must outlive
 * the logger. */
void log_root_tee(struct logger *root, void (*fn)(void *arg, enum log_level level, struct str line),
                  void *arg);
/* While on, lines of this thread are kept from the tee (they are written all the same): it handles
 * what the tee gave out, and would feed it to itself. Returns what it was. */
bool log_echo(bool on);
/* Also keeps every line from now on, until there are max bytes. One recording at a time. */
void log_root_record(struct logger *root, size_t max);
/* Ends the recording and appends it to out. Returns how many lines did not fit. */
u64 log_root_recorded(struct logger *root, struct buf *out);
/* Lines lost: stderr did not take them, they were too long, or too many were held. */
u64 log_root_dropped(const struct logger *root);

/* A child with n fixed fields (copied). Holds a reference on its parent. */
struct logger *log_child(struct logger *parent, const struct log_field *fields, size_t n);
struct logger *log_ref(struct logger *l);
struct logger *log_unref(struct logger *l); /* takes NULL; returns NULL */

bool log_enabled(const struct logger *l, enum log_level level);
/* A NULL logger drops the record (tests). */
void log_emit(struct logger *l, enum log_level level, const char *msg,
              const struct log_field *fields, size_t n);

#define LOG_(l, level, msg, ...)                                                                   \
    log_emit((l), (level), (msg), (const struct log_field[]){{0}, ##__VA_ARGS__} + 1,              \
             sizeof((const struct log_field[]){{0}, ##__VA_ARGS__}) / sizeof(struct log_field) -   \
                 1)
#define log_debug(l, msg, ...) LOG_(l, LOG_DEBUG, msg, ##__VA_ARGS__)
#define log_info(l, msg, ...)  LOG_(l, LOG_INFO, msg, ##__VA_ARGS__)
#define log_warn(l, msg, ...)  LOG_(l, LOG_WARN, msg, ##__VA_ARGS__)
#define log_error(l, msg, ...) LOG_(l, LOG_ERROR, msg, ##__VA_ARGS__)

/* The empty text is the default: info, logfmt. False on an unknown word. */
bool log_level_parse(struct str s, enum log_level *ret);
bool log_format_parse(struct str s, enum log_format *ret);
const char *log_level_name(enum log_level level);

#endif
