/* Where the text of a scalar stands in its YAML document: which bytes of the value are which bytes
 * of the document. Pure. */
#ifndef BASE_YAML_PLACES_H
#define BASE_YAML_PLACES_H

#include "base/vec.h"
#include "base/yaml.h"

/* len bytes of the value, from `value` on, are those of the document from `document` on. A run of
 * length 0 begins what an escape stands for, or an empty line. */
struct yaml_run {
    u32 value, document, len;
};
typedef VEC(struct yaml_run) yaml_runs;

/* Appends the runs of a scalar of this document, in order; at is the offset in bytes at which the
 * node starts (its anchor or tag, when it has one). Literal blocks, which keep their lines, come
 * out exactly, and so do the words of folded, quoted and plain text. What cannot be told is left to
 * the run before it; there is at least one. Texts of 4 GiB and more are not for this. */
void yaml_places(struct str document, size_t at, const struct yaml_node *scalar, yaml_runs *out);

#endif
