/* The log on disk: opening, closing, appending. A record is one writev(2); what fails halfway is
 * cut off again, or left behind in a segment that is not written to any more. */
#include "components/common/disk_log_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/hash.h"
#include "base/xalloc.h"

#define SEGMENT_BYTES ((size_t)16 << 20)

u16 record_check(const struct record_head *h)
{
    return (u16)crc32c(0, h, offsetof(struct record_head, check));
}

int disk_log_fail(struct disk_log *l, int err, const char *what)
{
    free(l->error);
    l->error = err == ENOSPC && !what ? xstrdup("the log has reached its largest size")
                                      : xprintf("%s: %s", what, strerror(err));
    return -err;
}

const char *disk_log_error(const struct disk_log *l)
{
    return l->error ? l->error : "";
}

/* --- life --- */

static int make_dir(const char *dir, char **ret_err)
{
    if (mkdir(dir, 0750) == 0 || errno == EEXIST) return 0;
    int err = errno;
    *ret_err = xprintf("cannot make the folder %s: %s", dir, strerror(err));
    return -err;
}

void disk_log_limit(struct disk_log *l, const struct disk_log_conf *conf)
{
    l->conf.segment_bytes = conf->segment_bytes ? conf->segment_bytes : SEGMENT_BYTES;
    l->conf.max_bytes = conf->max_bytes;
    l->conf.max_segment_age = conf->max_segment_age;
}

int disk_log_open(const struct disk_log_conf *conf, struct disk_log **ret, char **ret_err)
{
    struct disk_log *l = xnew(struct disk_log);
    int err = make_dir(conf->dir, ret_err);

    l->conf = *conf;
    disk_log_limit(l, conf);
    l->dir = xstrdup(conf->dir);
    l->fd = -1;
    l->next_number = 1;
    if (!err) err = segments_load(l, ret_err);
    if (!err) err = marks_load(l, ret_err);
    if (err) {
        disk_log_close(l);
        return err;
    }
    *ret = l;
    return 0;
}

void disk_log_close(struct disk_log *l)
{
    if (!l) return;
    segment_end(l);
    (void)disk_log_sync_marks(l);
    while (l->readers.n)
        reader_free(l->readers.v[0]);
    vec_done(&l->readers);
    vec_done(&l->segments);
    free(l->error);
    free(l->dir);
    free(l);
}

void disk_log_stats(const struct disk_log *l, struct disk_log_stats *ret)
{
    *ret = (struct disk_log_stats){.bytes = l->bytes,
                                   .records = l->records,
                                   .damaged = l->damaged,
                                   .removals = l->removals,
                                   .removing = l->removing_ns,
                                   .segments = (u32)l->segments.n};
}

/* --- appending --- */

static size_t padded(size_t n)
{
    return (n + RECORD_ALIGN - 1) & ~(size_t)(RECORD_ALIGN - 1);
}

static size_t record_size(size_t payload)
{
    return padded(sizeof(struct record_head) + payload);
}

bool disk_log_has_room(const struct disk_log *l, size_t n)
{
    return !l->conf.max_bytes || l->bytes + record_size(n) <= l->conf.max_bytes;
}

static struct segment *last(struct disk_log *l)
{
    return &vec_last(&l->segments);
}

static bool is_old(const struct disk_log *l)
{
    return l->conf.max_segment_age && l->conf.clock &&
           clock_mono(l->conf.clock) - l->opened >= l->conf.max_segment_age;
}

/* The segment that takes n more bytes. */
static int segment_for(struct disk_log *l, size_t n)
{
    if (l->fd >= 0 && last(l)->bytes > 0 && !l->held &&
        (last(l)->bytes + n > l->conf.segment_bytes || is_old(l)))
        segment_end(l);
    return l->fd >= 0 ? 0 : segment_begin(l);
}

int disk_log_segment(struct disk_log *l, bool fresh, u32 *ret_number)
{
    if (fresh && l->fd >= 0 && last(l)->bytes > 0) segment_end(l);
    int err = l->fd >= 0 ? 0 : segment_begin(l);
    if (err) return err;
    l->held = true;
    *ret_number = last(l)->number;
    return 0;
}

static struct disk_segment describe(const struct disk_log *l, size_t i)
{
    const struct segment *s = &l->segments.v[i];
    bool writing = l->fd >= 0 && i + 1 == l->segments.n;

    return (struct disk_segment){
        .number = s->number,
        .bytes = s->bytes,
        .age = writing && l->conf.clock ? clock_mono(l->conf.clock) - l->opened : 0,
        .writing = writing};
}

struct disk_segment disk_log_newest(const struct disk_log *l)
{
    return l->segments.n ? describe(l, l->segments.n - 1) : (struct disk_segment){0};
}

struct disk_segment disk_log_oldest(const struct disk_log *l)
{
    return l->segments.n ? describe(l, 0) : (struct disk_segment){0};
}

i64 disk_log_written(const struct disk_log *l, u32 number)
{
    char *path = segment_path(l, number);
    struct stat st;
    i64 when = stat(path, &st) == 0 ? st.st_mtim.tv_sec * NS_PER_SEC + st.st_mtim.tv_nsec : 0;

    free(path);
    return when;
}

static struct record_head head_of(u8 kind, const struct iovec *v, int n)
{
    struct record_head h = {.magic = RECORD_MAGIC, .kind = kind};

    for (int i = 0; i < n; i++) {
        h.length += (u32)v[i].iov_len;
        h.crc = crc32c(h.crc, v[i].iov_base, v[i].iov_len);
    }
    h.check = record_check(&h);
    return h;
}

/* All of it, or nothing: what was written of a record is cut off. */
static int write_all(struct disk_log *l, struct iovec *v, int n, size_t size)
{
    ssize_t done;

    do
        done = writev(l->fd, v, n);
    while (done < 0 && errno == EINTR);
    if (done == (ssize_t)size) return 0;
    int err = done < 0 ? errno : ENOSPC; /* a short write of a file: the disk is full */
    if (done > 0 && ftruncate(l->fd, (off_t)last(l)->bytes) != 0) segment_end(l);
    return disk_log_fail(l, err, "the disk did not take a record");
}

static size_t total(const struct iovec *v, int n)
{
    size_t size = 0;

    for (int i = 0; i < n; i++)
        size += v[i].iov_len;
    return size;
}

/* The disk is full, of ourselves maybe: what is written may go as soon as it is done with. */
static void give_way(struct disk_log *l)
{
    if (l->fd >= 0 && last(l)->bytes > 0) segment_end(l);
    segments_remove_passed(l);
}

int disk_log_append(struct disk_log *l, u8 kind, const struct iovec *v, int n,
                    struct disk_place *ret_after)
{
    static const char zeros[RECORD_ALIGN];
    struct iovec all[DISK_LOG_MAX_IOV + 2];
    size_t payload = total(v, n), size = record_size(payload);

    ASSERT(n <= DISK_LOG_MAX_IOV);
    if (payload > DISK_LOG_MAX_RECORD) return disk_log_fail(l, EMSGSIZE, "a record is too large");
    if (!disk_log_has_room(l, payload)) return disk_log_fail(l, ENOSPC, NULL);
    int err = segment_for(l, size);
    l->held = false;
    if (err) return err;
    struct record_head head = head_of(kind, v, n);
    all[0] = (struct iovec){&head, sizeof(head)};
    memcpy(all + 1, v, (size_t)n * sizeof(*v));
    all[n + 1] = (struct iovec){(void *)(uintptr_t)zeros, size - sizeof(head) - payload};
    err = write_all(l, all, n + 2, size);
    if (err) {
        give_way(l);
        return err;
    }
    last(l)->bytes += size;
    l->bytes += size;
    l->records++;
    if (ret_after) *ret_after = disk_log_end(l);
    return 0;
}
