/* One configuration text with its name. Counted: diagnostics and values may outlive the parse.
 * Immutable. */
#ifndef PARSER_SOURCE_H
#define PARSER_SOURCE_H

#include "parser/diag.h"
#include "base/refcount.h"

/* Bytes of a text that stand in another one as they are: len from `inner` on are those from `outer`
 * on. Bytes behind a run and before the next one (a line break that was folded, what an escape
 * stands for: a run of length 0) are shown at its end. */
struct source_run {
    u32 inner, outer, len;
};

struct source {
    struct refs refs;
    char *name;              /* as printed; may be NULL (unknown) */
    struct str text;         /* owned, terminated */
    size_t *lines;           /* offset of each line's first byte */
    size_t n_lines;          /* at least one: a text that ends in LF has an empty last line */
    struct source *outer;    /* counted; the text this one was taken out of, or NULL */
    struct source_run *runs; /* where its bytes stand there; owned, by `inner` */
    size_t n_runs;
};

struct source *source_new(const char *name, struct str text); /* copies both */
struct source *source_ref(struct source *s);
void source_unref(struct source *s);
/* A text that stands inside outer (a configuration in a YAML file) and is called by its name. Takes
 * runs (malloc'ed; ascending in `inner`; at least one). */
struct source *source_new_inside(struct source *outer, struct str text, struct source_run *runs,
                                 size_t n_runs);
/* A range as it is shown to people: in the outer text when there is one. */
struct span source_shown(struct span at);
/* Line n (from 1) without its LF; empty past the end. */
struct str source_line(const struct source *s, u32 n);

#endif
