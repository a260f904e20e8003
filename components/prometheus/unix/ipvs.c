/* ipvs: the kernel's load balancer, all of it and by backend. */
#include "components/prometheus/unix/collector.h"

#include <arpa/inet.h>
#include <errno.h>

#include "base/map.h"
#include "components/common/settings.h"

enum { LOCAL_ADDRESS, LOCAL_PORT, REMOTE_ADDRESS, REMOTE_PORT, PROTO, LOCAL_MARK, LABELS };
static const char *const names[LABELS] = {"local_address", "local_port", "remote_address",
                                          "remote_port",   "proto",      "local_mark"};

struct plan {
    bool shown[LABELS];
};
struct backend {
    struct expo_label labels[LABELS]; /* those that are shown */
    size_t n;
    u64 active, inactive, weight;
};

static int prepare(struct collector_prepare *pr, void *plan_)
{
    const struct str_list *wanted = &pr->args->ipvs.backend_labels;
    struct plan *plan = plan_;

    for (size_t i = 0; i < LABELS; i++)
        plan->shown[i] = wanted->n == 0;
    for (size_t k = 0; k < wanted->n; k++) {
        size_t i = 0;
        while (i < LABELS && !str_is(wanted->v[k], names[i]))
            i++;
        if (i == LABELS)
            return setting_fault(pr->p, "ipvs/backend_labels",
                                 "unknown IPVS backend labels: \"" STR_FMT "\"",
                                 STR_ARG(wanted->v[k]));
        plan->shown[i] = true;
    }
    return 0;
}

/* --- all of it --- */

static int collect_all(struct collect *c)
{
    static const char *const families[][2] = {
        {"node_ipvs_connections_total", "The total number of connections made."},
        {"node_ipvs_incoming_packets_total", "The total number of incoming packets."},
        {"node_ipvs_outgoing_packets_total", "The total number of outgoing packets."},
        {"node_ipvs_incoming_bytes_total", "The total amount of incoming data."},
        {"node_ipvs_outgoing_bytes_total", "The total amount of outgoing data."}};
    struct str text, line = STR(""), fields[5];
    int r = unix_read(c, &text, ROOT_PROC, "net/ip_vs_stats");

    if (r == -ENOENT) return COLLECT_NO_DATA;
    if (r) return unix_read_failed(c, r, ROOT_PROC, "net/ip_vs_stats");
    for (int i = 0; i < 3; i++) /* two lines of titles */
        if (!unix_line(&text, &line)) return collect_fail(c, -EINVAL, "ip_vs_stats is too short");
    if (unix_fields(line, fields, 5) < 5)
        return collect_fail(c, -EINVAL, "ip_vs_stats has fewer than five numbers");
    for (size_t i = 0; i < 5; i++) {
        u64 v;
        if (unix_hex(fields[i], &v))
            return collect_fail(c, -EINVAL, "\"" STR_FMT "\" in ip_vs_stats is no number",
                                STR_ARG(fields[i]));
        expo_counter1(c->out, families[i][0], families[i][1], v);
    }
    return 0;
}

/* --- backends --- */

/* "C0A80016:0CEA" and "[2620:0000:...:0001]:0CEA"; addresses as they are usually written. */
static bool read_address(struct collect *c, struct str s, struct str *ret_address,
                         struct str *ret_port)
{
    char out[INET6_ADDRSTRLEN];
    unsigned char in[16] = {0};
    u64 v, port;

    if (s.n != 13 && s.n != 46) return false;
    if (s.p[s.n - 5] != ':' || unix_hex(str_sub(s, s.n - 4, s.n), &port)) return false;
    if (s.n == 13) {
        if (unix_hex(str_sub(s, 0, 8), &v)) return false;
        for (int i = 0; i < 4; i++)
            in[i] = (unsigned char)(v >> (24 - 8 * i));
    } else if (inet_pton(AF_INET6, arena_strdup(c->arena, str_sub(s, 1, 40)), in) != 1) {
        return false;
    }
    if (!inet_ntop(s.n == 13 ? AF_INET : AF_INET6, in, out, sizeof(out))) return false;
    *ret_address = arena_str(c->arena, str_of(out));
    *ret_port = str_of(arena_printf(c->arena, "%u", (unsigned)port));
    return true;
}

/* Whose backends follow. */
struct service {
    struct str proto, address, port, mark;
};

static bool read_service(struct collect *c, const struct str *fields, struct service *s)
{
    *s = (struct service){.proto = fields[0], .address = STR(""), .port = STR("0")};
    if (str_is(fields[0], "FWM")) {
        s->mark = fields[1];
        return true;
    }
    return read_address(c, fields[1], &s->address, &s->port);
}

/* Backends that differ in hidden labels only are added up. */
static struct backend *backend_of(struct collect *c, struct map *backends,
                                  const struct expo_label *labels, size_t n)
{
    struct buf key = BUF_INIT(65536);
    struct backend *b;

    for (size_t i = 0; i < n; i++) {
        buf_str(&key, labels[i].value);
        buf_ch(&key, 0);
    }
    b = map_get(backends, buf_view(&key));
    if (!b) {
        b = arena_new(c->arena, struct backend);
        *b = (struct backend){0};
        if (n > 0) memcpy(b->labels, labels, n * sizeof(*labels));
        b->n = n;
        map_put(backends, buf_view(&key), b);
    }
    buf_done(&key);
    return b;
}

/* "-> address method weight active inactive" */
static bool read_backend(struct collect *c, const struct service *s, const struct str *fields,
                         struct map *backends)
{
    const struct plan *plan = c->plan;
    struct expo_label labels[LABELS];
    size_t n = 0;
    struct str values[LABELS] = {[LOCAL_ADDRESS] = s->address,
                                 [LOCAL_PORT] = s->port,
                                 [PROTO] = s->proto,
                                 [LOCAL_MARK] = s->mark};
    u64 weight, active, inactive;

    if (!read_address(c, fields[1], &values[REMOTE_ADDRESS], &values[REMOTE_PORT])) return false;
    if (unix_u64(fields[3], &weight) || unix_u64(fields[4], &active) ||
        unix_u64(fields[5], &inactive))
        return false;
    for (size_t i = 0; i < LABELS; i++)
        if (plan->shown[i]) labels[n++] = EXPO_LS(names[i], values[i]);
    struct backend *b = backend_of(c, backends, labels, n);
    b->weight += weight;
    b->active += active;
    b->inactive += inactive;
    return true;
}

static int read_backends(struct collect *c, struct str text, struct map *backends)
{
    struct str line, fields[6];
    struct service s = {.port = STR("0")};

    while (unix_line(&text, &line)) {
        size_t n = unix_fields(line, fields, 6);
        bool good = true;
        if (n < 2 || str_is(fields[1], "RemoteAddress:Port")) continue;
        if (str_is(fields[0], "TCP") || str_is(fields[0], "UDP") || str_is(fields[0], "FWM"))
            good = read_service(c, fields, &s);
        else if (str_is(fields[0], "->") && n == 6)
            good = read_backend(c, &s, fields, backends);
        if (!good)
            return collect_fail(c, -EINVAL, "a line of ip_vs cannot be read: " STR_FMT,
                                STR_ARG(line));
    }
    return 0;
}

static void add_backends(struct collect *c, const struct map *backends)
{
    struct expo_family *active =
        expo_gauge(c->out, "node_ipvs_backend_connections_active",
                   "The current active connections by local and remote address.");
    struct expo_family *inactive =
        expo_gauge(c->out, "node_ipvs_backend_connections_inactive",
                   "The current inactive connections by local and remote address.");
    struct expo_family *weight =
        expo_gauge(c->out, "node_ipvs_backend_weight",
                   "The current backend weight by local and remote address.");

    map_each (backends, e) {
        const struct backend *b = e->value;
        expo_sample(active, NULL, (f64)b->active, b->labels, b->n);
        expo_sample(inactive, NULL, (f64)b->inactive, b->labels, b->n);
        expo_sample(weight, NULL, (f64)b->weight, b->labels, b->n);
    }
}

static int collect(struct collect *c)
{
    struct map backends = {0};
    struct str text;
    int r = collect_all(c);

    if (r) return r;
    r = unix_read(c, &text, ROOT_PROC, "net/ip_vs");
    if (r) return unix_read_failed(c, r, ROOT_PROC, "net/ip_vs");
    r = read_backends(c, text, &backends);
    if (r == 0) add_backends(c, &backends);
    map_done(&backends, NULL);
    return r;
}

const struct collector_def collector_ipvs = {.name = "ipvs",
                                             .default_on = true,
                                             .plan_size = sizeof(struct plan),
                                             .prepare = prepare,
                                             .collect = collect};
