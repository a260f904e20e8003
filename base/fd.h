/* Reading and writing descriptors to the end, past signals. They block as the descriptor does. Pure
 * but for that; any thread. */
#ifndef BASE_FD_H
#define BASE_FD_H

#include "base/buf.h"

/* All of text. 0, or -errno: some of it may have been written. */
int fd_write_all(int fd, struct str text);
/* Adds what comes, up to the end. 0, -errno, or the error of the buffer (it is full). */
int fd_read_all(int fd, struct buf *out);

#endif
