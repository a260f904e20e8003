/* Answers in pieces: curl's callbacks only copy (net/http_response.c); the caller is told after
 * curl has returned, and may then pause, cancel or free what it likes. */
#include "net/http_client_int.h"

static void on_news(struct http_flow *f)
{
    struct http_call_handle *h = container_of(f, struct http_call_handle, flow);

    h->heard = loop_now(h->c->loop);
    list_del(&h->news);
    list_add_tail(&h->c->news, &h->news);
}

static void tell_head(struct http_call_handle *h)
{
    struct http_result r = {.fail = HTTP_OK, .elapsed = loop_now(h->c->loop) - h->started};

    h->flow.told = true;
    if (!h->head) return;
    http_response_fill(&h->response, &r);
    h->head(h->arg, &r);
}

static void tell_data(struct http_call_handle *h)
{
    struct str s = buf_view(&h->flow.waiting);
    struct http_client *c = h->c;
    size_t took = h->data(h->arg, s.p, s.n);

    if (c->current != h) return;
    ASSERT(took <= s.n);
    http_flow_take(&h->flow, took);
    if (took < s.n) h->flow.paused = true;
}

/* Curl hands over what it kept at once: that makes news again. */
static void unchoke(struct http_call_handle *h)
{
    h->flow.choked = false;
    if (h->state != RUNNING || h->over) return;
    CURLcode r = curl_easy_pause(h->easy, CURLPAUSE_CONT);
    if (r != CURLE_OK) http_call_over(h, r);
}

static void tell(struct http_call_handle *h)
{
    struct http_client *c = h->c;
    struct http_flow *f = &h->flow;

    c->current = h;
    if (f->head && !f->told) tell_head(h);
    if (c->current == h && f->waiting.n && !f->paused) tell_data(h);
    if (c->current == h && f->choked && !f->paused) unchoke(h);
    if (c->current == h && h->over && !f->paused && !f->waiting.n) http_call_over(h, h->code);
    c->current = NULL;
}

void http_pieces_tell_all(struct http_client *c)
{
    while (!c->dead && !list_empty(&c->news)) {
        struct http_call_handle *h = list_item(c->news.next, struct http_call_handle, news);
        list_del(&h->news);
        if (!h->flow.paused) tell(h);
    }
}

void http_pieces_on_tell(struct msg *m)
{
    struct http_client *c = container_of(m, struct http_client, tell);

    c->telling = false;
    http_pieces_tell_all(c);
    http_client_leave(c);
}

static void tell_later(struct http_call_handle *h)
{
    struct http_client *c = h->c;

    on_news(&h->flow);
    if (c->telling) return;
    c->telling = true;
    http_client_enter(c);
    loop_defer(c->loop, &c->tell);
}

void http_call_pause(struct http_call_handle *h)
{
    ASSERT(h->data);
    h->flow.paused = true;
}

void http_call_resume(struct http_call_handle *h)
{
    if (!h->flow.paused || h->state == FINISHED) return;
    h->flow.paused = false;
    tell_later(h);
}

/* Bytes may come all the time: the timer is not moved by each, but looks when it comes. */
static void on_idle(void *arg)
{
    struct http_call_handle *h = arg;
    i64 left = h->heard + h->idle_timeout - loop_now(h->c->loop);

    if (h->flow.paused || h->over)
        timer_start(h->idle, h->idle_timeout);
    else if (left > 0)
        timer_start(h->idle, left);
    else
        http_call_finish(h, HTTP_TIMEOUT, "nothing came for too long");
}

void http_pieces_ended(struct http_call_handle *h, CURLcode code)
{
    h->over = true;
    h->code = code;
    if (!h->flow.paused && !h->flow.waiting.n) http_call_over(h, code);
}

void http_pieces_expect(struct http_call_handle *h, const struct http_call *call)
{
    h->data = call->data;
    h->head = call->head;
    h->heard = h->started;
    h->idle_timeout = call->idle_timeout;
    http_flow_init(&h->flow, on_news);
    if (call->idle_timeout <= 0) return;
    h->idle = timer_new(h->c->loop, on_idle, h);
    timer_start(h->idle, h->idle_timeout);
}
