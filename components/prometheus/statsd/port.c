/* Ports of StatsD. */
#include "components/prometheus/statsd/port.h"

#include <stdlib.h>
#include "base/xalloc.h"

static const char *const networks[STATSD_NETS] = {"udp", "tcp", "unixgram"};

int statsd_port_open(struct listeners *ls, enum statsd_net net, const char *addr,
                     struct statsd_port **ret, char **ret_err)
{
    const struct stream_conf conf = {.buffer = STATSD_LINE_MAX + 1};
    struct stream_listener *stream = NULL;
    struct udp_listener *datagrams = NULL;
    int r = net == STATSD_TCP
                ? stream_listener_open(ls, "tcp", addr, &conf, &stream, ret_err)
                : udp_listener_open(ls, networks[net], addr, STATSD_LINE_MAX, &datagrams, ret_err);

    if (r < 0) return r;
    struct statsd_port *p = xnew(struct statsd_port);
    refs_init(&p->refs);
    p->asked = xstrdup(addr);
    p->stream = stream;
    p->datagrams = datagrams;
    *ret = p;
    return 0;
}

void statsd_port_unref(struct statsd_port *p)
{
    if (!p || !refs_put(&p->refs)) return;
    udp_listener_close(p->datagrams);
    stream_listener_close(p->stream);
    free(p->asked);
    free(p);
}

void statsd_port_leave(struct statsd_port *p)
{
    if (p && p->datagrams) udp_listener_leave(p->datagrams);
    if (p && p->stream) stream_listener_leave(p->stream);
}

struct str statsd_port_addr(const struct statsd_port *p)
{
    return p->stream ? stream_listener_addr(p->stream) : udp_listener_addr(p->datagrams);
}

/* --- serving --- */

struct statsd_serving {
    struct list node; /* among those that leave */
    struct statsd_port *port;
    enum statsd_net net;
    struct loop *loop;
    struct statsd_intake to; /* arg NULL: nobody listens any more */
    void (*done)(void *arg);
    void *done_arg;
};

static void give_line(struct statsd_serving *s, struct str line)
{
    if (line.n > 0 && line.p[line.n - 1] == '\r') line.n--;
    if (s->to.arg) s->to.line(s->to.arg, line);
}

/* An empty text after the last line end is a line as well: the count of lines is statsd_exporter's.
 */
static bool on_datagram(void *arg, struct str bytes, bool cut, struct str peer)
{
    struct statsd_serving *s = arg;

    (void)cut, (void)peer; /* no datagram is longer than there is room */
    if (s->to.arg) s->to.packet(s->to.arg, s->net, 0);
    if (bytes.n == 0) give_line(s, bytes);
    while (bytes.n > 0) {
        bool ends = bytes.p[bytes.n - 1] == '\n';
        give_line(s, str_cut(&bytes, '\n'));
        if (bytes.p && bytes.n == 0 && ends) give_line(s, bytes);
    }
    return true;
}

static void on_rest(void *arg, u32 lost)
{
    struct statsd_serving *s = arg;

    if (lost > 0 && s->to.arg) s->to.packet(s->to.arg, s->net, lost);
}

static size_t on_data(void *arg, struct stream_conn *c, struct str bytes)
{
    struct statsd_serving *s = arg;
    struct str rest = bytes;

    (void)c;
    while (str_chr(rest, '\n') >= 0)
        give_line(s, str_cut(&rest, '\n'));
    return bytes.n - rest.n;
}

static void on_opened(void *arg, struct stream_conn *c)
{
    struct statsd_serving *s = arg;

    (void)c;
    if (s->to.arg) s->to.opened(s->to.arg);
}

static void on_closed(void *arg, struct stream_conn *c, struct str rest, enum stream_end end,
                      const char *text)
{
    struct statsd_serving *s = arg;

    (void)c, (void)text;
    if (end == STREAM_EOF && rest.n > 0) give_line(s, rest);
    if (s->to.arg) s->to.connection(s->to.arg, end);
}

struct statsd_serving *statsd_serving_new(struct statsd_port *p, enum statsd_net net,
                                          struct loop *loop, const struct statsd_intake *to)
{
    static const struct udp_handler udp = {.datagram = on_datagram, .rest = on_rest};
    static const struct stream_handler stream = {
        .opened = on_opened, .data = on_data, .closed = on_closed};
    struct statsd_serving *s = xnew(struct statsd_serving);

    refs_get(&p->refs);
    *s = (struct statsd_serving){.port = p, .net = net, .loop = loop, .to = *to};
    list_init(&s->node);
    if (p->stream)
        stream_listener_serve(p->stream, loop, &stream, s);
    else
        udp_listener_serve(p->datagrams, loop, &udp, s);
    return s;
}

struct statsd_port *statsd_serving_port(const struct statsd_serving *s)
{
    return s->port;
}

static void left(void *arg)
{
    struct statsd_serving *s = arg;
    void (*done)(void *) = s->done;
    void *done_arg = s->done_arg;

    list_del(&s->node);
    statsd_port_unref(s->port);
    free(s);
    if (done) done(done_arg);
}

void statsd_serving_leave(struct statsd_serving *s, struct list *leaving, i64 grace,
                          void (*done)(void *arg), void *arg)
{
    s->done = done;
    s->done_arg = arg;
    list_add_tail(leaving, &s->node);
    if (s->port->stream) {
        stream_listener_unserve(s->port->stream, s->loop, grace, left, s);
        return;
    }
    udp_listener_unserve(s->port->datagrams);
    left(s);
}

void statsd_serving_forget(struct list *leaving)
{
    list_each (leaving, at) {
        struct statsd_serving *s = list_item(at, struct statsd_serving, node);
        list_del(at);
        s->done = NULL;
        s->to.arg = NULL;
    }
}
