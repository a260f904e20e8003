/* timex: how the kernel keeps its clock in step. */
#include "components/prometheus/unix/collector.h"

#include <errno.h>
#include <sys/timex.h>

/* Frequencies are in parts per million with 16 bits of fraction. */
#define PPM 65536000000.0

static int collect(struct collect *c)
{
    struct timex t = {0};
    int state = adjtimex(&t);

    /* A container may be forbidden to ask. */
    if (state < 0 && (errno == EPERM || errno == EACCES)) return COLLECT_NO_DATA;
    if (state < 0) return collect_fail(c, -errno, "adjtimex: %s", strerror(errno));

    f64 unit = t.status & STA_NANO ? 1e9 : 1e6;
    const struct {
        enum expo_type type;
        const char *name, *help;
        f64 v;
    } values[] = {
        {EXPO_GAUGE, "sync_status", "Is clock synchronized to a reliable server (1 = yes, 0 = no).",
         state != TIME_ERROR},
        {EXPO_GAUGE, "offset_seconds", "Time offset in between local system and reference clock.",
         (f64)t.offset / unit},
        {EXPO_GAUGE, "frequency_adjustment_ratio", "Local clock frequency adjustment.",
         1 + (f64)t.freq / PPM},
        {EXPO_GAUGE, "maxerror_seconds", "Maximum error in seconds.", (f64)t.maxerror / 1e6},
        {EXPO_GAUGE, "estimated_error_seconds", "Estimated error in seconds.",
         (f64)t.esterror / 1e6},
        {EXPO_GAUGE, "status", "Value of the status array bits.", t.status},
        {EXPO_GAUGE, "loop_time_constant", "Phase-locked loop time constant.", (f64)t.constant},
        {EXPO_GAUGE, "tick_seconds", "Seconds between clock ticks.", (f64)t.tick / 1e6},
        {EXPO_GAUGE, "pps_frequency_hertz", "Pulse per second frequency.", (f64)t.ppsfreq / PPM},
        {EXPO_GAUGE, "pps_jitter_seconds", "Pulse per second jitter.", (f64)t.jitter / unit},
        {EXPO_GAUGE, "pps_shift_seconds", "Pulse per second interval duration.", t.shift},
        {EXPO_GAUGE, "pps_stability_hertz",
         "Pulse per second stability, average of recent frequency changes.", (f64)t.stabil / PPM},
        {EXPO_COUNTER, "pps_jitter_total",
         "Pulse per second count of jitter limit exceeded events.", (f64)t.jitcnt},
        {EXPO_COUNTER, "pps_calibration_total", "Pulse per second count of calibration intervals.",
         (f64)t.calcnt},
        {EXPO_COUNTER, "pps_error_total", "Pulse per second count of calibration errors.",
         (f64)t.errcnt},
        {EXPO_COUNTER, "pps_stability_exceeded_total",
         "Pulse per second count of stability limit exceeded events.", (f64)t.stbcnt},
        {EXPO_GAUGE, "tai_offset_seconds", "International Atomic Time (TAI) offset.", t.tai},
    };

    for (size_t i = 0; i < ARRAY_LEN(values); i++)
        expo_add(expo_family(c->out, values[i].type,
                             unix_metric_name(c, "node_timex_", str_of(values[i].name), ""),
                             values[i].help),
                 values[i].v);
    return COLLECT_OK;
}

const struct collector_def collector_timex = {
    .name = "timex", .default_on = true, .collect = collect};
