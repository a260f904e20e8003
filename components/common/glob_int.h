/* A compiled glob: instructions of an automaton that is in many places at once. */
#ifndef COMPONENTS_COMMON_GLOB_INT_H
#define COMPONENTS_COMMON_GLOB_INT_H

#include "base/vec.h"
#include "components/common/glob.h"

/* Characters are code points; a byte that is no UTF-8 is this plus the byte. */
#define GLOB_BAD_BYTE 0x110000u

enum glob_op {
    GLOB_CHAR,    /* x; y: it is the slash that a pattern begins with */
    GLOB_SEGMENT, /* any character but / */
    GLOB_ALL,     /* any character */
    GLOB_CLASS,   /* one of ranges[x .. y), but / */
    GLOB_NOT_CLASS,
    GLOB_SPLIT, /* on at x and at y */
    GLOB_JUMP,  /* on at x */
    GLOB_DONE,
};
struct glob_inst {
    enum glob_op op;
    u32 x, y;
};
struct glob_range {
    u32 from, to;
};
struct glob {
    VEC(struct glob_inst) code;
    VEC(struct glob_range) ranges;
};

/* The places the automaton is in: instructions that take a character, and whether it is done. */
struct glob_places {
    u32 *at, n;
    u32 *seen, turn; /* seen[i] == turn: i was entered in this turn */
    bool done;
};
void glob_places_init(struct glob_places *p, const struct glob *g);
void glob_places_free(struct glob_places *p);
void glob_start(const struct glob *g, struct glob_places *p);
/* From p over the character into `to`. */
void glob_step(const struct glob *g, const struct glob_places *p, u32 c, struct glob_places *to);
/* Over a text; p and spare change places as needed, the result is in *p. */
void glob_steps(const struct glob *g, struct glob_places *p, struct glob_places *spare,
                struct str text);
size_t glob_char(struct str s, u32 *ret);

#endif
