/* The symbol table of a remote write 2.0 request. Texts of series are interned, so that the same
 * text mostly stands at the same address: a table by address comes before the one by contents. It
 * may be wrong (a series went, its memory serves another), so what it says is compared. */
#include <errno.h>
#include <stdlib.h>
#include "base/hash.h"
#include "base/xalloc.h"
#include "telemetry/rw_impl.h"

#define N_RECENT 4096 /* a power of two */
struct rw_recent {
    const char *text;
    u32 ref;
};

void rw_symbols_init(struct rw_symbols *s)
{
    *s = (struct rw_symbols){.wire = BUF_INIT((size_t)UINT32_MAX - 1)};
    s->recent = xcalloc(N_RECENT, sizeof(*s->recent));
    rw_symbols_reset(s);
}

void rw_symbols_done(struct rw_symbols *s)
{
    buf_done(&s->wire);
    free(s->v);
    free(s->slots);
    free(s->recent);
}

static struct str text_of(const struct rw_symbols *s, u32 ref)
{
    return str_n(s->wire.p + s->v[ref].at, s->v[ref].n);
}

void rw_symbols_reset(struct rw_symbols *s)
{
    buf_reset(&s->wire);
    if (s->slots) memset(s->slots, 0, s->n_slots * sizeof(*s->slots));
    s->n = s->used = 0;
    rw_symbols_ref(s, STR(""));
}

void rw_symbols_cut(struct rw_symbols *s, u32 n)
{
    s->wire.err = 0;
    if (n >= s->n) return;
    buf_truncate(&s->wire, n ? s->v[n - 1].at + s->v[n - 1].n : 0);
    s->n = n;
}

static u64 *slot_of(const struct rw_symbols *s, u64 hash)
{
    u32 i = (u32)hash & (s->n_slots - 1);

    while (s->slots[i])
        i = (i + 1) & (s->n_slots - 1);
    return &s->slots[i];
}

/* Slots keep the upper half of the hash, which says where they stand, too. */
static void make_slots(struct rw_symbols *s)
{
    u64 *old = s->slots;
    u32 n_old = s->n_slots;

    s->n_slots = n_old ? n_old * 2 : 1024;
    s->slots = xcalloc(s->n_slots, sizeof(*s->slots));
    s->used = 0;
    for (u32 i = 0; i < n_old; i++) {
        if (!old[i] || (u32)old[i] > s->n) continue; /* one that was cut off */
        *slot_of(s, old[i] >> 32) = old[i];
        s->used++;
    }
    free(old);
}

/* UINT32_MAX: it is not there. */
static u32 find(const struct rw_symbols *s, struct str text, u32 hash)
{
    for (u32 i = hash & (s->n_slots - 1); s->slots[i]; i = (i + 1) & (s->n_slots - 1)) {
        u32 ref = (u32)s->slots[i] - 1;
        if ((u32)(s->slots[i] >> 32) == hash && ref < s->n && str_eq(text_of(s, ref), text))
            return ref;
    }
    return UINT32_MAX;
}

static u32 enter(struct rw_symbols *s, struct str text, u32 hash)
{
    pb_add_bytes(&s->wire, V2_SYMBOL, text);
    if (buf_err(&s->wire)) return 0;
    if (s->n == s->cap) {
        s->cap = s->cap ? s->cap * 2 : 256;
        s->v = xrealloc(s->v, s->cap * sizeof(*s->v));
    }
    s->v[s->n] = (struct rw_symbol){(u32)(s->wire.n - text.n), (u32)text.n};
    *slot_of(s, hash) = (u64)hash << 32 | (s->n + 1);
    s->used++;
    return s->n++;
}

static u32 find_or_enter(struct rw_symbols *s, struct str text)
{
    u32 hash = (u32)hash_bytes(text.p, text.n, hash_process_seed());

    if (s->used * 2 >= s->n_slots) make_slots(s);
    if (!s->n && text.n) rw_symbols_ref(s, STR("")); /* it could not be entered before */
    u32 ref = find(s, text, hash);
    return ref == UINT32_MAX ? enter(s, text, hash) : ref;
}

u32 rw_symbols_ref(struct rw_symbols *s, struct str text)
{
    struct rw_recent *r = &s->recent[((uintptr_t)text.p >> 3) * 0x9e3779b1u >> 7 & (N_RECENT - 1)];

    if (r->text == text.p && r->ref < s->n && str_eq(text_of(s, r->ref), text)) return r->ref;
    u32 ref = find_or_enter(s, text);
    *r = (struct rw_recent){text.p, ref};
    return ref;
}
