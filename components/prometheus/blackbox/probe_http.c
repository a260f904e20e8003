/* The HTTP prober. Redirects are followed here, each as a call of its own, so that the time of
 * every step is known. */
#include "components/prometheus/blackbox/probe.h"

#include <stdlib.h>
#include <time.h>
#include "base/codec.h"
#include "base/num.h"
#include "components/prometheus/blackbox/http_judge.h"
#include "components/prometheus/blackbox/http_url.h"

#define REDIRECTS_MAX 10

enum phase { PHASE_RESOLVE, PHASE_CONNECT, PHASE_TLS, PHASE_PROCESSING, PHASE_TRANSFER, PHASES };
static const char *const phase_names[PHASES] = {"resolve", "connect", "tls", "processing",
                                                "transfer"};

struct cookie {
    struct cookie *next;
    struct str host, pair; /* "name=value" */
};
struct http {
    struct http_request *request;
    struct str url, first_host, method;
    int first_port;
    struct iovec body;
    bool with_body;
    struct cookie *cookies;
    struct http_trace trace;
    f64 phases[PHASES];
    bool resolves, asked; /* what phases are shown */
    /* of the last answer */
    int redirects, status, version;
    i64 content_length, body_length, last_modified;
    bool answered, modified_known, regex_failed;
    bool stopped; /* at a redirect that is not followed, whose body does not count */
};

/* --- cookies: kept for the host that set them, as long as the probe lasts --- */

static void take_cookie(struct probe *p, struct str host, struct str value)
{
    struct http *h = p->state;
    struct str pair = str_trim(str_cut(&value, ';'));
    ssize_t eq = str_chr(pair, '=');
    struct cookie *c = arena_new(&p->arena, struct cookie);

    if (eq <= 0) return;
    for (struct cookie **at = &h->cookies; *at; at = &(*at)->next) {
        bool same = str_ieq((*at)->host, host) && (*at)->pair.n > (size_t)eq &&
                    memcmp((*at)->pair.p, pair.p, (size_t)eq + 1) == 0;
        if (!same) continue;
        *at = (*at)->next;
        break;
    }
    *c = (struct cookie){h->cookies, arena_str(&p->arena, host), arena_str(&p->arena, pair)};
    h->cookies = c;
}

static struct str cookies_of(struct probe *p, struct str host)
{
    const struct http *h = p->state;
    struct str all = STR("");

    for (const struct cookie *c = h->cookies; c; c = c->next)
        if (str_ieq(c->host, host))
            all = str_of(arena_printf(&p->arena, STR_FMT "%s" STR_FMT, STR_ARG(c->pair),
                                      all.n ? "; " : "", STR_ARG(all)));
    return all;
}

/* --- a request --- */

static int port_of(const struct url *u)
{
    return u->port ? u->port : str_ieq(u->scheme, STR("https")) ? 443 : 80;
}

static bool is_first_host(const struct http *h, const struct url *u)
{
    return str_ieq(u->host, h->first_host) && port_of(u) == h->first_port;
}

static void on_done(void *arg, const struct http_result *r);

static size_t headers_of(struct probe *p, const struct url *u, bool first,
                         const struct http_header **ret)
{
    const struct str_map *l = &p->m->args->http.headers;
    struct http_header *all = arena_array(&p->arena, struct http_header, l->n + 3);
    struct str cookies = cookies_of(p, u->host);
    bool named = p->hostname.n > 0 && first;
    size_t n = 0;

    for (size_t i = 0; i < l->n; i++) {
        bool host = str_ieq(l->v[i].key, STR("Host"));
        bool secret =
            str_ieq(l->v[i].key, STR("Authorization")) || str_ieq(l->v[i].key, STR("Cookie"));
        if ((host && (named || !first)) || (secret && !first)) continue;
        all[n++] = (struct http_header){l->v[i].key, l->v[i].value};
    }
    if (named) all[n++] = (struct http_header){STR("Host"), p->hostname};
    if (cookies.n > 0) all[n++] = (struct http_header){STR("Cookie"), cookies};
    all[n++] = (struct http_header){STR("Connection"), STR("close")};
    *ret = all;
    return n;
}

/* The name that a certificate is looked for by is the URL's. */
static struct str with_host(struct probe *p, struct str url, const struct url *u)
{
    return str_of(arena_printf(&p->arena, STR_FMT "://" STR_FMT ":%d" STR_FMT "%s" STR_FMT,
                               STR_ARG(u->scheme), STR_ARG(p->hostname), port_of(u),
                               STR_ARG(u->path), u->query.n ? "?" : "", STR_ARG(u->query)));
}

static struct str address_of(struct probe *p, bool first)
{
    if (!first || !p->ip[0]) return STR("");
    return str_of(arena_printf(&p->arena, strchr(p->ip, ':') ? "[%s]" : "%s", p->ip));
}

static void ask(struct probe *p)
{
    struct http *h = p->state;
    char *err = NULL;
    struct url u;

    if (url_parse(h->url, &u, &err) != 0) {
        probe_fail(p, "it is no URL of http or https: %s", err);
        free(err);
        return;
    }
    bool first = is_first_host(h, &u);

    h->asked = true;
    struct http_call call = {
        .method = h->method,
        .url = first && p->hostname.n > 0 && p->ip[0] ? with_host(p, h->url, &u) : h->url,
        .body = h->with_body ? &h->body : NULL,
        .n_body = h->with_body,
        .body_len = h->with_body ? h->body.iov_len : 0,
        .timeout = probe_left(p),
        .max_response = (size_t)p->m->body_limit,
        .address = address_of(p, first),
        .trace = &h->trace,
        .done = on_done,
        .arg = p,
    };
    call.n_headers = headers_of(p, &u, first, &call.headers);
    probe_note(p, "asking " STR_FMT, STR_ARG(h->url));
    tls_peer_done(&h->trace.peer);
    h->request = http_request_start(first ? p->m->endpoint : p->m->elsewhere, p->worker,
                                    p->comp->host->offload, &call);
}

/* --- an answer --- */

static void add_times(struct probe *p, bool last)
{
    struct http *h = p->state;
    const struct http_trace *t = &h->trace;

    if (h->redirects > 0) h->phases[PHASE_RESOLVE] += (f64)t->resolve / 1e9;
    h->phases[PHASE_CONNECT] += (f64)t->connect / 1e9;
    h->phases[PHASE_TLS] += (f64)t->tls / 1e9;
    h->phases[PHASE_PROCESSING] += (f64)t->processing / 1e9;
    if (last) h->phases[PHASE_TRANSFER] += (f64)t->transfer / 1e9;
}

static bool parse_date(struct str s, i64 *ret)
{
    static const char *const forms[] = {"%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT",
                                        "%a %b %e %H:%M:%S %Y"};
    char text[64];

    if (s.n == 0 || s.n >= sizeof(text)) return false;
    snprintf(text, sizeof(text), STR_FMT, STR_ARG(s));
    for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
        struct tm tm = {0};
        const char *end = strptime(text, forms[i], &tm);
        if (!end || *end) continue;
        *ret = (i64)timegm(&tm);
        return true;
    }
    return false;
}

/* As Go counts it: -1 when the answer does not tell. */
static i64 length_of(const struct http_result *r)
{
    i64 n = -1;

    if (r->status == 204 || r->status / 100 == 1) return 0;
    if (http_header_get(r->headers, r->n_headers, STR("Transfer-Encoding")).n > 0) return -1;
    (void)num_parse_i64(http_header_get(r->headers, r->n_headers, STR("Content-Length")), &n);
    return n;
}

static void take_head(struct probe *p, const struct http_result *r)
{
    struct http *h = p->state;

    h->answered = true;
    h->status = r->status;
    h->version = h->trace.version;
    h->content_length = length_of(r);
    h->modified_known = parse_date(http_header_get(r->headers, r->n_headers, STR("Last-Modified")),
                                   &h->last_modified);
}

static bool is_redirect(int status)
{
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

/* As clients do: after 301 to 303 a GET without body. */
static void change_method(struct http *h)
{
    bool keeps = h->status == 307 || h->status == 308;
    bool plain = str_is(h->method, "GET") || str_is(h->method, "HEAD");

    if (keeps) return;
    h->with_body = false;
    if (!plain) h->method = STR("GET");
}

static void take_cookies(struct probe *p, const struct http_result *r)
{
    struct http *h = p->state;
    struct url u;

    if (url_parse(h->url, &u, NULL) != 0) return;
    for (size_t i = 0; i < r->n_headers; i++)
        if (str_ieq(r->headers[i].name, STR("Set-Cookie")))
            take_cookie(p, u.host, r->headers[i].value);
}

/* True: the answer is a redirect that is followed. */
static bool follow(struct probe *p, const struct http_result *r)
{
    struct http *h = p->state;
    struct str location = http_header_get(r->headers, r->n_headers, STR("Location"));

    if (!is_redirect(r->status) || location.n == 0) return false;
    h->redirects++;
    probe_note(p, "redirected to " STR_FMT, STR_ARG(location));
    h->stopped = h->redirects > REDIRECTS_MAX || !p->m->args->http.client.follow_redirects;
    if (h->stopped) return false;
    take_cookies(p, r);
    add_times(p, false);
    change_method(h);
    h->url = http_url_join(&p->arena, h->url, location);
    h->answered = h->modified_known = false; /* what counts is the last answer */
    h->status = h->version = 0;
    h->content_length = 0;
    ask(p);
    return true;
}

/* NULL, or why it cannot be read. *ret: owned by `room`. */
static const char *decompress(struct probe *p, struct str body, struct buf *room, struct str *ret)
{
    struct str c = p->m->args->http.compression;
    const char *err = NULL;

    *ret = body;
    if (c.n == 0 || str_ieq(c, STR("identity"))) return NULL;
    enum codec codec = str_ieq(c, STR("gzip")) ? CODEC_GZIP : CODEC_DEFLATE;
    int rc = codec_decompress(codec, body, (size_t)p->m->body_limit, room, &err);
    *ret = buf_view(room);
    if (rc == 0) return NULL;
    return arena_printf(&p->arena, "the body is not compressed as the module says: %s",
                        err ? err : "it is too large");
}

static const char *judge_tls(struct probe *p)
{
    const struct http *h = p->state;
    const struct http_probe_args *a = &p->m->args->http;

    if (h->trace.peer.known && a->fail_if_ssl) return "the last request went over TLS";
    if (!h->trace.peer.known && a->fail_if_not_ssl) return "the last request did not go over TLS";
    return NULL;
}

/* In blackbox_exporter's order; the first reason counts. */
static const char *judge(struct probe *p, const struct http_result *r, struct str body,
                         const char *unreadable)
{
    struct http *h = p->state;
    const char *why = http_judge_status(p->m, r->status, &p->arena);

    if (!why) {
        why = http_judge_headers(p->m, r->headers, r->n_headers, &p->arena);
        if (!why && !unreadable) why = http_judge_body(p->m, body, &p->arena);
        h->regex_failed = why != NULL;
    }
    if (!why) why = unreadable;
    if (!why) why = http_judge_version(p->m, h->version, &p->arena);
    return why ? why : judge_tls(p);
}

static void take_answer(struct probe *p, const struct http_result *r)
{
    struct http *h = p->state;
    struct buf room = BUF_INIT((size_t)p->m->body_limit);
    struct str body;

    add_times(p, true);
    const char *unreadable = decompress(p, r->body, &room, &body);
    if (r->fail == HTTP_TOO_LARGE)
        unreadable = arena_printf(&p->arena, "the body has more than %lld bytes%s",
                                  (long long)p->m->body_limit,
                                  p->m->args->http.body_size_limit.n ? "" : " (body_size_limit)");
    h->body_length = h->stopped ? 0 : (i64)body.n;
    const char *why = judge(p, r, body, unreadable);
    buf_done(&room);
    if (why)
        probe_fail(p, "%s", why);
    else
        probe_end(p, true);
}

static void on_done(void *arg, const struct http_result *r)
{
    struct probe *p = arg;
    struct http *h = p->state;

    h->request = NULL;
    if (r->fail != HTTP_OK && r->fail != HTTP_TOO_LARGE) {
        add_times(p, false);
        probe_fail(p, "%s", r->error ? r->error : "the request failed");
        return;
    }
    take_head(p, r);
    if (!follow(p, r)) take_answer(p, r);
}

/* --- life --- */

static void resolved(struct probe *p)
{
    struct http *h = p->state;

    h->phases[PHASE_RESOLVE] = p->lookup_seconds;
    ask(p);
}

static bool leaves_names_to_proxy(const struct http_probe_args *a)
{
    return a->skip_resolve_phase_with_proxy &&
           (a->client.proxy.url.n > 0 || a->client.proxy.from_environment);
}

static void begin(struct probe *p)
{
    struct http *h = p->state;
    const struct http_probe_args *a = &p->m->args->http;
    char *err = NULL;
    struct url u;

    h->method = a->method.n > 0 ? a->method : STR("GET");
    h->body = (struct iovec){(void *)(uintptr_t)p->m->body.p, p->m->body.n};
    h->with_body = p->m->body.n > 0;
    h->url = http_url_of(&p->arena, p->target);
    if (url_parse(h->url, &u, &err) != 0) {
        probe_fail(p, "the target is no URL: %s", err);
        free(err);
        return;
    }
    h->first_host = u.host;
    h->first_port = port_of(&u);
    h->resolves = !leaves_names_to_proxy(a);
    if (h->resolves)
        probe_resolve(p, u.host, h->first_port, resolved);
    else
        ask(p);
}

static void done(struct probe *p)
{
    struct http *h = p->state;

    if (h->request) http_request_cancel(h->request);
    tls_peer_done(&h->trace.peer);
}

#define GAUGE(name, help, v) expo_gauge1(p->out, "probe_http_" name, help, v)

static void families(struct probe *p)
{
    struct http *h = p->state;
    struct expo_family *f =
        expo_gauge(p->out, "probe_http_duration_seconds",
                   "Duration of http request by phase, summed over all redirects");

    if (p->asked && h->phases[PHASE_RESOLVE] == 0) h->phases[PHASE_RESOLVE] = p->lookup_seconds;
    for (size_t i = h->resolves ? 0 : 1; i < (h->asked ? PHASES : 1); i++)
        expo_add(f, h->phases[i], EXPO_L("phase", phase_names[i]));
    GAUGE("content_length", "Length of http content response", h->content_length);
    GAUGE("uncompressed_body_length", "Length of uncompressed response body", h->body_length);
    GAUGE("redirects", "The number of redirects", h->redirects);
    GAUGE("ssl", "Indicates if SSL was used for the final redirect",
          h->answered && h->trace.peer.known);
    GAUGE("status_code", "Response HTTP status code", h->status);
    GAUGE("version", "Returns the version of HTTP of the probe response", h->version / 10.0);
    if (h->modified_known)
        GAUGE("last_modified_timestamp_seconds",
              "Returns the Last-Modified HTTP response header in unixtime", h->last_modified);
    probe_regex_family(p, h->regex_failed);
    if (h->answered) probe_tls_families(p, &h->trace.peer);
}

const struct prober_ops prober_http = {
    .state_size = sizeof(struct http), .begin = begin, .done = done, .families = families};
