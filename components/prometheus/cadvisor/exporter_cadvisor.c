/* prometheus.exporter.cadvisor: containers and other control groups, read when somebody asks. One
 * worker asks the engine; files are read on a pool thread: first which groups there are, then, when
 * the engine has told what it knows of each, their figures. Source: Alloy's reference, cAdvisor's
 * tests and documentation of its metrics. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <sys/utsname.h>
#include <unistd.h>
#include "components/common/docker.h"
#include "components/common/exporter_target.h"
#include "components/common/settings.h"
#include "components/common/shard_page.h"
#include "components/prometheus/cadvisor/container.h"

#define PAGE_MAX   ((size_t)256 << 20)
#define ANSWER_MAX ((size_t)4 << 20)
#define TOGETHER   8 /* questions to the engine at a time */
#define PATIENCE   (10 * NS_PER_SEC)
#define DOWN       (30 * NS_PER_SEC) /* then an engine that was not reached is tried again */
#define QUIET      (10 * 60 * NS_PER_SEC)

struct args {
    struct str_list allowlisted_container_labels, disabled_metrics, enabled_metrics,
        env_metadata_allowlist, raw_cgroup_prefix_allowlist;
    struct str containerd_host, containerd_namespace, docker_host, docker_tls_ca, docker_tls_cert,
        docker_tls_key, perf_events_config;
    bool disable_root_cgroup_stats, docker_only, store_container_labels, use_docker_tls;
    struct dur resctrl_interval, storage_duration;
};
#define A struct args
static const struct row arg_rows[] = {
    ATTR(A, allowlisted_container_labels, .def = "[\"\"]",
         .doc = "Labels of containers to keep when store_container_labels is false."),
    ATTR(A, containerd_host, .def = "\"/run/containerd/containerd.sock\"",
         .doc = "Socket of containerd; its folder holds what is known of its containers."),
    ATTR(A, containerd_namespace, .def = "\"k8s.io\"", .doc = "Namespace of its containers."),
    ATTR(A, disable_root_cgroup_stats, .def = "false",
         .doc = "Leave out the figures of the root group."),
    ATTR(A, disabled_metrics, .doc = "Groups of metrics to leave out, in place of the usual ones."),
    ATTR(A, docker_host, .def = "\"unix:///var/run/docker.sock\"", .doc = "The Docker engine."),
    ATTR(A, docker_only, .def = "false",
         .doc = "Show containers and the root group, no other groups."),
    ATTR(A, docker_tls_ca, .def = "\"ca.pem\"", .doc = "Its authority, with use_docker_tls."),
    ATTR(A, docker_tls_cert, .def = "\"cert.pem\"", .doc = "Our certificate, with use_docker_tls."),
    ATTR(A, docker_tls_key, .def = "\"key.pem\"", .doc = "Its key, with use_docker_tls."),
    ATTR(A, enabled_metrics, .def = "[]", .doc = "Groups of metrics to show, and no others."),
    ATTR(A, env_metadata_allowlist, .def = "[\"\"]",
         .doc = "Beginnings of names of variables that become labels."),
    ATTR(A, perf_events_config, .def = "\"\"", .doc = "File of perf events; has no effect."),
    ATTR(A, raw_cgroup_prefix_allowlist, .def = "[\"\"]",
         .doc = "Beginnings of groups that are shown in spite of docker_only."),
    ATTR(A, resctrl_interval, .def = "\"0s\"", .doc = "Has no effect."),
    ATTR(A, storage_duration, .def = "\"2m\"", .doc = "Has no effect: nothing is stored."),
    ATTR(A, store_container_labels, .def = "true", .doc = "Make all labels of containers labels."),
    ATTR(A, use_docker_tls, .def = "false", .doc = "Speak TLS with the engine."),
};
#undef A
static const struct schema args_schema = SCHEMA(struct args, arg_rows);

struct plan {
    const struct args *args;
    u32 sets;
    struct docker_host docker;
    struct http_client_args client;
};
struct shared {
    struct shard_page *page;
    struct http_endpoint *endpoint; /* of the newest plan; NULL: cannot be had */
};

/* One answer on its way. Owned by the shard, or by the pool while a job runs. */
struct scrape {
    struct job job;
    struct self *self; /* NULL: the shard is gone */
    struct plan plan;  /* its texts live as long as the arena that keeps them */
    struct cad_roots roots;
    struct arena arena;
    struct cad_hierarchies h;
    struct cad_containers all;
    struct expo *out;
    struct buf page;
    struct str docker_version;
    struct logger *log;
    i64 now;
    const char *specs; /* folder of containerd's containers */
    size_t next, asked;
    bool running, over;
};
struct inspection {
    struct self *self;
    struct docker_call *call;
    struct cad_container *c; /* NULL: the engine's version */
};
struct self {
    struct shard *shard;
    const struct plan *plan;
    struct docker *docker;
    struct scrape *scrape;
    struct shard_question *question;
    struct inspection calls[TOGETHER];
    i64 down_until, quiet_until;
};

/* --- settings --- */

static const u32 usually_off = 1U << CAD_MEMORY_NUMA | 1U << CAD_TCP | 1U << CAD_UDP |
                               1U << CAD_ADVTCP | 1U << CAD_SCHED | 1U << CAD_PROCESS |
                               1U << CAD_HUGETLB | 1U << CAD_REFERENCED | 1U << CAD_TOPOLOGY |
                               1U << CAD_RESCTRL | 1U << CAD_CPUSET;
#define NOT_HERE                                                                                   \
    (1U << CAD_PERF | 1U << CAD_RESCTRL | 1U << CAD_REFERENCED | 1U << CAD_CPU_LOAD | 1U << CAD_APP)

static int read_sets(struct prepare *p, const char *path, const struct str_list *list, u32 *ret)
{
    *ret = 0;
    for (size_t i = 0; i < list->n; i++) {
        int s = 0;
        while (s < CAD_SETS && !str_is(list->v[i], cad_set_names[s]))
            s++;
        if (s == CAD_SETS && list->v[i].n > 0)
            return setting_fault(p, path, "unsupported metric \"" STR_FMT "\" specified",
                                 STR_ARG(list->v[i]));
        if (s < CAD_SETS) *ret |= 1U << s;
    }
    return 0;
}

static int prepare_sets(struct prepare *p, struct plan *plan)
{
    const struct args *a = plan->args;
    u32 off, on;

    if (read_sets(p, "disabled_metrics", &a->disabled_metrics, &off) < 0 ||
        read_sets(p, "enabled_metrics", &a->enabled_metrics, &on) < 0)
        return -EINVAL;
    if (!a->disabled_metrics.v && !span_written(p->block, "disabled_metrics")) off = usually_off;
    plan->sets = on ? on : ~off;
    if (on & NOT_HERE)
        setting_no_effect(p, "enabled_metrics",
                          "perf_event, resctrl, referenced_memory, cpuLoad and app are not read");
    return 0;
}

static void warn_of_settings(struct prepare *p, const struct args *a)
{
    if (a->perf_events_config.n > 0)
        setting_no_effect(p, "perf_events_config", "perf events are not read");
    if (a->resctrl_interval.ns != 0)
        setting_no_effect(p, "resctrl_interval", "resctrl groups are not read");
    if (a->storage_duration.ns != 120 * NS_PER_SEC)
        setting_no_effect(p, "storage_duration",
                          "figures are read when they are asked for, none are stored");
    if (span_written(p->block, "containerd_host"))
        setting_no_effect(p, "containerd_host",
                          "containerd is not asked; what it keeps of its containers below the "
                          "socket's folder is read");
}

static int prepare_docker(struct prepare *p, struct plan *plan)
{
    const struct args *a = plan->args;

    if (a->use_docker_tls) {
        plan->client.tls_config.ca_file = a->docker_tls_ca;
        plan->client.tls_config.cert_file = a->docker_tls_cert;
        plan->client.tls_config.key_file = a->docker_tls_key;
    }
    struct str host = a->docker_host;
    if (a->use_docker_tls && str_starts(host, STR("tcp://")))
        host =
            str_of(arena_printf(p->arena, "https://" STR_FMT, STR_ARG(str_sub(host, 6, host.n))));
    char *err = NULL;
    if (docker_host_parse(host, p->arena, &plan->docker, &err) == 0) return 0;
    int r = setting_fault(p, "docker_host", "%s", err);
    free(err);
    return r;
}

static int prepare(struct prepare *p, const void *args, void *plan_)
{
    struct plan *plan = plan_;

    plan->args = args;
    warn_of_settings(p, plan->args);
    return prepare_sets(p, plan) < 0 ? -EINVAL : prepare_docker(p, plan);
}

static int configure(struct comp *c, const void *old_plan, char **ret_err)
{
    struct shared *sh = c->shared;
    const struct plan *plan = c->plan;
    struct http_endpoint *new = docker_endpoint(c, &plan->docker, &plan->client, ret_err);

    (void)old_plan;
    if (!new) return -EINVAL;
    http_endpoint_unref(sh->endpoint);
    sh->endpoint = new;
    return 0;
}

/* --- reading, on the pool --- */

static i64 booted_at(struct scrape *sc)
{
    f64 s = cad_key(cad_read(&sc->arena, "%s/stat", sc->roots.proc), "btime");

    return isnan(s) ? 0 : (i64)s * NS_PER_SEC;
}

static bool begins_with_any(struct str name, const struct str_list *list)
{
    for (size_t i = 0; i < list->n; i++)
        if (list->v[i].n > 0 && str_starts(name, list->v[i])) return true;
    return false;
}

static bool is_shown(const struct scrape *sc, const struct cad_container *c)
{
    const struct args *a = sc->plan.args;

    if (c->runtime != CAD_RAW || str_is(c->name, "/")) return true;
    return !a->docker_only || begins_with_any(c->name, &a->raw_cgroup_prefix_allowlist);
}

static void show_one(struct scrape *sc, const struct cad_container *c, i64 booted, struct arena *a)
{
    const struct args *args = sc->plan.args;
    struct cad_show s = {.e = sc->out,
                         .roots = &sc->roots,
                         .h = &sc->h,
                         .a = a,
                         .sets = sc->plan.sets,
                         .now = sc->now,
                         .booted = booted};
    struct cad_stats st;

    s.base = cad_labels(c, args->store_container_labels, args->allowlisted_container_labels.v,
                        args->allowlisted_container_labels.n, a, &s.n_base);
    cad_stats_read(&sc->h, &sc->roots, s.sets, c, a, &st);
    cad_show_container(&s, c, &st);
    cad_stats_done(&st);
}

static void show_containers(struct scrape *sc)
{
    i64 booted = booted_at(sc);
    struct arena a;

    arena_init(&a, 64 << 10);
    for (size_t i = 0; i < sc->all.n; i++) {
        const struct cad_container *c = &sc->all.v[i];
        bool root = str_is(c->name, "/");
        if (!is_shown(sc, c) || (root && sc->plan.args->disable_root_cgroup_stats)) continue;
        show_one(sc, c, booted, &a);
        arena_rewind(&a);
    }
    arena_done(&a);
}

static struct str os_name(struct scrape *sc)
{
    struct str lines = cad_read(&sc->arena, "%s/etc/os-release", sc->roots.root), line;

    while (cad_line(&lines, &line))
        if (str_starts(line, STR("PRETTY_NAME="))) {
            line = str_sub(line, 12, line.n);
            return line.n > 1 && line.p[0] == '"' ? str_sub(line, 1, line.n - 1) : line;
        }
    return STR("Unknown");
}

static void show_versions(struct scrape *sc)
{
    struct utsname u;

    if (uname(&u) != 0) u.release[0] = 0;
    expo_gauge1(sc->out, "cadvisor_version_info",
                "A metric with a constant '1' value labeled by kernel version, OS version, docker "
                "version, cadvisor version & cadvisor revision.",
                1, EXPO_L("kernelVersion", u.release), EXPO_LS("osVersion", os_name(sc)),
                EXPO_LS("dockerVersion", sc->docker_version),
                EXPO_L("cadvisorVersion", WEIR_VERSION), EXPO_L("cadvisorRevision", WEIR_REVISION));
    expo_gauge1(sc->out, "container_scrape_error",
                "1 if there was an error while getting container metrics, 0 otherwise",
                sc->all.cut ? 1 : 0);
    expo_gauge1(sc->out, "machine_scrape_error",
                "1 if there was an error while getting machine metrics, 0 otherwise.", 0);
}

/* What containerd was told of a container stands in its runtime's folder, and which process it is.
 */
static void read_spec(struct scrape *sc, struct cad_container *c)
{
    const struct str_list *envs = &sc->plan.args->env_metadata_allowlist;
    const char *at = arena_printf(&sc->arena, "%s%s/" STR_FMT, sc->roots.root, sc->specs,
                                  STR_ARG(c->id)),
               *err = NULL;
    struct str text = cad_read(&sc->arena, "%s/config.json", at);

    if (text.n == 0) return;
    if (cad_spec_read(text, envs->v, envs->n, &sc->arena, c, &err) < 0)
        log_warn(sc->log, "a container's specification is not understood", F_STR("id", c->id),
                 F_CSTR("err", err));
    f64 pid = cad_number(&sc->arena, "%s/init.pid", at);
    c->pid = pid > 0 && pid < 1e9 ? (i64)pid : 0;
}

static void work_list(struct job *j)
{
    struct scrape *sc = container_of(j, struct scrape, job);

    cad_hierarchies_find(&sc->roots, &sc->arena, &sc->h);
    cad_containers_list(&sc->h, &sc->arena, &sc->all);
    if (sc->all.n > 0) sc->all.v[0].pid = 1; /* the root's network is the machine's */
}

static void work_read(struct job *j)
{
    struct scrape *sc = container_of(j, struct scrape, job);

    for (size_t i = 0; i < sc->all.n; i++)
        if (sc->all.v[i].runtime == CAD_RAW && sc->all.v[i].id.n > 0) read_spec(sc, &sc->all.v[i]);
    cad_show_machine(sc->out, &sc->roots, sc->plan.sets, &sc->arena);
    show_containers(sc);
    show_versions(sc);
    expo_write(sc->out, EXPO_TEXT, &sc->page);
    struct str faults = expo_faults(sc->out);
    while (faults.n > 0)
        log_warn(sc->log, "part of the metrics is left out",
                 F_STR("reason", str_cut(&faults, '\n')));
}

/* --- a scrape, on the worker --- */

static void scrape_free(struct scrape *sc)
{
    cad_containers_done(&sc->all);
    expo_free(sc->out);
    buf_done(&sc->page);
    log_unref(sc->log);
    arena_done(&sc->arena);
    free(sc);
}

static void start_job(struct self *self, void (*work)(struct job *j), void (*done)(struct job *j))
{
    struct scrape *sc = self->scrape;

    sc->running = true;
    sc->job = (struct job){.reply_to = self->shard->worker->loop, .work = work, .done = done};
    offload_run(self->shard->comp->host->offload, &sc->job);
}

static void finish(struct self *self, bool written)
{
    struct shard_question *q = self->question;

    if (self->scrape && written) buf_str(shard_question_text(q), buf_view(&self->scrape->page));
    if (self->scrape && buf_err(&self->scrape->page))
        shard_question_text(q)->err = buf_err(&self->scrape->page);
    if (self->scrape) scrape_free(self->scrape);
    self->scrape = NULL;
    self->question = NULL;
    shard_question_answer(q, written);
}

static void on_read(struct job *j)
{
    struct scrape *sc = container_of(j, struct scrape, job);

    sc->running = false;
    if (sc->self)
        finish(sc->self, true);
    else
        scrape_free(sc);
}

static void read_figures(struct self *self)
{
    if (!self->scrape->running) start_job(self, work_read, on_read);
}

static void ask_more(struct self *self);

static void not_reached(struct self *self, const char *why)
{
    i64 now = loop_now(self->shard->worker->loop);

    self->down_until = now + DOWN;
    if (now < self->quiet_until) return;
    self->quiet_until = now + QUIET;
    log_warn(self->shard->comp->log,
             "the Docker engine cannot be asked: its containers are shown without names, images "
             "and labels",
             F_STR("docker_host", self->plan->args->docker_host), F_CSTR("err", why));
}

static void on_inspected(void *arg, const struct docker_result *r)
{
    struct inspection *i = arg;
    struct self *self = i->self;
    struct scrape *sc = self->scrape;
    const struct str_list *envs = &sc->plan.args->env_metadata_allowlist;
    const char *err = r->error;

    i->call = NULL;
    sc->asked--;
    if (r->error && r->status == 0)
        not_reached(self, r->error);
    else if (!r->error && !i->c)
        sc->docker_version = cad_docker_version(r->body, &sc->arena);
    else if (!r->error && cad_docker_read(r->body, envs->v, envs->n, &sc->arena, i->c, &err) < 0)
        log_warn(self->shard->comp->log, "an answer of the Docker engine is not understood",
                 F_STR("id", i->c->id), F_CSTR("err", err));
    ask_more(self); /* 404: another runtime's container */
}

static bool ask(struct self *self, struct cad_container *c)
{
    struct inspection *free_one = NULL;

    for (size_t i = 0; i < TOGETHER; i++)
        if (!self->calls[i].call) free_one = &self->calls[i];
    if (!free_one) return false;
    char *path = c ? xprintf("/containers/" STR_FMT "/json", STR_ARG(c->id)) : xstrdup("/version");
    *free_one = (struct inspection){.self = self, .c = c};
    self->scrape->asked++;
    free_one->call = docker_start(self->docker, &(struct docker_request){.path = path,
                                                                         .max_response = ANSWER_MAX,
                                                                         .done = on_inspected,
                                                                         .arg = free_one});
    free(path);
    return true;
}

static bool is_down(const struct self *self)
{
    return !self->docker || loop_now(self->shard->worker->loop) < self->down_until;
}

static void ask_more(struct self *self)
{
    struct scrape *sc = self->scrape;

    while (sc->next < sc->all.n && !is_down(self)) {
        struct cad_container *c = &sc->all.v[sc->next];
        if (c->id.n > 0 && !ask(self, c)) return;
        sc->next++;
    }
    if (sc->asked == 0) read_figures(self);
}

static void on_listed(struct job *j)
{
    struct scrape *sc = container_of(j, struct scrape, job);

    sc->running = false;
    if (!sc->self) {
        scrape_free(sc);
        return;
    }
    if (!is_down(sc->self)) (void)ask(sc->self, NULL);
    ask_more(sc->self);
}

static void choose_roots(struct scrape *sc)
{
    bool inside = access("/rootfs/proc", F_OK) == 0; /* as cAdvisor's image is run */

    sc->roots = (struct cad_roots){
        .sys = "/sys", .proc = inside ? "/rootfs/proc" : "/proc", .root = inside ? "/rootfs" : ""};
}

static const char *specs_of(const struct args *args, struct arena *a)
{
    struct str host = args->containerd_host;

    if (str_starts(host, STR("unix://"))) host = str_sub(host, 7, host.n);
    ssize_t slash = str_rchr(host, '/');
    return arena_printf(a, STR_FMT "/io.containerd.runtime.v2.task/" STR_FMT,
                        STR_ARG(str_n(host.p, slash > 0 ? (size_t)slash : 0)),
                        STR_ARG(args->containerd_namespace));
}

/* A scrape goes on while the plan is replaced: it has its own copy of what it needs of it. */
static struct str_list copy_list(const struct str_list *l, struct arena *a)
{
    struct str_list to = {.v = arena_array(a, struct str, l->n + 1), .n = l->n};

    for (size_t i = 0; i < l->n; i++)
        to.v[i] = arena_str(a, l->v[i]);
    return to;
}

static const struct args *copy_args(const struct args *args, struct arena *a)
{
    struct args *to = arena_memdup(a, args, sizeof(*args));

    to->allowlisted_container_labels = copy_list(&args->allowlisted_container_labels, a);
    to->env_metadata_allowlist = copy_list(&args->env_metadata_allowlist, a);
    to->raw_cgroup_prefix_allowlist = copy_list(&args->raw_cgroup_prefix_allowlist, a);
    return to;
}

static void on_question(void *arg, struct shard_question *q)
{
    struct self *self = arg;
    struct scrape *sc = xnew(struct scrape);
    const struct host *h = self->shard->comp->host;

    arena_init(&sc->arena, 64 << 10);
    sc->self = self;
    sc->plan = *self->plan;
    sc->plan.args = copy_args(self->plan->args, &sc->arena);
    sc->specs = specs_of(self->plan->args, &sc->arena);
    sc->out = expo_new(PAGE_MAX);
    buf_init(&sc->page, PAGE_MAX);
    sc->log = log_ref(self->shard->comp->log);
    sc->now = clock_real(h->clock);
    choose_roots(sc);
    self->scrape = sc;
    self->question = q;
    start_job(self, work_list, on_listed);
}

/* --- life --- */

static void http(struct comp *c, struct http_req *r, struct str rest)
{
    struct shared *sh = c->shared;

    if (str_is(rest, "/metrics"))
        shard_page_ask(sh->page, r);
    else
        http_respond_text(r, 404, STR("the metrics are at /metrics\n"));
}

static int create(struct comp *c, char **ret_err)
{
    struct shared *sh = c->shared;

    (void)ret_err;
    sh->page = shard_page_new(c, PAGE_MAX);
    exporter_target_export(c, "cadvisor", STR(""));
    return 0;
}

static void set_docker(struct self *self, const struct plan *plan)
{
    struct shared *sh = self->shard->comp->shared;

    self->docker = docker_new(self->shard, &plan->docker, sh->endpoint, PATIENCE);
    self->down_until = self->quiet_until = 0;
}

static int run(struct shard *s)
{
    struct self *self = s->self;

    self->shard = s;
    self->plan = s->plan;
    set_docker(self, s->plan);
    comp_health(s->comp, HEALTH_HEALTHY, "control groups are read when they are asked for");
    shard_page_serve(((struct shared *)s->comp->shared)->page, s->worker->loop, on_question, self);
    return 0;
}

/* What was asked of the engine before is not answered any more: what is known goes on. */
static int apply(struct shard *s, const void *plan)
{
    struct self *self = s->self;
    bool asking = self->scrape && self->scrape->asked > 0;

    docker_free(self->docker);
    memset(self->calls, 0, sizeof(self->calls));
    self->plan = plan;
    set_docker(self, plan);
    if (asking) {
        self->scrape->asked = 0;
        read_figures(self);
    }
    return 0;
}

static void stop(struct shard *s)
{
    shard_stopped(s);
}

static void shard_done(struct shard *s)
{
    struct self *self = s->self;

    shard_page_serve(((struct shared *)s->comp->shared)->page, NULL, NULL, NULL);
    docker_free(self->docker);
    if (!self->question) return;
    if (self->scrape->running) {
        self->scrape->self = NULL; /* it frees itself */
        self->scrape = NULL;
    }
    finish(self, false);
}

static void destroy(struct comp *c)
{
    struct shared *sh = c->shared;

    shard_page_close(sh->page);
    http_endpoint_unref(sh->endpoint);
}

DEFINE_COMPONENT(prometheus_exporter_cadvisor) = {
    .name = "prometheus.exporter.cadvisor",
    .summary = "Exposes metrics of containers.",
    .example = "prometheus.exporter.cadvisor \"containers\" {\n"
               "  docker_host            = \"unix:///var/run/docker.sock\"\n"
               "  store_container_labels = false\n"
               "}\n",
    .stability = STABILITY_GA,
    .args = &args_schema,
    .exports = &target_exports_schema,
    .placement = PLACE_ONE,
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
    .destroy = destroy,
    .http = http,
};
