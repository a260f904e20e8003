/* The export tree: a trie over the parts of ids. Each inner node caches its object; a change drops
 * the caches up to the root. */
#include "runtime/scope.h"

#include <errno.h>
#include "base/xalloc.h"

struct scope_node {
    struct scope_node *parent;
    struct map children; /* part -> struct scope_node * */
    struct value leaf;   /* the exports, when an id ends here */
    bool is_leaf;
    struct value object; /* of an inner node, when built */
    bool built;
};

static void node_free(void *arg)
{
    struct scope_node *n = arg;
    if (!n) return;
    map_done(&n->children, node_free);
    value_unref(n->leaf);
    value_unref(n->object);
    free(n);
}

static void drop_objects(struct scope_node *n)
{
    for (; n; n = n->parent) {
        value_unref(n->object);
        n->object = value_null();
        n->built = false;
    }
}

static struct value node_value(struct scope_node *n)
{
    if (n->is_leaf) return value_ref(n->leaf);
    if (!n->built) {
        struct object_builder b = {.ordered = false};
        map_each (&n->children, e)
            object_set_take(&b, e->key, node_value(e->value));
        n->object = object_done(&b);
        n->built = true;
    }
    return value_ref(n->object);
}

static bool lookup(const struct scope *s, struct str name, struct value *ret)
{
    const struct export_scope *m = s->data;
    struct scope_node *n = map_get(&m->root->children, name);
    if (n) {
        *ret = node_value(n);
        return true;
    }
    if (!m->module_path || !str_is(name, "module_path")) return false;
    *ret = value_cstr(m->module_path);
    return true;
}

void export_scope_init(struct export_scope *s, const struct scope *stdlib, const char *module_path)
{
    *s = (struct export_scope){.root = xnew(struct scope_node), .module_path = module_path};
    s->scope = (struct scope){.lookup = lookup, .parent = stdlib, .data = s};
}

void export_scope_done(struct export_scope *s)
{
    node_free(s->root);
    *s = (struct export_scope){0};
}

static struct scope_node *child(struct scope_node *n, struct str part)
{
    struct scope_node *c = map_get(&n->children, part);
    if (!c) {
        c = xnew(struct scope_node);
        c->parent = n;
        map_put(&n->children, part, c);
    }
    return c;
}

int export_scope_set_take(struct export_scope *s, struct str id, struct value v)
{
    struct scope_node *at = s->root;
    struct str rest = id;
    while (rest.n > 0 && !at->is_leaf)
        at = child(at, str_cut(&rest, '.'));
    if (rest.n > 0 || at->children.live > 0) {
        value_unref(v);
        return -EEXIST;
    }
    value_unref(at->leaf);
    at->leaf = v;
    at->is_leaf = true;
    drop_objects(at->parent);
    return 0;
}
