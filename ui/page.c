/* What all pages share: the frame, times, health, links; and which page a path is. */
#include "ui/page.h"

#include "base/clock.h"

/* ---- parts ---- */

void page_href(struct page *p, const char *path, struct str id)
{
    buf_cstr(p->b, "href=\"");
    html_text(p->b, p->u->prefix);
    buf_cstr(p->b, path);
    html_path(p->b, id);
    buf_ch(p->b, '"');
}

void page_health(struct page *p, const struct health_part *h)
{
    buf_printf(p->b, "<span class=\"health %s\">%s</span>", health_name(h->state),
               health_name(h->state));
}

static const struct {
    i64 ns;
    const char *name;
} units[] = {{86400 * NS_PER_SEC, "d"}, {3600 * NS_PER_SEC, "h"}, {60 * NS_PER_SEC, "min"}};

static void ago(struct buf *b, i64 ns)
{
    for (size_t i = 0; i < ARRAY_LEN(units); i++)
        if (ns >= units[i].ns) {
            buf_printf(b, "%lld %s ago", (long long)(ns / units[i].ns), units[i].name);
            return;
        }
    buf_printf(b, "%lld s ago", (long long)(MAX(ns, 0) / NS_PER_SEC));
}

void page_time(struct page *p, i64 when)
{
    struct buf text = BUF_INIT(64);
    time_rfc3339(&text, when / NS_PER_SEC * NS_PER_SEC, true);
    html(p->b, "<time datetime=\"%s\" title=\"%s\">", text.p, text.p);
    ago(p->b, clock_real(p->u->conf.host->clock) - when);
    buf_cstr(p->b, "</time>");
    buf_done(&text);
}

void page_component_link(struct page *p, const struct module *m, u32 rank)
{
    struct str id = str_of(m->states[rank]->id);
    buf_cstr(p->b, "<a ");
    page_href(p, "/component/", id);
    buf_cstr(p->b, "><code>");
    html_text(p->b, str_of(m->tmpl->nodes[rank].id));
    buf_cstr(p->b, "</code></a>");
}

/* ---- the frame ---- */

static const struct {
    const char *path, *text;
} nav_entries[] = {
    {"/", "Components"},           {"/graph", "Graph"},
    {"/clustering", "Clustering"}, {"/remotecfg", "Remote configuration"},
    {"/status", "Status"},
};

static void nav_bar(struct page *p, const char *current)
{
    buf_cstr(p->b, "<header><a class=\"brand\" ");
    page_href(p, "/", STR(""));
    buf_cstr(p->b, ">Weir</a><nav aria-label=\"Pages\">");
    for (size_t i = 0; i < ARRAY_LEN(nav_entries); i++) {
        buf_cstr(p->b, "<a ");
        page_href(p, nav_entries[i].path, STR(""));
        if (strcmp(nav_entries[i].path, current) == 0) buf_cstr(p->b, " aria-current=\"page\"");
        html(p->b, ">%s</a>", nav_entries[i].text);
    }
    buf_cstr(p->b, "</nav></header>\n");
}

void page_open(struct page *p, const char *nav, struct str title)
{
    buf_cstr(p->b, "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>");
    html_text(p->b, title);
    buf_cstr(p->b, " · Weir</title>\n<meta name=\"viewport\" "
                   "content=\"width=device-width, initial-scale=1\">\n<link rel=\"stylesheet\" ");
    page_href(p, "/assets/style.css", STR(""));
    buf_cstr(p->b, ">\n<link rel=\"icon\" type=\"image/svg+xml\" ");
    page_href(p, "/assets/icon.svg", STR(""));
    buf_cstr(p->b, ">\n<script defer src=\"");
    html_text(p->b, p->u->prefix);
    buf_cstr(p->b, "/assets/app.js\"></script>\n</head><body data-prefix=\"");
    html_text(p->b, p->u->prefix);
    buf_cstr(p->b, "\">\n");
    nav_bar(p, nav);
    buf_cstr(p->b, "<main id=\"content\">\n<h1>");
    html_text(p->b, title);
    buf_cstr(p->b, "</h1>\n");
}

void page_close(struct page *p)
{
    html(p->b, "</main>\n<footer>Weir %s on %s</footer>\n</body></html>\n", p->u->conf.version,
         p->u->node_name);
}

/* ---- which page ---- */

static const struct {
    const char *path;
    bool is_prefix;
    void (*fn)(struct page *p, struct str rest);
} pages[] = {
    {"/component/", true, page_component},   {"/graph", false, page_graph},
    {"/graph/", true, page_graph},           {"/debug/", true, page_live},
    {"/clustering", false, page_clustering}, {"/remotecfg", true, page_remotecfg},
    {"/status", false, page_status},
};

/* Every other path is the overview, as bookmarks of other versions lead there. */
void page_write(const struct ui *u, struct http_req *r, struct str path, struct buf *out)
{
    struct page p = {.u = u, .r = r, .b = out, .root = controller_module(u->controller)};
    for (size_t i = 0; i < ARRAY_LEN(pages); i++) {
        struct str want = str_of(pages[i].path);
        if (pages[i].is_prefix ? !str_starts(path, want) : !str_eq(path, want)) continue;
        pages[i].fn(&p, str_sub(path, want.n, path.n));
        return;
    }
    page_components(&p, path);
}
