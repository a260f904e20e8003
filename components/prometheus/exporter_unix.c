/* prometheus.exporter.unix: metrics of the machine, made when they are asked for. The collectors
 * are in unix/. */
#include <errno.h>
#include <stdlib.h>
#include "components/common/build_info.h"
#include "components/common/exporter_page.h"
#include "components/common/exporter_target.h"
#include "components/prometheus/unix/set.h"

struct plan {
    const struct unix_args *args;
    struct unix_set *set;
};

struct shared {
    struct exporter_page page;
    struct unix_set *set; /* what the next scrape runs */
    bool own_metrics;
};

/* --- a scrape --- */

struct scrape {
    struct unix_set *set;
    struct collect base;
    u64 served, failed; /* answers so far, for include_exporter_metrics */
    bool own_metrics;
};

static void *begin(struct comp *c)
{
    const struct shared *s = c->shared;
    struct scrape *sc = xnew(struct scrape);
    const struct host *h = c->host;

    sc->set = unix_set_ref(s->set);
    sc->base = (struct collect){.log = log_ref(c->log), .clock = h->clock, .offload = h->offload};
    sc->own_metrics = s->own_metrics;
    sc->served = s->page.served;
    sc->failed = s->page.failed;
    return sc;
}

static void release(void *work)
{
    struct scrape *sc = work;

    unix_set_unref(sc->set);
    log_unref(sc->base.log);
    free(sc);
}

static void add_own(const struct scrape *sc, struct expo *out)
{
    struct expo_family *f = expo_counter(out, "promhttp_metric_handler_requests_total",
                                         "Total number of scrapes by HTTP status code.");

    expo_add(f, sc->served, EXPO_L("code", "200"));
    expo_add(f, 0, EXPO_L("code", "500"));
    expo_add(f, sc->failed, EXPO_L("code", "503"));
    expo_gauge1(out, "promhttp_metric_handler_requests_in_flight",
                "Current number of scrapes being served.", 1);
}

static void collect(void *work, struct expo *out)
{
    struct scrape *sc = work;

    build_info_add(out, "node_exporter");
    if (sc->own_metrics) add_own(sc, out);
    unix_set_run(sc->set, &sc->base, out);
}

static char *at(void *work)
{
    const struct scrape *sc = work;
    const char *name = atomic_load_explicit(&sc->set->running, memory_order_relaxed);

    return xprintf("the collector \"%s\" waits for a device or a file system; take it out with "
                   "disable_collectors if that does not end",
                   name ? name : "none");
}

static const struct exporter_page_rules page_rules = {.what = "the machine's metrics are served",
                                                      .begin = begin,
                                                      .collect = collect,
                                                      .release = release,
                                                      .at = at};

/* --- life --- */

static void http(struct comp *c, struct http_req *r, struct str rest)
{
    struct shared *s = c->shared;

    if (s->set)
        exporter_page_http(&s->page, r, rest);
    else
        http_respond_text(r, 404, STR("there are no metrics yet\n"));
}

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

    exporter_page_init(&s->page, c, &page_rules);
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

    exporter_page_done(&s->page);
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
