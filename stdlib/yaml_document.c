/* YAML documents to values. Maps with keys that are no strings become opaque capsules; merge keys
 * are merged; duplicate keys refused. */
#include "stdlib/document.h"

#include <errno.h>
#include <stdlib.h>
#include "base/map.h"
#include "base/xalloc.h"
#include "stdlib/yaml_scalar.h"
#include "value/limits.h"

static int node_value(const struct yaml_node *n, struct value *ret, char **err);

/* --- maps with other keys than strings: an object by the JSON of their keys, wrapped --- */

static void other_destroy(void *data)
{
    value_unref(*(struct value *)data);
    free(data);
}

static bool other_equal(const void *a, const void *b)
{
    return value_equal(*(const struct value *)a, *(const struct value *)b);
}

static const struct capsule_type other_map = {
    .name = "map[interface {}]interface {}",
    .destroy = other_destroy,
    .equal = other_equal,
};

static struct value wrap(struct value object)
{
    return value_capsule(&other_map, xmemdup(&object, sizeof(object)));
}

/* --- maps --- */

struct map_build {
    struct object_builder members;
    struct map seen; /* all keys, merged ones included, as they are in the object */
    bool other_keys;
    char **err;
};

static int fail(struct map_build *b, const struct yaml_node *at, const char *what)
{
    *b->err = xprintf("yaml: line %u: %s", at->line, what);
    return -EINVAL;
}

/* The JSON of a key tells 1 from "1". In a map of strings (which merged others fill up) all keys
 * are texts as written. */
static void key_text(const struct yaml_node *node, struct value key, bool json, struct buf *out)
{
    if (json)
        value_json(key, out);
    else if (node->tag.n > 0 && key.type == V_STRING)
        buf_str(out, value_text(key));
    else if (key.type != V_NULL)
        buf_str(out, node->text);
}

static int put(struct map_build *b, const struct yaml_node *key_node,
               const struct yaml_node *value_node, bool json, bool merged)
{
    struct value key, v;
    if (yaml_scalar(key_node, &key, b->err)) return -EINVAL;
    struct buf text = BUF_INIT(VALUE_TEXT_MAX * 8);
    key_text(key_node, key, json, &text);
    value_unref(key);
    bool skip = merged && map_has(&b->seen, buf_view(&text));
    int rc = skip ? 0 : node_value(value_node, &v, b->err);
    if (!rc && !skip) {
        object_set_take(&b->members, buf_view(&text), v);
        map_put(&b->seen, buf_view(&text), b);
    }
    buf_done(&text);
    return rc;
}

/* Another tag than !!str makes a key another thing than a string, whatever its text. */
static bool is_string(const struct yaml_node *key)
{
    if (key->tag.n > 0) return str_is(key->tag, "tag:yaml.org,2002:str");
    return key->style != YAML_PLAIN || yaml_plain_is_string(key->text);
}

static int check_key(struct map_build *b, const struct yaml_node *key, struct map *seen)
{
    if (key->kind != YAML_SCALAR)
        return fail(b, key, "invalid map key: lists and maps cannot be keys");
    if (map_has(seen, key->text)) return fail(b, key, "a mapping key is defined twice");
    map_put(seen, key->text, b);
    return 0;
}

static int check_keys(struct map_build *b, const struct yaml_node *n, bool *ret_other)
{
    struct map seen = {0};
    int rc = 0;
    for (size_t i = 0; i + 1 < n->n && !rc; i += 2) {
        rc = check_key(b, n->items[i], &seen);
        if (!rc && !yaml_is_merge(n->items[i]) && !is_string(n->items[i])) *ret_other = true;
    }
    map_done(&seen, NULL);
    return rc;
}

static int merge(struct map_build *b, const struct yaml_node *from, bool json, int depth);

static int merge_map(struct map_build *b, const struct yaml_node *from, bool json, int depth)
{
    bool other = false;
    int rc = check_keys(b, from, &other);
    for (size_t i = 0; i + 1 < from->n && !rc; i += 2)
        if (!yaml_is_merge(from->items[i]))
            rc = put(b, from->items[i], from->items[i + 1], json, true);
    for (size_t i = 0; i + 1 < from->n && !rc; i += 2)
        if (yaml_is_merge(from->items[i])) rc = merge(b, from->items[i + 1], json, depth + 1);
    return rc;
}

/* What is already there wins, of several maps the first. */
static int merge(struct map_build *b, const struct yaml_node *from, bool json, int depth)
{
    int rc = 0;
    if (from->kind == YAML_MAP) return merge_map(b, from, json, depth);
    if (from->kind != YAML_SEQ || depth > YAML_MAX_DEPTH)
        return fail(b, from, "map merge requires map or sequence of maps as the value");
    for (size_t i = 0; i < from->n && !rc; i++)
        rc = from->items[i]->kind == YAML_MAP
                 ? merge_map(b, from->items[i], json, depth)
                 : fail(b, from->items[i],
                        "map merge requires map or sequence of maps as the value");
    return rc;
}

static int fill(struct map_build *b, const struct yaml_node *n)
{
    int rc = check_keys(b, n, &b->other_keys);
    for (size_t i = 0; i + 1 < n->n && !rc; i += 2)
        if (!yaml_is_merge(n->items[i]))
            rc = put(b, n->items[i], n->items[i + 1], b->other_keys, false);
    for (size_t i = 0; i + 1 < n->n && !rc; i += 2)
        if (yaml_is_merge(n->items[i])) rc = merge(b, n->items[i + 1], b->other_keys, 0);
    return rc;
}

static int map_value(const struct yaml_node *n, struct value *ret, char **err)
{
    struct map_build b = {.err = err};
    int rc = fill(&b, n);
    struct value object = object_done(&b.members);
    map_done(&b.seen, NULL);
    if (rc)
        value_unref(object);
    else
        *ret = b.other_keys ? wrap(object) : object;
    return rc;
}

/* --- all --- */

static int seq_value(const struct yaml_node *n, struct value *ret, char **err)
{
    struct value a = value_array(n->n);
    for (size_t i = 0; i < n->n; i++) {
        if (node_value(n->items[i], &a.array->v[i], err)) {
            value_unref(a);
            return -EINVAL;
        }
    }
    *ret = a;
    return 0;
}

static int node_value(const struct yaml_node *n, struct value *ret, char **err)
{
    switch (n->kind) {
    case YAML_SCALAR: return yaml_scalar(n, ret, err);
    case YAML_SEQ: return seq_value(n, ret, err);
    case YAML_MAP: return map_value(n, ret, err);
    }
    UNREACHABLE();
}

/* The reference reads documents of version 1.1 only. */
static bool other_version(struct str text)
{
    while (text.n > 0) {
        struct str line = str_trim(str_cut(&text, '\n'));
        if (str_starts(line, STR("%YAML")))
            return !str_is(str_trim(str_sub(line, 5, line.n)), "1.1");
        bool directive = line.n == 0 || line.p[0] == '#' || line.p[0] == '%';
        if (!directive) return false;
    }
    return false;
}

int yaml_document(struct str text, struct value *ret, char **err)
{
    struct arena arena;
    struct yaml_node *root = NULL;
    const char *why = NULL;
    if (other_version(text)) {
        *err = xstrdup("yaml: found incompatible YAML document");
        return -EINVAL;
    }
    arena_init(&arena, 0);
    int rc = yaml_parse(text, &arena, &root, &why);
    if (rc)
        *err = xstrdup(why);
    else if (root)
        rc = node_value(root, ret, err);
    else
        *ret = value_null();
    arena_done(&arena);
    return rc ? -EINVAL : 0;
}
