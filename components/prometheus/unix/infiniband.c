/* infiniband: adapters and their ports. */
#include "components/prometheus/unix/values.h"

#include <errno.h>

#define COUNTER(file_, name_, help_, factor_)                                                      \
    {                                                                                              \
        file_, "node_infiniband_" name_ "_total", help_, EXPO_COUNTER, factor_                     \
    }
#define LANES 4 /* data is counted by lane, of which a port has four */
static const struct unix_value counters[] = {
    COUNTER("counters_ext/port_multicast_rcv_packets", "legacy_multicast_packets_received",
            "Number of multicast packets received", 0),
    COUNTER("counters_ext/port_multicast_xmit_packets", "legacy_multicast_packets_transmitted",
            "Number of multicast packets transmitted", 0),
    COUNTER("counters_ext/port_rcv_data_64", "legacy_data_received_bytes",
            "Number of data octets received on all links", LANES),
    COUNTER("counters_ext/port_rcv_packets_64", "legacy_packets_received",
            "Number of data packets received on all links", 0),
    COUNTER("counters_ext/port_unicast_rcv_packets", "legacy_unicast_packets_received",
            "Number of unicast packets received", 0),
    COUNTER("counters_ext/port_unicast_xmit_packets", "legacy_unicast_packets_transmitted",
            "Number of unicast packets transmitted", 0),
    COUNTER("counters_ext/port_xmit_data_64", "legacy_data_transmitted_bytes",
            "Number of data octets transmitted on all links", LANES),
    COUNTER("counters_ext/port_xmit_packets_64", "legacy_packets_transmitted",
            "Number of data packets received on all links", 0),
    COUNTER("counters/excessive_buffer_overrun_errors", "excessive_buffer_overrun_errors",
            "Number of times that OverrunErrors consecutive flow control update periods occurred, "
            "each having at least one overrun error.",
            0),
    COUNTER("counters/link_downed", "link_downed",
            "Number of times the link failed to recover from an error state and went down", 0),
    COUNTER("counters/link_error_recovery", "link_error_recovery",
            "Number of times the link successfully recovered from an error state", 0),
    COUNTER("counters/local_link_integrity_errors", "local_link_integrity_errors",
            "Number of times that the count of local physical errors exceeded the threshold "
            "specified by LocalPhyErrors.",
            0),
    COUNTER("counters/multicast_rcv_packets", "multicast_packets_received",
            "Number of multicast packets received (including errors)", 0),
    COUNTER("counters/multicast_xmit_packets", "multicast_packets_transmitted",
            "Number of multicast packets transmitted (including errors)", 0),
    COUNTER("counters/port_rcv_constraint_errors", "port_constraint_errors_received",
            "Number of packets received on the switch physical port that are discarded", 0),
    COUNTER("counters/port_xmit_constraint_errors", "port_constraint_errors_transmitted",
            "Number of packets not transmitted from the switch physical port", 0),
    COUNTER("counters/port_rcv_data", "port_data_received_bytes",
            "Number of data octets received on all links", LANES),
    COUNTER("counters/port_xmit_data", "port_data_transmitted_bytes",
            "Number of data octets transmitted on all links", LANES),
    COUNTER("counters/port_rcv_discards", "port_discards_received",
            "Number of inbound packets discarded by the port because the port is down or congested",
            0),
    COUNTER("counters/port_xmit_discards", "port_discards_transmitted",
            "Number of outbound packets discarded by the port because the port is down or "
            "congested",
            0),
    COUNTER("counters/port_rcv_errors", "port_errors_received",
            "Number of packets containing an error that were received on this port", 0),
    COUNTER("counters/port_rcv_packets", "port_packets_received",
            "Number of packets received on all VLs by this port (including errors)", 0),
    COUNTER("counters/port_xmit_packets", "port_packets_transmitted",
            "Number of packets transmitted on all VLs from this port (including errors)", 0),
    COUNTER("counters/port_xmit_wait", "port_transmit_wait",
            "Number of ticks during which the port had data to transmit but no data was sent "
            "during the entire tick",
            0),
    COUNTER("counters/unicast_rcv_packets", "unicast_packets_received",
            "Number of unicast packets received (including errors)", 0),
    COUNTER("counters/unicast_xmit_packets", "unicast_packets_transmitted",
            "Number of unicast packets transmitted (including errors)", 0),
    COUNTER("counters/port_rcv_remote_physical_errors", "port_receive_remote_physical_errors",
            "Number of packets marked with the EBP (End of Bad Packet) delimiter received on the "
            "port.",
            0),
    COUNTER("counters/port_rcv_switch_relay_errors", "port_receive_switch_relay_errors",
            "Number of packets that could not be forwarded by the switch.", 0),
    COUNTER("counters/symbol_error", "symbol_error",
            "Number of minor link errors detected on one or more physical lanes.", 0),
    COUNTER("counters/VL15_dropped", "vl15_dropped",
            "Number of incoming VL15 packets dropped due to resource limitations.", 0),
};

/* The number before `end`: "4: ACTIVE", "40 Gb/sec (4X QDR)". */
static int leading(struct collect *c, const char *folder, const char *file, char end, f64 *ret)
{
    struct str text = unix_text(c, ROOT_SYS, "%s/%s", folder, file), rest = text;

    if (unix_f64(str_trim(str_cut(&rest, end)), ret) == 0) return 0;
    return collect_fail(c, -EINVAL, "%s/%s does not begin with a number: " STR_FMT, folder, file,
                        STR_ARG(text));
}

static int collect_port(struct collect *c, struct str device, struct str port)
{
    const char *folder = arena_printf(c->arena, "class/infiniband/%s/ports/%s", device.p, port.p);
    struct expo_label labels[] = {EXPO_LS("device", device), EXPO_LS("port", port)};
    f64 state, physical, rate;
    int r = leading(c, folder, "state", ':', &state);

    if (!r) r = leading(c, folder, "phys_state", ':', &physical);
    if (!r) r = leading(c, folder, "rate", ' ', &rate);
    if (r) return r;
    expo_gauge1(c->out, "node_infiniband_state_id",
                "State of the InfiniBand port (0: no change, 1: down, 2: init, 3: armed, 4: "
                "active, 5: act defer)",
                state, labels[0], labels[1]);
    expo_gauge1(c->out, "node_infiniband_physical_state_id",
                "Physical state of the InfiniBand port (0: no change, 1: sleep, 2: polling, 3: "
                "disable, 4: shift, 5: link up, 6: link error recover, 7: phytest)",
                physical, labels[0], labels[1]);
    expo_gauge1(c->out, "node_infiniband_rate_bytes_per_second", "Maximum signal transfer rate",
                rate * 125000000, labels[0], labels[1]); /* of Gb/s */
    return unix_values(c, counters, ARRAY_LEN(counters), folder, labels, 2);
}

static int collect_device(struct collect *c, struct str device)
{
    const char *folder = arena_printf(c->arena, "class/infiniband/%s", device.p);
    struct unix_names ports;
    int r = unix_list(c, &ports, ROOT_SYS, "%s/ports", folder);

    if (r) return unix_read_failed(c, r, ROOT_SYS, "%s/ports", folder);
    expo_gauge1(c->out, "node_infiniband_info",
                "Non-numeric data from /sys/class/infiniband/<device>, value is always 1.", 1,
                EXPO_LS("device", device), unix_text_label(c, "board_id", folder, "board_id"),
                unix_text_label(c, "firmware_version", folder, "fw_ver"),
                unix_text_label(c, "hca_type", folder, "hca_type"));
    for (size_t i = 0; r == 0 && i < ports.n; i++)
        r = collect_port(c, device, ports.v[i]);
    return r;
}

static int collect(struct collect *c)
{
    struct unix_names names;
    int r = unix_class(c, &names, "class/infiniband");

    for (size_t i = 0; r == 0 && i < names.n; i++)
        r = collect_device(c, names.v[i]);
    return r;
}

const struct collector_def collector_infiniband = {
    .name = "infiniband", .default_on = true, .collect = collect};
