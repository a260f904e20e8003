/* One component as the API shows it. Keys and their order: spec runtime.md 13. */
#include "ui/find.h"
#include "ui/ui_impl.h"

#include "runtime/tap/tap.h"
#include "value/encode.h"

static void member_str(struct json_out *j, const char *key, struct str v)
{
    json_key(j, str_of(key));
    json_str(j, v);
}

static bool is_component(const struct module *m, u32 rank)
{
    return node_is_component(&m->tmpl->nodes[rank]);
}

static void ids(struct json_out *j, const char *key, const struct module *m, const u32 *ranks,
                size_t n)
{
    json_key(j, str_of(key));
    json_arr(j);
    for (size_t i = 0; i < n; i++)
        if (is_component(m, ranks[i])) json_str(j, str_of(m->tmpl->nodes[ranks[i]].id));
    json_arr_end(j);
}

/* Does any reference of `from` to `to` carry data in this direction? */
static bool has_edge(const struct module *m, u32 from, u32 to, bool flow)
{
    const struct node *n = &m->tmpl->nodes[from];
    for (size_t e = 0; e < n->n_edges; e++) {
        struct edge edge = module_edge(m, &n->edges[e]);
        if (edge.up == 0 && edge.to == to && edge_is_flow(&edge) == flow) return true;
    }
    return false;
}

/* Receivers it refers to, and those that read its other exports. */
static void flow_edges(struct json_out *j, const struct module *m, u32 rank)
{
    const struct node *n = &m->tmpl->nodes[rank];
    json_key(j, STR("dataFlowEdgesTo"));
    json_arr(j);
    for (size_t i = 0; i < n->n_deps; i++)
        if (is_component(m, n->deps[i]) && has_edge(m, rank, n->deps[i], true))
            json_str(j, str_of(m->tmpl->nodes[n->deps[i]].id));
    for (size_t i = 0; i < n->n_users; i++)
        if (is_component(m, n->users[i]) && has_edge(m, n->users[i], rank, false))
            json_str(j, str_of(m->tmpl->nodes[n->users[i]].id));
    json_arr_end(j);
}

static void health(struct json_out *j, const struct node_state *s)
{
    const struct health_part *worst = node_health_worst(&s->health);
    struct buf when = BUF_INIT(64);
    time_rfc3339(&when, worst->when, true);
    json_key(j, STR("health"));
    json_obj(j);
    member_str(j, "state", str_of(health_name(worst->state)));
    member_str(j, "message", str_of(worst->text));
    member_str(j, "updatedTime", buf_view(&when));
    json_obj_end(j);
    buf_done(&when);
}

static void nothing(struct json_out *j)
{
    json_arr(j);
    json_arr_end(j);
}

void component_arguments(struct json_out *j, const struct node_state *s)
{
    if (s->plan && s->def->args)
        encode_json(s->def->args, s->plan->args, j);
    else
        nothing(j);
}

void component_exports(struct json_out *j, const struct node_state *s)
{
    struct value v = node_state_exports(s);
    json_arr(j);
    for (size_t i = 0; v.type == V_OBJECT && i < v.object->n; i++) {
        const struct vmember *m = &v.object->m[i];
        json_obj(j);
        member_str(j, "name", str_n(m->key->p, m->key->n));
        member_str(j, "type", STR("attr"));
        json_key(j, STR("value"));
        value_api_json(m->value, j);
        json_obj_end(j);
    }
    json_arr_end(j);
}

void component_debug_info(struct json_out *j, const struct node_state *s)
{
    if (!s->def->debug || !s->def->debug_info || !s->instance) {
        nothing(j);
        return;
    }
    struct arena a;
    arena_init(&a, 0);
    void *out = arena_alloc(&a, s->def->debug->size);
    s->def->debug_info(instance_comp(s->instance), &a, out);
    encode_json(s->def->debug, out, j);
    arena_done(&a);
}

bool component_is_tapped(const struct node_state *s)
{
    return s->instance && component_is_live(s->def);
}

static void add_module_id(void *arg, const struct module *m)
{
    struct buf *out = arg;
    struct json_out one = {.b = out, .html = true};
    if (out->n > 0) buf_ch(out, ',');
    json_str(&one, module_id(m));
}

/* Left out when there are none. */
static void created_modules(struct json_out *j, const struct node_state *s)
{
    struct buf list = BUF_INIT(UI_BODY_MAX);
    each_inner(s, add_module_id, &list);
    if (list.n > 0) {
        json_key(j, STR("createdModuleIDs"));
        json_arr(j);
        json_raw(j, buf_view(&list));
        json_arr_end(j);
    }
    buf_done(&list);
}

void component_json(const struct module *m, u32 rank, bool details, struct json_out *j)
{
    const struct node *n = &m->tmpl->nodes[rank];
    const struct node_state *s = m->states[rank];
    json_obj(j);
    member_str(j, "name", str_of(n->name));
    member_str(j, "type", STR("block"));
    member_str(j, "localID", str_of(n->id));
    member_str(j, "moduleID", module_id(m));
    if (n->block && n->block->has_label) member_str(j, "label", n->block->label);
    ids(j, "referencesTo", m, n->deps, n->n_deps);
    ids(j, "referencedBy", m, n->users, n->n_users);
    flow_edges(j, m, rank);
    health(j, s);
    member_str(j, "original", STR(""));
    json_key(j, STR("arguments"));
    details ? component_arguments(j, s) : nothing(j);
    json_key(j, STR("exports"));
    details ? component_exports(j, s) : nothing(j);
    json_key(j, STR("debugInfo"));
    details ? component_debug_info(j, s) : nothing(j);
    created_modules(j, s);
    json_key(j, STR("liveDebuggingEnabled"));
    json_bool(j, component_is_tapped(s));
    json_obj_end(j);
}

void component_list_json(const struct module *m, struct json_out *j)
{
    json_arr(j);
    for (u32 r = 0; m && r < m->tmpl->n; r++)
        if (is_component(m, r)) component_json(m, r, false, j);
    json_arr_end(j);
}

/* Clustering is off: the one node, which owns everything. */
void peers_json(const struct ui *u, struct json_out *j)
{
    json_arr(j);
    json_obj(j);
    member_str(j, "name", str_of(u->node_name));
    member_str(j, "addr", http_listener_addr(u->listener));
    json_key(j, STR("isSelf"));
    json_bool(j, true);
    member_str(j, "state", STR("participant"));
    json_obj_end(j);
    json_arr_end(j);
}
