/* Text forms of a batch for people: the walk, and what the two forms share. */
#include "telemetry/otlp_dump.h"

#include <math.h>

/* --- fields --- */

struct str dump_text(struct str msg, u32 num)
{
    struct pb_field f;
    bool found = pb_find(msg, num, &f) && f.wire == PB_BYTES;
    return found ? f.b : (struct str){0};
}

u64 dump_number(struct str msg, u32 num)
{
    struct pb_field f;
    return pb_find(msg, num, &f) && f.wire != PB_BYTES ? f.v : 0;
}

bool dump_has(struct str msg, u32 num)
{
    struct pb_field f;
    return pb_find(msg, num, &f);
}

void dump_value(struct buf *out, struct str any_value)
{
    struct otlp_value v = otlp_value_read(any_value);
    otlp_value_text(out, &v);
}

struct dump_list dump_numbers(struct str msg, u32 num, u8 wire)
{
    return (struct dump_list){.in = pb_in(msg), .num = num, .wire = wire};
}

static bool next_packed(struct dump_list *l, u64 *ret)
{
    const char *p = l->p;
    if (l->wire == PB_VARINT) {
        p = pb_varint(p, l->end, ret);
    } else {
        p = l->end - p >= 8 ? p + 8 : NULL;
        if (p) *ret = pb_load64(l->p);
    }
    l->p = p ? p : l->end;
    return p;
}

bool dump_next(struct dump_list *l, u64 *ret)
{
    struct pb_field f;
    for (;;) {
        if (l->p < l->end) return next_packed(l, ret);
        if (!pb_next(&l->in, &f)) return false;
        if (f.num != l->num) continue;
        if (f.wire == PB_BYTES) {
            l->p = f.b.p;
            l->end = f.b.p + f.b.n;
        } else {
            *ret = f.v;
            return true;
        }
    }
}

size_t dump_bucket_counts(struct str buckets, struct buf *ret)
{
    struct dump_list l = dump_numbers(buckets, OTLP_buckets_bucket_counts, PB_VARINT);
    for (u64 v; dump_next(&l, &v);)
        buf_add(ret, &v, sizeof(v));
    return ret->n / sizeof(u64);
}

f64 dump_exponential_bound(i32 scale, i64 index)
{
    return exp((f64)index * M_LN2 * exp2(-(f64)scale));
}

const struct dump_point *dump_point_of(u32 data)
{
    static const struct dump_point points[] = {
        [OTLP_metric_gauge] = {OTLP_number_point_attributes, OTLP_number_point_exemplars,
                               "NumberDataPoints", "Gauge"},
        [OTLP_metric_sum] = {OTLP_number_point_attributes, OTLP_number_point_exemplars,
                             "NumberDataPoints", "Sum"},
        [OTLP_metric_histogram] = {OTLP_histogram_point_attributes, OTLP_histogram_point_exemplars,
                                   "HistogramDataPoints", "Histogram"},
        [OTLP_metric_exponential_histogram] = {OTLP_exponential_point_attributes,
                                               OTLP_exponential_point_exemplars,
                                               "ExponentialHistogramDataPoints",
                                               "ExponentialHistogram"},
        [OTLP_metric_summary] = {OTLP_summary_point_attributes, 0, "SummaryDataPoints", "Summary"},
    };
    return data < ARRAY_LEN(points) && points[data].title ? &points[data] : NULL;
}

/* --- the walk --- */

struct walk {
    const struct dump_style *style;
    struct buf *out;
    struct dump_at at;
    struct str metric;
};

static void visit(struct walk *w, enum otlp_level level, struct str msg)
{
    const struct dump_style *s = w->style;
    switch (level) {
    case LEVEL_RESOURCE: s->resource(w->out, &w->at, msg); return;
    case LEVEL_SCOPE: s->scope(w->out, &w->at, msg); return;
    case LEVEL_METRIC:
        w->metric = msg;
        if (w->at.signal == SIGNAL_TRACES) s->span(w->out, &w->at, msg);
        if (w->at.signal == SIGNAL_LOGS) s->log(w->out, &w->at, msg);
        if (w->at.signal == SIGNAL_METRICS && s->metric) s->metric(w->out, &w->at, msg);
        return;
    case LEVEL_MAX: s->point(w->out, &w->at, w->metric, msg); return;
    case LEVEL_REQUEST:
    case LEVEL_DATA: return;
    }
}

/* Children of a container; points keep the field of their data. */
static u32 walk_children(struct walk *w, enum otlp_level level, struct str msg, u32 index)
{
    u32 children = otlp_children(level, msg);
    struct pb_field f;
    for (struct pb_in in = pb_in(msg); pb_next(&in, &f);) {
        if (!otlp_is_child(children, &f)) continue;
        w->at.index = index++;
        if (level != LEVEL_DATA) w->at.field = f.num;
        visit(w, level + 1, f.b);
        if (level + 1 < otlp_item_level(w->at.signal)) walk_children(w, level + 1, f.b, 0);
    }
    return index;
}

int otlp_dump(const struct batch *b, enum otlp_verbosity v, struct buf *out)
{
    static const struct dump_style *const styles[] = {
        [OTLP_NORMAL] = &dump_normal, [OTLP_DETAILED] = &dump_detailed};
    struct walk w = {
        .style = v == OTLP_BASIC ? NULL : styles[v], .out = out, .at.signal = b->signal};
    u32 resources = 0;
    for (u32 i = 0; w.style && i < b->n_slices; i++)
        resources =
            walk_children(&w, LEVEL_REQUEST, str_n(b->slices[i].p, b->slices[i].n), resources);
    return buf_err(out);
}

/* --- counting --- */

static void count(struct otlp_counts *c, enum signal s, enum otlp_level level, struct str msg)
{
    u32 children = otlp_children(level, msg);
    struct pb_field f;
    for (struct pb_in in = pb_in(msg); pb_next(&in, &f);) {
        if (!otlp_is_child(children, &f)) continue;
        c->resources += level == LEVEL_REQUEST;
        c->metrics += s == SIGNAL_METRICS && level == LEVEL_SCOPE;
        if (level + 1 == otlp_item_level(s))
            c->items++;
        else
            count(c, s, level + 1, f.b);
    }
}

int otlp_count(const struct batch *b, struct otlp_counts *ret)
{
    struct otlp_counts c = {0};
    for (u32 i = 0; i < b->n_slices; i++)
        count(&c, b->signal, LEVEL_REQUEST, str_n(b->slices[i].p, b->slices[i].n));
    *ret = c;
    return 0;
}
