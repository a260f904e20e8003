/* google.rpc.Status and percent-encoded messages: decoding any bytes, and what was decoded survives
 * encoding. */
#include <stdlib.h>
#include "base/assert.h"
#include "net/grpc_private.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void round_trip(const struct grpc_status *s)
{
    struct buf b = BUF_INIT(1 << 20);
    struct grpc_status again;

    grpc_status_encode(s, &b);
    ASSERT(!buf_err(&b) && grpc_status_decode(buf_view(&b), &again) == 0);
    ASSERT(again.code == s->code && str_eq(again.message, s->message));
    ASSERT(again.retry_delay == MAX(s->retry_delay, 0));
    buf_done(&b);
}

static void percent(struct str text)
{
    struct buf a = BUF_INIT(1 << 20), b = BUF_INIT(4 << 20), c = BUF_INIT(1 << 20);

    grpc_message_decode(&a, text);
    grpc_message_encode(&b, buf_view(&a));
    grpc_message_decode(&c, buf_view(&b));
    ASSERT(str_eq(buf_view(&a), buf_view(&c)));
    buf_done(&a);
    buf_done(&b);
    buf_done(&c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    char *copy = malloc(n + 1); /* exact size: an overrun is seen */
    struct grpc_status s;

    memcpy(copy, data, n);
    if (grpc_status_decode(str_n(copy, n), &s) == 0) round_trip(&s);
    percent(str_n(copy, n));
    free(copy);
    return 0;
}
