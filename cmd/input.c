/* Reading and rewriting the files named on the command line. Blocking: commands only, never a
 * running agent. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>
#include "cmd/input.h"

static bool is_stdin(const char *path)
{
    return str_is(str_of(path), "-");
}

const char *input_name(const char *path)
{
    return is_stdin(path) ? "<stdin>" : path;
}

static int read_all(int fd, struct buf *out)
{
    for (;;) {
        char chunk[16384];
        ssize_t n = read(fd, chunk, sizeof(chunk));
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return -errno;
        if (n == 0) return buf_err(out);
        buf_add(out, chunk, (size_t)n);
        if (buf_err(out)) return buf_err(out);
    }
}

int input_read(const char *path, struct buf *out)
{
    if (is_stdin(path)) return read_all(STDIN_FILENO, out);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return -errno;
    int rc = read_all(fd, out);
    close(fd);
    return rc;
}

static int write_all(int fd, struct str text)
{
    while (text.n > 0) {
        ssize_t n = write(fd, text.p, text.n);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return -errno;
        text = str_sub(text, (size_t)n, text.n);
    }
    return 0;
}

int input_write(const char *path, struct str text)
{
    int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
    if (fd < 0) return -errno;
    int rc = write_all(fd, text);
    if (close(fd) < 0 && rc == 0) rc = -errno;
    return rc;
}
