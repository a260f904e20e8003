/* Nodes to values, led by rows. */
#include "components/prometheus/blackbox/yaml_value.h"

#include "base/num.h"

bool yaml_is_null(const struct yaml_node *n)
{
    static const char *const words[] = {"", "~", "null", "Null", "NULL"};

    if (n->kind != YAML_SCALAR || n->style != YAML_PLAIN) return false;
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (str_is(n->text, words[i])) return true;
    return false;
}

static bool is_one_of(struct str s, const char *const *words)
{
    for (; *words; words++)
        if (str_ieq(s, str_of(*words))) return true;
    return false;
}

static struct value boolean(const struct yaml_node *n)
{
    static const char *const yes[] = {"true", "yes", "on", "y", NULL};
    static const char *const no[] = {"false", "no", "off", "n", NULL};

    if (n->style == YAML_PLAIN && is_one_of(n->text, yes)) return value_bool(true);
    if (n->style == YAML_PLAIN && is_one_of(n->text, no)) return value_bool(false);
    return value_str(n->text);
}

static struct value number(const struct yaml_node *n)
{
    i64 i;
    f64 f;

    if (num_parse_i64(n->text, &i) == 0) return value_int(i);
    if (num_parse_f64(n->text, &f) == 0) return value_float(f);
    return value_str(n->text);
}

/* Without a row: texts, and lists and maps of them. */
static struct value any(const struct yaml_node *n)
{
    struct object_builder b = {0};

    if (yaml_is_null(n)) return value_null();
    if (n->kind == YAML_SCALAR) return value_str(n->text);
    if (n->kind == YAML_SEQ) {
        struct value v = value_array(n->n);
        for (size_t i = 0; i < n->n; i++)
            v.array->v[i] = any(n->items[i]);
        return v;
    }
    for (size_t i = 0; i + 1 < n->n; i += 2)
        object_set_take(&b, n->items[i]->text, any(n->items[i + 1]));
    return object_done(&b);
}

static struct value scalar(const struct yaml_node *n, enum kind kind)
{
    switch (kind) {
    case K_BOOL:
    case K_OPT_BOOL: return boolean(n);
    case K_I64:
    case K_F64:
    case K_OPT_I64:
    case K_OPT_F64: return number(n);
    default: return value_str(n->text);
    }
}

static struct value blocks(const struct yaml_node *n, const struct schema *s,
                           const char *const (*aliases)[2])
{
    struct value v = value_array(n->n);

    for (size_t i = 0; i < n->n; i++)
        v.array->v[i] =
            n->items[i]->kind == YAML_MAP ? yaml_object(n->items[i], s, aliases) : any(n->items[i]);
    return v;
}

static struct value member(const struct yaml_node *n, const struct row *row,
                           const char *const (*aliases)[2])
{
    if (!row) return any(n);
    if (row->sub && n->kind == YAML_MAP) return yaml_object(n, row->sub, aliases);
    if (row->kind == K_BLOCKS && n->kind == YAML_SEQ) return blocks(n, row->sub, aliases);
    return n->kind == YAML_SCALAR ? scalar(n, row->kind) : any(n);
}

/* The file's name of a row, if the table has another. */
static struct str known_as(struct str key, const struct schema *s, const char *const (*aliases)[2])
{
    for (; aliases && (*aliases)[0]; aliases++)
        if (str_is(key, (*aliases)[0]) && !schema_row(s, key) &&
            schema_row(s, str_of((*aliases)[1])))
            return str_of((*aliases)[1]);
    return key;
}

struct value yaml_object(const struct yaml_node *n, const struct schema *s,
                         const char *const (*aliases)[2])
{
    struct object_builder b = {0};

    for (size_t i = 0; i + 1 < n->n; i += 2) {
        struct str key = known_as(n->items[i]->text, s, aliases);
        if (yaml_is_null(n->items[i + 1])) continue; /* as if it were not there */
        object_set_take(&b, key, member(n->items[i + 1], schema_row(s, key), aliases));
    }
    return object_done(&b);
}
