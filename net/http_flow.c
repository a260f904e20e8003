/* Pieces of an answer on their way from curl to the caller. */
#include "net/http_flow.h"

/* More than this does not wait: curl keeps a piece of at most CURL_MAX_WRITE_SIZE beyond it. */
#define WAITING_MAX ((size_t)64 * 1024)

void http_flow_init(struct http_flow *f, void (*news)(struct http_flow *f))
{
    *f = (struct http_flow){.asked = true, .news = news};
    buf_init(&f->waiting, WAITING_MAX + CURL_MAX_WRITE_SIZE);
}

void http_flow_done(struct http_flow *f)
{
    buf_done(&f->waiting);
}

void http_flow_head(struct http_flow *f, long status, bool redirected)
{
    if (!f->asked || f->head || status < 200 || redirected) return;
    f->head = true;
    f->streams = status < 300;
    f->news(f);
}

size_t http_flow_put(struct http_flow *f, const char *p, size_t n)
{
    if (f->waiting.n >= WAITING_MAX) {
        f->choked = true;
        return CURL_WRITEFUNC_PAUSE;
    }
    buf_add(&f->waiting, p, n);
    f->news(f);
    return buf_err(&f->waiting) ? 0 : n;
}

/* A quiet stream, and most are, keeps no memory. */
void http_flow_take(struct http_flow *f, size_t n)
{
    if (n < f->waiting.n)
        buf_consume(&f->waiting, n);
    else
        buf_done(&f->waiting);
}
