/* Streaming decompression by zlib and libbz2. A member that ends leaves the stream between members;
 * the next byte begins a new one, or the padding that may follow the last. */
#include "base/unpack.h"

#include <bzlib.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <zlib.h>
#include "base/xalloc.h"

#define WINDOW_ZLIB 15
#define WINDOW_GZIP (15 + 16)

struct unpack;
/* What a format does. step answers 1 at the end of a member, 0 in its midst, or a negative code. */
struct format {
    int (*begin)(struct unpack *u);
    int (*step)(struct unpack *u, struct str *in, char *out, size_t n, size_t *ret_made);
    void (*end)(struct unpack *u);
    const char *broken;
};

struct unpack {
    const struct format *f;
    bool inside;  /* a member has begun */
    int members;
    union {
        z_stream z;
        bz_stream bz;
    };
};

/* --- zlib --- */

static int begin_window(struct unpack *u, int window)
{
    memset(&u->z, 0, sizeof(u->z));
    return inflateInit2(&u->z, window) == Z_OK ? 0 : -ENOMEM;
}

static int begin_gzip(struct unpack *u)
{
    return begin_window(u, WINDOW_GZIP);
}

static int begin_zlib(struct unpack *u)
{
    return begin_window(u, WINDOW_ZLIB);
}

static int step_zlib(struct unpack *u, struct str *in, char *out, size_t n, size_t *ret_made)
{
    uInt have = (uInt)MIN(in->n, (size_t)UINT_MAX), room = (uInt)MIN(n, (size_t)UINT_MAX);

    u->z.next_in = (Bytef *)(uintptr_t)in->p;
    u->z.avail_in = have;
    u->z.next_out = (Bytef *)out;
    u->z.avail_out = room;
    int rc = inflate(&u->z, Z_NO_FLUSH);
    *in = str_sub(*in, have - u->z.avail_in, in->n);
    *ret_made = room - u->z.avail_out;
    if (rc == Z_STREAM_END) return 1;
    if (rc == Z_OK || rc == Z_BUF_ERROR) return 0;
    return rc == Z_MEM_ERROR ? -ENOMEM : -EBADMSG;
}

static void end_zlib(struct unpack *u)
{
    (void)inflateEnd(&u->z);
}

/* --- bzip2 --- */

static int begin_bzip2(struct unpack *u)
{
    memset(&u->bz, 0, sizeof(u->bz));
    return BZ2_bzDecompressInit(&u->bz, 0, 0) == BZ_OK ? 0 : -ENOMEM;
}

static int step_bzip2(struct unpack *u, struct str *in, char *out, size_t n, size_t *ret_made)
{
    unsigned have = (unsigned)MIN(in->n, (size_t)UINT_MAX),
             room = (unsigned)MIN(n, (size_t)UINT_MAX);

    u->bz.next_in = (char *)(uintptr_t)in->p;
    u->bz.avail_in = have;
    u->bz.next_out = out;
    u->bz.avail_out = room;
    int rc = BZ2_bzDecompress(&u->bz);
    *in = str_sub(*in, have - u->bz.avail_in, in->n);
    *ret_made = room - u->bz.avail_out;
    if (rc == BZ_STREAM_END) return 1;
    if (rc == BZ_OK) return 0;
    return rc == BZ_MEM_ERROR ? -ENOMEM : -EBADMSG;
}

static void end_bzip2(struct unpack *u)
{
    (void)BZ2_bzDecompressEnd(&u->bz);
}

/* --- members --- */

static const struct format formats[] = {
    [UNPACK_GZIP] = {begin_gzip, step_zlib, end_zlib, "gzip: the compressed data is broken"},
    [UNPACK_ZLIB] = {begin_zlib, step_zlib, end_zlib, "zlib: the compressed data is broken"},
    [UNPACK_BZIP2] = {begin_bzip2, step_bzip2, end_bzip2, "bzip2: the compressed data is broken"},
};

struct unpack *unpack_new(enum unpack_format f)
{
    struct unpack *u = xnew(struct unpack);

    u->f = &formats[f];
    return u;
}

void unpack_free(struct unpack *u)
{
    if (!u) return;
    if (u->inside) u->f->end(u);
    free(u);
}

bool unpack_at_end(const struct unpack *u)
{
    return !u->inside;
}

/* Zeros between members and after the last are padding. */
static void skip_zeros(struct unpack *u, struct str *in)
{
    size_t i = 0;

    while (u->members > 0 && i < in->n && in->p[i] == 0)
        i++;
    *in = str_sub(*in, i, in->n);
}

static int begin(struct unpack *u)
{
    int err = u->f->begin(u);

    u->inside = !err;
    return err;
}

ssize_t unpack_some(struct unpack *u, struct str *in, char *out, size_t n, const char **ret_err)
{
    size_t made = 0;

    if (!u->inside) skip_zeros(u, in);
    if (in->n == 0 && !u->inside) return 0;
    int rc = u->inside ? 0 : begin(u);
    if (!rc) rc = u->f->step(u, in, out, n, &made);
    if (rc == 1) {
        u->f->end(u);
        u->inside = false;
        u->members++;
    }
    if (rc < 0) *ret_err = rc == -ENOMEM ? "out of memory" : u->f->broken;
    return rc < 0 ? rc : (ssize_t)made;
}
