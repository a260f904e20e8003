/* Looks of a pool thread at the file system, one at a time; the shard is told when the files found
 * differ from those of the look before. Where the folders have not changed since then they are not
 * read again (glob_seen.h). A look holds all that it needs, so that its owner may go while a file
 * system hangs. */
#include "components/common/file_match.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/hash.h"
#include "base/vec.h"
#include "components/common/glob.h"
#include "components/common/glob_seen.h"
#include "components/common/targets.h"

/* What is looked for; counted, shared by looks of the pool. */
struct wanted {
    struct str path, exclude; /* as written, in the arena */
    struct glob *glob, *out;  /* NULL: none */
};
struct wants {
    struct refs refs;
    struct arena arena;
    struct value targets;
    struct wanted *v;
    size_t n;
    i64 ignore_older_than;
    bool make_list;
};

struct look {
    struct job job;
    struct file_match *owner; /* NULL: nobody waits any more. Worker. */
    atomic_bool given_up;     /* the owner is gone: end early */
    struct wants *wants;
    i64 now;
    struct arena arena; /* paths */
    VEC(struct file_found) found;
    struct value list;
    struct glob_seen
        *seen;   /* of the look before, then of this one; NULL: the age of files matters */
    bool spared; /* nothing has changed since the look before */
    bool too_many, no_memory;
    char *cwd, *unreadable; /* unreadable: the first folder of that kind */
    int err;
    u32 target; /* at hand */
};

struct file_match {
    struct shard *shard;
    struct file_match_conf conf;
    struct wants *wants;
    struct look *running;
    struct wants *told_of; /* what the last found() was about; NULL: there was none */
    u64 told_digest;
    struct glob_seen *seen; /* by the last look; NULL: it has to be looked again */
    struct timer *timer;
    bool again; /* the configuration changed during the look */
    char *told; /* the last complaint, so that it is told once */
};

/* --- what is looked for --- */

static void wants_unref(struct wants *w)
{
    if (!w || !refs_put(&w->refs)) return;
    for (size_t i = 0; i < w->n; i++) {
        glob_free(w->v[i].glob);
        glob_free(w->v[i].out);
    }
    value_unref(w->targets);
    arena_done(&w->arena);
    free(w);
}

static struct glob *compile(const struct file_match *m, const char *label, struct str pattern)
{
    const char *why = NULL;
    struct glob *g = glob_compile(pattern, &why);

    if (!g)
        log_error(m->shard->comp->log, "ignored a target: its pattern is malformed",
                  F_CSTR("label", label), F_STR("pattern", pattern), F_CSTR("err", why));
    return g;
}

static void want(const struct file_match *m, struct wants *w, const struct label_set *target,
                 struct wanted *ret)
{
    ret->path = arena_str(&w->arena, label_set_get(target, STR("__path__")));
    ret->exclude = arena_str(&w->arena, label_set_get(target, STR("__path_exclude__")));
    if (ret->path.n == 0) {
        log_warn(m->shard->comp->log, "ignored a target without __path__");
        return;
    }
    if (ret->exclude.n > 0) ret->out = compile(m, "__path_exclude__", ret->exclude);
    if (ret->exclude.n == 0 || ret->out) ret->glob = compile(m, "__path__", ret->path);
}

static struct wants *wants_new(const struct file_match *m, const struct file_match_conf *conf)
{
    struct wants *w = xnew(struct wants);
    struct label_set target;

    refs_init(&w->refs);
    arena_init(&w->arena, 0);
    w->targets = value_ref(conf->targets);
    w->n = targets_count(conf->targets);
    w->v = arena_array(&w->arena, struct wanted, w->n + 1);
    w->ignore_older_than = conf->ignore_older_than;
    w->make_list = conf->make_list;
    label_set_init(&target);
    for (size_t i = 0; i < w->n; i++) {
        target_load(w->targets, i, &target);
        want(m, w, &target, &w->v[i]);
    }
    label_set_done(&target);
    return w;
}

/* --- the look, on a pool thread --- */

/* A pattern may say what to leave out as it says what to find: from the folder the agent runs in.
 */
static bool is_left_out(const struct look *l, const struct glob *out, struct str path)
{
    size_t n = strlen(l->cwd);

    if (!out) return false;
    if (glob_match(out, path)) return true;
    return str_starts(path, str_n(l->cwd, n)) && path.n > n && path.p[n] == '/' &&
           glob_match(out, str_sub(path, n + 1, path.n));
}

static i64 mtime_of(const struct stat *st)
{
    return st->st_mtim.tv_sec * NS_PER_SEC + st->st_mtim.tv_nsec;
}

static bool add_file(void *arg, struct str path, const struct stat *st)
{
    struct look *l = arg;
    const struct wants *w = l->wants;

    if (atomic_load_explicit(&l->given_up, memory_order_relaxed)) return false;
    if (is_left_out(l, w->v[l->target].out, path)) return true;
    if (w->ignore_older_than > 0 && mtime_of(st) < l->now - w->ignore_older_than) return true;
    l->too_many = l->found.n == FILE_MATCH_MAX;
    if (l->too_many) return false;
    vec_push(&l->found, ((struct file_found){l->target, arena_str(&l->arena, path)}));
    return true;
}

static void note_unreadable(void *arg, struct str path, int err)
{
    struct look *l = arg;

    if (l->unreadable) return;
    l->unreadable = str_dup(path);
    l->err = err;
}

static int by_target_and_path(const void *a, const void *b)
{
    const struct file_found *x = a, *y = b;

    return x->target != y->target ? (x->target > y->target) - (x->target < y->target)
                                  : str_cmp(x->path, y->path);
}

static struct value list_of(struct look *l)
{
    struct target_list list = {0};
    struct label_set set;

    label_set_init(&set);
    for (size_t i = 0; i < l->found.n; i++) {
        target_load(l->wants->targets, l->found.v[i].target, &set);
        label_set_put_view(&set, STR("__path__"), l->found.v[i].path);
        l->no_memory |= set.err != 0;
        target_list_add(&list, &set);
    }
    label_set_done(&set);
    return target_list_value(&list);
}

static void walk_all(struct look *l)
{
    struct glob_walk walk = {.file = add_file,
                             .unreadable = note_unreadable,
                             .arg = l,
                             .names_only = l->wants->ignore_older_than == 0,
                             .seen = l->seen};

    for (u32 i = 0; i < l->wants->n && !l->too_many; i++) {
        l->target = i;
        if (l->wants->v[i].glob) glob_walk(l->wants->v[i].glob, l->cwd, &walk);
    }
    if (l->too_many && l->seen) glob_saw_trouble(l->seen);
}

static struct glob_seen *seen_new(i64 now)
{
    struct glob_seen *s = xnew(struct glob_seen);

    glob_seen_init(s, now);
    return s;
}

static void seen_free(struct glob_seen *s)
{
    if (s) glob_seen_done(s);
    free(s);
}

static void look_work(struct job *j)
{
    struct look *l = container_of(j, struct look, job);

    l->spared = l->seen && glob_seen_holds(l->seen);
    if (l->spared) return;
    seen_free(l->seen);
    l->seen = l->wants->ignore_older_than == 0 ? seen_new(l->now) : NULL;
    l->cwd = getcwd(NULL, 0);
    if (!l->cwd) l->cwd = xstrdup("/");
    walk_all(l);
    if (l->found.n) qsort(l->found.v, l->found.n, sizeof(*l->found.v), by_target_and_path);
    if (l->wants->make_list) l->list = list_of(l);
}

/* --- after it --- */

static void look_free(struct look *l)
{
    if (!l) return;
    wants_unref(l->wants);
    value_unref(l->list);
    seen_free(l->seen);
    arena_done(&l->arena);
    vec_done(&l->found);
    free(l->cwd);
    free(l->unreadable);
    free(l);
}

/* Stands for the files found, so that they need not be kept. Its seed is a secret of the process:
 * who names files cannot make two lists alike. */
static u64 digest(const struct look *l)
{
    u64 sum = hash_process_seed();

    for (size_t i = 0; i < l->found.n; i++) {
        const struct file_found *f = &l->found.v[i];
        sum = hash_mix(hash_bytes(f->path.p, f->path.n, sum), f->target);
    }
    return sum;
}

/* Keeps what the owner is about to be told of. False: he knows it. */
static bool is_new(struct file_match *m, const struct look *l)
{
    u64 sum = digest(l);

    if (m->told_of == l->wants && m->told_digest == sum) return false;
    refs_get(&l->wants->refs);
    wants_unref(m->told_of);
    m->told_of = l->wants;
    m->told_digest = sum;
    return true;
}

/* Takes the text. */
static bool is_news(struct file_match *m, char *complaint)
{
    bool news = complaint && (!m->told || strcmp(m->told, complaint) != 0);

    free(m->told);
    m->told = complaint;
    return news;
}

static void complain(struct file_match *m, const struct look *l)
{
    struct logger *log = m->shard->comp->log;

    if (l->no_memory) {
        log_error(log, "no memory for the files found; they are looked for again");
    } else if (l->too_many) {
        if (is_news(m, xstrdup("too many")))
            log_error(log, "too many files match; the rest is left out",
                      F_UINT("limit", FILE_MATCH_MAX));
    } else if (is_news(m, l->unreadable ? xprintf("%d %s", l->err, l->unreadable) : NULL)) {
        log_warn(log, "cannot look for files in a folder; what it holds is left out",
                 F_CSTR("path", l->unreadable), F_CSTR("err", strerror(l->err)));
    }
}

static void tell(struct file_match *m, struct look *l)
{
    struct files_found f = {
        .targets = l->wants->targets, .v = l->found.v, .n = l->found.n, .list = l->list};

    m->seen = l->seen;
    l->seen = NULL;
    if (!l->spared && is_new(m, l)) m->conf.found(m->conf.arg, &f);
    look_free(l);
}

static void look(struct file_match *m);

static void look_done(struct job *j)
{
    struct look *l = container_of(j, struct look, job);
    struct file_match *m = l->owner;

    if (!m) {
        look_free(l);
        return;
    }
    m->running = NULL;
    if (!l->spared) complain(m, l);
    if (!m->again) timer_start(m->timer, m->conf.period);
    if (m->again || l->no_memory)
        look_free(l);
    else
        tell(m, l);
    if (m->again) look(m);
}

static void look(struct file_match *m)
{
    const struct host *host = m->shard->comp->host;
    struct look *l = xnew(struct look);

    l->job = (struct job){.reply_to = m->shard->worker->loop, .work = look_work, .done = look_done};
    l->owner = m;
    l->now = clock_real(host->clock);
    l->wants = m->wants;
    refs_get(&m->wants->refs);
    arena_init(&l->arena, 0);
    l->seen = m->seen;
    m->seen = NULL;
    m->running = l;
    m->again = false;
    offload_run(host->offload, &l->job);
}

static void on_timer(void *m)
{
    look(m);
}

struct file_match *file_match_new(struct shard *s)
{
    struct file_match *m = xnew(struct file_match);

    m->shard = s;
    m->timer = timer_new(s->worker->loop, on_timer, m);
    return m;
}

void file_match_set(struct file_match *m, const struct file_match_conf *conf)
{
    wants_unref(m->wants);
    m->conf = *conf;
    m->wants = wants_new(m, conf);
    seen_free(m->seen);
    m->seen = NULL;
    timer_stop(m->timer);
    if (m->running)
        m->again = true;
    else
        look(m);
}

void file_match_free(struct file_match *m)
{
    if (!m) return;
    if (m->running) {
        m->running->owner = NULL;
        atomic_store_explicit(&m->running->given_up, true, memory_order_relaxed);
    }
    wants_unref(m->told_of);
    seen_free(m->seen);
    wants_unref(m->wants);
    timer_free(m->timer);
    free(m->told);
    free(m);
}
