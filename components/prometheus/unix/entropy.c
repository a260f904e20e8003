/* entropy: the pool of the random number generator. */
#include "components/prometheus/unix/collector.h"

static int add(struct collect *c, const char *file, const char *name, const char *help)
{
    u64 v;
    int r = unix_read_u64(c, &v, ROOT_PROC, "sys/kernel/random/%s", file);

    if (r) return unix_read_failed(c, r, ROOT_PROC, "sys/kernel/random/%s", file);
    expo_gauge1(c->out, name, help, v);
    return 0;
}

static int collect(struct collect *c)
{
    int r = add(c, "entropy_avail", "node_entropy_available_bits", "Bits of available entropy.");

    return r ? r : add(c, "poolsize", "node_entropy_pool_size_bits", "Bits of entropy pool.");
}

const struct collector_def collector_entropy = {
    .name = "entropy", .default_on = true, .collect = collect};
