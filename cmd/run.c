/* weir run: builds the process (struct weir), loads the configuration, serves until a signal, stops
 * within a deadline. Everything here is the control loop, which is the main thread. */
#include <errno.h>
#include <signal.h>
#include <unistd.h>
#include "cmd/language.h"
#include "cmd/own_lines.h"
#include "cmd/platform.h"
#include "cmd/report.h"
#include "cmd/resources.h"
#include "cmd/run_flags.h"
#include "runtime/controller.h"
#include "runtime/logging.h"
#include "runtime/reload.h"
#include "runtime/self_metrics.h"
#include "runtime/tap/tap.h"
#include "telemetry/labels.h"
#include "telemetry/series.h"
#include "ui/ui.h"

#define STOP_NS         (25 * NS_PER_SEC)
#define STOP_GUARD_NS   (2 * NS_PER_SEC) /* what a stuck component is given beyond the deadline */
#define UI_GRACE_NS     (500 * NS_PER_MS)
#define DATA_BUDGET_MAX (INT64_C(256) << 20)
#define WORKERS_MAX     4
#define OFFLOAD_THREADS 4
#define FOREVER         (INT64_C(1) << 60)

/* The process. One of it; passed down, never global. */
struct weir {
    struct run_flags flags;
    char *flags_text;
    const char *path;
    struct logger *log;
    struct loop *loop;
    struct metrics *metrics;
    struct offload *offload;
    struct net *net;
    struct listeners *listeners;
    struct budget data_budget;
    struct taps *taps;
    struct label_table *labels;
    struct series_table *series;
    struct own_lines own_lines;
    struct logging logging;
    struct host host;
    char memory_socket[48]; /* the name, which nobody can guess */
    struct workers *workers;
    struct language language;
    struct ui *ui;
    struct controller *controller;
    struct config_metrics *config_metrics;
    struct process_metrics *process_metrics;
    struct compile_opts aside; /* of the pool thread that compiles reloads */
    struct reloader *reloader;
    struct sigwatch *on_int, *on_term, *on_hup;
    struct timer *guard;
    bool stopping;
};

/* ---- building ---- */

static i64 default_budget(void)
{
    return MIN(resources_memory("") / 4, DATA_BUDGET_MAX);
}

static int default_workers(void)
{
    return MIN(resources_cpus(""), WORKERS_MAX);
}

static void build_host(struct weir *w)
{
    const struct run_flags *f = &w->flags;
    budget_init(&w->data_budget, f->data_budget ? f->data_budget : default_budget());
    w->log = log_root_new(&clock_system, STDERR_FILENO);
    w->loop = loop_new("weir", 0, &clock_system);
    w->metrics = metrics_new();
    w->offload = offload_new(OFFLOAD_THREADS);
    w->net = net_new(w->offload);
    w->listeners = listeners_new(w->loop);
    w->taps = taps_new(w->loop, &w->data_budget);
    w->labels = label_table_new();
    w->series = series_table_new();
    (void)snprintf(w->memory_socket, sizeof(w->memory_socket), "@weir-%016llx%016llx",
                   (unsigned long long)random_u64(), (unsigned long long)random_u64());
    own_lines_init(&w->own_lines, w->labels, &w->data_budget);
    w->host = (struct host){.clock = &clock_system,
                            .log = w->log,
                            .metrics = w->metrics,
                            .net = w->net,
                            .listeners = w->listeners,
                            .offload = w->offload,
                            .data_budget = &w->data_budget,
                            .taps = w->taps,
                            .labels = w->labels,
                            .series = w->series,
                            .storage_path = f->storage_path,
                            .user_agent = "Weir/" WEIR_VERSION " (" WEIR_PLATFORM ")",
                            .memory_addr = f->memory_addr,
                            .memory_socket = w->memory_socket,
                            .min_stability = f->stability,
                            .stop_deadline = STOP_NS};
}

static const char *node_name(const struct weir *w)
{
    return *w->flags.node_name ? w->flags.node_name : w->language.host;
}

static void build_runtime(struct weir *w)
{
    const struct run_flags *f = &w->flags;
    w->flags_text = run_flags_text(f);
    w->ui = ui_new(&(struct ui_conf){.host = &w->host,
                                     .loop = w->loop,
                                     .prefix = f->ui_prefix,
                                     .version = "v" WEIR_VERSION,
                                     .arch = WEIR_ARCH,
                                     .flags = w->flags_text,
                                     .no_support_bundle = f->no_support_bundle});
    language_init(&w->language, &w->logging, w->ui, w->taps);
    w->host.hostname = w->language.host;
    w->workers = workers_new(&w->host, f->workers ? (int)f->workers : default_workers(), w->loop);
    w->logging = (struct logging){.root = w->log,
                                  .own = own_log_new(&(struct own_log_conf){.host = &w->host,
                                                                            .workers = w->workers,
                                                                            .loop = w->loop,
                                                                            .make = own_lines_make,
                                                                            .arg = &w->own_lines})};
    w->controller = controller_new(&(struct controller_conf){
        .host = &w->host,
        .workers = w->workers,
        .loop = w->loop,
        .compile = language_opts(&w->language, f->stability, f->community, false),
        .removal_deadline = f->shutdown_deadline > 0 ? f->shutdown_deadline : FOREVER,
    });
    w->config_metrics = config_metrics_new(w->metrics, &clock_system, f->cluster_name);
    w->process_metrics =
        process_metrics_new(w->metrics, "v" WEIR_VERSION, WEIR_REVISION, WEIR_ARCH);
    w->aside = language_opts_aside(&w->language, controller_compile_opts(w->controller));
    w->reloader = reloader_new(&(struct reloader_conf){.controller = w->controller,
                                                       .loop = w->loop,
                                                       .log = w->log,
                                                       .metrics = w->config_metrics,
                                                       .path = w->path,
                                                       .offload = w->offload,
                                                       .aside = &w->aside});
    ui_attach(w->ui, w->controller, w->reloader, node_name(w));
}

/* Threads that wait for a file system cannot be ended, and the rest is of use to them. */
static void leave_calls_behind(struct weir *w)
{
    if (offload_settle(w->offload, w->loop, STOP_GUARD_NS)) return;
    log_error(w->log, "a file system does not answer; leaving without waiting for it");
    _exit(1);
}

/* In the opposite order. Everything has stopped. */
static void teardown(struct weir *w)
{
    leave_calls_behind(w);
    timer_free(w->guard);
    reloader_free(w->reloader);
    controller_free(w->controller);
    workers_free(w->workers);
    own_log_free(w->logging.own);
    own_lines_done(&w->own_lines);
    series_table_free(w->series);
    label_table_free(w->labels);
    ui_free(w->ui);
    free(w->flags_text);
    taps_free(w->taps);
    language_done(&w->language);
    config_metrics_free(w->config_metrics);
    process_metrics_free(w->process_metrics);
    listeners_free(w->listeners);
    net_free(w->net);
    offload_free(w->offload);
    metrics_free(w->metrics);
    loop_free(w->loop);
    log_unref(w->log);
}

/* ---- stopping ---- */

/* From now on a second signal ends the process at once. */
static void release_signals(struct weir *w)
{
    sigwatch_free(w->on_int);
    sigwatch_free(w->on_term);
    sigwatch_free(w->on_hup);
    w->on_int = w->on_term = w->on_hup = NULL;
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    signal(SIGHUP, SIG_DFL);
}

static void stopped(void *arg)
{
    struct weir *w = arg;
    loop_stop(w->loop);
}

static void ui_closed(void *arg)
{
    struct weir *w = arg;
    own_log_close(w->logging.own); /* the receivers are about to stop */
    controller_stop(w->controller, clock_mono(&clock_system) + STOP_NS, stopped, w);
}

/* A component that hangs must not keep the process: what it held is lost, and said. */
static void stop_overdue(void *arg)
{
    struct weir *w = arg;
    log_error(w->log, "components did not stop in time; leaving without them");
    _exit(1);
}

static void stop(void *arg)
{
    struct weir *w = arg;
    if (w->stopping) return;
    w->stopping = true;
    log_info(w->log, "shutting down");
    release_signals(w);
    reloader_stop(w->reloader);
    w->guard = timer_new(w->loop, stop_overdue, w);
    timer_start(w->guard, UI_GRACE_NS + STOP_NS + STOP_GUARD_NS);
    ui_close(w->ui, UI_GRACE_NS, ui_closed, w);
}

/* ---- running ---- */

static void reload(void *arg)
{
    struct weir *w = arg;
    reloader_request(w->reloader, NULL, NULL, NULL);
}

static int first_load(struct weir *w)
{
    struct diags diags;
    char *why = NULL;
    diags_init(&diags);
    log_info(w->log, "weir is starting", F_CSTR("version", "v" WEIR_VERSION));
    int err = reloader_first(w->reloader, &diags, &why);
    if (err < 0) {
        log_root_discard(w->log);
        report_diags(&diags);
        if (!why) putchar('\n');
        fflush(stdout);
        fail("%s", why ? why : "could not perform the initial load successfully");
        free(why);
    }
    diags_done(&diags);
    return err;
}

static int listen_http(struct weir *w)
{
    char *why = NULL;
    if (ui_listen(w->ui, w->flags.listen_addr, &why) == 0) return 0;
    char *msg = xprintf("failed to listen on %s", w->flags.listen_addr);
    log_error(w->log, msg, F_CSTR("err", why ? why : "unknown reason"));
    free(msg);
    free(why);
    return -EADDRINUSE;
}

static int run(struct weir *w)
{
    if (first_load(w) < 0) return 1;
    if (listen_http(w) < 0) _exit(1); /* at once: nothing has been taken in yet */
    w->on_int = sigwatch_new(w->loop, SIGINT, stop, w);
    w->on_term = sigwatch_new(w->loop, SIGTERM, stop, w);
    w->on_hup = sigwatch_new(w->loop, SIGHUP, reload, w);
    if (w->flags.watch) reloader_watch(w->reloader);
    log_info(w->log, "weir is running");
    loop_run(w->loop);
    return 0;
}

int cmd_run(int argc, char **argv)
{
    struct weir w = {0};
    int rc = run_flags_parse(argc, argv, &w.flags, &w.path);
    if (rc) return rc < 0;
    signal(SIGPIPE, SIG_IGN);
    (void)resources_files();
    build_host(&w);
    build_runtime(&w);
    int code = run(&w);
    teardown(&w);
    return code;
}
