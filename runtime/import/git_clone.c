/* The clone on disk: its lock, the files ssh needs, the swap of a first clone into its place. A
 * clone that was killed half made is never used: it lies in repo.new until it is whole. */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/digest.h"
#include "base/fd.h"
#include "base/xalloc.h"
#include "runtime/data_dir.h"
#include "runtime/import/git.h"

#define MARK "weir-source" /* in the git folder: whose clone it is */

static int fail(int err, char **ret_err, const char *verb, const char *path)
{
    *ret_err = file_fault(verb, path, err);
    return -err;
}

/* --- trees of files --- */

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    return remove(path);
}

static int remove_tree(const char *path)
{
    return nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS) == 0 || errno == ENOENT ? 0 : -errno;
}

/* Locks that a killed git left; nobody else works here while we hold ours. */
static int remove_lock(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    if (kind == FTW_D && strcmp(path + at->base, "objects") == 0) return FTW_SKIP_SUBTREE;
    if (kind == FTW_F && str_ends(str_of(path), STR(".lock"))) (void)unlink(path);
    return FTW_CONTINUE;
}

/* --- small files --- */

/* A new file of that mode, whatever was there. */
static int write_file(const char *dir, const char *name, mode_t mode, struct str text,
                      const char *end, char **ret_err)
{
    char *path = xprintf("%s/%s", dir, name);

    (void)unlink(path);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
    int err = fd < 0 ? -errno : fd_write_all(fd, text);
    if (!err) err = fd_write_all(fd, str_of(end));
    if (fd >= 0 && close(fd) != 0 && !err) err = -errno;
    if (err) (void)fail(-err, ret_err, "write", path);
    free(path);
    return err;
}

static int write_ssh_files(const struct git_clone *c, const struct git_ssh_key *k, char **ret_err)
{
    static const char script[] = "#!/bin/sh\nprintf '%s\\n' \"$WEIR_SSH_PASSPHRASE\"\n";
    int err = 0;

    if (!k) return 0;
    if (k->key.s.n) {
        bool ended = str_ends(k->key.s, STR("\n"));
        err = write_file(c->dir, GIT_KEY_FILE, 0600, k->key.s, ended ? "" : "\n", ret_err);
    }
    if (!err && k->passphrase.s.n)
        err = write_file(c->dir, GIT_ASKPASS, 0700, str_of(script), "", ret_err);
    return err;
}

/* --- whose clone it is --- */

static void mark_of(const struct git_args *a, char hex[2 * SHA256_LEN + 1])
{
    u8 digest[SHA256_LEN];
    struct buf b = BUF_INIT(2 * SHA256_LEN + 1);

    sha256(a->repository.p, a->repository.n, digest);
    hex_encode(&b, digest, sizeof(digest));
    memcpy(hex, b.p, 2 * SHA256_LEN + 1);
    buf_done(&b);
}

static bool has_mark(const char *git_dir, const char *want)
{
    char got[2 * SHA256_LEN + 1] = "";
    char *path = xprintf("%s/" MARK, git_dir);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

    free(path);
    if (fd < 0) return false;
    ssize_t n = read(fd, got, sizeof(got) - 1);
    close(fd);
    return n == (ssize_t)strlen(want) && memcmp(got, want, (size_t)n) == 0;
}

/* --- opening --- */

static int take_lock(struct git_clone *c, char **ret_err)
{
    char *path = xprintf("%s/lock", c->dir);
    int err = 0;

    c->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (c->lock < 0)
        err = fail(errno, ret_err, "open", path);
    else if (flock(c->lock, LOCK_EX | LOCK_NB) != 0)
        err = errno == EWOULDBLOCK ? -EAGAIN : fail(errno, ret_err, "lock", path);
    free(path);
    if (err) git_clone_close(c);
    return err;
}

static void work_in(struct git_clone *c, const char *name)
{
    free(c->tree);
    free(c->git_dir);
    c->tree = xprintf("%s/%s", c->dir, name);
    c->git_dir = xprintf("%s/.git", c->tree);
}

static int choose_tree(struct git_clone *c, const struct git_args *a, char **ret_err)
{
    char mark[2 * SHA256_LEN + 1];

    mark_of(a, mark);
    work_in(c, "repo");
    c->fresh = !has_mark(c->git_dir, mark);
    if (!c->fresh) {
        (void)nftw(c->git_dir, remove_lock, 16, FTW_PHYS | FTW_ACTIONRETVAL);
        return 0;
    }
    work_in(c, "repo.new");
    int err = remove_tree(c->tree);
    return err ? fail(-err, ret_err, "remove", c->tree) : 0;
}

static int find_dir(struct git_clone *c, const char *storage_path, const char *id, char **ret_err)
{
    char *dir = data_dir_make(storage_path, id, ret_err);

    if (!dir) return -EIO;
    c->dir = realpath(dir, NULL);
    int err = c->dir ? 0 : fail(errno, ret_err, "open", dir);
    free(dir);
    return err;
}

int git_clone_open(struct git_clone *c, const char *storage_path, const char *id,
                   const struct git_args *a, char **ret_err)
{
    *c = (struct git_clone){.lock = -1};
    int err = find_dir(c, storage_path, id, ret_err);

    if (!err) err = take_lock(c, ret_err);
    if (!err) err = choose_tree(c, a, ret_err);
    if (!err) err = write_ssh_files(c, a->ssh_key, ret_err);
    if (err) git_clone_close(c);
    return err;
}

/* --- reading --- */

static int settle(struct git_clone *c, const struct git_args *a, char **ret_err)
{
    char mark[2 * SHA256_LEN + 1];

    if (!c->fresh) return 0;
    mark_of(a, mark);
    int err = write_file(c->git_dir, MARK, 0600, str_of(mark), "", ret_err);
    if (err) return err;
    char *made = c->tree;
    c->tree = NULL;
    work_in(c, "repo");
    err = remove_tree(c->tree);
    if (!err && rename(made, c->tree) != 0) err = -errno;
    if (err) (void)fail(-err, ret_err, "rename", made);
    free(made);
    return err;
}

struct import_content *git_clone_read(struct git_clone *c, const struct git_args *a, char **ret_err)
{
    struct str in = a->path;

    if (settle(c, a, ret_err) != 0) return NULL;
    while (in.n && in.p[0] == '/')
        in = str_sub(in, 1, in.n);
    char *path = in.n ? xprintf("%s/" STR_FMT, c->tree, STR_ARG(in)) : xstrdup(c->tree);
    struct import_content *content = import_read(path, c->tree, ret_err);
    free(path);
    if (!content) return NULL;
    free(content->module_path);
    content->module_path = xstrdup(c->tree);
    return content;
}

static void remove_from(const char *dir, const char *name)
{
    char *path = xprintf("%s/%s", dir, name);

    (void)unlink(path);
    free(path);
}

void git_clone_close(struct git_clone *c)
{
    if (c->lock >= 0) {
        remove_from(c->dir, GIT_KEY_FILE);
        remove_from(c->dir, GIT_ASKPASS);
        close(c->lock);
    }
    free(c->dir);
    free(c->tree);
    free(c->git_dir);
    *c = (struct git_clone){.lock = -1};
}
