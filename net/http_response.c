/* Headers are kept as one text with marks, started over by each status line (100 Continue,
 * redirects), so that the final answer's remain. */
#include "net/http_response.h"

#define HEAD_MAX      ((size_t)256 * 1024)
#define BODY_EXPECTED ((size_t)2 << 20)
#define PASS_MAX      ((size_t)1024 * 1024) /* of a truncated body read on to keep the connection */

static bool charge(struct http_response *r, size_t n)
{
    if (!r->budget) return true;
    r->no_room = !budget_take(r->budget, (i64)n);
    if (!r->no_room) r->charged += (i64)n;
    return !r->no_room;
}

static void give_back(struct http_response *r)
{
    if (r->budget) budget_give(r->budget, r->charged);
    r->charged = 0;
}

static void start_over(struct http_response *r)
{
    give_back(r);
    buf_reset(&r->text);
    vec_clear(&r->marks);
    r->n_trailers = 0;
    r->head_done = false;
    buf_reset(&r->body);
}

static size_t put(struct http_response *r, struct str s)
{
    size_t at = r->text.n;

    buf_str(&r->text, s);
    return at;
}

static void add(struct http_response *r, struct str line)
{
    struct str value = line, name = str_cut(&value, ':');
    struct response_mark m = {.n_name = name.n};

    value = str_trim(value);
    m.name = put(r, name);
    m.n_value = value.n;
    m.value = put(r, value);
    vec_push(&r->marks, m);
    if (r->head_done) r->n_trailers++;
}

static void head_over(struct http_response *r)
{
    long status = 0;

    if (r->head_done) return; /* the end of the trailers */
    r->head_done = true;
    if (!r->flow) return;
    curl_easy_getinfo(r->easy, CURLINFO_RESPONSE_CODE, &status);
    http_flow_head(r->flow, status, r->follow && status / 100 == 3);
}

/* Later the connection is curl's alone. */
static void take_peer(struct http_response *r)
{
    const struct curl_tlssessioninfo *tls = NULL;

    if (curl_easy_getinfo(r->easy, CURLINFO_TLS_SSL_PTR, &tls) != CURLE_OK || !tls) return;
    if (tls->backend == CURLSSLBACKEND_OPENSSL && tls->internals)
        tls_peer_take(r->peer, tls->internals);
}

static size_t on_header(char *p, size_t size, size_t n, void *arg)
{
    struct http_response *r = arg;
    struct str line = str_trim(str_n(p, size * n));

    if (r->peer && !r->peer->known) take_peer(r);
    if (str_starts(line, STR("HTTP/")))
        start_over(r);
    else if (line.n == 0)
        head_over(r);
    else
        add(r, line);
    r->bad_head = buf_err(&r->text) != 0;
    return r->bad_head ? 0 : size * n;
}

/* What is over the limit is an error, or dropped; a body that does not end is ended. */
static size_t over(struct http_response *r, size_t n)
{
    if (!r->truncate) {
        r->too_large = true;
        return 0;
    }
    r->passed += n;
    r->cut = r->passed > PASS_MAX;
    return r->cut ? 0 : n;
}

/* As much as the head announces, so that the body need not move as it grows; not more than a bit,
 * since it may be a lie. */
static void expect(struct http_response *r)
{
    curl_off_t length = 0;

    curl_easy_getinfo(r->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
    if (length <= 0) return;
    (void)buf_reserve(&r->body, MIN((size_t)length, MIN(r->max, BODY_EXPECTED)));
    r->body.err = 0;
}

static size_t on_body(char *p, size_t size, size_t n, void *arg)
{
    struct http_response *r = arg;
    size_t have = r->body.n, take = MIN(size * n, r->max - have);

    if (r->flow && r->flow->streams) return http_flow_put(r->flow, p, size * n);
    if (!charge(r, take)) return 0;
    if (!have) expect(r);
    buf_add(&r->body, p, take);
    if (buf_err(&r->body)) return 0;
    return take == size * n ? take : over(r, size * n - take) == 0 ? 0 : size * n;
}

void http_response_init(struct http_response *r, CURL *easy, size_t max)
{
    *r = (struct http_response){.easy = easy, .max = max};
    buf_init(&r->text, HEAD_MAX);
    buf_init(&r->body, max);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, r);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, r);
}

void http_response_done(struct http_response *r)
{
    give_back(r);
    buf_done(&r->text);
    buf_done(&r->body);
    vec_done(&r->marks);
    vec_done(&r->headers);
}

void http_response_fill(struct http_response *r, struct http_result *out)
{
    long status = 0;

    vec_clear(&r->headers);
    vec_each (&r->marks, m)
        vec_push(&r->headers, ((struct http_header){str_n(r->text.p + m->name, m->n_name),
                                                    str_n(r->text.p + m->value, m->n_value)}));
    curl_easy_getinfo(r->easy, CURLINFO_RESPONSE_CODE, &status);
    out->status = (int)status;
    out->headers = r->headers.v;
    out->n_headers = r->headers.n;
    out->trailers = r->headers.n ? r->headers.v + (r->headers.n - r->n_trailers) : NULL;
    out->n_trailers = r->n_trailers;
    out->body = buf_view(&r->body);
}
