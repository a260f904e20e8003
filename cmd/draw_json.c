/* A drawing as JSON: {"nodes": [...], "edges": [...]}. The nodes of a group say in which. */
#include "base/json.h"
#include "cmd/drawing.h"

static void member(struct json_out *j, const char *key, struct str value)
{
    json_key(j, str_of(key));
    json_str(j, value);
}

static void put_node(const struct drawing *d, const struct drawn *n, struct json_out *j)
{
    json_obj(j);
    member(j, "id", str_of(n->id));
    member(j, "name", n->name);
    member(j, "label", n->label);
    if (n->group != NO_GROUP) member(j, "group", str_of(d->nodes.v[n->group].id));
    if (n->is_group) {
        json_key(j, STR("is_group"));
        json_bool(j, true);
    }
    json_obj_end(j);
}

static void put_link(const struct drawing *d, const struct link *l, struct json_out *j)
{
    json_obj(j);
    member(j, "from", str_of(d->nodes.v[l->from].id));
    member(j, "to", str_of(d->nodes.v[l->to].id));
    member(j, "signal", str_of(l->flow->name));
    json_obj_end(j);
}

void draw_json(const struct drawing *d, struct buf *out)
{
    struct json_out j = {.b = out};
    json_obj(&j);
    json_key(&j, STR("nodes"));
    json_arr(&j);
    for (const struct drawn *n = d->nodes.v, *end = n + d->nodes.n; n < end; n++)
        if (!n->hidden) put_node(d, n, &j);
    json_arr_end(&j);
    json_key(&j, STR("edges"));
    json_arr(&j);
    for (const struct link *l = d->links.v, *end = l + d->links.n; l < end; l++)
        if (drawing_shows(d, l)) put_link(d, l, &j);
    json_arr_end(&j);
    json_obj_end(&j);
    buf_ch(out, '\n');
}
