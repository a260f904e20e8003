/* Answers that go on: what HTTP/1 and HTTP/2 share. The stream is part of its request; a connection
 * knows how many of its answers go on, because their write timeout counts from the last progress.
 */
#include "net/conn.h"
#include "net/request.h"

static struct request *request_of_stream(const struct http_stream *s)
{
    return container_of(s, struct request, stream);
}

static void close_stream(struct http_stream *s)
{
    s->open = false;
    conn_stream_ends(request_of_stream(s)->c);
}

struct http_stream *http_stream_begin(struct http_req *r, const struct http_stream_conf *conf)
{
    struct request *q = request_of(r);

    ASSERT(!q->answered && q->pub.body && conf->gone);
    q->answered = true;
    q->stream = (struct http_stream){
        .open = true, .max_pending = conf->max_pending, .gone = conf->gone, .arg = conf->arg};
    conn_stream_begins(q->c);
    q->ops->stream_begin(q, &conf->head);
    if (!str_is(r->method, "HEAD")) return &q->stream;
    http_stream_end(&q->stream);
    return NULL;
}

bool http_stream_has_room(const struct http_stream *s, size_t n)
{
    struct request *q = request_of_stream(s);
    size_t waits = q->ops->stream_pending(q);

    return waits == 0 || (waits <= s->max_pending && n <= s->max_pending - waits);
}

bool http_stream_write(struct http_stream *s, struct str piece)
{
    struct request *q = request_of_stream(s);

    ASSERT(s->open);
    if (!http_stream_has_room(s, piece.n)) return false;
    if (piece.n > 0) q->ops->stream_write(q, piece); /* an empty chunk would be the end */
    return true;
}

void http_stream_end(struct http_stream *s)
{
    struct request *q = request_of_stream(s);

    ASSERT(s->open);
    close_stream(s);
    q->ops->stream_end(q);
}

void http_stream_lost(struct http_stream *s)
{
    close_stream(s);
    s->gone(s->arg);
}
