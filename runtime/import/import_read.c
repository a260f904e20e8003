/* Reading imported files: one, or all *.alloy of a folder. Only regular files: a FIFO or a device
 * could keep a reader for ever. Blocking; any thread. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/xalloc.h"
#include "runtime/import/import_impl.h"

#define MAX_FILES 4096 /* of one folder */

struct reading {
    const char *root; /* resolved; NULL: no limit */
    struct import_content *content;
    char *err; /* owned; NULL while all is well */
};

static int fault(struct reading *r, const char *verb, const char *path, int err)
{
    r->err = file_fault(verb, path, err);
    return -err;
}

static int refuse(struct reading *r, const char *path, const char *why)
{
    r->err = xprintf("read %s: %s", path, why);
    return -EINVAL;
}

/* --- one file --- */

static int read_all(struct reading *r, int fd, const char *path, struct buf *raw)
{
    for (;;) {
        char *room = buf_reserve(raw, 64 * 1024);
        if (!room) return refuse(r, path, "the content is too large");
        ssize_t got = read(fd, room, 64 * 1024);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return fault(r, "read", path, errno);
        if (got == 0) return 0;
        buf_commit(raw, (size_t)got);
    }
}

static int check_regular(struct reading *r, int fd, const char *path)
{
    struct stat st;

    if (fstat(fd, &st) < 0) return fault(r, "stat", path, errno);
    if (S_ISDIR(st.st_mode)) return refuse(r, path, "is a directory");
    return S_ISREG(st.st_mode) ? 0 : refuse(r, path, "is not a regular file");
}

static int read_file(struct reading *r, const char *path)
{
    struct buf raw = BUF_INIT(IMPORT_CONTENT_MAX);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

    if (fd < 0) return fault(r, "open", path, errno);
    int err = check_regular(r, fd, path);
    if (!err) err = read_all(r, fd, path, &raw);
    if (!err && (err = import_content_add(r->content, path, buf_view(&raw))) < 0)
        (void)refuse(r, path, "the content is too large");
    buf_done(&raw);
    close(fd);
    return err;
}

/* --- a folder --- */

typedef VEC(char *) name_list;

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static int list(struct reading *r, const char *path, name_list *names)
{
    const char *slash = str_ends(str_of(path), STR("/")) ? "" : "/";
    DIR *dir = opendir(path);
    int err = 0;

    if (!dir) return fault(r, "open", path, errno);
    for (struct dirent *e; !err && (e = readdir(dir));) {
        if (!str_ends(str_of(e->d_name), STR(".alloy")) || e->d_type == DT_DIR) continue;
        if (names->n == MAX_FILES) err = refuse(r, path, "too many files");
        vec_push(names, xprintf("%s%s%s", path, slash, e->d_name));
    }
    closedir(dir);
    if (names->n > 0) qsort(names->v, names->n, sizeof(*names->v), by_name);
    return err;
}

static bool inside(const char *root, const char *path)
{
    size_t n = strlen(root);

    return strncmp(path, root, n) == 0 && (path[n] == '\0' || path[n] == '/');
}

static int check_inside(struct reading *r, const char *path)
{
    if (!r->root) return 0;
    char *real = realpath(path, NULL);
    if (!real) return fault(r, "open", path, errno);
    int err = inside(r->root, real) ? 0 : refuse(r, path, "leads out of the repository");
    free(real);
    return err;
}

static int read_checked(struct reading *r, const char *path)
{
    int err = check_inside(r, path);

    return err ? err : read_file(r, path);
}

static int read_folder(struct reading *r, const char *path)
{
    name_list names = {0};
    int err = list(r, path, &names);

    for (size_t i = 0; i < names.n && !err; i++)
        err = read_checked(r, names.v[i]);
    vec_each (&names, name)
        free(*name);
    vec_done(&names);
    return err;
}

/* --- both --- */

/* Where the file lies, as written; what was written relative to the working directory is resolved.
 */
static char *folder_of(const char *path, bool is_dir)
{
    struct str p = str_of(path);
    ssize_t slash = is_dir ? -1 : str_rchr(p, '/');
    char *dir = is_dir      ? xstrdup(path)
                : slash < 0 ? xstrdup(".")
                            : str_dup(str_sub(p, 0, (size_t)MAX(slash, 1)));

    if (*dir == '/') return dir;
    char *real = realpath(dir, NULL);
    if (!real) return dir;
    free(dir);
    return real;
}

static int read_any(struct reading *r, const char *path, bool *ret_is_dir)
{
    struct stat st;
    int err = check_inside(r, path);

    if (err) return err;
    if (stat(path, &st) < 0) return fault(r, "stat", path, errno);
    *ret_is_dir = S_ISDIR(st.st_mode);
    return S_ISDIR(st.st_mode) ? read_folder(r, path) : read_file(r, path);
}

struct import_content *import_read(const char *path, const char *root, char **ret_err)
{
    struct reading r = {.root = root, .content = import_content_new(NULL)};
    bool is_dir = false;
    int err = read_any(&r, path, &is_dir);

    r.content->module_path = folder_of(path, is_dir);
    if (!err) return r.content;
    *ret_err = xprintf("failed to %s: %s", is_dir ? "collect files" : "read file", r.err);
    free(r.err);
    import_content_unref(r.content);
    return NULL;
}
