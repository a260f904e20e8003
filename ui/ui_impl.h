/* Parts of the HTTP face: ui.c (listener, its life), http_block.c (authentication, TLS), api.c
 * (routes and short answers), component_json.c, live.c and graph_stream.c (streams), support.c (the
 * support bundle), reply.c; the pages have a header of their own, page.h. */
#ifndef UI_UI_IMPL_H
#define UI_UI_IMPL_H

#include "base/json.h"
#include "base/list.h"
#include "net/http_server.h"
#include "ui/ui.h"

struct http_plan; /* of the http block */

struct ui {
    struct ui_conf conf;
    struct str prefix; /* of the page and the web API, without the final slash; owned */
    struct logger *log;
    struct controller *controller;
    struct reloader *reloader;
    const char *node_name;
    struct http_listener *listener;
    struct http_listener *memory; /* of this process alone: in-memory targets; NULL: none */
    int closing;                  /* listeners that have not said that they are done */
    const struct http_plan *http; /* current; NULL: no authentication */
    struct tls_server *tls;
    struct list live;    /* answers that go on (live_stream.c) */
    struct list bundles; /* support.c */
    void (*closed)(void *arg);
    void *closed_arg;
};

/* http_block.c: true when the request may go on; else it was answered with 401. */
bool ui_authorized(struct ui *u, struct http_req *r);

/* reply.c. Compression is by Accept-Encoding; the web API sends no content type then. */
void reply_text(struct http_req *r, int status, const char *type, struct str body);
void reply_error(struct http_req *r, int status, const char *fmt, ...) PRINTF(3, 4); /* text + LF */
void reply_web(struct http_req *r,
               struct buf *body); /* of the web API: 200, or 500 when the buffer failed */
void reply_page(struct http_req *r, struct buf *html);
void reply_asset(struct http_req *r, const char *type, struct str body);
void reply_metrics(struct http_req *r, struct str body);
/* Values of a query parameter, percent-decoded into the request's arena; returns how many were put
 * into out. */
size_t query_values(struct http_req *r, const char *name, struct str *out, size_t cap);

/* component_json.c */
#define UI_BODY_MAX ((size_t)64 << 20)
void component_json(const struct module *m, u32 rank, bool details, struct json_out *j);
/* An array of the components of a module, in evaluation order. m may be NULL. */
void component_list_json(const struct module *m, struct json_out *j);
void peers_json(const struct ui *u, struct json_out *j);
/* Parts of it: arrays of statements. */
void component_arguments(struct json_out *j, const struct node_state *s);
void component_exports(struct json_out *j, const struct node_state *s);
void component_debug_info(struct json_out *j, const struct node_state *s);
/* Whether live debugging can be asked for. */
bool component_is_tapped(const struct node_state *s);

/* page.c: path below the prefix. */
void page_write(const struct ui *u, struct http_req *r, struct str path, struct buf *out);

/* live.c, graph_stream.c: answers that go on until the client leaves. */
void live_debug(struct ui *u, struct http_req *r, struct str id);
void graph_stream(struct ui *u, struct http_req *r, struct str module_id);
void live_end_all(struct ui *u);

/* api.c: answers whatever the path says. */
void ui_route(struct ui *u, struct http_req *r);

#endif
