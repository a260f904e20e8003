/* What curl is told of a call: body, headers, where it goes. */
#include "net/http_client_int.h"

/* --- the body --- */

static size_t read_body(char *to, size_t size, size_t n, void *arg)
{
    struct http_call_handle *h = arg;
    size_t room = size * n, put = 0;

    while (put < room && h->body_iov < h->n_body) {
        const struct iovec *v = &h->body[h->body_iov];
        size_t take = MIN(room - put, v->iov_len - h->body_at);
        if (take) memcpy(to + put, (const char *)v->iov_base + h->body_at, take);
        put += take;
        h->body_at += take;
        if (h->body_at < v->iov_len) break;
        h->body_iov++;
        h->body_at = 0;
    }
    return put;
}

/* curl starts over on a new connection when the old one turns out dead, or after a redirect. */
static int seek_body(void *arg, curl_off_t to, int origin)
{
    struct http_call_handle *h = arg;

    if (origin != SEEK_SET || to < 0 || (u64)to > h->body_len) return CURL_SEEKFUNC_CANTSEEK;
    size_t left = (size_t)to;
    for (h->body_iov = 0; h->body_iov < h->n_body && left >= h->body[h->body_iov].iov_len;
         h->body_iov++)
        left -= h->body[h->body_iov].iov_len;
    h->body_at = left;
    return CURL_SEEKFUNC_OK;
}

static void set_body(struct http_call_handle *h)
{
    curl_easy_setopt(h->easy, CURLOPT_POST, 1L);
    curl_easy_setopt(h->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)h->body_len);
    if (h->n_body == 1) {
        curl_easy_setopt(h->easy, CURLOPT_POSTFIELDS, h->body[0].iov_base);
        return;
    }
    curl_easy_setopt(h->easy, CURLOPT_READFUNCTION, read_body);
    curl_easy_setopt(h->easy, CURLOPT_READDATA, h);
    curl_easy_setopt(h->easy, CURLOPT_SEEKFUNCTION, seek_body);
    curl_easy_setopt(h->easy, CURLOPT_SEEKDATA, h);
}

static void set_method(struct http_call_handle *h, struct str method)
{
    bool post = str_is(method, "POST"), get = str_is(method, "GET") || method.n == 0;

    if (h->body_len || post)
        set_body(h);
    else if (str_is(method, "HEAD"))
        curl_easy_setopt(h->easy, CURLOPT_NOBODY, 1L);
    else
        curl_easy_setopt(h->easy, CURLOPT_HTTPGET, 1L);
    if (!(post || (get && !h->body_len) || str_is(method, "HEAD")))
        curl_easy_setopt(h->easy, CURLOPT_CUSTOMREQUEST,
                         get ? "GET" : arena_strdup(&h->arena, method));
}

/* --- headers --- */

static bool is_clean(struct str s)
{
    return !s.n || (!memchr(s.p, '\r', s.n) && !memchr(s.p, '\n', s.n) && !memchr(s.p, 0, s.n));
}

static void add_line(struct http_call_handle *h, const char *line)
{
    struct curl_slist *longer = curl_slist_append(h->headers, line);

    ASSERT(longer); /* small, ours */
    h->headers = longer;
}

/* curl wants "Name;" for a header without value, and "Name:" to leave one of its own out. */
static void add_header(struct http_call_handle *h, const struct http_header *x)
{
    const char *form = x->value.n ? STR_FMT ": " STR_FMT : STR_FMT ";" STR_FMT;

    add_line(h, arena_printf(&h->arena, form, STR_ARG(x->name), STR_ARG(x->value)));
}

static void suppress(struct http_call_handle *h, const struct http_call *call, const char *name)
{
    if (!http_header_get(call->headers, call->n_headers, str_of(name)).p)
        add_line(h, arena_printf(&h->arena, "%s:", name));
}

static bool set_headers(struct http_call_handle *h, const struct http_call *call)
{
    static const char *const curls[] = {"Expect", "Accept", "User-Agent", "Content-Type"};

    for (size_t i = 0; i < call->n_headers; i++) {
        const struct http_header *x = &call->headers[i];
        if (!x->name.n || !is_clean(x->name) || !is_clean(x->value) || str_chr(x->name, ':') >= 0)
            return false;
        add_header(h, x);
    }
    for (size_t i = 0; i < ARRAY_LEN(curls); i++)
        suppress(h, call, curls[i]);
    if (h->pool->target->conf.no_keepalive) add_line(h, "Connection: close");
    curl_easy_setopt(h->easy, CURLOPT_HTTPHEADER, h->headers);
    return true;
}

/* --- where to --- */

static int default_port(const struct url *u)
{
    return u->port ? u->port : str_ieq(u->scheme, STR("https")) ? 443 : 80;
}

/* The name that is verified and sent by SNI is the URL's for curl: so the URL gets it, and the
 * connection goes where the call said. */
static const char *with_server_name(struct http_call_handle *h, const struct http_call *call)
{
    struct str name = h->pool->target->conf.tls.server_name;
    const struct url *u = &h->url;
    int port = default_port(u);
    bool v6 = str_chr(u->host, ':') >= 0;

    if (!name.n || !str_ieq(u->scheme, STR("https")) || str_ieq(name, u->host))
        return arena_strdup(&h->arena, call->url);
    const char *host = arena_printf(&h->arena, v6 ? "[" STR_FMT "]" : STR_FMT, STR_ARG(u->host));
    h->connect_to = curl_slist_append(
        NULL, arena_printf(&h->arena, STR_FMT ":%d:%s:%d", STR_ARG(name), port, host, port));
    curl_easy_setopt(h->easy, CURLOPT_CONNECT_TO, h->connect_to);
    if (!http_header_get(call->headers, call->n_headers, STR("Host")).p)
        add_line(h, u->port ? arena_printf(&h->arena, "Host: %s:%d", host, port)
                            : arena_printf(&h->arena, "Host: %s", host));
    const char *auth =
        u->userinfo.n ? arena_printf(&h->arena, STR_FMT "@", STR_ARG(u->userinfo)) : "";
    return arena_printf(&h->arena, "https://%s" STR_FMT ":%d" STR_FMT "%s" STR_FMT, auth,
                        STR_ARG(name), port, STR_ARG(u->path), u->query.n ? "?" : "",
                        STR_ARG(u->query));
}

/* Checked where they are configured: curl refuses nothing here. */
static void set_proxy_headers(struct http_call_handle *h)
{
    const struct http_target_conf *c = &h->pool->target->conf;

    for (size_t i = 0; i < c->n_proxy_headers; i++) {
        const struct http_header *x = &c->proxy_headers[i];
        struct curl_slist *longer =
            curl_slist_append(h->proxy_headers, arena_printf(&h->arena, STR_FMT ": " STR_FMT,
                                                             STR_ARG(x->name), STR_ARG(x->value)));
        ASSERT(longer);
        h->proxy_headers = longer;
    }
    if (h->proxy_headers) curl_easy_setopt(h->easy, CURLOPT_PROXYHEADER, h->proxy_headers);
}

/* Through a proxy it is the proxy's name that has to be looked up. */
static void set_route(struct http_call_handle *h)
{
    struct str proxy = http_target_proxy(h->pool->target, &h->url), rest = proxy;
    struct url p;

    curl_easy_setopt(h->easy, CURLOPT_PROXY, proxy.n ? arena_strdup(&h->arena, proxy) : "");
    h->dial_host = h->url.host;
    h->dial_port = default_port(&h->url);
    if (proxy.n) {
        set_proxy_headers(h);
        ssize_t sep = str_find(proxy, STR("://"));
        if (sep >= 0) rest = str_sub(proxy, (size_t)sep + 3, proxy.n);
        struct str as_url = str_of(arena_printf(&h->arena, "http://" STR_FMT, STR_ARG(rest)));
        if (url_parse(as_url, &p, NULL) == 0) {
            h->dial_host = p.host;
            h->dial_port = p.port ? p.port : 1080; /* curl's own default for proxies */
        }
    }
    const char *form = str_chr(h->dial_host, ':') >= 0 ? "[" STR_FMT "]:%d" : STR_FMT ":%d";
    if (h->pool->target->conf.unix_socket.n)
        h->target = h->pool->target->conf.unix_socket.p;
    else
        h->target = arena_printf(&h->arena, form, STR_ARG(h->dial_host), h->dial_port);
}

const char *http_call_configure(struct http_call_handle *h, const struct http_call *call)
{
    char *why = NULL;
    const char *url = arena_strdup(&h->arena, call->url);

    curl_easy_setopt(h->easy, CURLOPT_PRIVATE, h);
    curl_easy_setopt(h->easy, CURLOPT_ERRORBUFFER, h->error);
    if (url_parse(str_n(url, call->url.n), &h->url, &why) != 0) {
        const char *text = arena_strdup(&h->arena, str_of(why));
        free(why);
        return text;
    }
    if (!is_clean(call->method)) return "invalid method";
    set_method(h, call->method);
    curl_easy_setopt(h->easy, CURLOPT_URL, with_server_name(h, call));
    if (!set_headers(h, call)) return "invalid header name or value";
    set_route(h);
    http_response_init(&h->response, h->easy, call->max_response);
    h->response.truncate = call->truncate;
    h->response.budget = call->budget;
    h->response.follow = h->pool->target->conf.follow_redirects;
    if (call->data) h->response.flow = &h->flow;
    if (call->address.n && h->dial_host.p == h->url.host.p)
        h->address = arena_strdup(&h->arena, call->address);
    if (call->trace) http_trace_prepare(h);
    return NULL;
}
