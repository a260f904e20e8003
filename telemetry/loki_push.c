/* Writing Loki's push request. An entry is sized first and written in one go into room reserved
 * once, since the lines of a pipeline pass here one by one. */
#include "telemetry/loki_push.h"

#include <errno.h>
#include "base/utf8.h"
#include "telemetry/pb.h"

enum { PUSH_STREAM = 1, STREAM_LABELS = 1, STREAM_ENTRY = 2 };
enum { ENTRY_TIME = 1, ENTRY_LINE = 2, ENTRY_META = 3 };
enum { TIME_SECONDS = 1, TIME_NANOS = 2 };
enum { PAIR_NAME = 1, PAIR_VALUE = 2 };

void loki_push_labels(struct buf *out, const struct label *v, size_t n)
{
    bool first = true;

    buf_ch(out, '{');
    for (size_t i = 0; i < n; i++) {
        if (str_starts(v[i].name, STR("__"))) continue;
        if (!first) buf_cstr(out, ", ");
        first = false;
        buf_str(out, v[i].name);
        buf_ch(out, '=');
        utf8_quote(out, v[i].value);
    }
    buf_ch(out, '}');
}

/* --- sizes: every field number here fits a tag of one byte --- */

static size_t text_size(size_t n)
{
    return n ? 1 + pb_varint_size(n) + n : 0;
}

static size_t pair_size(const struct label *pair)
{
    return text_size(pair->name.n) + text_size(pair->value.n);
}

struct stamp {
    u64 seconds, nanos; /* as varints: negative seconds take ten bytes */
    size_t size;
};

static struct stamp stamp_of(i64 time)
{
    i64 seconds = time / NS_PER_SEC, nanos = time % NS_PER_SEC;
    struct stamp t;

    if (nanos < 0) {
        nanos += NS_PER_SEC;
        seconds--;
    }
    t.seconds = (u64)seconds;
    t.nanos = (u64)nanos;
    t.size =
        (seconds ? 1 + pb_varint_size(t.seconds) : 0) + (nanos ? 1 + pb_varint_size(t.nanos) : 0);
    return t;
}

static size_t meta_size(const struct log_entry *e)
{
    size_t n = 0;

    for (u32 i = 0; i < e->n_meta; i++) {
        size_t pair = pair_size(&e->meta[i]);
        n += 1 + pb_varint_size(pair) + pair;
    }
    return n;
}

/* Unlike on the wire, a pair counts both tags even when a text is empty, but not its own. */
size_t loki_push_entry_size(const struct log_entry *e)
{
    size_t n = e->line.n;

    for (u32 i = 0; i < e->n_meta; i++) {
        size_t name = e->meta[i].name.n, value = e->meta[i].value.n;
        n += 2 + pb_varint_size(name) + name + pb_varint_size(value) + value;
    }
    return n;
}

/* --- writing --- */

static char *put_tag(char *p, u32 num, u8 wire)
{
    *p = (char)PB_TAG(num, wire);
    return p + 1;
}

static char *put_text(char *p, u32 num, struct str s)
{
    if (s.n == 0) return p;
    p = pb_put_varint(put_tag(p, num, PB_BYTES), s.n);
    memcpy(p, s.p, s.n);
    return p + s.n;
}

static char *put_number(char *p, u32 num, u64 v)
{
    return v ? pb_put_varint(put_tag(p, num, PB_VARINT), v) : p;
}

static char *put_meta(char *p, const struct log_entry *e)
{
    for (u32 i = 0; i < e->n_meta; i++) {
        p = pb_put_varint(put_tag(p, ENTRY_META, PB_BYTES), pair_size(&e->meta[i]));
        p = put_text(p, PAIR_NAME, e->meta[i].name);
        p = put_text(p, PAIR_VALUE, e->meta[i].value);
    }
    return p;
}

static void push_any(struct buf *out, const struct log_entry *e)
{
    struct stamp t = stamp_of(e->time);
    size_t n = 2 + t.size + text_size(e->line.n) + meta_size(e);
    char *p = buf_reserve(out, 1 + pb_varint_size(n) + n), *start = p;

    if (!p) return;
    p = pb_put_varint(put_tag(p, STREAM_ENTRY, PB_BYTES), n);
    p = pb_put_varint(put_tag(p, ENTRY_TIME, PB_BYTES), t.size);
    p = put_number(p, TIME_SECONDS, t.seconds);
    p = put_number(p, TIME_NANOS, t.nanos);
    p = put_text(p, ENTRY_LINE, e->line);
    p = put_meta(p, e);
    buf_commit(out, (size_t)(p - start));
}

/* --- what nearly all entries are: a line without metadata, in this century --- */

#define SHORT_MAX (UINT64_C(1) << 35) /* a varint below takes five bytes at most */
#define SLACK     16                  /* bytes behind what is written that may be written to */

/* A varint of up to five bytes of a known size, without a loop: seven bits to each byte, and the
 * mark of those that are not the last. Writes eight bytes. */
static inline char *put_short(char *p, u64 v, size_t size)
{
    u64 bytes = (v & 0x7F) | (v & 0x3F80) << 1 | (v & 0x1FC000) << 2 | (v & 0xFE00000) << 3 |
                (v & UINT64_C(0x7F0000000)) << 4;

    bytes |= UINT64_C(0x80808080) & ((UINT64_C(1) << 8 * (size - 1)) - 1);
    memcpy(p, &bytes, sizeof(bytes));
    return p + size;
}

static void push_plain(struct buf *out, struct str line, u64 seconds, u64 nanos)
{
    size_t seconds_size = pb_varint_size(seconds), nanos_size = pb_varint_size(nanos);
    size_t time_size = 2 + seconds_size + nanos_size, line_size = pb_varint_size(line.n);
    size_t n = 2 + time_size + 1 + line_size + line.n, n_size = pb_varint_size(n);
    char *p = buf_reserve(out, 1 + n_size + n + SLACK);

    if (!p) return;
    p = put_short(put_tag(p, STREAM_ENTRY, PB_BYTES), n, n_size);
    p = put_tag(p, ENTRY_TIME, PB_BYTES);
    *p++ = (char)time_size;
    p = put_short(put_tag(p, TIME_SECONDS, PB_VARINT), seconds, seconds_size);
    p = put_short(put_tag(p, TIME_NANOS, PB_VARINT), nanos, nanos_size);
    p = put_short(put_tag(p, ENTRY_LINE, PB_BYTES), line.n, line_size);
    memcpy(p, line.p, line.n);
    buf_commit(out, 1 + n_size + n);
}

void loki_push_entry(struct buf *out, const struct log_entry *e)
{
    u64 time = (u64)e->time, seconds = time / NS_PER_SEC, nanos = time % NS_PER_SEC;
    bool plain = e->n_meta == 0 && e->line.n > 0 && e->line.n < SHORT_MAX / 2 && e->time > 0 &&
                 nanos > 0 && seconds > 0;

    if (LIKELY(plain))
        push_plain(out, e->line, seconds, nanos);
    else
        push_any(out, e);
}

void loki_push_stream_head(struct buf *out, struct str labels_text, size_t entries_bytes)
{
    size_t n = text_size(labels_text.n), all = n + entries_bytes;
    char *p = buf_reserve(out, 1 + pb_varint_size(all) + n), *start = p;

    if (!p) return;
    p = pb_put_varint(put_tag(p, PUSH_STREAM, PB_BYTES), all);
    p = put_text(p, STREAM_LABELS, labels_text);
    buf_commit(out, (size_t)(p - start));
}

static size_t entry_wire_size(const struct log_entry *e)
{
    size_t n = 2 + stamp_of(e->time).size + text_size(e->line.n) + meta_size(e);

    return 1 + pb_varint_size(n) + n;
}

int loki_push_stream(struct buf *out, struct str labels_text, const struct log_entry *v, u32 n)
{
    size_t before = out->n, bytes = 0;

    for (u32 i = 0; i < n; i++)
        bytes += entry_wire_size(&v[i]);
    loki_push_stream_head(out, labels_text, bytes);
    for (u32 i = 0; i < n; i++)
        loki_push_entry(out, &v[i]);
    int err = buf_err(out);
    if (err) buf_truncate(out, before);
    return err;
}
