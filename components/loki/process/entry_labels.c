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

static struct str name_of(const struct change *c)
{
    return str_n(c->n_name ? c->at : NULL, c->n_name);
}

static struct str value_of(const struct change *c)
{
    return str_n(c->value, c->n_value);
}

static u64 load64(const char *p)
{
    u64 v;

    memcpy(&v, p, sizeof(v));
    return v;
}

static u32 load32(const char *p)
{
    u32 v;

    memcpy(&v, p, sizeof(v));
    return v;
}

/* The ends of a text: texts that differ in the middle only share a slot, which costs time, not
 * truth. */
static inline u64 ends_of(const char *p, size_t n)
{
    u64 x = n;

    if (n >= 8) return load64(p) * UINT64_C(0x9E3779B97F4A7C15) ^ load64(p + n - 8) ^ n;
    if (n >= 4) return ((u64)load32(p) << 32 | load32(p + n - 4)) ^ n;
    for (size_t i = 0; i < n; i++)
        x = x << 8 | (u8)p[i];
    return x;
}

static inline u64 stir(u64 h, u64 x)
{
    h = (h ^ x) * UINT64_C(0x9E3779B97F4A7C15);
    return h ^ h >> 32;
}

static inline bool same_bytes(const char *a, const char *b, size_t n)
{
    if (n >= 8 && n <= 16) return load64(a) == load64(b) && load64(a + n - 8) == load64(b + n - 8);
    if (n >= 4 && n < 8) return load32(a) == load32(b) && load32(a + n - 4) == load32(b + n - 4);
    return n == 0 || memcmp(a, b, n) == 0;
}

static inline bool same_text(struct str a, struct str b)
{
    return a.n == b.n && (a.p == b.p || same_bytes(a.p, b.p, a.n));
}

static inline bool same_change(const struct change *a, const struct change *b)
{
    if (a->kind != b->kind || a->n_name != b->n_name || a->n_value != b->n_value) return false;
    if (a->n_name == 0) return a->at == b->at;
    return same_bytes(a->at, b->at, a->n_name) && same_bytes(a->value, b->value, a->n_value);
}

static bool same_key(const struct remembered *r, const struct entry_labels *l)
{
    bool same = r->hash == l->hash && r->base == l->base && r->n == l->changes.n;

    for (u32 i = 0; same && i < r->n; i++)
        same = same_change(&r->changes[i], &l->changes.v[i]);
    return same;
}

static size_t key_size(const struct entry_labels *l)
{
    size_t n = 0;

    for (size_t i = 0; i < l->changes.n; i++)
        n += l->changes.v[i].n_name + l->changes.v[i].n_value;
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
        if (v[i].n_name) v[i].at = copy_to(&at, name_of(&v[i])).p;
        v[i].value = copy_to(&at, value_of(&v[i])).p;
    }
    return v;
}

/* Takes the reference on result when true. */
static bool remember(struct label_memo *m, struct remembered *r, const struct entry_labels *l,
                     struct labels *result)
{
    size_t texts = key_size(l), size = texts + l->changes.n * sizeof(struct change);

    forget(m, r);
    if (texts > KEY_MAX || m->held + size > KEY_TOTAL) return false;
    *r = (struct remembered){.hash = l->hash,
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
    l->hash = (u64)(uintptr_t)base;
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
    l->hash = from->hash;
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
    const struct label_list *list = c->at;

    switch (c->kind) {
    case CHANGE_PUT: label_set_put_view(s, name_of(c), value_of(c)); return;
    case CHANGE_DEL: label_set_del(s, name_of(c)); return;
    case CHANGE_PUT_ALL:
        for (u32 i = 0; i < list->n; i++)
            label_set_put_view(s, list->v[i].name, list->v[i].value);
        return;
    case CHANGE_KEEP: label_set_filter(s, keeps, (void *)c->at); return;
    case CHANGE_DROP:
        for (u32 i = 0; i < list->n; i++)
            label_set_del(s, list->v[i].name);
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

static struct labels *build(struct entry_labels *l, struct remembered *r)
{
    struct labels *made = label_set_intern(whole(l), l->memo->table);

    if (made && !remember(l->memo, r, l, made)) {
        labels_unref(l->own);
        l->own = made;
    }
    return made;
}

struct labels *entry_labels_intern(struct entry_labels *l)
{
    if (l->changes.n == 0) return l->base;
    if (l->result && (l->result == l->own || l->forgotten == l->memo->forgotten)) return l->result;
    struct remembered *r = &l->memo->slots[(l->hash ^ l->hash >> 17) % SLOTS];
    l->result = r->base && same_key(r, l) ? r->result : build(l, r);
    l->forgotten = l->memo->forgotten;
    return l->result;
}

/* --- what stages see --- */

static inline struct change *note(const struct entry *e, enum change_kind kind)
{
    struct entry_labels *l = e->labels;

    l->result = NULL;
    vec_reserve(&l->changes, l->changes.n + 1);
    struct change *c = &l->changes.v[l->changes.n++];
    c->kind = kind;
    c->value = NULL;
    c->n_value = 0;
    return c;
}

static void note_list(const struct entry *e, enum change_kind kind, const struct label_list *list)
{
    struct change *c = note(e, kind);

    c->at = list;
    c->n_name = 0;
    e->labels->hash = stir(e->labels->hash, (u64)(uintptr_t)list + kind);
}

static void note_text(const struct entry *e, enum change_kind kind, struct str name,
                      struct str value)
{
    struct change *c = note(e, kind);
    u64 h = stir(e->labels->hash, ends_of(name.p, name.n) + kind);

    c->at = name.p;
    c->n_name = (u32)name.n;
    c->value = value.p ? value.p : "";
    c->n_value = value.n;
    e->labels->hash = stir(h, ends_of(value.p, value.n));
}

void entry_label_put(struct entry *e, struct str name, struct str value)
{
    if (name.n) note_text(e, CHANGE_PUT, name, value);
}

void entry_label_del(struct entry *e, struct str name)
{
    if (name.n) note_text(e, CHANGE_DEL, name, STR(""));
}

void entry_labels_put(struct entry *e, const struct label_list *list)
{
    note_list(e, CHANGE_PUT_ALL, list);
}

void entry_labels_keep(struct entry *e, const struct label_list *list)
{
    note_list(e, CHANGE_KEEP, list);
}

void entry_labels_drop(struct entry *e, const struct label_list *list)
{
    note_list(e, CHANGE_DROP, list);
}

/* True when the change decides what becomes of the name; *ret is then its value, or NULL. */
static bool decides(const struct change *c, struct str name, struct str *ret)
{
    const struct label *l = c->n_name ? NULL : in_list(c->at, name);
    bool named = c->n_name ? same_text(name_of(c), name) : l != NULL;

    *ret = (struct str){0};
    if (c->kind == CHANGE_KEEP) return !named;
    if (!named) return false;
    if (c->kind == CHANGE_PUT) *ret = value_of(c);
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
