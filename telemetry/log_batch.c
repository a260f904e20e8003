/* Building and holding log entries. The builder collects them in order of arrival, beside them the
 * numbers of their streams; sealing puts each stream's entries side by side, which entries of one
 * stream are already. Copied bytes go into chunks, which are root buffers like any other. */
#include "telemetry/log_batch.h"

#include <errno.h>
#include <stdlib.h>
#include "base/map.h"
#include "base/vec.h"
#include "base/xalloc.h"

#define CHUNK     ((size_t)16 << 10)
#define ITEMS_MIN 16
#define USUAL_MAX 4096
#define RECENT    16
#define ITEM_SIZE (sizeof(struct log_entry) + sizeof(u32))

struct building {
    struct labels *labels;
    u32 n;
};
struct log_builder {
    struct budget *budget;
    struct log_entry *entries; /* charged while they live, both arrays */
    u32 *of;                   /* the stream of each */
    u32 n, cap;
    u32 usual; /* entries of the last batch: the next one has room for as many at once */
    size_t bytes, pinned;
    VEC(struct building) streams;
    struct map by_labels; /* address of the set -> its number + 1 */
    u32 recent[RECENT];   /* number + 1 of the last stream whose address ended so */
    VEC(struct blob *) roots;
    struct blob *chunk; /* being filled; one of roots */
};

/* --- finished --- */

struct logs *logs_ref(struct logs *l)
{
    refs_get(&l->refs);
    return l;
}

void logs_unref(struct logs *l)
{
    if (!l || !refs_put(&l->refs)) return;
    for (u32 i = 0; i < l->n_streams; i++)
        labels_unref(l->streams[i].labels);
    for (u32 i = 0; i < l->n_roots; i++)
        blob_unref(l->roots[i]);
    if (l->budget) budget_give(l->budget, (i64)l->charged);
    free(l->roots);
    free(l->streams);
    free(l->entries);
    free(l);
}

size_t log_entry_bytes(const struct log_entry *e)
{
    size_t n = e->line.n;

    for (u32 i = 0; i < e->n_meta; i++)
        n += e->meta[i].name.n + e->meta[i].value.n;
    return n;
}

/* --- life of a builder --- */

struct log_builder *log_builder_new(struct budget *budget)
{
    struct log_builder *b = xnew(struct log_builder);

    b->budget = budget;
    return b;
}

static void give_back(struct log_builder *b, size_t n)
{
    if (b->budget) budget_give(b->budget, (i64)n);
}

/* What is left of a builder whose streams and roots were moved out or dropped. */
static void reset(struct log_builder *b)
{
    give_back(b, b->cap * ITEM_SIZE);
    free(b->entries);
    free(b->of);
    map_done(&b->by_labels, NULL);
    *b = (struct log_builder){.budget = b->budget, .usual = b->n};
}

void log_builder_free(struct log_builder *b)
{
    if (!b) return;
    vec_each (&b->streams, s)
        labels_unref(s->labels);
    vec_each (&b->roots, r)
        blob_unref(*r);
    vec_done(&b->streams);
    vec_done(&b->roots);
    reset(b);
    free(b);
}

u32 log_builder_items(const struct log_builder *b)
{
    return b->n;
}

size_t log_builder_bytes(const struct log_builder *b)
{
    return b->bytes;
}

/* --- roots --- */

static void add_root(struct log_builder *b, struct blob *root)
{
    b->pinned += root->cap;
    vec_push(&b->roots, root);
}

void log_builder_keep(struct log_builder *b, struct blob *root)
{
    if (b->roots.n > 0 && vec_last(&b->roots) == root) return;
    add_root(b, blob_ref(root));
}

void log_builder_keep_logs(struct log_builder *b, const struct logs *l)
{
    for (u32 i = 0; i < l->n_roots; i++)
        log_builder_keep(b, l->roots[i]);
}

/* Metadata arrays lie in chunks too. */
static size_t aligned(size_t n)
{
    return (n + _Alignof(struct label) - 1) & ~(_Alignof(struct label) - 1);
}

/* n bytes in a chunk; NULL when the budget is out. */
static char *take(struct log_builder *b, size_t n)
{
    n = aligned(n);
    if (!b->chunk || b->chunk->cap - b->chunk->n < n) {
        struct blob *chunk = blob_new(MAX(n, CHUNK), b->budget);
        if (!chunk) return NULL;
        b->chunk = chunk;
        add_root(b, chunk);
    }
    char *p = b->chunk->p + b->chunk->n;
    b->chunk->n += n;
    return p;
}

/* --- entries --- */

/* False: memory is out; what is there stays. */
static bool resize(struct log_builder *b, u32 cap)
{
    struct log_entry *entries = budget_realloc(b->entries, cap * sizeof(*entries));
    if (entries) b->entries = entries;
    u32 *of = entries ? budget_realloc(b->of, cap * sizeof(*of)) : NULL;

    if (!of) return false;
    b->of = of;
    b->cap = cap;
    return true;
}

static int grow(struct log_builder *b)
{
    u32 more = b->cap ? b->cap : MIN(MAX(b->usual, ITEMS_MIN), USUAL_MAX);

    if (b->budget && !budget_take(b->budget, (i64)(more * ITEM_SIZE))) return -ENOMEM;
    if (resize(b, b->cap + more)) return 0;
    give_back(b, more * ITEM_SIZE);
    return -ENOMEM;
}

static inline int make_room(struct log_builder *b)
{
    return LIKELY(b->n < b->cap) ? 0 : grow(b);
}

static u32 stream_by_map(struct log_builder *b, struct labels *labels)
{
    struct str key = str_n((const char *)&labels, sizeof(labels));
    u32 known = (u32)(uintptr_t)map_get(&b->by_labels, key);

    if (known) return known;
    vec_push(&b->streams, ((struct building){labels_ref(labels), 0}));
    map_put(&b->by_labels, key, (void *)(uintptr_t)b->streams.n);
    return (u32)b->streams.n;
}

/* Entries alternate between a few streams. */
static u32 stream_of(struct log_builder *b, struct labels *labels)
{
    uintptr_t at = (uintptr_t)labels;
    u32 *recent = &b->recent[(at >> 4 ^ at >> 9 ^ at >> 14) % RECENT];

    if (!*recent || b->streams.v[*recent - 1].labels != labels) *recent = stream_by_map(b, labels);
    return *recent - 1;
}

int log_builder_add_slice(struct log_builder *b, struct labels *labels, const struct log_entry *e)
{
    int err = make_room(b);
    if (err) return err;
    u32 stream = stream_of(b, labels);

    b->of[b->n] = stream;
    b->entries[b->n++] = *e;
    b->streams.v[stream].n++;
    b->bytes += log_entry_bytes(e);
    return 0;
}

static struct str put(char **at, struct str s)
{
    char *p = *at;

    if (s.n) memcpy(p, s.p, s.n);
    *at = p + s.n;
    return str_n(p, s.n);
}

int log_builder_add(struct log_builder *b, struct labels *labels, const struct log_entry *e)
{
    size_t pairs = e->n_meta * sizeof(struct label);
    struct log_entry copy = *e;
    int err = make_room(b); /* first: what take() gave stays taken */
    char *at = err ? NULL : take(b, pairs + log_entry_bytes(e));

    if (!at) return -ENOMEM;
    struct label *meta = (struct label *)(void *)at;
    at += pairs;
    copy.line = put(&at, e->line);
    for (u32 i = 0; i < e->n_meta; i++)
        meta[i] = (struct label){put(&at, e->meta[i].name), put(&at, e->meta[i].value)};
    copy.meta = meta;
    return log_builder_add_slice(b, labels, &copy);
}

/* --- sealing --- */

static bool is_one_stream(const struct log_builder *b)
{
    return b->streams.n == 1;
}

static size_t arrays_size(const struct log_builder *b)
{
    return b->n * sizeof(struct log_entry) + b->streams.n * sizeof(struct log_stream);
}

/* Entries of one stream become the batch's as they are; without the room behind them when that is
 * more than an eighth. */
static struct log_entry *take_entries(struct log_builder *b)
{
    struct log_entry *entries = b->entries, *smaller = NULL;

    if (b->cap - b->n > b->n / 8) smaller = budget_realloc(entries, b->n * sizeof(*entries));
    b->entries = NULL;
    return smaller ? smaller : entries;
}

/* The arrays of l; false when memory or the budget is out. */
static bool make_arrays(struct log_builder *b, struct logs *l)
{
    size_t size = arrays_size(b);

    if (b->budget && !budget_take(b->budget, (i64)size)) return false;
    l->streams = budget_alloc(MAX(b->streams.n, 1) * sizeof(*l->streams));
    if (l->streams)
        l->entries =
            is_one_stream(b) ? take_entries(b) : budget_alloc(MAX(b->n, 1) * sizeof(*l->entries));
    if (l->entries) return true;
    free(l->streams);
    give_back(b, size);
    return false;
}

/* Each stream's entries side by side, in their order. */
static void arrange(struct log_builder *b, struct logs *l)
{
    struct log_entry *at = l->entries;

    for (u32 i = 0; i < b->streams.n; i++) {
        l->streams[i] = (struct log_stream){b->streams.v[i].labels, at, 0};
        at += b->streams.v[i].n;
    }
    if (is_one_stream(b)) l->streams[0].n = b->n;
    for (u32 i = 0; i < b->n && !is_one_stream(b); i++) {
        struct log_stream *s = &l->streams[b->of[i]];
        l->entries[s->v - l->entries + s->n++] = b->entries[i];
    }
}

int log_builder_seal(struct log_builder *b, struct batch *into)
{
    struct logs *l = xnew(struct logs);

    ASSERT(into->signal == SIGNAL_LOGS && !into->sealed && !into->logs && into->n_slices == 0);
    if (!make_arrays(b, l)) {
        free(l);
        return -ENOMEM;
    }
    refs_init(&l->refs);
    l->budget = b->budget;
    l->charged = arrays_size(b);
    l->items = b->n;
    l->bytes = b->bytes;
    l->pinned = b->pinned + l->charged;
    l->n_streams = (u32)b->streams.n;
    l->n_roots = (u32)b->roots.n;
    arrange(b, l);
    l->roots = b->roots.v; /* moved, as the references on the labels were */
    free(b->streams.v);
    reset(b);
    batch_set_logs(into, l);
    batch_seal(into);
    return 0;
}

/* --- less of the roots --- */

static int copy_all(struct log_builder *b, const struct logs *l)
{
    int err = 0;

    for (u32 i = 0; i < l->n_streams; i++)
        for (u32 k = 0; !err && k < l->streams[i].n; k++)
            err = log_builder_add(b, l->streams[i].labels, &l->streams[i].v[k]);
    return err;
}

int logs_compact(const struct logs *l, struct budget *budget, struct logs **ret)
{
    struct log_builder *b = log_builder_new(budget);
    struct batch *into = batch_new(SIGNAL_LOGS);
    int err = copy_all(b, l);

    if (!err) err = log_builder_seal(b, into);
    if (!err) *ret = logs_ref(into->logs);
    batch_unref(into);
    log_builder_free(b);
    return err;
}
