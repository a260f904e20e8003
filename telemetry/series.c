/* Three tables of interned things, one over the other: a series names its shape and symbols, and
 * holds references on the symbols. See series.h. */
#include "telemetry/series.h"

#include <stdlib.h>
#include "base/budget.h"
#include "base/buf.h"
#include "base/hash.h"
#include "base/spin.h"
#include "base/utf8.h"
#include "base/vec.h"
#include "base/xalloc.h"
#include "telemetry/label_set.h"

#define LABELS_MAX 65535 /* of one series */

/* Numbers that are dense: those given back are given out again first. */
struct id_pool {
    struct spin lock;
    u32 *free;
    u32 n, cap, top;
};
struct series_table {
    struct intern symbols, shapes, series;
    struct id_pool ids, shape_ids;
    _Atomic u64 shapes_made;
    u64 seed; /* texts come from outside: nobody may choose who meets whom in a chain */
};

/* --- ids --- */

static u32 id_take(struct id_pool *p)
{
    spin_lock(&p->lock);
    u32 id = p->n > 0 ? p->free[--p->n] : ++p->top;
    spin_unlock(&p->lock);
    return id;
}

/* Room for one more, made outside of the lock; called again when others filled it meanwhile. */
static void id_room(struct id_pool *p, u32 cap)
{
    u32 *more = xcalloc(cap * 2 + 64, sizeof(*more));

    spin_lock(&p->lock);
    if (p->cap == cap) {
        if (p->n) memcpy(more, p->free, p->n * sizeof(*more));
        u32 *old = p->free;
        p->free = more;
        more = old;
        p->cap = cap * 2 + 64;
    }
    spin_unlock(&p->lock);
    free(more);
}

static void id_give(struct id_pool *p, u32 id)
{
    for (;;) {
        spin_lock(&p->lock);
        u32 cap = p->cap;
        bool fits = p->n < cap;
        if (fits) p->free[p->n++] = id;
        spin_unlock(&p->lock);
        if (fits) return;
        id_room(p, cap);
    }
}

/* --- symbols --- */

static bool is_symbol(const struct intern_node *n, const void *key)
{
    return str_eq(symbol_str((const struct symbol *)n), *(const struct str *)key);
}

static u32 short_hash(u64 h)
{
    return (u32)(h ^ h >> 32);
}

static struct symbol *symbol_make(struct str text, u32 hash)
{
    struct symbol *s = budget_alloc(sizeof(*s) + text.n + 1);

    if (!s) return NULL;
    *s = (struct symbol){.node.hash = hash, .len = (u32)text.n};
    refs_init(&s->node.refs);
    if (text.n) memcpy(s->text, text.p, text.n);
    s->text[text.n] = '\0';
    return s;
}

static struct symbol *symbol_intern(struct series_table *t, struct str text)
{
    u32 hash = short_hash(hash_bytes(text.p, text.n, t->seed));
    struct intern_node *found = intern_find(&t->symbols, hash, &text);

    if (found) return (struct symbol *)found;
    struct symbol *mine = text.n <= UINT32_MAX / 2 ? symbol_make(text, hash) : NULL;
    if (!mine) return NULL;
    found = intern_put(&t->symbols, &mine->node, &text);
    if (found != &mine->node) free(mine);
    return (struct symbol *)found;
}

static void symbol_unref(struct series_table *t, struct symbol *s)
{
    if (intern_unref(&t->symbols, &s->node)) free(s);
}

/* --- shapes --- */

struct names {
    const struct label *v;
    size_t n;
};

static bool is_shape(const struct intern_node *n, const void *key)
{
    const struct series_shape *s = (const struct series_shape *)n;
    const struct names *names = key;
    bool same = s->n == names->n;

    for (size_t i = 0; same && i < names->n; i++)
        same = str_eq(s->names[i], names->v[i].name);
    return same;
}

static u32 shape_hash(const struct series_table *t, const struct names *names)
{
    u64 h = t->seed;

    for (size_t i = 0; i < names->n; i++)
        h = hash_bytes(names->v[i].name.p, names->v[i].name.n, h);
    return short_hash(h);
}

static size_t names_size(const struct names *names)
{
    size_t size = names->n * sizeof(struct str);

    for (size_t i = 0; i < names->n; i++)
        size += names->v[i].name.n + 1;
    return size;
}

static struct series_shape *shape_make(const struct names *names, u32 hash)
{
    struct series_shape *s = budget_alloc(sizeof(*s) + names_size(names));
    if (!s) return NULL;
    char *at = (char *)&s->names[names->n];

    *s = (struct series_shape){.node.hash = hash, .n = (u32)names->n, .name_at = -1};
    refs_init(&s->node.refs);
    for (size_t i = 0; i < names->n; i++) {
        struct str name = names->v[i].name;
        s->names[i] = str_n(at, name.n);
        if (name.n) memcpy(at, name.p, name.n);
        at[name.n] = '\0';
        at += name.n + 1;
        if (str_eq(name, STR("__name__"))) s->name_at = (int)i;
    }
    return s;
}

static void shape_free(struct series_table *t, struct series_shape *s)
{
    id_give(&t->shape_ids, s->id);
    free(s);
}

static struct series_shape *shape_add(struct series_table *t, const struct names *names, u32 hash)
{
    bool room = intern_count(&t->shapes) < SERIES_SHAPES_MAX; /* threads may pass it by a few */
    struct series_shape *mine = room ? shape_make(names, hash) : NULL;

    if (!mine) return NULL;
    mine->id = id_take(&t->shape_ids);
    mine->serial = atomic_fetch_add(&t->shapes_made, 1) + 1;
    struct intern_node *found = intern_put(&t->shapes, &mine->node, names);
    if (found != &mine->node) shape_free(t, mine);
    return (struct series_shape *)found;
}

/* A new reference. */
static struct series_shape *shape_intern(struct series_table *t, const struct names *names)
{
    u32 hash = shape_hash(t, names);
    struct intern_node *found = intern_find(&t->shapes, hash, names);

    return found ? (struct series_shape *)found : shape_add(t, names, hash);
}

static void shape_unref(struct series_table *t, struct series_shape *s)
{
    if (intern_unref(&t->shapes, &s->node)) shape_free(t, s);
}

/* --- series --- */

/* What a series is looked up by. */
struct series_key {
    struct series_shape *shape;
    struct symbol *const *values;
};

static bool is_series(const struct intern_node *n, const void *key_)
{
    const struct series *s = (const struct series *)n;
    const struct series_key *key = key_;

    return s->shape == key->shape &&
           memcmp(s->values, key->values, s->shape->n * sizeof(*s->values)) == 0;
}

static u32 series_hash(const struct series_table *t, const struct series_key *key)
{
    u64 h = hash_mix(t->seed, key->shape->node.hash);

    for (u32 i = 0; i < key->shape->n; i++)
        h = hash_mix(h, key->values[i]->node.hash);
    return short_hash(h);
}

static u32 varint_size(size_t n)
{
    u32 size = 1;

    while (n >>= 7)
        size++;
    return size;
}

static u32 wire_size(const struct series_key *key)
{
    size_t size = 0;

    for (u32 i = 0; i < key->shape->n; i++) {
        size_t name = key->shape->names[i].n, value = key->values[i]->len;
        size_t label = 2 + varint_size(name) + name + varint_size(value) + value;
        size += 1 + varint_size(label) + label;
    }
    return (u32)MIN(size, UINT32_MAX);
}

static struct series *series_make(struct series_table *t, const struct series_key *key, u32 hash)
{
    size_t values = key->shape->n * sizeof(struct symbol *);
    struct series *s = budget_alloc(sizeof(*s) + values);

    if (!s) return NULL;
    *s = (struct series){
        .node.hash = hash, .id = id_take(&t->ids), .wire = wire_size(key), .shape = key->shape};
    refs_init(&s->node.refs);
    if (values) memcpy(s->values, key->values, values);
    return s;
}

/* The references of a series, or of one that was not made: n values and the shape. */
static void drop_parts(struct series_table *t, struct series_shape *shape, struct symbol **values,
                       size_t n)
{
    for (size_t i = 0; i < n; i++)
        symbol_unref(t, values[i]);
    shape_unref(t, shape);
}

/* Takes the references on the shape and the values, whatever happens. */
static struct series *series_of(struct series_table *t, struct series_shape *shape,
                                struct symbol **values)
{
    struct series_key key = {shape, values};
    u32 hash = series_hash(t, &key);
    struct series *found = (struct series *)intern_find(&t->series, hash, &key);
    struct series *mine = found ? NULL : series_make(t, &key, hash);

    if (mine) found = (struct series *)intern_put(&t->series, &mine->node, &key);
    if (found && found == mine) return mine;
    if (mine) {
        id_give(&t->ids, mine->id);
        free(mine);
    }
    drop_parts(t, shape, values, shape->n);
    return found;
}

/* The symbols of all values; how many could be had. */
static size_t intern_values(struct series_table *t, const struct label *v, size_t n,
                            struct symbol **values)
{
    for (size_t i = 0; i < n; i++)
        if (!(values[i] = symbol_intern(t, v[i].value))) return i;
    return n;
}

static struct series *intern_full(struct series_table *t, const struct label *v, size_t n)
{
    struct symbol *few[32],
        **values = n <= ARRAY_LEN(few) ? few : budget_alloc(n * sizeof(*values));
    struct series_shape *shape = values ? shape_intern(t, &(struct names){v, n}) : NULL;
    struct series *s = NULL;

    if (shape) {
        size_t had = intern_values(t, v, n, values);
        if (had == n)
            s = series_of(t, shape, values);
        else
            drop_parts(t, shape, values, had);
    }
    if (values != few) free(values);
    return s;
}

static struct series *intern_without_empty(struct series_table *t, const struct label *v, size_t n)
{
    struct label *full = budget_alloc(n * sizeof(*full));
    size_t kept = 0;

    if (!full) return NULL;
    for (size_t i = 0; i < n; i++)
        if (v[i].value.n > 0) full[kept++] = v[i];
    struct series *s = intern_full(t, full, kept);
    free(full);
    return s;
}

struct series *series_intern(struct series_table *t, const struct label *v, size_t n)
{
    if (n > LABELS_MAX) return NULL;
    for (size_t i = 0; i < n; i++)
        if (v[i].value.n == 0) return intern_without_empty(t, v, n);
    return intern_full(t, v, n);
}

struct series *series_ref(struct series *s)
{
    refs_get(&s->node.refs);
    return s;
}

void series_unref(struct series_table *t, struct series *s)
{
    if (!s || !intern_unref(&t->series, &s->node)) return;
    id_give(&t->ids, s->id);
    drop_parts(t, s->shape, s->values, s->shape->n);
    free(s);
}

/* --- reading --- */

struct str series_get(const struct series *s, struct str name)
{
    for (u32 i = 0; i < s->shape->n; i++)
        if (str_eq(s->shape->names[i], name)) return symbol_str(s->values[i]);
    return (struct str){0};
}

void series_load(const struct series *s, struct label_set *into)
{
    label_set_reset(into);
    for (u32 i = 0; i < s->shape->n; i++)
        label_set_put_view(into, s->shape->names[i], symbol_str(s->values[i]));
}

struct series *label_set_series(const struct label_set *s, struct series_table *t)
{
    return s->err ? NULL : series_intern(t, s->v, s->n);
}

void series_text(const struct series *s, struct buf *out)
{
    buf_ch(out, '{');
    for (u32 i = 0; i < s->shape->n; i++) {
        if (i > 0) buf_cstr(out, ", ");
        buf_str(out, s->shape->names[i]);
        buf_ch(out, '=');
        utf8_quote(out, symbol_str(s->values[i]));
    }
    buf_ch(out, '}');
}

/* --- the table --- */

struct series_table *series_table_new(void)
{
    struct series_table *t = xnew(struct series_table);

    intern_init(&t->symbols, is_symbol);
    intern_init(&t->shapes, is_shape);
    intern_init(&t->series, is_series);
    t->seed = hash_process_seed();
    return t;
}

void series_table_free(struct series_table *t)
{
    if (!t || intern_count(&t->series) > 0) return;
    intern_done(&t->shapes);
    intern_done(&t->symbols);
    intern_done(&t->series);
    free(t->ids.free);
    free(t->shape_ids.free);
    free(t);
}

void series_table_stats(const struct series_table *t, struct series_stats *ret)
{
    struct id_pool *ids = (struct id_pool *)&t->ids;

    *ret = (struct series_stats){.series = intern_count(&t->series),
                                 .symbols = intern_count(&t->symbols),
                                 .shapes = intern_count(&t->shapes)};
    spin_lock(&ids->lock);
    ret->top_id = ids->top;
    spin_unlock(&ids->lock);
}
