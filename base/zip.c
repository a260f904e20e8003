/* ZIP as in PKWARE's APPNOTE 6.3: local headers, data, central directory, end record. */
#include "base/zip.h"

#include <errno.h>
#include <time.h>
#include "base/codec.h"

#define LOCAL_SIG   0x04034b50
#define CENTRAL_SIG 0x02014b50
#define END_SIG     0x06054b50
#define VERSION     20     /* deflate */
#define UTF8_NAME   0x0800 /* bit 11 of the flags */
#define DEFLATED    8
#define MADE_BY     (3 << 8 | VERSION) /* Unix: the attributes are a mode */
#define MODE        ((u32)0100644 << 16)
#define GZIP_HEAD   10 /* before the deflate stream that a gzip body holds */
#define GZIP_TAIL   8  /* behind it: CRC-32 of the content, its size */
#define ENTRIES_MAX 65535

static void put16(struct buf *b, u32 v)
{
    const u8 bytes[] = {(u8)v, (u8)(v >> 8)};
    buf_add(b, bytes, sizeof(bytes));
}

static void put32(struct buf *b, u32 v)
{
    put16(b, v);
    put16(b, v >> 16);
}

static u32 get32(const char *p)
{
    const u8 *b = (const u8 *)p;
    return (u32)b[0] | (u32)b[1] << 8 | (u32)b[2] << 16 | (u32)b[3] << 24;
}

/* The format keeps local time in two-second steps since 1980. */
void zip_init(struct zip *z, struct buf *out, i64 real_ns)
{
    struct tm tm = {0};
    time_t when = (time_t)(real_ns / NS_PER_SEC);
    localtime_r(&when, &tm);
    *z = (struct zip){.out = out};
    z->time = (u16)(tm.tm_hour << 11 | tm.tm_min << 5 | tm.tm_sec / 2);
    z->date = (u16)(MAX(tm.tm_year - 80, 0) << 9 | (tm.tm_mon + 1) << 5 | tm.tm_mday);
}

/* What local header and directory have in common. */
static void put_common(struct zip *z, const struct zip_entry *e)
{
    put16(z->out, VERSION);
    put16(z->out, UTF8_NAME);
    put16(z->out, e->deflated ? DEFLATED : 0);
    put16(z->out, z->time);
    put16(z->out, z->date);
    put32(z->out, e->crc);
    put32(z->out, e->packed);
    put32(z->out, e->size);
    put16(z->out, (u32)strlen(e->name));
    put16(z->out, 0); /* extra field */
}

static bool fits(const struct zip *z, const char *name, struct str content)
{
    return strlen(name) <= UINT16_MAX && content.n < UINT32_MAX && z->out->n < UINT32_MAX &&
           z->entries.n < ENTRIES_MAX;
}

/* A gzip body is the deflate stream and the checksum that are wanted, in a frame. */
void zip_add(struct zip *z, const char *name, struct str content)
{
    struct buf gzip = BUF_INIT(UINT32_MAX);
    if (!fits(z, name, content) ||
        codec_compress(CODEC_GZIP, CODEC_LEVEL_DEFAULT, content, &gzip) < 0) {
        if (!z->out->err) z->out->err = -E2BIG;
        buf_done(&gzip);
        return;
    }
    struct str packed = str_sub(buf_view(&gzip), GZIP_HEAD, gzip.n - GZIP_TAIL);
    struct zip_entry e = {.name = xstrdup(name),
                          .crc = get32(packed.p + packed.n),
                          .size = (u32)content.n,
                          .offset = (u32)z->out->n,
                          .deflated = packed.n < content.n};
    struct str data = e.deflated ? packed : content;
    e.packed = (u32)data.n;
    put32(z->out, LOCAL_SIG);
    put_common(z, &e);
    buf_cstr(z->out, name);
    buf_str(z->out, data);
    vec_push(&z->entries, e);
    buf_done(&gzip);
}

static void put_directory(struct zip *z, const struct zip_entry *e)
{
    put32(z->out, CENTRAL_SIG);
    put16(z->out, MADE_BY);
    put_common(z, e);
    put16(z->out, 0); /* comment */
    put16(z->out, 0); /* disk */
    put16(z->out, 0); /* internal attributes */
    put32(z->out, MODE);
    put32(z->out, e->offset);
    buf_cstr(z->out, e->name);
}

void zip_finish(struct zip *z)
{
    size_t start = z->out->n;
    vec_each (&z->entries, e)
        put_directory(z, e);
    size_t end = z->out->n;
    put32(z->out, END_SIG);
    put32(z->out, 0); /* disks */
    put16(z->out, (u32)z->entries.n);
    put16(z->out, (u32)z->entries.n);
    put32(z->out, (u32)(end - start));
    put32(z->out, (u32)start);
    put16(z->out, 0); /* comment */
    vec_each (&z->entries, e)
        free(e->name);
    vec_done(&z->entries);
}
