/* Remembering walks by the change times of folders. These are inode change times, which nobody can
 * set: copying tools turn back the modification time of what they filled. */
#include "components/common/glob_seen.h"

#include <errno.h>
#include <linux/magic.h>
#include <sys/vfs.h>

#include "base/clock.h"

/* A folder may change twice within one tick of the clock its changes are stamped with (10 ms at
 * most), the second time after it was read. */
#define SETTLED NS_PER_SEC

enum kind { NOTHING, FILE_THERE, FOLDER_THERE, FOLDER_READ };

struct glob_sight {
    const char *path;
    enum kind kind;
    dev_t dev; /* of a folder that was read */
    ino_t ino;
    i64 changed;
};

void glob_seen_init(struct glob_seen *s, i64 now)
{
    *s = (struct glob_seen){.now = now};
    arena_init(&s->arena, 1024);
}

void glob_seen_done(struct glob_seen *s)
{
    arena_done(&s->arena);
    vec_done(&s->v);
}

static i64 change_time(const struct stat *st)
{
    return st->st_ctim.tv_sec * NS_PER_SEC + st->st_ctim.tv_nsec;
}

static bool shows_changes(int fd)
{
    static const u32 known[] = {
        EXT4_SUPER_MAGIC, XFS_SUPER_MAGIC,       BTRFS_SUPER_MAGIC,
        TMPFS_MAGIC,      OVERLAYFS_SUPER_MAGIC, F2FS_SUPER_MAGIC,
    };
    struct statfs fs;

    if (fstatfs(fd, &fs) < 0) return false;
    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if ((u32)fs.f_type == known[i]) return true;
    return false;
}

static struct glob_sight *add(struct glob_seen *s, struct str path, enum kind kind)
{
    struct glob_sight sight = {.path = arena_strdup(&s->arena, path), .kind = kind};

    vec_push(&s->v, sight);
    return &vec_last(&s->v);
}

static bool counts(struct glob_seen *s)
{
    if (!s || s->worthless) return false;
    s->worthless = s->v.n >= GLOB_SEEN_MAX;
    return !s->worthless;
}

void glob_saw_folder(struct glob_seen *s, struct str path, int fd, const struct stat *st)
{
    if (!counts(s)) return;
    s->worthless = change_time(st) > s->now - SETTLED || !shows_changes(fd);
    if (s->worthless) return;
    struct glob_sight *sight = add(s, path, FOLDER_READ);
    sight->dev = st->st_dev;
    sight->ino = st->st_ino;
    sight->changed = change_time(st);
}

static enum kind kind_of(const struct stat *st)
{
    if (!st) return NOTHING;
    return S_ISDIR(st->st_mode) ? FOLDER_THERE : FILE_THERE;
}

void glob_saw_name(struct glob_seen *s, struct str path, const struct stat *st)
{
    if (counts(s)) add(s, path, kind_of(st));
}

void glob_saw_trouble(struct glob_seen *s)
{
    if (s) s->worthless = true;
}

static bool still(const struct glob_sight *sight)
{
    struct stat st;
    bool there = stat(sight->path, &st) == 0;

    if (!there && errno != ENOENT && errno != ENOTDIR) return false;
    if (sight->kind != FOLDER_READ) return kind_of(there ? &st : NULL) == sight->kind;
    return there && st.st_dev == sight->dev && st.st_ino == sight->ino &&
           change_time(&st) == sight->changed;
}

bool glob_seen_holds(const struct glob_seen *s)
{
    if (s->worthless) return false;
    for (size_t i = 0; i < s->v.n; i++)
        if (!still(&s->v.v[i])) return false;
    return true;
}
