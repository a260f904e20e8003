/* The life of a probe, and its answer. */
#include "components/prometheus/blackbox/probe.h"

#include <netinet/in.h>
#include <stdlib.h>
#include "base/digest.h"
#include "base/num.h"
#include "base/xalloc.h"

#define FAMILIES_MAX   ((size_t)4 << 20)
#define PAGE_MAX       ((size_t)8 << 20)
#define LOG_MAX        ((size_t)256 << 10)
#define PROBES_MAX     10000 /* that run at the same time */
#define DEFAULT_MODULE "http_2xx"
#define DEFAULT_TIME   (120 * NS_PER_SEC)

static const struct prober_ops *const probers[PROBERS] = {
    [PROBER_HTTP] = &prober_http,
    [PROBER_TCP] = &prober_tcp,
    [PROBER_DNS] = &prober_dns,
    [PROBER_ICMP] = &prober_icmp,
};

i64 probe_now(const struct probe *p)
{
    return clock_mono(p->comp->host->clock);
}

i64 probe_left(const struct probe *p)
{
    return MAX(p->started + p->timeout - probe_now(p), (i64)1);
}

/* --- what is said of it --- */

static void note(struct probe *p, const char *fmt, va_list ap)
{
    struct buf text = BUF_INIT(4096);

    buf_vprintf(&text, fmt, ap);
    p->reason = buf_err(&text) ? "the reason is too long to be told"
                               : arena_strdup(&p->arena, buf_view(&text));
    buf_done(&text);
    buf_printf(&p->log, "%.6f %s\n", (f64)(probe_now(p) - p->started) / 1e9, p->reason);
}

void probe_note(struct probe *p, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    note(p, fmt, ap);
    va_end(ap);
}

void probe_fail(struct probe *p, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    note(p, fmt, ap);
    va_end(ap);
    probe_end(p, false);
}

/* --- families --- */

void probe_regex_family(struct probe *p, bool failed)
{
    expo_gauge1(p->out, "probe_failed_due_to_regex", "Indicates if probe failed due to regex",
                failed);
}

void probe_tls_families(struct probe *p, const struct tls_peer *t)
{
    const f64 never = -62135596800.0; /* Go's zero time, as blackbox_exporter shows it */

    if (!t->known) return;
    expo_gauge1(p->out, "probe_ssl_earliest_cert_expiry",
                "Returns last SSL chain expiry in unixtime", t->earliest_expiry);
    expo_gauge1(p->out, "probe_ssl_last_chain_expiry_timestamp_seconds",
                "Returns last SSL chain expiry in timestamp",
                t->verified ? (f64)t->chain_expiry : never);
    expo_gauge1(p->out, "probe_ssl_last_chain_info", "Contains SSL leaf certificate information", 1,
                EXPO_L("fingerprint_sha256", t->fingerprint), EXPO_L("subject", t->subject),
                EXPO_L("issuer", t->issuer), EXPO_L("subjectalternative", t->names));
    expo_gauge1(p->out, "probe_tls_version_info",
                "Returns the TLS version used or NaN when unknown", 1,
                EXPO_L("version", t->version));
}

static u32 fnv32a(const void *data, size_t n)
{
    const u8 *b = data;
    u32 h = 2166136261U;

    for (size_t i = 0; i < n; i++)
        h = (h ^ b[i]) * 16777619U;
    return h;
}

static f64 address_hash(const struct probe *p)
{
    if (!p->ip[0]) return 0;
    if (p->addr.ss_family == AF_INET6)
        return fnv32a(&((const struct sockaddr_in6 *)(const void *)&p->addr)->sin6_addr, 16);
    return fnv32a(&((const struct sockaddr_in *)(const void *)&p->addr)->sin_addr, 4);
}

static void address_families(struct probe *p)
{
    if (!p->asked) return;
    expo_gauge1(p->out, "probe_dns_lookup_time_seconds",
                "Returns the time taken for probe dns lookup in seconds", p->lookup_seconds);
    expo_gauge1(p->out, "probe_ip_protocol", "Specifies whether probe ip protocol is IP4 or IP6",
                !p->ip[0]                       ? 0
                : p->addr.ss_family == AF_INET6 ? 6
                                                : 4);
    expo_gauge1(p->out, "probe_ip_addr_hash",
                "Specifies the hash of IP address. It's useful to detect if the IP address "
                "changes.",
                address_hash(p));
}

/* --- the end --- */

static void answer(struct probe *p, struct str body, enum expo_format format)
{
    const struct http_header type = {
        STR("Content-Type"),
        str_of(p->debug ? "text/plain; charset=utf-8" : expo_content_type(format))};

    struct http_req *r = *p->asker;

    if (!r) return;
    r->user = NULL;
    http_respond(
        r, &(struct http_answer){.status = 200, .headers = &type, .n_headers = 1, .body = body});
}

static void write_answer(struct probe *p)
{
    struct buf page = BUF_INIT(PAGE_MAX);

    if (p->debug) {
        buf_cstr(&page, "Logs for the probe:\n");
        buf_str(&page, buf_view(&p->log));
        buf_cstr(&page, "\n\n\nMetrics that would have been returned:\n");
    }
    expo_write(p->out, EXPO_TEXT, &page);
    answer(p, buf_view(&page), EXPO_TEXT);
    buf_done(&page);
}

static void tell(struct probe *p, bool success)
{
    f64 seconds = (f64)(probe_now(p) - p->started) / 1e9;

    if (success)
        log_debug(p->comp->log, "the probe succeeded", F_STR("module", p->m->name),
                  F_STR("target", p->target), F_FLOAT("duration_seconds", seconds));
    else
        log_error(p->comp->log, "the probe failed", F_STR("module", p->m->name),
                  F_STR("target", p->target), F_FLOAT("duration_seconds", seconds),
                  F_CSTR("err", p->reason ? p->reason : "unknown"));
}

static void probe_free(struct probe *p)
{
    if (p->query) resolver_cancel(p->query);
    p->ops->done(p);
    list_del(&p->node);
    timer_free(p->deadline);
    modules_unref(p->modules);
    expo_free(p->out);
    buf_done(&p->log);
    arena_done(&p->arena);
    free(p->asker);
    free(p->state);
    free(p);
}

void probe_end(struct probe *p, bool success)
{
    tell(p, success);
    p->ops->families(p);
    address_families(p);
    expo_gauge1(p->out, "probe_duration_seconds",
                "Returns how long the probe took to complete in seconds",
                (f64)(probe_now(p) - p->started) / 1e9);
    expo_gauge1(p->out, "probe_success", "Displays whether or not the probe was a success",
                success);
    write_answer(p);
    probe_free(p);
}

static void out_of_time(void *arg)
{
    struct probe *p = arg;

    probe_fail(p, "the probe was not over within its time of %.3f s%s%s", (f64)p->timeout / 1e9,
               p->reason ? "; the last of it: " : "", p->reason ? p->reason : "");
}

void probe_end_all(struct probe_list *l)
{
    while (!list_empty(&l->running)) {
        struct probe *p = list_item(l->running.next, struct probe, node);
        struct http_req *r = *p->asker;
        if (r) r->user = NULL;
        if (r) http_respond_text(r, 503, STR("the exporter is going away\n"));
        probe_free(p);
    }
}

/* --- the request --- */

static struct str unescape(struct arena *a, struct str s)
{
    char *to = arena_strdup(a, s);
    size_t n = 0;

    for (size_t i = 0; i < s.n; i++) {
        bool three = s.p[i] == '%' && s.n - i > 2;
        int hi = three ? hex_digit(s.p[i + 1]) : -1, lo = three ? hex_digit(s.p[i + 2]) : -1;
        to[n++] = hi >= 0 && lo >= 0 ? (char)(hi << 4 | lo) : s.p[i] == '+' ? ' ' : s.p[i];
        if (hi >= 0 && lo >= 0) i += 2;
    }
    to[n] = 0;
    return str_n(to, n);
}

/* A parameter, percent-decoded; empty: there is none. */
static struct str parameter(struct arena *a, struct str query, const char *name)
{
    while (query.n > 0) {
        struct str value = str_cut(&query, '&'), key = str_cut(&value, '=');
        if (str_is(key, name)) return unescape(a, value);
    }
    return STR("");
}

/* The scrape's time less what the way back takes, or the module's own when that is shorter. False:
 * the header is no number. */
static bool time_of(const struct probe_list *l, const struct probe_module *m,
                    const struct http_req *r, i64 *ret)
{
    struct str given = http_req_header(r, STR("X-Prometheus-Scrape-Timeout-Seconds"));
    f64 seconds = 0;

    if (given.n > 0 && (num_parse_f64(given, &seconds) != 0 || !(seconds >= 0 && seconds < 1e9)))
        return false;
    i64 scrape = seconds > 0 ? (i64)(seconds * 1e9) : DEFAULT_TIME;
    i64 most = scrape - l->timeout_offset, own = m->args->timeout.ns;
    *ret = (own > 0 && own < most) || (most <= 0 && own > 0) ? own : most > 0 ? most : scrape;
    return true;
}

static void refuse(struct http_req *r, int status, const char *fmt, ...) PRINTF(3, 4);
static void refuse(struct http_req *r, int status, const char *fmt, ...)
{
    struct buf text = BUF_INIT(8192);
    va_list ap;

    va_start(ap, fmt);
    buf_vprintf(&text, fmt, ap);
    va_end(ap);
    http_respond_text(r, status, buf_view(&text));
    buf_done(&text);
}

static size_t running(const struct probe_list *l)
{
    size_t n = 0;

    for (const struct list *at = l->running.next; at != &l->running; at = at->next)
        n++;
    return n;
}

static void begin(struct probe_list *l, struct modules *all, const struct probe_module *m,
                  struct http_req *r, struct str target, i64 timeout)
{
    struct probe *p = xnew(struct probe);
    struct loop *loop = l->worker.loop;

    arena_init(&p->arena, 0);
    p->comp = l->comp;
    p->worker = &l->worker;
    p->modules = modules_ref(all);
    p->m = m;
    p->ops = probers[m->prober];
    p->state = xcalloc(1, p->ops->state_size);
    p->target = arena_str(&p->arena, target);
    p->hostname = arena_str(&p->arena, parameter(&p->arena, r->query, "hostname"));
    p->debug = str_is(parameter(&p->arena, r->query, "debug"), "true");
    p->out = expo_new(FAMILIES_MAX);
    buf_init(&p->log, LOG_MAX);
    p->asker = xnew(struct http_req *);
    *p->asker = r;
    r->user = p->asker;
    p->started = probe_now(p);
    p->timeout = timeout;
    p->deadline = timer_new(loop, out_of_time, p);
    timer_start(p->deadline, timeout);
    list_add_tail(&l->running, &p->node);
    p->ops->begin(p);
}

void probe_start(struct probe_list *l, struct modules *all, struct http_req *r)
{
    struct str name = parameter(r->arena, r->query, "module");
    struct str target = parameter(r->arena, r->query, "target");
    i64 timeout = 0;

    if (name.n == 0) name = STR(DEFAULT_MODULE);
    const struct probe_module *m = modules_find(all, name);
    if (!m)
        refuse(r, 400, "Unknown module \"" STR_FMT "\"\n", STR_ARG(name));
    else if (target.n == 0)
        refuse(r, 400, "Target parameter is missing\n");
    else if (!time_of(l, m, r, &timeout))
        refuse(r, 500, "the header X-Prometheus-Scrape-Timeout-Seconds is no number\n");
    else if (running(l) >= PROBES_MAX)
        refuse(r, 503, "%d probes are running already\n", PROBES_MAX);
    else
        begin(l, all, m, r, target, timeout);
}
