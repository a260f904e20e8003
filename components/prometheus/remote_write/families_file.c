/* The file with the metadata of families: read when the log is opened, appended to when something
 * is new, written anew when most of it is out of date. What cannot be written is told by producers
 * again, so that samples do not wait for it. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>
#include "base/xalloc.h"
#include "components/common/read_file.h"
#include "components/prometheus/remote_write/family_record.h"
#include "components/prometheus/remote_write/write.h"

#define FILE_MAX ((size_t)128 << 20)
#define SLACK    ((u64)1 << 20)

static char *path_of(const struct write *w, const char *end)
{
    const struct write_shared *s = w->shard->comp->shared;

    return xprintf("%s/families%s", s->dir, end);
}

static int put(const char *path, int how, struct str text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | how, 0600);

    if (fd < 0) return errno;
    ssize_t n = write(fd, text.p, text.n);
    int err = n == (ssize_t)text.n ? 0 : n < 0 ? errno : ENOSPC;
    if (close(fd) != 0 && !err) err = errno;
    return err;
}

static void judge(struct write *w, int err, const char *path)
{
    if (err && !w->families_told)
        log_warn(write_log(w),
                 "metadata of metrics cannot be kept on disk: a restart does not know it until it "
                 "is scraped again",
                 F_CSTR("file", path), F_CSTR("err", strerror(err)));
    w->families_told = err != 0;
}

/* --- writing --- */

static void rewrite(struct write *w)
{
    char *path = path_of(w, ""), *temp = path_of(w, ".new");
    struct buf all = BUF_INIT(FILE_MAX);

    map_each (&w->families, e)
        family_record_add(&all, &((const struct family *)e->value)->meta);
    int err = -buf_err(&all);
    if (!err) err = put(temp, O_TRUNC, buf_view(&all));
    if (!err && rename(temp, path) != 0) err = errno;
    if (err) (void)unlink(temp);
    w->families_file = err ? w->families_file : all.n;
    judge(w, err, path);
    buf_done(&all);
    free(path);
    free(temp);
}

void families_keep(struct write *w, struct str records)
{
    if (!records.n || !w->journal.log) return;
    if (w->families_file + records.n > 2 * w->families_bytes + SLACK) {
        rewrite(w);
        return;
    }
    char *path = path_of(w, "");
    int err = put(path, O_APPEND, records);
    w->families_file += err ? 0 : records.n;
    judge(w, err, path);
    free(path);
}

/* --- reading --- */

static u32 take(struct write *w, struct str text)
{
    struct metric_meta m;
    u32 damaged = 0;
    int got;

    while ((got = family_record_next(&text, &m)))
        if (got < 0)
            damaged++;
        else
            (void)families_add(w, &m);
    return damaged;
}

void families_load(struct write *w)
{
    char *path = path_of(w, ""), *err = NULL;
    struct buf text = BUF_INIT(FILE_MAX);

    if (access(path, F_OK) == 0 && read_file(path, &text, &err) != 0)
        log_warn(write_log(w), "metadata of metrics that was kept on disk cannot be read",
                 F_CSTR("file", path), F_CSTR("err", err));
    u32 damaged = take(w, buf_view(&text));
    w->families_file = text.n;
    if (damaged) {
        log_warn(write_log(w),
                 "metadata of metrics that was kept on disk is damaged: the rest is taken",
                 F_CSTR("file", path), F_UINT("damaged", damaged));
        rewrite(w);
    }
    free(err);
    free(path);
    buf_done(&text);
}
