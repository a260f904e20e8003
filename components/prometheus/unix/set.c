/* Which collectors are on, and one run of them. */
#include "components/prometheus/unix/set.h"

#include <errno.h>
#include <stdlib.h>
#include "components/common/settings.h"

#define COLLECTOR(name) extern const struct collector_def collector_##name;
#include "components/prometheus/unix/collectors.def"
#undef COLLECTOR

static const struct collector_def *const all[] = {
#define COLLECTOR(name) &collector_##name,
#include "components/prometheus/unix/collectors.def"
#undef COLLECTOR
};

static const struct collector_def *find(struct str name)
{
    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        if (str_is(name, all[i]->name)) return all[i];
    return NULL;
}

static bool named(const struct str_list *list, const char *name)
{
    for (size_t i = 0; i < list->n; i++)
        if (str_is(list->v[i], name)) return true;
    return false;
}

static bool is_on(const struct unix_args *a, const struct collector_def *def)
{
    bool on = a->set_collectors.n > 0 ? named(&a->set_collectors, def->name) : def->default_on;

    if (named(&a->disable_collectors, def->name)) on = false;
    return on || named(&a->enable_collectors, def->name);
}

/* A name that stands for nothing is a typing error, or a collector that this build has not. */
static void warn_unknown(struct prepare *p, const char *path, const struct str_list *list)
{
    for (size_t i = 0; i < list->n; i++) {
        if (find(list->v[i])) continue;
        char *why =
            xprintf("there is no collector \"" STR_FMT "\" in this build", STR_ARG(list->v[i]));
        setting_no_effect(p, path, why);
        free(why);
    }
}

static void warn(struct prepare *p, const struct unix_args *a)
{
    warn_unknown(p, "set_collectors", &a->set_collectors);
    warn_unknown(p, "enable_collectors", &a->enable_collectors);
    warn_unknown(p, "disable_collectors", &a->disable_collectors);
}

/* Without slashes at the end, so that "/" joins to "/proc". */
static const char *root(struct arena *arena, struct str path)
{
    while (path.n > 0 && path.p[path.n - 1] == '/')
        path.n--;
    return arena_strdup(arena, path);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct unix_member *)a)->def->name,
                  ((const struct unix_member *)b)->def->name);
}

static int add_members(struct unix_set *s, struct collector_prepare *pr)
{
    int r = 0;

    s->members = arena_array(&s->arena, struct unix_member, ARRAY_LEN(all) + 1);
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        struct unix_member *m = &s->members[s->n];

        if (!is_on(pr->args, all[i])) continue;
        m->def = all[i];
        m->plan = arena_alloc(&s->arena, m->def->plan_size + 1);
        m->state = arena_alloc(&s->arena, m->def->state_size + 1);
        if (m->def->prepare && m->def->prepare(pr, m->plan) < 0) r = -EINVAL;
        s->n++;
    }
    if (s->n > 0) qsort(s->members, s->n, sizeof(*s->members), by_name);
    return r;
}

struct unix_set *unix_set_new(struct prepare *p, const struct unix_args *args)
{
    struct unix_set *s = xnew(struct unix_set);
    struct collector_prepare pr = {.p = p, .arena = &s->arena, .args = args};

    refs_init(&s->refs);
    arena_init(&s->arena, 4096);
    s->roots[ROOT_PROC] = root(&s->arena, args->procfs_path);
    s->roots[ROOT_SYS] = root(&s->arena, args->sysfs_path);
    s->roots[ROOT_FS] = root(&s->arena, args->rootfs_path);
    s->roots[ROOT_UDEV] = root(&s->arena, args->udev_data_path);
    warn(p, args);
    if (add_members(s, &pr) == 0) return s;
    unix_set_unref(s);
    return NULL;
}

struct unix_set *unix_set_ref(struct unix_set *s)
{
    refs_get(&s->refs);
    return s;
}

void unix_set_unref(struct unix_set *s)
{
    if (!s || !refs_put(&s->refs)) return;
    for (size_t i = 0; i < s->n; i++)
        if (s->members[i].def->done) s->members[i].def->done(s->members[i].state);
    arena_done(&s->arena);
    free(s);
}

/* --- a run --- */

static void tell(const struct collect *c, const char *name, int r, f64 seconds)
{
    const char *why = c->error ? c->error : r < 0 ? strerror(-r) : "";

    if (r < 0)
        log_error(c->log, "collector failed", F_CSTR("name", name),
                  F_FLOAT("duration_seconds", seconds), F_CSTR("err", why));
    else if (r == COLLECT_NO_DATA)
        log_debug(c->log, "collector returned no data", F_CSTR("name", name),
                  F_FLOAT("duration_seconds", seconds), F_CSTR("err", why));
}

static void run_one(struct unix_set *s, struct unix_member *m, struct collect *c)
{
    struct expo_label label = EXPO_L("collector", m->def->name);
    i64 begun = clock_mono(c->clock);

    atomic_store_explicit(&s->running, m->def->name, memory_order_relaxed);
    c->plan = m->plan;
    c->state = m->state;
    c->error = NULL;
    int r = m->def->collect(c);
    f64 seconds = (f64)(clock_mono(c->clock) - begun) / (f64)NS_PER_SEC;
    expo_add(expo_gauge(c->out, "node_scrape_collector_duration_seconds",
                        "node_exporter: Duration of a collector scrape."),
             seconds, label);
    expo_add(expo_gauge(c->out, "node_scrape_collector_success",
                        "node_exporter: Whether a collector succeeded."),
             r == COLLECT_OK, label);
    tell(c, m->def->name, r, seconds);
}

void unix_set_run(struct unix_set *s, const struct collect *base, struct expo *out)
{
    struct arena arena;
    struct collect c = *base;

    arena_init(&arena, 65536);
    c.arena = &arena;
    c.out = out;
    memcpy(c.roots, s->roots, sizeof(c.roots));
    for (size_t i = 0; i < s->n; i++) {
        run_one(s, &s->members[i], &c);
        arena_rewind(&arena);
    }
    atomic_store_explicit(&s->running, NULL, memory_order_relaxed);
    arena_done(&arena);
}
