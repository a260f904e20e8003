/* A listening socket of a component that lives on every worker. */
#include "components/common/listening.h"

struct listening {
    struct refs refs;
    char *network, *addr;
    struct http_listener *l;
};

static bool same_address(const struct listening *l, const struct listening_conf *conf)
{
    return l && strcmp(l->network, conf->network) == 0 && strcmp(l->addr, conf->addr) == 0;
}

static struct listening *listening_new(struct http_listener *l, const struct listening_conf *conf)
{
    struct listening *n = xnew(struct listening);
    refs_init(&n->refs);
    n->network = xstrdup(conf->network);
    n->addr = xstrdup(conf->addr);
    n->l = l;
    return n;
}

int listening_set(struct listening **at, const struct host *host, const struct listening_conf *conf,
                  char **ret_err)
{
    struct http_listener *opened;
    if (conf->addr && same_address(*at, conf)) {
        http_listener_update((*at)->l, &conf->http);
        return 0;
    }
    if (conf->addr) {
        int r = http_listener_open(host->listeners, conf->network, conf->addr, &conf->http, &opened,
                                   ret_err);
        if (r < 0) return r;
    }
    listening_unref(*at);
    *at = conf->addr ? listening_new(opened, conf) : NULL;
    return 0;
}

void listening_leave(struct listening *l, const struct listening_conf *conf)
{
    if (l && !(conf && conf->addr && same_address(l, conf))) http_listener_leave(l->l);
}

struct listening *listening_ref(struct listening *l)
{
    refs_get(&l->refs);
    return l;
}

void listening_unref(struct listening *l)
{
    if (!l || !refs_put(&l->refs)) return;
    http_listener_close(l->l);
    free(l->network);
    free(l->addr);
    free(l);
}

struct str listening_addr(const struct listening *l)
{
    return http_listener_addr(l->l);
}

u32 listening_connections(const struct listening *l)
{
    return http_listener_conns(l->l);
}

/* --- shards --- */

struct leaving {
    struct list link;
    struct listening *l;
    struct serving *of; /* NULL: forgotten */
};

void serving_init(struct serving *s, const struct http_handler *handler, void *arg,
                  void (*idle)(void *arg))
{
    *s = (struct serving){.handler = handler, .arg = arg, .idle = idle};
    list_init(&s->leaving);
}

static void left(void *arg)
{
    struct leaving *v = arg;
    struct serving *s = v->of;
    list_del(&v->link);
    listening_unref(v->l);
    free(v);
    if (s && list_empty(&s->leaving)) s->idle(s->arg);
}

static void leave(struct serving *s, struct loop *loop, i64 grace)
{
    struct leaving *v = xnew(struct leaving);
    *v = (struct leaving){.l = s->l, .of = s};
    list_add_tail(&s->leaving, &v->link);
    s->l = NULL;
    http_listener_unserve(v->l->l, loop, grace, left, v);
}

void serving_set(struct serving *s, struct listening *l, struct loop *loop, i64 grace)
{
    if (s->l == l) return;
    struct listening *before = s->l;
    if (before) leave(s, loop, grace);
    if (!l) return;
    s->l = listening_ref(l);
    http_listener_serve(l->l, loop, s->handler, s->arg);
}

bool serving_idle(const struct serving *s)
{
    return !s->l && list_empty(&s->leaving);
}

void serving_done(struct serving *s)
{
    list_each (&s->leaving, at) {
        list_item(at, struct leaving, link)->of = NULL;
        list_del(at);
    }
}
