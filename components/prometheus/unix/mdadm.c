/* mdadm: software RAID, of /proc/mdstat and /sys/block. */
#include "components/prometheus/unix/collector.h"

#include <errno.h>

struct array {
    struct str name, state; /* active, inactive, recovering, resyncing, checking, reshaping */
    u64 total, active, failed, spare, blocks, synced;
};

static u64 count(struct str text, const char *what)
{
    u64 n = 0;
    ssize_t at;

    while ((at = str_find(text, str_of(what))) >= 0) {
        text = str_sub(text, (size_t)at + strlen(what), text.n);
        n++;
    }
    return n;
}

static bool has(struct str text, const char *what)
{
    return str_find(text, str_of(what)) >= 0;
}

/* The first "[N/M]" of a line. */
static bool disks_of(struct str line, u64 *ret_total, u64 *ret_active)
{
    while (line.n > 0) {
        (void)str_cut(&line, '[');
        struct str rest = line, inside = str_cut(&rest, ']'), total = str_cut(&inside, '/');
        if (unix_u64(total, ret_total) == 0 && unix_u64(inside, ret_active) == 0) return true;
    }
    return false;
}

static int bad(struct collect *c, const struct array *a, const char *what, struct str line)
{
    return collect_fail(c, -EINVAL, "mdstat of " STR_FMT " has no %s: " STR_FMT, STR_ARG(a->name),
                        what, STR_ARG(line));
}

/* "523968 blocks super 1.2 [4/4] [UUUU]" */
static int read_status(struct collect *c, struct array *a, struct str device, struct str line)
{
    struct str rest = line, blocks;

    if (!unix_field(&rest, &blocks) || unix_u64(blocks, &a->blocks))
        return bad(c, a, "number of blocks", line);
    if (has(device, "raid0") || has(device, "linear"))
        a->total = a->active = count(device, "[");
    else if (!has(device, "inactive") && !disks_of(line, &a->total, &a->active))
        return bad(c, a, "number of disks", line);
    return 0;
}

/* "[=>..]  recovery =  8.5% (16775552/195310144) finish=17.0min ..." */
static int read_progress(struct collect *c, struct array *a, struct str line)
{
    static const char *const states[][2] = {{"recovery", "recovering"},
                                            {"reshape", "reshaping"},
                                            {"check", "checking"},
                                            {"resync", "resyncing"}};
    size_t i = 0;

    a->synced = a->blocks;
    while (i < ARRAY_LEN(states) && !has(line, states[i][0]))
        i++;
    if (i == ARRAY_LEN(states)) return 0;
    a->state = str_of(states[i][1]);
    a->synced = 0;
    if (has(line, "PENDING") || has(line, "DELAYED")) return 0;
    struct str rest = line;
    (void)str_cut(&rest, '(');
    return unix_u64(str_cut(&rest, '/'), &a->synced) ? bad(c, a, "number of synced blocks", line)
                                                     : 0;
}

static void add(struct collect *c, const struct array *a)
{
    static const char *const states[][2] = {{"active", "active"},
                                            {"inactive", "inactive"},
                                            {"recovering", "recovering"},
                                            {"resyncing", "resync"},
                                            {"checking", "check"}};
    struct expo_label device = EXPO_LS("device", a->name);
    struct expo_family *disks =
        expo_gauge(c->out, "node_md_disks", "Number of active/failed/spare disks of device.");
    struct expo_family *state =
        expo_gauge(c->out, "node_md_state", "Indicates the state of md-device.");

    expo_gauge1(c->out, "node_md_disks_required", "Total number of disks of device.", a->total,
                device);
    expo_add(disks, a->active, device, EXPO_L("state", "active"));
    expo_add(disks, a->failed, device, EXPO_L("state", "failed"));
    expo_add(disks, a->spare, device, EXPO_L("state", "spare"));
    for (size_t i = 0; i < ARRAY_LEN(states); i++)
        expo_add(state, str_is(a->state, states[i][0]), device, EXPO_L("state", states[i][1]));
    expo_gauge1(c->out, "node_md_blocks", "Total number of blocks on device.", a->blocks, device);
    expo_gauge1(c->out, "node_md_blocks_synced", "Number of blocks synced on device.", a->synced,
                device);
}

/* "md3 : active raid6 sda1[8] ..." and the lines after it. */
static int collect_array(struct collect *c, struct str device, struct str *rest)
{
    struct str fields[3], status = STR(""), progress = STR("");
    struct array a = {.failed = count(device, "(F)"), .spare = count(device, "(S)")};

    if (unix_fields(device, fields, 3) < 3)
        return collect_fail(c, -EINVAL, "mdstat has a line that is no device: " STR_FMT,
                            STR_ARG(device));
    a.name = fields[0];
    a.state = fields[2];
    (void)unix_line(rest, &status);
    struct str after = *rest;
    (void)unix_line(&after, &progress);
    if (has(progress, "bitmap")) (void)unix_line(&after, &progress);
    int r = read_status(c, &a, device, status);
    if (r == 0) r = read_progress(c, &a, progress);
    if (r == 0) add(c, &a);
    return r;
}

static int collect_mdstat(struct collect *c, struct str text)
{
    struct str line;
    int r = 0;

    while (r == 0 && unix_line(&text, &line)) {
        if (str_trim(line).n == 0 || line.p[0] == ' ' || line.p[0] == '\t') continue;
        if (str_starts(line, STR("unused")) || str_starts(line, STR("Personalities"))) continue;
        r = collect_array(c, line, &text);
    }
    return r;
}

/* --- /sys/block --- */

static bool is_one_of(struct str s, const char *const *v, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (str_is(s, v[i])) return true;
    return false;
}

static void collect_block(struct collect *c, struct str name)
{
    static const char *const containers[] = {"container", "imsm", "ddf", ""};
    static const char *const redundant[] = {"raid1", "raid4", "raid5", "raid6", "raid10"};
    struct str level = unix_text(c, ROOT_SYS, "block/%s/md/level", name.p);
    struct str disks = unix_text(c, ROOT_SYS, "block/%s/md/raid_disks", name.p);
    struct expo_label device = EXPO_LS("device", name);
    u64 n, degraded = 0;

    /* "11 (10)" while it grows */
    if (!is_one_of(level, containers, ARRAY_LEN(containers)) &&
        unix_u64(str_cut(&disks, ' '), &n) == 0)
        expo_gauge1(c->out, "node_md_raid_disks", "Number of raid disks on device.", n, device);
    if (is_one_of(level, redundant, ARRAY_LEN(redundant)) &&
        unix_read_u64(c, &degraded, ROOT_SYS, "block/%s/md/degraded", name.p))
        return;
    expo_gauge1(c->out, "node_md_degraded", "Number of degraded disks on device.", degraded,
                device);
}

static int collect(struct collect *c)
{
    struct unix_names names;
    struct str text;
    int r = unix_read(c, &text, ROOT_PROC, "mdstat");

    if (r == -ENOENT) return COLLECT_NO_DATA;
    if (r) return unix_read_failed(c, r, ROOT_PROC, "mdstat");
    r = collect_mdstat(c, text);
    if (r || unix_list(c, &names, ROOT_SYS, "block")) return r;
    for (size_t i = 0; i < names.n; i++)
        if (str_starts(names.v[i], STR("md")) &&
            unix_exists(c, ROOT_SYS, "block/%s/md", names.v[i].p))
            collect_block(c, names.v[i]);
    return COLLECT_OK;
}

const struct collector_def collector_mdadm = {
    .name = "mdadm", .default_on = true, .collect = collect};
