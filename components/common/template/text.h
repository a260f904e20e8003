/* What Go's strings package does, over texts. */
#ifndef COMPONENTS_COMMON_TEMPLATE_TEXT_H
#define COMPONENTS_COMMON_TEMPLATE_TEXT_H

#include "components/common/template/run.h"

/* The first `most` (-1: all) places of old; an empty old stands between all characters. */
void text_replace(struct buf *out, struct str s, struct str old, struct str by, i64 most);
enum { TRIM_LEFT = 1, TRIM_RIGHT = 2 };
/* Without the characters of the set at its ends. */
struct str text_trim(struct str s, struct str set, int ends);
struct str text_trim_space(struct str s);
/* Each character mapped; bad bytes become U+FFFD. */
void text_map(struct buf *out, struct str s, u32 (*fn)(u32));
/* Pieces between separators, at most n (-1: all); an empty separator splits characters. */
struct tval text_split(struct run *r, struct str s, struct str sep, i64 n);
size_t text_chars(struct str s);

#endif
