/* local.file: a file's contents as an export that follows the file. Lives on the control loop;
 * reads are of small files. */
#include <errno.h>

#include "components/common/follow_files.h"
#include "components/common/read_file.h"
#include "components/common/settings.h"

#define WELL   "read file"
#define FAILED "failed to read file"

struct args {
    struct str filename, detector;
    bool is_secret;
    struct dur poll_frequency;
};
struct exports {
    struct opt_secret_text content;
};

struct plan {
    const struct args *args;
};
struct shared {
    struct metric *accessed;
};

static const struct row arg_rows[] = {
    ATTR(struct args, detector, .doc = "How changes are noticed: fsnotify or poll.",
         .def = "\"fsnotify\"", .one_of = ONE_OF_TEXT("fsnotify", "poll")),
    ATTR(struct args, filename, .doc = "File to read.", .required = true),
    ATTR(struct args, is_secret, .doc = "Export the contents as a secret.", .def = "false"),
    ATTR(struct args, poll_frequency,
         .doc = "How often the file is looked at, for poll and where changes cannot be watched.",
         .def = "\"1m\""),
};
static const struct schema args_schema = SCHEMA(struct args, arg_rows);

static const struct row export_rows[] = {
    ATTR(struct exports, content, .doc = "The contents of the file."),
};
static const struct schema exports_schema = SCHEMA(struct exports, export_rows);

static const struct metric_desc accessed_desc = {
    .name = "local_file_timestamp_last_accessed_unix_seconds",
    .help = "Time at which the file was last read.",
    .kind = METRIC_GAUGE};

static int prepare(struct prepare *p, const void *args, void *plan_)
{
    struct plan *plan = plan_;
    const struct args *a = plan->args = args;
    return a->poll_frequency.ns > 0
               ? 0
               : setting_fault(p, "poll_frequency", "poll_frequency must be greater than 0");
}

static void export_text(struct comp *c, struct shard *s, struct str text, bool is_secret)
{
    struct exports e = {
        .content = {.s = text.n > 0 ? text : STR(""), .is_secret = is_secret, .set = true}};
    if (s)
        shard_export(s, &e);
    else
        comp_export(c, &e);
}

static int publish(struct comp *c, struct shard *s, const void *plan, char **ret_err)
{
    const struct args *a = ((const struct plan *)plan)->args;
    struct shared *sh = c->shared;
    struct buf content = BUF_INIT(READ_FILE_MAX);
    int r = read_file(a->filename.p, &content, ret_err);
    if (r == 0) {
        export_text(c, s, buf_view(&content), a->is_secret);
        metric_set(sh->accessed, (f64)clock_real(c->host->clock) / (f64)NS_PER_SEC);
    }
    buf_done(&content);
    return r;
}

/* As the building of the component says it. */
static int publish_first(struct comp *c, char **ret_err)
{
    char *err;
    int r = publish(c, NULL, c->plan, &err);
    if (r == 0) return 0;
    *ret_err = xprintf(FAILED ": %s", err);
    free(err);
    return r;
}

static int create(struct comp *c, char **ret_err)
{
    struct shared *sh = c->shared;
    sh->accessed = comp_metric(c, &accessed_desc, NULL, 0);
    int r = publish_first(c, ret_err);
    if (r == 0) comp_health(c, HEALTH_HEALTHY, WELL);
    return r;
}

static int configure(struct comp *c, const void *old_plan, char **ret_err)
{
    return old_plan ? publish_first(c, ret_err) : 0;
}

static void follow_conf(const void *plan, struct follow_conf *ret)
{
    const struct args *a = ((const struct plan *)plan)->args;
    ret->files[0] = a->filename;
    ret->by_timer = str_is(a->detector, "poll");
    ret->every = a->poll_frequency.ns;
}

static const struct follow_rules rules = {
    .conf = follow_conf, .publish = publish, .well = WELL, .failed = FAILED};

static int run(struct shard *s)
{
    return follow_run(s, &rules);
}

DEFINE_COMPONENT(local_file) = {
    .name = "local.file",
    .summary = "Exports the contents of a file and follows its changes.",
    .example = "local.file \"host\" {\n"
               "  filename = \"/etc/hostname\"\n"
               "}\n",
    .stability = STABILITY_GA,
    .args = &args_schema,
    .exports = &exports_schema,
    .placement = PLACE_CONTROL,
    .plan_size = sizeof(struct plan),
    .shared_size = sizeof(struct shared),
    .self_size = sizeof(struct follow),
    .prepare = prepare,
    .create = create,
    .configure = configure,
    .run = run,
    .apply = follow_apply,
    .stop = follow_stop,
    .shard_done = follow_shard_done,
};
