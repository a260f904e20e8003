/* The names of the language, gathered from its tables, and places below them. */
#include "cmd/topic.h"

#include <errno.h>

#include "components/foreign.h"
#include "runtime/compile/blocks.h"

/* ---- gathering ---- */

static void add_def(struct topics *t, enum topic_kind kind, const struct component_def *d)
{
    vec_push(&t->list, ((struct topic){kind, d->name, d->summary, d, NULL}));
}

static void add_components(struct topics *t)
{
    for (size_t i = 0; i < foreign_count(); i++) {
        const struct component_def *mine = registry_find(str_of(foreign_name(i)));
        add_def(t, TOPIC_COMPONENT, mine ? mine : foreign_at(t->language.foreign, i));
    }
}

static void add_blocks(struct topics *t)
{
    for (size_t i = 0; i < LANGUAGE_BLOCKS; i++) /* without arguments: a name, but no block */
        if (t->language.blocks[i].def->def.args)
            add_def(t, TOPIC_BLOCK, &t->language.blocks[i].def->def);
    for (size_t i = 0; i < language_blocks_count; i++)
        add_def(t, TOPIC_BLOCK, language_blocks[i].def);
}

static void add_library(struct topics *t)
{
    const struct func *f;
    const struct constant *c;
    for (size_t i = 0; (f = stdlib_func(i)); i++)
        vec_push(&t->list, ((struct topic){TOPIC_FUNCTION, f->name, f->doc, NULL, f}));
    for (size_t i = 0; (c = stdlib_constant(i)); i++)
        vec_push(&t->list,
                 ((struct topic){TOPIC_CONSTANT, arena_printf(&t->arena, "constants.%s", c->name),
                                 c->doc, NULL, NULL}));
}

static int by_name(const void *a, const void *b)
{
    const struct topic *x = a, *y = b;
    return x->kind != y->kind ? (int)x->kind - (int)y->kind : strcmp(x->name, y->name);
}

void topics_init(struct topics *t)
{
    *t = (struct topics){0};
    arena_init(&t->arena, 0);
    language_init(&t->language, NULL, NULL, NULL);
    add_components(t);
    add_blocks(t);
    add_library(t);
    qsort(t->list.v, t->list.n, sizeof(*t->list.v), by_name);
}

void topics_done(struct topics *t)
{
    vec_done(&t->list);
    language_done(&t->language);
    arena_done(&t->arena);
}

/* ---- finding ---- */

const char *topic_kind_name(enum topic_kind k)
{
    static const char *const names[TOPIC_KINDS] = {"component", "block", "function", "constant"};
    return names[k];
}

const struct topic *topics_find(const struct topics *t, struct str name)
{
    for (size_t i = 0; i < t->list.n; i++)
        if (str_is(name, t->list.v[i].name)) return &t->list.v[i];
    return NULL;
}

const struct topic *topics_find_within(const struct topics *t, struct str text,
                                       struct str *ret_rest)
{
    const struct topic *found = NULL;
    for (size_t i = 0; i < t->list.n; i++) {
        struct str name = str_of(t->list.v[i].name);
        if (text.n > name.n && text.p[name.n] == '.' && str_starts(text, name) &&
            (!found || name.n > strlen(found->name)))
            found = &t->list.v[i];
    }
    if (found) *ret_rest = str_sub(text, strlen(found->name) + 1, text.n);
    return found;
}

bool topic_is_below(const struct topic *t, struct str name)
{
    struct str s = str_of(t->name);
    return str_starts(s, name) && (s.n == name.n || s.p[name.n] == '.');
}

struct nearest { /* the best of the names offered */
    struct str wanted;
    const char *name;
    int distance;
};

static struct nearest nearest_to(struct str wanted)
{
    return (struct nearest){.wanted = wanted, .distance = MAX(3, (int)wanted.n / 4) + 1};
}

static void offer(struct nearest *n, const char *name)
{
    int d = str_distance(n->wanted, str_of(name), n->distance);
    if (d < n->distance) n->distance = d, n->name = name;
}

const char *topics_near(const struct topics *t, struct str name)
{
    struct nearest n = nearest_to(name);
    for (size_t i = 0; i < t->list.n; i++)
        offer(&n, t->list.v[i].name);
    return n.name;
}

/* ---- below a topic ---- */

const struct schema *part_schema(const struct part *p)
{
    return p->variant ? p->variant->sub : p->row ? p->row->sub : NULL;
}

/* One name of the path, or two that are one block's ("stage.regex"). Returns its length; 0: there
 * is none. */
static size_t step(const struct schema *s, struct str path, struct part *p)
{
    ssize_t first = str_chr(path, '.');
    size_t one = first < 0 ? path.n : (size_t)first;
    struct str rest = str_sub(path, MIN(one + 1, path.n), path.n);
    ssize_t second = str_chr(rest, '.');
    size_t two = second < 0 ? path.n : one + 1 + (size_t)second;
    p->row = schema_block(s, str_sub(path, 0, two), &p->variant);
    if (p->row) return two;
    p->row = schema_block(s, str_sub(path, 0, one), &p->variant);
    if (p->row) return one;
    p->variant = NULL;
    p->row = schema_row(s, str_sub(path, 0, one));
    return p->row ? one : 0;
}

static const char *near_row(const struct schema *s, struct str path)
{
    struct nearest n = nearest_to(str_cut(&path, '.'));
    for (size_t i = 0; i < s->n_rows; i++) {
        const struct row *r = &s->rows[i];
        if (r->kind != K_ONE_OF) offer(&n, r->name);
        for (size_t v = 0; v < r->n_variants; v++)
            offer(&n, r->variants[v].name);
    }
    return n.name;
}

static int walk(const struct schema *s, struct str path, struct part *p)
{
    while (path.n > 0) {
        size_t n = s ? step(s, path, p) : 0;
        if (n == 0) {
            p->near = s ? near_row(s, path) : NULL;
            return -ENOENT;
        }
        path = str_sub(path, MIN(n + 1, path.n), path.n);
        s = part_schema(p);
    }
    return p->row ? 0 : -ENOENT;
}

int topic_part(const struct topic *t, struct str path, struct part *ret)
{
    struct part exported = {.exported = true};
    *ret = (struct part){0};
    if (!t->def || walk(t->def->args, path, ret) == 0) return t->def ? 0 : -ENOENT;
    if (!t->def->exports || walk(t->def->exports, path, &exported) < 0) return -ENOENT;
    *ret = exported;
    return 0;
}
