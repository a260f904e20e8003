/* Diagnostics about the user's configuration: collected, never thrown. Nobody stops at the first
 * fault. Codes and their one-line explanations live in parser/diag.def. Positions: line and column
 * from 1, columns count bytes; line 0 = no position known. A diags owns its messages and keeps the
 * sources they point into alive (counted). One thread. */
#ifndef PARSER_DIAG_H
#define PARSER_DIAG_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/vec.h"

struct source; /* one file: name and text; see parser/source.h */

struct pos {
    u32 line, col;
};

/* end is the last byte, inclusive; end.line == 0: a single character. file may be NULL (unknown).
 */
struct span {
    const struct source *file;
    struct pos start, end;
};
#define NO_SPAN ((struct span){0})

enum severity { SEV_WARNING, SEV_ERROR };

enum diag_code {
#define DIAG(code, text) DIAG_##code,
#include "parser/diag.def"
#undef DIAG
};

struct diag {
    enum severity severity;
    enum diag_code code;
    struct span span;
    const char *message; /* in the diags' arena */
    const char *hint;    /* what to do ("did you mean `forward_to`?"), or NULL */
};

struct diags {
    VEC(struct diag) list;
    struct arena arena;
    size_t n_errors;
};

void diags_init(struct diags *d);
void diags_done(struct diags *d);
void diags_clear(struct diags *d);
bool diags_failed(const struct diags *d); /* any error among them */
/* Adds and returns it (valid until the next add). */
struct diag *diag_add(struct diags *d, enum severity sev, enum diag_code code, struct span at,
                      const char *fmt, ...) PRINTF(5, 6);
struct diag *diag_error(struct diags *d, enum diag_code code, struct span at, const char *fmt, ...)
    PRINTF(4, 5);
struct diag *diag_vadd(struct diags *d, enum severity sev, enum diag_code code, struct span at,
                       const char *fmt, va_list ap) PRINTF(5, 0);
void diag_hint(struct diags *d, struct diag *of, const char *fmt, ...) PRINTF(3, 4);
/* Appends copies of all of src. */
void diags_move(struct diags *dst, struct diags *src);

/* "PARSE_TOKEN", its explanation in diag.def, "error" or "warning". */
const char *diag_code_name(enum diag_code code);
const char *diag_code_text(enum diag_code code);
const char *severity_name(enum severity sev);

/* One-line form: FILE:LINE:COL: MESSAGE (LINE:COL: without file, -: without position). */
void diag_line(const struct diag *d, struct buf *out);
/* The first one's line, plus " (and N more diagnostics)". */
void diags_line(const struct diags *d, struct buf *out);
/* The terminal form of spec language.md 13, with the caret and, when there is one, a `  = help:
 * ...` line. */
void diags_render(const struct diags *d, struct buf *out, bool color);
/* JSON array: severity, code, message, file, start, end, hint. */
void diags_json(const struct diags *d, struct buf *out);

#endif
