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

/* In-memory targets are scraped by this process itself: it needs no password. */
static void on_own_request(void *arg, struct http_req *r)
{
    ui_route(arg, r);
}

static const struct http_handler own_handler = {.request = on_own_request, .gone = on_gone};

/* The agent is of use without it: only the built-in exporters cannot be scraped then. */
static void listen_for_own(struct ui *u)
{
    const struct http_conf conf = {.own_process = true};
    const char *socket = u->conf.host->memory_socket;
    char *why = NULL;

    if (!socket) return;
    if (http_listener_open(u->conf.host->listeners, "unix", socket, &conf, &u->memory, &why) < 0) {
        log_error(u->log, "in-memory targets cannot be scraped", F_CSTR("err", why ? why : ""));
        free(why);
        return;
    }
    http_listener_serve(u->memory, u->conf.loop, &own_handler, u);
}

int ui_listen(struct ui *u, const char *addr, char **ret_err)
{
    struct http_conf conf = {.tls = u->tls};
    int err =
        http_listener_open(u->conf.host->listeners, "tcp", addr, &conf, &u->listener, ret_err);
    if (err < 0) return err;
    http_listener_serve(u->listener, u->conf.loop, &handler, u);
    listen_for_own(u);
    log_info(u->log, "now listening for http traffic",
             F_STR("addr", http_listener_addr(u->listener)));
    return 0;
}

static void on_closed(void *arg)
{
    struct ui *u = arg;

    if (--u->closing > 0) return;
    if (u->memory) http_listener_close(u->memory);
    http_listener_close(u->listener);
    u->listener = u->memory = NULL;
    if (u->closed) u->closed(u->closed_arg);
}

void ui_close(struct ui *u, i64 grace_ns, void (*done)(void *arg), void *arg)
{
    u->closed = done;
    u->closed_arg = arg;
    live_end_all(u);
    if (!u->listener) {
        done(arg);
        return;
    }
    u->closing = u->memory ? 2 : 1;
    if (u->memory) http_listener_unserve(u->memory, u->conf.loop, grace_ns, on_closed, u);
    http_listener_unserve(u->listener, u->conf.loop, grace_ns, on_closed, u);
}
