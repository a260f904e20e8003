/* The agent itself: the last load and its faults, flags, peers; and the page of live debugging. */
#include "ui/page.h"

#include "base/clock.h"

/* ---- the last load ---- */

static void counts(struct page *p, const struct load_counts *n)
{
    buf_printf(p->b, "<p>Components: %u added, %u changed, %u removed, %u left as they were.</p>\n",
               n->added, n->changed, n->removed, n->left);
}

static void failed(struct page *p, const struct load_report *l)
{
    buf_cstr(p->b, "<section class=\"failed\" role=\"alert\"><h2>The last reload failed</h2>\n<p>");
    page_time(p, l->when);
    buf_cstr(p->b, ", and changed nothing: the configuration loaded ");
    page_time(p, l->since);
    buf_cstr(p->b, " goes on.</p>\n");
    if (*l->diags_text)
        html(p->b, "<pre class=\"diagnostics\">%s</pre>\n", l->diags_text);
    else
        html(p->b, "<pre class=\"diagnostics\">%s</pre>\n", l->error);
    buf_cstr(p->b, "</section>\n");
}

void page_last_load(struct page *p, bool with_counts)
{
    struct load_report l = reloader_report(p->u->reloader);
    if (l.when == 0) return;
    if (!l.ok) failed(p, &l);
    if (!with_counts) return;
    buf_cstr(p->b, "<p>The running configuration was loaded ");
    page_time(p, l.since);
    html(p->b, " from <code>%s</code>.</p>\n", reloader_path(p->u->reloader));
    counts(p, &l.counts);
}

/* ---- flags ---- */

/* name=value lines. */
static void flag_rows(struct buf *b, struct str lines)
{
    while (lines.p && lines.n > 0) {
        struct str line = str_cut(&lines, '\n');
        struct str name = str_cut(&line, '=');
        buf_cstr(b, "<tr><th scope=\"row\"><code>--");
        html_text(b, name);
        buf_cstr(b, "</code></th><td><code>");
        html_text(b, line.p ? line : STR(""));
        buf_cstr(b, "</code></td></tr>\n");
    }
}

static void support(struct page *p)
{
    buf_cstr(p->b, "<h2>Support bundle</h2>\n");
    if (p->u->conf.no_support_bundle)
        buf_cstr(p->b, "<p>Disabled by <code>--server.http.disable-support-bundle</code>.</p>\n");
    else
        buf_cstr(p->b, "<p><a href=\"/-/support?duration=5\" download>Collect for five seconds</a> "
                       "(metrics, logs, components, flags, sources; without secrets).</p>\n");
}

void page_status(struct page *p, struct str rest)
{
    page_open(p, "/status", STR("Status"));
    buf_cstr(p->b, "<h2>Configuration</h2>\n");
    page_last_load(p, true);
    buf_cstr(p->b, "<p>Reload: <code>curl -X POST http://HOST/-/reload</code></p>\n");
    support(p);
    buf_cstr(p->b, "<h2>Elsewhere</h2>\n<p class=\"links\"><a href=\"/-/ready\">ready</a> <a "
                   "href=\"/-/healthy\">healthy</a> <a href=\"/metrics\">metrics</a> <a ");
    page_href(p, "/api/v0/web/components", STR(""));
    buf_cstr(p->b, ">components as JSON</a></p>\n<h2>Flags</h2>\n<table class=\"body\">\n");
    flag_rows(p->b, str_of(p->u->conf.flags));
    buf_cstr(p->b, "</table>\n");
    page_close(p);
}

/* ---- peers, remote configuration ---- */

void page_clustering(struct page *p, struct str rest)
{
    page_open(p, "/clustering", STR("Clustering"));
    buf_cstr(p->b, "<p>Clustering is off: this node owns everything.</p>\n<table "
                   "class=\"components\"><thead><tr><th scope=\"col\">Node</th><th "
                   "scope=\"col\">Address</th><th scope=\"col\">State</th></tr></thead>\n<tbody>");
    html(p->b, "<tr><td class=\"id\">%s (this one)</td><td>", p->u->node_name);
    html_text(p->b, http_listener_addr(p->u->listener));
    buf_cstr(p->b, "</td><td>participant</td></tr></tbody></table>\n");
    page_close(p);
}

void page_remotecfg(struct page *p, struct str rest)
{
    page_open(p, "/remotecfg", STR("Remote configuration"));
    buf_cstr(p->b, "<p class=\"none\">No remote configuration is loaded.</p>\n");
    page_close(p);
}

/* ---- live debugging ---- */

void page_live(struct page *p, struct str id)
{
    struct place at;
    bool found = find_component(p->u->controller, id, &at);
    page_open(p, "/", STR("Live debugging"));
    buf_cstr(p->b, "<p class=\"trail\"><a ");
    page_href(p, "/component/", id);
    buf_cstr(p->b, "><code>");
    html_text(p->b, id);
    buf_cstr(p->b, "</code></a></p>\n");
    if (!found || !component_is_tapped(at.state)) {
        buf_cstr(p->b, found ? "<p>This component does not support live debugging.</p>\n"
                             : "<p>There is no such component.</p>\n");
    } else {
        buf_cstr(p->b, "<div id=\"live\" data-id=\"");
        html_path(p->b, id);
        buf_cstr(p->b,
                 "\">\n<p class=\"controls\"><label>Share shown <input id=\"prob\" type=\"number\" "
                 "min=\"0\" max=\"1\" step=\"0.1\" value=\"1\"></label> <label>Filter <input "
                 "id=\"live-filter\" type=\"search\"></label> <button id=\"pause\" "
                 "type=\"button\">Pause</button> <button id=\"clear\" "
                 "type=\"button\">Clear</button></p>\n<p id=\"live-state\" "
                 "role=\"status\">Needs JavaScript.</p>\n<ol id=\"items\"></ol></div>\n");
    }
    page_close(p);
}
