/* The end of a call: taken out of curl, its result or error told once, freed. */
#include "net/http_client_int.h"

/* Takes a running transfer out. curl 7.88 does not reset the HTTP/2 stream of one that is not over,
 * so the server would work on for nobody: the connection is closed unless others use it, which also
 * gets rid of one that died without a word. */
static void stop_transfer(struct http_call_handle *h, bool over)
{
    if (h->state != RUNNING) return;
    if (!over) curl_easy_setopt(h->easy, CURLOPT_FORBID_REUSE, 1L);
    curl_multi_remove_handle(h->pool->multi, h->easy);
    h->state = FINISHED;
}

/* Everything that curl, the resolver and the pool hold of the call. */
void http_call_detach(struct http_call_handle *h)
{
    if (h->query) resolver_cancel(h->query);
    stop_transfer(h, false);
    if (h->pool) curl_pool_give(h->pool, h->easy);
    timer_free(h->timer);
    timer_free(h->idle);
}

void http_call_free(struct http_call_handle *h)
{
    if (h->headers) curl_slist_free_all(h->headers);
    if (h->resolve) curl_slist_free_all(h->resolve);
    if (h->connect_to) curl_slist_free_all(h->connect_to);
    if (h->proxy_headers) curl_slist_free_all(h->proxy_headers);
    http_response_done(&h->response);
    http_flow_done(&h->flow);
    arena_done(&h->arena);
    free(h);
}

void http_call_unlink(struct http_call_handle *h)
{
    list_del(&h->node);
    list_del(&h->news);
    if (h->c->current == h) h->c->current = NULL;
    h->c->n_calls--;
}

void http_call_finish(struct http_call_handle *h, enum http_fail fail, const char *error)
{
    struct http_client *c = h->c;
    struct http_result r = {
        .fail = fail, .error = error, .elapsed = loop_now(c->loop) - h->started};

    if (h->trace) http_trace_fill(h);
    if (fail == HTTP_OK || fail == HTTP_TOO_LARGE) http_response_fill(&h->response, &r);
    stop_transfer(h, fail != HTTP_TIMEOUT);
    h->state = FINISHED;
    http_call_unlink(h);
    http_client_enter(c);
    h->done(h->arg, &r);
    http_call_detach(h);
    http_call_free(h);
    http_client_leave(c);
}

/* --- what curl said --- */

static const struct {
    CURLcode code;
    enum http_fail fail;
} codes[] = {
    {CURLE_COULDNT_RESOLVE_HOST, HTTP_RESOLVE}, {CURLE_COULDNT_RESOLVE_PROXY, HTTP_RESOLVE},
    {CURLE_COULDNT_CONNECT, HTTP_CONNECT},      {CURLE_OPERATION_TIMEDOUT, HTTP_TIMEOUT},
    {CURLE_SSL_CONNECT_ERROR, HTTP_TLS},        {CURLE_PEER_FAILED_VERIFICATION, HTTP_TLS},
    {CURLE_SSL_CERTPROBLEM, HTTP_TLS},          {CURLE_SSL_CIPHER, HTTP_TLS},
    {CURLE_SSL_CACERT_BADFILE, HTTP_TLS},       {CURLE_SSL_ISSUER_ERROR, HTTP_TLS},
    {CURLE_SSL_INVALIDCERTSTATUS, HTTP_TLS},
};

static enum http_fail fail_of(CURLcode code)
{
    for (size_t i = 0; i < ARRAY_LEN(codes); i++)
        if (codes[i].code == code) return codes[i].fail;
    return HTTP_BROKEN;
}

static const char *lower_first(struct arena *a, const char *text)
{
    char *copy = arena_strdup(a, str_of(text));

    if (*copy >= 'A' && *copy <= 'Z' && copy[1] >= 'a' && copy[1] <= 'z')
        *copy = (char)(*copy | 0x20);
    return copy;
}

static const char *connect_error(struct http_call_handle *h)
{
    long err = 0;
    char why[128];
    const char *network = h->pool->target->conf.unix_socket.n ? "unix" : "tcp";

    curl_easy_getinfo(h->easy, CURLINFO_OS_ERRNO, &err);
    const char *text = err           ? strerror_r((int)err, why, sizeof(why))
                       : h->error[0] ? h->error
                                     : "failed";
    return arena_printf(&h->arena, "dial %s %s: connect: %s", network, h->target,
                        lower_first(&h->arena, text));
}

static const char *error_text(struct http_call_handle *h, CURLcode code, enum http_fail fail)
{
    const char *text = h->error[0] ? h->error : curl_easy_strerror(code);

    switch (fail) {
    case HTTP_CONNECT: return connect_error(h);
    case HTTP_RESOLVE:
        return arena_printf(&h->arena, "dial tcp: lookup " STR_FMT ": no such host",
                            STR_ARG(h->dial_host));
    case HTTP_TIMEOUT: return arena_printf(&h->arena, "dial tcp %s: i/o timeout", h->target);
    case HTTP_TLS: return arena_printf(&h->arena, "tls: %s", lower_first(&h->arena, text));
    case HTTP_OK:
    case HTTP_BROKEN:
    case HTTP_TOO_LARGE:
    case HTTP_CANCELLED: break;
    }
    return lower_first(&h->arena, text);
}

void http_call_over(struct http_call_handle *h, CURLcode code)
{
    struct http_response *r = &h->response;

    if (code == CURLE_OK || r->cut) {
        http_call_finish(h, HTTP_OK, NULL);
    } else if (r->too_large) {
        http_call_finish(h, HTTP_TOO_LARGE, "the response is larger than its limit");
    } else {
        enum http_fail fail = fail_of(code);
        if (fail == HTTP_CONNECT) resolver_forget(h->c->net->resolver, h->dial_host);
        http_call_finish(h, fail,
                         r->bad_head  ? "the response's headers are too large"
                         : r->no_room ? "no memory for the answer: what the process may hold at a "
                                        "time is used up"
                                      : error_text(h, code, fail));
    }
}
