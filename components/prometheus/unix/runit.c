/* runit: services, as the supervisor of each writes its state into a file of 20 bytes: TAI64N, pid,
 * paused, what is wanted, terminated, what is. */
#include "components/prometheus/unix/collector.h"

#include <errno.h>

#define STATUS_LEN 20
#define AT_WANT    17
#define AT_STATE   19
/* Of TAI64, as runit itself counts: without the leap seconds after the first ten. */
#define TAI_EPOCH 4611686018427387914

struct plan {
    const char *dir;
};

static int prepare(struct collector_prepare *pr, void *to)
{
    struct plan *plan = to;
    struct str dir = pr->args->runit.service_dir;

    plan->dir = arena_strdup(pr->arena, dir.n ? dir : STR("/etc/service"));
    return 0;
}

static i64 changed_at(const u8 *status)
{
    u64 tai = 0;

    for (int i = 0; i < 8; i++)
        tai = tai << 8 | status[i];
    return (i64)(tai - (u64)TAI_EPOCH);
}

static void add_service(struct collect *c, const char *name, const u8 *status, bool normally_up)
{
    const struct expo_label labels[] = {EXPO_L("service", name), EXPO_L("supervisor", "runit")};
    const struct {
        const char *name, *help;
        f64 v;
    } values[] = {
        {"node_service_state", "State of runit service.", status[AT_STATE]},
        {"node_service_desired_state", "Desired state of runit service.", status[AT_WANT] == 'u'},
        {"node_service_normal_state", "Normal state of runit service.", normally_up},
        {"node_service_state_last_change_timestamp_seconds",
         "Unix timestamp of the last runit service state change.", (f64)changed_at(status)},
    };

    for (size_t i = 0; i < ARRAY_LEN(values); i++)
        expo_sample(expo_gauge(c->out, values[i].name, values[i].help), NULL, values[i].v, labels,
                    ARRAY_LEN(labels));
}

static bool is_there(struct collect *c, const char *path)
{
    struct str text;

    return unix_read_path(c, &text, path) != -ENOENT;
}

/* One that no supervisor cares for has no status: left out. */
static void try_service(struct collect *c, const char *dir, const char *name)
{
    const char *supervise = arena_printf(c->arena, "%s/%s/supervise", dir, name);
    struct str status;
    int r = unix_read_path(c, &status, arena_printf(c->arena, "%s/status", supervise));

    if (r || status.n < STATUS_LEN) {
        log_debug(c->log, "a service of runit has no status", F_CSTR("service", name),
                  F_CSTR("err", r ? strerror(-r) : "shorter than 20 bytes"));
        return;
    }
    bool down = is_there(c, arena_printf(c->arena, "%s/down", supervise));
    add_service(c, name, (const u8 *)status.p, !down);
}

static int collect(struct collect *c)
{
    const struct plan *plan = c->plan;
    struct unix_names names;
    int r = unix_list_path(c, &names, plan->dir);

    if (r) return collect_fail(c, r, "services of runit in %s: %s", plan->dir, strerror(-r));
    for (size_t i = 0; i < names.n; i++)
        try_service(c, plan->dir, names.v[i].p);
    return COLLECT_OK;
}

const struct collector_def collector_runit = {
    .name = "runit", .plan_size = sizeof(struct plan), .prepare = prepare, .collect = collect};
