/* Control groups: where they are, and which there are. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/map.h"
#include "components/prometheus/cadvisor/container.h"

#define DEPTH_MAX 32

static const char *const controllers[CAD_CONTROLLERS] = {"cpu",     "cpuacct", "memory", "blkio",
                                                         "hugetlb", "pids",    "cpuset"};

static bool is_folder(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

void cad_hierarchies_find(const struct cad_roots *roots, struct arena *a,
                          struct cad_hierarchies *ret)
{
    const char *top = arena_printf(a, "%s/fs/cgroup", roots->sys);

    *ret = (struct cad_hierarchies){0};
    ret->unified = access(arena_printf(a, "%s/cgroup.controllers", top), F_OK) == 0;
    for (int i = 0; i < CAD_CONTROLLERS; i++) {
        const char *at = ret->unified ? top : arena_printf(a, "%s/%s", top, controllers[i]);
        ret->at[i] = is_folder(at) ? at : NULL;
    }
}

/* --- which there are --- */

struct listing {
    struct map seen; /* names */
    bool cut;
};

static void list(struct listing *l, const char *at, const char *name, int depth);

static void list_entry(struct listing *l, const char *at, const char *name, const struct dirent *d,
                       int depth)
{
    if (d->d_type != DT_DIR || d->d_name[0] == '.') return;
    char *child = xprintf("%s/%s", name, d->d_name);

    if (l->seen.live >= CAD_CONTAINERS_MAX)
        l->cut = true;
    else if (!map_has(&l->seen, str_of(child)))
        map_put(&l->seen, str_of(child), l);
    if (!l->cut) list(l, at, child, depth + 1);
    free(child);
}

static void list(struct listing *l, const char *at, const char *name, int depth)
{
    char *path = xprintf("%s%s", at, name);
    DIR *dir = depth < DEPTH_MAX ? opendir(path) : NULL;

    free(path);
    if (!dir) return; /* gone in between */
    for (const struct dirent *d; (d = readdir(dir));)
        list_entry(l, at, name, d, depth);
    closedir(dir);
}

static bool is_id(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!(s.p[i] >= '0' && s.p[i] <= '9') && !(s.p[i] >= 'a' && s.p[i] <= 'f')) return false;
    return s.n == 64;
}

struct str cad_id_of(struct str name)
{
    ssize_t slash = str_rchr(name, '/');
    struct str base = str_sub(name, (size_t)(slash + 1), name.n);

    if (str_ends(base, STR(".scope"))) base.n -= 6;
    ssize_t dash = str_rchr(base, '-');
    base = str_sub(base, (size_t)(dash + 1), base.n);
    return is_id(base) ? base : (struct str){0};
}

static int by_name(const void *a, const void *b)
{
    return str_cmp(((const struct cad_container *)a)->name,
                   ((const struct cad_container *)b)->name);
}

static void add(struct cad_containers *c, struct arena *a, struct str name)
{
    struct cad_container *to = &c->v[c->n++];

    *to = (struct cad_container){.name = arena_str(a, name), .health = -1};
    to->id = cad_id_of(to->name);
}

void cad_containers_list(const struct cad_hierarchies *h, struct arena *a,
                         struct cad_containers *ret)
{
    struct listing l = {0};

    for (int i = 0; i < CAD_CONTROLLERS; i++)
        if (h->at[i] && (i == 0 || !h->unified)) list(&l, h->at[i], "", 0);
    *ret = (struct cad_containers){.cut = l.cut};
    ret->v = arena_array(a, struct cad_container, l.seen.live + 1);
    add(ret, a, STR("/"));
    map_each (&l.seen, e)
        if (!str_ends(e->key, STR(".mount"))) add(ret, a, e->key); /* systemd's, of no process */
    map_done(&l.seen, NULL);
    qsort(ret->v, ret->n, sizeof(*ret->v), by_name);
}

void cad_containers_done(struct cad_containers *c)
{
    for (size_t i = 0; i < c->n; i++) {
        vec_done(&c->v[i].labels);
        vec_done(&c->v[i].envs);
    }
    c->n = 0;
}
