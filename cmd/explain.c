/* weir explain: what a component takes and gives, from its schema tables.
 *
 *     weir explain              the components of this build, a line each
 *     weir explain NAME         arguments, blocks, types, defaults, allowed values, exports,
 * example weir explain --json [NAME]
 *
 * Reads const tables only; nothing is evaluated or started. */
#include "cmd/command.h"

#include <stdio.h>

#include "base/json.h"
#include "cmd/report.h"
#include "runtime/component.h"
#include "value/describe.h"

#define EXPLAIN_MAX (16u << 20)

static const char *level_of(const struct component_def *d)
{
    return d->community ? "community" : stability_name(d->stability);
}

static void member(struct json_out *j, const char *key, const char *value)
{
    json_key(j, str_of(key));
    json_str(j, str_of(value));
}

static void table(struct json_out *j, const char *key, const struct schema *s)
{
    if (!s) return;
    json_key(j, str_of(key));
    describe_schema(s, j);
}

static void component_json(const struct component_def *d, struct json_out *j)
{
    json_obj(j);
    member(j, "name", d->name);
    member(j, "summary", d->summary);
    member(j, "stability", level_of(d));
    if (d->example) member(j, "example", d->example);
    table(j, "configuration", d->args);
    table(j, "exports", d->exports);
    table(j, "debug_info", d->debug);
    json_obj_end(j);
}

static void print_doc(struct buf *b, const struct row *r, int indent)
{
    if (r->doc) buf_printf(b, "%*s%s\n", indent + 4, "", r->doc);
    if (!r->one_of) return;
    buf_printf(b, "%*sOne of:", indent + 4, "");
    for (const char *const *c = r->one_of; *c; c++)
        buf_printf(b, " \"%s\"", *c);
    buf_ch(b, '\n');
}

static void print_attr(struct buf *b, const struct row *r, int indent)
{
    struct arena a;
    arena_init(&a, 0);
    buf_printf(b, "%*s%s  %s", indent, "", r->name, describe_type(r, &a));
    if (r->required)
        buf_cstr(b, "  required");
    else if (r->def)
        buf_printf(b, "  default %s", r->def);
    if (r->deprecated) buf_cstr(b, "  deprecated");
    buf_ch(b, '\n');
    print_doc(b, r, indent);
    arena_done(&a);
}

static void print_schema(struct buf *b, const struct schema *s, int indent);

static void print_block(struct buf *b, const struct row *r, int indent)
{
    buf_printf(b, "%*s%s { }%s%s\n", indent, "", r->name, r->required ? "  required" : "",
               r->kind == K_BLOCKS ? "  repeatable" : "");
    print_doc(b, r, indent);
    if (r->sub) print_schema(b, r->sub, indent + 4);
}

static void print_variants(struct buf *b, const struct row *r, int indent)
{
    for (size_t i = 0; i < r->n_variants; i++) {
        buf_printf(b, "%*s%s { }  repeatable\n", indent, "", r->variants[i].name);
        if (r->variants[i].sub && indent < 16) print_schema(b, r->variants[i].sub, indent + 4);
    }
}

static void print_schema(struct buf *b, const struct schema *s, int indent)
{
    for (size_t i = 0; i < s->n_rows; i++) {
        const struct row *r = &s->rows[i];
        if (r->kind == K_ONE_OF)
            print_variants(b, r, indent);
        else if (kind_is_block(r->kind))
            print_block(b, r, indent);
        else
            print_attr(b, r, indent);
    }
}

static void component_text(const struct component_def *d, struct buf *b)
{
    buf_printf(b, "%s (%s)\n    %s\n\nArguments and blocks\n", d->name, level_of(d), d->summary);
    print_schema(b, d->args, 4);
    if (d->exports && d->exports->n_rows) {
        buf_cstr(b, "\nExports\n");
        print_schema(b, d->exports, 4);
    }
    if (d->example) buf_printf(b, "\nExample\n\n%s", d->example);
}

static void explain_one(const struct component_def *d, bool json, struct buf *b)
{
    if (!json) {
        component_text(d, b);
        return;
    }
    struct json_out j = {.b = b};
    component_json(d, &j);
    buf_ch(b, '\n');
}

static void explain_all(bool json, struct buf *b)
{
    struct json_out j = {.b = b};
    if (json) json_arr(&j);
    for (size_t i = 0; i < registry_count; i++) {
        if (json)
            component_json(registry_all[i], &j);
        else
            buf_printf(b, "%-36s %s\n", registry_all[i]->name, registry_all[i]->summary);
    }
    if (json) json_arr_end(&j);
    if (json) buf_ch(b, '\n');
}

static int unknown(const char *name)
{
    const struct component_def *near = NULL;
    const char *all = "`weir explain` lists them all.";
    int best = 6;
    for (size_t i = 0; i < registry_count; i++) {
        int d = str_distance(str_of(name), str_of(registry_all[i]->name), best);
        if (d < best) best = d, near = registry_all[i];
    }
    if (!near) return fail("this build has no component \"%s\". %s", name, all);
    return fail("this build has no component \"%s\"; did you mean \"%s\"? %s", name, near->name,
                all);
}

struct explain {
    bool json;
};

static const struct flag explain_flags[] = {
    FLAG(struct explain, json, "json", FLAG_BOOL, "false", "The same for machines."),
};

static int explain(const struct explain *o, const char *name)
{
    const struct component_def *d = name ? registry_find(str_of(name)) : NULL;
    if (name && !d) return unknown(name);
    struct buf b = BUF_INIT(EXPLAIN_MAX);
    if (d)
        explain_one(d, o->json, &b);
    else
        explain_all(o->json, &b);
    bool written = !buf_err(&b) && fwrite(b.p, 1, b.n, stdout) == b.n && fflush(stdout) == 0;
    buf_done(&b);
    return written ? 0 : fail("the answer could not be written");
}

static int cmd_explain(int argc, char **argv)
{
    struct explain o = {0};
    arg_list args = {0};
    int rc = command_parse(&explain_command, argc, argv, &o, &args);
    int code = rc == 0 ? explain(&o, args.n ? args.v[0] : NULL) : rc < 0;
    vec_done(&args);
    return code;
}

const struct command explain_command = {
    .name = "explain",
    .usage = "[flags] [NAME]",
    .summary = "List the components, or say what one takes and gives",
    .flags = {explain_flags, ARRAY_LEN(explain_flags)},
    .max_args = 1,
    .run = cmd_explain,
};
