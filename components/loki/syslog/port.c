/* Sockets of loki.source.syslog: one that cannot be opened does not keep the others waiting. */
#include "components/loki/syslog/port.h"

#include <errno.h>

#include "base/vec.h"

/* One listener of the plan. */
struct slot {
    struct syslog_conf *conf;
    const struct syslog_listener_args *args; /* of the current plan */
    struct syslog_port *port;
    bool failed; /* and logged */
    bool stale;  /* goes on with the settings of before */
};
struct syslog_table {
    struct refs refs;
    struct comp *comp; /* NULL: gone */
    VEC(struct slot) slots;
    struct syslog_ports *ports;
};

/* --- ports --- */

struct syslog_port *syslog_port_ref(struct syslog_port *p)
{
    refs_get(&p->refs);
    return p;
}

void syslog_port_unref(struct syslog_port *p)
{
    if (!p || !refs_put(&p->refs)) return;
    stream_listener_close(p->stream);
    udp_listener_close(p->datagrams);
    syslog_conf_unref(p->conf);
    free(p);
}

struct syslog_ports *syslog_ports_ref(struct syslog_ports *s)
{
    refs_get(&s->refs);
    return s;
}

void syslog_ports_unref(struct syslog_ports *s)
{
    if (!s || !refs_put(&s->refs)) return;
    for (size_t i = 0; i < s->n; i++)
        syslog_port_unref(s->v[i]);
    free(s);
}

/* --- one socket --- */

static struct str addr_of(const struct syslog_port *p)
{
    return p->stream ? stream_listener_addr(p->stream) : udp_listener_addr(p->datagrams);
}

static int stream_conf_of(const struct slot *s, struct stream_conf *ret, char **ret_err)
{
    struct tls_conf tls = tls_config_server_conf(&s->args->tls_config);

    *ret = (struct stream_conf){.buffer = s->conf->max + 16, .idle_timeout = s->conf->idle_timeout};
    if (!s->conf->tls) return 0;
    ret->tls = tls_server_new(&tls, false, ret_err);
    return ret->tls ? 0 : -EINVAL;
}

/* Opens it, or with a port brings that to the new settings. */
static int open_stream(struct listeners *ls, struct slot *s, struct stream_listener **l,
                       char **ret_err)
{
    struct stream_conf conf;
    int r = stream_conf_of(s, &conf, ret_err);

    if (r < 0) return r;
    if (*l)
        stream_listener_update(*l, &conf);
    else
        r = stream_listener_open(ls, "tcp", s->conf->address.p, &conf, l, ret_err);
    tls_server_unref(conf.tls);
    return r;
}

static int port_open(struct listeners *ls, struct slot *s, char **ret_err)
{
    struct stream_listener *stream = NULL;
    struct udp_listener *datagrams = NULL;
    int r = s->conf->udp ? udp_listener_open(ls, "udp", s->conf->address.p, s->conf->max,
                                             &datagrams, ret_err)
                         : open_stream(ls, s, &stream, ret_err);

    if (r < 0) return r;
    s->port = xnew(struct syslog_port);
    refs_init(&s->port->refs);
    s->port->conf = syslog_conf_ref(s->conf);
    s->port->stream = stream;
    s->port->datagrams = datagrams;
    return 0;
}

static void try_open(struct comp *c, struct slot *s, char **ret_err)
{
    if (port_open(c->host->listeners, s, ret_err) < 0) {
        if (!s->failed)
            log_error(c->log, "failed to create syslog listener with provided config",
                      F_STR("address", s->conf->address),
                      F_CSTR("protocol", s->conf->udp ? "udp" : "tcp"), F_CSTR("err", *ret_err));
        s->failed = true;
        return;
    }
    s->failed = false;
    if (s->conf->udp)
        log_info(c->log, "syslog listening on address", F_STR("address", addr_of(s->port)),
                 F_CSTR("protocol", "udp"));
    else
        log_info(c->log, "syslog listening on address", F_STR("address", addr_of(s->port)),
                 F_CSTR("protocol", "tcp"), F_BOOL("tls", s->conf->tls));
}

static void port_leave(struct syslog_port *p)
{
    if (p->stream) stream_listener_leave(p->stream);
    if (p->datagrams) udp_listener_leave(p->datagrams);
}

/* The same socket serves: a datagram's room is the socket's, the rest are settings. */
static bool port_fits(const struct syslog_port *p, const struct syslog_conf *c)
{
    return p->conf->udp == c->udp && str_eq(p->conf->address, c->address) &&
           (!c->udp || p->conf->max == c->max);
}

/* --- the table --- */

struct syslog_table *syslog_table_new(struct comp *c)
{
    struct syslog_table *t = xnew(struct syslog_table);

    refs_init(&t->refs);
    t->comp = c;
    return t;
}

static void clear(struct slot *v, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        syslog_conf_unref(v[i].conf);
        syslog_port_unref(v[i].port);
    }
}

static void table_unref(struct syslog_table *t)
{
    if (!refs_put(&t->refs)) return;
    clear(t->slots.v, t->slots.n);
    vec_done(&t->slots);
    syslog_ports_unref(t->ports);
    free(t);
}

void syslog_table_close(struct syslog_table *t)
{
    t->comp = NULL;
    table_unref(t);
}

/* New settings that cannot work leave a socket with those of before. */
static void take_over(struct comp *c, struct slot *from, struct slot *to)
{
    char *err = NULL;

    to->port = from->port;
    from->port = NULL;
    if (!to->conf->udp && open_stream(NULL, to, &to->port->stream, &err) < 0) {
        log_error(c->log, "new settings of a syslog listener cannot be used: it keeps the old ones",
                  F_STR("address", to->conf->address), F_CSTR("err", err));
        to->stale = true;
        free(err);
    }
    syslog_conf_unref(to->port->conf);
    to->port->conf = syslog_conf_ref(to->conf);
}

static void find_open(struct comp *c, struct slot *old, size_t n, struct slot *s)
{
    for (size_t i = 0; i < n && !s->port; i++)
        if (old[i].port && port_fits(old[i].port, s->conf)) take_over(c, &old[i], s);
}

static void publish(struct syslog_table *t)
{
    struct syslog_ports *p = xmalloc(sizeof(*p) + t->slots.n * sizeof(p->v[0]));

    refs_init(&p->refs);
    p->n = t->slots.n;
    for (size_t i = 0; i < p->n; i++)
        p->v[i] = t->slots.v[i].port ? syslog_port_ref(t->slots.v[i].port) : NULL;
    syslog_ports_unref(t->ports);
    t->ports = p;
}

static bool all_open(const struct syslog_table *t)
{
    for (size_t i = 0; i < t->slots.n; i++)
        if (!t->slots.v[i].port || t->slots.v[i].stale) return false;
    return true;
}

static void tell_health(struct syslog_table *t, const char *err)
{
    if (all_open(t))
        comp_health(t->comp, HEALTH_HEALTHY, "all listeners are open");
    else
        comp_health(t->comp, HEALTH_UNHEALTHY, "a listener is not as configured, others serve: %s",
                    err ? err : "see the log");
}

/* What is open first, so that addresses that change hands among listeners are free. */
static size_t fill(struct syslog_table *t, struct slot *old, size_t n_old, char **first_err)
{
    size_t open = 0;
    char *err = NULL;

    for (size_t i = 0; i < t->slots.n; i++)
        find_open(t->comp, old, n_old, &t->slots.v[i]);
    for (size_t i = 0; i < n_old; i++)
        if (old[i].port) port_leave(old[i].port);
    for (size_t i = 0; i < t->slots.n; i++) {
        free(err);
        err = NULL;
        if (!t->slots.v[i].port) try_open(t->comp, &t->slots.v[i], &err);
        open += t->slots.v[i].port != NULL;
        if (err && !*first_err) {
            *first_err = err;
            err = NULL;
        }
    }
    free(err);
    return open;
}

int syslog_table_set(struct syslog_table *t, const struct syslog_plan *plan, char **ret_err)
{
    struct slot *old = t->slots.v;
    size_t n_old = t->slots.n, n = plan->args->listener.n;
    char *err = NULL;

    t->slots.v = xcalloc(n + 1, sizeof(*t->slots.v));
    t->slots.n = n;
    t->slots.cap = n + 1;
    for (size_t i = 0; i < n; i++)
        t->slots.v[i] = (struct slot){.conf = syslog_conf_ref(plan->conf[i]),
                                      .args = &plan->args->listener.v[i]};
    size_t open = fill(t, old, n_old, &err);
    clear(old, n_old);
    free(old);
    publish(t);
    if (open == 0 && n > 0) {
        *ret_err = err;
        return -EADDRNOTAVAIL;
    }
    tell_health(t, err);
    free(err);
    return 0;
}

void syslog_table_leave(struct syslog_table *t)
{
    for (size_t i = 0; i < t->slots.n; i++)
        if (t->slots.v[i].port) port_leave(t->slots.v[i].port);
}

static struct value labels_text(const struct slot *s)
{
    struct buf b = BUF_INIT(64 << 10);

    labels_write_text(s->conf->labels, s->conf->n_labels, &b);
    struct value v = value_str(buf_view(&b));
    buf_done(&b);
    return v;
}

static struct value listener_info(const struct slot *s)
{
    struct object_builder b = {.ordered = true};
    struct str address = s->port ? addr_of(s->port) : s->conf->address;

    object_set_take(&b, STR("type"), value_cstr(s->conf->udp ? "udp" : "tcp"));
    object_set_take(&b, STR("ready"), value_bool(s->port != NULL));
    object_set_take(&b, STR("listen_address"), value_str(address));
    object_set_take(&b, STR("labels"), labels_text(s));
    return object_done(&b);
}

struct value syslog_table_info(const struct syslog_table *t)
{
    struct value v = value_array(t->slots.n);

    for (size_t i = 0; i < t->slots.n; i++)
        v.array->v[i] = listener_info(&t->slots.v[i]);
    return v;
}

struct syslog_ports *syslog_table_ports(struct syslog_table *t)
{
    return syslog_ports_ref(t->ports);
}

/* --- questions --- */

struct syslog_question {
    struct msg msg;
    struct syslog_table *table;
    struct syslog_conf *conf;
    struct syslog_port *port;
    struct loop *loop;
    void (*answered)(void *arg, struct syslog_conf *conf, struct syslog_port *port);
    void *arg;
    bool forgotten; /* of the asking loop */
};

static void on_answer(struct msg *m)
{
    struct syslog_question *q = container_of(m, struct syslog_question, msg);

    if (q->forgotten)
        syslog_port_unref(q->port);
    else
        q->answered(q->arg, q->conf, q->port);
    syslog_conf_unref(q->conf);
    free(q);
}

static struct slot *slot_of(struct syslog_table *t, const struct syslog_conf *conf)
{
    for (size_t i = 0; t->comp && i < t->slots.n; i++)
        if (t->slots.v[i].conf == conf) return &t->slots.v[i];
    return NULL;
}

static void on_question(struct msg *m)
{
    struct syslog_question *q = container_of(m, struct syslog_question, msg);
    struct syslog_table *t = q->table;
    struct slot *s = slot_of(t, q->conf);
    char *err = NULL;

    if (s && !s->port) {
        try_open(t->comp, s, &err);
        tell_health(t, err);
        if (s->port) q->port = syslog_port_ref(s->port);
    }
    free(err);
    table_unref(t);
    q->msg.fn = on_answer;
    loop_post(q->loop, &q->msg);
}

struct syslog_question *
syslog_table_ask(struct syslog_table *t, struct syslog_conf *conf, struct loop *loop,
                 void (*answered)(void *arg, struct syslog_conf *conf, struct syslog_port *port),
                 void *arg)
{
    struct syslog_question *q = xnew(struct syslog_question);

    refs_get(&t->refs);
    *q = (struct syslog_question){.msg.fn = on_question,
                                  .table = t,
                                  .conf = syslog_conf_ref(conf),
                                  .loop = loop,
                                  .answered = answered,
                                  .arg = arg};
    loop_post(listeners_loop(t->comp->host->listeners), &q->msg);
    return q;
}

void syslog_question_forget(struct syslog_question *q)
{
    if (q) q->forgotten = true;
}
