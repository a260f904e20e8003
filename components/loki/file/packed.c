/* Reading a compressed file: a window of its bytes, unpacked as far as they go. */
#include "components/loki/file/packed.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>
#include "base/xalloc.h"

#define WINDOW ((size_t)16 << 10)

struct packed {
    enum unpack_format format;
    struct unpack *u;
    u64 at;   /* of the file: behind what is in the window */
    u64 skip; /* unpacked bytes still to be left out */
    struct str in;
    char window[WINDOW];
};

struct packed *packed_new(enum unpack_format f)
{
    struct packed *p = xnew(struct packed);

    p->format = f;
    packed_rewind(p, 0);
    return p;
}

void packed_free(struct packed *p)
{
    if (!p) return;
    unpack_free(p->u);
    free(p);
}

void packed_rewind(struct packed *p, u64 skip)
{
    unpack_free(p->u);
    p->u = unpack_new(p->format);
    p->at = 0;
    p->skip = skip;
    p->in = (struct str){0};
}

bool packed_is_cut_short(const struct packed *p)
{
    return !unpack_at_end(p->u);
}

/* 1, 0 at the end of the file, -errno. */
static int fill(struct packed *p, int fd, const char **ret_err)
{
    ssize_t n = pread(fd, p->window, WINDOW, (off_t)p->at);

    if (n < 0) {
        *ret_err = strerror(errno);
        return -errno;
    }
    p->in = str_n(p->window, (size_t)n);
    p->at += (u64)n;
    return n > 0;
}

/* Some bytes; 0: no more now. */
static ssize_t some(struct packed *p, int fd, char *out, size_t n, const char **ret_err)
{
    for (;;) {
        size_t had = p->in.n;
        ssize_t made = unpack_some(p->u, &p->in, out, n, ret_err);
        if (made != 0) return made;
        if (p->in.n > 0 && p->in.n < had) continue;
        int more = p->in.n > 0 ? -EBADMSG : fill(p, fd, ret_err);
        if (p->in.n > 0 && more == -EBADMSG) *ret_err = "the compressed data is broken";
        if (more <= 0) return more;
    }
}

static ssize_t leave_out(struct packed *p, int fd, char *scratch, size_t n, const char **ret_err)
{
    ssize_t got = 1;

    while (p->skip > 0 && got > 0) {
        got = some(p, fd, scratch, MIN((u64)n, p->skip), ret_err);
        if (got > 0) p->skip -= (u64)got;
    }
    return got;
}

ssize_t packed_read(struct packed *p, int fd, char *out, size_t n, const char **ret_err)
{
    size_t have = 0;
    ssize_t got = p->skip > 0 ? leave_out(p, fd, out, n, ret_err) : 1;

    while (got > 0 && have < n) {
        got = some(p, fd, out + have, n - have, ret_err);
        if (got > 0) have += (size_t)got;
    }
    return got < 0 && have == 0 ? got : (ssize_t)have;
}
