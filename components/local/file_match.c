/* local.file_match: targets whose __path__ is a glob become targets of the files there are. Lives
 * on the control loop; the file system is looked at by pool threads. */
#include "components/common/file_match.h"

#include "components/common/settings.h"
#include "components/common/targets.h"

struct args {
    struct value path_targets;
    struct dur ignore_older_than, sync_period;
};
struct exports {
    struct value targets;
};
struct plan {
    const struct args *args;
};
struct self {
    struct file_match *match;
    struct shard *shard;
};

static const struct row arg_rows[] = {
    ATTR(struct args, ignore_older_than,
         .doc = "Leaves out files that were not changed for that long; 0s: none.", .def = "\"0s\""),
    TARGETS_ATTR(struct args, path_targets,
                 "Targets whose __path__ is a glob; __path_exclude__ says what to leave out."),
    ATTR(struct args, sync_period, .doc = "How often the files are looked for.", .def = "\"10s\""),
};
static const struct schema args_schema = SCHEMA(struct args, arg_rows);

static const struct row export_rows[] = {
    TARGETS_EXPORT(struct exports, targets, "A target for each file found, with its path."),
};
static const struct schema exports_schema = SCHEMA(struct exports, export_rows);

static int prepare(struct prepare *p, const void *args, void *plan)
{
    const struct args *a = ((struct plan *)plan)->args = args;

    if (a->sync_period.ns <= 0)
        return setting_fault(p, "sync_period", "sync_period must be greater than 0");
    if (a->ignore_older_than.ns < 0)
        return setting_fault(p, "ignore_older_than", "ignore_older_than must not be negative");
    return 0;
}

/* Nothing is known until the first look has been taken. */
static int create(struct comp *c, char **ret_err)
{
    struct exports e = {.targets = value_array(0)};

    comp_export(c, &e);
    value_unref(e.targets);
    return 0;
}

static void on_found(void *arg, const struct files_found *f)
{
    struct self *self = arg;
    struct exports e = {.targets = f->list};

    shard_export(self->shard, &e);
    comp_health(self->shard->comp, HEALTH_HEALTHY, "files were looked for");
}

static void set(struct self *self, const struct plan *plan)
{
    const struct args *a = plan->args;

    file_match_set(self->match, &(struct file_match_conf){
                                    .targets = a->path_targets,
                                    .period = a->sync_period.ns,
                                    .ignore_older_than = a->ignore_older_than.ns,
                                    .make_list = true,
                                    .found = on_found,
                                    .arg = self,
                                });
}

static int run(struct shard *s)
{
    struct self *self = s->self;

    self->shard = s;
    self->match = file_match_new(s);
    set(self, s->plan);
    return 0;
}

static int apply(struct shard *s, const void *plan)
{
    set(s->self, plan);
    return 0;
}

static void stop(struct shard *s)
{
    shard_stopped(s);
}

static void shard_done(struct shard *s)
{
    file_match_free(((struct self *)s->self)->match);
}

DEFINE_COMPONENT(local_file_match) = {
    .name = "local.file_match",
    .summary = "Finds files by glob patterns and gives them as targets.",
    .example = "local.file_match \"logs\" {\n"
               "  path_targets = [{\"__path__\" = \"/var/log/*.log\", \"job\" = \"system\"}]\n"
               "}\n",
    .stability = STABILITY_GA,
    .args = &args_schema,
    .exports = &exports_schema,
    .placement = PLACE_CONTROL,
    .plan_size = sizeof(struct plan),
    .self_size = sizeof(struct self),
    .prepare = prepare,
    .create = create,
    .run = run,
    .apply = apply,
    .stop = stop,
    .shard_done = shard_done,
};
