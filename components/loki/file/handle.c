/* Opening files, knowing them again, and cutting pieces of whole lines from them. */
#include "components/loki/file/handle.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>
#include "base/hash.h"
#include "base/xalloc.h"
#include "components/loki/file/packed.h"

struct packed_lines {
    struct packed *stream;
    struct buf rest; /* unpacked, the start of a line without its end */
};

void reading_done(struct reading *r)
{
    charset_free(r->configured);
    charset_free(r->utf16_be);
    charset_free(r->utf16_le);
    free(r->scratch);
    *r = (struct reading){0};
}

/* --- opening --- */

static struct handle *handle_of(int fd, const struct stat *st)
{
    struct handle *h = xnew(struct handle);

    h->fd = fd;
    h->dev = (u64)st->st_dev;
    h->ino = (u64)st->st_ino;
    return h;
}

/* Without waiting for the other end of what turns out to be a pipe. */
int handle_open(const char *path, struct handle **ret)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct stat st;

    if (fd < 0) return -errno;
    int err = fstat(fd, &st) < 0    ? -errno
              : S_ISDIR(st.st_mode) ? -EISDIR
              : S_ISREG(st.st_mode) ? 0
                                    : -EINVAL;
    if (err)
        close(fd);
    else
        *ret = handle_of(fd, &st);
    return err;
}

struct handle *handle_again(const struct handle *h)
{
    int fd = fcntl(h->fd, F_DUPFD_CLOEXEC, 3);
    struct stat st = {.st_dev = (dev_t)h->dev, .st_ino = (ino_t)h->ino};

    return fd < 0 ? NULL : handle_of(fd, &st);
}

void handle_close(struct handle *h)
{
    if (!h) return;
    if (h->packed) {
        packed_free(h->packed->stream);
        buf_done(&h->packed->rest);
        free(h->packed);
    }
    close(h->fd);
    free(h);
}

void handle_unpack(struct handle *h, enum unpack_format f)
{
    struct packed_lines *p = xnew(struct packed_lines);

    p->stream = packed_new(f);
    p->rest = (struct buf)BUF_INIT(HANDLE_LINE_MAX);
    h->packed = p;
}

void handle_seek(struct handle *h, u64 offset)
{
    struct packed_lines *p = h->packed;

    h->offset = h->scanned = offset;
    h->closing = h->ended = false;
    if (!p) return;
    packed_rewind(p->stream, offset);
    buf_reset(&p->rest);
}

int handle_stat(const struct handle *h, struct stat *ret)
{
    return fstat(h->fd, ret) < 0 ? -errno : 0;
}

bool handle_is_cut_short(const struct handle *h)
{
    return h->packed && packed_is_cut_short(h->packed->stream);
}

/* --- identity --- */

static ssize_t read_at(int fd, char *out, size_t n, u64 at)
{
    size_t have = 0;

    while (have < n) {
        ssize_t got = pread(fd, out + have, n - have, (off_t)(at + have));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return -errno;
        if (got == 0) break;
        have += (size_t)got;
    }
    return (ssize_t)have;
}

/* Of a packed file the unpacked head: what it was before it was packed. */
static ssize_t read_head(const struct handle *h, char *out, size_t n)
{
    const char *why;

    if (!h->packed) return read_at(h->fd, out, n, 0);
    struct packed_lines *p = h->packed;
    packed_rewind(p->stream, 0);
    ssize_t got = packed_read(p->stream, h->fd, out, n, &why);
    packed_rewind(p->stream, h->offset);
    return got;
}

void handle_update_head(struct handle *h, u64 size)
{
    char bytes[HEAD_MAX];
    bool begun = h->packed && (h->head.n > 0 || h->offset > 0); /* it would be unpacked once more */

    if (begun || h->head.n == HEAD_MAX || size <= h->head.n) return;
    ssize_t n = read_head(h, bytes, HEAD_MAX);
    if (n > (ssize_t)h->head.n) h->head = (struct head){(u32)n, hash_bytes(bytes, (size_t)n, 0)};
}

bool handle_has_head(struct handle *h, const struct reading *r, const struct head *head)
{
    char bytes[HEAD_MAX];
    ssize_t n = read_head(h, bytes, head->n);

    return n == (ssize_t)head->n && hash_bytes(bytes, (size_t)n, 0) == head->hash;
}

/* --- the mark at the start --- */

static struct charset *shared_charset(struct charset **c, struct str name)
{
    if (!*c) (void)charset_new(name, c); /* every iconv knows these */
    return *c;
}

/* What the mark says; reading begins behind it. */
static void obey_bom(struct handle *h, struct reading *r, enum bom bom, size_t n)
{
    h->charset = bom == BOM_UTF8       ? NULL
                 : bom == BOM_UTF16_BE ? shared_charset(&r->utf16_be, STR("UTF-16BE"))
                 : bom == BOM_UTF16_LE ? shared_charset(&r->utf16_le, STR("UTF-16LE"))
                                       : r->configured;
    h->bom_known = true;
    if (h->offset >= n) return;
    h->offset = h->scanned = n;
    if (h->packed) packed_rewind(h->packed->stream, n);
}

/* 0, or -EAGAIN while there are too few bytes to tell. */
static int look_for_bom(struct handle *h, struct reading *r)
{
    char bytes[4];
    size_t n = 0;

    if (h->bom_known) return 0;
    ssize_t got = read_head(h, bytes, sizeof(bytes));
    if (got <= 0) return -EAGAIN;
    enum bom bom = charset_bom(str_n(bytes, (size_t)got), &n);
    if (bom == BOM_MAYBE) return -EAGAIN;
    obey_bom(h, r, bom, n);
    return 0;
}

/* --- plain files --- */

static char *scratch_of(struct reading *r)
{
    if (!r->scratch) r->scratch = xmalloc(HANDLE_CHUNK);
    return r->scratch;
}

/* Looks for the end of a line of which a part is known to have none. How many bytes from h->offset
 * on make the next piece; 0: the end is not there. */
static u64 scan(struct handle *h, struct reading *r, u64 size)
{
    char *p = scratch_of(r);

    while (h->scanned < size && h->scanned - h->offset < HANDLE_LINE_MAX) {
        ssize_t n = read_at(h->fd, p, (size_t)MIN(size - h->scanned, HANDLE_CHUNK), h->scanned);
        n -= n > 0 ? n % (ssize_t)charset_width(h->charset) : 0;
        if (n <= 0) return 0;
        size_t end = charset_line_end(h->charset, str_n(p, (size_t)n));
        if (end) return h->scanned + end - h->offset;
        h->scanned += (u64)n;
    }
    return h->scanned - h->offset >= HANDLE_LINE_MAX ? HANDLE_LINE_MAX : 0;
}

static u64 piece_size(struct handle *h, struct reading *r, u64 size, bool final)
{
    u64 left = size > h->offset ? size - h->offset : 0;

    if (h->scanned <= h->offset) return MIN(left, HANDLE_CHUNK);
    u64 n = scan(h, r, size);
    return n > 0 || !final ? n : MIN(left, HANDLE_LINE_MAX);
}

/* What of the bytes is given: up to the last newline; all of it when no more will come, or when it
 * is too long. 0: nothing yet. */
static size_t give(struct handle *h, const struct blob *b, u64 size, bool final, bool *ret_cut)
{
    size_t end = charset_last_end(h->charset, blob_view(b));

    *ret_cut = end == 0 && b->n >= HANDLE_LINE_MAX;
    if (end > 0) return end;
    return *ret_cut || (final && h->offset + b->n >= size) ? b->n : 0;
}

static int read_blob(struct handle *h, struct reading *r, u64 n, struct blob **ret,
                     const char **ret_err)
{
    struct blob *b = blob_new((size_t)n, r->budget);

    if (!b) return -ENOMEM;
    ssize_t got = read_at(h->fd, b->p, (size_t)n, h->offset);
    if (got <= 0) {
        if (got < 0) *ret_err = strerror((int)-got);
        blob_unref(b);
        return (int)got;
    }
    b->n = (size_t)got;
    *ret = b;
    return 1;
}

static int read_plain(struct handle *h, struct reading *r, bool final, struct piece *ret,
                      const char **ret_err)
{
    struct stat st;

    for (;;) {
        if (handle_stat(h, &st) < 0) return 0;
        u64 size = h->bounded ? MIN((u64)st.st_size, h->end) : (u64)st.st_size;
        u64 n = piece_size(h, r, size, final);
        int rc = n > 0 ? read_blob(h, r, n, &ret->blob, ret_err) : 0;
        if (rc <= 0) return rc;
        size_t end = give(h, ret->blob, size, final, &ret->cut);
        if (end > 0) {
            ret->lines = str_n(ret->blob->p, end);
            h->scanned = h->offset += end;
            return 1;
        }
        h->scanned = h->offset + ret->blob->n - ret->blob->n % charset_width(h->charset);
        if (h->scanned == h->offset) h->scanned++; /* half a unit: from now on it is searched */
        blob_unref(ret->blob);
        ret->blob = NULL;
        if (n < HANDLE_CHUNK && !final) return 0;
    }
}

/* --- packed files --- */

/* What was left of the last piece, and as much again as a chunk. */
static int unpack_blob(struct handle *h, struct reading *r, struct blob **ret, bool *ret_end,
                       const char **ret_err)
{
    struct packed_lines *p = h->packed;
    size_t cap = p->rest.n + MAX(HANDLE_CHUNK, p->rest.n);
    struct blob *b = blob_new(MIN(cap, HANDLE_LINE_MAX + HANDLE_CHUNK), r->budget);

    if (!b) return -ENOMEM;
    if (p->rest.n) memcpy(b->p, p->rest.p, p->rest.n);
    ssize_t got = packed_read(p->stream, h->fd, b->p + p->rest.n, b->cap - p->rest.n, ret_err);
    if (got < 0) {
        blob_unref(b);
        return (int)got;
    }
    b->n = p->rest.n + (size_t)got;
    *ret_end = b->n < b->cap;
    *ret = b;
    return 1;
}

static int keep_rest(struct packed_lines *p, struct str rest)
{
    buf_reset(&p->rest);
    buf_str(&p->rest, rest);
    return buf_err(&p->rest);
}

static int read_packed(struct handle *h, struct reading *r, bool final, struct piece *ret,
                       const char **ret_err)
{
    bool at_end = false;

    while (!at_end) {
        int rc = unpack_blob(h, r, &ret->blob, &at_end, ret_err);
        if (rc <= 0) return rc;
        struct blob *b = ret->blob;
        size_t end = charset_last_end(h->charset, blob_view(b));
        ret->cut = end == 0 && b->n >= HANDLE_LINE_MAX;
        if (end == 0 && (ret->cut || (final && at_end))) end = b->n;
        struct str rest = str_sub(blob_view(b), end, b->n);
        if (keep_rest(h->packed, rest) < 0) return -ENOMEM;
        h->scanned = h->offset += end;
        ret->lines = str_n(b->p, end);
        if (end > 0) return 1;
        blob_unref(b);
        ret->blob = NULL;
    }
    return 0;
}

/* --- both --- */

int handle_read(struct handle *h, struct reading *r, bool final, struct piece *ret,
                const char **ret_err)
{
    *ret = (struct piece){0};
    int rc = look_for_bom(h, r);
    if (rc == -EAGAIN && final) { /* what there is of a mark is text then */
        obey_bom(h, r, BOM_NONE, 0);
        rc = 0;
    }
    if (rc < 0) return rc;
    rc = h->packed ? read_packed(h, r, final, ret, ret_err) : read_plain(h, r, final, ret, ret_err);
    if (rc <= 0) {
        blob_unref(ret->blob);
        ret->blob = NULL;
    }
    return rc;
}

int handle_seek_last_line(struct handle *h, struct reading *r)
{
    struct stat st;
    int err = handle_stat(h, &st);
    size_t width = charset_width(h->charset ? h->charset : r->configured);

    if (!err) (void)look_for_bom(h, r);
    for (u64 end = err ? 0 : (u64)st.st_size - (u64)st.st_size % width; end > h->offset;) {
        u64 from = end > HANDLE_CHUNK ? end - HANDLE_CHUNK : 0;
        ssize_t n = read_at(h->fd, scratch_of(r), (size_t)(end - from), from);
        if (n < (ssize_t)(end - from)) return n < 0 ? (int)n : -EIO;
        size_t at = charset_last_end(h->charset, str_n(r->scratch, (size_t)n));
        if (at > 0) {
            handle_seek(h, from + at);
            break;
        }
        end = from;
    }
    return err;
}
