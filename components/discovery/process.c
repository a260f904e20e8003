/* discovery.process: the processes of this machine as targets, joined with targets of containers.
 * /proc is read every refresh_interval, and when the targets to join change. One worker. */
#include "components/common/pool_refresh.h"

#include "components/discovery/process_proc.h"

#define SOURCE STR("processes")

struct args {
    struct value join;
    struct dur refresh_interval;
    struct process_flags discover;
};

#define FLAG(m, default_, what)                                                                    \
    ATTR(struct process_flags, m, .def = default_, .doc = "Find out the " what " of processes.")
static const struct row discover_rows[] = {
    FLAG(cgroup_path, "false", "cgroup paths"),
    FLAG(commandline, "true", "command lines"),
    FLAG(container_id, "true", "containers"),
    FLAG(cwd, "true", "working directories"),
    FLAG(exe, "true", "programs"),
    FLAG(uid, "false", "user numbers"),
    FLAG(username, "false", "user names"),
};
static const struct schema discover_schema = SCHEMA(struct process_flags, discover_rows);

static const struct row arg_rows[] = {
    ATTR(struct args, join, .shape = &targets_shape, .signals = SIGNALS_TARGETS,
         .doc = "Targets of containers, whose labels processes in them get."),
    ATTR(struct args, refresh_interval, .def = "\"1m\"", .doc = "How often to look for processes."),
    BLOCK_AS(struct args, discover, "discover_config", &discover_schema,
             .doc = "What to find out of each process."),
};
static void validate(const void *args, const struct span *at, struct diags *diags);
static const struct schema args_schema = SCHEMA(struct args, arg_rows, .validate = validate);

static void validate(const void *args, const struct span *at, struct diags *diags)
{
    if (((const struct args *)args)->refresh_interval.ns <= 0)
        diag_error(diags, DIAG_VALUE_INVALID, schema_span(&args_schema, at, "refresh_interval"),
                   "refresh_interval must be greater than 0");
}

struct plan {
    const struct args *args;
};

static int prepare(struct prepare *p, const void *args, void *plan)
{
    ((struct plan *)plan)->args = args;
    return 0;
}

/* --- the look --- */

struct look {
    struct process_flags flags;
    struct value join, targets;
    int err;
};

static i64 interval(const void *plan)
{
    return ((const struct plan *)plan)->args->refresh_interval.ns;
}

static void look_prepare(struct pool_refresh *r, struct pool_look *l)
{
    const struct args *a = ((const struct plan *)r->plan)->args;
    struct look *d = l->state;

    d->flags = a->discover;
    d->join = value_ref(a->join);
}

static void look_work(struct pool_look *l)
{
    struct look *d = l->state;
    struct target_list list = {0};

    d->err = process_targets("/proc", &d->flags, &l->given_up, &list);
    d->targets = process_join(target_list_value(&list), d->join);
}

static void look_found(struct pool_refresh *r, struct pool_look *l)
{
    const struct look *d = l->state;
    struct comp *c = r->shard->comp;

    if (d->err) {
        comp_health(c, HEALTH_UNHEALTHY, "cannot list /proc: %s", strerror(-d->err));
        log_error(c->log, "the targets stay as they are, processes cannot be listed",
                  F_CSTR("path", "/proc"), F_CSTR("err", strerror(-d->err)));
        return;
    }
    comp_health(c, HEALTH_HEALTHY, "listed processes");
    target_export_set(&r->out, SOURCE, value_ref(d->targets));
}

static void look_release(struct pool_look *l)
{
    struct look *d = l->state;

    value_unref(d->join);
    value_unref(d->targets);
}

static const struct pool_refresh_rules rules = {.look_size = sizeof(struct look),
                                                .interval = interval,
                                                .prepare = look_prepare,
                                                .work = look_work,
                                                .done = look_found,
                                                .release = look_release};

/* --- life --- */

static int create(struct comp *c, char **ret_err)
{
    target_export_none(c);
    return 0;
}

static int run(struct shard *s)
{
    return pool_refresh_run(s, &rules);
}

DEFINE_COMPONENT(discovery_process) = {
    .name = "discovery.process",
    .summary = "Discovers the processes of this Linux machine.",
    .example = "discovery.process \"default\" {\n\trefresh_interval = \"1m\"\n}\n",
    .stability = STABILITY_GA,
    .args = &args_schema,
    .exports = &target_exports_schema,
    .placement = PLACE_ONE,
    .plan_size = sizeof(struct plan),
    .self_size = sizeof(struct pool_refresh),
    .prepare = prepare,
    .create = create,
    .run = run,
    .apply = pool_refresh_apply,
    .stop = pool_refresh_stop,
    .shard_done = pool_refresh_shard_done,
    .taps_itself = true,
};
