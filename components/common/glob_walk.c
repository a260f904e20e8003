/* Walking the file system with a glob: the automaton goes along, so that a folder is read only when
 * something in it could match, and a segment without wildcards is looked up by its name. */
#include "components/common/glob_int.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>

#include "base/utf8.h"
#include "components/common/glob_seen.h"

#define DEPTH_MAX 128 /* folders below each other; each keeps one open */

struct folder {
    dev_t dev;
    ino_t ino;
};

struct walk {
    const struct glob *g;
    const struct glob_walk *conf;
    char path[PATH_MAX];
    size_t n;
    struct folder above[DEPTH_MAX];
    u32 depth;
    struct glob_places spare;
    bool ended;
};

static void folder(struct walk *w, const struct glob_places *in);

static struct str here(const struct walk *w)
{
    return str_n(w->path, MAX(w->n, 1u));
}

static bool is_gone(int err)
{
    return err == ENOENT || err == ENOTDIR;
}

static void unreadable(struct walk *w, int err)
{
    glob_saw_trouble(w->conf->seen);
    if (!is_gone(err) && w->conf->unreadable) w->conf->unreadable(w->conf->arg, here(w), err);
}

static bool add_name(struct walk *w, struct str name)
{
    bool slash = w->n > 0 && w->path[w->n - 1] != '/';

    if (w->n + slash + name.n + 1 > sizeof(w->path)) return false;
    if (slash) w->path[w->n++] = '/';
    memcpy(w->path + w->n, name.p, name.n);
    w->n += name.n;
    w->path[w->n] = '\0';
    return true;
}

/* --- one name in a folder --- */

static bool is_known_file(unsigned char type)
{
    return type != DT_DIR && type != DT_LNK && type != DT_UNKNOWN;
}

static void tell(struct walk *w, const struct stat *st)
{
    w->ended = !w->conf->file(w->conf->arg, str_n(w->path, w->n), st);
}

static bool look_at(struct walk *w, struct stat *ret)
{
    bool there = stat(w->path, ret) == 0;

    if (!there && !is_gone(errno))
        unreadable(w, errno);
    else
        glob_saw_name(w->conf->seen, here(w), there ? ret : NULL);
    return there;
}

/* What the path leads to, as far as it matters: the rest of the pattern goes on in folders only. */
static void found(struct walk *w, const struct glob_places *p, const struct glob_places *below,
                  unsigned char type)
{
    struct stat st;

    if (!p->done && is_known_file(type)) return;
    if (!p->done && type == DT_DIR) {
        folder(w, below);
        return;
    }
    if (type == DT_REG && w->conf->names_only) {
        tell(w, NULL);
        return;
    }
    if (!look_at(w, &st)) return;
    if (S_ISDIR(st.st_mode))
        folder(w, below);
    else if (p->done)
        tell(w, &st);
}

static void copy_places(struct glob_places *to, const struct glob_places *from)
{
    to->n = from->n;
    to->done = from->done;
    if (from->n) memcpy(to->at, from->at, from->n * sizeof(u32));
}

static void name_in(struct walk *w, const struct glob_places *in, struct glob_places *p,
                    struct glob_places *below, struct str name, unsigned char type)
{
    size_t before = w->n;

    copy_places(p, in);
    glob_steps(w->g, p, &w->spare, name);
    if (!p->done && p->n == 0) return;
    glob_step(w->g, p, '/', below);
    if (!p->done && below->n == 0) return;
    if (add_name(w, name))
        found(w, p, below, type);
    else
        unreadable(w, ENAMETOOLONG);
    w->n = before;
    w->path[w->n] = '\0';
}

/* --- a folder --- */

static void write_char(struct buf *b, u32 c)
{
    if (c >= GLOB_BAD_BYTE)
        buf_ch(b, (char)(c - GLOB_BAD_BYTE));
    else
        utf8_encode(b, c);
}

/* The character that has to come: 0 when there may be several, or the name may end. */
static u32 only_char(const struct glob *g, const struct glob_places *p)
{
    const struct glob_inst *i = p->n == 1 && !p->done ? &g->code.v[p->at[0]] : NULL;

    return i && i->op == GLOB_CHAR && i->x != '/' ? i->x : 0;
}

static bool ends_here(const struct glob *g, const struct glob_places *p)
{
    for (u32 i = 0; i < p->n; i++)
        if (g->code.v[p->at[i]].op != GLOB_CHAR || g->code.v[p->at[i]].x != '/') return false;
    return true;
}

/* The one name that can match here: false when there may be several. p is used up. */
static bool only_name(struct walk *w, struct glob_places *p, struct buf *name)
{
    for (u32 c; (c = only_char(w->g, p));) {
        write_char(name, c);
        glob_step(w->g, p, c, &w->spare);
        struct glob_places was = *p;
        *p = w->spare;
        w->spare = was;
    }
    return name->n > 0 && !buf_err(name) && ends_here(w->g, p);
}

static void read_folder(struct walk *w, DIR *dir, const struct glob_places *in,
                        struct glob_places *p, struct glob_places *below)
{
    struct dirent *e;

    while (!w->ended && (errno = 0, e = readdir(dir)))
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
            name_in(w, in, p, below, str_of(e->d_name), e->d_type);
    if (!w->ended && errno) unreadable(w, errno);
}

/* A folder that is on the way already is not entered again. */
static bool push_folder(struct walk *w, int fd)
{
    struct stat st;

    if (fstat(fd, &st) < 0) {
        glob_saw_trouble(w->conf->seen);
        return false;
    }
    glob_saw_folder(w->conf->seen, here(w), fd, &st);
    for (u32 i = 0; i < w->depth; i++)
        if (w->above[i].dev == st.st_dev && w->above[i].ino == st.st_ino) return false;
    w->above[w->depth++] = (struct folder){st.st_dev, st.st_ino};
    return true;
}

static void open_folder(struct walk *w, const struct glob_places *in, struct glob_places *p,
                        struct glob_places *below)
{
    DIR *dir = opendir(w->path);

    if (!dir) {
        unreadable(w, errno);
        return;
    }
    if (push_folder(w, dirfd(dir))) {
        read_folder(w, dir, in, p, below);
        w->depth--;
    }
    closedir(dir);
}

static void folder(struct walk *w, const struct glob_places *in_)
{
    struct glob_places in, p, below;
    struct buf name = BUF_INIT(NAME_MAX + 1);

    if (in_->n == 0) return;
    if (w->depth == DEPTH_MAX) {
        unreadable(w, ELOOP);
        return;
    }
    glob_places_init(&in, w->g);
    glob_places_init(&p, w->g);
    glob_places_init(&below, w->g);
    copy_places(&in, in_);
    copy_places(&p, in_);
    if (only_name(w, &p, &name))
        name_in(w, &in, &p, &below, buf_view(&name), DT_UNKNOWN);
    else
        open_folder(w, &in, &p, &below);
    glob_places_free(&in);
    glob_places_free(&p);
    glob_places_free(&below);
    buf_done(&name);
}

/* Over the slash that a pattern begins with. Wildcards could stand for it as well, but a pattern
 * that begins with one begins at `dir`. */
static void root_places(const struct glob *g, const struct glob_places *start,
                        struct glob_places *ret)
{
    struct glob_places first;

    glob_places_init(&first, g);
    for (u32 i = 0; i < start->n; i++)
        if (g->code.v[start->at[i]].op == GLOB_CHAR && g->code.v[start->at[i]].y)
            first.at[first.n++] = start->at[i];
    glob_step(g, &first, '/', ret);
    glob_places_free(&first);
}

void glob_walk(const struct glob *g, const char *dir, const struct glob_walk *conf)
{
    struct walk *w = xnew(struct walk);
    struct glob_places start, rooted;

    w->g = g;
    w->conf = conf;
    glob_places_init(&w->spare, g);
    glob_places_init(&start, g);
    glob_places_init(&rooted, g);
    glob_start(g, &start);
    root_places(g, &start, &rooted);
    if (rooted.n > 0 && add_name(w, STR("/"))) folder(w, &rooted);
    w->n = 0;
    if (!w->ended && !ends_here(g, &start) && add_name(w, str_of(dir))) folder(w, &start);
    glob_places_free(&w->spare);
    glob_places_free(&start);
    glob_places_free(&rooted);
    free(w);
}
