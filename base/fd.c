/* read and write until there is nothing left. */
#include "base/fd.h"

#include <errno.h>
#include <unistd.h>

#define CHUNK 16384

int fd_write_all(int fd, struct str text)
{
    while (text.n > 0) {
        ssize_t n = write(fd, text.p, text.n);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return -errno;
        text = str_sub(text, (size_t)n, text.n);
    }
    return 0;
}

int fd_read_all(int fd, struct buf *out)
{
    for (;;) {
        char chunk[CHUNK];
        ssize_t n = read(fd, chunk, sizeof(chunk));
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return n < 0 ? -errno : buf_err(out);
        buf_add(out, chunk, (size_t)n);
        if (buf_err(out)) return buf_err(out);
    }
}
