/* prometheus.exporter.unix: metrics of the machine, made when they are asked for. Lives on the
 * control loop; a scrape runs on a pool thread, one at a time, and all who ask meanwhile get the
 * same answer. The collectors are in unix/. */
#include <errno.h>
#include <stdlib.h>
#include "base/list.h"
#include "components/common/exporter_target.h"
#include "components/prometheus/unix/set.h"
#include "runtime/component.h"

#define PAGE_MAX  ((size_t)64 << 20)
#define SERVED_BY "weir"
#if defined(__x86_64__)
#define ARCH "amd64"
#elif defined(__aarch64__)
#define ARCH "arm64"
#else
#define ARCH "unknown"
#endif
/* A scrape that does not come back (a file system that hangs) is told to who waits. */
#define PATIENCE (30 * NS_PER_SEC)

struct plan {
    const struct unix_args *args;
    struct unix_set *set;
};

struct scrape;
struct shared {
    struct comp *comp;
    struct unix_set *set;   /* what the next scrape runs */
    struct list waiting;    /* of struct asker */
    struct scrape *running; /* NULL: none */
    struct timer *patience;
    u64 served, failed; /* answers, for include_exporter_metrics */
    bool own_metrics;
};

/* First: see who answers requests late in ui/. */
struct asker {
    struct http_req *r; /* NULL: the client went away */
    struct list node;
};

struct scrape {
    struct job job;
    struct shared *owner; /* NULL: the instance is gone, or waits no longer. Control loop */
    struct unix_set *set;
    struct collect base;
    struct expo *out;
    struct buf page;
    u64 served, failed;
    bool own_metrics;
};

/* --- who waits --- */

static void answer(struct asker *a, const struct http_answer *with)
{
    if (a->r) {
        a->r->user = NULL;
        http_respond(a->r, with);
    }
    list_del(&a->node);
    free(a);
}

static void answer_all(struct shared *s, int status, struct str body)
{
    const struct http_header type = {
        STR("Content-Type"),
        str_of(status == 200 ? expo_content_type(EXPO_TEXT) : "text/plain; charset=utf-8")};
    const struct http_answer with = {
        .status = status, .headers = &type, .n_headers = 1, .body = body};

    while (!list_empty(&s->waiting)) {
        *(status == 200 ? &s->served : &s->failed) += 1;
        answer(list_item(s->waiting.next, struct asker, node), &with);
    }
}

/* --- a scrape --- */

static void scrape_free(struct scrape *sc)
{
    unix_set_unref(sc->set);
    log_unref(sc->base.log);
    expo_free(sc->out);
    buf_done(&sc->page);
    free(sc);
}

static void add_build_info(struct expo *e)
{
    expo_gauge1(e, "node_exporter_build_info",
                "A metric with a constant '1' value labeled by version, revision, branch, "
                "goversion from which node_exporter was built, and the goos and goarch for the "
                "build.",
                1, EXPO_L("branch", "main"), EXPO_L("goarch", ARCH), EXPO_L("goos", "linux"),
                EXPO_L("goversion", "none"), EXPO_L("revision", WEIR_REVISION),
                EXPO_L("tags", SERVED_BY), EXPO_L("version", WEIR_VERSION));
}

static void add_own(const struct scrape *sc)
{
    struct expo_family *f = expo_counter(sc->out, "promhttp_metric_handler_requests_total",
                                         "Total number of scrapes by HTTP status code.");

    expo_add(f, sc->served, EXPO_L("code", "200"));
    expo_add(f, 0, EXPO_L("code", "500"));
    expo_add(f, sc->failed, EXPO_L("code", "503"));
    expo_gauge1(sc->out, "promhttp_metric_handler_requests_in_flight",
                "Current number of scrapes being served.", 1);
}

static void tell_faults(const struct scrape *sc)
{
    struct str rest = expo_faults(sc->out);

    while (rest.n > 0) {
        struct str line = str_cut(&rest, '\n');
        log_warn(sc->base.log, "part of the metrics is left out", F_STR("reason", line));
    }
}

static void work(struct job *j)
{
    struct scrape *sc = container_of(j, struct scrape, job);

    add_build_info(sc->out);
    if (sc->own_metrics) add_own(sc);
    unix_set_run(sc->set, &sc->base, sc->out);
    expo_write(sc->out, EXPO_TEXT, &sc->page);
    tell_faults(sc);
}

static void done(struct job *j)
{
    struct scrape *sc = container_of(j, struct scrape, job);
    struct shared *s = sc->owner;

    if (s) {
        s->running = NULL;
        timer_stop(s->patience);
        comp_health(s->comp, HEALTH_HEALTHY, "the machine's metrics are served");
        if (buf_err(&sc->page))
            answer_all(s, 500, STR("the metrics take more than 64 MiB of text\n"));
        else
            answer_all(s, 200, buf_view(&sc->page));
    }
    scrape_free(sc);
}

static void begin(struct shared *s)
{
    struct scrape *sc = xnew(struct scrape);
    const struct host *h = s->comp->host;

    sc->owner = s;
    sc->set = unix_set_ref(s->set);
    sc->base =
        (struct collect){.log = log_ref(s->comp->log), .clock = h->clock, .offload = h->offload};
    sc->out = expo_new(PAGE_MAX);
    buf_init(&sc->page, PAGE_MAX);
    sc->own_metrics = s->own_metrics;
    sc->served = s->served;
    sc->failed = s->failed;
    sc->job = (struct job){.reply_to = listeners_loop(h->listeners), .work = work, .done = done};
    s->running = sc;
    timer_start(s->patience, PATIENCE);
    offload_run(h->offload, &sc->job);
}

/* The scrape goes on, since a thread that is in the kernel cannot be called back. */
static void out_of_patience(void *arg)
{
    struct shared *s = arg;
    const char *name = atomic_load_explicit(&s->running->set->running, memory_order_relaxed);
    char *text = xprintf("a scrape has been at the collector \"%s\" for more than 30 seconds: it "
                         "waits for a device or a file system; take the collector out with "
                         "disable_collectors if that does not end\n",
                         name ? name : "none");

    comp_health(s->comp, HEALTH_UNHEALTHY, "%.*s", (int)strlen(text) - 1, text);
    answer_all(s, 503, str_of(text));
    timer_start(s->patience, PATIENCE);
    free(text);
}

static void http(struct comp *c, struct http_req *r, struct str rest)
{
    struct shared *s = c->shared;

    if (!str_is(rest, "/metrics") || !s->set) {
        http_respond_text(r, 404, STR("the metrics are at /metrics\n"));
        return;
    }
    struct asker *a = xnew(struct asker);
    a->r = r;
    r->user = a;
    list_add_tail(&s->waiting, &a->node);
    if (!s->running) begin(s);
}

/* --- life --- */

static void unref_set(void *set)
{
    unix_set_unref(set);
}

static int prepare(struct prepare *p, const void *args, void *plan)
{
    struct plan *to = plan;

    to->args = args;
    to->set = unix_set_new(p, args);
    if (!to->set) return -EINVAL;
    arena_cleanup(p->arena, unref_set, to->set);
    return 0;
}

static int create(struct comp *c, char **ret_err)
{
    struct shared *s = c->shared;

    s->comp = c;
    list_init(&s->waiting);
    s->patience = timer_new(listeners_loop(c->host->listeners), out_of_patience, s);
    exporter_target_export(c, "unix", STR(""));
    return 0;
}

static void tell_collectors(struct comp *c, const struct unix_set *set)
{
    log_info(c->log, "Enabled node_exporter collectors");
    for (size_t i = 0; i < set->n; i++)
        log_info(c->log, "collector", F_CSTR("name", set->members[i].def->name));
}

static int configure(struct comp *c, const void *old_plan, char **ret_err)
{
    struct shared *s = c->shared;
    const struct plan *plan = c->plan;

    unix_set_unref(s->set);
    s->set = unix_set_ref(plan->set);
    s->own_metrics = plan->args->include_exporter_metrics;
    tell_collectors(c, s->set);
    return 0;
}

static int run(struct shard *s)
{
    comp_health(s->comp, HEALTH_HEALTHY, "the machine's metrics are served");
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

static void shard_done(struct shard *s) {}

static void destroy(struct comp *c)
{
    struct shared *s = c->shared;

    if (!s->comp) return;
    if (s->running) s->running->owner = NULL;
    answer_all(s, 503, STR("the exporter is going away\n"));
    timer_free(s->patience);
    unix_set_unref(s->set);
}

DEFINE_COMPONENT(prometheus_exporter_unix) = {
    .name = "prometheus.exporter.unix",
    .summary = "Exposes metrics of a Unix machine.",
    .example = "prometheus.exporter.unix \"host\" {\n"
               "  disable_collectors = [\"nfs\", \"zfs\"]\n"
               "\n"
               "  filesystem {\n"
               "    mount_timeout = \"2s\"\n"
               "  }\n"
               "}\n",
    .stability = STABILITY_GA,
    .args = &unix_args_schema,
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
    .shard_done = shard_done,
    .destroy = destroy,
    .http = http,
};
