/* Segments: files of the log, found at the start, begun, ended, and removed once every reader has
 * passed them. */
#include "components/common/disk_log_impl.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/num.h"
#include "base/xalloc.h"

char *segment_path(const struct disk_log *l, u32 number)
{
    return xprintf("%s/%08u.seg", l->dir, number);
}

/* --- at the start --- */

static int by_number(const void *a, const void *b)
{
    u32 x = ((const struct segment *)a)->number, y = ((const struct segment *)b)->number;

    return (x > y) - (x < y);
}

static bool number_of(const char *name, u32 *ret)
{
    struct str s = str_of(name);
    u64 n;

    if (!str_ends(s, STR(".seg")) || num_parse_u64(str_sub(s, 0, s.n - 4), &n) || n == 0 ||
        n >= UINT32_MAX)
        return false;
    *ret = (u32)n;
    return true;
}

static void found(struct disk_log *l, int dir, const char *name, u32 number)
{
    struct stat st;

    if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(st.st_mode)) return;
    vec_push(&l->segments, ((struct segment){number, (u64)st.st_size}));
    l->bytes += (u64)st.st_size;
    l->next_number = MAX(l->next_number, number + 1);
}

int segments_load(struct disk_log *l, char **ret_err)
{
    DIR *d = opendir(l->dir);
    u32 number;

    if (!d) {
        int err = errno;
        *ret_err = xprintf("cannot read the folder %s: %s", l->dir, strerror(err));
        return -err;
    }
    for (struct dirent *e; (e = readdir(d));)
        if (number_of(e->d_name, &number)) found(l, dirfd(d), e->d_name, number);
    (void)closedir(d);
    if (l->segments.n) qsort(l->segments.v, l->segments.n, sizeof(*l->segments.v), by_number);
    return 0;
}

size_t segment_from(const struct disk_log *l, u32 number)
{
    size_t i = 0;

    while (i < l->segments.n && l->segments.v[i].number < number)
        i++;
    return i;
}

/* --- writing --- */

int segment_begin(struct disk_log *l)
{
    char *path = segment_path(l, l->next_number);

    l->fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600);
    int err = l->fd < 0 ? errno : 0;
    free(path);
    if (err) return disk_log_fail(l, err, "a new segment cannot be made");
    vec_push(&l->segments, ((struct segment){.number = l->next_number++}));
    l->opened = l->conf.clock ? clock_mono(l->conf.clock) : 0;
    return 0;
}

struct sync_job {
    struct job job;
    int fd;
};

static void sync_and_close(struct job *j)
{
    struct sync_job *s = container_of(j, struct sync_job, job);

    (void)fdatasync(
        s->fd); /* a power loss may cost it; a disk that fails shows at the next write */
    (void)close(s->fd);
    free(s);
}

void segment_end(struct disk_log *l)
{
    if (l->fd < 0) return;
    struct sync_job *s = xnew(struct sync_job);
    s->fd = l->fd;
    s->job.work = sync_and_close;
    l->fd = -1;
    if (l->conf.pool)
        offload_run(l->conf.pool, &s->job);
    else
        sync_and_close(&s->job);
}

/* --- removing --- */

bool segment_is_passed(const struct disk_log *l, struct disk_place p)
{
    size_t i = segment_from(l, p.segment);
    const struct segment *s = i < l->segments.n ? &l->segments.v[i] : NULL;

    return s && s->number == p.segment && p.offset >= s->bytes &&
           (l->fd < 0 || i + 1 < l->segments.n);
}

/* The first segment that somebody still needs. */
static u32 needed_from(const struct disk_log *l)
{
    struct disk_place least = disk_log_end(l);

    for (size_t i = 0; i < l->readers.n; i++) {
        struct disk_place p = l->readers.v[i]->done;
        if (segment_is_passed(l, p)) p.segment++;
        if (p.segment < least.segment) least = p;
    }
    return least.segment;
}

/* An open file takes its room on the disk, removed or not. */
static void close_readers(struct disk_log *l, u32 segment)
{
    for (size_t i = 0; i < l->readers.n; i++) {
        struct disk_reader *r = l->readers.v[i];
        if (r->fd < 0 || r->fd_segment != segment) continue;
        (void)close(r->fd);
        r->fd = -1;
    }
}

static void remove_first(struct disk_log *l)
{
    struct segment *s = &l->segments.v[0];
    char *path = segment_path(l, s->number);

    close_readers(l, s->number);

    if (unlink(path) != 0 && errno != ENOENT)
        log_warn(l->conf.log, "a segment of the log that is done with cannot be removed",
                 F_CSTR("file", path), F_CSTR("error", strerror(errno)));
    l->bytes -= s->bytes;
    vec_remove(&l->segments, 0);
    free(path);
}

static void remove_below(struct disk_log *l, u32 number)
{
    const struct clock *c = l->conf.clock;

    if (!l->segments.n || l->segments.v[0].number >= number) return;
    i64 began = c ? clock_mono(c) : 0;
    while (l->segments.n && l->segments.v[0].number < number)
        remove_first(l);
    l->removals++;
    if (c) l->removing_ns += clock_mono(c) - began;
}

/* Everything is done with, the segment being written included. */
static bool all_passed(const struct disk_log *l)
{
    struct disk_place end = disk_log_end(l);

    for (size_t i = 0; i < l->readers.n; i++) {
        struct disk_place p = l->readers.v[i]->done;
        if (p.segment < end.segment || (p.segment == end.segment && p.offset < end.offset))
            return false;
    }
    return true;
}

void segments_remove_passed(struct disk_log *l)
{
    if (!l->removing || !l->segments.n) return;
    remove_below(l, needed_from(l));
    if (l->readers.n || !l->segments.n || !all_passed(l)) return;
    segment_end(l); /* nobody is left who would read it */
    remove_below(l, UINT32_MAX);
}
