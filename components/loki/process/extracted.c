/* Extracted values: slots in order of first use, found by comparing while they are few, by an open
 * table of their numbers when there are more. Slots never move, so that stages may hold on to
 * values. */
#include "components/loki/process/extracted.h"

#include "base/hash.h"
#include "base/num.h"
#include "base/vec.h"

#define CHUNK 16u
#define FEW   8u    /* found without the table */
#define KEPT  1024u /* slots that are kept for the next entry */

struct slot {
    struct str name;
    u32 hash;
    bool deleted;
    struct ex_value v;
};
struct extracted {
    const struct labels *labels;
    VEC(struct slot *) chunks; /* of CHUNK slots each */
    u32 n;
    u32 *table; /* number + 1; 0: free; used once n > FEW */
    u32 mask;   /* its size - 1 */
};

struct extracted *ex_new(void)
{
    return xnew(struct extracted);
}

static void drop_memory(struct extracted *x)
{
    vec_each (&x->chunks, c)
        free(*c);
    vec_done(&x->chunks);
    free(x->table);
    *x = (struct extracted){0};
}

void ex_free(struct extracted *x)
{
    if (x) drop_memory(x);
    free(x);
}

void ex_begin(struct extracted *x, const struct labels *labels)
{
    if (x->n > KEPT)
        drop_memory(x);
    else if (x->n > FEW)
        memset(x->table, 0, (x->mask + 1) * sizeof(*x->table));
    x->n = 0;
    x->labels = labels;
}

const struct labels *ex_labels(const struct extracted *x)
{
    return x->labels;
}

static struct slot *slot_at(const struct extracted *x, u32 i)
{
    return &x->chunks.v[i / CHUNK][i % CHUNK];
}

/* --- finding --- */

static u32 hash_name(struct str name)
{
    return (u32)hash_bytes(name.p, name.n, hash_process_seed());
}

static struct slot *find_few(const struct extracted *x, struct str name)
{
    for (u32 i = 0; i < x->n; i++) {
        struct slot *s = slot_at(x, i);
        if (s->name.n == name.n && (s->name.p == name.p || str_eq(s->name, name))) return s;
    }
    return NULL;
}

static struct slot *find_hashed(const struct extracted *x, struct str name, u32 hash)
{
    for (u32 at = hash & x->mask; x->table[at]; at = (at + 1) & x->mask) {
        struct slot *s = slot_at(x, x->table[at] - 1);
        if (s->hash == hash && str_eq(s->name, name)) return s;
    }
    return NULL;
}

static struct slot *find(const struct extracted *x, struct str name)
{
    return x->n <= FEW ? find_few(x, name) : find_hashed(x, name, hash_name(name));
}

static void enter(struct extracted *x, u32 number)
{
    u32 at = slot_at(x, number)->hash & x->mask;

    while (x->table[at])
        at = (at + 1) & x->mask;
    x->table[at] = number + 1;
}

/* The table for n slots, at most half full. */
static void rebuild(struct extracted *x)
{
    u32 size = MAX(x->mask + 1, 4 * FEW);

    while (size < 2 * x->n)
        size *= 2;
    free(x->table);
    x->table = xcalloc(size, sizeof(*x->table));
    x->mask = size - 1;
    for (u32 i = 0; i < x->n; i++)
        enter(x, i);
}

static void index_new(struct extracted *x)
{
    if (x->n <= FEW) return;
    if (x->n == FEW + 1)
        for (u32 i = 0; i < FEW; i++)
            slot_at(x, i)->hash = hash_name(slot_at(x, i)->name);
    slot_at(x, x->n - 1)->hash = hash_name(slot_at(x, x->n - 1)->name);
    if (!x->table || 2 * x->n > x->mask + 1)
        rebuild(x);
    else if (x->n == FEW + 1)
        for (u32 i = 0; i < x->n; i++)
            enter(x, i);
    else
        enter(x, x->n - 1);
}

/* A name that is not there yet. */
static struct slot *add(struct extracted *x, struct str name)
{
    if (x->n == x->chunks.n * CHUNK) vec_push(&x->chunks, xcalloc(CHUNK, sizeof(struct slot)));
    struct slot *s = slot_at(x, x->n++);
    s->name = name;
    s->deleted = false;
    index_new(x);
    return s;
}

/* The slot of a name that is about to get a value. */
static struct slot *slot_for(struct extracted *x, struct str name)
{
    struct slot *s = find(x, name);

    if (!s) return add(x, name);
    s->deleted = false;
    return s;
}

/* --- values --- */

/* What strings do not use of a value is left as it was. */
static void set_str(struct ex_value *v, struct str s)
{
    v->type = EX_STRING;
    v->s = s;
}

const struct ex_value *ex_get(struct extracted *x, struct str name)
{
    struct slot *s = find(x, name);

    if (s) return s->deleted ? NULL : &s->v;
    struct str label = x->labels ? labels_get(x->labels, name) : (struct str){0};
    if (!label.p) return NULL;
    s = add(x, name);
    set_str(&s->v, label);
    return &s->v;
}

void ex_put(struct extracted *x, struct str name, struct ex_value v)
{
    slot_for(x, name)->v = v;
}

void ex_put_str(struct extracted *x, struct str name, struct str value)
{
    set_str(&slot_for(x, name)->v, value);
}

void ex_del(struct extracted *x, struct str name)
{
    struct slot *s = find(x, name);

    if (!s && x->labels && labels_get(x->labels, name).p) s = add(x, name);
    if (s) s->deleted = true;
}

/* --- all of them --- */

static int by_name(const void *a, const void *b)
{
    const struct slot *const *x = a, *const *y = b;

    return str_cmp((*x)->name, (*y)->name);
}

/* Every label that nothing hides becomes a slot. */
static void fetch_labels(struct extracted *x)
{
    for (u32 i = 0; x->labels && i < x->labels->n; i++)
        ex_get(x, x->labels->v[i].name);
}

static size_t live_slots(const struct extracted *x, const struct slot **out)
{
    size_t n = 0;

    for (u32 i = 0; i < x->n; i++)
        if (!slot_at(x, i)->deleted) out[n++] = slot_at(x, i);
    return n;
}

size_t ex_sorted(struct extracted *x, struct arena *a, struct str **ret_names,
                 const struct ex_value ***ret_values)
{
    fetch_labels(x);
    const struct slot **slots = arena_array(a, const struct slot *, x->n + 1);
    size_t n = live_slots(x, slots);
    *ret_names = arena_array(a, struct str, n + 1);
    *ret_values = arena_array(a, const struct ex_value *, n + 1);
    qsort(slots, n, sizeof(*slots), by_name);
    for (size_t i = 0; i < n; i++) {
        (*ret_names)[i] = slots[i]->name;
        (*ret_values)[i] = &slots[i]->v;
    }
    return n;
}

void ex_share(struct extracted *x, const struct extracted *from)
{
    ex_begin(x, from->labels);
    for (u32 i = 0; i < from->n; i++) {
        const struct slot *s = slot_at(from, i);
        struct slot *copy = add(x, s->name);
        copy->deleted = s->deleted;
        copy->v = s->v;
    }
}

void ex_copy(struct extracted *x, const struct extracted *from, const struct labels *labels,
             struct arena *a)
{
    ex_share(x, from);
    x->labels = labels;
    for (u32 i = 0; i < x->n; i++) {
        struct slot *s = slot_at(x, i);
        s->name = arena_str(a, s->name);
        if (!s->deleted && s->v.type == EX_STRING) s->v.s = arena_str(a, s->v.s);
    }
}

/* --- as text --- */

static struct str number(struct arena *a, const struct ex_value *v)
{
    struct buf b = BUF_INIT(1024);

    if (v->type == EX_INT)
        buf_printf(&b, "%lld", (long long)v->i);
    else
        num_f64_plain(&b, v->f);
    struct str s = arena_str(a, buf_view(&b));
    buf_done(&b);
    return s;
}

bool ex_string(const struct ex_value *v, struct arena *a, struct str *ret)
{
    switch (v->type) {
    case EX_STRING: *ret = v->s.p ? v->s : STR(""); return true;
    case EX_FLOAT:
    case EX_INT: *ret = number(a, v); return true;
    case EX_BOOL: *ret = v->b ? STR("true") : STR("false"); return true;
    case EX_NULL:
    case EX_OTHER: return false;
    }
    return false;
}
