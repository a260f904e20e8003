/* Names and dispatch of the codecs, and each thread's contexts. */
#include "base/codec_impl.h"

#include <errno.h>
#include <libdeflate.h>
#include <lz4frame.h>
#include <pthread.h>
#include <zstd.h>
#include "base/assert.h"
#include "base/xalloc.h"

/* --- contexts of a thread --- */

/* Thread-local because making a context costs more than most bodies; the key exists to free it at
 * the thread's end. */
static __thread struct codec_cache *cache;
static pthread_key_t cache_key;
static pthread_once_t cache_once = PTHREAD_ONCE_INIT;

static void cache_free(void *p)
{
    struct codec_cache *c = p;

    libdeflate_free_compressor(c->deflate);
    libdeflate_free_decompressor(c->inflate);
    ZSTD_freeCCtx(c->zstd_out);
    ZSTD_freeDCtx(c->zstd_in);
    LZ4F_freeDecompressionContext(c->lz4_in);
    free(c);
    cache = NULL;
}

static void cache_key_make(void)
{
    int rc = pthread_key_create(&cache_key, cache_free);

    ASSERT(rc == 0);
}

struct codec_cache *codec_cache(void)
{
    if (LIKELY(cache)) return cache;
    pthread_once(&cache_once, cache_key_make);
    cache = xnew(struct codec_cache);
    int rc = pthread_setspecific(cache_key, cache);
    ASSERT(rc == 0);
    return cache;
}

/* --- dispatch --- */

static int plain_compress(int level, struct str in, struct buf *out)
{
    (void)level; /* nothing to choose */
    buf_str(out, in);
    return buf_err(out);
}

static int plain_decompress(struct str in, size_t room, struct buf *out, const char **err)
{
    if (in.n > room) return codec_fail(-E2BIG, CODEC_LIMIT, err);
    buf_str(out, in);
    return buf_err(out) ? codec_fail(buf_err(out), CODEC_MEMORY, err) : 0;
}

static const struct codec_ops ops[] = {
    [CODEC_NONE] = {"none", plain_compress, plain_decompress},
    [CODEC_GZIP] = {"gzip", gzip_compress, gzip_decompress},
    [CODEC_ZLIB] = {"zlib", zlib_compress, zlib_decompress},
    [CODEC_ZSTD] = {"zstd", zstd_compress, zstd_decompress},
    [CODEC_SNAPPY] = {"snappy", snappy_block_compress, snappy_any_decompress},
    [CODEC_SNAPPY_FRAMED] = {"x-snappy-framed", snappy_framed_compress, snappy_framed_decompress},
    [CODEC_LZ4] = {"lz4", lz4_compress, lz4_decompress},
    [CODEC_DEFLATE] = {"deflate-raw", deflate_compress, deflate_decompress},
};

static const struct {
    const char *name;
    enum codec codec;
} aliases[] = {{"", CODEC_NONE}, {"identity", CODEC_NONE}, {"deflate", CODEC_ZLIB}};

bool codec_by_name(struct str name, enum codec *ret)
{
    for (size_t i = 0; i < ARRAY_LEN(ops); i++) {
        if (!str_is(name, ops[i].name)) continue;
        *ret = (enum codec)i;
        return true;
    }
    for (size_t i = 0; i < ARRAY_LEN(aliases); i++) {
        if (!str_is(name, aliases[i].name)) continue;
        *ret = aliases[i].codec;
        return true;
    }
    return false;
}

const char *codec_name(enum codec c)
{
    return ops[c].name;
}

int codec_compress(enum codec c, int level, struct str in, struct buf *out)
{
    if (buf_err(out)) return buf_err(out);
    size_t keep = out->n;
    int rc = ops[c].compress(level, in, out);
    if (rc) buf_truncate(out, keep);
    return rc;
}

int codec_decompress(enum codec c, struct str in, size_t limit, struct buf *out,
                     const char **ret_err)
{
    const char *err = CODEC_BROKEN;

    if (buf_err(out)) return buf_err(out);
    size_t keep = out->n;
    int rc = ops[c].decompress(in, MIN(limit, out->max - out->n), out, &err);
    if (rc == 0) return 0;
    buf_truncate(out, keep);
    if (ret_err) *ret_err = err;
    return rc;
}
