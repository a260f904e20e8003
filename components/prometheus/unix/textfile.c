/* textfile: metrics that others write into *.prom files of a folder. A file counts as a whole or
 * not at all. */
#include "components/prometheus/unix/collector.h"

#include <errno.h>
#include <glob.h>
#include <sys/stat.h>
#include "telemetry/exposition.h"

struct plan {
    const char *pattern; /* of folders; NULL: nothing is read */
};
/* A file on its way in. */
struct reading {
    struct collect *c;
    const char *path;
    bool trial;        /* nothing is added */
    struct str family; /* of the last TYPE or HELP */
    const char *help;
    enum expo_type type;
};

static int prepare(struct collector_prepare *pr, void *to)
{
    struct str dir = pr->args->textfile.directory;

    if (dir.n > 0) ((struct plan *)to)->pattern = arena_strdup(pr->arena, dir);
    return 0;
}

static enum expo_type type_of(enum metric_type type)
{
    switch (type) {
    case TYPE_COUNTER: return EXPO_COUNTER;
    case TYPE_GAUGE: return EXPO_GAUGE;
    case TYPE_HISTOGRAM: return EXPO_HISTOGRAM;
    case TYPE_SUMMARY: return EXPO_SUMMARY;
    default: return EXPO_UNTYPED;
    }
}

/* Families of several kinds of samples: "_bucket" and so on behind their name. */
static const char *suffix_of(const struct reading *r, struct str name)
{
    static const char *const suffixes[] = {"_bucket", "_sum", "_count"};

    for (size_t i = 0; i < ARRAY_LEN(suffixes); i++)
        if (name.n > r->family.n && str_is(str_sub(name, r->family.n, name.n), suffixes[i]))
            return suffixes[i];
    return "";
}

static void add(struct reading *r, const struct label_set *set, f64 v)
{
    struct expo_label labels[64];
    struct expo *out = r->c->out;
    struct str name = label_set_get(set, STR("__name__"));
    bool known = r->family.n > 0 && str_starts(name, r->family);
    const char *suffix =
        known && (r->type == EXPO_HISTOGRAM || r->type == EXPO_SUMMARY) ? suffix_of(r, name) : "";
    size_t n = 0;

    known = known && name.n == r->family.n + strlen(suffix);
    for (u32 i = 0; i < set->n && n < ARRAY_LEN(labels); i++)
        if (!str_is(set->v[i].name, "__name__"))
            labels[n++] = (struct expo_label){expo_keep(out, set->v[i].name), set->v[i].value};
    const char *help =
        known && r->help
            ? r->help
            : expo_keep(out, str_of(arena_printf(r->c->arena, "Metric read from %s", r->path)));
    const char *family = expo_keep(out, known ? r->family : name);
    if (expo_has(out, family)) help = ""; /* another file's, or the line before */
    expo_sample(expo_family(out, known ? r->type : EXPO_UNTYPED, family, help), suffix, v, labels,
                n);
}

static f64 float_of(u64 bits)
{
    f64 v;

    memcpy(&v, &bits, sizeof(v));
    return v;
}

static void begin_family(struct reading *r, const struct exposition *e, enum exposition_event event)
{
    if (!str_eq(e->family, r->family)) {
        r->family = arena_str(r->c->arena, e->family);
        r->type = EXPO_UNTYPED;
        r->help = NULL;
    }
    if (event == EXPOSITION_TYPE) r->type = type_of(e->type);
    if (event == EXPOSITION_HELP) r->help = expo_keep(r->c->out, e->text);
}

static int pass(struct reading *r, struct str text, struct label_set *set)
{
    struct exposition e;
    int err = 0;
    enum exposition_event event;

    exposition_init(&e, &(struct exposition_conf){.format = EXPOSITION_TEXT, .body = text});
    while (!err && (event = exposition_next(&e, 0, 0)) != EXPOSITION_END) {
        if (event == EXPOSITION_ERROR || (event == EXPOSITION_SAMPLE && exposition_labels(&e, set)))
            err = collect_fail(r->c, -EINVAL, "%s: %s", r->path, e.error);
        else if (event == EXPOSITION_SAMPLE && e.has_time)
            err = collect_fail(r->c, -EINVAL, "%s: a sample has a time; files must leave it out",
                               r->path);
        else if (event == EXPOSITION_SAMPLE && !r->trial)
            add(r, set, float_of(e.bits));
        else if (!r->trial && (event == EXPOSITION_TYPE || event == EXPOSITION_HELP))
            begin_family(r, &e, event);
    }
    exposition_done(&e);
    return err;
}

static int read_file(struct collect *c, const char *path)
{
    struct reading r = {.c = c, .path = path, .trial = true};
    struct label_set set;
    struct str text;
    struct stat st;
    int err = unix_read_path(c, &text, path);

    if (err) return collect_fail(c, err, "read %s: %s", path, strerror(-err));
    if (stat(path, &st) < 0) return -errno;
    label_set_init(&set);
    err = pass(&r, text, &set);
    r.trial = false;
    if (!err) err = pass(&r, text, &set);
    label_set_done(&set);
    if (err) return err;
    expo_gauge1(c->out, "node_textfile_mtime_seconds",
                "Unixtime mtime of textfiles successfully read.",
                (f64)st.st_mtim.tv_sec + (f64)st.st_mtim.tv_nsec / 1e9, EXPO_L("file", path));
    return 0;
}

static bool read_matches(struct collect *c, const glob_t *found)
{
    bool failed = false;

    for (size_t i = 0; i < found->gl_pathc; i++) {
        if (read_file(c, found->gl_pathv[i]) == 0) continue;
        failed = true;
        log_error(c->log, "a textfile is left out", F_CSTR("file", found->gl_pathv[i]),
                  F_CSTR("err", c->error ? c->error : "it went away"));
        c->error = NULL;
    }
    return failed;
}

/* The folder may be a pattern for several. */
static bool read_folders(struct collect *c, const char *pattern)
{
    glob_t folders = {0}, files = {0};
    bool failed = false;

    if (glob(pattern, 0, NULL, &folders) != 0) {
        log_error(c->log, "the folder of textfiles cannot be read", F_CSTR("directory", pattern));
        failed = true;
    }
    for (size_t i = 0; i < folders.gl_pathc; i++)
        glob(arena_printf(c->arena, "%s/*.prom", folders.gl_pathv[i]), i > 0 ? GLOB_APPEND : 0,
             NULL, &files);
    if (read_matches(c, &files)) failed = true;
    globfree(&folders);
    globfree(&files);
    return failed;
}

static int collect(struct collect *c)
{
    const struct plan *plan = c->plan;
    bool failed = plan->pattern && read_folders(c, plan->pattern);

    expo_gauge1(c->out, "node_textfile_scrape_error",
                "1 if there was an error opening or reading a file, 0 otherwise", failed);
    return COLLECT_OK;
}

const struct collector_def collector_textfile = {.name = "textfile",
                                                 .default_on = true,
                                                 .plan_size = sizeof(struct plan),
                                                 .prepare = prepare,
                                                 .collect = collect};
