/* Routes and their answers. Codes and bodies: spec runtime.md 13. Control loop. */
#include "ui/ui_impl.h"

#include "base/xalloc.h"

#define COMPONENT_PREFIX "/api/v0/component/"
#define METRIC_NAMES_MAX 64

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
        if (m->tmpl->nodes[i].kind != NODE_COMPONENT ||
            node_health_worst(&m->states[i]->health)->state != HEALTH_UNHEALTHY)
            continue;
        buf_printf(out, "%s%s", n++ ? ", " : "", m->tmpl->nodes[i].def->name);
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
    reloader_request(u->reloader, reloaded, waiting);
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
static struct node_state *find_by_path(const struct module *m, struct str path,
                                       struct str *ret_rest)
{
    for (struct str id = path; id.n > 0;) {
        struct node_state *s = module_find(m, id);
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
    struct node_state *s = find_by_path(controller_module(u->controller), path, &rest);
    if (!s)
        reply_error(r, 400, "failed to parse URL path \"" STR_FMT "\": invalid path",
                    STR_ARG(r->path));
    else if (s->config)
        reply_error(r, 400, "failed to parse URL path \"" STR_FMT "\": \"%s\" is not a component",
                    STR_ARG(r->path), s->id);
    else if (!s->def->http || !s->instance)
        http_respond(r, &(struct http_answer){.status = 404});
    else
        s->def->http(instance_comp(s->instance), r, rest.n > 0 ? rest : STR("/"));
}

/* ---- the web API ---- */

static void web_components(struct ui *u, struct http_req *r, struct str rest)
{
    const struct module *m = controller_module(u->controller);
    struct buf body = BUF_INIT(UI_BODY_MAX);
    struct json_out j = {.b = &body, .html = true};
    json_arr(&j);
    for (u32 i = 0; m && i < m->tmpl->n; i++)
        if (m->tmpl->nodes[i].kind == NODE_COMPONENT) component_json(m, i, false, &j);
    json_arr_end(&j);
    reply_web(r, &body);
    buf_done(&body);
}

static void web_component(struct ui *u, struct http_req *r, struct str id)
{
    const struct module *m = controller_module(u->controller);
    const struct node *n = m ? template_node(m->tmpl, id) : NULL;
    if (!n || n->kind != NODE_COMPONENT) {
        reply_error(r, 404, "404 page not found");
        return;
    }
    struct buf body = BUF_INIT(UI_BODY_MAX);
    component_json(m, (u32)(n - m->tmpl->nodes), true,
                   &(struct json_out){.b = &body, .html = true});
    reply_web(r, &body);
    buf_done(&body);
}

/* Clustering is off: the one node, which owns everything. */
static void web_peers(struct ui *u, struct http_req *r, struct str rest)
{
    struct buf body = BUF_INIT(UI_BODY_MAX);
    struct json_out j = {.b = &body, .html = true};
    json_arr(&j);
    json_obj(&j);
    json_key(&j, STR("name"));
    json_str(&j, str_of(u->node_name));
    json_key(&j, STR("addr"));
    json_str(&j, http_listener_addr(u->listener));
    json_key(&j, STR("isSelf"));
    json_bool(&j, true);
    json_key(&j, STR("state"));
    json_str(&j, STR("participant"));
    json_obj_end(&j);
    json_arr_end(&j);
    reply_web(r, &body);
    buf_done(&body);
}

static void web_modules(struct ui *u, struct http_req *r, struct str rest)
{
    reply_error(r, 500, "module not found");
}

static void page(struct ui *u, struct http_req *r, struct str rest)
{
    struct buf html = BUF_INIT(UI_BODY_MAX);
    page_write(u, &html);
    reply_page(r, &html);
    buf_done(&html);
}

/* ---- routing ---- */

struct route {
    const char *path;
    bool web;       /* below the UI prefix */
    bool is_prefix; /* the rest goes to fn */
    bool get_post;  /* other methods do not match */
    void (*fn)(struct ui *u, struct http_req *r, struct str rest);
};

static const struct route routes[] = {
    {"/-/ready", .fn = ready},
    {"/-/healthy", .fn = healthy},
    {"/-/reload", .get_post = true, .fn = reload},
    {"/metrics", .fn = metrics},
    {COMPONENT_PREFIX, .is_prefix = true, .fn = component},
    {"/api/v0/web/components", .web = true, .fn = web_components},
    {"/api/v0/web/components/", .web = true, .is_prefix = true, .fn = web_component},
    {"/api/v0/web/modules/", .web = true, .is_prefix = true, .fn = web_modules},
    {"/api/v0/web/peers", .web = true, .fn = web_peers},
    {"/api/v0/web/debug/", .web = true, .is_prefix = true, .fn = live_debug},
    {"/api/v0/web/graph", .web = true, .fn = graph_stream},
    {"/api/v0/web/graph/", .web = true, .is_prefix = true, .fn = graph_stream},
};

static bool is_get_or_post(const struct http_req *r)
{
    return str_is(r->method, "GET") || str_is(r->method, "POST");
}

static bool route_matches(const struct ui *u, const struct route *route, const struct http_req *r,
                          struct str *ret_rest)
{
    struct str path = r->path;
    if (route->get_post && !is_get_or_post(r)) return false;
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
    return str_starts(path, STR("/api/")) || str_starts(path, STR("/-/")) ||
           str_starts(path, STR("/debug/"));
}

static void fall_back(struct ui *u, struct http_req *r)
{
    static const struct http_header get_post = {STR("Allow"), STR("GET, POST")};
    bool inside = str_starts(r->path, u->prefix);
    struct str below = inside ? str_sub(r->path, u->prefix.n, r->path.n) : r->path;
    if (str_is(r->path, "/-/reload") && !is_get_or_post(r) && u->prefix.n > 0)
        http_respond(r, &(struct http_answer){.status = 405, .headers = &get_post, .n_headers = 1});
    else if (inside && below.n == 0 && u->prefix.n > 0)
        http_respond(r,
                     &(struct http_answer){
                         .status = 302,
                         .headers = &(struct http_header){STR("Location"),
                                                          str_of(arena_printf(r->arena, STR_FMT "/",
                                                                              STR_ARG(u->prefix)))},
                         .n_headers = 1});
    else if (!inside || (is_machine_path(below) && !str_is(r->path, "/-/reload")))
        reply_error(r, 404, "404 page not found");
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
