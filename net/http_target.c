/* Targets: settings checked once, kept as curl wants them, applied to each handle when it is made.
 */
#include "net/http_target.h"

#include <sys/socket.h>
#include <sys/un.h>
#include "base/buf.h"
#include "base/xalloc.h"
#include "net/http_proxy.h"
#include "net/tls_private.h"

#define CA_MAX          ((size_t)16 * 1024 * 1024)
#define SYSTEM_CAS      "/etc/ssl/certs/ca-certificates.crt"
#define UPLOAD_DEFAULT  (512L * 1024)
#define RECEIVE_DEFAULT (64L * 1024)
#define CA_CACHE        300L /* seconds; curl's own day would hide a rotated CA file */

/* A CA file alone stays a file, which curl reads again; anything else is put together now. */
static char *gather_cas(struct http_target *t)
{
    const struct tls_conf *c = &t->conf.tls;
    struct buf pem = BUF_INIT(CA_MAX);
    char *err = NULL;

    if (!c->ca_pem.n && !(c->ca_file.n && c->system_cas)) return NULL;
    buf_str(&pem, c->ca_pem);
    buf_ch(&pem, '\n');
    if (c->ca_file.n) err = tls_read_file(c->ca_file, &pem);
    if (!err && c->system_cas) err = tls_read_file(STR(SYSTEM_CAS), &pem);
    if (!err && buf_err(&pem)) err = xstrdup("CA certificates are too large");
    if (err)
        buf_done(&pem);
    else
        t->ca = buf_take(&pem, &t->ca_n);
    return err;
}

static char *take_or_null(struct buf *b)
{
    if (b->n) return buf_take(b, NULL);
    buf_done(b);
    return NULL;
}

static char *gather_names(struct http_target *t)
{
    struct buf below = BUF_INIT(CA_MAX), of_13 = BUF_INIT(CA_MAX), curves = BUF_INIT(CA_MAX);
    char *err = tls_cipher_lists(&t->conf.tls, &below, &of_13);

    if (!err) err = tls_curve_list(&t->conf.tls, &curves);
    t->ciphers = take_or_null(&below);
    t->ciphers_13 = take_or_null(&of_13);
    t->curves = take_or_null(&curves);
    return err;
}

static char *check_proxy(struct str proxy)
{
    struct str rest = proxy;
    ssize_t sep = str_find(proxy, STR("://"));
    struct url u;
    char *err = NULL;

    if (!proxy.n) return NULL;
    if (sep > 0 && (str_starts(rest, STR("socks5://")) || str_starts(rest, STR("socks5h://"))))
        return NULL;
    char *whole = sep > 0 ? str_dup(proxy) : xprintf("http://" STR_FMT, STR_ARG(proxy));
    if (url_parse(str_of(whole), &u, &err) != 0) { /* err says why */
        char *text = xprintf("invalid proxy URL: %s", err);
        free(err);
        err = text;
    }
    free(whole);
    return err;
}

static struct str own(struct str s)
{
    return str_n(str_dup(s), s.n);
}

static void disown(struct str s)
{
    free((char *)(uintptr_t)s.p);
}

static void own_proxy_headers(struct http_target *t, const struct http_target_conf *conf)
{
    struct http_header *copy = xcalloc(conf->n_proxy_headers, sizeof(*copy));

    for (size_t i = 0; i < conf->n_proxy_headers; i++)
        copy[i] = (struct http_header){own(conf->proxy_headers[i].name),
                                       own(conf->proxy_headers[i].value)};
    t->conf.proxy_headers = copy;
}

static void disown_proxy_headers(struct http_target *t)
{
    for (size_t i = 0; i < t->conf.n_proxy_headers; i++) {
        disown(t->conf.proxy_headers[i].name);
        disown(t->conf.proxy_headers[i].value);
    }
    free((void *)(uintptr_t)t->conf.proxy_headers);
}

static char *check_socket(struct str path)
{
    if (path.n < sizeof(((struct sockaddr_un *)0)->sun_path)) return NULL;
    return xprintf("the path of a Unix socket has at most %zu bytes: " STR_FMT,
                   sizeof(((struct sockaddr_un *)0)->sun_path) - 1, STR_ARG(path));
}

struct http_target *http_target_new(const struct http_target_conf *conf, char **ret_err)
{
    struct http_target *t = xnew(struct http_target);

    refs_init(&t->refs);
    t->conf = *conf;
    tls_conf_own(&t->conf.tls);
    t->conf.proxy_url = own(conf->proxy_url);
    t->conf.no_proxy = own(conf->no_proxy);
    t->conf.unix_socket = own(conf->unix_socket);
    own_proxy_headers(t, conf);
    char *err = tls_client_check(&t->conf.tls);
    if (!err) err = check_socket(conf->unix_socket);
    if (!err) err = check_proxy(conf->proxy_url);
    if (!err) err = gather_names(t);
    if (!err) err = gather_cas(t);
    if (!err) return t;
    *ret_err = err;
    http_target_unref(t);
    return NULL;
}

struct http_target *http_target_ref(struct http_target *t)
{
    refs_get(&t->refs);
    return t;
}

void http_target_unref(struct http_target *t)
{
    if (!t || !refs_put(&t->refs)) return;
    tls_conf_drop(&t->conf.tls);
    disown(t->conf.proxy_url);
    disown(t->conf.no_proxy);
    disown(t->conf.unix_socket);
    disown_proxy_headers(t);
    free(t->ca);
    free(t->ciphers);
    free(t->ciphers_13);
    free(t->curves);
    free(t);
}

struct http_target *http_target_pool_ref(struct http_target *t)
{
    refs_get(&t->refs);
    atomic_fetch_add_explicit(&t->n_pools, 1, memory_order_relaxed);
    return t;
}

void http_target_pool_unref(struct http_target *t)
{
    atomic_fetch_sub_explicit(&t->n_pools, 1, memory_order_relaxed);
    http_target_unref(t);
}

bool http_target_is_past(struct http_target *t)
{
    return refs_count(&t->refs) == atomic_load_explicit(&t->n_pools, memory_order_relaxed);
}

static bool is_exempt(struct str no_proxy, const struct url *url)
{
    int port = url->port ? url->port : str_ieq(url->scheme, STR("https")) ? 443 : 80;

    return no_proxy.n && http_proxy_bypassed(no_proxy, url->host, port);
}

struct str http_target_proxy(const struct http_target *t, const struct url *url)
{
    if (t->conf.unix_socket.n) return (struct str){0};
    if (t->conf.proxy_url.n && !is_exempt(t->conf.no_proxy, url)) return t->conf.proxy_url;
    return t->conf.proxy_from_env ? http_proxy_from_env(url) : (struct str){0};
}

/* --- options --- */

static void set_blob(CURL *e, CURLoption opt, const char *p, size_t n)
{
    struct curl_blob blob = {(void *)(uintptr_t)p, n, CURL_BLOB_NOCOPY};

    curl_easy_setopt(e, opt, &blob);
}

static void set_material(CURL *e, struct str pem, struct str file, CURLoption as_blob,
                         CURLoption as_file)
{
    if (pem.n)
        set_blob(e, as_blob, pem.p, pem.n);
    else if (file.n)
        curl_easy_setopt(e, as_file, file.p);
}

static long version_range(const struct tls_conf *c)
{
    static const long min[] = {CURL_SSLVERSION_TLSv1_2, CURL_SSLVERSION_TLSv1_0,
                               CURL_SSLVERSION_TLSv1_1, CURL_SSLVERSION_TLSv1_2,
                               CURL_SSLVERSION_TLSv1_3};
    static const long max[] = {CURL_SSLVERSION_MAX_DEFAULT, CURL_SSLVERSION_MAX_TLSv1_0,
                               CURL_SSLVERSION_MAX_TLSv1_1, CURL_SSLVERSION_MAX_TLSv1_2,
                               CURL_SSLVERSION_MAX_TLSv1_3};

    return min[c->min] | max[c->max];
}

static void apply_cas(const struct http_target *t, CURL *e)
{
    const struct tls_conf *c = &t->conf.tls;

    if (t->ca)
        set_blob(e, CURLOPT_CAINFO_BLOB, t->ca, t->ca_n);
    else if (c->ca_file.n)
        curl_easy_setopt(e, CURLOPT_CAINFO, c->ca_file.p);
    if ((t->ca || c->ca_file.n) && !c->system_cas) curl_easy_setopt(e, CURLOPT_CAPATH, NULL);
}

static void apply_tls(const struct http_target *t, CURL *e)
{
    const struct tls_conf *c = &t->conf.tls;

    apply_cas(t, e);
    set_material(e, c->cert_pem, c->cert_file, CURLOPT_SSLCERT_BLOB, CURLOPT_SSLCERT);
    set_material(e, c->key_pem, c->key_file, CURLOPT_SSLKEY_BLOB, CURLOPT_SSLKEY);
    curl_easy_setopt(e, CURLOPT_SSL_VERIFYPEER, c->skip_verify ? 0L : 1L);
    curl_easy_setopt(e, CURLOPT_SSL_VERIFYHOST, c->skip_verify ? 0L : 2L);
    curl_easy_setopt(e, CURLOPT_SSLVERSION, version_range(c));
    if (t->ciphers) curl_easy_setopt(e, CURLOPT_SSL_CIPHER_LIST, t->ciphers);
    if (t->ciphers_13) curl_easy_setopt(e, CURLOPT_TLS13_CIPHERS, t->ciphers_13);
    if (t->curves) curl_easy_setopt(e, CURLOPT_SSL_EC_CURVES, t->curves);
    curl_easy_setopt(e, CURLOPT_CA_CACHE_TIMEOUT,
                     c->reload_interval > 0 ? (long)(c->reload_interval / NS_PER_SEC) : CA_CACHE);
}

static long clamp(size_t want, long dflt, long lo, long hi)
{
    return want == 0 ? dflt : (long)MIN(MAX(want, (size_t)lo), (size_t)hi);
}

static long http_version(const struct http_target_conf *c)
{
    return c->http2 ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1;
}

/* TCP keepalive stands in for HTTP/2 pings, which curl does not send by itself. */
static void apply_keepalive(const struct http_target_conf *c, CURL *e)
{
    i64 every = c->keepalive_ping_every > 0 ? c->keepalive_ping_every : 30 * NS_PER_SEC;
    long seconds = (long)MAX(every / NS_PER_SEC, INT64_C(1));

    curl_easy_setopt(e, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(e, CURLOPT_TCP_KEEPIDLE, seconds);
    curl_easy_setopt(e, CURLOPT_TCP_KEEPINTVL,
                     c->keepalive_ping_timeout > 0
                         ? (long)MAX(c->keepalive_ping_timeout / NS_PER_SEC / 3, INT64_C(1))
                         : seconds);
}

static void apply_connection(const struct http_target_conf *c, CURL *e)
{
    i64 idle = c->idle_conn_timeout;

    curl_easy_setopt(e, CURLOPT_HTTP_VERSION, http_version(c));
    curl_easy_setopt(e, CURLOPT_PIPEWAIT, c->http2 ? 1L : 0L);
    curl_easy_setopt(e, CURLOPT_MAXAGE_CONN,
                     idle > 0 ? (long)MAX(idle / NS_PER_SEC, INT64_C(1)) : 24L * 3600);
    curl_easy_setopt(e, CURLOPT_FORBID_REUSE, c->no_keepalive ? 1L : 0L);
    curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT, 30L);
    curl_easy_setopt(e, CURLOPT_TCP_NODELAY, 1L);
    curl_easy_setopt(e, CURLOPT_BUFFERSIZE,
                     clamp(c->read_buffer, RECEIVE_DEFAULT, 1024, CURL_MAX_READ_SIZE));
    curl_easy_setopt(e, CURLOPT_UPLOAD_BUFFERSIZE,
                     clamp(c->write_buffer, UPLOAD_DEFAULT, 16 * 1024, 2 * 1024 * 1024));
    apply_keepalive(c, e);
}

void http_target_apply(const struct http_target *t, CURL *e)
{
    curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(e, CURLOPT_QUICK_EXIT, 1L);
    curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(e, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(e, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(e, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, t->conf.follow_redirects ? 1L : 0L);
    curl_easy_setopt(e, CURLOPT_MAXREDIRS, 10L);
    if (t->conf.cookies) curl_easy_setopt(e, CURLOPT_COOKIEFILE, "");
    if (t->conf.unix_socket.n && t->conf.unix_socket.p[0] == '@')
        curl_easy_setopt(e, CURLOPT_ABSTRACT_UNIX_SOCKET, t->conf.unix_socket.p + 1);
    else if (t->conf.unix_socket.n)
        curl_easy_setopt(e, CURLOPT_UNIX_SOCKET_PATH, t->conf.unix_socket.p);
    apply_connection(&t->conf, e);
    apply_tls(t, e);
}
