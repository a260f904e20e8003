/* Marks: a small file for each reader, "<segment> <offset>\n" with zeros in front, replaced as a
 * whole. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>
#include "components/common/disk_log_impl.h"

#include "base/num.h"
#include "base/xalloc.h"

struct disk_place log_start(const struct disk_log *l)
{
    return (struct disk_place){l->segments.n ? l->segments.v[0].number : l->next_number, 0};
}

struct disk_place disk_log_end(const struct disk_log *l)
{
    if (!l->segments.n) return (struct disk_place){l->next_number, 0};
    const struct segment *s = &l->segments.v[l->segments.n - 1];
    return (struct disk_place){s->number, s->bytes};
}

u64 bytes_behind(const struct disk_log *l, struct disk_place p)
{
    u64 n = 0;

    for (size_t i = segment_from(l, p.segment); i < l->segments.n; i++) {
        const struct segment *s = &l->segments.v[i];
        n += s->number == p.segment ? s->bytes - MIN(s->bytes, p.offset) : s->bytes;
    }
    return n;
}

/* --- reading marks --- */

static bool is_name(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i], low = (char)(c | 0x20);
        if (!(low >= 'a' && low <= 'z') && !(c >= '0' && c <= '9') && c != '_' && c != '-')
            return false;
    }
    return s.n > 0 && s.n <= READER_NAME;
}

static struct disk_reader *reader_new(struct disk_log *l, struct str name)
{
    struct disk_reader *r = xnew(struct disk_reader);

    r->log = l;
    r->fd = -1;
    r->window = BUF_INIT(DISK_LOG_MAX_RECORD * 2);
    memcpy(r->name, name.p, name.n);
    vec_push(&l->readers, r);
    return r;
}

static bool parse_place(struct str text, struct disk_place *ret)
{
    struct str number = str_cut(&text, ' '), offset = str_trim(text);
    u64 n, at;

    if (num_parse_u64(number, &n) || num_parse_u64(offset, &at) || n == 0 || n > UINT32_MAX)
        return false;
    *ret = (struct disk_place){(u32)n, at};
    return true;
}

static char *mark_path(const struct disk_log *l, const char *name, const char *end)
{
    return xprintf("%s/%s.mark%s", l->dir, name, end);
}

/* A mark that cannot be read means the start: rather twice than never. */
static void mark_read(struct disk_reader *r)
{
    char text[64], *path = mark_path(r->log, r->name, "");
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text));

    r->done = log_start(r->log);
    if (n < 0 || !parse_place(str_n(text, (size_t)n), &r->done))
        log_warn(r->log->conf.log,
                 "a mark of the log cannot be read: what the log holds is sent from its start",
                 F_CSTR("file", path));
    if (fd >= 0) (void)close(fd);
    /* Numbers are not given again below a mark, even when its segment is gone. */
    r->log->next_number = MAX(r->log->next_number, r->done.segment + 1);
    free(path);
}

int marks_load(struct disk_log *l, char **ret_err)
{
    DIR *d = opendir(l->dir);

    if (!d) {
        int err = errno;
        *ret_err = xprintf("cannot read the folder %s: %s", l->dir, strerror(err));
        return -err;
    }
    for (struct dirent *e; (e = readdir(d));) {
        struct str name = str_of(e->d_name);
        if (!str_ends(name, STR(".mark"))) continue;
        name.n -= 5;
        if (is_name(name)) mark_read(reader_new(l, name));
    }
    (void)closedir(d);
    return 0;
}

/* --- writing marks --- */

static int write_text(const char *path, int how, struct str text)
{
    int fd = open(path, O_WRONLY | how | O_CLOEXEC | O_NOFOLLOW, 0600);

    if (fd < 0) return errno;
    ssize_t n = write(fd, text.p, text.n);
    int err = n == (ssize_t)text.n ? 0 : n < 0 ? errno : ENOSPC;
    if (close(fd) != 0 && !err) err = errno;
    return err;
}

int mark_write(struct disk_reader *r)
{
    char text[64], *path = mark_path(r->log, r->name, ""),
                   *temp = mark_path(r->log, r->name, ".new");
    int n = snprintf(text, sizeof(text), "%010u %020llu\n", r->done.segment,
                     (unsigned long long)r->done.offset);
    int err = write_text(temp, O_CREAT | O_TRUNC, str_n(text, (size_t)n));

    if (!err && rename(temp, path) != 0) err = errno;
    /* A full disk has no room for a new file. The text has the same length always, so that the old
     * one can be written over. */
    if (err && ((void)unlink(temp), write_text(path, 0, str_n(text, (size_t)n)) == 0)) err = 0;
    if (!err) r->dirty = false;
    free(path);
    free(temp);
    return err ? disk_log_fail(r->log, err, "a mark cannot be written") : 0;
}

void mark_remove(struct disk_reader *r)
{
    char *path = mark_path(r->log, r->name, "");

    if (unlink(path) != 0 && errno != ENOENT)
        log_warn(r->log->conf.log, "a mark of the log cannot be removed", F_CSTR("file", path),
                 F_CSTR("error", strerror(errno)));
    free(path);
}

int disk_log_sync_marks(struct disk_log *l)
{
    int err = 0;

    vec_each (&l->readers, at)
        if ((*at)->dirty && mark_write(*at)) err = -EIO;
    return err;
}

/* --- readers --- */

static struct disk_reader *find(const struct disk_log *l, const char *name)
{
    for (size_t i = 0; i < l->readers.n; i++)
        if (strcmp(l->readers.v[i]->name, name) == 0) return l->readers.v[i];
    return NULL;
}

bool disk_log_has_mark(const struct disk_log *l, const char *name)
{
    return find(l, name) != NULL;
}

const char *disk_log_sole_mark(const struct disk_log *l)
{
    const char *name = NULL;

    for (size_t i = 0; i < l->readers.n; i++) {
        if (l->readers.v[i]->open) continue;
        if (name) return NULL;
        name = l->readers.v[i]->name;
    }
    return name;
}

struct disk_reader *disk_reader_open(struct disk_log *l, const char *name, bool from_start)
{
    struct disk_reader *r = find(l, name);

    ASSERT(is_name(str_of(name)) && (!r || !r->open));
    if (!r) {
        r = reader_new(l, str_of(name));
        r->done = from_start ? log_start(l) : disk_log_end(l);
        if (mark_write(r)) {
            reader_free(r);
            return NULL;
        }
    }
    r->open = true;
    r->at = r->done;
    return r;
}

void reader_free(struct disk_reader *r)
{
    struct disk_log *l = r->log;

    for (size_t i = 0; i < l->readers.n; i++)
        if (l->readers.v[i] == r) {
            vec_remove(&l->readers, i);
            break;
        }
    if (r->fd >= 0) (void)close(r->fd);
    buf_done(&r->window);
    free(r);
}

/* The mark stays, in memory too: it holds back what has not been read. */
void disk_reader_close(struct disk_reader *r)
{
    if (!r) return;
    if (r->dirty) (void)mark_write(r);
    r->open = false;
    if (r->fd >= 0) (void)close(r->fd);
    r->fd = -1;
    buf_done(&r->window);
}

static void forget(struct disk_reader *r)
{
    mark_remove(r);
    reader_free(r);
}

void disk_reader_remove(struct disk_reader *r)
{
    if (!r) return;
    struct disk_log *l = r->log;
    forget(r);
    segments_remove_passed(l);
}

u32 disk_log_keep_readers(struct disk_log *l)
{
    u32 n = 0;

    for (size_t i = l->readers.n; i-- > 0;)
        if (!l->readers.v[i]->open) {
            forget(l->readers.v[i]);
            n++;
        }
    l->removing = true;
    segments_remove_passed(l);
    return n;
}

static bool before(struct disk_place a, struct disk_place b)
{
    return a.segment < b.segment || (a.segment == b.segment && a.offset < b.offset);
}

void disk_reader_done(struct disk_reader *r, struct disk_place place)
{
    if (!before(r->done, place)) return;
    bool passed = place.segment != r->done.segment || segment_is_passed(r->log, place);
    r->done = place;
    r->dirty = true;
    if (!passed) return;
    (void)mark_write(
        r); /* it stays dirty; one that points at what is gone means the next segment */
    segments_remove_passed(r->log);
}

void disk_reader_rewind(struct disk_reader *r)
{
    r->at = r->done;
}

void disk_reader_seek(struct disk_reader *r, struct disk_place place)
{
    r->at = place;
}

struct disk_place disk_reader_at(const struct disk_reader *r)
{
    return r->at;
}

u64 disk_reader_backlog(const struct disk_reader *r)
{
    return bytes_behind(r->log, r->done);
}

u64 disk_reader_unread(const struct disk_reader *r)
{
    return bytes_behind(r->log, r->at);
}

bool disk_reader_at_end(const struct disk_reader *r)
{
    const struct disk_log *l = r->log;
    size_t i = l->segments.n;

    while (i > 0 && l->segments.v[i - 1].number > r->at.segment)
        if (l->segments.v[--i].bytes) return false;
    return i == 0 || l->segments.v[i - 1].number < r->at.segment ||
           l->segments.v[i - 1].bytes <= r->at.offset;
}
