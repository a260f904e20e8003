/* Whole small files as a setting's value. */
#include "components/common/read_file.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/xalloc.h"

/* "No such file or directory" as Go writes it. */
static int fail(const char *verb, const char *path, int error, char **ret_err)
{
    char *text = xprintf("%s %s: %s", verb, path, strerror(error));
    char *cause = text + strlen(verb) + strlen(path) + 3;
    if (*cause >= 'A' && *cause <= 'Z' && !(cause[1] >= 'A' && cause[1] <= 'Z'))
        *cause = (char)(*cause - 'A' + 'a');
    *ret_err = text;
    return -error;
}

int read_file(const char *path, struct buf *out, char **ret_err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) return fail("open", path, errno, ret_err);
    int r = fd_read_all(fd, out);
    close(fd);
    return r < 0 ? fail("read", path, -r, ret_err) : 0;
}
