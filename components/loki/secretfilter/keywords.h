/* Many words looked for in one pass over a text, whatever their case (ASCII): the automaton of Aho
 * and Corasick over classes of bytes. Immutable once built; any thread. */
#ifndef COMPONENTS_LOKI_SECRETFILTER_KEYWORDS_H
#define COMPONENTS_LOKI_SECRETFILTER_KEYWORDS_H

#include "base/arena.h"

struct keyword {
    struct str word;
    u32 id; /* several words may have one */
};
struct keywords {
    const u16 *next; /* state * classes + class of the byte */
    const u32 *out;  /* of a state: where its ids begin in ids; 0: it ends no word */
    const u32 *ids;  /* lists, each ended by UINT32_MAX */
    u8 class_of[256];
    u32 classes, states;
};
/* 0, or -E2BIG: too many different prefixes (65535). Memory is the arena's. */
int keywords_build(struct keywords *k, const struct keyword *v, size_t n, struct arena *a);
/* Sets the bit of each id of which a word is in the text. */
void keywords_find(const struct keywords *k, struct str text, u64 *bits);

#endif
