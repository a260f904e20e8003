/* Loggers: levels, chains of fields, and who gets a finished line. Formatting is in log_format.c,
 * writing in log_write.c. Until the root is opened, records wait in both formats, because the one
 * to use is not known yet. */
#include "base/log_impl.h"

#include <stdlib.h>
#include "base/vec.h"
#include "base/xalloc.h"

#define LOG_LINE_MAX   (64 * 1024)
#define LOG_LINE_USUAL 250 /* bytes that most lines fit into */
#define LOG_HELD_MAX                                                                               \
    1000 /* records; of a first load with more nodes the rest is counted, not kept */

struct held {
    enum log_level level;
    char *line[2]; /* by enum log_format */
};

struct log_root {
    const struct clock *clock;
    struct log_writer *writer;
    _Atomic int level;  /* of what is wanted; everything while held */
    _Atomic int format; /* enum log_format, or -1 while held */
    struct spin lock;   /* of all below */
    VEC(struct held) held;
    void (*tee)(void *arg, enum log_level level, struct str line);
    void *tee_arg;
    struct buf record; /* max 0: nothing is recorded */
    u64 record_missed;
};

struct logger {
    struct refs refs;
    struct logger *parent;
    struct log_root *root;
    struct log_field *fields; /* keys and strings owned */
    size_t n;
};

struct logger *log_root_new(const struct clock *clock, int fd)
{
    struct logger *l = xnew(struct logger);

    refs_init(&l->refs);
    l->root = xnew(struct log_root);
    l->root->clock = clock;
    l->root->writer = log_writer_new(fd);
    atomic_init(&l->root->level, LOG_DEBUG);
    atomic_init(&l->root->format, -1);
    return l;
}

static void held_free(struct held *h)
{
    free(h->line[LOG_LOGFMT]);
    free(h->line[LOG_JSON]);
}

/* Takes what is held out of the root, so that it is handled without the lock. */
static size_t take_held(struct log_root *r, struct held **ret)
{
    spin_lock(&r->lock);
    size_t n = r->held.n;
    *ret = r->held.v;
    r->held.v = NULL;
    r->held.n = r->held.cap = 0;
    spin_unlock(&r->lock);
    return n;
}

void log_root_discard(struct logger *root)
{
    struct held *held;
    size_t n = take_held(root->root, &held);

    for (size_t i = 0; i < n; i++)
        held_free(&held[i]);
    free(held);
}

static __thread bool is_echo; /* of this thread's lines, see log_echo */

bool log_echo(bool on)
{
    bool was = is_echo;

    is_echo = on;
    return was;
}

/* Under the lock: its memory is there already. */
static void record(struct log_root *r, struct str line)
{
    if (r->record.max == 0) return;
    if (line.n <= r->record.max - r->record.n)
        buf_str(&r->record, line);
    else
        r->record_missed++;
}

static void deliver(struct log_root *r, enum log_level level, struct str line)
{
    spin_lock(&r->lock);
    void (*tee)(void *, enum log_level, struct str) = r->tee;
    void *arg = r->tee_arg;
    record(r, line);
    spin_unlock(&r->lock);
    log_writer_add(r->writer, line);
    if (tee && !is_echo) tee(arg, level, line);
}

/* The format is set under the lock: a record that saw the root closed is in the list before the
 * list is taken. */
void log_root_open(struct logger *root, enum log_level level, enum log_format format)
{
    struct log_root *r = root->root;
    struct held *held;

    spin_lock(&r->lock);
    atomic_store(&r->level, level);
    atomic_store(&r->format, format);
    spin_unlock(&r->lock);
    size_t n = take_held(r, &held);
    for (size_t i = 0; i < n; i++) {
        if (held[i].level >= level) deliver(r, held[i].level, str_of(held[i].line[format]));
        held_free(&held[i]);
    }
    free(held);
}

void log_root_tee(struct logger *root, void (*fn)(void *arg, enum log_level level, struct str line),
                  void *arg)
{
    spin_lock(&root->root->lock);
    root->root->tee = fn;
    root->root->tee_arg = arg;
    spin_unlock(&root->root->lock);
}

void log_root_record(struct logger *root, size_t max)
{
    struct log_root *r = root->root;
    struct buf b = BUF_INIT(max);

    buf_reserve(&b, max);
    spin_lock(&r->lock);
    struct buf old = r->record;
    r->record = b;
    r->record_missed = 0;
    spin_unlock(&r->lock);
    buf_done(&old);
}

u64 log_root_recorded(struct logger *root, struct buf *out)
{
    struct log_root *r = root->root;

    spin_lock(&r->lock);
    struct buf b = r->record;
    u64 missed = r->record_missed;
    r->record = (struct buf){0};
    r->record_missed = 0;
    spin_unlock(&r->lock);
    buf_str(out, buf_view(&b));
    buf_done(&b);
    return missed;
}

u64 log_root_dropped(const struct logger *root)
{
    return log_writer_dropped(root->root->writer);
}

/* --- chain --- */

struct logger *log_child(struct logger *parent, const struct log_field *fields, size_t n)
{
    if (!parent) return NULL;
    struct logger *l = xnew(struct logger);

    refs_init(&l->refs);
    l->parent = log_ref(parent);
    l->root = parent->root;
    l->fields = xcalloc(n, sizeof(*fields));
    l->n = n;
    for (size_t i = 0; i < n; i++) {
        l->fields[i] = fields[i];
        l->fields[i].key = xstrdup(fields[i].key);
        if (fields[i].kind == LF_STR) l->fields[i].s.p = str_dup(fields[i].s);
    }
    return l;
}

struct logger *log_ref(struct logger *l)
{
    if (l) refs_get(&l->refs);
    return l;
}

static void root_free(struct logger *l)
{
    log_root_discard(l);
    log_writer_free(l->root->writer);
    buf_done(&l->root->record);
    free(l->root);
}

struct logger *log_unref(struct logger *l)
{
    while (l && refs_put(&l->refs)) {
        struct logger *parent = l->parent;

        for (size_t i = 0; i < l->n; i++) {
            free((char *)l->fields[i].key);
            if (l->fields[i].kind == LF_STR) free((char *)l->fields[i].s.p);
        }
        free(l->fields);
        if (!parent) root_free(l);
        free(l);
        l = parent;
    }
    return NULL;
}

/* --- records --- */

bool log_enabled(const struct logger *l, enum log_level level)
{
    return l && (int)level >= atomic_load_explicit(&l->root->level, memory_order_relaxed);
}

static void add_chain(struct log_line *line, const struct logger *l)
{
    if (l->parent) add_chain(line, l->parent);
    log_line_fields(line, l->fields, l->n);
}

/* The finished line, owned; NULL when it is longer than a line may be. */
static char *format_line(const struct logger *l, enum log_format format, i64 now,
                         enum log_level level, const char *msg, const struct log_field *fields,
                         size_t n)
{
    struct buf b = BUF_INIT(LOG_LINE_MAX);
    struct log_line line;

    buf_reserve(&b, LOG_LINE_USUAL);
    log_line_begin(&line, &b, format, now, level, msg);
    add_chain(&line, l);
    log_line_fields(&line, fields, n);
    log_line_end(&line);
    if (buf_err(&b) == 0) return buf_take(&b, NULL);
    buf_done(&b);
    return NULL;
}

/* Nothing more is held: a record is not even formatted. */
static bool is_full(struct log_root *r)
{
    spin_lock(&r->lock);
    bool full = atomic_load(&r->format) < 0 && r->held.n >= LOG_HELD_MAX;
    spin_unlock(&r->lock);
    if (full) log_writer_drop(r->writer);
    return full;
}

/* False when the root was opened in the meantime: the record is then written as any other. */
static bool hold(struct log_root *r, enum log_level level, char *const line[2])
{
    bool closed = true, full = false;

    spin_lock(&r->lock);
    closed = atomic_load(&r->format) < 0;
    full = r->held.n >= LOG_HELD_MAX;
    if (closed && !full)
        vec_push(&r->held, ((struct held){level, {line[LOG_LOGFMT], line[LOG_JSON]}}));
    spin_unlock(&r->lock);
    if (closed && full) {
        log_writer_drop(r->writer);
        free(line[LOG_LOGFMT]);
        free(line[LOG_JSON]);
    }
    return closed;
}

void log_emit(struct logger *l, enum log_level level, const char *msg,
              const struct log_field *fields, size_t n)
{
    if (!log_enabled(l, level)) return;
    struct log_root *r = l->root;
    i64 now = clock_real(r->clock);
    int format = atomic_load(&r->format);
    char *line[2] = {NULL, NULL};

    if (format < 0 && is_full(r)) return;
    for (int f = LOG_LOGFMT; f <= LOG_JSON; f++) {
        if (format < 0 || f == format)
            line[f] = format_line(l, (enum log_format)f, now, level, msg, fields, n);
    }
    if (format < 0 && line[LOG_LOGFMT] && line[LOG_JSON] && hold(r, level, line)) return;
    if (format < 0) format = atomic_load(&r->format);
    if (format >= 0 && line[format] && log_enabled(l, level))
        deliver(r, level, str_of(line[format]));
    else if (format < 0 || !line[format])
        log_writer_drop(r->writer);
    free(line[LOG_LOGFMT]);
    free(line[LOG_JSON]);
}

/* --- names --- */

static const char *const level_names[] = {
    [LOG_DEBUG] = "debug", [LOG_INFO] = "info", [LOG_WARN] = "warn", [LOG_ERROR] = "error"};
static const char *const format_names[] = {[LOG_LOGFMT] = "logfmt", [LOG_JSON] = "json"};

const char *log_level_name(enum log_level level)
{
    return level_names[level];
}

/* Index of s in names, `empty` for an empty s, or -1. */
static int find_name(struct str s, const char *const *names, size_t n, int empty)
{
    if (s.n == 0) return empty;
    for (size_t i = 0; i < n; i++) {
        if (str_is(s, names[i])) return (int)i;
    }
    return -1;
}

bool log_level_parse(struct str s, enum log_level *ret)
{
    int i = find_name(s, level_names, ARRAY_LEN(level_names), LOG_INFO);

    if (i >= 0) *ret = (enum log_level)i;
    return i >= 0;
}

bool log_format_parse(struct str s, enum log_format *ret)
{
    int i = find_name(s, format_names, ARRAY_LEN(format_names), LOG_LOGFMT);

    if (i >= 0) *ret = (enum log_format)i;
    return i >= 0;
}
