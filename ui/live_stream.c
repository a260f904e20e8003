/* The life of live answers: begun by their handlers, ended by the client or by the process. */
#include "ui/live_stream.h"

#include "base/xalloc.h"

#define PENDING_MAX ((size_t)1 << 20) /* bytes that may wait for a slow client */

static void discard(struct live_stream *s)
{
    timer_free(s->timer);
    list_del(&s->node);
    s->kind->free(s);
}

static void on_gone(void *arg)
{
    discard(arg);
}

static void on_tick(void *arg)
{
    struct live_stream *s = arg;
    s->kind->tick(s);
}

void live_stream_begin(struct live_stream *s, struct ui *u, struct http_req *r,
                       const struct live_kind *kind, const char *fault)
{
    static const struct http_header headers[] = {
        {STR("Content-Type"), STR("text/plain; charset=utf-8")},
        {STR("X-Content-Type-Options"), STR("nosniff")}};
    s->ui = u;
    s->kind = kind;
    list_add_tail(&u->live, &s->node);
    s->http = http_stream_begin(r, &(struct http_stream_conf){.head = {.status = fault ? 400 : 200,
                                                                       .headers = headers,
                                                                       .n_headers = fault ? 2 : 1},
                                                              .max_pending = PENDING_MAX,
                                                              .gone = on_gone,
                                                              .arg = s});
    if (!s->http) {
        discard(s);
        return;
    }
    if (fault && http_stream_write(s->http, str_of(fault)))
        (void)http_stream_write(s->http, STR("\n")); /* both are taken: nothing else waits */
    s->timer = timer_new(u->conf.loop, on_tick, s);
    timer_every(s->timer, kind->every(s));
}

bool live_stream_write(struct live_stream *s, struct str item)
{
    struct buf b = BUF_INIT(item.n + LIVE_DELIMITER.n + 1);
    bool taken = http_stream_has_room(s->http, item.n + LIVE_DELIMITER.n);
    if (!taken) return false;
    buf_str(&b, item);
    buf_str(&b, LIVE_DELIMITER);
    taken = http_stream_write(s->http, buf_view(&b));
    buf_done(&b);
    return taken;
}

void live_end_all(struct ui *u)
{
    list_each (&u->live, node) {
        struct live_stream *s = list_item(node, struct live_stream, node);
        http_stream_end(s->http);
        discard(s);
    }
}
