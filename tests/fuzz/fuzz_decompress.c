/* Decompression of hostile bodies: every codec, small limits, and no more output than the limit.
 * The first byte picks the codec and the limit; the rest is the body. */
#include <stdlib.h>
#include "base/assert.h"
#include "base/codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf out = BUF_INIT((size_t)1 << 20);
    const char *err = NULL;

    if (size == 0) return 0;
    enum codec codec = (enum codec)(data[0] % (CODEC_DEFLATE + 1));
    size_t limit = data[0] & 0x80 ? 1000 : (size_t)1 << 20;
    buf_cstr(&out, "kept");
    int rc = codec_decompress(codec, str_n((const char *)data + 1, size - 1), limit, &out, &err);
    ASSERT(rc == 0 ? out.n <= limit + 4 : err && out.n == 4);
    ASSERT(memcmp(out.p, "kept", 4) == 0);
    buf_done(&out);
    return 0;
}
