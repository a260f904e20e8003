/* Places of settings inside a component's block, for diagnostics that `prepare` adds. Pure. */
#ifndef COMPONENTS_COMMON_SPANS_H
#define COMPONENTS_COMMON_SPANS_H

#include "parser/ast.h"

/* Span of the attribute or block at `path` ("sending_queue/batch/max_size"). What is not written is
 * placed at the innermost block that is; a NULL block has no place at all. */
struct span span_at(const struct block *block, const char *path);
/* True when that attribute or block is written. */
bool span_written(const struct block *block, const char *path);
/* span_at inside the n-th (from 0) inner block called `name`. */
struct span span_in(const struct block *block, const char *name, size_t n, const char *path);

/* That block itself; NULL when there is none such, or no block. */
const struct block *block_in(const struct block *block, const char *name, size_t n);

#endif
