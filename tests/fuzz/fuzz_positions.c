/* Positions files: what is read can be written, and reads back the same. */
#include "base/assert.h"
#include "components/common/positions_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void write_again(void *out, const struct position *p)
{
    positions_text_entry(out, p);
}

static int read_into(struct str text, bool legacy, struct buf *out)
{
    struct arena a;
    const char *why = NULL;

    arena_init(&a, 0);
    positions_text_head(out, false);
    int err = legacy ? positions_text_read_legacy(text, &a, write_again, out, &why)
                     : positions_text_read(text, &a, write_again, out, &why);
    ASSERT(err == 0 || why);
    arena_done(&a);
    return err;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf once = BUF_INIT(1 << 24), twice = BUF_INIT(1 << 24);

    if (read_into(str_n((const char *)data, size), size % 2, &once) == 0 && !buf_err(&once)) {
        ASSERT(read_into(buf_view(&once), false, &twice) == 0);
        ASSERT(str_eq(buf_view(&once), buf_view(&twice)));
    }
    buf_done(&once);
    buf_done(&twice);
    return 0;
}
