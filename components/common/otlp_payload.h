/* A batch as the body of one request: protobuf or JSON, compressed or not. Uncompressed protobuf is
 * sent from the batch's own slices. */
#ifndef COMPONENTS_COMMON_OTLP_PAYLOAD_H
#define COMPONENTS_COMMON_OTLP_PAYLOAD_H

#include <sys/uio.h>

#include "base/codec.h"
#include "telemetry/batch.h"

struct payload_format {
    bool json;
    enum codec codec;
    int level; /* CODEC_LEVEL_DEFAULT or the codec's own */
};

/* Embedded. Zeroed: empty. Lives for one attempt: what waits for a retry is not kept twice. */
struct payload {
    struct buf body; /* unless the slices are sent */
    struct iovec *iov;
    size_t n_iov, len;
};

/* scratch is emptied and used for what the compressor must see in one piece; it may be shared by
 * all payloads of a worker. 0, -ENOMEM, -E2BIG, -EBADMSG (a batch that is no OTLP). b must outlive
 * p. */
int payload_make(struct payload *p, const struct payload_format *f, const struct batch *b,
                 struct buf *scratch);
void payload_done(struct payload *p);

/* Between requests: gives memory back after an unusually large one. */
void payload_scratch_trim(struct buf *scratch);

#endif
