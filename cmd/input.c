/* Reading and rewriting the files named on the command line. Blocking: commands only, never a
 * running agent. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>
#include "base/fd.h"
#include "cmd/input.h"

static bool is_stdin(const char *path)
{
    return str_is(str_of(path), "-");
}

const char *input_name(const char *path)
{
    return is_stdin(path) ? "<stdin>" : path;
}

int input_read(const char *path, struct buf *out)
{
    if (is_stdin(path)) return fd_read_all(STDIN_FILENO, out);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return -errno;
    int rc = fd_read_all(fd, out);
    close(fd);
    return rc;
}

int input_write(const char *path, struct str text)
{
    int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
    if (fd < 0) return -errno;
    int rc = fd_write_all(fd, text);
    if (close(fd) < 0 && rc == 0) rc = -errno;
    return rc;
}
