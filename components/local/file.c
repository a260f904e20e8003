/* local.file: a file's contents as an export that follows the file. Lives on the control loop;
 * reads are of small files. */
#include <errno.h>

#include "components/common/read_file.h"
#include "components/common/settings.h"

#define DEBOUNCE (100 * NS_PER_MS)

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
struct self {
    struct shard *shard;
    const struct plan *plan;
    struct file_watch *watch; /* detector fsnotify */
    struct timer *poll;       /* detector poll */
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

/* From a shard, or with s NULL from the control loop. */
static int publish(struct comp *c, struct shard *s, const struct plan *plan, char **ret_err)
{
    struct shared *sh = c->shared;
    struct buf content = BUF_INIT(READ_FILE_MAX);
    char *err;
    int r = read_file(plan->args->filename.p, &content, &err);
    if (r < 0) {
        *ret_err = xprintf("failed to read file: %s", err);
        free(err);
    } else {
        export_text(c, s, buf_view(&content), plan->args->is_secret);
        metric_set(sh->accessed, (f64)clock_real(c->host->clock) / (f64)NS_PER_SEC);
    }
    buf_done(&content);
    return r;
}

static int create(struct comp *c, char **ret_err)
{
    struct shared *sh = c->shared;
    sh->accessed = comp_metric(c, &accessed_desc, NULL, 0);
    int r = publish(c, NULL, c->plan, ret_err);
    if (r == 0) comp_health(c, HEALTH_HEALTHY, "read file");
    return r;
}

static int configure(struct comp *c, const void *old_plan, char **ret_err)
{
    return old_plan ? publish(c, NULL, c->plan, ret_err) : 0;
}

static void changed(void *arg)
{
    struct self *self = arg;
    struct comp *c = self->shard->comp;
    char *err;
    if (publish(c, self->shard, self->plan, &err) == 0) {
        comp_health(c, HEALTH_HEALTHY, "read file");
        return;
    }
    comp_health(c, HEALTH_UNHEALTHY, "%s", err);
    log_error(c->log, "failed to read file", F_CSTR("err", err));
    free(err);
}

static void watch(struct self *self)
{
    const struct args *a = self->plan->args;
    struct loop *loop = self->shard->worker->loop;
    if (str_is(a->detector, "poll")) {
        self->poll = timer_new(loop, changed, self);
        timer_every(self->poll, a->poll_frequency.ns);
    } else {
        self->watch =
            file_watch_new(loop, a->filename.p, DEBOUNCE, a->poll_frequency.ns, changed, self);
    }
}

static void unwatch(struct self *self)
{
    if (self->watch) file_watch_free(self->watch);
    timer_free(self->poll);
    self->watch = NULL;
    self->poll = NULL;
}

static int run(struct shard *s)
{
    struct self *self = s->self;
    *self = (struct self){.shard = s, .plan = s->plan};
    watch(self);
    return 0;
}

static int apply(struct shard *s, const void *plan)
{
    struct self *self = s->self;
    unwatch(self);
    self->plan = plan;
    watch(self);
    comp_health(s->comp, HEALTH_HEALTHY, "read file"); /* configure has read it */
    return 0;
}

static void stop(struct shard *s)
{
    unwatch(s->self);
    shard_stopped(s);
}

static void shard_done(struct shard *s)
{
    unwatch(s->self);
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
    .self_size = sizeof(struct self),
    .prepare = prepare,
    .create = create,
    .configure = configure,
    .run = run,
    .apply = apply,
    .stop = stop,
    .shard_done = shard_done,
};
