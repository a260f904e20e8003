/* gRPC status: names, google.rpc.Status with RetryInfo on the wire, percent-encoding of messages.
 */
#include <errno.h>
#include "base/digest.h"
#include "net/grpc_private.h"

#define RETRY_INFO_URL "type.googleapis.com/google.rpc.RetryInfo"

static const char *const names[] = {
    "OK",       "Canceled",        "Unknown",          "InvalidArgument",   "DeadlineExceeded",
    "NotFound", "AlreadyExists",   "PermissionDenied", "ResourceExhausted", "FailedPrecondition",
    "Aborted",  "OutOfRange",      "Unimplemented",    "Internal",          "Unavailable",
    "DataLoss", "Unauthenticated",
};

const char *grpc_code_name(enum grpc_code c)
{
    return (size_t)c < ARRAY_LEN(names) ? names[c] : "Unknown";
}

enum grpc_code grpc_code_of(u64 n)
{
    return n < ARRAY_LEN(names) ? (enum grpc_code)n : GRPC_UNKNOWN;
}

/* --- writing --- */

static void put_varint(struct buf *b, u64 v)
{
    for (; v >= 0x80; v >>= 7)
        buf_ch(b, (char)(v | 0x80));
    buf_ch(b, (char)v);
}

static void put_number(struct buf *b, int field, u64 v)
{
    if (v == 0) return;
    put_varint(b, (u64)field << 3);
    put_varint(b, v);
}

static void put_bytes(struct buf *b, int field, struct str s)
{
    put_varint(b, (u64)field << 3 | 2);
    put_varint(b, s.n);
    buf_str(b, s);
}

/* Any{RetryInfo{Duration}}; small enough for one stack of buffers. */
static void put_retry_info(struct buf *out, i64 delay)
{
    struct buf duration = BUF_INIT(64), info = BUF_INIT(128), any = BUF_INIT(256);

    put_number(&duration, 1, (u64)(delay / NS_PER_SEC));
    put_number(&duration, 2, (u64)(delay % NS_PER_SEC));
    put_bytes(&info, 1, buf_view(&duration));
    put_bytes(&any, 1, STR(RETRY_INFO_URL));
    put_bytes(&any, 2, buf_view(&info));
    put_bytes(out, 3, buf_view(&any));
    buf_done(&duration);
    buf_done(&info);
    buf_done(&any);
}

void grpc_status_encode(const struct grpc_status *s, struct buf *out)
{
    put_number(out, 1, (u64)s->code);
    if (s->message.n) put_bytes(out, 2, s->message);
    if (s->retry_delay > 0) put_retry_info(out, s->retry_delay);
}

/* --- reading --- */

struct field {
    u32 number;
    int wire;
    u64 value;        /* varint */
    struct str bytes; /* length-delimited */
};

static bool take_varint(struct str *s, u64 *ret)
{
    u64 v = 0;

    for (int shift = 0; shift < 70 && s->n; shift += 7) {
        u8 c = (u8)*s->p++;
        s->n--;
        if (shift < 64) v |= (u64)(c & 0x7f) << shift;
        if (c & 0x80) continue;
        *ret = v;
        return true;
    }
    return false;
}

static bool skip(struct str *s, u64 n)
{
    if (n > s->n) return false;
    s->p += n;
    s->n -= n;
    return true;
}

/* 1 and a field, 0 at the end, -EBADMSG. */
static int take_field(struct str *s, struct field *f)
{
    u64 tag, n;

    if (s->n == 0) return 0;
    if (!take_varint(s, &tag) || tag >> 3 == 0 || tag >> 3 > 0x1fffffff) return -EBADMSG;
    *f = (struct field){.number = (u32)(tag >> 3), .wire = (int)(tag & 7)};
    switch (f->wire) {
    case 0: return take_varint(s, &f->value) ? 1 : -EBADMSG;
    case 1: return skip(s, 8) ? 1 : -EBADMSG;
    case 5: return skip(s, 4) ? 1 : -EBADMSG;
    case 2:
        if (!take_varint(s, &n)) return -EBADMSG;
        f->bytes = str_n(s->p, (size_t)n);
        return skip(s, n) ? 1 : -EBADMSG;
    default: return -EBADMSG; /* groups have no place here */
    }
}

static int read_duration(struct str s, i64 *ret)
{
    struct field f;
    i64 seconds = 0, nanos = 0;
    int r;

    while ((r = take_field(&s, &f)) > 0) {
        if (f.number <= 2 && f.wire != 0) return -EBADMSG;
        if (f.number == 1) seconds = (i64)f.value;
        if (f.number == 2) nanos = (i64)(i32)f.value;
    }
    if (r < 0) return r;
    seconds = MIN(MAX(seconds, -INT64_C(1000000000)),
                  INT64_C(1000000000)); /* beyond any use, and no overflow */
    *ret = seconds * NS_PER_SEC + MIN(MAX(nanos, -NS_PER_SEC), NS_PER_SEC);
    return 0;
}

static int read_retry_info(struct str s, i64 *ret)
{
    struct field f;
    int r;

    while ((r = take_field(&s, &f)) > 0) {
        if (f.number != 1) continue;
        if (f.wire != 2) return -EBADMSG;
        r = read_duration(f.bytes, ret);
        if (r < 0) return r;
    }
    return r;
}

static int read_detail(struct str s, i64 *ret_delay)
{
    struct str url = {0}, value = {0};
    struct field f;
    int r;

    while ((r = take_field(&s, &f)) > 0) {
        if (f.number <= 2 && f.wire != 2) return -EBADMSG;
        if (f.number == 1) url = f.bytes;
        if (f.number == 2) value = f.bytes;
    }
    if (r < 0 || !str_ends(url, STR("/google.rpc.RetryInfo"))) return r;
    return read_retry_info(value, ret_delay);
}

int grpc_status_decode(struct str bytes, struct grpc_status *ret)
{
    struct grpc_status s = {.details = bytes};
    struct field f;
    int r;

    while ((r = take_field(&bytes, &f)) > 0) {
        if ((f.number == 1 && f.wire != 0) || ((f.number == 2 || f.number == 3) && f.wire != 2))
            return -EBADMSG;
        if (f.number == 1) s.code = grpc_code_of(f.value);
        if (f.number == 2) s.message = f.bytes;
        if (f.number == 3 && read_detail(f.bytes, &s.retry_delay) < 0) return -EBADMSG;
    }
    if (r < 0) return r;
    *ret = s;
    return 0;
}

/* --- percent-encoding --- */

void grpc_message_encode(struct buf *out, struct str text)
{
    for (size_t i = 0; i < text.n; i++) {
        u8 c = (u8)text.p[i];
        if (c < 0x20 || c > 0x7e || c == '%')
            buf_printf(out, "%%%02X", c);
        else
            buf_ch(out, (char)c);
    }
}

/* What is no escape stays as it is. */
void grpc_message_decode(struct buf *out, struct str text)
{
    for (size_t i = 0; i < text.n; i++) {
        bool escape = text.p[i] == '%' && i + 2 < text.n && hex_digit(text.p[i + 1]) >= 0 &&
                      hex_digit(text.p[i + 2]) >= 0;
        buf_ch(out, escape ? (char)(hex_digit(text.p[i + 1]) * 16 + hex_digit(text.p[i + 2]))
                           : text.p[i]);
        if (escape) i += 2;
    }
}

/* --- frames --- */

void grpc_frame(u8 frame[GRPC_FRAME], bool compressed, size_t n)
{
    frame[0] = compressed;
    for (int i = 0; i < 4; i++)
        frame[1 + i] = (u8)(n >> (24 - 8 * i));
}

u32 grpc_frame_length(const u8 frame[GRPC_FRAME])
{
    return (u32)frame[1] << 24 | (u32)frame[2] << 16 | (u32)frame[3] << 8 | frame[4];
}

/* gRPC's "snappy" is the framed form; the block form is read too, see base/codec.h. */
static const struct {
    const char *name;
    enum codec codec;
} encodings[] = {{"identity", CODEC_NONE},
                 {"gzip", CODEC_GZIP},
                 {"snappy", CODEC_SNAPPY_FRAMED},
                 {"zstd", CODEC_ZSTD},
                 {"deflate", CODEC_ZLIB}};

bool grpc_encoding_parse(struct str name, enum codec *ret)
{
    for (size_t i = 0; i < ARRAY_LEN(encodings); i++) {
        if (!str_is(name, encodings[i].name)) continue;
        *ret = encodings[i].codec;
        return true;
    }
    return false;
}

const char *grpc_encoding_name(enum codec c)
{
    for (size_t i = 0; i < ARRAY_LEN(encodings); i++)
        if (encodings[i].codec == c ||
            (c == CODEC_SNAPPY && encodings[i].codec == CODEC_SNAPPY_FRAMED))
            return encodings[i].name;
    return "identity";
}

/* Decoding takes both forms by the block codec's rule. */
int grpc_decompress(enum codec c, struct str in, size_t limit, struct buf *out,
                    const char **ret_err)
{
    return codec_decompress(c == CODEC_SNAPPY_FRAMED ? CODEC_SNAPPY : c, in, limit, out, ret_err);
}
