/* Asking a mount that may not answer. An ask is held by two: who waits, and the pool's thread. */
#include "components/prometheus/unix/statfs_ask.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include "base/refcount.h"
#include "base/xalloc.h"
#include "net/loop.h"

struct statfs_ask {
    struct job job;
    struct refs refs;
    _Atomic bool answered;
    int fd; /* is written when the answer is there */
    int error;
    struct statfs st;
    char *path;
};

/* Types whose figures the kernel has at hand. */
static bool is_local(struct str type)
{
    static const char *const local[] = {
        "bcachefs", "btrfs",   "devtmpfs", "erofs",    "exfat",  "ext2",     "ext3",
        "ext4",     "f2fs",    "hfsplus",  "iso9660",  "jfs",    "minix",    "nilfs2",
        "ntfs3",    "overlay", "ramfs",    "reiserfs", "rootfs", "squashfs", "tmpfs",
        "ubifs",    "udf",     "vfat",     "xfs",      "zfs",
    };

    for (size_t i = 0; i < ARRAY_LEN(local); i++)
        if (str_is(type, local[i])) return true;
    return false;
}

static void unref(struct statfs_ask *a)
{
    if (!refs_put(&a->refs)) return;
    close(a->fd);
    free(a->path);
    free(a);
}

static void work(struct job *j)
{
    struct statfs_ask *a = container_of(j, struct statfs_ask, job);

    a->error = statfs(a->path, &a->st) < 0 ? -errno : 0;
    atomic_store_explicit(&a->answered, true, memory_order_release);
    eventfd_write(a->fd, 1);
    unref(a);
}

static struct statfs_ask *begin(struct offload *pool, const char *path)
{
    int fd = eventfd(0, EFD_CLOEXEC);

    if (fd < 0) return NULL;
    struct statfs_ask *a = xnew(struct statfs_ask);
    refs_init(&a->refs);
    refs_get(&a->refs);
    a->fd = fd;
    a->path = xstrdup(path);
    a->job.work = work;
    offload_run(pool, &a->job);
    return a;
}

static bool answered(const struct statfs_ask *a)
{
    return atomic_load_explicit(&a->answered, memory_order_acquire);
}

static void await(struct statfs_ask *a, const struct clock *clock, i64 timeout)
{
    i64 end = clock_mono(clock) + timeout, left;

    while (!answered(a) && (left = end - clock_mono(clock)) > 0) {
        struct pollfd p = {.fd = a->fd, .events = POLLIN};
        poll(&p, 1, (int)MIN((left + NS_PER_MS - 1) / NS_PER_MS, (i64)INT32_MAX));
    }
}

/* A place for one more that may be left behind; those that came back give theirs up. NULL: none, or
 * the path is among them. */
static struct statfs_ask **place(struct statfs_asks *asks, const char *path)
{
    struct statfs_ask **found = NULL;

    for (size_t i = 0; i < STATFS_STUCK; i++) {
        struct statfs_ask **at = &asks->stuck[i];

        if (*at && answered(*at)) {
            unref(*at);
            *at = NULL;
        }
        if (*at && strcmp((*at)->path, path) == 0) return NULL;
        if (!*at) found = at;
    }
    return found;
}

int statfs_ask(struct statfs_asks *asks, struct collect *c, const char *path, struct str type,
               i64 timeout, struct statfs *ret)
{
    if (is_local(type) || !c->offload) return statfs(path, ret) < 0 ? -errno : 0;

    struct statfs_ask **at = place(asks, path);
    struct statfs_ask *a = at ? begin(c->offload, path) : NULL;
    if (!a) return at ? -EMFILE : -ETIMEDOUT;
    await(a, c->clock, timeout);
    if (!answered(a)) {
        *at = a;
        return -ETIMEDOUT;
    }
    int r = a->error;
    *ret = a->st;
    unref(a);
    return r;
}

void statfs_asks_done(struct statfs_asks *asks)
{
    for (size_t i = 0; i < STATFS_STUCK; i++)
        if (asks->stuck[i]) unref(asks->stuck[i]);
}
