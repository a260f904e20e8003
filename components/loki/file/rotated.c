/* A look into the folder of a path. */
#include "components/loki/file/rotated.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include "base/hash.h"
#include "base/xalloc.h"

#define SEARCHES 8 /* of a folder that changes all the time */

/* --- names --- */

static const struct {
    struct str suffix;
    enum unpack_format format;
} packings[] = {{{".gz", 3}, UNPACK_GZIP}, {{".bz2", 4}, UNPACK_BZIP2}, {{".z", 2}, UNPACK_ZLIB}};

static struct str without_packing(struct str name, int *ret_packed)
{
    *ret_packed = -1;
    for (size_t i = 0; i < ARRAY_LEN(packings); i++) {
        if (!str_ends(name, packings[i].suffix)) continue;
        *ret_packed = (int)packings[i].format;
        return str_sub(name, 0, name.n - packings[i].suffix.n);
    }
    return name;
}

/* .1  -20261130  .20261130-101500  -2026-11-30T10:15:00 */
static bool is_number_or_date(struct str s)
{
    bool digit = false;

    if (s.n < 2 || !strchr(".-_", s.p[0])) return false;
    for (size_t i = 1; i < s.n; i++) {
        bool is_digit = s.p[i] >= '0' && s.p[i] <= '9';
        if (!is_digit && !strchr(".-_:TZ+", s.p[i])) return false;
        digit |= is_digit;
    }
    return digit;
}

/* app.log: app.log.1, or app-20261130.log. */
bool rotated_name(struct str name, struct str base, int *ret_packed)
{
    struct str plain = without_packing(name, ret_packed);
    ssize_t dot = str_rchr(base, '.');
    struct str stem = dot > 0 ? str_sub(base, 0, (size_t)dot) : base;
    struct str ext = str_sub(base, stem.n, base.n);

    if (str_starts(plain, base) && is_number_or_date(str_sub(plain, base.n, plain.n))) return true;
    return ext.n > 0 && plain.n > base.n && str_starts(plain, stem) && str_ends(plain, ext) &&
           is_number_or_date(str_sub(plain, stem.n, plain.n - ext.n));
}

/* --- the folder --- */

struct candidate {
    char *path;
    u64 ino, size;
    i64 mtime;
    int packed; /* enum unpack_format, or -1 */
    bool named; /* as rotations do; else it has the inode that is looked for, perhaps by chance */
};
typedef VEC(struct candidate) candidates;

static i64 mtime_of(const struct stat *st)
{
    return (i64)st->st_mtim.tv_sec * NS_PER_SEC + st->st_mtim.tv_nsec;
}

static void consider(candidates *all, DIR *d, const char *dir, const char *name, int packed,
                     bool named)
{
    struct stat st;

    if (fstatat(dirfd(d), name, &st, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(st.st_mode)) return;
    struct candidate c = {
        xprintf("%s/%s", dir, name), (u64)st.st_ino, (u64)st.st_size, mtime_of(&st), packed, named};
    vec_push(all, c);
}

static void list_folder(const char *dir, struct str base, u64 ino, candidates *ret)
{
    DIR *d = opendir(dir);

    for (struct dirent *e; d && (e = readdir(d));) {
        int packed;
        bool named = rotated_name(str_of(e->d_name), base, &packed);
        if (named || (ino && (u64)e->d_ino == ino)) consider(ret, d, dir, e->d_name, packed, named);
    }
    if (d) closedir(d);
}

static bool has_path(const candidates *all, struct str path)
{
    for (size_t i = 0; i < all->n; i++)
        if (str_is(path, all->v[i].path)) return true;
    return false;
}

/* While a file is being compressed both forms are there; the packed one is not whole yet. */
static void drop_half_packed(candidates *all)
{
    for (size_t i = 0; i < all->n;) {
        int packed;
        struct str plain = without_packing(str_of(all->v[i].path), &packed);
        if (packed >= 0 && has_path(all, plain)) {
            free(all->v[i].path);
            vec_remove(all, i);
        } else {
            i++;
        }
    }
}

static int oldest_first(const void *a_, const void *b_)
{
    const struct candidate *a = a_, *b = b_;

    return (a->mtime > b->mtime) - (a->mtime < b->mtime);
}

/* Tells whether the same files are there, in whatever order. */
static u64 print_of_names(const candidates *all)
{
    u64 sum = all->n;

    for (size_t i = 0; i < all->n; i++)
        sum += hash_bytes(all->v[i].path, strlen(all->v[i].path), all->v[i].ino);
    return sum;
}

/* A packed file gets the time of the plain one last of all. */
static u64 print_of_times(const candidates *all)
{
    u64 sum = 0;

    for (size_t i = 0; i < all->n; i++)
        if (all->v[i].packed >= 0) sum += hash_mix(all->v[i].ino, (u64)all->v[i].mtime);
    return sum;
}

/* The symlinks of a path lead to where the rotated files lie. Returns what tells whether the folder
 * has changed since. */
static u64 list_beside(const char *path, u64 ino, candidates *ret)
{
    char real[PATH_MAX];
    const char *file = realpath(path, real) ? real : path;
    const char *slash = strrchr(file, '/');
    char *dir = !slash ? xstrdup(".") : xprintf("%.*s", (int)(slash - file), file);

    list_folder(*dir ? dir : "/", str_of(slash ? slash + 1 : file), ino, ret);
    u64 print = print_of_names(ret);
    drop_half_packed(ret);
    print += print_of_times(ret);
    if (ret->n > 0) qsort(ret->v, ret->n, sizeof(*ret->v), oldest_first);
    free(dir);
    return print;
}

static void candidates_done(candidates *all)
{
    vec_each (all, c)
        free(c->path);
    vec_done(all);
}

/* A file that is renamed or packed while the folder is read may be missed under both of its names,
 * or gone when it is opened. So a search counts when the folder is the same before and after it. */
static bool has_changed(const char *path, u64 ino, u64 print)
{
    candidates now = {0};
    bool changed = list_beside(path, ino, &now) != print;

    candidates_done(&now);
    return changed;
}

static void close_from(handle_list *list, size_t n)
{
    while (list->n > n)
        handle_close(vec_pop(list));
}

/* --- opening --- */

static struct handle *open_candidate(const struct candidate *c)
{
    struct handle *h;

    if (handle_open(c->path, &h) < 0) return NULL;
    if (c->packed >= 0) handle_unpack(h, (enum unpack_format)c->packed);
    h->resting = c->packed >= 0;
    return h;
}

static struct handle *open_if_lost(const struct candidate *c, const struct lost *lost,
                                   struct reading *r)
{
    if (c->ino == lost->now || (c->packed < 0 && c->size < lost->offset)) return NULL;
    struct handle *h = open_candidate(c);
    if (h && handle_has_head(h, r, &lost->head)) {
        h->head = lost->head;
        handle_seek(h, lost->offset);
        h->start = lost->offset;
        return h;
    }
    handle_close(h);
    return NULL;
}

static void open_later(const candidates *all, size_t from, u64 now, handle_list *ret)
{
    for (size_t i = from; i < all->n; i++) {
        const struct candidate *c = &all->v[i];
        struct handle *h = !c->named || c->ino == now ? NULL : open_candidate(c);
        if (h) vec_push(ret, h);
    }
}

/* The newest that begins as it did: generations may begin alike. *ret_at: its place among all. */
static struct handle *find_lost(const candidates *all, const struct lost *lost, struct reading *r,
                                size_t *ret_at)
{
    struct handle *found = NULL;
    size_t i;

    for (i = all->n; i > 0 && !found; i--)
        if (all->v[i - 1].ino == lost->ino) found = open_if_lost(&all->v[i - 1], lost, r);
    if (!found)
        for (i = all->n; i > 0 && !found; i--)
            found = open_if_lost(&all->v[i - 1], lost, r);
    *ret_at = i;
    return found;
}

bool rotated_rest(const char *path, const struct lost *lost, struct reading *r, handle_list *ret)
{
    size_t before = ret->n, at;
    bool again = lost->head.n > 0;

    for (int i = 0; again && i < SEARCHES; i++) {
        candidates all = {0};
        close_from(ret, before);
        u64 print = list_beside(path, lost->ino, &all);
        struct handle *found = find_lost(&all, lost, r, &at);
        if (found) {
            vec_push(ret, found);
            open_later(&all, at + 1, lost->now, ret);
        }
        candidates_done(&all);
        again = has_changed(path, lost->ino, print);
    }
    return ret->n > before;
}

struct handle *rotated_one(const char *path, const struct lost *lost, struct reading *r)
{
    struct handle *found = NULL;
    bool again = lost->head.n > 0;
    size_t at;

    for (int i = 0; again && i < SEARCHES; i++) {
        candidates all = {0};
        u64 print = list_beside(path, lost->ino, &all);
        found = find_lost(&all, lost, r, &at);
        candidates_done(&all);
        again = !found && has_changed(path, lost->ino, print);
    }
    return found;
}

static bool is_one_of(struct handle *known, struct handle *h, struct reading *r)
{
    struct stat st;

    for (; known; known = known->next) {
        if (known->ino == h->ino) return true;
        if (!h->packed) continue; /* plain, it would have kept its number */
        if (handle_stat(known, &st) == 0) handle_update_head(known, (u64)st.st_size);
        if (known->head.n > 0 && handle_has_head(h, r, &known->head)) return true;
    }
    return false;
}

static void search_since(const candidates *all, i64 since, struct handle *known, u64 now,
                         struct reading *r, handle_list *ret)
{
    for (size_t i = 0; i < all->n; i++) {
        const struct candidate *c = &all->v[i];
        struct handle *h = c->mtime < since || c->ino == now ? NULL : open_candidate(c);
        if (h && !is_one_of(known, h, r))
            vec_push(ret, h);
        else
            handle_close(h);
    }
}

void rotated_since(const char *path, i64 since, struct handle *known, u64 now, struct reading *r,
                   handle_list *ret)
{
    size_t before = ret->n;
    bool again = true;

    for (int i = 0; again && i < SEARCHES; i++) {
        candidates all = {0};
        close_from(ret, before);
        u64 print = list_beside(path, 0, &all);
        search_since(&all, since, known, now, r, ret);
        candidates_done(&all);
        again = has_changed(path, 0, print);
    }
}
