/* The lines of the last scrape. Targets nearly always answer with the same lines in the same order,
 * so each is looked for in its place; only when one is not there a table by hash is made. While all
 * are in their places nothing is written at all. */
#include "components/prometheus/scrape/scrape.h"

#include "base/hash.h"

/* --- a set of series --- */

static size_t set_slot(const struct series_set *s, const struct series *x)
{
    size_t i = (size_t)hash_mix((u64)(uintptr_t)x, 1) & (s->cap - 1);

    while (s->v[i] && s->v[i] != x)
        i = (i + 1) & (s->cap - 1);
    return i;
}

static void set_grow(struct series_set *s)
{
    struct series_set bigger = {.cap = MAX(s->cap * 2, (size_t)64)};

    bigger.v = xcalloc(bigger.cap, sizeof(*bigger.v));
    bigger.n = s->n;
    for (size_t i = 0; i < s->cap; i++)
        if (s->v[i]) bigger.v[set_slot(&bigger, s->v[i])] = s->v[i];
    free(s->v);
    *s = bigger;
}

static bool set_add(struct series_set *s, struct series *x)
{
    if (s->n * 2 >= s->cap) set_grow(s);
    size_t i = set_slot(s, x);
    if (s->v[i]) return false;
    s->v[i] = x;
    s->n++;
    return true;
}

static bool set_has(const struct series_set *s, const struct series *x)
{
    return s->cap > 0 && s->v[set_slot(s, x)];
}

static void set_done(struct series_set *s)
{
    free(s->v);
    *s = (struct series_set){0};
}

/* --- a scrape --- */

void cache_begin(struct scrape_cache *c)
{
    c->at = 0;
    c->added = 0;
    c->moved = c->watching = false;
    vec_clear(&c->now);
}

const struct line *cache_expected(const struct scrape_cache *c)
{
    return c->at < c->last.n ? &c->last.v[c->at] : NULL;
}

/* From here on the lines of this scrape are a list of their own. */
static void move(struct scrape_cache *c)
{
    if (c->moved) return;
    c->moved = true;
    vec_reserve(&c->now, c->last.n);
    for (size_t i = 0; i < c->at; i++) {
        vec_push(&c->now, c->last.v[i]);
        c->last.v[i].ref |= LINE_SEEN;
    }
}

/* Series of this scrape are kept in a set from the first one that might be there twice. */
static void watch(struct scrape_cache *c)
{
    if (c->watching) return;
    move(c);
    c->watching = true;
    for (size_t i = 0; i < c->now.n; i++)
        (void)set_add(&c->present, line_series(&c->now.v[i]));
}

static void make_table(struct scrape_cache *c)
{
    size_t n = 64;

    while (n < c->last.n * 2)
        n *= 2;
    c->table = xcalloc(n, sizeof(*c->table));
    c->table_n = n;
    for (size_t i = c->last.n; i-- > 0;) {
        size_t slot = (size_t)c->last.v[i].hash & (n - 1);
        while (c->table[slot])
            slot = (slot + 1) & (n - 1);
        c->table[slot] = (u32)i + 1;
    }
}

static struct line *look_up(struct scrape_cache *c, u64 hash)
{
    if (c->last.n == 0) return NULL;
    if (!c->table) make_table(c);
    for (size_t slot = (size_t)hash & (c->table_n - 1); c->table[slot];
         slot = (slot + 1) & (c->table_n - 1)) {
        struct line *l = &c->last.v[c->table[slot] - 1];
        if (l->hash == hash) return l;
    }
    return NULL;
}

/* A line of the last scrape is one of this scrape, too. */
static bool take(struct scrape_cache *c, struct line *l, u32 flags)
{
    struct line copy = {l->hash, (l->ref & ~(u64)LINE_FLAGS) | flags};
    bool fresh = true;

    if (l->ref & LINE_DOUBLE) watch(c);
    if (c->watching) fresh = set_add(&c->present, line_series(l));
    if (!c->moved) {
        l->ref = copy.ref;
        return true;
    }
    l->ref |= LINE_SEEN;
    if (!fresh) copy.ref |= LINE_DOUBLE;
    vec_push(&c->now, copy);
    return fresh;
}

int cache_find(struct scrape_cache *c, u64 hash, bool expected, u32 flags, struct series **ret)
{
    struct line *l = expected ? &c->last.v[c->at] : NULL;

    if (!l || (l->ref & LINE_SEEN)) {
        move(c);
        l = look_up(c, hash);
    }
    if (!l) return 0;
    *ret = line_series(l);
    if (l->ref & LINE_SEEN) return 2;
    bool fresh = take(c, l, flags);
    c->at = (size_t)(l - c->last.v) + 1;
    return fresh ? 1 : 2;
}

bool cache_add(struct scrape_cache *c, u64 hash, u32 length, u32 flags, struct series *s)
{
    watch(c);
    bool fresh = set_add(&c->present, s);
    u64 ref = (u64)(uintptr_t)s | flags | LINE_NEW | (fresh ? 0 : LINE_DOUBLE) |
              (u64)(length > 0xffff ? 0 : length) << 48;
    vec_push(&c->now, ((struct line){hash, ref}));
    c->added++;
    return fresh;
}

/* --- its end --- */

static bool is_due(const struct line *l, bool track_timed)
{
    return (track_timed || !(l->ref & LINE_TIMED)) && !(l->ref & LINE_DOUBLE);
}

static void end_tables(struct scrape_cache *c)
{
    free(c->table);
    c->table = NULL;
    set_done(&c->present);
}

void cache_end(struct scrape_cache *c, bool track_timed, cache_gone_fn *gone, void *arg)
{
    bool ended = c->ended;

    c->ended = false;
    if (!c->moved && c->at == c->last.n) return;
    move(c);
    for (size_t i = 0; i < c->last.n; i++) {
        const struct line *l = &c->last.v[i];
        if (l->ref & LINE_SEEN) continue;
        bool due = !ended && is_due(l, track_timed) && !set_has(&c->present, line_series(l));
        gone(arg, line_series(l), due, true);
    }
    end_tables(c);
    free(c->last.v);
    c->last.v = c->now.v;
    c->last.n = c->now.n;
    c->last.cap = c->now.cap;
    c->now.v = NULL;
    c->now.n = c->now.cap = 0;
}

void cache_fail(struct scrape_cache *c, bool track_timed, cache_gone_fn *gone, void *arg)
{
    for (size_t i = 0; i < c->now.n; i++)
        if (c->now.v[i].ref & LINE_NEW) gone(arg, line_series(&c->now.v[i]), false, true);
    for (size_t i = 0; i < c->last.n; i++) {
        struct line *l = &c->last.v[i];
        l->ref &= ~(u64)LINE_SEEN;
        if (!c->ended && is_due(l, track_timed)) gone(arg, line_series(l), true, false);
    }
    end_tables(c);
    vec_done(&c->now);
    c->moved = c->watching = false;
    c->at = 0;
    c->ended = true;
}

void cache_forget(struct scrape_cache *c, cache_gone_fn *gone, void *arg)
{
    for (size_t i = 0; i < c->last.n; i++)
        gone(arg, line_series(&c->last.v[i]), false, true);
    vec_done(&c->last);
    c->ended = false;
}

void cache_free(struct scrape_cache *c)
{
    end_tables(c);
    vec_done(&c->now);
    vec_done(&c->last);
}
