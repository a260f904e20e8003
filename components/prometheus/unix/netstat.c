/* netstat: counters of network protocols, those that the setting names. */
#include "components/prometheus/unix/collector.h"

#include <errno.h>

struct plan {
    struct regex *fields;
};

static int prepare(struct collector_prepare *pr, void *plan)
{
    return unix_regex(pr, "netstat/fields", pr->args->netstat.fields,
                      &((struct plan *)plan)->fields);
}

static int add(struct collect *c, struct str proto, struct str name, struct str value)
{
    const struct plan *plan = c->plan;
    const char *key = arena_printf(c->arena, STR_FMT "_" STR_FMT, STR_ARG(proto), STR_ARG(name));
    f64 v;

    if (!unix_matches(plan->fields, str_of(key))) return 0;
    if (unix_f64(value, &v))
        return collect_fail(c, -EINVAL, "the value \"" STR_FMT "\" of %s is no number",
                            STR_ARG(value), key);
    const char *help =
        arena_printf(c->arena, "Statistic " STR_FMT STR_FMT ".", STR_ARG(proto), STR_ARG(name));
    expo_untyped1(c->out, unix_metric_name(c, "node_netstat_", str_of(key), ""),
                  expo_keep(c->out, str_of(help)), v);
    return 0;
}

/* A line of names and a line of values, both with the protocol in front. */
static int add_pair(struct collect *c, struct str names, struct str values)
{
    struct str proto, same, name, value;

    if (!unix_field(&names, &proto) || !unix_field(&values, &same) || !str_eq(proto, same))
        return collect_fail(c, -EINVAL, "lines of netstat do not belong together");
    proto.n -= str_ends(proto, STR(":"));
    while (unix_field(&names, &name)) {
        if (!unix_field(&values, &value))
            return collect_fail(c, -EINVAL, "protocol " STR_FMT " has fewer values than names",
                                STR_ARG(proto));
        int r = add(c, proto, name, value);
        if (r) return r;
    }
    return 0;
}

static int read_pairs(struct collect *c, const char *file)
{
    struct str text, names, values;
    int r = unix_read(c, &text, ROOT_PROC, "net/%s", file);

    if (r) return unix_read_failed(c, r, ROOT_PROC, "net/%s", file);
    while (!r && unix_line(&text, &names) && unix_line(&text, &values))
        r = add_pair(c, names, values);
    return r;
}

/* "Icmp6InMsgs 5": the name of the protocol goes up to the six. A machine without IPv6 has none. */
static int read_six(struct collect *c)
{
    struct str text, line, part[2];
    int r = unix_read(c, &text, ROOT_PROC, "net/snmp6");

    if (r == -ENOENT) return 0;
    if (r) return unix_read_failed(c, r, ROOT_PROC, "net/snmp6");
    while (!r && unix_line(&text, &line)) {
        ssize_t six;

        if (unix_fields(line, part, 2) < 2 || (six = str_chr(part[0], '6')) < 0) continue;
        size_t at = (size_t)six + 1;
        r = add(c, str_sub(part[0], 0, at), str_sub(part[0], at, part[0].n), part[1]);
    }
    return r;
}

static int collect(struct collect *c)
{
    int r = read_pairs(c, "netstat");

    if (!r) r = read_pairs(c, "snmp");
    return r ? r : read_six(c);
}

const struct collector_def collector_netstat = {.name = "netstat",
                                                .default_on = true,
                                                .plan_size = sizeof(struct plan),
                                                .prepare = prepare,
                                                .collect = collect};
