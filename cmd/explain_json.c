/* A topic as JSON, for tools; the reference pages are made of it. */
#include "base/json.h"
#include "cmd/topic.h"
#include "value/describe.h"

static void member(struct json_out *j, const char *key, const char *value)
{
    json_key(j, str_of(key));
    json_str(j, str_of(value));
}

static void member_bool(struct json_out *j, const char *key, bool value)
{
    json_key(j, str_of(key));
    json_bool(j, value);
}

static void table(struct json_out *j, const char *key, const struct schema *s)
{
    if (!s) return;
    json_key(j, str_of(key));
    describe_schema(s, j);
}

static void put_def(const struct topic *t, struct json_out *j)
{
    const struct component_def *d = t->def;
    member(j, "stability", d->community ? "community" : stability_name(d->stability));
    if (t->kind == TOPIC_COMPONENT) member_bool(j, "runs_here", !d->foreign);
    if (d->example) member(j, "example", d->example);
    table(j, "configuration", d->args);
    table(j, "exports", d->exports);
    table(j, "debug_info", d->debug);
}

static void put_param(const struct func_param *p, struct json_out *j)
{
    json_obj(j);
    json_key(j, STR("name"));
    json_str(j, p->name);
    json_key(j, STR("type"));
    json_str(j, p->type);
    if (p->repeats) member_bool(j, "repeats", true);
    if (p->optional) member_bool(j, "optional", true);
    json_obj_end(j);
}

static void put_params(const struct func *f, struct json_out *j)
{
    struct func_param p;
    json_key(j, STR("parameters"));
    json_arr(j);
    for (size_t i = 0; func_param(f, i, &p); i++)
        put_param(&p, j);
    json_arr_end(j);
}

static void put_func(const struct func *f, struct json_out *j)
{
    const struct func *instead = stdlib_instead(f);
    struct buf b = BUF_INIT(4096);
    func_signature(f, &b);
    json_key(j, STR("signature"));
    json_str(j, buf_view(&b));
    buf_done(&b);
    put_params(f, j);
    member(j, "returns", f->returns);
    member(j, "stability", stability_name(f->experimental ? STABILITY_EXPERIMENTAL : STABILITY_GA));
    if (!instead) return;
    member_bool(j, "deprecated", true);
    member(j, "instead", instead->name);
}

void explain_json(const struct topic *t, struct json_out *j)
{
    json_obj(j);
    member(j, "name", t->name);
    member(j, "kind", topic_kind_name(t->kind));
    member(j, "summary", t->summary);
    if (t->def) put_def(t, j);
    if (t->func) put_func(t->func, j);
    if (t->kind == TOPIC_CONSTANT) member(j, "type", "string");
    json_obj_end(j);
}

void explain_part_json(const struct topic *t, struct str path, const struct part *p,
                       struct json_out *j)
{
    json_obj(j);
    member(j, "of", t->name);
    json_key(j, STR("path"));
    json_str(j, path);
    member_bool(j, "exported", p->exported);
    if (p->variant) {
        member(j, "kind", "block");
        table(j, "configuration", p->variant->sub);
    } else {
        member(j, "kind", kind_is_block(p->row->kind) ? "block" : "argument");
        json_key(j, STR("description"));
        describe_row(p->row, j);
    }
    json_obj_end(j);
}
