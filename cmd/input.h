/* Texts named on the command line: a file, or "-" for standard input. */
#ifndef CMD_INPUT_H
#define CMD_INPUT_H

#include "base/buf.h"

/* Appends all of it to out (whose maximum is the limit). 0, -errno, -EISDIR for a directory,
 * -E2BIG. */
int input_read(const char *path, struct buf *out);
/* "<stdin>" for "-", else the path. */
const char *input_name(const char *path);
/* Replaces the contents of an existing file in place, its permissions kept. 0 or -errno. */
int input_write(const char *path, struct str text);

#endif
