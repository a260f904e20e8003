/* The TCP prober: connects, and says and hears what query_response wants, line by line. */
#include "components/prometheus/blackbox/probe.h"

#include <stdlib.h>
#include "base/xalloc.h"
#include "net/wire.h"

#define LINE_MAX_ ((size_t)64 << 10) /* as Go's scanner has it */

/* A step that is taken later in the turn. */
struct later {
    struct msg msg;
    struct probe *p; /* NULL: it is over */
};
struct tcp {
    struct wire *wire;
    struct str host;
    struct later *later;
    bool ready, regex_failed;
    size_t at;     /* the step that is next */
    bool securing; /* TLS is being agreed on in the middle */
    struct buf in; /* what came and is no whole line yet */
    struct tls_peer peer;
};

/* --- one step --- */

static void add_info(struct probe *p, const struct query *q, struct str line, const ssize_t *ov)
{
    struct expo_label *labels = arena_array(&p->arena, struct expo_label, q->n_labels + 1);
    struct buf value = BUF_INIT(LINE_MAX_);

    for (size_t i = 0; i < q->n_labels; i++) {
        buf_reset(&value);
        regex_expand(q->expect, q->labels[i].value, line, ov, &value);
        labels[i] = (struct expo_label){q->labels[i].name, arena_str(&p->arena, buf_view(&value))};
    }
    buf_done(&value);
    expo_sample(expo_gauge(p->out, "probe_expect_info", "Explicit content matched"), NULL, 1,
                labels, q->n_labels);
}

/* Sends what the step sends, with $1 of the line that matched. */
static void say(struct probe *p, const struct query *q, struct str line, const ssize_t *ov)
{
    struct tcp *t = p->state;
    struct buf *out = wire_out(t->wire);

    if (q->send.n == 0) return;
    if (q->expect)
        regex_expand(q->expect, q->send, line, ov, out);
    else
        buf_str(out, q->send);
    buf_ch(out, '\n');
    probe_note(p, "sent the line of step %zu", t->at);
    wire_flush(t->wire);
}

#define OFFSETS 64
static bool matches(struct probe *p, const struct query *q, struct str line)
{
    ssize_t ov[2 * OFFSETS];
    struct tcp *t = p->state;

    for (size_t i = 0; i < ARRAY_LEN(ov); i++)
        ov[i] = -1;
    if (regex_match(q->expect, line, 0, ov, OFFSETS) != 1) return false;
    t->regex_failed = false;
    if (q->n_labels > 0) add_info(p, q, line, ov);
    say(p, q, line, ov);
    return true;
}

/* The next line of what came; at the end of the connection also one without its end. */
static bool next_line(struct tcp *t, bool ended, struct str *ret)
{
    struct str all = buf_view(&t->in);
    ssize_t lf = str_chr(all, '\n');

    if (lf < 0 && !(ended && all.n > 0)) return false;
    *ret = lf < 0 ? all : str_sub(all, 0, (size_t)lf);
    if (ret->n > 0 && ret->p[ret->n - 1] == '\r') ret->n--;
    return true;
}

static void drop_line(struct tcp *t)
{
    ssize_t lf = str_chr(buf_view(&t->in), '\n');

    buf_consume(&t->in, lf < 0 ? t->in.n : (size_t)lf + 1);
}

/* True: the step's line came. */
static bool hear(struct probe *p, const struct query *q, bool ended)
{
    struct tcp *t = p->state;
    struct str line;

    while (next_line(t, ended, &line)) {
        bool found = matches(p, q, line);
        drop_line(t);
        if (found) return true;
    }
    return false;
}

/* --- the steps --- */

static void secure(struct probe *p)
{
    struct tcp *t = p->state;

    t->securing = true;
    t->ready = false;
    buf_reset(&t->in);
    wire_secure(t->wire, p->m->tls, t->host);
}

static void steps(struct probe *p, bool ended)
{
    struct tcp *t = p->state;

    while (t->at < p->m->n_queries) {
        const struct query *q = &p->m->queries[t->at];
        if (q->expect && !hear(p, q, ended)) return;
        if (!q->expect) say(p, q, STR(""), NULL);
        t->at++;
        if (!q->starttls) continue;
        if (!ended) secure(p);
        return;
    }
    probe_end(p, true);
}

static void on_step(struct msg *m)
{
    struct later *l = container_of(m, struct later, msg);
    struct probe *p = l->p;

    free(l);
    if (!p) return;
    ((struct tcp *)p->state)->later = NULL;
    steps(p, false);
}

/* A wire calls back from within its own work, where TLS must not begin. */
static void advance(struct probe *p)
{
    struct tcp *t = p->state;

    if (t->later || !t->ready) return;
    t->later = xnew(struct later);
    *t->later = (struct later){.msg.fn = on_step, .p = p};
    loop_defer(p->worker->loop, &t->later->msg);
}

/* --- the wire --- */

static void on_ready(void *arg)
{
    struct probe *p = arg;
    struct tcp *t = p->state;

    t->ready = true;
    probe_note(p, t->securing ? "TLS was agreed on" : "connected");
    (void)wire_peer(t->wire, &t->peer);
    advance(p);
}

static void on_input(void *arg, const char *bytes, size_t n)
{
    struct probe *p = arg;
    struct tcp *t = p->state;

    if (t->at >= p->m->n_queries) return;
    buf_add(&t->in, bytes, n);
    if (buf_err(&t->in))
        probe_fail(p, "a line of more than %zu bytes came", LINE_MAX_);
    else
        advance(p);
}

static void on_drained(void *arg) {}

static void on_failed(void *arg, enum http_fail fail, const char *text)
{
    struct probe *p = arg;
    struct tcp *t = p->state;
    const struct query *q = t->at < p->m->n_queries ? &p->m->queries[t->at] : NULL;
    bool ended = t->ready && str_ends(str_of(text), STR("EOF"));

    if (ended && q && q->expect && hear(p, q, true)) {
        t->at++;
        if (t->at >= p->m->n_queries && !q->starttls) {
            probe_end(p, true);
            return;
        }
    } else if (ended && q && q->expect) {
        t->regex_failed = true;
        probe_fail(p, "the connection ended before a line matched \"expect\" of step %zu", t->at);
        return;
    }
    probe_fail(p, "%s", text);
}

static const struct wire_ops wire_rules = {
    .ready = on_ready, .input = on_input, .drained = on_drained, .failed = on_failed};

static void dial(struct probe *p)
{
    struct tcp *t = p->state;

    t->wire =
        wire_dial(p->worker->loop,
                  &(struct wire_conf){
                      .addr = p->addr,
                      .addr_len = p->addr_len,
                      .name = arena_printf(&p->arena, strchr(p->ip, ':') ? "[%s]:%d" : "%s:%d",
                                           p->ip, p->port),
                      .tls_client = p->m->args->tcp.tls ? p->m->tls : NULL,
                      .host = t->host,
                      .source = p->source_len ? (struct sockaddr *)&p->source : NULL,
                      .source_len = p->source_len,
                      .ops = &wire_rules,
                      .arg = p,
                  });
}

static void begin(struct probe *p)
{
    struct tcp *t = p->state;
    char *err = NULL;
    int port = 0;

    buf_init(&t->in, LINE_MAX_ * 2);
    if (hostport_parse(p->target, -1, &t->host, &port, &err) != 0) {
        probe_fail(p, "the target is no host and port: %s", err);
        free(err);
        return;
    }
    struct str host = t->host;
    if (p->hostname.n > 0) t->host = p->hostname;
    probe_resolve(p, host, port, dial);
}

static void done(struct probe *p)
{
    struct tcp *t = p->state;

    wire_free(t->wire);
    buf_done(&t->in);
    tls_peer_done(&t->peer);
    if (t->later) t->later->p = NULL;
}

static void families(struct probe *p)
{
    struct tcp *t = p->state;

    if (t->wire) probe_regex_family(p, t->regex_failed);
    probe_tls_families(p, &t->peer);
}

const struct prober_ops prober_tcp = {
    .state_size = sizeof(struct tcp), .begin = begin, .done = done, .families = families};
