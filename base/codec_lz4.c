/* LZ4 frames. */
#include "base/codec_impl.h"

#include <errno.h>
#include <lz4frame.h>

static const LZ4F_preferences_t preferences = {
    .frameInfo = {.contentChecksumFlag = LZ4F_contentChecksumEnabled},
};

int lz4_compress(int level, struct str in, struct buf *out)
{
    LZ4F_preferences_t p = preferences;

    p.compressionLevel = MAX(level, 0);
    p.frameInfo.contentSize = in.n;
    size_t cap = LZ4F_compressFrameBound(in.n, &p);
    char *at = buf_reserve(out, cap);
    if (!at) return buf_err(out);
    size_t n = LZ4F_compressFrame(at, cap, in.n ? in.p : "", in.n, &p);
    if (LZ4F_isError(n)) return -ENOMEM;
    buf_commit(out, n);
    return 0;
}

static int ready(struct codec_cache *c)
{
    if (!c->lz4_in && LZ4F_isError(LZ4F_createDecompressionContext(&c->lz4_in, LZ4F_VERSION)))
        return -ENOMEM;
    LZ4F_resetDecompressionContext(c->lz4_in);
    return 0;
}

/* Frames may follow each other. The output grows with what was made, so that a small input that
 * claims much gets little. */
int lz4_decompress(struct str in, size_t room, struct buf *out, const char **err)
{
    struct codec_cache *c = codec_cache();
    size_t before = out->n, left = 1;

    if (ready(c)) return codec_fail(-ENOMEM, CODEC_MEMORY, err);
    while (in.n || left) {
        size_t made = out->n - before, space = MIN(room - made, MAX(made, in.n * 2 + 4096)),
               used = in.n;
        char *p = buf_reserve(out, space);

        if (!p) return codec_fail(buf_err(out), CODEC_MEMORY, err);
        size_t got = space;
        left = LZ4F_decompress(c->lz4_in, p, &got, in.p, &used, NULL);
        if (LZ4F_isError(left)) return codec_fail(-EBADMSG, CODEC_BROKEN, err);
        buf_commit(out, got);
        in = str_sub(in, used, in.n);
        if (got || used) continue;
        bool full = space == 0;
        return codec_fail(full ? -E2BIG : -EBADMSG, full ? CODEC_LIMIT : CODEC_SHORT, err);
    }
    return 0;
}
