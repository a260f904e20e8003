/* tapestats: SCSI tapes. */
#include "components/prometheus/unix/values.h"

#define NS 1e-9
static const struct unix_value values[] = {
    {"in_flight", "node_tape_io_now", "The number of I/Os currently outstanding to this device.",
     EXPO_GAUGE, 0},
    {"io_ns", "node_tape_io_time_seconds_total",
     "The amount of time spent waiting for all I/O to complete (including read and write). This "
     "includes tape movement commands such as seeking between file or set marks and implicit tape "
     "movement such as when rewind on close tape devices are used.",
     EXPO_COUNTER, NS},
    {"other_cnt", "node_tape_io_others_total",
     "The number of I/Os issued to the tape drive other than read or write commands. The time "
     "taken "
     "to complete these commands uses the following calculation "
     "io_time_seconds_total-read_time_seconds_total-write_time_seconds_total",
     EXPO_COUNTER, 0},
    {"read_byte_cnt", "node_tape_read_bytes_total", "The number of bytes read from the tape drive.",
     EXPO_COUNTER, 0},
    {"read_cnt", "node_tape_reads_completed_total",
     "The number of read requests issued to the tape drive.", EXPO_COUNTER, 0},
    {"read_ns", "node_tape_read_time_seconds_total",
     "The amount of time spent waiting for read requests to complete.", EXPO_COUNTER, NS},
    {"write_byte_cnt", "node_tape_written_bytes_total",
     "The number of bytes written to the tape drive.", EXPO_COUNTER, 0},
    {"write_cnt", "node_tape_writes_completed_total",
     "The number of write requests issued to the tape drive.", EXPO_COUNTER, 0},
    {"write_ns", "node_tape_write_time_seconds_total",
     "The amount of time spent waiting for write requests to complete.", EXPO_COUNTER, NS},
    {"resid_cnt", "node_tape_residual_total",
     "The number of times during a read or write we found the residual amount to be non-zero. This "
     "should mean that a program is issuing a read larger thean the block size on tape. For write "
     "not all data made it to tape.",
     EXPO_COUNTER, 0},
};

struct plan {
    struct regex *ignored;
};

static int prepare(struct collector_prepare *pr, void *plan)
{
    return unix_regex(pr, "tapestats/ignored_devices", pr->args->tapestats.ignored_devices,
                      &((struct plan *)plan)->ignored);
}

/* st0; not nst0 and st0a, which are the same drive. */
static bool is_tape(struct str name)
{
    if (name.n < 3 || !str_starts(name, STR("st"))) return false;
    for (size_t i = 2; i < name.n; i++)
        if (name.p[i] < '0' || name.p[i] > '9') return false;
    return true;
}

static int collect(struct collect *c)
{
    const struct plan *p = c->plan;
    struct unix_names names;
    int r = unix_class(c, &names, "class/scsi_tape");

    for (size_t i = 0; r == 0 && i < names.n; i++) {
        struct expo_label device = EXPO_LS("device", names.v[i]);
        if (!is_tape(names.v[i]) || unix_matches(p->ignored, names.v[i])) continue;
        r = unix_values(c, values, ARRAY_LEN(values),
                        arena_printf(c->arena, "class/scsi_tape/%s/stats", names.v[i].p), &device,
                        1);
    }
    return r;
}

const struct collector_def collector_tapestats = {.name = "tapestats",
                                                  .default_on = true,
                                                  .plan_size = sizeof(struct plan),
                                                  .prepare = prepare,
                                                  .collect = collect};
