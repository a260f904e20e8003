/* GELF datagrams from two senders, as the component takes them: chunks put together within bounds,
 * decompressed within a limit, read, and written as a line that is JSON again. An input is a row of
 * datagrams: a length of two bytes (the top bit says which sender), then so many bytes. */
#include "base/assert.h"
#include "base/clock.h"
#include "base/json.h"
#include "components/loki/gelf/chunks.h"
#include "components/loki/gelf/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void take(struct str payload)
{
    struct buf plain = BUF_INIT(GELF_PLAIN_MAX), line = BUF_INIT(GELF_PLAIN_MAX + 4096);
    struct gelf_message m;
    struct arena a;
    struct str text;
    const char *why = NULL;

    arena_init(&a, 0);
    if (gelf_unpack(payload, &plain, &text, &why) == 0 &&
        gelf_parse(text, &a, &m, &line, &why) == 0) {
        struct json_in j;
        json_in_init(&j, buf_view(&line), &a);
        ASSERT(json_skip(&j) == 0 && json_value(&j) == JSON_END);
        (void)gelf_level_name(m.level);
    }
    arena_done(&a);
    buf_done(&plain);
    buf_done(&line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gelf_chunks *c =
        gelf_chunks_new(&(struct gelf_chunks_conf){.max_messages = 4, .max_bytes = 4096});
    struct buf whole = BUF_INIT(8192);
    i64 now = 0;

    for (size_t at = 0; at + 2 <= size; now += NS_PER_SEC / 4) {
        size_t n = (size_t)(data[at] & 0x7f) << 8 | data[at + 1];
        struct str sender = data[at] & 0x80 ? STR("10.0.0.1") : STR("10.0.0.2");
        struct str d = str_n((const char *)data + at + 2, MIN(n, size - at - 2));
        const char *why = NULL;
        at += 2 + d.n;
        if (!gelf_is_chunk(d))
            take(d);
        else if (gelf_chunks_add(c, sender, d, now, &whole, &why) == GELF_WHOLE)
            take(buf_view(&whole));
        (void)gelf_chunks_expire(c, now);
    }
    gelf_chunks_free(c);
    buf_done(&whole);
    return 0;
}
