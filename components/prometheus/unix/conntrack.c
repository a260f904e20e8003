/* conntrack: the table of tracked connections. */
#include "components/prometheus/unix/collector.h"

#include <errno.h>

#define COLUMNS_MAX 32

static const struct {
    const char *column, *name, *help;
} stats[] = {
    {"found", "node_nf_conntrack_stat_found", "Number of searched entries which were successful."},
    {"invalid", "node_nf_conntrack_stat_invalid",
     "Number of packets seen which can not be tracked."},
    {"ignore", "node_nf_conntrack_stat_ignore",
     "Number of packets seen which are already connected to a conntrack entry."},
    {"insert", "node_nf_conntrack_stat_insert", "Number of entries inserted into the list."},
    {"insert_failed", "node_nf_conntrack_stat_insert_failed",
     "Number of entries for which list insertion was attempted but failed."},
    {"drop", "node_nf_conntrack_stat_drop", "Number of packets dropped due to conntrack failure."},
    {"early_drop", "node_nf_conntrack_stat_early_drop",
     "Number of dropped conntrack entries to make room for new ones, if maximum table size was "
     "reached."},
    {"search_restart", "node_nf_conntrack_stat_search_restart",
     "Number of conntrack table lookups which had to be restarted due to hashtable resizes."},
};

/* A line for each CPU, hexadecimal; shown is the sum. */
static u64 sum_of(struct str text, size_t column)
{
    struct str line, part[COLUMNS_MAX];
    u64 sum = 0, v;

    while (unix_line(&text, &line))
        if (unix_fields(line, part, COLUMNS_MAX) > column && unix_hex(part[column], &v) == 0)
            sum += v;
    return sum;
}

static void add_stat(struct collect *c, size_t i, struct str head, struct str text)
{
    struct str part[COLUMNS_MAX];
    size_t n = unix_fields(head, part, COLUMNS_MAX);

    for (size_t column = 0; column < n; column++)
        if (str_is(part[column], stats[i].column))
            expo_gauge1(c->out, stats[i].name, stats[i].help, sum_of(text, column));
}

static int collect(struct collect *c)
{
    u64 entries, limit;
    struct str text, head;
    int r = unix_read_u64(c, &entries, ROOT_PROC, "sys/net/netfilter/nf_conntrack_count");

    if (!r) r = unix_read_u64(c, &limit, ROOT_PROC, "sys/net/netfilter/nf_conntrack_max");
    if (r == -ENOENT) return COLLECT_NO_DATA; /* nothing is tracked */
    if (r) return unix_read_failed(c, r, ROOT_PROC, "sys/net/netfilter/nf_conntrack_*");
    expo_gauge1(c->out, "node_nf_conntrack_entries",
                "Number of currently allocated flow entries for connection tracking.", entries);
    expo_gauge1(c->out, "node_nf_conntrack_entries_limit",
                "Maximum size of connection tracking table.", limit);

    r = unix_read(c, &text, ROOT_PROC, "net/stat/nf_conntrack");
    if (r == -ENOENT) return COLLECT_NO_DATA;
    if (r) return unix_read_failed(c, r, ROOT_PROC, "net/stat/nf_conntrack");
    if (!unix_line(&text, &head)) return COLLECT_OK;
    for (size_t i = 0; i < ARRAY_LEN(stats); i++)
        add_stat(c, i, head, text);
    return COLLECT_OK;
}

const struct collector_def collector_conntrack = {
    .name = "conntrack", .default_on = true, .collect = collect};
