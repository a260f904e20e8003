/* Snappy's block format, written by somebody who knows what repeats: literals and copies are given
 * in the order of the text, nothing is searched for and the text itself is never made. Source:
 * format_description.txt of snappy. The length that stands in front of a block is the caller's.
 *
 * One owner. snap_room says how much may be added, so that the rest cannot fail. */
#ifndef TELEMETRY_SNAP_WRITER_H
#define TELEMETRY_SNAP_WRITER_H

#include "base/buf.h"

struct snap_writer {
    struct buf out;    /* elements, as of the last snap_room or snap_end */
    char *p;           /* behind what was written, in out */
    size_t plain;      /* bytes of the text so far */
    char *tag;         /* of the literal under way, which reaches to p; NULL: there is none */
    size_t from, copy; /* the copy under way: where in the text it goes on, and how much of it is
                          not written yet; never both a copy and a literal */
};
void snap_init(struct snap_writer *w);
void snap_done(struct snap_writer *w);
/* An empty text; memory is kept. */
void snap_reset(struct snap_writer *w);
#define SNAP_PART_MAX 16u /* bytes for the tags of a literal and of the end of a copy */
bool snap_grow(struct snap_writer *w, size_t n);
/* Room for n bytes of text in at most `parts` literals and copies. False: no memory. Whole elements
 * of a copy stand for sixty bytes and more, and take five. */
static inline bool snap_room(struct snap_writer *w, size_t n, size_t parts)
{
    size_t want = n + (parts + 1) * SNAP_PART_MAX;

    return LIKELY(w->p && (size_t)(w->out.p + w->out.cap - w->p) > want) || snap_grow(w, want);
}
/* All elements so far; valid until the next call. */
struct str snap_end(struct snap_writer *w);

void snap_end_copy(struct snap_writer *w);
void snap_end_literal(struct snap_writer *w);
void snap_whole_copies(struct snap_writer *w);

/* The next n bytes (not 0) of the text are what the caller writes to the place returned. */
static inline char *snap_literal_at(struct snap_writer *w, size_t n)
{
    if (!w->tag) {
        if (w->copy) snap_end_copy(w);
        w->tag = w->p++;
    }
    char *p = w->p;
    w->p += n;
    w->plain += n;
    return p;
}
/* They are those at p. */
static inline void snap_literal(struct snap_writer *w, const char *p, size_t n)
{
    if (n) memcpy(snap_literal_at(w, n), p, n);
}
/* A copy from there only makes the one under way longer. */
static inline bool snap_goes_on(const struct snap_writer *w, size_t from)
{
    return w->copy && w->from == from;
}
/* The next n bytes of the text are those from its byte `from` on; fewer than four are better said
 * as a literal, unless snap_goes_on. */
static inline void snap_copy(struct snap_writer *w, size_t from, size_t n)
{
    if (!snap_goes_on(w, from)) {
        if (w->tag)
            snap_end_literal(w);
        else if (w->copy)
            snap_end_copy(w);
    }
    w->copy += n;
    w->plain += n;
    w->from = from + n;
    if (w->copy > 64) snap_whole_copies(w);
}

#endif
