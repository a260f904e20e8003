/* A batch as the body of one request. */
#include "components/common/otlp_payload.h"

#include <errno.h>

#include "base/xalloc.h"
#include "telemetry/otlp.h"

#define SCRATCH_KEPT ((size_t)4 << 20)
#define BODY_MAX     ((size_t)1 << 30)
/* JSON is longer than protobuf at worst by this factor: an empty message of two bytes becomes its
 * braces, its name and required members. */
#define JSON_GROWTH 64

static void slices_to_iov(struct payload *p, const struct batch *b)
{
    p->iov = xcalloc(MAX(b->n_slices, 1u), sizeof(*p->iov));
    p->n_iov = b->n_slices;
    p->len = b->bytes;
    for (u32 i = 0; i < b->n_slices; i++)
        p->iov[i] = (struct iovec){(void *)(uintptr_t)b->slices[i].p, b->slices[i].n};
}

static void body_to_iov(struct payload *p)
{
    p->iov = xnew(struct iovec);
    *p->iov = (struct iovec){p->body.p, p->body.n};
    p->n_iov = 1;
    p->len = p->body.n;
}

static int gather(const struct batch *b, struct buf *scratch, struct str *ret)
{
    if (b->n_slices == 1) {
        *ret = str_n(b->slices[0].p, b->slices[0].n);
        return 0;
    }
    for (u32 i = 0; i < b->n_slices; i++)
        buf_add(scratch, b->slices[i].p, b->slices[i].n);
    *ret = buf_view(scratch);
    return buf_err(scratch);
}

static int plain_text(const struct payload_format *f, const struct batch *b, struct buf *scratch,
                      struct str *ret)
{
    if (!f->json) return gather(b, scratch, ret);
    int r = otlp_to_json(b, scratch);
    *ret = buf_view(scratch);
    return r;
}

static int encode(struct payload *p, const struct payload_format *f, const struct batch *b,
                  struct buf *scratch)
{
    size_t most = MIN(b->bytes, BODY_MAX / JSON_GROWTH) * JSON_GROWTH + 4096;
    buf_init(&p->body, most);
    if (f->codec == CODEC_NONE) return otlp_to_json(b, &p->body);
    struct str plain = {0};
    buf_reset(scratch);
    scratch->max = most;
    int r = plain_text(f, b, scratch, &plain);
    return r < 0 ? r : codec_compress(f->codec, f->level, plain, &p->body);
}

int payload_make(struct payload *p, const struct payload_format *f, const struct batch *b,
                 struct buf *scratch)
{
    *p = (struct payload){0};
    if (!f->json && f->codec == CODEC_NONE) {
        slices_to_iov(p, b);
        return 0;
    }
    int r = encode(p, f, b, scratch);
    if (r < 0) {
        payload_done(p);
        return r;
    }
    body_to_iov(p);
    return 0;
}

void payload_done(struct payload *p)
{
    free(p->iov);
    buf_done(&p->body);
    *p = (struct payload){0};
}

void payload_scratch_trim(struct buf *scratch)
{
    if (scratch->cap > SCRATCH_KEPT) buf_done(scratch);
}
