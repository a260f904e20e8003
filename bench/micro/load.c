/* CPU milliseconds of each stage of a load: read, parse, compile (names, schema, references,
 * order), evaluate (every node decoded and prepared), and, apart from these, create (the
 * components' own objects); nothing is started, nothing listens. Each load is the first one of a
 * process of its own, so that fresh memory is paid for; the least of all loads is printed, and
 * their median. Log lines are formatted as `weir run` formats them and go to /dev/null.
 *
 * Built and run by `make -C bench load`. Usage: load [-n LOADS] FILE */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "cmd/language.h"
#include "runtime/controller_impl.h"
#include "runtime/tap/tap.h"
#include "telemetry/labels.h"

enum stage { READ, PARSE, COMPILE, EVALUATE, TOTAL, CREATE, STAGES };
static const char *const stage_names[STAGES] = {"read",     "parse", "compile",
                                                "evaluate", "total", "create"};

struct figures { /* of one load */
    i64 ns[STAGES];
    size_t nodes;
};

static i64 cpu(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return t.tv_sec * NS_PER_SEC + t.tv_nsec;
}

/* The linker puts these between the runtime and its instances (--wrap): what they take is CREATE.
 * The clock costs as much as some of them: one component of SAMPLED is timed, for as many. */
#define SAMPLED 7 /* chains have ten links: all kinds come to be timed */
static i64 creating;
static u32 n_created;

struct instance *__real_instance_new(struct workers *ws, const struct host *host,
                                     const struct component_def *def, const char *id,
                                     const char *local_id, struct logger *log,
                                     const struct instance_events *events, void *arg);
struct instance *__wrap_instance_new(struct workers *ws, const struct host *host,
                                     const struct component_def *def, const char *id,
                                     const char *local_id, struct logger *log,
                                     const struct instance_events *events, void *arg);
int __real_instance_create(struct instance *i, struct plan *p, char **ret_err);
int __wrap_instance_create(struct instance *i, struct plan *p, char **ret_err);

static void clock_creation(int sign)
{
    if (n_created % SAMPLED == 0) creating += sign * SAMPLED * cpu();
}

struct instance *__wrap_instance_new(struct workers *ws, const struct host *host,
                                     const struct component_def *def, const char *id,
                                     const char *local_id, struct logger *log,
                                     const struct instance_events *events, void *arg)
{
    clock_creation(-1);
    struct instance *i = __real_instance_new(ws, host, def, id, local_id, log, events, arg);
    clock_creation(1);
    return i;
}

int __wrap_instance_create(struct instance *i, struct plan *p, char **ret_err)
{
    clock_creation(-1);
    int err = __real_instance_create(i, p, ret_err);
    clock_creation(1);
    n_created++;
    return err;
}

static void fail(const char *what, char *why, const struct diags *diags)
{
    struct buf text = BUF_INIT(1 << 20);
    if (diags) diags_line(diags, &text);
    fprintf(stderr, "load: %s: %s\n", what, why ? why : text.p);
    exit(1);
}

/* ---- what `weir run` builds before it loads ---- */

struct process {
    struct budget budget;
    struct host host;
    struct language language;
    struct logging logging;
    struct loop *loop;
    struct controller *controller;
};

static void process_init(struct process *p)
{
    budget_init(&p->budget, INT64_C(256) << 20);
    p->loop = loop_new("load", 0, &clock_system);
    struct offload *offload = offload_new(1);
    struct logger *log = log_root_new(&clock_system, open("/dev/null", O_WRONLY));
    log_root_open(log, LOG_INFO, LOG_LOGFMT);
    p->logging = (struct logging){.root = log};
    p->host = (struct host){.clock = &clock_system,
                            .log = log,
                            .metrics = metrics_new(),
                            .net = net_new(offload),
                            .listeners = listeners_new(p->loop),
                            .offload = offload,
                            .data_budget = &p->budget,
                            .taps = taps_new(p->loop, &p->budget),
                            .labels = label_table_new(),
                            .storage_path = "/nonexistent",
                            .user_agent = "load",
                            .min_stability = STABILITY_EXPERIMENTAL,
                            .stop_deadline = NS_PER_SEC};
    language_init(&p->language, &p->logging, NULL, p->host.taps);
    p->host.hostname = p->language.host;
    p->controller = controller_new(&(struct controller_conf){
        .host = &p->host,
        .workers = workers_new(&p->host, 1, p->loop),
        .loop = p->loop,
        .compile = language_opts(&p->language, STABILITY_EXPERIMENTAL, false, false),
        .removal_deadline = NS_PER_SEC});
}

/* ---- one load ---- */

static size_t count_nodes(const struct generation *g)
{
    size_t n = g->module->tmpl->n;
    for (u32 r = 0; r < g->module->tmpl->n; r++)
        for (size_t i = 0; i < g->changes[r].n_inner; i++)
            n += count_nodes(&g->changes[r].inner[i]);
    return n;
}

static void load(struct process *p, const char *path, struct figures *f)
{
    struct source_set files;
    struct tree_set trees;
    struct diags diags;
    struct generation g;
    struct pending_load pending = {0};
    char *why = NULL;
    i64 at[STAGES] = {cpu()};
    diags_init(&diags);
    if (source_set_read(path, &files, &why) < 0) fail("reading", why, NULL);
    at[PARSE] = cpu();
    if (source_set_parse(&files, &trees, &diags) < 0) fail("parsing", NULL, &diags);
    at[COMPILE] = cpu();
    if (template_compile(controller_compile_opts(p->controller), &trees, &diags, &pending.tmpl) < 0)
        fail("compiling", NULL, &diags);
    at[EVALUATE] = cpu();
    pending.module_path = files.module_path;
    if (generation_build(p->controller, &pending, &g, &diags) < 0) fail("evaluating", NULL, &diags);
    at[TOTAL] = cpu();
    for (int i = READ; i < TOTAL; i++)
        f->ns[i] = at[i + 1] - at[i];
    f->ns[EVALUATE] -= creating;
    f->ns[TOTAL] = at[TOTAL] - at[READ] - creating;
    f->ns[CREATE] = creating;
    f->nodes = count_nodes(&g);
}

/* In a child: what it allocates is gone with it. */
static void load_apart(const char *path, struct figures *f)
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        struct process p = {0};
        process_init(&p);
        load(&p, path, f);
        _exit(0);
    }
    if (child < 0 || waitpid(child, &status, 0) < 0 || status != 0) exit(1);
}

/* ---- the table ---- */

static int compare(const void *a, const void *b)
{
    i64 x = *(const i64 *)a, y = *(const i64 *)b;
    return (x > y) - (x < y);
}

static void print(const struct figures *f, int n)
{
    i64 *v = calloc((size_t)n, sizeof(*v));
    printf("%zu nodes, %d loads, CPU ms\n%-10s %8s %8s\n", f[0].nodes, n, "", "least", "median");
    for (int s = 0; s < STAGES; s++) {
        for (int i = 0; i < n; i++)
            v[i] = f[i].ns[s];
        qsort(v, (size_t)n, sizeof(*v), compare);
        printf("%-10s %8.1f %8.1f\n", stage_names[s], (f64)v[0] / NS_PER_MS,
               (f64)v[n / 2] / NS_PER_MS);
    }
    free(v);
}

int main(int argc, char **argv)
{
    int n = 11, o;
    while ((o = getopt(argc, argv, "n:")) != -1)
        if (o == 'n') n = atoi(optarg);
    if (optind + 1 != argc || n < 1) {
        fprintf(stderr, "usage: load [-n LOADS] FILE\n");
        return 2;
    }
    struct figures *f = mmap(NULL, (size_t)n * sizeof(*f), PROT_READ | PROT_WRITE,
                             MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (f == MAP_FAILED) return 1;
    for (int i = 0; i < n; i++)
        load_apart(argv[optind], &f[i]);
    print(f, n);
    return 0;
}
