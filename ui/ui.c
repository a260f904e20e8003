/* The listener and its life. */
#include "ui/support.h"

#include "base/xalloc.h"

struct ui *ui_new(const struct ui_conf *conf)
{
    struct ui *u = xnew(struct ui);
    const struct log_field service = F_CSTR("service", "http");
    struct str prefix = str_of(conf->prefix);
    while (prefix.n > 0 && prefix.p[prefix.n - 1] == '/')
        prefix.n--;
    u->conf = *conf;
    u->prefix = str_of(str_dup(prefix));
    list_init(&u->live);
    list_init(&u->bundles);
    u->log = log_child(conf->host->log, &service, 1);
    return u;
}

void ui_free(struct ui *u)
{
    if (!u) return;
    support_end_all(u);
    tls_server_unref(u->tls);
    log_unref(u->log);
    free((char *)u->prefix.p);
    free(u);
}

void ui_attach(struct ui *u, struct controller *c, struct reloader *r, const char *node_name)
{
    u->controller = c;
    u->reloader = r;
    u->node_name = node_name;
}

static void on_request(void *arg, struct http_req *r)
{
    struct ui *u = arg;
    if (ui_authorized(u, r)) ui_route(u, r);
}

/* What waits for a reload (api.c) or a bundle (support.c) begins with the request it answers. */
static void on_gone(void *arg, struct http_req *r)
{
    struct http_req **waiting = r->user;
    if (waiting) *waiting = NULL;
}

static const struct http_handler handler = {.request = on_request, .gone = on_gone};

int ui_listen(struct ui *u, const char *addr, char **ret_err)
{
    struct http_conf conf = {.tls = u->tls};
    int err =
        http_listener_open(u->conf.host->listeners, "tcp", addr, &conf, &u->listener, ret_err);
    if (err < 0) return err;
    http_listener_serve(u->listener, u->conf.loop, &handler, u);
    log_info(u->log, "now listening for http traffic",
             F_STR("addr", http_listener_addr(u->listener)));
    return 0;
}

static void on_closed(void *arg)
{
    struct ui *u = arg;
    http_listener_close(u->listener);
    u->listener = NULL;
    if (u->closed) u->closed(u->closed_arg);
}

void ui_close(struct ui *u, i64 grace_ns, void (*done)(void *arg), void *arg)
{
    u->closed = done;
    u->closed_arg = arg;
    live_end_all(u);
    if (u->listener)
        http_listener_unserve(u->listener, u->conf.loop, grace_ns, on_closed, u);
    else
        done(arg);
}
