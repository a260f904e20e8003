/* discovery.file: targets read from JSON and YAML files, which are found by globs. The folders are
 * watched, and looked at every refresh_interval. A file that cannot be read keeps the targets it
 * had; one that is gone has none. One worker. */
#include <sys/stat.h>

#include "base/map.h"
#include "base/vec.h"
#include "components/common/glob.h"
#include "components/common/pool_refresh.h"
#include "components/common/read_file.h"
#include "components/common/target_groups.h"

#define FILES_MAX 10000
#define DEBOUNCE  (100 * NS_PER_MS)

/* --- arguments --- */

struct args {
    struct str_list files;
    struct dur refresh_interval;
};

static const struct row arg_rows[] = {
    ATTR(struct args, files, .required = true,
         .doc = "Files to read, by globs: names that end in .json, .yml or .yaml."),
    ATTR(struct args, refresh_interval, .def = "\"5m\"",
         .doc = "How often to look for files, beside the changes that are noticed at once."),
};
static void validate(const void *args, const struct span *at, struct diags *diags);
static const struct schema args_schema = SCHEMA(struct args, arg_rows, .validate = validate);

static bool is_json(struct str path)
{
    return str_ends(path, STR(".json")) || str_ends(path, STR(".JSON"));
}

static bool is_yaml(struct str path)
{
    return str_ends(path, STR(".yml")) || str_ends(path, STR(".yaml")) ||
           str_ends(path, STR(".YML")) || str_ends(path, STR(".YAML"));
}

static void check_file(struct str file, struct span at, struct diags *diags)
{
    const char *why = NULL;
    struct glob *g = glob_compile(file, &why);

    glob_free(g);
    if (!g)
        diag_error(diags, DIAG_VALUE_INVALID, at, "the pattern \"" STR_FMT "\" is malformed: %s",
                   STR_ARG(file), why);
    else if (!is_json(file) && !is_yaml(file))
        diag_error(diags, DIAG_VALUE_INVALID, at,
                   "path name \"" STR_FMT "\" is not valid for file discovery: it must end in "
                   ".json, .yml or .yaml",
                   STR_ARG(file));
}

static void validate(const void *args, const struct span *at, struct diags *diags)
{
    const struct args *a = args;

    if (a->refresh_interval.ns <= 0)
        diag_error(diags, DIAG_VALUE_INVALID, schema_span(&args_schema, at, "refresh_interval"),
                   "refresh_interval must be greater than 0");
    for (size_t i = 0; i < a->files.n; i++)
        check_file(a->files.v[i], schema_span(&args_schema, at, "files"), diags);
}

struct plan {
    const struct args *args;
};
struct shared {
    struct metric *errors;
};
/* A file whose targets are exported. */
struct known {
    struct metric *mtime;
    u64 seen; /* the look that saw it last */
};
struct self {
    struct pool_refresh refresh; /* first */
    struct map files;            /* by path: struct known */
    VEC(struct file_watch *) watches;
    u64 looks;
    char *told; /* the last fault, so that it is told once */
};

static int prepare(struct prepare *p, const void *args, void *plan)
{
    ((struct plan *)plan)->args = args;
    return 0;
}

/* --- the look --- */

struct found {
    struct str path;
    struct value targets;
    i64 mtime;
    const char *error; /* NULL: targets is what it holds */
};
struct look {
    struct str *patterns;
    size_t n;
    VEC(struct found) found;
    struct arena *arena;
    struct map seen; /* paths that several patterns find are read once */
    bool too_many;
};

static i64 interval(const void *plan)
{
    return ((const struct plan *)plan)->args->refresh_interval.ns;
}

static void look_prepare(struct pool_refresh *r, struct pool_look *l)
{
    const struct args *a = ((const struct plan *)r->plan)->args;
    struct look *d = l->state;

    d->n = a->files.n;
    d->arena = &l->arena;
    d->patterns = arena_array(&l->arena, struct str, d->n + 1);
    for (size_t i = 0; i < d->n; i++)
        d->patterns[i] = arena_str(&l->arena, a->files.v[i]);
}

static void parse(struct look *d, struct found *f, struct str text)
{
    const struct target_groups_conf conf = {STR("__meta_filepath"), f->path};
    struct target_list list = {0};
    const char *err = NULL;
    int r = is_json(f->path) ? target_groups_json(text, &conf, d->arena, &list, &err)
                             : target_groups_yaml(text, &conf, d->arena, &list, &err);

    f->targets = target_list_value(&list);
    if (r) f->error = err;
}

static void read_one(struct look *d, struct found *f)
{
    struct buf text = BUF_INIT(READ_FILE_MAX);
    struct stat st;
    char *err = NULL;

    if (stat(f->path.p, &st) == 0) f->mtime = st.st_mtim.tv_sec;
    if (read_file(f->path.p, &text, &err) == 0)
        parse(d, f, buf_view(&text));
    else
        f->error = arena_strdup(d->arena, str_of(err));
    free(err);
    buf_done(&text);
}

static bool add_file(void *arg, struct str path, const struct stat *st)
{
    struct look *d = arg;

    if (map_get(&d->seen, path)) return true;
    d->too_many = d->found.n == FILES_MAX;
    if (d->too_many) return false;
    vec_push(&d->found, (struct found){.path = arena_str(d->arena, path)});
    map_put(&d->seen, vec_last(&d->found).path, d);
    return true;
}

static void look_work(struct pool_look *l)
{
    struct look *d = l->state;
    const struct glob_walk walk = {.file = add_file, .arg = d, .names_only = true};

    for (size_t i = 0; i < d->n && !d->too_many; i++) {
        struct glob *g = glob_compile(d->patterns[i], NULL);
        if (g) glob_walk(g, ".", &walk);
        glob_free(g);
    }
    vec_each (&d->found, f) {
        if (atomic_load_explicit(&l->given_up, memory_order_relaxed)) return;
        read_one(d, f);
    }
}

static void look_release(struct pool_look *l)
{
    struct look *d = l->state;

    vec_each (&d->found, f)
        value_unref(f->targets);
    vec_done(&d->found);
    map_done(&d->seen, NULL);
}

/* --- after it --- */

static const struct metric_desc errors_desc = {.name = "prometheus_sd_file_read_errors_total",
                                               .help = "The number of File-SD read errors.",
                                               .kind = METRIC_COUNTER};
static const struct metric_desc mtime_desc = {.name = "prometheus_sd_file_mtime_seconds",
                                              .help = "Timestamp (mtime) of files read by FileSD. "
                                                      "Timestamp is set at read time.",
                                              .kind = METRIC_GAUGE};

static struct known *known_file(struct self *s, struct str path)
{
    struct known *k = map_get(&s->files, path);

    if (k) return k;
    k = xnew(struct known);
    map_put(&s->files, path, k);
    return k;
}

static void take(struct self *s, const struct found *f)
{
    struct known *k = known_file(s, f->path);
    const struct metric_label label = {"filename", f->path.p};

    k->seen = s->looks;
    if (f->error) {
        metric_inc(((const struct shared *)s->refresh.shard->comp->shared)->errors);
        return;
    }
    if (!k->mtime) k->mtime = shard_metric(s->refresh.shard, &mtime_desc, &label, 1);
    metric_set(k->mtime, (f64)f->mtime);
    target_export_set(&s->refresh.out, f->path, value_ref(f->targets));
}

static void forget(struct self *s, struct known *k)
{
    shard_metric_free(s->refresh.shard, k->mtime);
    free(k);
}

static void forget_gone(struct self *s)
{
    VEC(char *) gone = {0};

    map_each (&s->files, e)
        if (((const struct known *)e->value)->seen != s->looks) vec_push(&gone, str_dup(e->key));
    vec_each (&gone, path) {
        target_export_set(&s->refresh.out, str_of(*path), value_array(0));
        forget(s, map_del(&s->files, str_of(*path)));
        free(*path);
    }
    vec_done(&gone);
}

/* Takes the text. */
static void tell(struct self *s, char *why)
{
    struct comp *c = s->refresh.shard->comp;

    if (why && (!s->told || strcmp(s->told, why) != 0))
        log_error(c->log, "a file with targets cannot be read; its targets stay as they are",
                  F_CSTR("err", why));
    if (!why && s->told) log_info(c->log, "all files with targets can be read again");
    if (why)
        comp_health(c, HEALTH_UNHEALTHY, "%s", why);
    else
        comp_health(c, HEALTH_HEALTHY, "read %zu files", s->files.n);
    free(s->told);
    s->told = why;
}

static char *fault_of(struct look *d)
{
    if (d->too_many) return xprintf("more than %d files match; the rest is left out", FILES_MAX);
    vec_each (&d->found, f)
        if (f->error) return xprintf(STR_FMT ": %s", STR_ARG(f->path), f->error);
    return NULL;
}

static void look_found(struct pool_refresh *r, struct pool_look *l)
{
    struct self *s = (struct self *)r;
    struct look *d = l->state;

    s->looks++;
    vec_each (&d->found, f)
        take(s, f);
    forget_gone(s);
    if (!r->out.published && d->found.n == 0) target_export_set(&r->out, STR(""), value_array(0));
    tell(s, fault_of(d));
}

static const struct pool_refresh_rules rules = {.look_size = sizeof(struct look),
                                                .interval = interval,
                                                .prepare = look_prepare,
                                                .work = look_work,
                                                .done = look_found,
                                                .release = look_release};

/* --- changes --- */

static bool counts(const char *name)
{
    return is_json(str_of(name)) || is_yaml(str_of(name));
}

static void changed(void *arg)
{
    pool_refresh_now(arg);
}

/* The folder of a pattern; where that is a pattern itself, changes show with the interval. */
static void watch(struct self *s, struct str pattern)
{
    ssize_t slash = str_rchr(pattern, '/');
    char *folder = slash < 0    ? xstrdup(".")
                   : slash == 0 ? xstrdup("/")
                                : str_dup(str_sub(pattern, 0, (size_t)slash));

    if (!strpbrk(folder, "*?[{\\")) {
        struct file_watch *w =
            file_watch_new(s->refresh.shard->worker->loop, folder, DEBOUNCE, 0, changed, s);
        file_watch_entries(w, counts);
        vec_push(&s->watches, w);
    }
    free(folder);
}

static void watch_all(struct self *s, const struct plan *plan)
{
    for (size_t i = 0; i < plan->args->files.n; i++)
        watch(s, plan->args->files.v[i]);
}

static void unwatch(struct self *s)
{
    vec_each (&s->watches, w)
        file_watch_free(*w);
    vec_done(&s->watches);
}

/* --- life --- */

static int create(struct comp *c, char **ret_err)
{
    ((struct shared *)c->shared)->errors = comp_metric(c, &errors_desc, NULL, 0);
    target_export_none(c);
    return 0;
}

static int run(struct shard *shard)
{
    pool_refresh_run(shard, &rules);
    watch_all(shard->self, shard->plan);
    return 0;
}

static void forget_all(struct self *s)
{
    map_each (&s->files, e)
        forget(s, e->value);
    map_done(&s->files, NULL);
    s->files = (struct map){0};
}

static int apply(struct shard *shard, const void *plan)
{
    struct self *s = shard->self;

    unwatch(s);
    forget_all(s);
    watch_all(s, plan);
    return pool_refresh_apply(shard, plan);
}

static void stop(struct shard *shard)
{
    unwatch(shard->self);
    pool_refresh_stop(shard);
}

static void shard_done(struct shard *shard)
{
    struct self *s = shard->self;

    unwatch(s);
    forget_all(s);
    pool_refresh_shard_done(shard);
    free(s->told);
}

DEFINE_COMPONENT(discovery_file) = {
    .name = "discovery.file",
    .summary = "Reads targets from JSON and YAML files and follows their changes.",
    .example = "discovery.file \"default\" {\n\tfiles = [\"/etc/targets/*.yml\"]\n}\n",
    .stability = STABILITY_GA,
    .args = &args_schema,
    .exports = &target_exports_schema,
    .placement = PLACE_ONE,
    .plan_size = sizeof(struct plan),
    .shared_size = sizeof(struct shared),
    .self_size = sizeof(struct self),
    .prepare = prepare,
    .create = create,
    .run = run,
    .apply = apply,
    .stop = stop,
    .shard_done = shard_done,
    .taps_itself = true,
};
