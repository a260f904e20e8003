/* Elements of snappy's block format. A copy under way is held back, since what comes next mostly
 * goes on from the same place; of a long one all but the last element is written at once. */
#include "telemetry/snap_writer.h"

#define COPY_MAX  64u /* of one element */
#define COPY_MIN  4u  /* of the short form */
#define TAG_SHORT 1u
#define TAG_16    2u
#define TAG_32    3u

void snap_init(struct snap_writer *w)
{
    *w = (struct snap_writer){.out = BUF_INIT(SIZE_MAX / 2)};
}

void snap_done(struct snap_writer *w)
{
    buf_done(&w->out);
}

void snap_reset(struct snap_writer *w)
{
    buf_reset(&w->out);
    w->p = w->out.p;
    w->tag = NULL;
    w->plain = w->copy = 0;
}

/* The bytes written may be more than out knows of. */
static void settle(struct snap_writer *w)
{
    if (w->p) w->out.n = (size_t)(w->p - w->out.p);
}

bool snap_grow(struct snap_writer *w, size_t n)
{
    size_t tag = w->tag ? (size_t)(w->p - w->tag) : 0;

    settle(w);
    char *p = buf_reserve(&w->out, n);
    w->out.err = 0; /* nothing was added: the next one may fit */
    if (!p) return false;
    w->p = p;
    w->tag = tag ? p - tag : NULL;
    return true;
}

/* Little endian, as checked in pb.c; there is room for more than is meant. */
static char *put32(char *p, u32 v, size_t n)
{
    memcpy(p, &v, 4);
    return p + n;
}

static char *put_copy(char *p, u32 distance, u32 n)
{
    if (n <= 11 && n >= COPY_MIN && distance < 2048)
        return put32(p, TAG_SHORT | (n - COPY_MIN) << 2 | distance >> 8 << 5 | distance << 24 >> 16,
                     2);
    if (distance <= UINT16_MAX) return put32(p, TAG_16 | (n - 1) << 2 | distance << 8, 3);
    *p = (char)(TAG_32 | (n - 1) << 2);
    return put32(p + 1, distance, 4);
}

static u32 distance_of(const struct snap_writer *w)
{
    return (u32)(w->plain - w->from);
}

void snap_end_copy(struct snap_writer *w)
{
    w->p = put_copy(w->p, distance_of(w), (u32)w->copy);
    w->copy = 0;
}

/* What stays is never so short that it cannot have the short form. */
void snap_whole_copies(struct snap_writer *w)
{
    u32 distance = distance_of(w);
    char *p = w->p;

    for (; w->copy >= COPY_MAX + COPY_MIN; w->copy -= COPY_MAX)
        p = put_copy(p, distance, COPY_MAX);
    if (w->copy > COPY_MAX) {
        p = put_copy(p, distance, COPY_MAX - COPY_MIN);
        w->copy -= COPY_MAX - COPY_MIN;
    }
    w->p = p;
}

/* A literal of up to 60 bytes has its length in the tag, for which there is room already; a longer
 * one moves. */
void snap_end_literal(struct snap_writer *w)
{
    char *tag = w->tag;
    size_t n = (size_t)(w->p - tag) - 1;
    u32 code = (u32)n - 1, bytes = code < 60 ? 0 : code < 256 ? 1 : code < 65536 ? 2 : 4;

    w->tag = NULL;
    *tag = (char)((bytes ? 59 + bytes : code) << 2);
    if (!bytes) return;
    memmove(tag + 1 + bytes, tag + 1, n);
    memcpy(tag + 1, &code, bytes);
    w->p += bytes;
}

struct str snap_end(struct snap_writer *w)
{
    if (w->copy) snap_end_copy(w);
    if (w->tag) snap_end_literal(w);
    settle(w);
    return w->out.n ? buf_view(&w->out) : STR("");
}
