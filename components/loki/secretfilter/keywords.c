/* Built breadth first; a state's row is complete, so the search takes one step for each byte. */
#include "components/loki/secretfilter/keywords.h"

#include <errno.h>
#include <stdlib.h>
#include "base/vec.h"

#define NONE UINT32_MAX

/* While it is built: words are kept by the state that they end at. */
struct build {
    struct keywords *k;
    u16 *next;
    u32 *suffix;    /* the longest other prefix that a state ends with */
    VEC(u32) * ids; /* by state */
    u32 cap;
};

static u8 lower(u8 c)
{
    return c >= 'A' && c <= 'Z' ? c | 0x20 : c;
}

/* Bytes that stand in no word share class 0. */
static void find_classes(struct keywords *k, const struct keyword *v, size_t n)
{
    k->classes = 1;
    for (size_t i = 0; i < n; i++)
        for (size_t at = 0; at < v[i].word.n; at++) {
            u8 c = lower((u8)v[i].word.p[at]);
            if (!k->class_of[c]) k->class_of[c] = (u8)k->classes++;
        }
    for (int c = 'A'; c <= 'Z'; c++)
        k->class_of[c] = k->class_of[lower((u8)c)];
}

static int add_word(struct build *b, const struct keyword *w)
{
    struct keywords *k = b->k;
    u32 state = 0;

    for (size_t at = 0; at < w->word.n; at++) {
        u16 *to = &b->next[state * k->classes + k->class_of[(u8)w->word.p[at]]];

        if (!*to && k->states == UINT16_MAX) return -E2BIG;
        if (!*to) *to = (u16)k->states++;
        state = *to;
    }
    if (state) vec_push(&b->ids[state], w->id);
    return 0;
}

/* Words that end in a state's suffix end in it too. */
static void inherit(struct build *b, u32 state, u32 from)
{
    for (size_t i = 0; i < b->ids[from].n; i++)
        vec_push(&b->ids[state], b->ids[from].v[i]);
}

static void complete(struct build *b)
{
    u32 classes = b->k->classes, *queue = xcalloc(b->k->states, sizeof(*queue)), head = 0, tail = 1;

    while (head < tail) {
        u32 state = queue[head++];

        for (u32 c = 0; c < classes; c++) {
            u16 *to = &b->next[state * classes + c];
            u16 back = state ? b->next[b->suffix[state] * classes + c] : 0;

            if (*to) {
                b->suffix[*to] = back;
                inherit(b, *to, back);
                queue[tail++] = *to;
            } else {
                *to = back;
            }
        }
    }
    free(queue);
}

static void keep_ids(struct build *b, struct arena *a)
{
    u32 total = 1, at = 1;

    for (u32 s = 0; s < b->k->states; s++)
        total += b->ids[s].n ? (u32)b->ids[s].n + 1 : 0;
    u32 *ids = arena_array(a, u32, total), *out = arena_array(a, u32, b->k->states);
    for (u32 s = 0; s < b->k->states; s++) {
        if (!b->ids[s].n) continue;
        out[s] = at;
        memcpy(&ids[at], b->ids[s].v, b->ids[s].n * sizeof(*ids));
        at += (u32)b->ids[s].n;
        ids[at++] = NONE;
    }
    b->k->ids = ids;
    b->k->out = out;
}

int keywords_build(struct keywords *k, const struct keyword *v, size_t n, struct arena *a)
{
    struct build b = {.k = k, .cap = 1};
    int rc = 0;

    *k = (struct keywords){.states = 1};
    find_classes(k, v, n);
    for (size_t i = 0; i < n; i++)
        b.cap += (u32)v[i].word.n;
    b.next = xcalloc((size_t)b.cap * k->classes, sizeof(*b.next));
    b.suffix = xcalloc(b.cap, sizeof(*b.suffix));
    b.ids = xcalloc(b.cap, sizeof(*b.ids));
    for (size_t i = 0; i < n && !rc; i++)
        rc = add_word(&b, &v[i]);
    if (!rc) {
        complete(&b);
        keep_ids(&b, a);
        k->next = arena_memdup(a, b.next, (size_t)k->states * k->classes * sizeof(*b.next));
    }
    for (u32 s = 0; s < b.cap; s++)
        vec_done(&b.ids[s]);
    free(b.ids);
    free(b.suffix);
    free(b.next);
    return rc;
}

void keywords_find(const struct keywords *k, struct str text, u64 *bits)
{
    u32 state = 0;

    for (size_t i = 0; i < text.n; i++) {
        state = k->next[state * k->classes + k->class_of[(u8)text.p[i]]];
        for (u32 at = k->out[state]; at && k->ids[at] != NONE; at++)
            bits[k->ids[at] / 64] |= UINT64_C(1) << (k->ids[at] % 64);
    }
}
