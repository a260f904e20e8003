/* Text to standard output, standard error or files, without blocking the loop: what a reader does
 * not take at once waits, up to a limit. One loop. */
#ifndef COMPONENTS_COMMON_LINE_WRITER_H
#define COMPONENTS_COMMON_LINE_WRITER_H

#include "base/buf.h"
#include "net/loop.h"

struct line_writer;

/* "stdout", "stderr", or a file that is appended to. room(arg): a full writer takes again. 0; or
 * -errno with an owned *ret_err. */
int line_writer_open(struct loop *loop, struct str path, void (*room)(void *arg), void *arg,
                     struct line_writer **ret, char **ret_err);
/* More is waiting than should be: write nothing until room was called. */
bool line_writer_full(const struct line_writer *w);
void line_writer_add(struct line_writer *w, struct str text);
/* What still waits is written as far as it goes at once. Takes NULL. */
void line_writer_free(struct line_writer *w);

#endif
