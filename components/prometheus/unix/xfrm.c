/* xfrm: packets that IPsec dropped, by reason. */
#include "components/prometheus/unix/collector.h"

#include <errno.h>

static const struct {
    const char *key, *name, *help;
} reasons[] = {
    {"XfrmInError", "node_xfrm_in_error_packets_total", "All errors not matched by other"},
    {"XfrmInBufferError", "node_xfrm_in_buffer_error_packets_total", "No buffer is left"},
    {"XfrmInHdrError", "node_xfrm_in_hdr_error_packets_total", "Header error"},
    {"XfrmInNoStates", "node_xfrm_in_no_states_packets_total",
     "No state is found i.e. Either inbound SPI, address, or IPsec protocol at SA is wrong"},
    {"XfrmInStateProtoError", "node_xfrm_in_state_proto_error_packets_total",
     "Transformation protocol specific error e.g. SA key is wrong"},
    {"XfrmInStateModeError", "node_xfrm_in_state_mode_error_packets_total",
     "Transformation mode specific error"},
    {"XfrmInStateSeqError", "node_xfrm_in_state_seq_error_packets_total",
     "Sequence error i.e. Sequence number is out of window"},
    {"XfrmInStateExpired", "node_xfrm_in_state_expired_packets_total", "State is expired"},
    {"XfrmInStateMismatch", "node_xfrm_in_state_mismatch_packets_total",
     "State has mismatch option e.g. UDP encapsulation type is mismatch"},
    {"XfrmInStateInvalid", "node_xfrm_in_state_invalid_packets_total", "State is invalid"},
    {"XfrmInTmplMismatch", "node_xfrm_in_tmpl_mismatch_packets_total",
     "No matching template for states e.g. Inbound SAs are correct but SP rule is wrong"},
    {"XfrmInNoPols", "node_xfrm_in_no_pols_packets_total",
     "No policy is found for states e.g. Inbound SAs are correct but no SP is found"},
    {"XfrmInPolBlock", "node_xfrm_in_pol_block_packets_total", "Policy discards"},
    {"XfrmInPolError", "node_xfrm_in_pol_error_packets_total", "Policy error"},
    {"XfrmOutError", "node_xfrm_out_error_packets_total", "All errors which is not matched others"},
    {"XfrmOutBundleGenError", "node_xfrm_out_bundle_gen_error_packets_total",
     "Bundle generation error"},
    {"XfrmOutBundleCheckError", "node_xfrm_out_bundle_check_error_packets_total",
     "Bundle check error"},
    {"XfrmOutNoStates", "node_xfrm_out_no_states_packets_total", "No state is found"},
    {"XfrmOutStateProtoError", "node_xfrm_out_state_proto_error_packets_total",
     "Transformation protocol specific error"},
    {"XfrmOutStateModeError", "node_xfrm_out_state_mode_error_packets_total",
     "Transformation mode specific error"},
    {"XfrmOutStateSeqError", "node_xfrm_out_state_seq_error_packets_total",
     "Sequence error i.e. Sequence number overflow"},
    {"XfrmOutStateExpired", "node_xfrm_out_state_expired_packets_total", "State is expired"},
    {"XfrmOutPolBlock", "node_xfrm_out_pol_block_packets_total", "Policy discards"},
    {"XfrmOutPolDead", "node_xfrm_out_pol_dead_packets_total", "Policy is dead"},
    {"XfrmOutPolError", "node_xfrm_out_pol_error_packets_total", "Policy error"},
    {"XfrmFwdHdrError", "node_xfrm_fwd_hdr_error_packets_total",
     "Forward routing of a packet is not allowed"},
    {"XfrmOutStateInvalid", "node_xfrm_out_state_invalid_packets_total",
     "State is invalid, perhaps expired"},
    {"XfrmAcquireError", "node_xfrm_acquire_error_packets_total",
     "State hasn’t been fully acquired before use"},
};
#define PLACES ARRAY_LEN(reasons)

static void set(u64 *values, struct str key, u64 v)
{
    for (size_t i = 0; i < PLACES; i++)
        if (str_is(key, reasons[i].key)) values[i] = v;
}

static int read_values(struct collect *c, struct str text, u64 *values)
{
    struct str line, part[3];
    u64 v;

    while (unix_line(&text, &line)) {
        if (unix_fields(line, part, 3) != 2 || unix_u64(part[1], &v) < 0)
            return collect_fail(c, -EINVAL,
                                "\"" STR_FMT "\" in net/xfrm_stat is no name and number",
                                STR_ARG(line));
        set(values, part[0], v);
    }
    return 0;
}

/* A reason that the kernel does not know is 0, as node_exporter has it. */
static int collect(struct collect *c)
{
    u64 values[PLACES] = {0};
    struct str text;
    int r = unix_read(c, &text, ROOT_PROC, "net/xfrm_stat");

    if (r == -ENOENT) return COLLECT_NO_DATA; /* a kernel without IPsec */
    if (r) return unix_read_failed(c, r, ROOT_PROC, "net/xfrm_stat");
    r = read_values(c, text, values);
    for (size_t i = 0; !r && i < PLACES; i++)
        expo_counter1(c->out, reasons[i].name, reasons[i].help, values[i]);
    return r;
}

const struct collector_def collector_xfrm = {.name = "xfrm", .collect = collect};
