/* One component: what it was given, what it gives, what it says of itself, whom it knows. A module
 * that is no component itself (a child of foreach) shows what runs in it. */
#include "ui/page.h"

static void not_found(struct page *p, struct str id)
{
    page_open(p, "/", STR("Component not found"));
    buf_cstr(p->b, "<p>There is no component <code>");
    html_text(p->b, id);
    buf_cstr(p->b, "</code> in the running configuration.</p>\n");
    page_close(p);
}

static void section(struct page *p, const char *title, const struct place *at,
                    void (*write)(struct json_out *j, const struct node_state *s))
{
    struct buf json = BUF_INIT(UI_BODY_MAX);
    write(&(struct json_out){.b = &json}, at->state);
    html(p->b, "<h2>%s</h2>\n<div class=\"values\">", title);
    if (buf_err(&json))
        buf_cstr(p->b, "<p class=\"none\">too much to be shown</p>");
    else
        html_statements(p->b, buf_view(&json));
    buf_cstr(p->b, "</div>\n");
    buf_done(&json);
}

static void neighbours(struct page *p, const char *title, const struct module *m, const u32 *ranks,
                       size_t n)
{
    size_t shown = 0;
    html(p->b, "<div><h2>%s</h2>\n<ul>", title);
    for (size_t i = 0; i < n; i++) {
        if (!node_is_component(&m->tmpl->nodes[ranks[i]])) continue;
        buf_cstr(p->b, "<li>");
        page_health(p, node_health_worst(&m->states[ranks[i]]->health));
        buf_ch(p->b, ' ');
        page_component_link(p, m, ranks[i]);
        buf_cstr(p->b, "</li>");
        shown++;
    }
    buf_cstr(p->b, shown ? "</ul></div>\n" : "<li class=\"none\">none</li></ul></div>\n");
}

static void inner_module(void *arg, const struct module *m)
{
    struct page *p = arg;
    buf_cstr(p->b, "<h2>Inside ");
    html_text(p->b, module_id(m));
    buf_cstr(p->b, " <small><a ");
    page_href(p, "/graph/", module_id(m));
    buf_cstr(p->b, ">graph</a></small></h2>\n");
    page_component_table(p, m);
}

/* The modules a component stands in, each a link. */
static void trail(struct page *p, struct str module)
{
    buf_cstr(p->b, "<p class=\"trail\"><a ");
    page_href(p, "/", STR(""));
    buf_cstr(p->b, ">Components</a>");
    for (size_t from = 0; from < module.n;) {
        ssize_t slash = str_chr(str_sub(module, from, module.n), '/');
        size_t to = slash < 0 ? module.n : from + (size_t)slash;
        buf_cstr(p->b, " / <a ");
        page_href(p, "/component/", str_sub(module, 0, to));
        buf_ch(p->b, '>');
        html_text(p->b, str_sub(module, from, to));
        buf_cstr(p->b, "</a>");
        from = to + 1;
    }
    buf_cstr(p->b, "</p>\n");
}

static void links(struct page *p, const struct place *at)
{
    struct str id = str_of(at->state->id);
    buf_cstr(p->b, "<p class=\"links\"><a ");
    page_href(p, "/graph?focus=", id);
    buf_cstr(p->b, ">In the graph</a> <a ");
    page_href(p, "/api/v0/web/components/", id);
    buf_cstr(p->b, ">JSON</a>");
    if (component_is_tapped(at->state)) {
        buf_cstr(p->b, " <a ");
        page_href(p, "/debug/", id);
        buf_cstr(p->b, ">Live debugging</a>");
    }
    buf_cstr(p->b, "</p>\n");
}

static void facts(struct page *p, const struct place *at)
{
    const struct health_part *h = node_health_worst(&at->state->health);
    buf_cstr(p->b, "<p class=\"state\">");
    page_health(p, h);
    html(p->b, " %s, ", h->text ? h->text : "");
    page_time(p, h->when);
    buf_cstr(p->b, "</p>\n");
    if (at->node->def->summary) html(p->b, "<p>%s</p>\n", at->node->def->summary);
}

static void component(struct page *p, const struct place *at)
{
    page_open(p, "/", str_of(at->node->id));
    trail(p, module_id(at->module));
    buf_cstr(p->b, "<div data-refresh=\"5\">\n");
    facts(p, at);
    links(p, at);
    section(p, "Arguments", at, component_arguments);
    section(p, "Exports", at, component_exports);
    section(p, "Debug info", at, component_debug_info);
    buf_cstr(p->b, "<div class=\"columns\">\n");
    neighbours(p, "Refers to", at->module, at->node->deps, at->node->n_deps);
    neighbours(p, "Referred to by", at->module, at->node->users, at->node->n_users);
    buf_cstr(p->b, "</div>\n");
    each_inner(at->state, inner_module, p);
    buf_cstr(p->b, "</div>\n");
    page_close(p);
}

static void module_page(struct page *p, const struct module *m)
{
    page_open(p, "/", module_id(m));
    ssize_t slash = str_rchr(module_id(m), '/');
    trail(p, slash < 0 ? STR("") : str_sub(module_id(m), 0, (size_t)slash));
    inner_module(p, m);
    page_close(p);
}

void page_component(struct page *p, struct str id)
{
    struct place at;
    const struct module *m;
    if (find_component(p->u->controller, id, &at))
        component(p, &at);
    else if (id.n > 0 && (m = controller_find_module(p->u->controller, id)))
        module_page(p, m);
    else
        not_found(p, id);
}
