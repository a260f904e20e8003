/* Samples as live debugging shows them. Source: Alloy's form, "ts=..., labels=..., value=...". */
#include "components/common/sample_tap.h"

#include "base/num.h"
#include "telemetry/sample_batch.h"

static void head(struct buf *out, const struct series *s, i64 time)
{
    buf_printf(out, "ts=%lld, labels=", (long long)time);
    series_text(s, out);
    buf_cstr(out, ", ");
}

static int render(const void *what, struct buf *out)
{
    const struct samples *s = ((const struct batch *)what)->samples;

    for (u32 i = 0; i < s->n; i++) {
        head(out, s->v[i].series, s->v[i].time);
        buf_cstr(out, "value=");
        num_f64_g(out, sample_value(s->v[i].bits));
        buf_ch(out, '\n');
    }
    for (u32 i = 0; i < s->n_histograms; i++) {
        const struct histogram *h = s->histograms[i].h;
        head(out, s->histograms[i].series, s->histograms[i].time);
        buf_cstr(out, "histogram_count=");
        num_f64_g(out, h->is_float ? h->count.f : (f64)h->count.i);
        buf_cstr(out, ", histogram_sum=");
        num_f64_g(out, h->sum);
        buf_ch(out, '\n');
    }
    return buf_err(out);
}

void sample_tap(const struct batch *b, struct tap_item *ret)
{
    *ret = (struct tap_item){
        .type = TAP_PROMETHEUS_METRIC, .count = b->items, .render = render, .what = b};
}
