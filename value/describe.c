/* Schema tables as JSON for people and tools. Sub-tables are followed as deep as they go; a table
 * that contains itself ends at DESCRIBE_DEPTH, an ordered group that does is said once. */
#include "value/describe.h"

#include <stdlib.h>
#include "base/json.h"
#include "base/xalloc.h"

#define DESCRIBE_DEPTH 8

static const char *const kind_names[] = {
    [K_BOOL] = "bool",
    [K_I64] = "number",
    [K_F64] = "number",
    [K_STR] = "string",
    [K_DUR] = "duration",
    [K_BYTES] = "string",
    [K_SECRET] = "secret",
    [K_OPT_SECRET] = "secret",
    [K_OPT_STR] = "string",
    [K_OPT_I64] = "number",
    [K_OPT_F64] = "number",
    [K_OPT_BOOL] = "bool",
    [K_OPT_DUR] = "duration",
    [K_STR_LIST] = "list(string)",
    [K_STR_MAP] = "map(string)",
    [K_SECRET_MAP] = "map(secret)",
    [K_ANY] = "any",
    [K_BLOCK] = "block",
    [K_BLOCK_PTR] = "block",
    [K_BLOCKS] = "block",
    [K_ONE_OF] = "blocks",
    [K_LABEL] = "label",
    [K_MAP_BLOCK] = "block",
};

static const char *capsule_name(const struct row *r)
{
    if (r->capsule_name) return r->capsule_name;
    return r->capsule ? r->capsule->name : "any";
}

const char *describe_type(const struct row *r, struct arena *a)
{
    if (r->kind == K_CAPSULE) return arena_printf(a, "capsule(%s)", capsule_name(r));
    if (r->kind == K_CAPSULE_LIST) return arena_printf(a, "list(%s)", capsule_name(r));
    if (r->shape) return r->shape->name;
    ASSERT((size_t)r->kind < ARRAY_LEN(kind_names));
    return kind_names[r->kind];
}

static void member_str(struct json_out *j, const char *key, const char *value)
{
    if (!value) return;
    json_key(j, str_of(key));
    json_str(j, str_of(value));
}

static void member_flag(struct json_out *j, const char *key, bool on)
{
    if (!on) return;
    json_key(j, str_of(key));
    json_bool(j, true);
}

static void describe_choices(const struct row *r, struct json_out *j)
{
    if (!r->one_of) return;
    json_key(j, STR("enum"));
    json_arr(j);
    for (const char *const *c = r->one_of; *c; c++)
        json_str(j, str_of(*c));
    json_arr_end(j);
}

static void describe_bounds(const struct row *r, struct json_out *j)
{
    if (r->has_min) {
        json_key(j, STR("min"));
        json_f64(j, r->min);
    }
    if (r->has_max) {
        json_key(j, STR("max"));
        json_f64(j, r->max);
    }
}

static void describe_common(const struct row *r, struct json_out *j)
{
    member_str(j, "doc", r->doc);
    member_flag(j, "required", r->required);
    member_flag(j, "deprecated", r->deprecated);
    member_str(j, "alias_of", r->alias_of);
    if (r->stability != STABILITY_GA) member_str(j, "stability", stability_name(r->stability));
}

static void describe_attr(const struct row *r, struct json_out *j)
{
    struct arena scratch;
    arena_init(&scratch, 0);
    json_obj(j);
    member_str(j, "name", r->name);
    member_str(j, "type", describe_type(r, &scratch));
    describe_common(r, j);
    member_str(j, "default", r->def);
    if (r->kind == K_BYTES) member_str(j, "format", "bytesize");
    member_flag(j, "accepts_plain_string", r->kind == K_OPT_SECRET);
    member_flag(j, "default_computed", r->def_fn != NULL);
    describe_choices(r, j);
    describe_bounds(r, j);
    json_obj_end(j);
    arena_done(&scratch);
}

/* How deep it is, and the ordered group that what is described belongs to (its variants). */
struct place {
    int depth;
    const struct one_of_def *group;
};
static void describe_at(const struct schema *s, struct json_out *j, struct place at);

static void block_head(const char *name, struct json_out *j)
{
    json_obj(j);
    member_str(j, "name", name);
}

static void describe_block(const struct row *r, struct json_out *j, struct place at)
{
    block_head(r->name, j);
    describe_common(r, j);
    member_flag(j, "repeatable", r->kind == K_BLOCKS);
    member_flag(j, "freeform", r->kind == K_MAP_BLOCK);
    if (!r->required && r->kind != K_BLOCKS)
        member_str(j, "if_omitted", r->kind == K_BLOCK_PTR ? "absent" : "same_defaults");
    if (r->sub) describe_at(r->sub, j, (struct place){at.depth + 1, at.group});
    json_obj_end(j);
}

/* A group that holds itself (stages of a match) is said once. */
static void describe_again(const struct row *r, struct json_out *j)
{
    char *name = xprintf("%s.*", r->name);

    block_head(name, j);
    member_str(j, "doc", "The same blocks as around it.");
    member_flag(j, "repeatable", true);
    member_str(j, "ordered_group", r->name);
    member_flag(j, "recursive", true);
    describe_at(&(struct schema)SCHEMA_EMPTY, j, (struct place){0});
    json_obj_end(j);
    free(name);
}

static void describe_variants(const struct row *r, struct json_out *j, struct place at)
{
    if (r->variants == at.group) {
        describe_again(r, j);
        return;
    }
    for (size_t i = 0; i < r->n_variants; i++) {
        block_head(r->variants[i].name, j);
        if (r->variants[i].doc) member_str(j, "doc", r->variants[i].doc);
        member_flag(j, "repeatable", true);
        member_str(j, "ordered_group", r->name);
        if (r->variants[i].sub)
            describe_at(r->variants[i].sub, j, (struct place){at.depth + 1, r->variants});
        json_obj_end(j);
    }
}

static void describe_blocks(const struct schema *s, struct json_out *j, struct place at)
{
    json_key(j, STR("blocks"));
    json_arr(j);
    for (size_t i = 0; i < s->n_rows && at.depth < DESCRIBE_DEPTH; i++) {
        const struct row *r = &s->rows[i];
        if (r->kind == K_ONE_OF)
            describe_variants(r, j, at);
        else if (kind_is_block(r->kind))
            describe_block(r, j, at);
    }
    json_arr_end(j);
}

static void describe_at(const struct schema *s, struct json_out *j, struct place at)
{
    json_key(j, STR("arguments"));
    json_arr(j);
    for (size_t i = 0; i < s->n_rows; i++)
        if (!kind_is_block(s->rows[i].kind)) describe_attr(&s->rows[i], j);
    json_arr_end(j);
    member_flag(j, "freeform", s->freeform);
    describe_blocks(s, j, at);
}

void describe_schema(const struct schema *s, struct json_out *j)
{
    json_obj(j);
    describe_at(s, j, (struct place){0});
    json_obj_end(j);
}

void describe_row(const struct row *r, struct json_out *j)
{
    if (kind_is_block(r->kind))
        describe_block(r, j, (struct place){0});
    else
        describe_attr(r, j);
}
