/* What collectors share: reading small files within bounds, cutting text, filters. */
#include "components/prometheus/unix/collector.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>
#include "base/num.h"
#include "components/common/settings.h"

int collect_fail(struct collect *c, int err, const char *fmt, ...)
{
    struct buf b = BUF_INIT(4096);
    va_list ap;

    va_start(ap, fmt);
    buf_vprintf(&b, fmt, ap);
    va_end(ap);
    c->error = arena_strdup(c->arena, buf_view(&b));
    buf_done(&b);
    return err;
}

/* --- filters --- */

static void free_regex(void *re)
{
    regex_free(re);
}

int unix_regex(struct collector_prepare *pr, const char *path, struct str pattern,
               struct regex **ret)
{
    char *err = NULL;

    *ret = NULL;
    if (pattern.n == 0) return 0;
    struct regex *re = regex_compile(pattern, &err);
    if (!re) {
        int r = setting_fault(pr->p, path, "%s", err);
        free(err);
        return r;
    }
    arena_cleanup(pr->arena, free_regex, re);
    *ret = re;
    return 0;
}

int unix_filter_init(struct collector_prepare *pr, struct unix_filter *f, const char *include_path,
                     struct str include, const char *exclude_path, struct str exclude)
{
    int r = unix_regex(pr, include_path, include, &f->include);

    return r ? r : unix_regex(pr, exclude_path, exclude, &f->exclude);
}

bool unix_matches(const struct regex *re, struct str text)
{
    return re && regex_match(re, text, 0, NULL, 0) > 0;
}

bool unix_filter_shows(const struct unix_filter *f, struct str name)
{
    if (f->include && !unix_matches(f->include, name)) return false;
    return !unix_matches(f->exclude, name);
}

/* --- files --- */

static const char *path_of(struct collect *c, enum unix_root root, const char *fmt, va_list ap)
{
    struct buf b = BUF_INIT(PATH_MAX);

    buf_cstr(&b, c->roots[root]);
    buf_ch(&b, '/');
    buf_vprintf(&b, fmt, ap);
    /* One that is too long names nothing. */
    const char *path = arena_strdup(c->arena, buf_err(&b) ? STR("") : buf_view(&b));
    buf_done(&b);
    return path;
}

#define PATH_OF(c, root, fmt)                                                                      \
    ({                                                                                             \
        va_list ap_;                                                                               \
        va_start(ap_, fmt);                                                                        \
        const char *path_ = path_of((c), (root), (fmt), ap_);                                      \
        va_end(ap_);                                                                               \
        path_;                                                                                     \
    })

const char *unix_path(struct collect *c, enum unix_root root, const char *fmt, ...)
{
    return PATH_OF(c, root, fmt);
}

/* Files of /proc tell no size, and are made anew by each read from the beginning: so in large
 * pieces. A FIFO or a device in a folder of the user's must not keep us. */
static int read_into(int fd, struct buf *b)
{
    size_t piece = 4096;

    for (;; piece = MIN(piece * 2, (size_t)256 << 10)) {
        char *to = buf_reserve(b, piece);
        if (!to) return -EFBIG;
        ssize_t n = read(fd, to, piece);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return -errno;
        if (n == 0) return 0;
        buf_commit(b, (size_t)n);
    }
}

int unix_read_path(struct collect *c, struct str *ret, const char *path)
{
    struct buf b = BUF_INIT(UNIX_READ_MAX);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

    *ret = STR("");
    if (fd < 0) return -errno;
    int r = read_into(fd, &b);
    close(fd);
    if (!r) *ret = str_n(arena_strdup(c->arena, buf_view(&b)), b.n);
    buf_done(&b);
    return r;
}

int unix_read(struct collect *c, struct str *ret, enum unix_root root, const char *fmt, ...)
{
    return unix_read_path(c, ret, PATH_OF(c, root, fmt));
}

struct str unix_text(struct collect *c, enum unix_root root, const char *fmt, ...)
{
    struct str text;

    unix_read_path(c, &text, PATH_OF(c, root, fmt)); /* empty on failure */
    return str_trim(text);
}

int unix_read_i64(struct collect *c, i64 *ret, enum unix_root root, const char *fmt, ...)
{
    struct str text;
    int r = unix_read_path(c, &text, PATH_OF(c, root, fmt));

    return r ? r : num_parse_i64(str_trim(text), ret);
}

int unix_read_u64(struct collect *c, u64 *ret, enum unix_root root, const char *fmt, ...)
{
    struct str text;
    int r = unix_read_path(c, &text, PATH_OF(c, root, fmt));

    return r ? r : num_parse_u64(str_trim(text), ret);
}

int unix_read_f64(struct collect *c, f64 *ret, enum unix_root root, const char *fmt, ...)
{
    struct str text;
    int r = unix_read_path(c, &text, PATH_OF(c, root, fmt));

    return r ? r : num_parse_f64(str_trim(text), ret);
}

int unix_read_failed(struct collect *c, int err, enum unix_root root, const char *fmt, ...)
{
    return collect_fail(c, err, "read %s: %s", PATH_OF(c, root, fmt), strerror(-err));
}

bool unix_exists(struct collect *c, enum unix_root root, const char *fmt, ...)
{
    return access(PATH_OF(c, root, fmt), F_OK) == 0;
}

struct str unix_link(struct collect *c, enum unix_root root, const char *fmt, ...)
{
    char to[PATH_MAX];
    ssize_t n = readlink(PATH_OF(c, root, fmt), to, sizeof(to));

    return n > 0 ? arena_str(c->arena, str_n(to, (size_t)n)) : STR("");
}

static int by_text(const void *a, const void *b)
{
    return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

static int read_names(struct collect *c, DIR *dir, struct unix_names *ret)
{
    struct dirent *entry;
    size_t cap = 0;

    while ((entry = readdir(dir))) {
        if (entry->d_name[0] == '.') continue;
        if (ret->n >= UNIX_LIST_MAX) return -E2BIG;
        if (ret->n == cap) {
            struct str *more = arena_array(c->arena, struct str, cap = MAX(cap * 2, (size_t)16));
            if (ret->n > 0) memcpy(more, ret->v, ret->n * sizeof(*more));
            ret->v = more;
        }
        struct str name = str_of(entry->d_name);
        ret->v[ret->n++] = str_n(arena_strdup(c->arena, name), name.n);
    }
    return 0;
}

int unix_list_path(struct collect *c, struct unix_names *ret, const char *path)
{
    DIR *dir = opendir(path);

    *ret = (struct unix_names){0};
    if (!dir) return -errno;
    int r = read_names(c, dir, ret);
    closedir(dir);
    if (ret->n > 0) qsort(ret->v, ret->n, sizeof(*ret->v), by_text);
    return r;
}

int unix_list(struct collect *c, struct unix_names *ret, enum unix_root root, const char *fmt, ...)
{
    return unix_list_path(c, ret, PATH_OF(c, root, fmt));
}

/* --- text --- */

bool unix_line(struct str *rest, struct str *ret)
{
    if (rest->n == 0) return false;
    *ret = str_cut(rest, '\n');
    return true;
}

static bool blank(char ch)
{
    return ch == ' ' || ch == '\t' || ch == '\n' || ch == '\r';
}

bool unix_field(struct str *line, struct str *ret)
{
    size_t from = 0, to;

    while (from < line->n && blank(line->p[from]))
        from++;
    for (to = from; to < line->n && !blank(line->p[to]);)
        to++;
    *ret = str_sub(*line, from, to);
    *line = str_sub(*line, to, line->n);
    return to > from;
}

size_t unix_fields(struct str line, struct str *ret, size_t max)
{
    size_t n = 0;

    while (n < max && unix_field(&line, &ret[n]))
        n++;
    return n;
}

int unix_u64(struct str s, u64 *ret)
{
    return num_parse_u64(s, ret);
}

static int hex_digit(char ch)
{
    if (ch >= '0' && ch <= '9') return ch - '0';
    ch |= 0x20;
    return ch >= 'a' && ch <= 'f' ? ch - 'a' + 10 : -1;
}

int unix_hex(struct str s, u64 *ret)
{
    u64 v = 0;

    if (str_starts(s, STR("0x")) || str_starts(s, STR("0X"))) s = str_sub(s, 2, s.n);
    if (s.n == 0) return -EINVAL;
    if (s.n > 16) return -ERANGE;
    for (size_t i = 0; i < s.n; i++) {
        int digit = hex_digit(s.p[i]);

        if (digit < 0) return -EINVAL;
        v = v << 4 | (u64)digit;
    }
    *ret = v;
    return 0;
}

int unix_f64(struct str s, f64 *ret)
{
    return num_parse_f64(s, ret);
}

static bool in_names(char ch)
{
    return (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || (ch >= '0' && ch <= '9') ||
           ch == '_';
}

/* It goes into the families, which outlive c->arena. */
const char *unix_metric_name(struct collect *c, const char *prefix, struct str name,
                             const char *suffix)
{
    struct buf b = BUF_INIT(4096);

    buf_cstr(&b, prefix);
    for (size_t i = 0; i < name.n; i++)
        if (in_names(name.p[i]))
            buf_ch(&b, name.p[i]);
        else if (i == 0 || in_names(name.p[i - 1]))
            buf_ch(&b, '_');
    buf_cstr(&b, suffix);
    const char *made = expo_keep(c->out, buf_err(&b) ? STR("") : buf_view(&b));
    buf_done(&b);
    return made;
}
