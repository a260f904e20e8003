/* Structs back to values, and to the API's list of statements. What a reader would not have written
 * is left out: optional rows equal to their default; lists and maps only when both are empty,
 * because they are not compared. */
#include "value/encode.h"

#include "base/assert.h"
#include "base/json.h"
#include "value/decode.h"
#include "value/member.h"

struct list {
    const char *v;
    size_t n;
};

static const void *at(const void *data, const struct row *row)
{
    return (const char *)data + row->off;
}

static const void *pointee(const void *member)
{
    return *(const void *const *)member;
}

static const struct value *rest_of(const struct schema *s, const void *data)
{
    return (const void *)((const char *)data + s->rest_off);
}

static bool is_label(const struct row *row)
{
    return row->kind == K_LABEL;
}

/* --- what is left out --- */

static bool is_zero(struct value v)
{
    struct str s;
    bool secret;
    switch ((enum vtype)v.type) {
    case V_NULL: return true;
    case V_NUMBER: return value_num_f64(v) == 0;
    case V_STRING: return v.text->n == 0;
    case V_BOOL: return !v.b;
    case V_ARRAY: return v.array->n == 0;
    case V_OBJECT: return v.object->n == 0;
    case V_FUNCTION: return false;
    case V_CAPSULE: return value_secret_text(v, &s, &secret) && s.n == 0;
    }
    UNREACHABLE();
}

static bool is_composite(struct value v)
{
    return v.type == V_ARRAY || v.type == V_OBJECT;
}

static bool attr_is_default(const struct row *row, const void *member, const void *def)
{
    struct value v = member_get(row, member), d = member_get(row, def);
    bool same = (is_zero(v) && is_zero(d)) || (!is_composite(v) && value_same(v, d));
    value_unref(v);
    value_unref(d);
    return same;
}

static bool body_is_default(const struct schema *s, const void *data, const void *def);

static bool row_is_default(const struct row *row, const void *member, const void *def)
{
    switch (row->kind) {
    case K_BLOCK: return body_is_default(row->sub, member, def);
    case K_BLOCK_PTR: return pointee(member) == NULL;
    case K_BLOCKS:
    case K_ONE_OF: return ((const struct list *)member)->n == 0;
    case K_LABEL: return true;
    case ATTR_KINDS:
    case K_MAP_BLOCK: return attr_is_default(row, member, def);
    }
    UNREACHABLE();
}

static bool body_is_default(const struct schema *s, const void *data, const void *def)
{
    for (size_t i = 0; i < s->n_rows; i++) {
        const struct row *row = &s->rows[i];
        if (!row->alias_of && !row_is_default(row, at(data, row), at(def, row))) return false;
    }
    return !schema_keeps_rest(s) || is_zero(*rest_of(s, data));
}

/* --- statements --- */

static void statement(struct json_out *j, struct str name, const char *type)
{
    json_obj(j);
    json_key(j, STR("name"));
    json_str(j, name);
    json_key(j, STR("type"));
    json_str(j, str_of(type));
}

static void attr_statement(struct json_out *j, struct str name, struct value v)
{
    statement(j, name, "attr");
    json_key(j, STR("value"));
    value_api_json(v, j);
    json_obj_end(j);
}

static void label(struct json_out *j, const struct schema *s, const void *data)
{
    const struct row *row = schema_label(s);
    if (!row) return;
    const struct str *text = at(data, row);
    if (text->n == 0) return;
    json_key(j, STR("label"));
    json_str(j, *text);
}

static void block_statement(struct json_out *j, const char *name, const struct schema *s,
                            const void *data)
{
    statement(j, str_of(name), "block");
    label(j, s, data);
    json_key(j, STR("body"));
    encode_json(s, data, j);
    json_obj_end(j);
}

static void members(struct json_out *j, const struct value *object)
{
    for (size_t i = 0; object->type == V_OBJECT && i < object->object->n; i++) {
        const struct vmember *m = &object->object->m[i];
        attr_statement(j, str_n(m->key->p, m->key->n), m->value);
    }
}

static void map_statement(struct json_out *j, const char *name, const struct value *map)
{
    statement(j, str_of(name), "block");
    json_key(j, STR("body"));
    json_arr(j);
    members(j, map);
    json_arr_end(j);
    json_obj_end(j);
}

static void attr(struct json_out *j, const struct row *row, const void *member)
{
    struct value v = member_get(row, member);
    attr_statement(j, str_of(row->name), v);
    value_unref(v);
}

static void repeated(struct json_out *j, const struct row *row, const struct list *l)
{
    for (size_t i = 0; i < l->n; i++)
        block_statement(j, row->name, row->sub, l->v + i * row->elem_size);
}

static void ordered(struct json_out *j, const struct one_of_list *l)
{
    for (size_t i = 0; i < l->n; i++)
        block_statement(j, l->v[i].def->name, l->v[i].def->sub, l->v[i].args);
}

static void statements(struct json_out *j, const struct row *row, const void *member)
{
    switch (row->kind) {
    case K_BLOCK: /* of an opaque body nothing was read that could be shown */
        if (!row->sub->opaque) block_statement(j, row->name, row->sub, member);
        return;
    case K_BLOCK_PTR:
        if (pointee(member)) block_statement(j, row->name, row->sub, pointee(member));
        return;
    case K_BLOCKS: repeated(j, row, member); return;
    case K_ONE_OF: ordered(j, member); return;
    case K_MAP_BLOCK: map_statement(j, row->name, member); return;
    case K_LABEL: return; /* stands in the block's own statement */
    case ATTR_KINDS: attr(j, row, member); return;
    }
    UNREACHABLE();
}

static void body(struct json_out *j, const struct schema *s, const void *data, const void *def)
{
    for (size_t i = 0; i < s->n_rows; i++) {
        const struct row *row = &s->rows[i];
        if (row->alias_of) continue;
        if (row->required || !row_is_default(row, at(data, row), at(def, row)))
            statements(j, row, at(data, row));
    }
    if (schema_keeps_rest(s)) members(j, rest_of(s, data));
}

void encode_json(const struct schema *s, const void *data, struct json_out *j)
{
    struct arena arena;
    json_arr(j);
    if (data) {
        arena_init(&arena, s->size + 512);
        void *def = arena_alloc(&arena, s->size);
        decode_defaults(s, &arena, def);
        body(j, s, data, def);
        arena_done(&arena);
    }
    json_arr_end(j);
}

/* --- values --- */

static struct value blocks_value(const struct row *row, const struct list *l)
{
    struct value v = value_array(l->n);
    for (size_t i = 0; i < l->n; i++)
        v.array->v[i] = encode_value(row->sub, l->v + i * row->elem_size);
    return v;
}

static struct value ordered_value(const struct one_of_list *l)
{
    struct value v = value_array(l->n);
    for (size_t i = 0; i < l->n; i++) {
        struct object_builder b = {0};
        object_set_take(&b, str_of(l->v[i].def->name),
                        encode_value(l->v[i].def->sub, l->v[i].args));
        v.array->v[i] = object_done(&b);
    }
    return v;
}

/* A field that is not set reads as the zero of its type. */
static struct value attr_value(const struct row *row, const void *member)
{
    struct value v = member_get(row, member);
    if (v.type != V_NULL) return v;
    if (row->kind == K_OPT_STR) return value_cstr("");
    if (row->kind == K_OPT_DUR) return value_cstr("0s");
    if (row->kind == K_OPT_SECRET) return value_opt_secret(STR(""), false);
    if (row->kind == K_OPT_BOOL) return value_bool(false);
    if (row->kind == K_OPT_I64 || row->kind == K_OPT_F64) return value_int(0);
    return v;
}

static struct value row_value(const struct row *row, const void *member)
{
    switch (row->kind) {
    case K_BLOCK: return encode_value(row->sub, member);
    case K_BLOCK_PTR:
        return pointee(member) ? encode_value(row->sub, pointee(member)) : value_null();
    case K_BLOCKS: return blocks_value(row, member);
    case K_ONE_OF: return ordered_value(member);
    case ATTR_KINDS:
    case K_LABEL:
    case K_MAP_BLOCK: return attr_value(row, member);
    }
    UNREACHABLE();
}

struct value encode_value(const struct schema *s, const void *data)
{
    struct object_builder b = {.ordered = true};
    for (size_t i = 0; i < s->n_rows; i++)
        if (!s->rows[i].alias_of && !is_label(&s->rows[i]))
            object_set_take(&b, str_of(s->rows[i].name),
                            row_value(&s->rows[i], at(data, &s->rows[i])));
    const struct value *rest = schema_keeps_rest(s) ? rest_of(s, data) : NULL;
    for (size_t i = 0; rest && rest->type == V_OBJECT && i < rest->object->n; i++) {
        const struct vmember *m = &rest->object->m[i];
        object_set_take(&b, str_n(m->key->p, m->key->n), value_ref(m->value));
    }
    return object_done(&b);
}
