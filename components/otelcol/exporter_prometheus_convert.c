/* The walk over a request, the labels that resource, scope and point give, and the series made. */
#include <errno.h>
#include "components/common/prom_names.h"
#include "components/otelcol/exporter_prometheus.h"
#include "telemetry/otlp_value.h"
#include "telemetry/otlp_walk.h"

#define TEXT_MAX ((size_t)16 << 20)

void prom_convert_init(struct prom_convert *c, const struct prom_conf *conf, struct series_table *t,
                       struct budget *budget)
{
    *c = (struct prom_convert){.conf = *conf,
                               .table = t,
                               .out = sample_builder_new(budget),
                               .name = BUF_INIT(TEXT_MAX),
                               .full = BUF_INIT(TEXT_MAX),
                               .scratch = BUF_INIT(TEXT_MAX)};
    series_keeper_init(&c->keeper, t);
    label_set_init(&c->common);
    label_set_init(&c->labels);
}

void prom_convert_done(struct prom_convert *c)
{
    vec_each (&c->slots, slot)
        if (slot->series) series_retire(&c->keeper, slot->series);
    vec_done(&c->slots);
    series_keeper_done(&c->keeper);
    sample_builder_free(c->out);
    vec_done(&c->resource);
    label_set_done(&c->common);
    label_set_done(&c->labels);
    otlp_point_done(&c->point);
    buf_done(&c->name);
    buf_done(&c->full);
    buf_done(&c->scratch);
}

void prom_convert_begin(struct prom_convert *c, i64 now)
{
    struct series_epoch *e = series_epoch_now(&c->keeper);

    sample_builder_reset(c->out);
    sample_builder_keep(c->out, e);
    series_epoch_unref(e);
    c->now = now;
    c->dropped = (struct prom_dropped){0};
}

/* --- series --- */

static bool shapes_are_out(const struct prom_convert *c)
{
    struct series_stats st;

    series_table_stats(c->table, &st);
    return st.shapes >= SERIES_SHAPES_MAX;
}

static struct prom_slot *no_series(struct prom_convert *c, int *ret_err)
{
    bool never = !c->labels.err && shapes_are_out(c);

    if (never) c->dropped.labels++;
    *ret_err = never ? -EINVAL : -ENOMEM;
    return NULL;
}

struct prom_slot *prom_slot_of(struct prom_convert *c, int *ret_err)
{
    struct series *s = label_set_series(&c->labels, c->table);

    if (!s) return no_series(c, ret_err);
    while (c->slots.n <= s->id)
        vec_push(&c->slots, ((struct prom_slot){0}));
    struct prom_slot *slot = &c->slots.v[s->id];
    if (slot->series)
        series_unref(c->table, s); /* the same one: ids of what is held are not given out again */
    else
        *slot = (struct prom_slot){.series = s, .last = INT64_MIN};
    slot->seen = true;
    return slot;
}

int prom_write(struct prom_convert *c, i64 time, u64 bits, struct series **ret_series)
{
    int err = 0;
    struct prom_slot *slot = prom_slot_of(c, &err);

    if (!slot) return err == -EINVAL ? 0 : err;
    if (time < slot->last) return 0;
    err = sample_builder_add(c->out, slot->series, time, bits);
    if (err) return err;
    slot->last = time;
    if (ret_series) *ret_series = slot->series;
    return 0;
}

void prom_convert_sweep(struct prom_convert *c)
{
    c->n_gone = 0;
    vec_each (&c->slots, slot) {
        if (slot->series && !slot->seen) {
            series_retire(&c->keeper, slot->series);
            *slot = (struct prom_slot){0};
            c->n_gone++;
        }
        slot->seen = false;
    }
}

/* --- labels --- */

static bool key_value(struct str kv, struct str *ret_key, struct str *ret_value)
{
    struct pb_field f;

    *ret_key = *ret_value = STR("");
    for (struct pb_in in = pb_in(kv); pb_next(&in, &f);) {
        if (f.num == OTLP_key_value_key && f.wire == PB_BYTES) *ret_key = f.b;
        if (f.num == OTLP_key_value_value && f.wire == PB_BYTES) *ret_value = f.b;
    }
    return ret_key->n > 0;
}

static void put_attribute(struct prom_convert *c, struct label_set *into, struct str kv)
{
    struct str key, any;
    size_t at;

    if (!key_value(kv, &key, &any)) return;
    struct otlp_value v = otlp_value_read(any);
    buf_reset(&c->scratch);
    prom_label_name(&c->scratch, key);
    at = c->scratch.n;
    otlp_value_text(&c->scratch, &v);
    struct str both = buf_view(&c->scratch);
    label_set_put(into, str_sub(both, 0, at), str_sub(both, at, both.n));
    if (buf_err(&c->scratch)) into->err = -ENOMEM;
}

/* The text of a resource attribute, in scratch; empty when there is none. */
static struct str resource_text(struct prom_convert *c, const char *name)
{
    struct str key, any;

    buf_reset(&c->scratch);
    for (size_t i = 0; i < c->resource.n; i++)
        if (key_value(c->resource.v[i], &key, &any) && str_is(key, name)) {
            struct otlp_value v = otlp_value_read(any);
            otlp_value_text(&c->scratch, &v);
            break;
        }
    return buf_view(&c->scratch);
}

static void put_resource_text(struct prom_convert *c, const char *label, const char *attribute)
{
    struct str text = resource_text(c, attribute);

    if (text.n > 0) label_set_put(&c->common, str_of(label), text);
}

static void put_job(struct prom_convert *c)
{
    struct str space = resource_text(c, "service.namespace");
    struct buf job = BUF_INIT(TEXT_MAX);

    buf_str(&job, space);
    if (space.n > 0) buf_ch(&job, '/');
    struct str name = resource_text(c, "service.name");
    buf_str(&job, name);
    if (name.n > 0) label_set_put(&c->common, STR("job"), buf_view(&job));
    buf_done(&job);
}

static bool is_identity(struct str kv)
{
    struct str key, any;

    key_value(kv, &key, &any);
    return str_is(key, "service.name") || str_is(key, "service.namespace") ||
           str_is(key, "service.instance.id");
}

static void copy_labels(struct label_set *to, const struct label_set *from)
{
    label_set_reset(to);
    for (u32 i = 0; i < from->n; i++)
        label_set_put_view(to, from->v[i].name, from->v[i].value);
    to->err = from->err;
}

/* What stands in the labels of a point: the later wins. */
static void point_labels(struct prom_convert *c)
{
    copy_labels(&c->labels, &c->common);
    vec_each (&c->point.attributes, kv)
        put_attribute(c, &c->labels, *kv);
    if (!c->conf.resource_to_telemetry_conversion) return;
    vec_each (&c->resource, kv)
        put_attribute(c, &c->labels, *kv);
}

void prom_name(struct prom_convert *c, const char *suffix)
{
    buf_reset(&c->full);
    buf_str(&c->full, buf_view(&c->name));
    buf_cstr(&c->full, suffix);
    label_set_put(&c->labels, STR("__name__"), buf_view(&c->full));
}

/* --- metrics --- */

#define CUMULATIVE 2

struct metric {
    u32 num; /* the field of Metric */
    struct str data;
    struct str name, unit, description;
    bool monotonic;
    u32 temporality;
};
struct kind {
    enum point_kind points;
    enum metric_type type;
    int (*write)(struct prom_convert *c);
};
static const struct kind kinds[] = {
    [OTLP_metric_gauge] = {POINT_NUMBER, TYPE_GAUGE, prom_gauge},
    [OTLP_metric_sum] = {POINT_NUMBER, TYPE_COUNTER, prom_counter},
    [OTLP_metric_histogram] = {POINT_HISTOGRAM, TYPE_HISTOGRAM, prom_histogram},
    [OTLP_metric_exponential_histogram] = {POINT_EXPONENTIAL, TYPE_HISTOGRAM, prom_exponential},
    [OTLP_metric_summary] = {POINT_SUMMARY, TYPE_SUMMARY, prom_summary},
};
static const struct kind sum_that_falls = {POINT_NUMBER, TYPE_GAUGE, prom_gauge};

static void read_metric(struct metric *m, struct str msg)
{
    struct pb_field f;

    *m = (struct metric){0};
    for (struct pb_in in = pb_in(msg); pb_next(&in, &f);) {
        if (f.wire != PB_BYTES) continue;
        if (f.num == OTLP_metric_name) m->name = f.b;
        if (f.num == OTLP_metric_unit) m->unit = f.b;
        if (f.num == OTLP_metric_description) m->description = f.b;
        if (f.num >= ARRAY_LEN(kinds) || !kinds[f.num].write) continue;
        m->num = f.num;
        m->data = f.b;
    }
    for (struct pb_in in = pb_in(m->data); pb_next(&in, &f);) {
        if (f.wire != PB_VARINT) continue;
        if (f.num == OTLP_sum_aggregation_temporality) m->temporality = (u32)f.v;
        if (m->num == OTLP_metric_sum && f.num == OTLP_sum_is_monotonic) m->monotonic = f.v != 0;
    }
}

static bool has_temporality(const struct metric *m)
{
    return m->num == OTLP_metric_sum || m->num == OTLP_metric_histogram ||
           m->num == OTLP_metric_exponential_histogram;
}

/* Series are cumulative: what is not cannot be one. */
static bool can_be_series(struct prom_convert *c, const struct metric *m)
{
    bool can = !has_temporality(m) || m->temporality == CUMULATIVE;
    u32 points = 0;

    if (can) return true;
    points = otlp_items_in(SIGNAL_METRICS, LEVEL_DATA, m->data);
    c->dropped.not_cumulative += points;
    if (m->num == OTLP_metric_sum && m->monotonic) c->dropped.delta_sums += points;
    return false;
}

static const struct kind *kind_of(const struct metric *m)
{
    return m->num == OTLP_metric_sum && !m->monotonic ? &sum_that_falls : &kinds[m->num];
}

static void name_metric(struct prom_convert *c, const struct metric *m, const struct kind *kind)
{
    enum prom_kind as = kind->type == TYPE_COUNTER    ? PROM_COUNTER
                        : m->num == OTLP_metric_gauge ? PROM_GAUGE
                                                      : PROM_OTHER;

    buf_reset(&c->name);
    if (c->conf.add_metric_suffixes)
        prom_metric_name(&c->name, m->name, m->unit, as);
    else
        prom_metric_name_plain(&c->name, m->name);
}

static int tell_metadata(struct prom_convert *c, const struct metric *m, const struct kind *kind)
{
    if (!c->conf.honor_metadata) return 0;
    return sample_builder_meta(c->out, &(struct metric_meta){.family = buf_view(&c->name),
                                                             .help = m->description,
                                                             .unit = m->unit,
                                                             .type = kind->type});
}

static int convert_metric(struct prom_convert *c, struct str msg)
{
    struct metric m;
    struct pb_field f;

    read_metric(&m, msg);
    if (!m.num || !can_be_series(c, &m)) return 0;
    const struct kind *kind = kind_of(&m);
    name_metric(c, &m, kind);
    int err = tell_metadata(c, &m, kind);
    for (struct pb_in in = pb_in(m.data); !err && pb_next(&in, &f);) {
        if (f.num != OTLP_POINTS || f.wire != PB_BYTES) continue;
        otlp_point_read(&c->point, kind->points, f.b);
        point_labels(c);
        err = kind->write(c);
    }
    return err;
}

/* --- resource and scope --- */

static int write_info(struct prom_convert *c, const char *name)
{
    label_set_put(&c->labels, STR("__name__"), str_of(name));
    return prom_write(c, c->now, sample_bits(1), NULL);
}

/* target_info = 1: the resource's other attributes. */
static int target_info(struct prom_convert *c)
{
    if (!c->conf.include_target_info) return 0;
    copy_labels(&c->labels, &c->common);
    vec_each (&c->resource, kv)
        if (c->conf.keep_identifying_resource_attributes || !is_identity(*kv))
            put_attribute(c, &c->labels, *kv);
    return write_info(c, "target_info");
}

static struct str bytes_of(struct str msg, u32 num)
{
    struct pb_field f;

    return pb_find(msg, num, &f) && f.wire == PB_BYTES ? f.b : STR("");
}

static void put_scope(struct label_set *into, struct str scope)
{
    label_set_put_view(into, STR("otel_scope_name"), bytes_of(scope, OTLP_scope_name));
    label_set_put_view(into, STR("otel_scope_version"), bytes_of(scope, OTLP_scope_version));
}

static int scope_info(struct prom_convert *c, struct str scope)
{
    struct pb_field f;

    if (!c->conf.include_scope_info) return 0;
    copy_labels(&c->labels, &c->common);
    put_scope(&c->labels, scope);
    for (struct pb_in in = pb_in(scope); pb_next(&in, &f);)
        if (f.num == OTLP_scope_attributes && f.wire == PB_BYTES) put_attribute(c, &c->labels, f.b);
    return write_info(c, "otel_scope_info");
}

static void common_labels(struct prom_convert *c)
{
    label_set_reset(&c->common);
    put_job(c);
    put_resource_text(c, "instance", "service.instance.id");
}

static int convert_scope(struct prom_convert *c, struct str scope_metrics)
{
    struct str scope = bytes_of(scope_metrics, OTLP_SCOPE);
    struct pb_field f;
    int err = scope_info(c, scope);

    if (c->conf.include_scope_labels) put_scope(&c->common, scope);
    for (struct pb_in in = pb_in(scope_metrics); !err && pb_next(&in, &f);)
        if (f.num == OTLP_RECORDS && f.wire == PB_BYTES) err = convert_metric(c, f.b);
    return err;
}

static int convert_resource(struct prom_convert *c, struct str resource_metrics)
{
    u32 scopes = otlp_children(LEVEL_RESOURCE, resource_metrics);
    struct pb_field f;

    vec_clear(&c->resource);
    for (struct pb_in in = pb_in(bytes_of(resource_metrics, OTLP_RESOURCE)); pb_next(&in, &f);)
        if (f.num == OTLP_resource_attributes && f.wire == PB_BYTES) vec_push(&c->resource, f.b);
    common_labels(c);
    int err = target_info(c);
    for (struct pb_in in = pb_in(resource_metrics); !err && pb_next(&in, &f);)
        if (otlp_is_child(scopes, &f)) err = convert_scope(c, f.b);
    return err;
}

int prom_convert_request(struct prom_convert *c, struct str request)
{
    struct pb_field f;
    int err = 0;

    for (struct pb_in in = pb_in(request); !err && pb_next(&in, &f);)
        if (f.num == OTLP_RESOURCES && f.wire == PB_BYTES) err = convert_resource(c, f.b);
    return err;
}
