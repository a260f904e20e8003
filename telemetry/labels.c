/* Label sets of logs: a hash table of immutable sets, in parts with a lock of their own. A set is
 * built outside of the lock, so that what is held is a few pointers' time; growing moves the
 * pointers of one part. */
#include "telemetry/labels.h"

#include <stdlib.h>
#include "base/buf.h"
#include "base/budget.h"
#include "base/hash.h"
#include "base/spin.h"
#include "base/utf8.h"
#include "base/xalloc.h"

#define PARTS     16
#define PART_MIN  32 /* chains of a part at first */
#define TEXT_SIZE ((size_t)64 << 20)

struct part {
    struct spin lock;
    struct labels **chains;
    size_t n_chains, n;
};
struct label_table {
    struct part parts[PARTS];
};

struct label_table *label_table_new(void)
{
    struct label_table *t = xnew(struct label_table);

    for (size_t i = 0; i < PARTS; i++) {
        t->parts[i].n_chains = PART_MIN;
        t->parts[i].chains = xcalloc(PART_MIN, sizeof(struct labels *));
    }
    return t;
}

size_t label_table_count(const struct label_table *t)
{
    size_t n = 0;

    for (size_t i = 0; i < PARTS; i++) {
        struct part *p = (struct part *)&t->parts[i];
        spin_lock(&p->lock);
        n += p->n;
        spin_unlock(&p->lock);
    }
    return n;
}

void label_table_free(struct label_table *t)
{
    if (!t || label_table_count(t) > 0) return;
    for (size_t i = 0; i < PARTS; i++)
        free(t->parts[i].chains);
    free(t);
}

/* --- building a set --- */

struct indexed {
    struct label label;
    size_t at;
};

static int by_name(const void *a, const void *b)
{
    const struct indexed *x = a, *y = b;
    int order = str_cmp(x->label.name, y->label.name);

    return order ? order : (x->at > y->at) - (x->at < y->at);
}

/* Sorted, without doubles, into out; how many. */
static size_t normalise(struct indexed *v, size_t n, struct label *out)
{
    size_t kept = 0;

    qsort(v, n, sizeof(*v), by_name);
    for (size_t i = 0; i < n; i++) {
        bool again = kept > 0 && str_eq(out[kept - 1].name, v[i].label.name);
        out[again ? kept - 1 : kept++] = v[i].label;
    }
    return kept;
}

void labels_write_text(const struct label *v, size_t n, struct buf *b)
{
    buf_ch(b, '{');
    for (size_t i = 0; i < n; i++) {
        if (i > 0) buf_cstr(b, ", ");
        buf_str(b, v[i].name);
        buf_ch(b, '=');
        utf8_quote(b, v[i].value);
    }
    buf_ch(b, '}');
}

static u64 hash_of(const struct label *v, size_t n)
{
    u64 h = 0;

    for (size_t i = 0; i < n; i++) {
        h = hash_bytes(v[i].name.p, v[i].name.n, h);
        h = hash_bytes(v[i].value.p, v[i].value.n, h + 1);
    }
    return h;
}

static struct str copy_to(char **at, struct str s)
{
    char *p = *at;

    if (s.n) memcpy(p, s.p, s.n);
    p[s.n] = '\0';
    *at = p + s.n + 1;
    return str_n(p, s.n);
}

/* The set in one piece: struct, labels, then their texts. NULL when memory is out. */
static struct labels *build(struct label_table *t, const struct label *v, size_t n, u64 hash)
{
    struct buf text = BUF_INIT(TEXT_SIZE);
    size_t size = sizeof(struct labels) + n * sizeof(struct label);

    labels_write_text(v, n, &text);
    for (size_t i = 0; i < n; i++)
        size += v[i].name.n + v[i].value.n + 2;
    struct labels *l = buf_err(&text) ? NULL : budget_alloc(size + text.n + 1);
    if (l) {
        struct label *list = (struct label *)(l + 1);
        char *at = (char *)(list + n);

        *l = (struct labels){.n = (u32)n, .v = list, .hash = hash, .table = t};
        refs_init(&l->refs);
        for (size_t i = 0; i < n; i++) {
            list[i].name = copy_to(&at, v[i].name);
            list[i].value = copy_to(&at, v[i].value);
        }
        l->text = copy_to(&at, buf_view(&text));
    }
    buf_done(&text);
    return l;
}

/* --- the table --- */

static struct part *part_of(struct label_table *t, u64 hash)
{
    return &t->parts[hash % PARTS];
}

static struct labels **chain_of(struct part *p, u64 hash)
{
    return &p->chains[hash / PARTS % p->n_chains];
}

static bool is_set(const struct labels *l, const struct label *v, size_t n)
{
    bool same = l->n == n;

    for (size_t i = 0; same && i < n; i++)
        same = str_eq(l->v[i].name, v[i].name) && str_eq(l->v[i].value, v[i].value);
    return same;
}

/* Part locked. Its count may not be zero: who drops the last reference unlinks it in the same lock.
 */
static struct labels *find(struct part *p, const struct label *v, size_t n, u64 hash)
{
    for (struct labels *l = *chain_of(p, hash); l; l = l->next)
        if (l->hash == hash && is_set(l, v, n)) return labels_ref(l);
    return NULL;
}

/* Part locked: into larger chains; gives the old ones back. */
static struct labels **rehash(struct part *p, struct labels **chains, size_t n_chains)
{
    struct labels **old = p->chains;
    size_t n_old = p->n_chains;

    p->chains = chains;
    p->n_chains = n_chains;
    for (size_t i = 0; i < n_old; i++)
        for (struct labels *l = old[i], *next; l; l = next) {
            struct labels **chain = chain_of(p, l->hash);
            next = l->next;
            l->next = *chain;
            *chain = l;
        }
    return old;
}

static void grow(struct part *p, size_t n_chains)
{
    struct labels **chains = xcalloc(n_chains * 2, sizeof(struct labels *));

    spin_lock(&p->lock);
    if (p->n_chains == n_chains) chains = rehash(p, chains, n_chains * 2);
    spin_unlock(&p->lock);
    free(chains);
}

/* Puts mine in, unless another thread was faster: then that one. */
static struct labels *insert(struct part *p, struct labels *mine, const struct label *v, size_t n)
{
    size_t full = 0;

    spin_lock(&p->lock);
    struct labels *found = find(p, v, n, mine->hash);
    if (!found) {
        struct labels **chain = chain_of(p, mine->hash);
        mine->next = *chain;
        *chain = mine;
        if (++p->n > p->n_chains) full = p->n_chains;
    }
    spin_unlock(&p->lock);
    if (full) grow(p, full);
    if (!found) return mine;
    free(mine);
    return found;
}

struct labels *labels_intern_sorted(struct label_table *t, const struct label *v, size_t n)
{
    u64 hash = hash_of(v, n);
    struct part *p = part_of(t, hash);

    spin_lock(&p->lock);
    struct labels *l = find(p, v, n, hash);
    spin_unlock(&p->lock);
    if (l) return l;
    l = build(t, v, n, hash);
    return l ? insert(p, l, v, n) : NULL;
}

static bool is_sorted(const struct label *v, size_t n)
{
    for (size_t i = 1; i < n; i++)
        if (str_cmp(v[i - 1].name, v[i].name) >= 0) return false;
    return true;
}

static struct labels *sort_and_intern(struct label_table *t, const struct label *v, size_t n)
{
    struct few {
        struct indexed from;
        struct label to;
    } few[32];
    void *room = n <= ARRAY_LEN(few) ? few : budget_alloc(n * sizeof(*few));
    if (!room) return NULL;
    struct indexed *from = room;
    struct label *to = (struct label *)(from + n);

    for (size_t i = 0; i < n; i++)
        from[i] = (struct indexed){v[i], i};
    struct labels *l = labels_intern_sorted(t, to, normalise(from, n, to));
    if (room != few) free(room);
    return l;
}

struct labels *labels_intern(struct label_table *t, const struct label *v, size_t n)
{
    return is_sorted(v, n) ? labels_intern_sorted(t, v, n) : sort_and_intern(t, v, n);
}

struct labels *labels_ref(struct labels *l)
{
    refs_get(&l->refs);
    return l;
}

static void unlink_set(struct part *p, struct labels *l)
{
    struct labels **at = chain_of(p, l->hash);

    while (*at != l)
        at = &(*at)->next;
    *at = l->next;
    p->n--;
}

/* One that is not the last is dropped without the lock; the last only inside, where nobody can find
 * the set any more. */
static bool drop_unless_last(struct labels *l)
{
    u32 n = atomic_load_explicit(&l->refs.n, memory_order_relaxed);

    while (n > 1)
        if (atomic_compare_exchange_weak_explicit(&l->refs.n, &n, n - 1, memory_order_acq_rel,
                                                  memory_order_relaxed))
            return true;
    return false;
}

void labels_unref(struct labels *l)
{
    if (!l || drop_unless_last(l)) return;
    struct part *p = part_of(l->table, l->hash);

    spin_lock(&p->lock);
    bool last = refs_put(&l->refs);
    if (last) unlink_set(p, l);
    spin_unlock(&p->lock);
    if (last) free(l);
}

struct str labels_get(const struct labels *l, struct str name)
{
    size_t lo = 0, hi = l->n;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        int order = str_cmp(name, l->v[mid].name);
        if (order == 0) return l->v[mid].value;
        if (order < 0)
            hi = mid;
        else
            lo = mid + 1;
    }
    return (struct str){0};
}
