/* Any text as OTLP/JSON: what is taken must be a valid message with the items that were counted,
 * and print as JSON that reads as the same. The first byte chooses the signal. */
#include "telemetry/otlp.h"
#include "tests/otlp_oracle.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool read_json(enum signal s, struct str text, struct buf *out, u32 *ret_items)
{
    char err[128];
    return otlp_from_json(s, text, out, ret_items, err, sizeof(err)) == 0;
}

static void print(enum signal s, struct str bytes, u32 items, struct buf *out)
{
    struct batch *b = batch_of_bytes(s, bytes, items);
    ASSERT(otlp_to_json(b, out) == 0);
    batch_unref(b);
}

static struct str view(const struct buf *b)
{
    return str_n(b->p ? b->p : "", b->n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf bytes = BUF_INIT(SIZE_MAX), first = BUF_INIT(SIZE_MAX), back = BUF_INIT(SIZE_MAX),
               again = BUF_INIT(SIZE_MAX);
    u32 items = 0, counted = 0;
    char err[128];
    if (size == 0) return 0;
    enum signal s = (enum signal)(data[0] % SIGNAL_COUNT);
    if (read_json(s, str_n((const char *)data + 1, size - 1), &bytes, &items)) {
        ASSERT(otlp_validate(s, view(&bytes), &counted, err, sizeof(err)) == 0 && counted == items);
        print(s, view(&bytes), items, &first);
        ASSERT(read_json(s, view(&first), &back, &items));
        print(s, view(&back), items, &again);
        ASSERT(str_eq(view(&first), view(&again)));
    }
    buf_done(&bytes);
    buf_done(&first);
    buf_done(&back);
    buf_done(&again);
    return 0;
}
