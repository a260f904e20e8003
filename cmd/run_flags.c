/* The flag table of run, and the rules between flags. */
#include "cmd/run_flags.h"

#include <errno.h>

#include "cmd/report.h"

#define NO_CLUSTER   "this build does not cluster"
#define NO_CONVERTER "this build does not convert other formats"
#define NO_GRAPHQL   "this build has no GraphQL"

#define DEFAULT_STORAGE "data-weir/"
#define ALLOY_STORAGE   "data-alloy/"

static const struct flag rows[] = {
    FLAG(struct run_flags, listen_addr, "server.http.listen-addr", FLAG_TEXT, "127.0.0.1:12345",
         "Address of the HTTP server."),
    FLAG(struct run_flags, memory_addr, "server.http.memory-addr", FLAG_TEXT,
         "alloy.internal:12345",
         "Address under which components reach the HTTP server without the network."),
    FLAG(struct run_flags, ui_prefix, "server.http.ui-path-prefix", FLAG_TEXT, "/",
         "Path below which page and web API are served."),
    FLAG(struct run_flags, pprof, "server.http.enable-pprof", FLAG_BOOL, "true",
         "Accepted; there is no Go profile to serve."),
    FLAG(struct run_flags, no_support_bundle, "server.http.disable-support-bundle", FLAG_BOOL,
         "false", "Refuse GET /-/support, which collects a bundle for who helps."),
    FLAG(struct run_flags, graphql, "server.http.enable-graphql", FLAG_BOOL, "false",
         "Serve GraphQL.", .unheeded = NO_GRAPHQL),
    FLAG(struct run_flags, graphql_playground, "server.http.enable-graphql-playground", FLAG_BOOL,
         "false", "Serve its playground.", .unheeded = NO_GRAPHQL),
    FLAG(struct run_flags, storage_path, "storage.path", FLAG_TEXT, DEFAULT_STORAGE,
         "Directory of what components keep on disk.", .file = true),
    FLAG(struct run_flags, no_reporting, "disable-reporting", FLAG_BOOL, "false",
         "Accepted; usage is never reported."),
    FLAG(struct run_flags, stability, "stability.level", FLAG_STABILITY, "generally-available",
         "Least stable features allowed."),
    FLAG(struct run_flags, community, "feature.community-components.enabled", FLAG_BOOL, "false",
         "Allow community components."),
    FLAG(struct run_flags, shutdown_deadline, "feature.component-shutdown-deadline", FLAG_DURATION,
         "10m", "Time a component removed by a reload has to stop; 0: any."),
    FLAG(struct run_flags, direct_fanout, "feature.prometheus.direct-fanout.enabled", FLAG_BOOL,
         "false", "Accepted; samples always go straight to their receivers."),
    FLAG(struct run_flags, cluster, "cluster.enabled", FLAG_BOOL, "false", "Share work with peers.",
         .refused = NO_CLUSTER),
    FLAG(struct run_flags, node_name, "cluster.node-name", FLAG_TEXT, "",
         "Name of this node; empty: the host name."),
    FLAG(struct run_flags, cluster_name, "cluster.name", FLAG_TEXT, "",
         "Name of the cluster, a label of some metrics."),
    FLAG(struct run_flags, join_addresses, "cluster.join-addresses", FLAG_TEXT, "",
         "Peers to join.", .unheeded = NO_CLUSTER),
    FLAG(struct run_flags, discover_peers, "cluster.discover-peers", FLAG_TEXT, "",
         "How to find peers.", .unheeded = NO_CLUSTER),
    FLAG(struct run_flags, rejoin_interval, "cluster.rejoin-interval", FLAG_DURATION, "60s",
         "How often to join again.", .unheeded = NO_CLUSTER),
    FLAG(struct run_flags, advertise_address, "cluster.advertise-address", FLAG_TEXT, "",
         "Address told to peers.", .unheeded = NO_CLUSTER),
    FLAG(struct run_flags, advertise_interfaces, "cluster.advertise-interfaces", FLAG_TEXT,
         "eth0,en0", "Interfaces to take that address from.", .unheeded = NO_CLUSTER),
    FLAG(struct run_flags, max_join_peers, "cluster.max-join-peers", FLAG_INT, "5",
         "Most peers joined at once.", .unheeded = NO_CLUSTER),
    FLAG(struct run_flags, cluster_tls, "cluster.enable-tls", FLAG_BOOL, "false",
         "TLS between peers.", .unheeded = NO_CLUSTER),
    FLAG(struct run_flags, tls_ca, "cluster.tls-ca-path", FLAG_TEXT, "", "Authorities of peers.",
         .unheeded = NO_CLUSTER),
    FLAG(struct run_flags, tls_cert, "cluster.tls-cert-path", FLAG_TEXT, "",
         "Certificate shown to peers.", .unheeded = NO_CLUSTER),
    FLAG(struct run_flags, tls_key, "cluster.tls-key-path", FLAG_TEXT, "", "Its key.",
         .unheeded = NO_CLUSTER),
    FLAG(struct run_flags, tls_server_name, "cluster.tls-server-name", FLAG_TEXT, "",
         "Name peers' certificates must have.", .unheeded = NO_CLUSTER),
    FLAG(struct run_flags, wait_for_size, "cluster.wait-for-size", FLAG_INT, "0",
         "Peers needed before work starts.", .unheeded = NO_CLUSTER),
    FLAG(struct run_flags, wait_timeout, "cluster.wait-timeout", FLAG_DURATION, "0s",
         "How long to wait for them.", .unheeded = NO_CLUSTER),
    FLAG(struct run_flags, config_format, "config.format", FLAG_TEXT, "alloy",
         "Format of the configuration.", .refused = NO_CONVERTER),
    FLAG(struct run_flags, bypass_conversion, "config.bypass-conversion-errors", FLAG_BOOL, "false",
         "Go on after conversion errors.", .unheeded = NO_CONVERTER),
    FLAG(struct run_flags, extra_args, "config.extra-args", FLAG_TEXT, "",
         "Arguments of the converter.", .unheeded = NO_CONVERTER),
    FLAG(struct run_flags, watch, "config.watch", FLAG_BOOL, "true",
         "Reload when the configuration changes on disk."),
    FLAG(struct run_flags, workers, "workers", FLAG_INT, "0",
         "Worker threads; 0: the CPUs granted, at most 4."),
    FLAG(struct run_flags, data_budget, "data-budget", FLAG_SIZE, "0",
         "Bytes all queues may hold; 0: a quarter of the memory granted, at most 256MiB."),
    FLAG(struct run_flags, discovery_v1, "cluster.use-discovery-v1", FLAG_BOOL, "false", "",
         .deprecated = true),
    FLAG(struct run_flags, metric_validation, "feature.prometheus.metric-validation-scheme",
         FLAG_BOOL, "false", "", .deprecated = true),
};

/* Checked before everything else, in this order. */
static int check_experimental(const struct run_flags *f)
{
    const struct {
        bool set;
        const char *name;
    } experimental[] = {
        {f->direct_fanout, "feature.prometheus.direct-fanout.enabled"},
        {f->graphql, "server.http.enable-graphql"},
        {f->graphql_playground, "server.http.enable-graphql-playground"},
    };
    for (size_t i = 0; f->stability != STABILITY_EXPERIMENTAL && i < ARRAY_LEN(experimental); i++)
        if (experimental[i].set) {
            fail("'--%s' can only be used at experimental stability level. Use "
                 "--stability.level=experimental to enable.",
                 experimental[i].name);
            return -EINVAL;
        }
    return 0;
}

static int check_ranges(const struct run_flags *f)
{
    if (f->workers < 0 || f->workers > 16) {
        fail("invalid argument \"%lld\" for \"--workers\" flag: it is 0 to 16",
             (long long)f->workers);
        return -EINVAL;
    }
    if (f->data_budget < 0) {
        fail("invalid argument for \"--data-budget\" flag: it is not negative");
        return -EINVAL;
    }
    return 0;
}

/* Called by Alloy's name, its defaults hold. */
static void alloy_defaults(struct run_flags *f, bool watch_given, bool storage_given)
{
    if (!watch_given) f->watch = false;
    if (!storage_given) f->storage_path = ALLOY_STORAGE;
}

static bool is_given(int argc, char **argv, const char *flag)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strncmp(argv[i], flag, strlen(flag)) == 0 &&
            (argv[i][strlen(flag)] == '=' || argv[i][strlen(flag)] == '\0'))
            return true;
    return false;
}

static int take_path(const arg_list *args, const char **ret_path)
{
    if (strcmp(args->v[0], "-") == 0) {
        fail("run cannot read standard input: a reload would find nothing there; give a file or a "
             "directory");
        return -EINVAL;
    }
    *ret_path = args->v[0];
    return 0;
}

char *run_flags_text(const struct run_flags *f)
{
    struct buf text = BUF_INIT(SIZE_MAX / 2);
    flags_write(&(struct flag_table){rows, ARRAY_LEN(rows)}, f, &text);
    return buf_take(&text, NULL);
}

int run_flags_parse(int argc, char **argv, struct run_flags *ret, const char **ret_path)
{
    arg_list args = {0};
    int rc = command_parse(&run_command, argc, argv, ret, &args);
    if (!rc) {
        rc = take_path(&args, ret_path);
        rc = rc ? rc : check_experimental(ret);
        rc = rc ? rc : check_ranges(ret);
    }
    if (called_as_alloy(argv[-1]))
        alloy_defaults(ret, is_given(argc, argv, "--config.watch"),
                       is_given(argc, argv, "--storage.path"));
    vec_done(&args);
    return rc;
}

const struct command run_command = {
    .name = "run",
    .usage = "[flags] PATH",
    .summary = "Run a configuration: a file, or a directory of *.alloy and *.river",
    .flags = {rows, ARRAY_LEN(rows)},
    .min_args = 1,
    .max_args = 1,
    .files = true,
    .run = cmd_run,
};
