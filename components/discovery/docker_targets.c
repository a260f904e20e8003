/* A container's targets: one for each of its networks and TCP ports. */
#include "components/discovery/docker_targets.h"

#include <errno.h>

#define DEPTH_MAX 16 /* containers that use the network of another, which uses ... */

#define META "__meta_docker_"

struct maker {
    const struct docker_containers *containers;
    const struct docker_networks *networks;
    const struct docker_targets_conf *conf;
    struct target_list *into;
    struct label_set container, network, target; /* labels gathered so far */
    struct buf text;
};

static void put(struct label_set *s, const char *name, struct str value)
{
    label_set_put(s, str_of(name), value);
}

static void put_bool(struct label_set *s, const char *name, bool value)
{
    put(s, name, value ? STR("true") : STR("false"));
}

/* Prefix and name, with "_" for what a label's name cannot hold. */
static void put_label(struct maker *m, struct label_set *s, const char *prefix,
                      const struct docker_label *l)
{
    buf_reset(&m->text);
    buf_cstr(&m->text, prefix);
    for (size_t i = 0; i < l->name.n; i++) {
        char c = l->name.p[i];
        bool fits = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        buf_ch(&m->text, fits ? c : '_');
    }
    label_set_put(s, buf_view(&m->text), l->value);
}

static void copy_labels(struct label_set *to, const struct label_set *from)
{
    label_set_reset(to);
    for (u32 i = 0; i < from->n; i++)
        label_set_put(to, from->v[i].name, from->v[i].value);
}

/* --- networks --- */

static const struct docker_container *find_container(const struct maker *m, struct str id)
{
    for (size_t i = 0; i < m->containers->n; i++)
        if (str_eq(m->containers->v[i].id, id)) return &m->containers->v[i];
    return NULL;
}

static const struct docker_network *find_network(const struct maker *m, struct str id)
{
    for (size_t i = 0; i < m->networks->n; i++)
        if (str_eq(m->networks->v[i].id, id)) return &m->networks->v[i];
    return NULL;
}

/* The container whose networks c is in: itself, or the one whose network it shares. */
static const struct docker_container *network_owner(const struct maker *m,
                                                    const struct docker_container *c)
{
    for (int depth = 0; c && !c->networks.n && depth < DEPTH_MAX; depth++) {
        if (!str_starts(c->network_mode, STR("container:"))) return c;
        c = find_container(m,
                           str_sub(c->network_mode, sizeof("container:") - 1, c->network_mode.n));
    }
    return c;
}

static const struct docker_attachment *first_by_name(const struct docker_container *c)
{
    const struct docker_attachment *first = &c->networks.v[0];

    for (size_t i = 1; i < c->networks.n; i++)
        if (str_cmp(c->networks.v[i].name, first->name) < 0) first = &c->networks.v[i];
    return first;
}

static void set_network(struct maker *m, const struct docker_attachment *at)
{
    struct label_set *s = &m->network;
    const struct docker_network *n = find_network(m, at->network_id);

    copy_labels(s, &m->container);
    put(s, META "network_ip", at->ip);
    if (!n) return; /* made, or removed, between the two requests */
    put(s, META "network_id", n->id);
    put(s, META "network_name", n->name);
    put(s, META "network_scope", n->scope);
    put_bool(s, META "network_internal", n->internal);
    put_bool(s, META "network_ingress", n->ingress);
    for (size_t i = 0; i < n->labels.n; i++)
        put_label(m, s, META "network_label_", &n->labels.v[i]);
}

/* --- targets --- */

static void put_number(struct maker *m, const char *name, i64 v)
{
    buf_reset(&m->text);
    buf_printf(&m->text, "%lld", (long long)v);
    put(&m->target, name, buf_view(&m->text));
}

static void put_address(struct maker *m, struct str ip, i64 port)
{
    bool v6 = str_chr(ip, ':') >= 0;

    buf_reset(&m->text);
    buf_printf(&m->text, v6 ? "[" STR_FMT "]:%lld" : STR_FMT ":%lld", STR_ARG(ip), (long long)port);
    put(&m->target, "__address__", buf_view(&m->text));
}

static void add_port(struct maker *m, struct str ip, const struct docker_port *p)
{
    copy_labels(&m->target, &m->network);
    put_number(m, META "port_private", p->private_port);
    if (p->public_port > 0) {
        put_number(m, META "port_public", p->public_port);
        put(&m->target, META "port_public_ip", p->ip);
    }
    put_address(m, ip, p->private_port);
    target_list_add(m->into, &m->target);
}

static void add_portless(struct maker *m, struct str ip, const struct docker_container *c)
{
    copy_labels(&m->target, &m->network);
    if (str_is(c->network_mode, "host"))
        put(&m->target, "__address__", m->conf->host_networking_host);
    else
        put_address(m, ip, m->conf->port);
    target_list_add(m->into, &m->target);
}

static void add_network(struct maker *m, const struct docker_container *c,
                        const struct docker_attachment *at)
{
    bool added = false;

    set_network(m, at);
    for (size_t i = 0; i < c->ports.n; i++) {
        if (!str_is(c->ports.v[i].type, "tcp")) continue;
        add_port(m, at->ip, &c->ports.v[i]);
        added = true;
    }
    if (!added) add_portless(m, at->ip, c);
}

static void add_container(struct maker *m, const struct docker_container *c)
{
    const struct docker_container *owner = network_owner(m, c);

    if (c->name.n == 0 || !owner || !owner->networks.n) return;
    label_set_reset(&m->container);
    put(&m->container, META "container_id", c->id);
    put(&m->container, META "container_name", c->name);
    put(&m->container, META "container_network_mode", c->network_mode);
    for (size_t i = 0; i < c->labels.n; i++)
        put_label(m, &m->container, META "container_label_", &c->labels.v[i]);
    if (m->conf->match_first_network) {
        add_network(m, c, first_by_name(owner));
        return;
    }
    for (size_t i = 0; i < owner->networks.n; i++)
        add_network(m, c, &owner->networks.v[i]);
}

int docker_targets(const struct docker_containers *containers,
                   const struct docker_networks *networks, const struct docker_targets_conf *conf,
                   struct target_list *into)
{
    struct maker m = {.containers = containers,
                      .networks = networks,
                      .conf = conf,
                      .into = into,
                      .text = BUF_INIT(1 << 20)};

    label_set_init(&m.container);
    label_set_init(&m.network);
    label_set_init(&m.target);
    for (size_t i = 0; i < containers->n; i++)
        add_container(&m, &containers->v[i]);
    int r = m.container.err || m.network.err || m.target.err || buf_err(&m.text) ? -ENOMEM : 0;
    label_set_done(&m.container);
    label_set_done(&m.network);
    label_set_done(&m.target);
    buf_done(&m.text);
    return r;
}
