/* The overview: what runs and how it is; the module pages are the same table. */
#include "ui/page.h"

#define LONG_LIST    1000 /* components */
#define REFRESH      5    /* seconds */
#define REFRESH_LONG 60

/* ---- the table ---- */

/* Imports have no page of their own. */
static void name(struct page *p, const struct module *m, u32 rank)
{
    if (node_is_component(&m->tmpl->nodes[rank])) {
        page_component_link(p, m, rank);
        return;
    }
    buf_cstr(p->b, "<code>");
    html_text(p->b, str_of(m->tmpl->nodes[rank].id));
    buf_cstr(p->b, "</code>");
}

static void row(struct page *p, const struct module *m, u32 rank)
{
    const struct health_part *h = node_health_worst(&m->states[rank]->health);
    buf_cstr(p->b, "<tr><td>");
    page_health(p, h);
    buf_cstr(p->b, "</td><td class=\"id\">");
    name(p, m, rank);
    buf_cstr(p->b, "</td><td class=\"since\">");
    page_time(p, h->when);
    html(p->b, "</td><td class=\"why\">%s</td></tr>\n", h->text ? h->text : "");
}

static void table_head(struct page *p, const char *what)
{
    buf_printf(p->b,
               "<table class=\"components\"><thead><tr><th scope=\"col\">Health</th><th "
               "scope=\"col\">%s</th><th scope=\"col\">Since</th><th "
               "scope=\"col\">Message</th></tr></thead><tbody>\n",
               what);
}

void page_component_table(struct page *p, const struct module *m)
{
    size_t n = 0;
    table_head(p, "Component");
    for (u32 r = 0; m && r < m->tmpl->n; r++) {
        if (!node_is_component(&m->tmpl->nodes[r])) continue;
        row(p, m, r);
        n++;
    }
    if (n == 0)
        buf_cstr(p->b, "<tr><td colspan=\"4\" class=\"none\">No components are running.</td></tr>");
    buf_cstr(p->b, "</tbody></table>\n");
}

/* How their sources fare: content that could not be used is told here, while what ran goes on. */
static void imports(struct page *p)
{
    size_t n = 0;
    for (u32 r = 0; p->root && r < p->root->tmpl->n; r++) {
        if (p->root->tmpl->nodes[r].kind != NODE_IMPORT) continue;
        if (n++ == 0) {
            buf_cstr(p->b, "<h2>Imports</h2>\n");
            table_head(p, "Import");
        }
        row(p, p->root, r);
    }
    if (n > 0) buf_cstr(p->b, "</tbody></table>\n");
}

/* ---- how many of each ---- */

static void summary(struct page *p)
{
    size_t counts[HEALTH_EXITED + 1] = {0};
    for (u32 r = 0; p->root && r < p->root->tmpl->n; r++)
        if (node_is_component(&p->root->tmpl->nodes[r]))
            counts[node_health_worst(&p->root->states[r]->health)->state]++;
    buf_cstr(p->b, "<p class=\"summary\">");
    for (int h = HEALTH_UNKNOWN; h <= HEALTH_EXITED; h++)
        if (counts[h] > 0)
            buf_printf(p->b, "<span class=\"health %s\">%zu %s</span> ",
                       health_name((enum health)h), counts[h], health_name((enum health)h));
    buf_cstr(p->b, "</p>\n");
}

/* ---- modules ---- */

struct modules {
    struct page *p;
    size_t n;
};

static void each_module(struct modules *l, const struct module *m);

static void module_row(void *arg, const struct module *m)
{
    struct modules *l = arg;
    size_t n = 0, bad = 0;
    for (u32 r = 0; r < m->tmpl->n; r++) {
        if (!node_is_component(&m->tmpl->nodes[r])) continue;
        n++;
        bad += node_health_worst(&m->states[r]->health)->state > HEALTH_HEALTHY;
    }
    if (l->n++ == 0)
        buf_cstr(l->p->b, "<h2>Modules</h2>\n<table class=\"components\"><thead><tr><th "
                          "scope=\"col\">Module</th><th scope=\"col\">Components</th><th "
                          "scope=\"col\">Not healthy</th></tr></thead><tbody>\n");
    buf_cstr(l->p->b, "<tr><td class=\"id\"><a ");
    page_href(l->p, "/component/", module_id(m));
    buf_cstr(l->p->b, "><code>");
    html_text(l->p->b, module_id(m));
    buf_printf(l->p->b, "</code></a></td><td>%zu</td><td>%zu</td></tr>\n", n, bad);
    each_module(l, m);
}

static void each_module(struct modules *l, const struct module *m)
{
    for (u32 r = 0; r < m->tmpl->n; r++)
        if (node_is_component(&m->tmpl->nodes[r])) each_inner(m->states[r], module_row, l);
}

/* A list of megabytes is not fetched all the time. */
static bool is_long(const struct module *m)
{
    return m && m->tmpl->n > LONG_LIST;
}

void page_components(struct page *p, struct str rest)
{
    struct modules l = {.p = p};
    page_open(p, "/", STR("Components"));
    page_last_load(p, false);
    summary(p);
    buf_cstr(p->b, "<p class=\"filter\"><label>Filter <input type=\"search\" id=\"filter\" "
                   "placeholder=\"name, health or message\" autocomplete=\"off\"></label></p>\n");
    buf_printf(p->b, "<div data-refresh=\"%d\">\n", is_long(p->root) ? REFRESH_LONG : REFRESH);
    page_component_table(p, p->root);
    if (p->root) each_module(&l, p->root);
    if (l.n > 0) buf_cstr(p->b, "</tbody></table>\n");
    imports(p);
    buf_cstr(p->b, "</div>\n");
    page_close(p);
}
