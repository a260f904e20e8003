/* What scripts/foreign.py makes of components/reference.json at build time: all of Alloy's
 * components as constants without pointers, so that a process that never asks for them pays nothing
 * (no relocations, no dirty pages). Texts are offsets into foreign_text, 0 is none; tables refer to
 * each other by number, 0 is none and n means number n - 1. Only components/foreign.c reads it. */
#ifndef COMPONENTS_FOREIGN_DATA_H
#define COMPONENTS_FOREIGN_DATA_H

#include "base/str.h"

/* Of rows. */
enum {
    FOREIGN_REQUIRED = 1,
    FOREIGN_DEPRECATED = 2,
    FOREIGN_FOLD_CASE = 4,
    FOREIGN_HAS_MIN = 8,
};

/* Of components. */
enum {
    FOREIGN_COMMUNITY = 1,
    FOREIGN_REMOVED = 2, /* documented, but Alloy itself has it no more */
};

struct foreign_row {
    u32 name, def, capsule;
    u32 choices; /* first of its texts in foreign_choices, which end with 0 */
    u16 sub;     /* blocks: table; K_ANY: shape; K_ONE_OF: first variant + 1 */
    u16 n_variants;
    u8 kind, flags, signals, stability;
    f64 min;
};
struct foreign_table {
    u32 row, n_rows, rule, n_rules;
};
struct foreign_variant {
    u32 name;
    u16 table;
};
struct foreign_shape {
    u32 name, row, n_rows;
    u8 form;
};
struct foreign_rule {
    u32 names[8], message;
    u8 kind;
};
struct foreign_component { /* sorted by name */
    u32 name, summary, example;
    u16 args, exports;
    u8 stability, flags;
};

extern const char foreign_text[];
extern const u32 foreign_choices[];
extern const struct foreign_row foreign_rows[];
extern const struct foreign_table foreign_tables[];
extern const struct foreign_variant foreign_variants[];
extern const struct foreign_shape foreign_shapes[];
extern const struct foreign_rule foreign_rules[];
extern const struct foreign_component foreign_components[];
extern const size_t foreign_n_tables, foreign_n_components;

#endif
