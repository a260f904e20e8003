/* fibrechannel: host adapters of /sys/class/fc_host. */
#include "components/prometheus/unix/values.h"

#define COUNTER(file_, name_, help_)                                                               \
    {                                                                                              \
        file_, "node_fibrechannel_" name_ "_total", help_                                          \
    }
static const struct {
    const char *file, *name, *help;
} counters[] = {
    COUNTER("dumped_frames", "dumped_frames", "Number of dumped frames"),
    COUNTER("error_frames", "error_frames", "Number of errors in frames"),
    COUNTER("fcp_packet_aborts", "fcp_packet_aborts", "Number of aborted packets"),
    COUNTER("invalid_crc_count", "invalid_crc", "Invalid Cyclic Redundancy Check count"),
    COUNTER("invalid_tx_word_count", "invalid_tx_words",
            "Number of invalid words transmitted by host port"),
    COUNTER("link_failure_count", "link_failure", "Number of times the host port link has failed"),
    COUNTER("loss_of_signal_count", "loss_of_signal", "Number of times signal has been lost"),
    COUNTER("loss_of_sync_count", "loss_of_sync",
            "Number of failures on either bit or transmission word boundaries"),
    COUNTER("nos_count", "nos", "Number Not_Operational Primitive Sequence received by host port"),
    COUNTER("rx_frames", "rx_frames", "Number of frames received"),
    COUNTER("rx_words", "rx_words", "Number of words received by host port"),
    COUNTER("seconds_since_last_reset", "seconds_since_last_reset",
            "Number of seconds since last host port reset"),
    COUNTER("tx_frames", "tx_frames", "Number of frames transmitted by host port"),
    COUNTER("tx_words", "tx_words", "Number of words transmitted by host port"),
};

static struct expo_label text(struct collect *c, const char *folder, const char *name)
{
    return unix_text_label(c, name, folder, name);
}

/* Without the 0x. */
static struct expo_label number(struct collect *c, const char *folder, const char *name)
{
    struct expo_label l = text(c, folder, name);

    if (l.value.n > 2) l.value = str_sub(l.value, 2, l.value.n);
    return l;
}

/* All ones: the firmware does not count it. */
static void add_counters(struct collect *c, const char *folder, struct str host)
{
    for (size_t i = 0; i < ARRAY_LEN(counters); i++) {
        u64 v;
        struct str t = unix_text(c, ROOT_SYS, "%s/statistics/%s", folder, counters[i].file);
        if (t.n == 0 || unix_hex(t, &v) || v == UINT64_MAX) continue;
        expo_counter1(c->out, counters[i].name, counters[i].help, v, EXPO_LS("fc_host", host));
    }
}

static void collect_host(struct collect *c, struct str host)
{
    const char *folder = arena_printf(c->arena, "class/fc_host/%s", host.p);

    expo_gauge1(c->out, "node_fibrechannel_info",
                "Non-numeric data from /sys/class/fc_host/<host>, value is always 1.", 1,
                EXPO_LS("fc_host", host), text(c, folder, "speed"), text(c, folder, "port_state"),
                text(c, folder, "port_type"), number(c, folder, "port_id"),
                number(c, folder, "port_name"), number(c, folder, "fabric_name"),
                text(c, folder, "symbolic_name"), text(c, folder, "supported_classes"),
                text(c, folder, "supported_speeds"), text(c, folder, "dev_loss_tmo"));
    add_counters(c, folder, host);
}

static int collect(struct collect *c)
{
    struct unix_names names;
    int r = unix_class(c, &names, "class/fc_host");

    for (size_t i = 0; r == 0 && i < names.n; i++)
        collect_host(c, names.v[i]);
    return r;
}

const struct collector_def collector_fibrechannel = {
    .name = "fibrechannel", .default_on = true, .collect = collect};
