/* What the codec files share. Nobody else includes it. */
#ifndef BASE_CODEC_IMPL_H
#define BASE_CODEC_IMPL_H

#include "base/codec.h"

#define CODEC_BROKEN "compressed data is broken"
#define CODEC_SHORT  "compressed data ends early"
#define CODEC_LIMIT  "decompressed data is over the limit"
#define CODEC_MEMORY "out of memory"

/* One context of a library, kept by a thread for its next call. */
struct codec_cache {
    struct libdeflate_compressor *deflate;
    int deflate_level;
    struct libdeflate_decompressor *inflate;
    struct ZSTD_CCtx_s *zstd_out;
    struct ZSTD_DCtx_s *zstd_in;
    struct LZ4F_dctx_s *lz4_in;
};
struct codec_cache *codec_cache(void); /* this thread's; never NULL */

/* The pairs behind codec_compress and codec_decompress. `room` is the most bytes that may be
 * appended to out (limit and maximum together); *err is set with every failure. */
struct codec_ops {
    const char *name;
    int (*compress)(int level, struct str in, struct buf *out);
    int (*decompress)(struct str in, size_t room, struct buf *out, const char **err);
};

int gzip_compress(int level, struct str in, struct buf *out);
int gzip_decompress(struct str in, size_t room, struct buf *out, const char **err);
int zlib_compress(int level, struct str in, struct buf *out);
int zlib_decompress(struct str in, size_t room, struct buf *out, const char **err);
int deflate_compress(int level, struct str in, struct buf *out);
int deflate_decompress(struct str in, size_t room, struct buf *out, const char **err);
int zstd_compress(int level, struct str in, struct buf *out);
int zstd_decompress(struct str in, size_t room, struct buf *out, const char **err);
int snappy_block_compress(int level, struct str in, struct buf *out);
int snappy_any_decompress(struct str in, size_t room, struct buf *out, const char **err);
int snappy_framed_compress(int level, struct str in, struct buf *out);
int snappy_framed_decompress(struct str in, size_t room, struct buf *out, const char **err);
int lz4_compress(int level, struct str in, struct buf *out);
int lz4_decompress(struct str in, size_t room, struct buf *out, const char **err);

/* Sets the text and returns the code. */
static inline int codec_fail(int rc, const char *text, const char **err)
{
    *err = text;
    return rc;
}

#endif
