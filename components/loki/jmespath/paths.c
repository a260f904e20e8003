/* The paths are a tree of names; the scan walks it together with the document, and passes over what
 * is not on it without looking. */
#include "components/loki/jmespath/paths.h"

#include <errno.h>

struct path_node {
    struct str key;
    struct path_node *kids, *next;
    u64 lengths; /* of the kids' keys, modulo 64: tells most keys that are none of them */
    bool wanted; /* the value itself goes to a slot */
    u32 *slots;
    u32 n_slots;
};

struct scan {
    struct json_in j;
    struct arena *a;
    struct path_scan *out;
};

/* --- the tree --- */

void path_set_init(struct path_set *s, struct arena *a)
{
    *s = (struct path_set){.a = a, .root = arena_new(a, struct path_node)};
}

static struct path_node *find(const struct path_node *n, struct str key)
{
    if (!(n->lengths >> (key.n & 63) & 1)) return NULL;
    for (struct path_node *kid = n->kids; kid; kid = kid->next)
        if (str_eq(kid->key, key)) return kid;
    return NULL;
}

static struct path_node *find_or_add(struct path_set *s, struct path_node *n, struct str key)
{
    struct path_node *kid = find(n, key);

    if (kid) return kid;
    kid = arena_new(s->a, struct path_node);
    kid->key = key;
    kid->next = n->kids;
    n->kids = kid;
    n->lengths |= UINT64_C(1) << (key.n & 63);
    return kid;
}

static void add_slot(struct path_set *s, struct path_node *n, u32 slot)
{
    u32 *slots = arena_array(s->a, u32, n->n_slots + 1);

    if (n->n_slots) memcpy(slots, n->slots, n->n_slots * sizeof(*slots));
    slots[n->n_slots++] = slot;
    n->slots = slots;
    n->wanted = true;
}

void path_set_add(struct path_set *s, const struct str *names, size_t n, u32 slot)
{
    struct path_node *at = s->root;

    for (size_t i = 0; i < n; i++)
        at = find_or_add(s, at, names[i]);
    add_slot(s, at, slot);
}

/* --- the walk --- */

static void scan_object(struct scan *s, const struct path_node *n);

/* Gives v to the slots of n, and what lies in it to those below. NULL: nothing is there. */
static void assign(struct scan *s, const struct path_node *n, const struct jv *v)
{
    for (u32 i = 0; i < n->n_slots; i++)
        s->out->slots[n->slots[i]] = v ? *v : jv_null();
    for (const struct path_node *kid = n->kids; kid; kid = kid->next)
        assign(s, kid, v ? jv_get(v, kid->key) : NULL);
}

static void skip_elements(struct scan *s)
{
    bool first = true;

    while (json_next_elem(&s->j, &first))
        if (json_skip(&s->j)) return;
}

/* A value of which only parts are wanted. */
static void scan_parts(struct scan *s, const struct path_node *n)
{
    enum json_type type = json_value(&s->j);

    assign(s, n, NULL); /* an earlier member with this key does not count any more */
    if (type == JSON_OBJ) scan_object(s, n);
    if (type == JSON_ARR) skip_elements(s);
    if (type == JSON_END && !s->j.err) s->j.err = "unexpected end";
}

static void add_extra(struct scan *s, struct str key, const struct jv *v)
{
    struct path_scan *o = s->out;

    if (o->n_extra == o->cap_extra) {
        u32 cap = o->cap_extra ? 2 * o->cap_extra : 16;
        struct jv_member *extra = arena_array(s->a, struct jv_member, cap);

        if (o->n_extra) memcpy(extra, o->extra, o->n_extra * sizeof(*extra));
        o->extra = extra;
        o->cap_extra = cap;
    }
    o->extra[o->n_extra++] = (struct jv_member){key, *v};
}

static void scan_member(struct scan *s, const struct path_node *n, struct str key, bool extra)
{
    const struct path_node *kid = find(n, key);
    struct jv v;

    if (kid && !kid->wanted && !extra) {
        scan_parts(s, kid);
    } else if (!kid && !extra) {
        json_skip(&s->j);
    } else if (jv_read(&s->j, s->a, &v) == 0) {
        if (kid) assign(s, kid, &v);
        if (extra) add_extra(s, jv_clean(key, s->a), &v);
    }
}

static void scan_object(struct scan *s, const struct path_node *n)
{
    bool first = true;
    struct str key;

    while (json_next_key(&s->j, &key, &first))
        scan_member(s, n, json_text(&s->j, key), false);
}

static void scan_top(struct scan *s, const struct path_node *n)
{
    const struct path_scan *o = s->out;
    bool first = true;
    struct str key;

    while (json_next_key(&s->j, &key, &first)) {
        key = json_text(&s->j, key);
        scan_member(s, n, key, o->wants && o->wants(o->arg, key));
    }
}

int path_set_scan(const struct path_set *set, struct str text, struct arena *a,
                  struct path_scan *scan)
{
    struct scan s = {.a = a, .out = scan};
    enum json_type type;

    json_in_init(&s.j, text, a);
    for (u32 i = 0; i < scan->n_slots; i++)
        scan->slots[i] = jv_null();
    type = json_value(&s.j);
    if (type == JSON_OBJ)
        scan_top(&s, set->root);
    else if (type != JSON_NULL)
        scan->err = "not an object";
    if (!s.j.err && !scan->err && json_value(&s.j) == JSON_END) return 0;
    if (s.j.err) scan->err = s.j.err;
    if (!scan->err) scan->err = "text after the object";
    return -EBADMSG;
}
