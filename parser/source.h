/* One configuration text with its name. Counted: diagnostics and values may outlive the parse.
 * Immutable. */
#ifndef PARSER_SOURCE_H
#define PARSER_SOURCE_H

#include "parser/diag.h"
#include "base/refcount.h"

struct source {
    struct refs refs;
    char *name;      /* as printed; may be NULL (unknown) */
    struct str text; /* owned, terminated */
    size_t *lines;   /* offset of each line's first byte */
    size_t n_lines;  /* at least one: a text that ends in LF has an empty last line */
    u32 line_offset; /* added to every printed line (a configuration inside a YAML file); usually 0
                      */
    u32 col_offset;
};

struct source *source_new(const char *name, struct str text); /* copies both */
struct source *source_ref(struct source *s);
void source_unref(struct source *s);
/* A place in it as it is shown to people: moved by the offsets. s may be NULL. */
struct pos source_shown(const struct source *s, struct pos at);
/* Line n (from 1) without its LF; empty past the end. */
struct str source_line(const struct source *s, u32 n);

#endif
