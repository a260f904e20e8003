/* Which mapping a name has. The globs are a tree of fields: below each node one child for each
 * field that is written, and one for the star. A node is reached by one way only, so that a match
 * visits each at most once, however the stars overlap. */
#include "components/prometheus/statsd/mapper.h"

#include "base/map.h"
#include "base/num.h"
#include "base/xalloc.h"

struct statsd_node {
    struct map fields;
    struct statsd_node *star;
    const struct statsd_mapping *result[STATSD_TYPES];
};

/* --- options --- */

struct statsd_options *statsd_options_ref(struct statsd_options *o)
{
    refs_get(&o->refs);
    return o;
}

void statsd_options_unref(struct statsd_options *o)
{
    if (!o || !refs_put(&o->refs)) return;
    free(o->buckets);
    free(o->quantiles);
    free(o);
}

/* --- templates --- */

static bool is_reference_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '$';
}

/* "$1" or "${1}" at the start of *rest, which moves behind it: the name between; else .p NULL. */
static struct str cut_reference(struct str *rest)
{
    size_t from = rest->n > 1 && rest->p[1] == '{' ? 2 : 1, to = from;

    while (to < rest->n && is_reference_char(rest->p[to]))
        to++;
    if (to == from) return (struct str){0};
    struct str name = str_sub(*rest, from, to);
    if (to < rest->n && rest->p[to] == '}') to++;
    *rest = str_sub(*rest, to, rest->n);
    return name;
}

/* A reference to what is not captured is replaced by nothing. */
static int capture_of(struct str name, size_t captures)
{
    u64 i;

    return num_parse_u64(name, &i) == 0 && i >= 1 && i <= captures ? (int)i - 1 : -1;
}

void statsd_template_init(struct statsd_template *t, struct str text, size_t captures,
                          struct arena *a)
{
    size_t dollars = 0;

    t->text = arena_str(a, text);
    for (size_t i = 0; i < text.n; i++)
        dollars += text.p[i] == '$';
    t->v = arena_array(a, struct statsd_piece, dollars + 1);
    struct str rest = t->text, literal = str_n(rest.p, 0);
    while (rest.n > 0) {
        struct str ref = rest.p[0] == '$' ? cut_reference(&rest) : (struct str){0};
        if (ref.p) {
            t->v[t->n++] = (struct statsd_piece){literal, capture_of(ref, captures)};
            literal = str_n(rest.p, 0);
        } else {
            literal.n++;
            rest = str_sub(rest, 1, rest.n);
        }
    }
    t->v[t->n++] = (struct statsd_piece){literal, -1};
}

static struct str fill(const struct statsd_template *t, const struct str *captures, struct arena *a)
{
    size_t n = 0;

    if (t->n == 1) return t->v[0].literal;
    for (size_t i = 0; i < t->n; i++)
        n += t->v[i].literal.n + (t->v[i].capture >= 0 ? captures[t->v[i].capture].n : 0);
    char *p = arena_alloc(a, n + 1), *to = p;
    for (size_t i = 0; i < t->n; i++) {
        struct str parts[] = {t->v[i].literal,
                              t->v[i].capture >= 0 ? captures[t->v[i].capture] : STR("")};
        for (int k = 0; k < 2; k++) {
            if (parts[k].n > 0) memcpy(to, parts[k].p, parts[k].n);
            to += parts[k].n;
        }
    }
    return str_n(p, n);
}

/* --- globs --- */

static void node_done(void *arg)
{
    struct statsd_node *n = arg;

    if (!n) return;
    map_done(&n->fields, node_done);
    node_done(n->star);
    free(n);
}

static struct statsd_node *step(struct statsd_node *n, struct str field)
{
    struct statsd_node *next = str_is(field, "*") ? n->star : map_get(&n->fields, field);

    if (next) return next;
    next = xnew(struct statsd_node);
    if (str_is(field, "*"))
        n->star = next;
    else
        map_put(&n->fields, field, next);
    return next;
}

void statsd_glob_add(struct statsd_mapper *m, size_t i)
{
    const struct statsd_mapping *map = &m->v[i];
    struct str rest = map->match;
    struct statsd_node *at = m->root ? m->root : (m->root = xnew(struct statsd_node));

    while (rest.p)
        at = step(at, str_cut(&rest, '.'));
    for (int type = 0; type < STATSD_TYPES; type++)
        if ((map->type < 0 || map->type == type) && !at->result[type]) at->result[type] = map;
}

struct search {
    struct str fields[STATSD_CAPTURES];
    size_t n;
    enum statsd_type type;
    bool first; /* the first that is found, not the first of the file */
    const struct str *captured[STATSD_CAPTURES];
    const struct statsd_mapping *best;
    struct str captures[STATSD_CAPTURES]; /* of the best */
};

static void keep(struct search *s, const struct statsd_mapping *found, size_t captured)
{
    if (!found || (s->best && s->best < found)) return; /* they stand in the order of the file */
    s->best = found;
    for (size_t i = 0; i < captured; i++)
        s->captures[i] = *s->captured[i];
}

/* As deep as the longest mapping. */
static void look(struct search *s, const struct statsd_node *at, size_t i, size_t captured)
{
    if (i == s->n) {
        keep(s, at->result[s->type], captured);
        return;
    }
    const struct statsd_node *next = map_get(&at->fields, s->fields[i]);
    if (next) look(s, next, i + 1, captured);
    if (s->best && s->first) return;
    if (!at->star) return;
    s->captured[captured] = &s->fields[i];
    look(s, at->star, i + 1, captured + 1);
}

static const struct statsd_mapping *find_glob(const struct statsd_mapper *m, struct str name,
                                              struct search *s)
{
    while (name.p) {
        if (s->n == STATSD_CAPTURES) return NULL; /* no mapping has so many */
        s->fields[s->n++] = str_cut(&name, '.');
    }
    if (m->root) look(s, m->root, 0, 0);
    return s->best;
}

static bool match_glob(const struct statsd_mapper *m, struct str name, enum statsd_type type,
                       struct arena *a, struct statsd_mapped *ret)
{
    struct search s = {.type = type, .first = m->disorder};
    const struct statsd_mapping *found = find_glob(m, name, &s);

    if (!found) return false;
    ret->mapping = found;
    ret->name = fill(&found->name, s.captures, a);
    ret->values = arena_array(a, struct str, found->n_labels + 1);
    for (size_t i = 0; i < found->n_labels; i++)
        ret->values[i] = fill(&found->labels[i].value, s.captures, a);
    return true;
}

/* --- regular expressions --- */

#define EXPANDED_MAX ((size_t)1 << 20)

static struct str expand(const struct statsd_mapping *map, struct str tmpl, struct str name,
                         const ssize_t *ov, struct arena *a)
{
    struct buf b = BUF_INIT(EXPANDED_MAX);

    regex_expand(map->re, tmpl, name, ov, &b);
    struct str text = arena_str(a, buf_view(&b));
    buf_done(&b);
    return text;
}

static bool match_one(const struct statsd_mapping *map, struct str name, struct arena *a,
                      struct statsd_mapped *ret, u64 *limited)
{
    size_t n = 2 * ((size_t)regex_groups(map->re) + 1);
    ssize_t *ov = arena_array(a, ssize_t, n);
    int r = regex_match(map->re, name, 0, ov, n / 2);

    *limited += r == REGEX_LIMIT;
    if (r != 1) return false;
    ret->mapping = map;
    ret->name = expand(map, map->name.text, name, ov, a);
    ret->values = arena_array(a, struct str, map->n_labels + 1);
    for (size_t i = 0; i < map->n_labels; i++)
        ret->values[i] = expand(map, map->labels[i].value.text, name, ov, a);
    return true;
}

void statsd_mapper_match(const struct statsd_mapper *m, struct str name, enum statsd_type type,
                         struct arena *scratch, struct statsd_mapped *ret, u64 *limited)
{
    *ret = (struct statsd_mapped){0};
    if (match_glob(m, name, type, scratch, ret) || !m->any_regex) return;
    for (size_t i = 0; i < m->n; i++)
        if (m->v[i].re && (m->v[i].type < 0 || m->v[i].type == (int)type) &&
            match_one(&m->v[i], name, scratch, ret, limited))
            return;
}

/* --- life --- */

struct statsd_mapper *statsd_mapper_new(void)
{
    struct statsd_mapper *m = xnew(struct statsd_mapper);

    refs_init(&m->refs);
    arena_init(&m->arena, 0);
    m->unmapped.type = -1;
    return m;
}

struct statsd_mapper *statsd_mapper_ref(struct statsd_mapper *m)
{
    refs_get(&m->refs);
    return m;
}

void statsd_mapper_unref(struct statsd_mapper *m)
{
    if (!m || !refs_put(&m->refs)) return;
    for (size_t i = 0; i < m->n; i++) {
        regex_free(m->v[i].re);
        statsd_options_unref(m->v[i].options);
    }
    statsd_options_unref(m->unmapped.options);
    node_done(m->root);
    arena_done(&m->arena);
    free(m);
}
