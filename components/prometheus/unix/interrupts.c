/* interrupts: how often each was served, by CPU. */
#include "components/prometheus/unix/cpu_table.h"

/* What stands behind the counters of a numbered one: the controller, then the devices; of a named
 * one a text. */
static void split(struct collect *c, struct str name, struct str rest, struct str *ret_info,
                  struct str *ret_devices)
{
    u64 number;
    struct str field;
    struct buf b = BUF_INIT(4096);

    *ret_info = rest;
    *ret_devices = STR("");
    if (unix_u64(name, &number)) return;
    *ret_info = STR("");
    unix_field(&rest, ret_info);
    while (unix_field(&rest, &field)) {
        if (b.n > 0) buf_ch(&b, ' ');
        buf_str(&b, field);
    }
    *ret_devices = arena_str(c->arena, buf_view(&b));
    buf_done(&b);
}

static void add(struct collect *c, struct str name, const struct str *cpus,
                const struct str *counters, size_t n, struct str rest)
{
    struct expo_family *f = expo_counter(c->out, "node_interrupts_total", "Interrupt details.");
    struct str info, devices;
    u64 v;

    split(c, name, rest, &info, &devices);
    for (size_t i = 0; i < n; i++)
        if (unix_u64(counters[i], &v) == 0)
            expo_add(f, v, EXPO_LS("cpu", cpu_table_number(cpus[i])), EXPO_LS("type", name),
                     EXPO_LS("info", info), EXPO_LS("devices", devices));
}

static int collect(struct collect *c)
{
    return cpu_table_read(c, "interrupts", add);
}

const struct collector_def collector_interrupts = {.name = "interrupts", .collect = collect};
