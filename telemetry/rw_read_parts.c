/* Samples, exemplars and metadata of remote write requests. */
#include "telemetry/rw_read_impl.h"

#include "base/utf8.h"

int rw_read_sample(struct rw_in *d, struct str bytes, struct series *s)
{
    struct pb_in in = pb_in(bytes);
    struct pb_field f;
    u64 bits = 0, time = 0, start;

    while (!d->err && pb_next(&in, &f)) {
        if (f.num == SAMPLE_VALUE)
            rw_bits(d, &f, &bits);
        else if (f.num == SAMPLE_TIME)
            rw_number(d, &f, &time);
        else if (f.num == SAMPLE_START && d->version == RW_V2)
            rw_number(d, &f, &start);
    }
    if (rw_walked(d, &in)) return d->err;
    d->err = sample_builder_add(d->out->out, s, (i64)time, bits);
    if (!d->err) d->out->counts.samples++;
    return d->err;
}

static int exemplar_field(struct rw_in *d, const struct pb_field *f, u64 *value, u64 *time)
{
    switch (f->num) {
    case EXEMPLAR_LABELS: return rw_label_field(d, f);
    case EXEMPLAR_VALUE: return rw_bits(d, f, value);
    case EXEMPLAR_TIME: return rw_number(d, f, time);
    default: return 0;
    }
}

static int add_exemplar(struct rw_in *d, struct series *s, u64 value, u64 time)
{
    const struct exemplar_sample e = {.series = s,
                                      .time = (i64)time,
                                      .has_time = time != 0,
                                      .value = sample_value(value),
                                      .labels = d->labels,
                                      .n_labels = d->n_labels};
    struct str about;
    const char *why = rw_labels_judge(d, &about);

    if (why) {
        rw_refuse(d, 1, why, about);
        return 0;
    }
    d->err = sample_builder_exemplar(d->out->out, &e);
    if (!d->err) d->out->counts.exemplars++;
    return d->err;
}

/* The labels of the series have become a struct series by now. */
int rw_read_exemplar(struct rw_in *d, struct str bytes, struct series *s)
{
    struct pb_in in = pb_in(bytes);
    struct pb_field f;
    u64 value = 0, time = 0;

    rw_labels_begin(d);
    while (!d->err && pb_next(&in, &f))
        exemplar_field(d, &f, &value, &time);
    if (rw_walked(d, &in) || rw_labels_end(d, bytes.p)) return d->err;
    return add_exemplar(d, s, value, time);
}

/* --- metadata --- */

static enum metric_type type_of(u64 number)
{
    return number <= TYPE_STATESET ? (enum metric_type)number : TYPE_UNKNOWN;
}

static int add_meta(struct rw_in *d, const char *at, const struct metric_meta *m)
{
    if (d->out->no_metadata || rw_named(d, at, m->help.n + m->unit.n)) return d->err;
    if (!utf8_valid(m->family) || !utf8_valid(m->help) || !utf8_valid(m->unit)) {
        rw_refuse(d, 0, "metadata is not valid UTF-8", m->family);
        return 0;
    }
    d->err = sample_builder_meta(d->out->out, m);
    if (!d->err) d->out->counts.metadata++;
    return d->err;
}

int rw_read_meta1(struct rw_in *d, struct str bytes)
{
    struct metric_meta m = {STR(""), STR(""), STR(""), TYPE_UNKNOWN};
    struct pb_in in = pb_in(bytes);
    struct pb_field f;
    u64 type = 0;

    while (!d->err && pb_next(&in, &f)) {
        if (f.num == META1_TYPE)
            rw_number(d, &f, &type);
        else if (f.num == META1_FAMILY)
            rw_bytes(d, &f, &m.family);
        else if (f.num == META1_HELP)
            rw_bytes(d, &f, &m.help);
        else if (f.num == META1_UNIT)
            rw_bytes(d, &f, &m.unit);
    }
    m.type = type_of(type);
    if (rw_walked(d, &in) || !m.family.n) return d->err;
    return add_meta(d, bytes.p, &m);
}

static int meta2_field(struct rw_in *d, const struct pb_field *f, struct metric_meta *m)
{
    u64 v;

    if (f->num != META2_TYPE && f->num != META2_HELP && f->num != META2_UNIT) return 0;
    if (rw_number(d, f, &v)) return d->err;
    if (f->num == META2_HELP) return rw_symbol(d, f->at, v, &m->help);
    if (f->num == META2_UNIT) return rw_symbol(d, f->at, v, &m->unit);
    m->type = type_of(v);
    return 0;
}

static int walk_meta2(struct rw_in *d, struct str bytes, struct metric_meta *m)
{
    struct pb_in in = pb_in(bytes);
    struct pb_field f;

    while (!d->err && pb_next(&in, &f))
        meta2_field(d, &f, m);
    return rw_walked(d, &in);
}

int rw_meta2_labels(struct rw_in *d, struct str bytes)
{
    static const char *const names[] = {
        "", "counter", "gauge", "histogram", "gaugehistogram", "summary", "info", "stateset"};
    struct metric_meta m = {STR(""), STR(""), STR(""), TYPE_UNKNOWN};

    if (walk_meta2(d, bytes, &m)) return d->err;
    if (m.type) rw_labels_set(d, bytes.p, STR("__type__"), str_of(names[m.type]));
    if (!d->err && m.unit.n) rw_labels_set(d, bytes.p, STR("__unit__"), m.unit);
    return d->err;
}

/* The series of a classic histogram or summary share its family. Counters keep their _total, as
 * text exposition has it. */
static struct str family_name(struct str series, enum metric_type type)
{
    static const char *const ends[] = {"_bucket", "_count", "_sum"};
    bool parts = type == TYPE_HISTOGRAM || type == TYPE_GAUGEHISTOGRAM || type == TYPE_SUMMARY;

    for (size_t i = type == TYPE_SUMMARY; parts && i < ARRAY_LEN(ends); i++)
        if (str_ends(series, str_of(ends[i])) && series.n > strlen(ends[i]))
            return str_n(series.p, series.n - strlen(ends[i]));
    return series;
}

int rw_read_meta2(struct rw_in *d, struct str bytes, struct str series)
{
    struct metric_meta m = {STR(""), STR(""), STR(""), TYPE_UNKNOWN};

    if (d->out->no_metadata || walk_meta2(d, bytes, &m)) return d->err;
    m.family = family_name(series, m.type);
    bool empty = !m.type && !m.help.n && !m.unit.n;
    if (empty || map_has(&d->families, m.family)) return d->err;
    map_put(&d->families, m.family, d);
    return add_meta(d, bytes.p, &m);
}
