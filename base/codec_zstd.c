/* zstd bodies: any number of frames. */
#include "base/codec_impl.h"

#include <errno.h>
#include <zstd.h>

/* Half the time of zstd's own default 3 and the same size (ratio 5.1) on bodies of OTLP spans. */
#define ZSTD_LEVEL_DEFAULT 1
/* 8 MiB: what RFC 9659 lets the zstd content coding use. A frame's header alone decides how much is
 * allocated. */
#define ZSTD_WINDOW_LOG_MAX 23
/* What is set aside for output at first, whatever a header claims. */
#define ZSTD_FIRST_MAX ((size_t)1024 * 1024)

int zstd_compress(int level, struct str in, struct buf *out)
{
    struct codec_cache *c = codec_cache();

    if (!c->zstd_out) c->zstd_out = ZSTD_createCCtx();
    if (!c->zstd_out) return -ENOMEM;
    size_t cap = MIN(ZSTD_compressBound(in.n), out->max - out->n);
    char *p = buf_reserve(out, cap);
    if (!p) return buf_err(out);
    size_t n =
        ZSTD_compressCCtx(c->zstd_out, p, cap, in.p, in.n, level < 0 ? ZSTD_LEVEL_DEFAULT : level);
    if (ZSTD_isError(n)) return cap < ZSTD_compressBound(in.n) ? -E2BIG : -ENOMEM;
    buf_commit(out, n);
    return 0;
}

static int ready(struct codec_cache *c)
{
    if (!c->zstd_in) c->zstd_in = ZSTD_createDCtx();
    if (!c->zstd_in) return -ENOMEM;
    ZSTD_DCtx_reset(c->zstd_in, ZSTD_reset_session_only);
    size_t rc = ZSTD_DCtx_setParameter(c->zstd_in, ZSTD_d_windowLogMax, ZSTD_WINDOW_LOG_MAX);
    return ZSTD_isError(rc) ? -ENOMEM : 0;
}

static size_t first_space(struct str in, size_t room)
{
    unsigned long long told = ZSTD_getFrameContentSize(in.p, in.n);
    bool known = told != ZSTD_CONTENTSIZE_UNKNOWN && told != ZSTD_CONTENTSIZE_ERROR;
    size_t trust = MAX(ZSTD_FIRST_MAX, in.n * 8);

    return MIN(room, known && told < trust ? (size_t)told : MIN(trust, in.n * 4 + 64));
}

/* Decompresses into `space` bytes more; *ret_left is the library's: 0 at the end of a frame. */
static int step(struct codec_cache *c, ZSTD_inBuffer *src, size_t space, struct buf *out,
                size_t *ret_left, const char **err)
{
    char *p = buf_reserve(out, space);

    if (!p) return codec_fail(buf_err(out), CODEC_MEMORY, err);
    ZSTD_outBuffer dst = {p, space, 0};
    size_t left = ZSTD_decompressStream(c->zstd_in, &dst, src);
    if (ZSTD_isError(left)) return codec_fail(-EBADMSG, CODEC_BROKEN, err);
    buf_commit(out, dst.pos);
    *ret_left = left;
    return 0;
}

int zstd_decompress(struct str in, size_t room, struct buf *out, const char **err)
{
    struct codec_cache *c = codec_cache();
    ZSTD_inBuffer src = {in.p, in.n, 0};
    size_t before = out->n, left = 1;

    if (in.n == 0) return codec_fail(-EBADMSG, CODEC_SHORT, err);
    if (ready(c)) return codec_fail(-ENOMEM, CODEC_MEMORY, err);
    size_t space = first_space(in, room);
    for (;;) {
        size_t at = src.pos, had = out->n;
        int rc = step(c, &src, space, out, &left, err);

        if (rc) return rc;
        if (left == 0 && src.pos == src.size) return 0;
        size_t made = out->n - before;
        /* A full output may hide more; with space left over, an input used up is an input cut
         * short. */
        if (out->n - had < space && (src.pos == src.size || src.pos == at))
            return codec_fail(-EBADMSG, CODEC_SHORT, err);
        if (made == room && out->n == had && src.pos == at)
            return codec_fail(-E2BIG, CODEC_LIMIT, err);
        space = MIN(room - made, MAX(made, 64 * 1024));
    }
}
