/* prometheus.exporter.blackbox: each target is probed when it is scraped. Probes live on the
 * control loop, by callbacks; they are in blackbox/. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>
#include "base/fd.h"
#include "base/xalloc.h"
#include "components/common/exporter_target.h"
#include "components/common/settings.h"
#include "components/prometheus/blackbox/probe.h"

#define CONFIG_MAX ((size_t)16 << 20)

struct target_args {
    struct str name, address, module;
    struct str_map labels;
};
struct args {
    struct str config_file;
    struct opt_secret_text config;
    struct dur probe_timeout_offset;
    struct value targets;
    struct {
        struct target_args *v;
        size_t n;
    } target;
};

static const struct row target_rows[] = {
    ATTR(struct target_args, address, .required = true, .doc = "What is probed."),
    ATTR(struct target_args, name, .required = true, .doc = "Name of the target, part of its job."),
    ATTR(struct target_args, labels, .doc = "Labels of the target."),
    ATTR(struct target_args, module, .def = "\"\"",
         .doc = "Module that probes it; http_2xx without."),
};
static const struct schema target_schema = SCHEMA(struct target_args, target_rows);

static const struct row arg_rows[] = {
    ATTR(struct args, config_file, .def = "\"\"",
         .doc = "File with modules, in blackbox_exporter's form."),
    ATTR(struct args, config, .doc = "Modules, in blackbox_exporter's form."),
    ATTR(struct args, probe_timeout_offset, .def = "\"500ms\"",
         .doc = "How much shorter than a scrape its probe is."),
    ATTR(struct args, targets, .shape = &targets_shape, .signals = SIGNALS_TARGETS,
         .doc = "Targets: maps with name, address (or __address__), module, and further labels."),
    BLOCKS(struct args, target, &target_schema, .doc = "What is probed."),
};
static const struct schema args_schema = SCHEMA(struct args, arg_rows);

struct plan {
    const struct args *args;
    struct modules *modules; /* NULL: of the file, which is read by configure */
};
struct shared {
    struct probe_list probes;
    struct modules *modules;
};

/* --- settings --- */

static int check_listed(struct prepare *p, struct value targets)
{
    struct label_set s;
    int err = 0;

    label_set_init(&s);
    for (size_t i = 0; !err && i < targets_count(targets); i++) {
        target_load(targets, i, &s);
        if (!label_set_has(&s, STR("name")))
            err = setting_fault(p, "targets", "all targets must have a `name`");
        else if (!label_set_has(&s, STR("address")) && !label_set_has(&s, STR("__address__")))
            err = setting_fault(p, "targets",
                                "all targets must have an `address` or an `__address__` label");
    }
    label_set_done(&s);
    return err;
}

static int check_blocks(struct prepare *p, const struct args *a)
{
    int err = 0;

    for (size_t i = 0; i < a->target.n; i++) {
        if (a->target.v[i].name.n > 0 && a->target.v[i].address.n > 0) continue;
        diag_error(p->diags, DIAG_VALUE_INVALID, span_in(p->block, "target", i, ""),
                   "the `name` and `address` of a target must not be empty");
        err = -EINVAL;
    }
    return err;
}

static int check_sources(struct prepare *p, const struct args *a)
{
    if (a->config_file.n > 0 && a->config.s.n > 0)
        return setting_fault(p, "config", "config and config_file are mutually exclusive");
    /* `check` does not know what is the content of other files, say. */
    bool maybe =
        !p->host && (span_written(p->block, "config") || span_written(p->block, "config_file"));
    if (a->config_file.n == 0 && a->config.s.n == 0 && !maybe)
        return setting_fault(p, "", "config or config_file must be set");
    if (a->target.n > 0 && targets_count(a->targets) > 0)
        return setting_fault(p, "targets",
                             "the block `target` and the attribute `targets` are mutually "
                             "exclusive");
    return 0;
}

static void unref_modules(void *m)
{
    modules_unref(m);
}

/* A target that names a module which is not there fails each scrape: said when it is known. */
static void check_modules(struct prepare *p, const struct args *a, const struct modules *m)
{
    for (size_t i = 0; i < a->target.n; i++) {
        struct str name = a->target.v[i].module;
        if (name.n == 0) name = STR("http_2xx");
        if (modules_find(m, name)) continue;
        diag_add(
            p->diags, SEV_WARNING, DIAG_VALUE_INVALID, span_in(p->block, "target", i, "module"),
            "there is no module \"" STR_FMT "\": scrapes of this target will fail", STR_ARG(name));
        log_warn(p->log, "a target names a module that does not exist, its scrapes will fail",
                 F_STR("target", a->target.v[i].name), F_STR("module", name));
    }
}

static int prepare(struct prepare *p, const void *args, void *plan)
{
    const struct args *a = args;
    struct plan *to = plan;
    int err = check_sources(p, a);

    to->args = a;
    if (!err) err = check_listed(p, a->targets);
    if (!err) err = check_blocks(p, a);
    if (err || a->config.s.n == 0) return err;
    to->modules = modules_new(a->config.s, span_at(p->block, "config"), p->diags);
    if (!to->modules) return -EINVAL;
    arena_cleanup(p->arena, unref_modules, to->modules);
    check_modules(p, a, to->modules);
    return 0;
}

static char *read_config(struct str path, struct modules **ret)
{
    struct buf text = BUF_INIT(CONFIG_MAX), line = BUF_INIT(65536);
    struct diags diags;
    int fd = open(path.p, O_RDONLY | O_CLOEXEC);
    int err = fd < 0 ? -errno : fd_read_all(fd, &text);
    char *why = NULL;

    if (fd >= 0) close(fd);
    diags_init(&diags);
    if (!err) *ret = modules_new(buf_view(&text), NO_SPAN, &diags);
    if (!err && !*ret) diags_line(&diags, &line);
    if (err)
        why = xprintf("config_file " STR_FMT ": %s", STR_ARG(path), strerror(-err));
    else if (!*ret)
        why = xprintf("config_file " STR_FMT ": " STR_FMT, STR_ARG(path), STR_ARG(buf_view(&line)));
    diags_done(&diags);
    buf_done(&text);
    buf_done(&line);
    return why;
}

/* --- targets --- */

static void put(struct object_builder *b, const char *name, struct str value)
{
    object_set_take(b, str_of(name), value_str(value));
}

/* The exporter's own labels win over those of the target. */
static struct value target_of(struct value base, struct str name, struct str address,
                              struct str module, const struct label_set *labels)
{
    struct object_builder b = {0};
    struct str job = STR("");

    for (u32 i = 0; i < labels->n; i++)
        object_set_take(&b, labels->v[i].name, value_str(labels->v[i].value));
    for (size_t i = 0; i < base.object->n; i++) {
        struct str key = str_n(base.object->m[i].key->p, base.object->m[i].key->n);
        if (str_is(key, "job")) job = value_text(base.object->m[i].value);
        object_set_take(&b, key, value_ref(base.object->m[i].value));
    }
    char *whole = xprintf(STR_FMT "/" STR_FMT, STR_ARG(job), STR_ARG(name));
    put(&b, "job", str_of(whole));
    put(&b, "__param_target", address);
    if (module.n > 0) put(&b, "__param_module", module);
    free(whole);
    return object_done(&b);
}

static struct value of_block(struct value base, const struct target_args *t, struct label_set *s)
{
    label_set_reset(s);
    for (size_t i = 0; i < t->labels.n; i++)
        label_set_put(s, t->labels.v[i].key, t->labels.v[i].value);
    return target_of(base, t->name, t->address, t->module, s);
}

static bool is_setting(struct str name)
{
    return str_is(name, "name") || str_is(name, "address") || str_is(name, "__address__") ||
           str_is(name, "module");
}

static struct value of_listed(struct value base, struct value targets, size_t i,
                              struct label_set *from, struct label_set *s)
{
    label_set_reset(s);
    target_load(targets, i, from);
    for (u32 k = 0; k < from->n; k++)
        if (!is_setting(from->v[k].name)) label_set_put(s, from->v[k].name, from->v[k].value);
    struct str address = label_set_get(
        from, label_set_has(from, STR("address")) ? STR("address") : STR("__address__"));
    return target_of(base, label_set_get(from, STR("name")), address,
                     label_set_get(from, STR("module")), s);
}

static void export_targets(struct comp *c, const struct args *a)
{
    size_t listed = a->target.n > 0 ? 0 : targets_count(a->targets), n = a->target.n + listed;
    struct target_exports e = {.targets = value_array(n)};
    struct value base = exporter_target_value(c, "blackbox", STR(""));
    struct label_set from, s;

    label_set_init(&from);
    label_set_init(&s);
    for (size_t i = 0; i < n; i++)
        e.targets.array->v[i] = a->target.n > 0 ? of_block(base, &a->target.v[i], &s)
                                                : of_listed(base, a->targets, i, &from, &s);
    comp_export(c, &e);
    label_set_done(&from);
    label_set_done(&s);
    value_unref(base);
    value_unref(e.targets);
}

/* --- life --- */

static int create(struct comp *c, char **ret_err)
{
    struct shared *s = c->shared;
    struct loop *loop = listeners_loop(c->host->listeners);

    s->probes.comp = c;
    list_init(&s->probes.running);
    s->probes.worker = (struct worker){.loop = loop, .http = http_client_new(c->host->net, loop)};
    export_targets(c, ((const struct plan *)c->plan)->args);
    return 0;
}

static int configure(struct comp *c, const void *old_plan, char **ret_err)
{
    struct shared *s = c->shared;
    const struct plan *plan = c->plan;
    struct modules *m = plan->modules ? modules_ref(plan->modules) : NULL;

    export_targets(c, plan->args);
    if (!m) *ret_err = read_config(plan->args->config_file, &m);
    if (!m || modules_open(m, c->host, ret_err) != 0) {
        modules_unref(m);
        return -EINVAL;
    }
    modules_unref(s->modules);
    s->modules = m;
    s->probes.timeout_offset = plan->args->probe_timeout_offset.ns;
    return 0;
}

static int run(struct shard *s)
{
    comp_health(s->comp, HEALTH_HEALTHY, "targets are probed when they are scraped");
    return 0;
}

static int apply(struct shard *s, const void *plan)
{
    return 0;
}

static void stop(struct shard *s)
{
    shard_stopped(s);
}

static void destroy(struct comp *c)
{
    struct shared *s = c->shared;

    if (!s->probes.comp) return;
    probe_end_all(&s->probes);
    http_client_free(s->probes.worker.http);
    modules_unref(s->modules);
}

static void http(struct comp *c, struct http_req *r, struct str rest)
{
    struct shared *s = c->shared;

    if (!str_is(rest, "/metrics"))
        http_respond_text(r, 404, STR("probes are at /metrics?target=...&module=...\n"));
    else if (!s->modules)
        http_respond_text(r, 503, STR("there are no modules yet: see the component's health\n"));
    else
        probe_start(&s->probes, s->modules, r);
}

DEFINE_COMPONENT(prometheus_exporter_blackbox) = {
    .name = "prometheus.exporter.blackbox",
    .summary = "Probes endpoints over HTTP, HTTPS, DNS, TCP and ICMP.",
    .example = "prometheus.exporter.blackbox \"example\" {\n"
               "  config = `\n"
               "modules:\n"
               "  http_2xx:\n"
               "    prober: http\n"
               "    timeout: 5s\n"
               "`\n"
               "\n"
               "  target {\n"
               "    name    = \"page\"\n"
               "    address = \"http://example.com\"\n"
               "    module  = \"http_2xx\"\n"
               "  }\n"
               "}\n",
    .stability = STABILITY_GA,
    .args = &args_schema,
    .exports = &target_exports_schema,
    .placement = PLACE_CONTROL,
    .plan_size = sizeof(struct plan),
    .shared_size = sizeof(struct shared),
    .prepare = prepare,
    .create = create,
    .configure = configure,
    .run = run,
    .apply = apply,
    .stop = stop,
    .destroy = destroy,
    .http = http,
};
