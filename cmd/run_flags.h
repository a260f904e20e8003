/* Flags of `weir run`: names and defaults are Alloy's (spec runtime.md 20), and three of ours. */
#ifndef CMD_RUN_FLAGS_H
#define CMD_RUN_FLAGS_H

#include "cmd/command.h"
#include "value/schema.h"

struct run_flags {
    const char *listen_addr, *memory_addr, *ui_prefix, *storage_path;
    bool pprof, no_support_bundle, graphql, graphql_playground, no_reporting;
    enum stability stability;
    bool community, direct_fanout;
    bool cluster, cluster_tls;
    const char *node_name, *cluster_name, *join_addresses, *discover_peers, *advertise_address,
        *advertise_interfaces;
    const char *tls_ca, *tls_cert, *tls_key, *tls_server_name;
    i64 rejoin_interval, max_join_peers, wait_for_size, wait_timeout;
    const char *config_format, *extra_args;
    bool bypass_conversion;
    i64 shutdown_deadline;
    bool discovery_v1, metric_validation; /* no effect */
    bool watch;
    i64 workers, data_budget; /* 0: by what the machine grants */
};

/* 0; 1 when it was asked for help, which is printed; -EINVAL with the message on stderr. *ret_path:
 * the configuration. */
int run_flags_parse(int argc, char **argv, struct run_flags *ret, const char **ret_path);
/* All of them as name=value lines; owned. */
char *run_flags_text(const struct run_flags *f);
/* cmd/run.c: what the command does. */
int cmd_run(int argc, char **argv);

#endif
