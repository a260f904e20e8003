/* Any bytes as a remote write request. First byte even: 1.0, odd: 2.0. What was read, written again
 * in 2.0 (which can say everything), must read as the same number of things, none refused; the
 * floats packed as 1.0 are, unpacked, the plain request. */
#include <errno.h>
#include <stdlib.h>
#include "base/assert.h"
#include "base/codec.h"
#include "telemetry/remote_write.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int read_into(struct rw_reading *d, enum rw_version v, struct str body)
{
    struct series_epoch *e = series_epoch_now(d->keeper);
    char *why = NULL;

    sample_builder_keep(d->out, e);
    series_epoch_unref(e);
    int err = rw_read(d, v, body, &why);
    ASSERT(err == 0 || err == -ENOMEM || (err == -EBADMSG && why));
    free(why);
    return err;
}

static void write_again(const struct samples *s, struct rw_request *r)
{
    for (u32 i = 0; i < s->n; i++)
        ASSERT(!rw_request_sample(r, s->v[i].series, NULL, NULL, s->v[i].time, s->v[i].bits));
    for (u32 i = 0; i < s->n_histograms; i++)
        ASSERT(!rw_request_histogram(r, NULL, NULL, &s->histograms[i]));
}

static void read_again(struct rw_reading *d, const struct samples *s)
{
    struct rw_request *r = rw_request_new(RW_V2, (size_t)1 << 30);

    write_again(s, r);
    free(d->why);
    ASSERT(read_into(d, RW_V2, rw_request_bytes(r)) == 0);
    ASSERT(d->counts.samples == s->n && d->counts.histograms == s->n_histograms);
    ASSERT(d->refused == 0 && !d->why);
    rw_request_free(r);
}

static void pack(const struct samples *s)
{
    static const struct label external[] = {{STR("cluster"), STR("a")}, {STR("zz"), STR("b")}};
    struct rw_external *e = rw_external_new(external, ARRAY_LEN(external));
    struct rw_request *r[] = {rw_request_new(RW_V1, 1 << 30),
                              rw_request_new_packed(RW_V1, 1 << 30)};
    struct buf packed = BUF_INIT(SIZE_MAX / 2), got = BUF_INIT(SIZE_MAX / 2);

    for (u32 i = 0; i < s->n; i++)
        for (size_t k = 0; k < ARRAY_LEN(r); k++)
            ASSERT(!rw_request_sample(r[k], s->v[i].series, e, NULL, s->v[i].time, s->v[i].bits));
    struct str want = rw_request_bytes(r[0]);
    ASSERT(!rw_request_packed(r[1], &packed));
    ASSERT(!codec_decompress(CODEC_SNAPPY, buf_view(&packed), want.n, &got, NULL));
    ASSERT(str_eq(buf_view(&got), want));
    buf_done(&packed);
    buf_done(&got);
    rw_request_free(r[0]);
    rw_request_free(r[1]);
    rw_external_free(e);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct series_keeper keeper;

    if (size < 1) return 0;
    struct series_table *table = series_table_new();
    series_keeper_init(&keeper, table);
    struct rw_reading d = {.table = table, .keeper = &keeper, .out = sample_builder_new(NULL)};
    struct batch *b = batch_new(SIGNAL_METRICS);
    if (read_into(&d, data[0] % 2 ? RW_V2 : RW_V1, str_n((const char *)data + 1, size - 1)) == 0 &&
        sample_builder_seal(d.out, b) == 0) {
        read_again(&d, b->samples);
        pack(b->samples);
    }
    free(d.why);
    sample_builder_free(d.out);
    batch_unref(b);
    series_keeper_done(&keeper);
    series_table_free(table);
    return 0;
}
