/* Layouts, texts and zone files: what is parsed can be formatted, and what was formatted with a
 * full layout parses back to the same moment. */
#include <errno.h>
#include <stdlib.h>
#include "base/assert.h"
#include "base/time_layout.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void round_trip(i64 ns, const struct time_zone *zone)
{
    struct time_layout *l = time_layout_new(STR("2006-01-02T15:04:05.999999999Z07:00:00"));
    struct time_parsed back;
    struct buf text = BUF_INIT(1000);
    time_layout_format(l, ns, zone, &text);
    /* Offsets of more than a day, as only damaged zone files have them, are not read. */
    if (time_layout_parse(l, buf_view(&text), NULL, &back, NULL) == 0) ASSERT(back.ns == ns);
    buf_done(&text);
    time_layout_free(l);
}

/* Up to the first NUL is the layout, up to the second the text, the rest a zone file. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str zone = str_n((const char *)data, size), layout = str_cut(&zone, '\0'),
               text = str_cut(&zone, '\0');
    struct time_zone *z = time_zone_decode(zone);
    struct time_layout *l = time_layout_new(layout);
    struct time_parsed t;
    char *err = NULL;
    struct buf out = BUF_INIT(1 << 20);
    int r = time_layout_parse(l, text, z, &t, &err);
    ASSERT((r == 0) == (err == NULL));
    if (r == 0) {
        time_layout_format(l, t.ns, z, &out);
        round_trip(t.ns, z);
    }
    if (r != -EINVAL) time_parsed_add_years(&t, 2026, z);
    buf_done(&out);
    free(err);
    time_layout_free(l);
    time_zone_free(z);
    return 0;
}
