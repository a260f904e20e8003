/* Any bytes as a record of the log of prometheus.remote_write, or (first byte odd) as its file of
 * metadata: reading ends within the bytes, what it gives is within its limits, and metadata that
 * was read is written the same. */
#include <errno.h>
#include <stdlib.h>
#include "base/assert.h"
#include "components/prometheus/remote_write/family_record.h"
#include "components/prometheus/remote_write/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Keeps what was read from being optimised away; memory errors show here. */
static u64 sum;

static void look(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        sum += (u8)s.p[i];
}

static int on_name(void *arg, u32 number, const struct label *v, size_t n)
{
    ASSERT(number < RECORD_NUMBERS_MAX);
    for (size_t i = 0; i < n; i++) {
        ASSERT(i == 0 || str_cmp(v[i - 1].name, v[i].name) < 0);
        look(v[i].name);
        look(v[i].value);
    }
    (void)arg;
    return 0;
}

static void read_samples(const struct record_view *r)
{
    struct sample_cursor c = record_samples(r);
    u32 n = 0;

    while (sample_next(&c) > 0) {
        ASSERT(c.number < RECORD_NUMBERS_MAX && n < r->n_samples);
        n++;
    }
}

static void look_at(const struct histogram *h)
{
    for (u32 i = 0; i < h->n_pos_spans; i++)
        sum += h->pos_spans[i].length;
    for (u32 i = 0; i < h->n_neg_spans; i++)
        sum += (u64)h->neg_spans[i].offset;
    for (u32 i = 0; i < h->n_pos; i++)
        sum += h->is_float ? h->pos_counts[i] > 0 : (u64)h->pos_deltas[i];
    for (u32 i = 0; i < h->n_neg; i++)
        sum += h->is_float ? h->neg_counts[i] > 0 : (u64)h->neg_deltas[i];
    for (u32 i = 0; i < h->n_custom; i++)
        sum += h->custom[i] > 0;
}

static void read_items(const struct record_view *r)
{
    struct item_cursor h = record_histograms(r), x = record_exemplars(r);
    struct histogram_sample *hs;
    struct exemplar_sample *xs;
    u32 number;

    while (histogram_next(&h, &number, &hs) > 0) {
        ASSERT(number < RECORD_NUMBERS_MAX);
        look_at(hs->h);
        free(hs);
    }
    while (exemplar_next(&x, &number, &xs) > 0) {
        for (u32 i = 0; i < xs->n_labels; i++) {
            look(xs->labels[i].name);
            look(xs->labels[i].value);
        }
        free(xs);
    }
}

static void read_families(struct str text)
{
    struct metric_meta m, again;
    int got;

    while ((got = family_record_next(&text, &m))) {
        if (got < 0) continue;
        struct buf b = BUF_INIT(SIZE_MAX / 2);
        family_record_add(&b, &m);
        struct str one = buf_view(&b);
        ASSERT(buf_err(&b) || (family_record_next(&one, &again) == 1 && !one.n));
        ASSERT(buf_err(&b) || (str_eq(m.family, again.family) && str_eq(m.help, again.help)));
        sum += family_has(&m, m.help);
        buf_done(&b);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct record_view r;

    if (size < 1) return 0;
    struct str text = str_n((const char *)data + 1, size - 1);
    if (data[0] & 1) {
        read_families(text);
    } else if (record_open(text, &r) == 0) {
        int err = record_names(&r, on_name, NULL);
        ASSERT(err == 0 || err == -EBADMSG || err == -ENOMEM);
        read_samples(&r);
        read_items(&r);
    }
    return 0;
}
