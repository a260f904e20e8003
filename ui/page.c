/* The page: what runs, how it is, and where to look further. Made on the server, no script. */
#include "ui/ui_impl.h"

static const char head[] =
    "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Weir</title>\n"
    "<meta name=\"viewport\" content=\"width=device-width\">\n<style>\n"
    "body{font:15px/1.5 system-ui,sans-serif;max-width:80rem;margin:2rem auto;padding:0 "
    "1rem;color:#222}\n"
    "table{border-collapse:collapse;width:100%}td,th{text-align:left;padding:.3rem "
    ".6rem;border-bottom:1px solid #ddd;vertical-align:top}\n"
    "code{font-size:13px}.healthy{color:#176b2c}.unhealthy,.exited{color:#a31515}.unknown{color:#"
    "8a5a00}\n"
    "@media(prefers-color-scheme:dark){body{background:#161616;color:#ddd}a{color:#8ab4f8}td,th{"
    "border-color:#333}"
    ".healthy{color:#6fcf88}.unhealthy,.exited{color:#ff8a80}.unknown{color:#ffcc66}}\n"
    "td:nth-child(n+3){overflow-wrap:anywhere}\n"
    "</style></head><body>\n";

static void text(struct buf *b, struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        switch (s.p[i]) {
        case '<': buf_cstr(b, "&lt;"); break;
        case '>': buf_cstr(b, "&gt;"); break;
        case '&': buf_cstr(b, "&amp;"); break;
        case '"': buf_cstr(b, "&quot;"); break;
        default: buf_ch(b, s.p[i]);
        }
}

static void neighbours(struct buf *b, const struct module *m, const u32 *ranks, size_t n)
{
    bool first = true;
    for (size_t i = 0; i < n; i++) {
        const struct node *other = &m->tmpl->nodes[ranks[i]];
        if (other->kind != NODE_COMPONENT) continue;
        if (!first) buf_cstr(b, "<br>");
        first = false;
        buf_cstr(b, "<a href=\"#");
        text(b, str_of(other->id));
        buf_cstr(b, "\"><code>");
        text(b, str_of(other->id));
        buf_cstr(b, "</code></a>");
    }
}

static void component_row(const struct ui *u, struct buf *b, const struct module *m, u32 rank)
{
    const struct node *n = &m->tmpl->nodes[rank];
    const struct health_part *h = node_health_worst(&m->states[rank]->health);
    struct buf when = BUF_INIT(64);
    time_rfc3339(&when, h->when, false);
    buf_printf(b, "<tr id=\"");
    text(b, str_of(n->id));
    buf_printf(b, "\"><td><a href=\"" STR_FMT "/api/v0/web/components/", STR_ARG(u->prefix));
    text(b, str_of(n->id));
    buf_cstr(b, "\"><code>");
    text(b, str_of(n->id));
    buf_printf(b, "</code></a></td><td class=\"%s\">%s</td><td>", health_name(h->state),
               health_name(h->state));
    text(b, str_of(h->text));
    buf_printf(b, "<br><small>since " STR_FMT "</small></td><td>", STR_ARG(buf_view(&when)));
    neighbours(b, m, n->deps, n->n_deps);
    buf_cstr(b, "</td><td>");
    neighbours(b, m, n->users, n->n_users);
    buf_cstr(b, "</td></tr>\n");
    buf_done(&when);
}

static void components(const struct ui *u, struct buf *b)
{
    const struct module *m = controller_module(u->controller);
    buf_cstr(b, "<table><tr><th>component</th><th>health</th><th></th><th>uses</th><th>used "
                "by</th></tr>\n");
    for (u32 r = 0; m && r < m->tmpl->n; r++)
        if (m->tmpl->nodes[r].kind == NODE_COMPONENT) component_row(u, b, m, r);
    buf_cstr(b, "</table>\n");
}

void page_write(const struct ui *u, struct buf *html)
{
    buf_cstr(html, head);
    buf_cstr(html, "<h1>Weir <small>");
    text(html, str_of(u->conf.version));
    buf_cstr(html, "</small></h1>\n<p>on ");
    text(html, str_of(u->node_name));
    buf_cstr(html, " &middot; <a href=\"/-/ready\">ready</a> &middot; <a "
                   "href=\"/-/healthy\">healthy</a> &middot; "
                   "<a href=\"/metrics\">metrics</a> &middot; ");
    buf_printf(html, "<a href=\"" STR_FMT "/api/v0/web/components\">components as JSON</a></p>\n",
               STR_ARG(u->prefix));
    components(u, html);
    buf_cstr(html, "<p>Reload the configuration: <code>curl -X POST "
                   "http://HOST/-/reload</code></p>\n</body></html>\n");
}
