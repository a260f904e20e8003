/* Reads configuration text: finds the files, hashes their bytes, turns UTF-16 into UTF-8, parses
 * them all. */
#include "runtime/load.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/utf8.h"
#include "parser/parser.h"

char *file_fault(const char *verb, const char *path, int err)
{
    char *text = xprintf("%s %s: %s", verb, path, strerror(err));
    char *reason = text + strlen(verb) + 1 + strlen(path) + 2;

    if (*reason >= 'A' && *reason <= 'Z') *reason += 'a' - 'A';
    return text;
}

static int fail(int err, char **ret_err, const char *verb, const char *path)
{
    *ret_err = file_fault(verb, path, err);
    return -err;
}

/* ---- bytes ---- */

static int read_fd(int fd, const char *path, struct buf *out, char **ret_err)
{
    for (;;) {
        char *room = buf_reserve(out, 64 * 1024);
        if (!room) return fail(-buf_err(out), ret_err, "read", path);
        ssize_t got = read(fd, room, 64 * 1024);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return fail(errno, ret_err, "read", path);
        if (got == 0) return 0;
        buf_commit(out, (size_t)got);
    }
}

static int read_path(const char *path, struct buf *out, char **ret_err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return fail(errno, ret_err, "open", path);
    int err = read_fd(fd, path, out, ret_err);
    close(fd);
    return err;
}

/* ---- UTF-16 ---- */

enum utf16 { UTF16_NONE, UTF16_LE, UTF16_BE };

static enum utf16 utf16_mark(struct str raw)
{
    if (raw.n < 2 || raw.n % 2 != 0) return UTF16_NONE;
    const u8 *p = (const u8 *)raw.p;
    if (p[0] == 0xff && p[1] == 0xfe)
        return raw.n >= 4 && p[2] == 0 && p[3] == 0 ? UTF16_NONE
                                                    : UTF16_LE; /* FF FE 00 00 is UTF-32 */
    return p[0] == 0xfe && p[1] == 0xff ? UTF16_BE : UTF16_NONE;
}

static u32 utf16_unit(struct str raw, size_t at, enum utf16 kind)
{
    const u8 *p = (const u8 *)raw.p + at;
    return kind == UTF16_LE ? (u32)(p[0] | p[1] << 8) : (u32)(p[1] | p[0] << 8);
}

static void utf16_decode(struct str raw, enum utf16 kind, struct buf *out)
{
    for (size_t at = 2; at + 1 < raw.n; at += 2) {
        u32 c = utf16_unit(raw, at, kind);
        u32 low = at + 3 < raw.n ? utf16_unit(raw, at + 2, kind) : 0;
        if (c >= 0xd800 && c < 0xdc00 && low >= 0xdc00 && low < 0xe000) {
            c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
            at += 2;
        }
        utf8_encode(out, c);
    }
}

void config_decode(struct str raw, struct buf *out)
{
    enum utf16 kind = utf16_mark(raw);

    if (kind != UTF16_NONE)
        utf16_decode(raw, kind, out);
    else
        buf_str(out, raw);
}

/* ---- the set ---- */

int source_set_add(struct source_set *s, const char *name, struct str raw, char **ret_err)
{
    struct buf text = BUF_INIT(2 * CONFIG_FILE_MAX);
    config_decode(raw, &text);
    int err = buf_err(&text);
    char *why = err ? xstrdup("the file is too large") : source_check_encoding(buf_view(&text));
    if (!why)
        vec_push(&s->files, source_new(name, buf_view(&text)));
    else
        *ret_err = xprintf("%s: %s", name, why);
    free(why);
    buf_done(&text);
    return why ? (err ? err : -EINVAL) : 0;
}

static int add_file(struct source_set *s, const char *path, struct buf *all, char **ret_err)
{
    struct buf raw = BUF_INIT(CONFIG_FILE_MAX);
    int err = strcmp(path, "-") == 0 ? read_fd(STDIN_FILENO, path, &raw, ret_err)
                                     : read_path(path, &raw, ret_err);
    if (!err) {
        buf_str(all, buf_view(&raw));
        err = source_set_add(s, strcmp(path, "-") == 0 ? "<stdin>" : path, buf_view(&raw), ret_err);
    }
    buf_done(&raw);
    return err;
}

bool is_config_name(const char *name)
{
    return str_ends(str_of(name), STR(".alloy")) || str_ends(str_of(name), STR(".river"));
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

typedef VEC(char *) name_list;

static int list_dir(const char *path, name_list *names, char **ret_err)
{
    DIR *dir = opendir(path);
    if (!dir) return fail(errno, ret_err, "open", path);
    for (struct dirent *e; (e = readdir(dir));)
        if (is_config_name(e->d_name) && e->d_type != DT_DIR)
            vec_push(names, xprintf("%s%s%s", path, str_ends(str_of(path), STR("/")) ? "" : "/",
                                    e->d_name));
    closedir(dir);
    if (names->n > 0) qsort(names->v, names->n, sizeof(*names->v), by_name);
    return 0;
}

static int add_dir(struct source_set *s, const char *path, struct buf *all, char **ret_err)
{
    name_list names = {0};
    int err = list_dir(path, &names, ret_err);
    for (size_t i = 0; i < names.n && !err; i++)
        err = add_file(s, names.v[i], all, ret_err);
    vec_each (&names, name)
        free(*name);
    vec_done(&names);
    return err;
}

static char *module_path_of(const char *path, bool is_dir)
{
    char *real = realpath(path, NULL);
    struct str full = str_of(real ? real : path);
    ssize_t slash = is_dir ? -1 : str_rchr(full, '/');
    char *dir = str_dup(slash > 0 ? str_sub(full, 0, (size_t)slash) : slash == 0 ? STR("/") : full);
    free(real);
    return dir;
}

static void set_hash(struct source_set *s, struct str all)
{
    u8 digest[SHA256_LEN];
    struct buf hex = BUF_INIT(sizeof(s->sha256));
    sha256(all.p, all.n, digest);
    hex_encode(&hex, digest, sizeof(digest));
    memcpy(s->sha256, hex.p, sizeof(s->sha256) - 1);
    s->sha256[sizeof(s->sha256) - 1] = '\0';
    buf_done(&hex);
}

int source_set_read(const char *path, struct source_set *ret, char **ret_err)
{
    struct source_set s = {0};
    struct stat st;
    bool from_stdin = strcmp(path, "-") == 0;
    if (!from_stdin && stat(path, &st) < 0) return fail(errno, ret_err, "stat", path);
    bool is_dir = !from_stdin && S_ISDIR(st.st_mode);
    struct buf all = BUF_INIT(4 * CONFIG_FILE_MAX);
    int err = is_dir ? add_dir(&s, path, &all, ret_err) : add_file(&s, path, &all, ret_err);
    if (!err && (err = buf_err(&all)))
        *ret_err = xprintf("%s: the configuration is too large", path);
    if (!err) {
        set_hash(&s, buf_view(&all));
        s.module_path = module_path_of(from_stdin ? "." : path, is_dir || from_stdin);
        *ret = s;
    } else {
        source_set_done(&s);
    }
    buf_done(&all);
    return err;
}

void source_set_done(struct source_set *s)
{
    vec_each (&s->files, f)
        source_unref(*f);
    vec_done(&s->files);
    free(s->module_path);
    *s = (struct source_set){0};
}

int tree_check_top(const struct tree *t, struct diags *diags)
{
    int err = 0;
    for (size_t i = 0; i < t->body.n; i++) {
        if (t->body.stmts[i].kind != STMT_ATTR) continue;
        const struct attr *a = t->body.stmts[i].attr;
        diag_error(diags, DIAG_NODE_PLACE, a->name_span, "unrecognized attribute " STR_FMT,
                   STR_ARG(a->name));
        err = -EINVAL;
    }
    return err;
}

int source_set_parse(const struct source_set *s, struct tree_set *ret, struct diags *diags)
{
    struct tree_set t = {0};
    bool failed = false;
    for (size_t i = 0; i < s->files.n; i++) {
        struct tree *tree = parse_file(s->files.v[i], diags);
        failed |= !tree || tree_check_top(tree, diags) < 0;
        if (tree) vec_push(&t.trees, tree);
    }
    if (failed) {
        tree_set_done(&t);
        return -EINVAL;
    }
    *ret = t;
    return 0;
}

void tree_set_done(struct tree_set *t)
{
    vec_each (&t->trees, tree)
        tree_free(*tree);
    vec_done(&t->trees);
}
