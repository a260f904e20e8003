/* Labels as a list of changes, made into a set on demand. */
#include "components/loki/process/entry_labels.h"

#include "base/hash.h"

/* --- what changes came to --- */

#define SLOTS     1024u
#define KEY_MAX   1024u /* bytes of names and values of one key; longer ones are not remembered */
#define KEY_TOTAL ((size_t)256 << 10)

struct remembered {
    u64 hash;
    struct labels *base, *result; /* references; NULL: free */
    struct change *changes;       /* one allocation with their texts */
    u32 n;
    size_t size;
};
struct label_memo {
    struct label_table *table;
    struct remembered *slots;
    size_t held;   /* bytes of keys */
    u64 forgotten; /* how many results were let go */
};

struct label_memo *label_memo_new(struct label_table *t)
{
    struct label_memo *m = xnew(struct label_memo);

    m->table = t;
    m->slots = xcalloc(SLOTS, sizeof(*m->slots));
    return m;
}

struct label_table *label_memo_table(const struct label_memo *m)
{
    return m->table;
}

static void forget(struct label_memo *m, struct remembered *r)
{
    if (!r->base) return;
    labels_unref(r->base);
    labels_unref(r->result);
    m->held -= r->size;
    m->forgotten++;
    free(r->changes);
    *r = (struct remembered){0};
}

void label_memo_clear(struct label_memo *m)
{
    for (u32 i = 0; i < SLOTS; i++)
        forget(m, &m->slots[i]);
}

void label_memo_free(struct label_memo *m)
{
    if (!m) return;
    label_memo_clear(m);
    free(m->slots);
    free(m);
}

/* The ends of a text: texts that differ in the middle only share a slot, which costs time, not
 * truth. */
static u64 ends_of(struct str s)
{
    u64 first = 0, last = 0;

    if (s.n >= 8) {
        memcpy(&first, s.p, 8);
        memcpy(&last, s.p + s.n - 8, 8);
    } else if (s.n >= 4) {
        u32 a, b;
        memcpy(&a, s.p, 4);
        memcpy(&b, s.p + s.n - 4, 4);
        first = (u64)a << 32 | b;
    } else {
        for (size_t i = 0; i < s.n; i++)
            first = first << 8 | (u8)s.p[i];
    }
    return first * UINT64_C(0x9E3779B97F4A7C15) ^ last ^ s.n;
}

static u64 stir(u64 h, u64 x)
{
    h = (h ^ x) * UINT64_C(0x9E3779B97F4A7C15);
    return h ^ h >> 32;
}

static u64 hash_changes(const struct entry_labels *l)
{
    u64 h = (u64)(uintptr_t)l->base;

    for (size_t i = 0; i < l->changes.n; i++) {
        const struct change *c = &l->changes.v[i];
        h = stir(h, (u64)c->kind);
        h = c->list ? stir(h, (u64)(uintptr_t)c->list)
                    : stir(stir(h, ends_of(c->name)), ends_of(c->value));
    }
    return h;
}

static bool same_text(struct str a, struct str b)
{
    return a.n == b.n && (a.p == b.p || a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static bool same_change(const struct change *a, const struct change *b)
{
    return a->kind == b->kind && a->list == b->list && same_text(a->name, b->name) &&
           same_text(a->value, b->value);
}

static bool same_key(const struct remembered *r, u64 hash, const struct entry_labels *l)
{
    bool same = r->hash == hash && r->base == l->base && r->n == l->changes.n;

    for (u32 i = 0; same && i < r->n; i++)
        same = same_change(&r->changes[i], &l->changes.v[i]);
    return same;
}

static size_t key_size(const struct entry_labels *l)
{
    size_t n = 0;

    for (size_t i = 0; i < l->changes.n; i++)
        n += l->changes.v[i].name.n + l->changes.v[i].value.n;
    return n;
}

static struct str copy_to(char **at, struct str s)
{
    char *p = *at;

    if (s.n) memcpy(p, s.p, s.n);
    *at = p + s.n;
    return str_n(p, s.n);
}

static struct change *copy_changes(const struct entry_labels *l, size_t size)
{
    struct change *v = xmalloc(size);
    char *at = (char *)(v + l->changes.n);

    for (size_t i = 0; i < l->changes.n; i++) {
        v[i] = l->changes.v[i];
        v[i].name = copy_to(&at, v[i].name);
        v[i].value = copy_to(&at, v[i].value);
    }
    return v;
}

/* Takes the reference on result when true. */
static bool remember(struct label_memo *m, struct remembered *r, u64 hash,
                     const struct entry_labels *l, struct labels *result)
{
    size_t texts = key_size(l), size = texts + l->changes.n * sizeof(struct change);

    forget(m, r);
    if (texts > KEY_MAX || m->held + size > KEY_TOTAL) return false;
    *r = (struct remembered){.hash = hash,
                             .base = labels_ref(l->base),
                             .result = result,
                             .changes = copy_changes(l, size),
                             .n = (u32)l->changes.n,
                             .size = size};
    m->held += size;
    return true;
}

/* --- the entry's labels --- */

void entry_labels_init(struct entry_labels *l, struct label_memo *m)
{
    *l = (struct entry_labels){.memo = m};
    label_set_init(&l->set);
}

void entry_labels_done(struct entry_labels *l)
{
    labels_unref(l->own);
    vec_done(&l->changes);
    label_set_done(&l->set);
}

void entry_labels_begin(struct entry_labels *l, struct labels *base)
{
    if (UNLIKELY(l->own != NULL)) {
        labels_unref(l->own);
        l->own = NULL;
    }
    l->base = base;
    l->result = NULL;
    l->loaded = false;
    l->applied = 0;
    vec_clear(&l->changes);
}

void entry_labels_share(struct entry_labels *l, const struct entry_labels *from)
{
    entry_labels_begin(l, from->base);
    for (size_t i = 0; i < from->changes.n; i++)
        vec_push(&l->changes, from->changes.v[i]);
}

static const struct label *in_list(const struct label_list *l, struct str name)
{
    for (u32 i = 0; i < l->n; i++)
        if (same_text(l->v[i].name, name)) return &l->v[i];
    return NULL;
}

static bool keeps(const struct label *l, void *arg)
{
    return in_list(arg, l->name) != NULL;
}

static void make_change(struct label_set *s, const struct change *c)
{
    switch (c->kind) {
    case CHANGE_PUT: label_set_put_view(s, c->name, c->value); return;
    case CHANGE_DEL: label_set_del(s, c->name); return;
    case CHANGE_PUT_ALL:
        for (u32 i = 0; i < c->list->n; i++)
            label_set_put_view(s, c->list->v[i].name, c->list->v[i].value);
        return;
    case CHANGE_KEEP: label_set_filter(s, keeps, (void *)c->list); return;
    case CHANGE_DROP:
        for (u32 i = 0; i < c->list->n; i++)
            label_set_del(s, c->list->v[i].name);
        return;
    }
}

static const struct label_set *whole(struct entry_labels *l)
{
    if (!l->loaded || l->set.err) { /* what memory was out for is tried again */
        label_set_load(&l->set, l->base);
        l->applied = 0;
    }
    l->loaded = true;
    while (l->applied < l->changes.n)
        make_change(&l->set, &l->changes.v[l->applied++]);
    return &l->set;
}

static struct labels *build(struct entry_labels *l, struct remembered *r, u64 hash)
{
    struct labels *made = label_set_intern(whole(l), l->memo->table);

    if (made && !remember(l->memo, r, hash, l, made)) {
        labels_unref(l->own);
        l->own = made;
    }
    return made;
}

struct labels *entry_labels_intern(struct entry_labels *l)
{
    if (l->changes.n == 0) return l->base;
    if (l->result && (l->result == l->own || l->forgotten == l->memo->forgotten)) return l->result;
    u64 hash = hash_changes(l);
    struct remembered *r = &l->memo->slots[hash % SLOTS];
    l->result = r->base && same_key(r, hash, l) ? r->result : build(l, r, hash);
    l->forgotten = l->memo->forgotten;
    return l->result;
}

/* --- what stages see --- */

static void note(const struct entry *e, struct change c)
{
    struct entry_labels *l = e->labels;

    l->result = NULL;
    vec_push(&l->changes, c);
}

void entry_label_put(struct entry *e, struct str name, struct str value)
{
    note(e, (struct change){.kind = CHANGE_PUT, .name = name, .value = value});
}

void entry_label_del(struct entry *e, struct str name)
{
    note(e, (struct change){.kind = CHANGE_DEL, .name = name});
}

void entry_labels_put(struct entry *e, const struct label_list *list)
{
    note(e, (struct change){.kind = CHANGE_PUT_ALL, .list = list});
}

void entry_labels_keep(struct entry *e, const struct label_list *list)
{
    note(e, (struct change){.kind = CHANGE_KEEP, .list = list});
}

void entry_labels_drop(struct entry *e, const struct label_list *list)
{
    note(e, (struct change){.kind = CHANGE_DROP, .list = list});
}

/* True when the change decides what becomes of the name; *ret is then its value, or NULL. */
static bool decides(const struct change *c, struct str name, struct str *ret)
{
    const struct label *l = c->list ? in_list(c->list, name) : NULL;
    bool named = c->list ? l != NULL : same_text(c->name, name);

    *ret = (struct str){0};
    if (c->kind == CHANGE_KEEP) return !named;
    if (!named) return false;
    if (c->kind == CHANGE_PUT) *ret = c->value.p ? c->value : STR("");
    if (c->kind == CHANGE_PUT_ALL) *ret = l->value;
    return true;
}

struct str entry_label(const struct entry *e, struct str name)
{
    const struct entry_labels *l = e->labels;
    struct str value;

    for (size_t i = l->changes.n; i > 0; i--)
        if (decides(&l->changes.v[i - 1], name, &value)) return value;
    return labels_get(l->base, name);
}

const struct label_set *entry_labels(const struct entry *e)
{
    return whole(e->labels);
}

struct labels *entry_stream(const struct entry *e)
{
    return entry_labels_intern(e->labels);
}
