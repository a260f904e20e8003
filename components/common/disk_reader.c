/* Reading records. A window of the segment's bytes is read ahead; what is broken is skipped to the
 * next place where a head and its checksum stand. */
#include "components/common/disk_log_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/hash.h"
#include "base/xalloc.h"

#define READ_AHEAD ((size_t)64 << 10)

static int open_segment(struct disk_reader *r, u32 number)
{
    if (r->fd >= 0 && r->fd_segment == number) return 0;
    if (r->fd >= 0) (void)close(r->fd);
    char *path = segment_path(r->log, number);
    r->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    int err = r->fd < 0 ? errno : 0;
    free(path);
    r->fd_segment = number;
    buf_reset(&r->window);
    return err ? disk_log_fail(r->log, err, "a segment cannot be opened") : 0;
}

/* n bytes at `offset` of the open segment, which has them; or NULL with *ret_err. */
static const char *bytes_at(struct disk_reader *r, u64 offset, size_t n, u64 size, int *ret_err)
{
    u64 end = r->window_start + r->window.n;

    if (offset >= r->window_start && offset + n <= end)
        return r->window.p + (offset - r->window_start);
    size_t want = (size_t)MIN(MAX(n, READ_AHEAD), size - offset);
    buf_reset(&r->window);
    if (r->window.cap > READ_AHEAD * 2 && n <= READ_AHEAD) buf_done(&r->window);
    char *p = buf_reserve(&r->window, want);
    ssize_t got = p ? pread(r->fd, p, want, (off_t)offset) : -1;
    if (!p || got < (ssize_t)n) {
        int err = !p ? ENOMEM : got < 0 ? errno : EIO; /* shorter than it was: somebody cut it */
        *ret_err = disk_log_fail(r->log, err, "a segment cannot be read");
        return NULL;
    }
    buf_commit(&r->window, (size_t)got);
    r->window_start = offset;
    return r->window.p;
}

static bool is_head(const char *p, struct record_head *ret)
{
    memcpy(ret, p, sizeof(*ret));
    return ret->magic == RECORD_MAGIC && ret->check == record_check(ret) &&
           ret->length <= DISK_LOG_MAX_RECORD;
}

static u64 size_of(const struct record_head *h)
{
    return (sizeof(*h) + h->length + RECORD_ALIGN - 1) & ~(u64)(RECORD_ALIGN - 1);
}

static void damaged(struct disk_reader *r, u64 from, u64 to)
{
    struct disk_log *l = r->log;

    /* Readers come by one after the other: it is told once. */
    if (l->told.segment == r->at.segment && l->told.offset == from) return;
    l->told = (struct disk_place){r->at.segment, from};
    l->damaged++;
    char *path = segment_path(l, r->at.segment);
    log_warn(l->conf.log,
             "a part of the log on disk is damaged and is skipped: its records are lost",
             F_CSTR("file", path), F_UINT("offset", from), F_UINT("bytes", to - from));
    free(path);
}

/* The next offset at or behind `from` where a head stands; the segment's end when there is none. */
static u64 next_head(struct disk_reader *r, u64 from, u64 size, int *ret_err)
{
    struct record_head h;

    from = (from + RECORD_ALIGN - 1) & ~(u64)(RECORD_ALIGN - 1);
    for (; from + sizeof(h) <= size; from += RECORD_ALIGN) {
        const char *p = bytes_at(r, from, sizeof(h), size, ret_err);
        if (!p) return size;
        if (is_head(p, &h)) return from;
    }
    return size;
}

/* Somebody cut the file while we had it: what is behind its end is lost, and nothing more is
 * written to it. */
static bool was_cut(struct disk_reader *r, u64 size, int err)
{
    struct disk_log *l = r->log;
    struct stat st;

    if (err != -EIO || fstat(r->fd, &st) != 0 || (u64)st.st_size >= size) return false;
    if (vec_last(&l->segments).number == r->at.segment) segment_end(l);
    damaged(r, r->at.offset, size);
    r->at.offset = size;
    return true;
}

/* A record at r->at: 1; 0: it was damaged, r->at is behind the damage; -errno. */
static int read_record(struct disk_reader *r, u64 size, u8 *ret_kind, struct str *ret_payload)
{
    struct record_head h;
    u64 at = r->at.offset;
    int err = 0;
    const char *p = size - at < sizeof(h) ? NULL : bytes_at(r, at, sizeof(h), size, &err);

    if (err) return err;
    bool known = p && is_head(p, &h), whole = known && at + sizeof(h) + h.length <= size;
    if (whole && !(p = bytes_at(r, at, sizeof(h) + h.length, size, &err))) return err;
    if (whole && crc32c(0, p + sizeof(h), h.length) == h.crc) {
        *ret_kind = h.kind;
        *ret_payload = str_n(p + sizeof(h), h.length);
        r->at.offset = MIN(at + size_of(&h), size);
        return 1;
    }
    u64 to = whole ? at + size_of(&h) : next_head(r, at + 1, size, &err);
    if (err) return err;
    damaged(r, at, MIN(to, size));
    r->at.offset = MIN(to, size);
    return 0;
}

/* The segment that r->at is in, or the next one when that is gone or read to its end; NULL: nothing
 * is left. */
static const struct segment *segment_at(struct disk_reader *r)
{
    const struct disk_log *l = r->log;

    for (size_t i = segment_from(l, r->at.segment); i < l->segments.n; i++) {
        const struct segment *s = &l->segments.v[i];
        if (s->number != r->at.segment) r->at = (struct disk_place){s->number, 0};
        if (r->at.offset < s->bytes) return s;
    }
    return NULL;
}

int disk_reader_next(struct disk_reader *r, u8 *ret_kind, struct str *ret_payload,
                     struct disk_place *ret_after)
{
    const struct segment *s;

    while ((s = segment_at(r))) {
        int got = open_segment(r, s->number);
        if (got == -ENOENT) { /* somebody removed it */
            damaged(r, r->at.offset, s->bytes);
            r->at.offset = s->bytes;
            continue;
        }
        if (!got) got = read_record(r, s->bytes, ret_kind, ret_payload);
        if (got < 0 && was_cut(r, s->bytes, got)) continue;
        if (got > 0) *ret_after = r->at;
        if (got) return got;
    }
    return 0;
}
