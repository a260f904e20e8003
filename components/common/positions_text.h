/* The text of a positions file, both ways: Alloy's YAML (spec pipelines A.3). Pure. */
#ifndef COMPONENTS_COMMON_POSITIONS_TEXT_H
#define COMPONENTS_COMMON_POSITIONS_TEXT_H

#include "base/arena.h"
#include "base/buf.h"

#define POSITIONS_TEXT_MAX ((size_t)256 << 20)

struct position {
    struct str path, labels, value;
};
typedef void (*position_fn)(void *arg, const struct position *p);

/* Each entry of the text, in order (of two with one key the last counts); texts are valid during
 * the call. Nothing in it: no entries. 0; -EBADMSG with *ret_err in the arena: what is wrong. */
int positions_text_read(struct str text, struct arena *a, position_fn fn, void *arg,
                        const char **ret_err);
/* The same of Promtail's and the static agent's form (path: value); labels is given as "{}". */
int positions_text_read_legacy(struct str text, struct arena *a, position_fn fn, void *arg,
                               const char **ret_err);

/* The head (empty: there will be no entries), then one entry after another. */
void positions_text_head(struct buf *out, bool empty);
void positions_text_entry(struct buf *out, const struct position *p);

#endif
