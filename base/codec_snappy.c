/* Snappy: the block format of Loki and remote write, and the framed format with its checksums. */
#include "base/codec_impl.h"

#include <errno.h>
#include <snappy-c.h>
#include "base/hash.h"

/* A block's three bytes copy at most 64: more than this is a lie about the length. */
#define SNAPPY_RATIO_MAX 32
#define FRAME_BLOCK      65536 /* most uncompressed bytes of a chunk */

static const char frame_magic[10] = "\xff\x06\x00\x00sNaPpY";

enum { CHUNK_COMPRESSED = 0x00, CHUNK_PLAIN = 0x01, CHUNK_SKIP_FROM = 0x80, CHUNK_MAGIC = 0xFF };

static int add_block(struct str in, struct buf *out)
{
    size_t n = snappy_max_compressed_length(in.n);
    char *p = buf_reserve(out, n);

    if (!p) return buf_err(out);
    if (snappy_compress(in.p, in.n, p, &n) != SNAPPY_OK) return -ENOMEM;
    buf_commit(out, n);
    return 0;
}

int snappy_block_compress(int level, struct str in, struct buf *out)
{
    (void)level; /* the format has none */
    return add_block(in.n ? in : STR(""), out);
}

static int block_decompress(struct str in, size_t room, struct buf *out, const char **err)
{
    size_t n;

    if (snappy_uncompressed_length(in.p, in.n, &n) != SNAPPY_OK || n / SNAPPY_RATIO_MAX > in.n)
        return codec_fail(-EBADMSG, CODEC_BROKEN, err);
    if (n > room) return codec_fail(-E2BIG, CODEC_LIMIT, err);
    char *p = buf_reserve(out, n);
    if (!p) return codec_fail(buf_err(out), CODEC_MEMORY, err);
    if (snappy_uncompress(in.p, in.n, p, &n) != SNAPPY_OK)
        return codec_fail(-EBADMSG, CODEC_BROKEN, err);
    buf_commit(out, n);
    return 0;
}

int snappy_any_decompress(struct str in, size_t room, struct buf *out, const char **err)
{
    if (str_starts(in, str_n(frame_magic, sizeof(frame_magic))))
        return snappy_framed_decompress(in, room, out, err);
    return block_decompress(in, room, out, err);
}

/* --- framed --- */

static u32 masked_crc(const void *p, size_t n)
{
    u32 crc = crc32c(0, p, n);

    return (crc >> 15 | crc << 17) + 0xA282EAD8u;
}

static void add_chunk(struct buf *out, u8 type, u32 crc, struct str data)
{
    size_t n = data.n + 4;
    char head[8] = {(char)type, (char)n,          (char)(n >> 8),    (char)(n >> 16),
                    (char)crc,  (char)(crc >> 8), (char)(crc >> 16), (char)(crc >> 24)};

    buf_add(out, head, sizeof(head));
    buf_str(out, data);
}

int snappy_framed_compress(int level, struct str in, struct buf *out)
{
    struct buf block = BUF_INIT(snappy_max_compressed_length(FRAME_BLOCK));
    int rc = 0;

    (void)level; /* the format has none */
    buf_add(out, frame_magic, sizeof(frame_magic));
    while (in.n && rc == 0) {
        struct str piece = str_n(in.p, MIN(in.n, FRAME_BLOCK));

        buf_reset(&block);
        rc = add_block(piece, &block);
        bool smaller = block.n < piece.n - piece.n / 8; /* else not worth the reader's time */
        add_chunk(out, smaller ? CHUNK_COMPRESSED : CHUNK_PLAIN, masked_crc(piece.p, piece.n),
                  smaller ? buf_view(&block) : piece);
        in = str_sub(in, piece.n, in.n);
    }
    buf_done(&block);
    return rc ? rc : buf_err(out);
}

static int data_chunk(u8 type, struct str body, size_t room, struct buf *out, const char **err)
{
    const u8 *p = (const u8 *)body.p;
    size_t before = out->n;
    int rc = 0;

    if (body.n < 4) return codec_fail(-EBADMSG, CODEC_BROKEN, err);
    u32 crc = p[0] | (u32)p[1] << 8 | (u32)p[2] << 16 | (u32)p[3] << 24;
    body = str_sub(body, 4, body.n);
    if (type == CHUNK_COMPRESSED)
        rc = block_decompress(body, room, out, err);
    else if (body.n > room)
        rc = codec_fail(-E2BIG, CODEC_LIMIT, err);
    else
        buf_str(out, body);
    if (rc) return rc;
    if (buf_err(out)) return codec_fail(buf_err(out), CODEC_MEMORY, err);
    size_t made = out->n - before;
    if (made > FRAME_BLOCK) return codec_fail(-EBADMSG, CODEC_BROKEN, err);
    return masked_crc(made ? out->p + before : "", made) == crc
               ? 0
               : codec_fail(-EBADMSG, "checksum does not match", err);
}

int snappy_framed_decompress(struct str in, size_t room, struct buf *out, const char **err)
{
    struct str magic = str_n(frame_magic, sizeof(frame_magic));
    size_t before = out->n;

    if (!str_starts(in, magic)) return codec_fail(-EBADMSG, CODEC_BROKEN, err);
    while (in.n) {
        const u8 *p = (const u8 *)in.p;

        if (in.n < 4) return codec_fail(-EBADMSG, CODEC_SHORT, err);
        size_t n = p[1] | (size_t)p[2] << 8 | (size_t)p[3] << 16;
        if (n > in.n - 4) return codec_fail(-EBADMSG, CODEC_SHORT, err);
        if (p[0] == CHUNK_MAGIC ? !str_eq(str_n(in.p, n + 4), magic)
                                : p[0] > CHUNK_PLAIN && p[0] < CHUNK_SKIP_FROM)
            return codec_fail(-EBADMSG, CODEC_BROKEN, err);
        if (p[0] <= CHUNK_PLAIN) {
            int rc = data_chunk(p[0], str_sub(in, 4, 4 + n), room - (out->n - before), out, err);
            if (rc) return rc;
        }
        in = str_sub(in, 4 + n, in.n);
    }
    return 0;
}
