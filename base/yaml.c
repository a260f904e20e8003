/* Composing trees from libyaml's events. Recursion follows the nesting, which is limited. */
#include "base/yaml.h"

#include <errno.h>
#include <yaml.h>
#include "base/assert.h"
#include "base/vec.h"

struct anchor {
    struct str name;
    struct yaml_node *node; /* NULL while it is being composed */
};

struct yaml_reader {
    yaml_parser_t parser;
    struct arena *arena;
    size_t nodes, max_nodes;
    int depth, max_depth;
    VEC(struct anchor) anchors;
    const char *err;
    struct yaml_fault fault;
};

struct yaml_reader *yaml_reader_new(struct str text, struct arena *a)
{
    struct yaml_reader *r = xnew(struct yaml_reader);
    int ok = yaml_parser_initialize(&r->parser);

    ASSERT(ok);
    yaml_parser_set_input_string(&r->parser, (const unsigned char *)(text.n ? text.p : ""), text.n);
    r->arena = a;
    yaml_reader_limit(r, YAML_MAX_NODES, YAML_MAX_DEPTH);
    return r;
}

void yaml_reader_free(struct yaml_reader *r)
{
    if (!r) return;
    yaml_parser_delete(&r->parser);
    vec_done(&r->anchors);
    free(r);
}

void yaml_reader_limit(struct yaml_reader *r, size_t max_nodes, int max_depth)
{
    r->max_nodes = max_nodes;
    r->max_depth = max_depth;
}

/* --- errors and events --- */

static int fail(struct yaml_reader *r, yaml_mark_t at, const char *what, const char *name)
{
    if (r->err) return -EBADMSG;
    r->fault = (struct yaml_fault){
        .what = arena_printf(r->arena, "%s%s%s", what, name ? " " : "", name ? name : ""),
        .index = at.index};
    r->err = arena_printf(r->arena, "yaml: line %zu: %s", at.line + 1, r->fault.what);
    return -EBADMSG;
}

static int next_event(struct yaml_reader *r, yaml_event_t *ev)
{
    if (yaml_parser_parse(&r->parser, ev)) return 0;
    const char *problem = r->parser.problem;
    return fail(r, r->parser.problem_mark, problem ? problem : "unknown problem", NULL);
}

/* --- nodes --- */

static int compose(struct yaml_reader *r, yaml_event_t *ev, struct yaml_node **ret);

static struct str keep(struct yaml_reader *r, const yaml_char_t *s)
{
    return s ? arena_str(r->arena, str_of((const char *)s)) : (struct str){0};
}

/* Every place in the tree counts, those that an alias opens included. */
static int count(struct yaml_reader *r, const yaml_event_t *ev, size_t n)
{
    if (n > r->max_nodes - r->nodes)
        return fail(r, ev->start_mark, "document contains excessive aliasing or is too large",
                    NULL);
    r->nodes += n;
    return 0;
}

static struct yaml_node *node_new(struct yaml_reader *r, const yaml_event_t *ev,
                                  enum yaml_kind kind, const yaml_char_t *tag)
{
    struct yaml_node *n = arena_new(r->arena, struct yaml_node);

    n->kind = kind;
    n->tag = keep(r, tag);
    n->weight = 1;
    n->line = (u32)ev->start_mark.line + 1;
    n->col = (u32)ev->start_mark.column + 1;
    n->index = ev->start_mark.index;
    return n;
}

/* A later anchor of the same name takes over; its place is found from the back. */
static size_t open_anchor(struct yaml_reader *r, const yaml_char_t *name)
{
    if (!name) return SIZE_MAX;
    vec_push(&r->anchors, ((struct anchor){.name = keep(r, name)}));
    return r->anchors.n - 1;
}

static void close_anchor(struct yaml_reader *r, size_t at, struct yaml_node *node)
{
    if (at != SIZE_MAX) r->anchors.v[at].node = node;
}

static int compose_alias(struct yaml_reader *r, const yaml_event_t *ev, struct yaml_node **ret)
{
    const char *name = (const char *)ev->data.alias.anchor;

    for (size_t i = r->anchors.n; i > 0; i--) {
        struct anchor *a = &r->anchors.v[i - 1];

        if (!str_is(a->name, name)) continue;
        if (!a->node) return fail(r, ev->start_mark, "anchor contains itself:", name);
        *ret = a->node;
        return count(r, ev, a->node->weight);
    }
    return fail(r, ev->start_mark, "unknown anchor referenced:", name);
}

static enum yaml_style style_of(yaml_scalar_style_t style)
{
    switch (style) {
    case YAML_SINGLE_QUOTED_SCALAR_STYLE: return YAML_SINGLE;
    case YAML_DOUBLE_QUOTED_SCALAR_STYLE: return YAML_DOUBLE;
    case YAML_LITERAL_SCALAR_STYLE: return YAML_LITERAL;
    case YAML_FOLDED_SCALAR_STYLE: return YAML_FOLDED;
    case YAML_ANY_SCALAR_STYLE:
    case YAML_PLAIN_SCALAR_STYLE: break;
    }
    return YAML_PLAIN;
}

static int compose_scalar(struct yaml_reader *r, const yaml_event_t *ev, struct yaml_node **ret)
{
    int rc = count(r, ev, 1);

    if (rc) return rc;
    struct yaml_node *n = node_new(r, ev, YAML_SCALAR, ev->data.scalar.tag);
    n->style = style_of(ev->data.scalar.style);
    n->text =
        arena_str(r->arena, str_n((const char *)ev->data.scalar.value, ev->data.scalar.length));
    close_anchor(r, open_anchor(r, ev->data.scalar.anchor), n);
    *ret = n;
    return 0;
}

/* Items up to the event that ends the structure. */
static int compose_items(struct yaml_reader *r, yaml_event_type_t end, struct yaml_node *parent)
{
    VEC(struct yaml_node *) items = {0};
    bool done = false;
    int rc = 0;

    while (!done && rc == 0) {
        struct yaml_node *item;
        yaml_event_t ev;

        rc = next_event(r, &ev);
        if (rc) break;
        done = ev.type == end;
        if (!done) rc = compose(r, &ev, &item);
        if (!done && rc == 0) {
            vec_push(&items, item);
            parent->weight += item->weight;
        }
        yaml_event_delete(&ev);
    }
    parent->n = items.n;
    parent->items = arena_memdup(r->arena, items.v, items.n * sizeof(*items.v));
    vec_done(&items);
    return rc;
}

static int compose_nested(struct yaml_reader *r, const yaml_event_t *ev, struct yaml_node **ret)
{
    bool seq = ev->type == YAML_SEQUENCE_START_EVENT;
    int rc = count(r, ev, 1);

    if (rc) return rc;
    if (r->depth >= r->max_depth) return fail(r, ev->start_mark, "nested too deeply", NULL);
    struct yaml_node *n = node_new(r, ev, seq ? YAML_SEQ : YAML_MAP,
                                   seq ? ev->data.sequence_start.tag : ev->data.mapping_start.tag);
    size_t anchor =
        open_anchor(r, seq ? ev->data.sequence_start.anchor : ev->data.mapping_start.anchor);
    r->depth++;
    rc = compose_items(r, seq ? YAML_SEQUENCE_END_EVENT : YAML_MAPPING_END_EVENT, n);
    r->depth--;
    close_anchor(r, anchor, n);
    if (rc == 0) *ret = n;
    return rc;
}

static int compose(struct yaml_reader *r, yaml_event_t *ev, struct yaml_node **ret)
{
    switch (ev->type) {
    case YAML_ALIAS_EVENT: return compose_alias(r, ev, ret);
    case YAML_SCALAR_EVENT: return compose_scalar(r, ev, ret);
    case YAML_SEQUENCE_START_EVENT:
    case YAML_MAPPING_START_EVENT: return compose_nested(r, ev, ret);
    case YAML_NO_EVENT:
    case YAML_STREAM_START_EVENT:
    case YAML_STREAM_END_EVENT:
    case YAML_DOCUMENT_START_EVENT:
    case YAML_DOCUMENT_END_EVENT:
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT: break;
    }
    return fail(r, ev->start_mark, "unexpected event", NULL);
}

/* --- documents --- */

static int compose_document(struct yaml_reader *r, struct yaml_node **ret)
{
    yaml_event_t ev;
    int rc = next_event(r, &ev);

    if (rc) return rc;
    r->nodes = 0;
    vec_clear(&r->anchors);
    rc = compose(r, &ev, ret);
    yaml_event_delete(&ev);
    return rc ? rc : 1;
}

int yaml_next(struct yaml_reader *r, struct yaml_node **ret, const char **ret_err)
{
    int rc = r->err ? -EBADMSG : 0;
    bool end = false, document = false;

    while (rc == 0 && !end && !document) {
        yaml_event_t ev;

        rc = next_event(r, &ev);
        if (rc) break;
        end = ev.type == YAML_STREAM_END_EVENT || ev.type == YAML_NO_EVENT;
        document = ev.type == YAML_DOCUMENT_START_EVENT;
        yaml_event_delete(&ev);
    }
    if (rc == 0 && document) rc = compose_document(r, ret);
    if (rc < 0 && ret_err) *ret_err = r->err;
    return rc;
}

struct yaml_fault yaml_reader_fault(const struct yaml_reader *r)
{
    return r->fault;
}

int yaml_parse(struct str text, struct arena *a, struct yaml_node **ret, const char **ret_err)
{
    struct yaml_reader *r = yaml_reader_new(text, a);
    struct yaml_node *root = NULL;
    int rc = yaml_next(r, &root, ret_err);

    yaml_reader_free(r);
    if (rc < 0) return rc;
    *ret = root;
    return 0;
}

struct yaml_node *yaml_get(const struct yaml_node *map, struct str key)
{
    for (size_t i = 0; map->kind == YAML_MAP && i + 1 < map->n; i += 2) {
        if (map->items[i]->kind == YAML_SCALAR && str_eq(map->items[i]->text, key))
            return map->items[i + 1];
    }
    return NULL;
}
