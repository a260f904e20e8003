/* Where the time of a call went, by curl's own marks. */
#include "net/http_client_int.h"

/* What is measured is a connection made for this call, with a handshake of its own. */
void http_trace_prepare(struct http_call_handle *h)
{
    curl_easy_setopt(h->easy, CURLOPT_FRESH_CONNECT, 1L);
    curl_easy_setopt(h->easy, CURLOPT_FORBID_REUSE, 1L);
    curl_easy_setopt(h->easy, CURLOPT_PIPEWAIT, 0L);
    curl_easy_setopt(h->easy, CURLOPT_SSL_SESSIONID_CACHE, 0L);
    h->response.peer = &h->trace->peer;
}

static i64 mark(const struct http_call_handle *h, CURLINFO what)
{
    curl_off_t us = 0;

    curl_easy_getinfo(h->easy, what, &us);
    return (i64)us * 1000;
}

static i64 between(i64 from, i64 to)
{
    return to > from ? to - from : 0;
}

static int version_of(CURL *easy)
{
    long v = 0;

    curl_easy_getinfo(easy, CURLINFO_HTTP_VERSION, &v);
    return v == CURL_HTTP_VERSION_1_0   ? 10
           : v == CURL_HTTP_VERSION_1_1 ? 11
           : v == CURL_HTTP_VERSION_2_0 ? 20
                                        : 0;
}

void http_trace_fill(struct http_call_handle *h)
{
    struct http_trace *t = h->trace;

    if (h->state != RUNNING) return;
    i64 connected = mark(h, CURLINFO_CONNECT_TIME_T), shaken = mark(h, CURLINFO_APPCONNECT_TIME_T);
    i64 sent = mark(h, CURLINFO_PRETRANSFER_TIME_T),
        answered = mark(h, CURLINFO_STARTTRANSFER_TIME_T);
    t->connect = between(mark(h, CURLINFO_NAMELOOKUP_TIME_T), connected);
    t->tls = connected > 0 ? between(connected, shaken) : 0;
    t->processing = sent > 0 ? between(sent, answered) : 0;
    t->transfer = answered > 0 ? between(answered, mark(h, CURLINFO_TOTAL_TIME_T)) : 0;
    t->version = version_of(h->easy);
}
