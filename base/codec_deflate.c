/* gzip and zlib bodies by libdeflate. */
#include "base/codec_impl.h"

#include <errno.h>
#include <libdeflate.h>

/* On 1 MB bodies of OTLP spans level 1 takes half the time of level 6 (2.7 against 5.3 CPU seconds
 * per GB on one machine) and makes bodies 5% larger (ratio 4.6 against 4.8): a sender's time is
 * dearer than that. */
#define DEFLATE_LEVEL_DEFAULT 1
/* No deflate stream expands further than this: 258 bytes from two bits. */
#define DEFLATE_RATIO_MAX 1032

typedef size_t compress_fn(struct libdeflate_compressor *, const void *, size_t, void *, size_t);
typedef size_t bound_fn(struct libdeflate_compressor *, size_t);
typedef enum libdeflate_result decompress_fn(struct libdeflate_decompressor *, const void *, size_t,
                                             void *, size_t, size_t *, size_t *);

static struct libdeflate_compressor *compressor(int level)
{
    struct codec_cache *c = codec_cache();

    if (level < 0) level = DEFLATE_LEVEL_DEFAULT;
    level = MIN(level, 12);
    if (c->deflate && c->deflate_level == level) return c->deflate;
    libdeflate_free_compressor(c->deflate);
    c->deflate = libdeflate_alloc_compressor(level);
    c->deflate_level = level;
    return c->deflate;
}

/* Asking for the worst case would refuse bodies that fit in the buf: its own maximum is the bound
 * then. */
static char *reserve_up_to(struct buf *out, size_t n, size_t *ret_n)
{
    *ret_n = MIN(n, out->max - out->n);
    return buf_reserve(out, *ret_n);
}

static int compress_with(compress_fn *fn, bound_fn *bound, int level, struct str in,
                         struct buf *out)
{
    struct libdeflate_compressor *c = compressor(level);
    size_t cap;

    if (!c) return -ENOMEM;
    char *p = reserve_up_to(out, bound(c, in.n), &cap);
    if (!p) return buf_err(out);
    size_t n = fn(c, in.n ? in.p : "", in.n, p, cap);
    if (n == 0) return -E2BIG;
    buf_commit(out, n);
    return 0;
}

int gzip_compress(int level, struct str in, struct buf *out)
{
    return compress_with(libdeflate_gzip_compress, libdeflate_gzip_compress_bound, level, in, out);
}

int zlib_compress(int level, struct str in, struct buf *out)
{
    return compress_with(libdeflate_zlib_compress, libdeflate_zlib_compress_bound, level, in, out);
}

int deflate_compress(int level, struct str in, struct buf *out)
{
    return compress_with(libdeflate_deflate_compress, libdeflate_deflate_compress_bound, level, in,
                         out);
}

/* One member at the front of *in, which is moved past it. libdeflate starts over when the space was
 * too small, so the space grows fourfold; `guess` is the first try. */
static int decompress_one(decompress_fn *fn, struct str *in, size_t guess, size_t room,
                          struct buf *out, const char **err)
{
    struct codec_cache *c = codec_cache();
    size_t used, made;

    if (!c->inflate) c->inflate = libdeflate_alloc_decompressor();
    if (!c->inflate) return codec_fail(-ENOMEM, CODEC_MEMORY, err);
    for (size_t space = MIN(guess, room);;
         space = space > room / 4 ? room : MIN(space * 4 + 64, room)) {
        char *p = buf_reserve(out, space);
        if (!p) return codec_fail(buf_err(out), CODEC_MEMORY, err);
        enum libdeflate_result rc = fn(c->inflate, in->p, in->n, p, space, &used, &made);
        if (rc == LIBDEFLATE_SUCCESS) break;
        if (rc != LIBDEFLATE_INSUFFICIENT_SPACE) return codec_fail(-EBADMSG, CODEC_BROKEN, err);
        if (space == room) return codec_fail(-E2BIG, CODEC_LIMIT, err);
    }
    buf_commit(out, made);
    *in = str_sub(*in, used, in->n);
    return 0;
}

/* The last four bytes of a gzip file are the length of its last member: the whole, for all but odd
 * files. A length that no stream of this size can have is not believed. */
static size_t gzip_guess(struct str in)
{
    const u8 *p = (const u8 *)in.p + in.n - 4;
    size_t told = (size_t)p[0] | (size_t)p[1] << 8 | (size_t)p[2] << 16 | (size_t)p[3] << 24;

    return told / DEFLATE_RATIO_MAX <= in.n ? told : in.n * 4;
}

int gzip_decompress(struct str in, size_t room, struct buf *out, const char **err)
{
    size_t before = out->n;

    do {
        if (in.n < 18) return codec_fail(-EBADMSG, CODEC_SHORT, err);
        size_t left = room - (out->n - before);
        int rc = decompress_one(libdeflate_gzip_decompress_ex, &in, gzip_guess(in), left, out, err);
        if (rc) return rc;
    } while (
        in.n); /* members may follow each other; what is no member is an error, as it is to Go */
    return 0;
}

/* What follows the stream is ignored, as Go does. */
int zlib_decompress(struct str in, size_t room, struct buf *out, const char **err)
{
    if (in.n < 6) return codec_fail(-EBADMSG, CODEC_SHORT, err);
    return decompress_one(libdeflate_zlib_decompress_ex, &in, in.n * 4, room, out, err);
}

int deflate_decompress(struct str in, size_t room, struct buf *out, const char **err)
{
    if (in.n < 1) return codec_fail(-EBADMSG, CODEC_SHORT, err);
    return decompress_one(libdeflate_deflate_decompress_ex, &in, in.n * 4, room, out, err);
}
