/* Whole-body compression behind one face: gzip and zlib (libdeflate), zstd, snappy (block and
 * framed), lz4 frames. Outputs have a limit, so that a bomb costs its limit and no more. Thread
 * safe: contexts are kept per thread (they are large and costly to make), and freed when the thread
 * ends. */
#ifndef BASE_CODEC_H
#define BASE_CODEC_H

#include "base/buf.h"

enum codec {
    CODEC_NONE, /* "" , "none", "identity" */
    CODEC_GZIP,
    CODEC_ZLIB, /* RFC 1950; HTTP's and OTLP's "deflate" too */
    CODEC_ZSTD,
    CODEC_SNAPPY, /* block format; decoding also takes framed input when it starts with the framing
                     magic */
    CODEC_SNAPPY_FRAMED,
    CODEC_LZ4,     /* frame format */
    CODEC_DEFLATE, /* RFC 1951, without a header: what some clients send as HTTP's "deflate" */
};

/* 1 for gzip, zlib and zstd: the reasons stand in codec_deflate.c. lz4's fast mode; snappy has no
 * levels. */
#define CODEC_LEVEL_DEFAULT (-1)

/* Content-Encoding token to codec; false when unknown. "deflate" and "zlib" -> CODEC_ZLIB;
 * "x-snappy-framed" -> framed. */
bool codec_by_name(struct str name, enum codec *ret);
const char *codec_name(enum codec c);

/* Appends the compressed form of in to out. 0, -ENOMEM, -E2BIG (out's maximum). */
int codec_compress(enum codec c, int level, struct str in, struct buf *out);
/* Appends the decompressed form of in to out, at most `limit` bytes of it. 0, -E2BIG over the
 * limit, -EBADMSG broken input, -ENOMEM. *ret_err (may be NULL) gets a static text for people. */
int codec_decompress(enum codec c, struct str in, size_t limit, struct buf *out,
                     const char **ret_err);

#endif
