/* prometheus.exporter.process: figures of groups of processes, read from /proc when they are asked
 * for. The work is in process/. */
#include <errno.h>
#include <stdlib.h>
#include "components/common/build_info.h"
#include "components/common/exporter_page.h"
#include "components/common/exporter_target.h"
#include "components/common/spans.h"
#include "components/prometheus/process/tracker.h"

struct args {
    struct matcher_list matcher;
    struct str procfs_path;
    bool track_children, track_threads, gather_smaps, recheck_on_scrape, remove_empty_groups;
};
static const struct row arg_rows[] = {
    ATTR(struct args, gather_smaps, .def = "true",
         .doc = "Read memory figures in which shared pages count in part; costs the kernel time."),
    ATTR(struct args, procfs_path, .def = "\"/proc\"", .doc = "Where procfs is mounted."),
    ATTR(struct args, recheck_on_scrape, .def = "false",
         .doc = "Match processes again that no matcher took, in case their name changed."),
    ATTR(struct args, remove_empty_groups, .def = "false",
         .doc = "Forget groups that have no processes any more."),
    ATTR(struct args, track_children, .def = "true",
         .doc = "Children of processes that are watched count in their group."),
    ATTR(struct args, track_threads, .def = "true",
         .doc = "Figures by names of threads within each group."),
    BLOCKS(struct args, matcher, &matcher_schema,
           .doc = "Which processes are watched; the first that matches names the group."),
};
static const struct schema args_schema = SCHEMA(struct args, arg_rows);

struct plan {
    const struct args *args;
    struct matchers *matchers;
};
struct shared {
    struct exporter_page page;
    struct tracker *tracker; /* what the next scrape asks */
};

/* --- a scrape --- */

struct scrape {
    struct tracker *tracker;
    struct logger *log;
    int err;
};

static void *begin(struct comp *c)
{
    const struct shared *s = c->shared;
    struct scrape *sc = xnew(struct scrape);

    sc->tracker = tracker_ref(s->tracker);
    sc->log = log_ref(c->log);
    return sc;
}

static void release(void *work)
{
    struct scrape *sc = work;

    tracker_unref(sc->tracker);
    log_unref(sc->log);
    free(sc);
}

static void collect(void *work, struct expo *out)
{
    struct scrape *sc = work;

    build_info_add(out, "process_exporter");
    sc->err = tracker_collect(sc->tracker, sc->log, out);
    if (sc->err)
        log_error(sc->log, "processes cannot be read, their groups are left out of this scrape",
                  F_CSTR("err", strerror(-sc->err)));
}

static char *trouble(void *work)
{
    const struct scrape *sc = work;

    if (!sc->err) return NULL;
    return xprintf("processes cannot be read below procfs_path: %s", strerror(-sc->err));
}

static const struct exporter_page_rules page_rules = {.what = "figures of processes are served",
                                                      .begin = begin,
                                                      .collect = collect,
                                                      .release = release,
                                                      .trouble = trouble};

/* --- life --- */

static void http(struct comp *c, struct http_req *r, struct str rest)
{
    struct shared *s = c->shared;

    if (s->tracker)
        exporter_page_http(&s->page, r, rest);
    else
        http_respond_text(r, 404, STR("there are no metrics yet\n"));
}

static void unref_matchers(void *m)
{
    matchers_unref(m);
}

static int prepare(struct prepare *p, const void *args, void *plan)
{
    struct plan *to = plan;

    to->args = args;
    to->matchers = matchers_new(p, &to->args->matcher);
    if (!to->matchers) return -EINVAL;
    arena_cleanup(p->arena, unref_matchers, to->matchers);
    if (to->args->matcher.n == 0)
        diag_add(p->diags, SEV_WARNING, DIAG_VALUE_NO_EFFECT, span_at(p->block, ""),
                 "no process is watched: there is no matcher block");
    return 0;
}

static int create(struct comp *c, char **ret_err)
{
    struct shared *s = c->shared;

    exporter_page_init(&s->page, c, &page_rules);
    exporter_target_export(c, "process", STR(""));
    return 0;
}

/* Counters count from the first look on, which therefore comes at once. */
static int configure(struct comp *c, const void *old_plan, char **ret_err)
{
    struct shared *s = c->shared;
    const struct plan *plan = c->plan;
    const struct args *a = plan->args;
    const struct tracker_conf conf = {.procfs = a->procfs_path.p,
                                      .children = a->track_children,
                                      .threads = a->track_threads,
                                      .shares = a->gather_smaps,
                                      .recheck = a->recheck_on_scrape,
                                      .drop_empty = a->remove_empty_groups};

    tracker_unref(s->tracker);
    s->tracker = tracker_new(&conf, plan->matchers);
    exporter_page_look(&s->page);
    return 0;
}

static int run(struct shard *s)
{
    comp_health(s->comp, HEALTH_HEALTHY, "%s", page_rules.what);
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

    exporter_page_done(&s->page);
    tracker_unref(s->tracker);
}

DEFINE_COMPONENT(prometheus_exporter_process) = {
    .name = "prometheus.exporter.process",
    .summary = "Exposes figures of groups of processes.",
    .example = "prometheus.exporter.process \"example\" {\n"
               "  track_threads = false\n"
               "\n"
               "  matcher {\n"
               "    name    = \"{{.Matches.User}} {{.ExeBase}}\"\n"
               "    exe     = [\"sshd\"]\n"
               "    cmdline = [\"^sshd: (?P<User>[a-z]+)\"]\n"
               "  }\n"
               "\n"
               "  matcher {\n"
               "    comm = [\"nginx\", \"postgres\"]\n"
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
