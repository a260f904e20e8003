/* Routes and their answers. Codes and bodies: spec runtime.md 13. Control loop. */
#include "ui/page.h"
#include "ui/support.h"

#include "base/xalloc.h"

#define COMPONENT_PREFIX "/api/v0/component/"
#define METRIC_NAMES_MAX 64
#define NOT_FOUND        "404 page not found"

/* ---- readiness, health ---- */

static void ready(struct ui *u, struct http_req *r, struct str rest)
{
    if (controller_ready(u->controller))
        reply_text(r, 200, NULL, STR("Alloy is ready.\n"));
    else
        reply_error(r, 503, "Alloy is not ready.");
}

static size_t list_unhealthy(const struct module *m, struct buf *out)
{
    size_t n = 0;
    for (u32 i = 0; m && i < m->tmpl->n; i++) {
        if (!node_is_component(&m->tmpl->nodes[i]) ||
            node_health_worst(&m->states[i]->health)->state != HEALTH_UNHEALTHY)
            continue;
        buf_printf(out, "%s%s", n++ ? ", " : "", m->tmpl->nodes[i].name);
    }
    return n;
}

static void healthy(struct ui *u, struct http_req *r, struct str rest)
{
    struct buf names = BUF_INIT(UI_BODY_MAX);
    if (list_unhealthy(controller_module(u->controller), &names) == 0)
        reply_text(r, 200, NULL, STR("All Alloy components are healthy.\n"));
    else
        reply_error(r, 500, "unhealthy components: " STR_FMT, STR_ARG(buf_view(&names)));
    buf_done(&names);
}

/* ---- reload: the request waits; it may go away meanwhile ---- */

static void reloaded(void *arg, const char *err)
{
    struct http_req **waiting = arg;
    struct http_req *r = *waiting;
    free(waiting);
    if (!r) return;
    r->user = NULL;
    if (err)
        reply_error(r, 400, "%s", err);
    else
        reply_text(r, 200, NULL, STR("config reloaded\n"));
}

static void reload(struct ui *u, struct http_req *r, struct str rest)
{
    struct http_req **waiting = xnew(struct http_req *);
    *waiting = r;
    r->user = waiting;
    log_info(u->log, "reload requested via /-/reload endpoint");
    reloader_request(u->reloader, u->log, reloaded, waiting);
}

/* ---- metrics ---- */

static void metrics(struct ui *u, struct http_req *r, struct str rest)
{
    struct str names[METRIC_NAMES_MAX];
    size_t n = query_values(r, "name[]", names, METRIC_NAMES_MAX);
    struct buf out = BUF_INIT(UI_BODY_MAX);
    controller_metrics_refresh(u->controller);
    metrics_write(u->conf.host->metrics, &out, names, n);
    if (buf_err(&out))
        reply_error(r, 500, "the metrics are too large to be written");
    else
        reply_metrics(r, buf_view(&out));
    buf_done(&out);
}

/* ---- components' own handlers ---- */

/* The longest id that is a node: cut at slashes from the end. */
static struct node_state *find_by_path(const struct controller *c, struct str path,
                                       struct str *ret_rest)
{
    for (struct str id = path; id.n > 0;) {
        struct node_state *s = controller_find(c, id);
        if (s) {
            *ret_rest = str_sub(path, id.n, path.n);
            return s;
        }
        ssize_t slash = str_rchr(id, '/');
        id = str_sub(id, 0, slash > 0 ? (size_t)slash : 0);
    }
    return NULL;
}

static void component(struct ui *u, struct http_req *r, struct str path)
{
    struct str rest;
    struct node_state *s = find_by_path(u->controller, path, &rest);
    if (!s)
        reply_error(r, 400, "failed to parse URL path \"" STR_FMT "\": invalid path",
                    STR_ARG(r->path));
    else if (!node_is_component(&s->module->tmpl->nodes[s->rank]))
        reply_error(r, 400, "failed to parse URL path \"" STR_FMT "\": \"%s\" is not a component",
                    STR_ARG(r->path), s->id);
    else if (!s->def->http || !s->instance)
        http_respond(r, &(struct http_answer){.status = 404});
    else
        s->def->http(instance_comp(s->instance), r, rest.n > 0 ? rest : STR("/"));
}

/* ---- the web API ---- */

/* What is written into an answer of the web API. */
static void web_list(struct http_req *r, const struct module *m)
{
    struct buf body = BUF_INIT(UI_BODY_MAX);
    component_list_json(m, &(struct json_out){.b = &body, .html = true});
    reply_web(r, &body);
    buf_done(&body);
}

static void web_components(struct ui *u, struct http_req *r, struct str rest)
{
    web_list(r, controller_module(u->controller));
}

static void web_component(struct ui *u, struct http_req *r, struct str id)
{
    struct place at;
    if (!find_component(u->controller, id, &at)) {
        reply_error(r, 404, NOT_FOUND);
        return;
    }
    struct buf body = BUF_INIT(UI_BODY_MAX);
    component_json(at.module, at.rank, true, &(struct json_out){.b = &body, .html = true});
    reply_web(r, &body);
    buf_done(&body);
}

static void web_peers(struct ui *u, struct http_req *r, struct str rest)
{
    struct buf body = BUF_INIT(UI_BODY_MAX);
    peers_json(u, &(struct json_out){.b = &body, .html = true});
    reply_web(r, &body);
    buf_done(&body);
}

/* rest: <module id>/components */
static void web_modules(struct ui *u, struct http_req *r, struct str rest)
{
    const struct str end = STR("/components");
    if (!str_ends(rest, end)) {
        reply_error(r, 404, NOT_FOUND);
        return;
    }
    struct str id = str_sub(rest, 0, rest.n - end.n);
    const struct module *m = controller_find_module(u->controller, id);
    if (m && id.n > 0)
        web_list(r, m);
    else
        reply_error(r, 500, "module not found");
}

/* ---- what this build does not run ---- */

#define REMOTECFG_STARTING "remote config service startup in progress"

static void web_remotecfg(struct ui *u, struct http_req *r, struct str rest)
{
    reply_error(r, 500, REMOTECFG_STARTING);
}

static void remotecfg_component(struct ui *u, struct http_req *r, struct str rest)
{
    reply_error(r, 503, "failed to get host: " REMOTECFG_STARTING);
}

static void cluster_transport(struct ui *u, struct http_req *r, struct str rest)
{
    reply_error(r, 404, "clustering is disabled");
}

static void pprof(struct ui *u, struct http_req *r, struct str rest)
{
    reply_error(r, 404, "weir is not a Go program: it has no pprof profiles; use perf");
}

/* ---- pages ---- */

static void asset(struct ui *u, struct http_req *r, struct str name)
{
    struct asset a;
    if (asset_find(name, &a))
        reply_asset(r, a.type, a.text);
    else
        reply_error(r, 404, NOT_FOUND);
}

static void page(struct ui *u, struct http_req *r, struct str path)
{
    struct buf html = BUF_INIT(UI_BODY_MAX);
    page_write(u, r, path, &html);
    reply_page(r, &html);
    buf_done(&html);
}

/* ---- routing ---- */

struct route {
    const char *path;
    bool web;       /* below the UI prefix */
    bool is_prefix; /* the rest goes to fn */
    bool get;       /* other methods do not match */
    bool post;      /* ... but this one */
    void (*fn)(struct ui *u, struct http_req *r, struct str rest);
};

static const struct route routes[] = {
    {"/-/ready", .fn = ready},
    {"/-/healthy", .fn = healthy},
    {"/-/reload", .get = true, .post = true, .fn = reload},
    {"/-/support", .get = true, .fn = support_request},
    {"/metrics", .fn = metrics},
    {"/debug/pprof", .is_prefix = true, .fn = pprof},
    {"/api/v1/ckit/transport/", .is_prefix = true, .fn = cluster_transport},
    {COMPONENT_PREFIX "remotecfg", .is_prefix = true, .fn = remotecfg_component},
    {COMPONENT_PREFIX, .is_prefix = true, .fn = component},
    {"/api/v0/web/components", .web = true, .fn = web_components},
    {"/api/v0/web/components/", .web = true, .is_prefix = true, .fn = web_component},
    {"/api/v0/web/modules/", .web = true, .is_prefix = true, .fn = web_modules},
    {"/api/v0/web/remotecfg/", .web = true, .is_prefix = true, .fn = web_remotecfg},
    {"/api/v0/web/peers", .web = true, .fn = web_peers},
    {"/api/v0/web/debug/", .web = true, .is_prefix = true, .fn = live_debug},
    {"/api/v0/web/graph", .web = true, .fn = graph_stream},
    {"/api/v0/web/graph/", .web = true, .is_prefix = true, .fn = graph_stream},
    {"/assets/", .web = true, .is_prefix = true, .fn = asset},
};

static bool takes_method(const struct route *route, const struct http_req *r)
{
    return !route->get || str_is(r->method, "GET") || (route->post && str_is(r->method, "POST"));
}

static bool route_matches(const struct ui *u, const struct route *route, const struct http_req *r,
                          struct str *ret_rest)
{
    struct str path = r->path;
    if (!takes_method(route, r)) return false;
    if (route->web) {
        if (!str_starts(path, u->prefix)) return false;
        path = str_sub(path, u->prefix.n, path.n);
    }
    struct str want = str_of(route->path);
    if (route->is_prefix ? !str_starts(path, want) : !str_eq(path, want)) return false;
    *ret_rest = str_sub(path, want.n, path.n);
    return true;
}

/* Places where machines ask: a wrong path there is an error, not the page. */
static bool is_machine_path(struct str path)
{
    return str_starts(path, STR("/api/")) || str_starts(path, STR("/-/"));
}

/* A route that is there, for other methods; NULL. */
static const char *methods_of(struct str path)
{
    for (size_t i = 0; i < ARRAY_LEN(routes); i++)
        if (routes[i].get && str_is(path, routes[i].path))
            return routes[i].post ? "GET, POST" : "GET";
    return NULL;
}

static void answer_with(struct http_req *r, int status, const char *header, const char *value)
{
    http_respond(
        r, &(struct http_answer){.status = status,
                                 .headers = &(struct http_header){str_of(header), str_of(value)},
                                 .n_headers = 1});
}

static void fall_back(struct ui *u, struct http_req *r)
{
    bool inside = str_starts(r->path, u->prefix);
    struct str below = inside ? str_sub(r->path, u->prefix.n, r->path.n) : r->path;
    const char *methods = methods_of(r->path);
    if (methods && u->prefix.n > 0)
        answer_with(r, 405, "Allow", methods);
    else if (inside && below.n == 0 && u->prefix.n > 0)
        answer_with(r, 302, "Location", arena_printf(r->arena, STR_FMT "/", STR_ARG(u->prefix)));
    else if (!inside || (below.n > 0 && below.p[0] != '/') || (is_machine_path(below) && !methods))
        reply_error(r, 404, NOT_FOUND);
    else
        page(u, r, below);
}

void ui_route(struct ui *u, struct http_req *r)
{
    struct str rest;
    for (size_t i = 0; i < ARRAY_LEN(routes); i++)
        if (route_matches(u, &routes[i], r, &rest)) {
            routes[i].fn(u, r, rest);
            return;
        }
    fall_back(u, r);
}
