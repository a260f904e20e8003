/* Delimited protobuf expositions: a stream of families, each with metrics that stand for one or
 * more series. Series get a text like that of the text formats, so that caches and labels are the
 * same for all of them. Histograms and summaries are given out series by series: one metric with
 * many labels and many buckets would otherwise be far larger than its body. */
#include <math.h>

#include "base/hash.h"
#include "base/utf8.h"
#include "base/xalloc.h"
#include "telemetry/exposition_int.h"

#define TEXTS_PER_BYTE 64 /* composed texts may be so many times the body */
#define TEXTS_FREE     ((u64)64 << 20)
#define ARRAY_MAX      ((size_t)64 << 20)
#define LIST_MAX       ((size_t)8 << 20) /* a million buckets of one histogram */

enum { F_NAME = 1, F_HELP, F_TYPE, F_METRIC, F_UNIT };
enum { M_LABEL = 1, M_GAUGE, M_COUNTER, M_SUMMARY, M_UNTYPED, M_TIME, M_HISTOGRAM };
enum {
    H_COUNT = 1,
    H_SUM,
    H_BUCKET,
    H_COUNT_FLOAT,
    H_SCHEMA,
    H_ZERO_THRESHOLD,
    H_ZERO_COUNT,
    H_ZERO_COUNT_FLOAT,
    H_NEG_SPAN,
    H_NEG_DELTA,
    H_NEG_COUNT,
    H_POS_SPAN,
    H_POS_DELTA,
    H_POS_COUNT,
    H_START,
    H_EXEMPLAR
};

struct family_kind {
    enum metric_type type;
    u32 field; /* of the metric, that holds the value */
    const char *name;
    u32 start; /* field of the value that says when it began; 0: none */
};
static const struct family_kind kinds[] = {
    {TYPE_COUNTER, M_COUNTER, "counter", 3},
    {TYPE_GAUGE, M_GAUGE, "gauge", 0},
    {TYPE_SUMMARY, M_SUMMARY, "summary", 4},
    {TYPE_UNKNOWN, M_UNTYPED, "untyped", 0},
    {TYPE_HISTOGRAM, M_HISTOGRAM, "histogram", H_START},
    {TYPE_GAUGEHISTOGRAM, M_HISTOGRAM, "histogram", 0},
};

enum stage { S_NONE, S_VALUE, S_NATIVE, S_COUNT, S_SUM, S_PARTS, S_INF };

/* The lists of a native histogram, as bytes of their elements. */
enum { L_POS_SPANS, L_NEG_SPANS, L_POS_DELTAS, L_NEG_DELTAS, L_POS_COUNTS, L_NEG_COUNTS, LISTS };

struct exposition_protobuf {
    bool native, classic_too;
    u64 texts, texts_max;
    struct pb_in metrics; /* of the family: fields of its message */
    const struct family_kind *kind;
    struct str name, help, unit;
    bool say_help, say_type, say_unit;

    struct str value;    /* message of the metric's kind */
    struct buf labels;   /* ,"a"="b" of the metric */
    struct buf exemplar; /* text of its labels */
    enum stage stage;
    struct pb_in parts; /* buckets, quantiles */
    bool saw_inf, is_float;
    u64 count;
    f64 count_float, sum;
    struct histogram h;
    struct buf lists[LISTS];
    struct pb_in exemplars; /* of the native histogram */
    u32 exemplar_field;
};

void exposition_pb_init(struct exposition *e, const struct exposition_conf *c)
{
    struct exposition_protobuf *p = e->pb = xnew(struct exposition_protobuf);

    p->native = c->native_histograms;
    p->classic_too = c->classic_too;
    p->texts_max = TEXTS_FREE + (u64)c->body.n * TEXTS_PER_BYTE;
    buf_init(&p->labels, ARRAY_MAX);
    buf_init(&p->exemplar, ARRAY_MAX);
    for (int i = 0; i < LISTS; i++)
        buf_init(&p->lists[i], LIST_MAX);
}

void exposition_pb_done(struct exposition *e)
{
    struct exposition_protobuf *p = e->pb;

    buf_done(&p->labels);
    buf_done(&p->exemplar);
    for (int i = 0; i < LISTS; i++)
        buf_done(&p->lists[i]);
    free(p);
    e->pb = NULL;
}

static enum exposition_event broken(struct exposition *e, const char *what)
{
    struct str name = e->pb->name;
    return exposition_fail(e, "family \"" STR_FMT "\": %s", (int)MIN(name.n, (size_t)80),
                           name.p ? name.p : "", what);
}

/* --- texts --- */

static void add_quoted(struct buf *b, struct str s)
{
    buf_ch(b, '"');
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (c == '"' || c == '\\' || c == '\n') buf_ch(b, '\\');
        buf_ch(b, c == '\n' ? 'n' : c);
    }
    buf_ch(b, '"');
}

static bool add_pair(struct buf *b, struct str pair)
{
    struct pb_in in = pb_in(pair);
    struct pb_field f;
    struct str name = STR(""), value = STR("");

    while (pb_next(&in, &f)) {
        if (f.wire != PB_BYTES) continue;
        if (f.num == 1) name = f.b;
        if (f.num == 2) value = f.b;
    }
    buf_ch(b, ',');
    add_quoted(b, name);
    buf_ch(b, '=');
    add_quoted(b, value);
    return !in.bad;
}

/* {"name_suffix","a"="b","le"="0.5"} */
static bool compose(struct exposition *e, const char *suffix, const char *part, f64 bound)
{
    struct exposition_protobuf *p = e->pb;
    struct buf *b = &e->scratch;

    buf_reset(b);
    buf_ch(b, '{');
    add_quoted(b, p->name);
    if (*suffix) {
        b->n--; /* the closing quote */
        buf_cstr(b, suffix);
        buf_ch(b, '"');
    }
    buf_str(b, buf_view(&p->labels));
    if (part) {
        buf_printf(b, ",\"%s\"=\"", part);
        exposition_float(b, bound);
        buf_ch(b, '"');
    }
    buf_ch(b, '}');
    p->texts += b->n;
    e->series = buf_view(b);
    e->hash = hash_quick(b->p, b->n, e->seed);
    return buf_err(b) == 0 && p->texts <= p->texts_max;
}

static enum exposition_event sample(struct exposition *e, const char *suffix, const char *part,
                                    f64 bound, f64 value)
{
    e->bits = isnan(value) ? SAMPLE_NAN_BITS : sample_bits(value);
    if (!compose(e, suffix, part, bound)) return broken(e, "its series are too large");
    return EXPOSITION_SAMPLE;
}

/* --- exemplars --- */

static bool read_timestamp(struct str msg, i64 *ret_ms)
{
    struct pb_field f;
    i64 seconds = pb_find(msg, 1, &f) && f.wire == PB_VARINT ? (i64)f.v : 0;
    i64 nanos = pb_find(msg, 2, &f) && f.wire == PB_VARINT ? (i64)f.v : 0;

    if (seconds < -INT64_C(62135596800) || seconds > INT64_C(253402300799)) return false;
    if (nanos < 0 || nanos >= NS_PER_SEC) return false;
    *ret_ms = seconds * 1000 + nanos / NS_PER_MS;
    return true;
}

static bool exemplar_field(struct exposition *e, const struct pb_field *f,
                           struct exposition_exemplar *x)
{
    struct buf *b = &e->pb->exemplar;

    if (f->num == 1 && f->wire == PB_BYTES) return add_pair(b, f->b);
    if (f->num == 2 && f->wire == PB_FIXED64) x->value = pb_f64(f->v);
    if (f->num == 3 && f->wire == PB_BYTES) {
        x->has_time = true;
        return read_timestamp(f->b, &x->time);
    }
    return true;
}

/* Its labels are composed as text, ",a=b" with a brace in the place of the first comma. */
static bool read_exemplar(struct exposition *e, struct str msg, struct exposition_exemplar *x)
{
    struct buf *b = &e->pb->exemplar;
    struct pb_in in = pb_in(msg);
    struct pb_field f;

    *x = (struct exposition_exemplar){0};
    buf_reset(b);
    while (pb_next(&in, &f))
        if (!exemplar_field(e, &f, x)) return false;
    if (b->n == 0) buf_ch(b, '{');
    buf_ch(b, '}');
    if (in.bad || buf_err(b)) return false;
    b->p[0] = '{';
    x->labels = buf_view(b);
    return true;
}

i64 exposition_start(const struct exposition *e)
{
    const struct exposition_protobuf *p = e->pb;
    struct pb_field f;
    i64 ms;

    if (!p || !p->kind || !p->kind->start || !pb_find(p->value, p->kind->start, &f)) return 0;
    return f.wire == PB_BYTES && read_timestamp(f.b, &ms) ? ms : 0;
}

bool exposition_histogram_exemplar(struct exposition *e, struct exposition_exemplar *ret)
{
    struct exposition_protobuf *p = e->pb;
    struct pb_field f, x;

    while (p && pb_next(&p->exemplars, &f)) {
        if (f.wire != PB_BYTES || f.num != p->exemplar_field) continue;
        if (f.num == H_EXEMPLAR)
            x = f;
        else if (!pb_find(f.b, 3, &x) || x.wire != PB_BYTES)
            continue;
        if (read_exemplar(e, x.b, ret)) return true;
    }
    return false;
}

/* --- native histograms --- */

struct list_field {
    u32 num;
    u8 list, wire; /* of one element */
};
static const struct list_field list_fields[] = {
    {H_NEG_SPAN, L_NEG_SPANS, PB_BYTES},     {H_POS_SPAN, L_POS_SPANS, PB_BYTES},
    {H_NEG_DELTA, L_NEG_DELTAS, PB_VARINT},  {H_POS_DELTA, L_POS_DELTAS, PB_VARINT},
    {H_NEG_COUNT, L_NEG_COUNTS, PB_FIXED64}, {H_POS_COUNT, L_POS_COUNTS, PB_FIXED64},
};

static void add_element(struct buf *b, u8 wire, u64 v)
{
    i64 delta = pb_zigzag(v);
    buf_add(b, wire == PB_VARINT ? (const void *)&delta : (const void *)&v, 8);
}

static bool add_packed(struct buf *b, u8 wire, struct str s)
{
    const char *p = s.p, *end = s.p + s.n;
    u64 v;

    while (p < end) {
        if (wire == PB_FIXED64) {
            if (end - p < 8) return false;
            v = pb_load64(p);
            p += 8;
        } else {
            p = pb_varint(p, end, &v);
            if (!p) return false;
        }
        add_element(b, wire, v);
    }
    return true;
}

static bool add_span(struct buf *b, struct str msg)
{
    struct histogram_span s = {0};
    struct pb_field f;

    if (pb_find(msg, 1, &f) && f.wire == PB_VARINT) s.offset = (i32)pb_zigzag(f.v);
    if (pb_find(msg, 2, &f) && f.wire == PB_VARINT) s.length = (u32)f.v;
    buf_add(b, &s, sizeof(s));
    return true;
}

static bool list_field(struct exposition_protobuf *p, const struct pb_field *f)
{
    for (size_t i = 0; i < ARRAY_LEN(list_fields); i++) {
        const struct list_field *l = &list_fields[i];
        struct buf *b = &p->lists[l->list];
        if (l->num != f->num) continue;
        if (l->wire == PB_BYTES) return f->wire != PB_BYTES || add_span(b, f->b);
        if (f->wire == PB_BYTES) return add_packed(b, l->wire, f->b);
        if (f->wire == l->wire) add_element(b, l->wire, f->v);
    }
    return true;
}

static void scalar_field(struct exposition_protobuf *p, const struct pb_field *f)
{
    struct histogram *h = &p->h;

    if (f->wire == PB_VARINT) {
        if (f->num == H_COUNT) p->count = f->v;
        if (f->num == H_SCHEMA) h->schema = (i32)pb_zigzag(f->v);
        if (f->num == H_ZERO_COUNT) h->zero_count.i = f->v;
    } else if (f->wire == PB_FIXED64) {
        f64 v = pb_f64(f->v);
        if (f->num == H_SUM) p->sum = v;
        if (f->num == H_COUNT_FLOAT) p->count_float = v;
        if (f->num == H_ZERO_THRESHOLD) h->zero_threshold = v;
    }
}

static u32 list_n(const struct exposition_protobuf *p, int list)
{
    return (u32)(p->lists[list].n / 8);
}

/* The buckets of one side: as many as its spans say, which do not run backwards. */
static bool side_ok(const struct exposition_protobuf *p, int spans, u32 buckets)
{
    const struct histogram_span *s = (const void *)p->lists[spans].p;
    u64 n = 0;

    for (u32 i = 0; i < list_n(p, spans); i++) {
        if (i > 0 && s[i].offset < 0) return false;
        n += s[i].length;
    }
    return n == buckets;
}

static bool fill_histogram(struct exposition_protobuf *p, f64 zero_float)
{
    struct histogram *h = &p->h;
    struct buf *l = p->lists;

    h->is_float = p->is_float || zero_float > 0;
    h->sum = p->sum;
    h->reset_hint = p->kind->type == TYPE_GAUGEHISTOGRAM ? 3 : 0;
    if (h->is_float) {
        h->count.f = p->count_float;
        h->zero_count.f = zero_float;
    } else {
        h->count.i = p->count;
    }
    h->pos_spans = (const void *)l[L_POS_SPANS].p;
    h->neg_spans = (const void *)l[L_NEG_SPANS].p;
    h->n_pos_spans = list_n(p, L_POS_SPANS);
    h->n_neg_spans = list_n(p, L_NEG_SPANS);
    h->pos_deltas = (const void *)l[L_POS_DELTAS].p;
    h->neg_deltas = (const void *)l[L_NEG_DELTAS].p;
    h->pos_counts = (const void *)l[L_POS_COUNTS].p;
    h->neg_counts = (const void *)l[L_NEG_COUNTS].p;
    h->n_pos = list_n(p, h->is_float ? L_POS_COUNTS : L_POS_DELTAS);
    h->n_neg = list_n(p, h->is_float ? L_NEG_COUNTS : L_NEG_DELTAS);
    return h->schema >= -4 && h->schema <= 8 && side_ok(p, L_POS_SPANS, h->n_pos) &&
           side_ok(p, L_NEG_SPANS, h->n_neg);
}

static bool read_histogram(struct exposition *e)
{
    struct exposition_protobuf *p = e->pb;
    struct pb_in in = pb_in(p->value);
    struct pb_field f;
    bool lists_ok = true;
    int err = 0;

    p->h = (struct histogram){0};
    p->count = 0;
    p->count_float = p->sum = 0;
    for (int i = 0; i < LISTS; i++)
        buf_reset(&p->lists[i]);
    while (pb_next(&in, &f)) {
        scalar_field(p, &f);
        lists_ok = lists_ok && list_field(p, &f);
    }
    for (int i = 0; i < LISTS; i++)
        err |= buf_err(&p->lists[i]);
    p->is_float = p->count_float > 0;
    return !in.bad && lists_ok && err == 0;
}

static f64 find_double(struct str msg, u32 num)
{
    struct pb_field f;
    return pb_find(msg, num, &f) && f.wire == PB_FIXED64 ? pb_f64(f.v) : 0;
}

static u64 find_varint(struct str msg, u32 num)
{
    struct pb_field f;
    return pb_find(msg, num, &f) && f.wire == PB_VARINT ? f.v : 0;
}

static bool has_native_buckets(const struct exposition_protobuf *p)
{
    return list_n(p, L_POS_SPANS) || list_n(p, L_NEG_SPANS) || p->h.zero_threshold > 0 ||
           p->h.zero_count.i > 0 || find_double(p->value, H_ZERO_COUNT_FLOAT) > 0;
}

static enum exposition_event native(struct exposition *e)
{
    struct exposition_protobuf *p = e->pb;
    struct pb_field f;

    if (!fill_histogram(p, find_double(p->value, H_ZERO_COUNT_FLOAT)))
        return broken(e, "spans and buckets of a native histogram do not fit together");
    p->exemplar_field = pb_find(p->value, H_EXEMPLAR, &f) ? H_EXEMPLAR : H_BUCKET;
    p->exemplars = pb_in(p->value);
    p->stage = p->classic_too && pb_find(p->value, H_BUCKET, &f) ? S_COUNT : S_NONE;
    if (!compose(e, "", NULL, 0)) return broken(e, "its series are too large");
    e->histogram = &p->h;
    return EXPOSITION_HISTOGRAM;
}

/* --- metrics --- */

static bool is_histogram(const struct exposition_protobuf *p)
{
    return p->kind->field == M_HISTOGRAM;
}

static f64 count_of(const struct exposition_protobuf *p)
{
    return p->is_float ? p->count_float : (f64)p->count;
}

static enum exposition_event value(struct exposition *e)
{
    struct exposition_protobuf *p = e->pb;
    struct pb_field f;

    p->stage = S_NONE;
    if (p->kind->field == M_COUNTER && pb_find(p->value, 2, &f) && f.wire == PB_BYTES &&
        !read_exemplar(e, f.b, &e->exemplar))
        return broken(e, "an exemplar is broken");
    return sample(e, "", NULL, 0, find_double(p->value, 1));
}

static enum exposition_event bucket(struct exposition *e, struct str msg)
{
    struct exposition_protobuf *p = e->pb;
    struct pb_field f;
    f64 bound = find_double(msg, 2);
    f64 count = p->is_float ? find_double(msg, 4) : (f64)find_varint(msg, 1);

    if (isinf(bound) && bound > 0) p->saw_inf = true;
    if (pb_find(msg, 3, &f) && f.wire == PB_BYTES && !read_exemplar(e, f.b, &e->exemplar))
        return broken(e, "an exemplar is broken");
    return sample(e, "_bucket", "le", bound, count);
}

/* The next bucket or quantile; EXPOSITION_END when there is none. */
static enum exposition_event part(struct exposition *e)
{
    struct exposition_protobuf *p = e->pb;
    struct pb_field f;

    while (pb_next(&p->parts, &f)) {
        if (f.num != 3 || f.wire != PB_BYTES) continue;
        if (is_histogram(p)) return bucket(e, f.b);
        return sample(e, "", "quantile", find_double(f.b, 1), find_double(f.b, 2));
    }
    p->stage = is_histogram(p) && !p->saw_inf ? S_INF : S_NONE;
    return EXPOSITION_END;
}

static enum exposition_event next_series(struct exposition *e)
{
    struct exposition_protobuf *p = e->pb;

    e->exemplar.labels.p = NULL;
    switch (p->stage) {
    case S_VALUE: return value(e);
    case S_NATIVE: return native(e);
    case S_COUNT: p->stage = S_SUM; return sample(e, "_count", NULL, 0, count_of(p));
    case S_SUM: p->stage = S_PARTS; return sample(e, "_sum", NULL, 0, p->sum);
    case S_PARTS: return part(e);
    case S_INF: p->stage = S_NONE; return sample(e, "_bucket", "le", INFINITY, count_of(p));
    case S_NONE: break;
    }
    return EXPOSITION_END;
}

static bool begin_stages(struct exposition *e)
{
    struct exposition_protobuf *p = e->pb;

    p->parts = pb_in(p->value);
    p->saw_inf = p->is_float = false;
    p->stage = S_VALUE;
    if (is_histogram(p)) {
        if (!read_histogram(e)) return false;
        p->stage = p->native && has_native_buckets(p) ? S_NATIVE : S_COUNT;
    } else if (p->kind->field == M_SUMMARY) {
        p->count = find_varint(p->value, 1);
        p->sum = find_double(p->value, 2);
        p->stage = S_COUNT;
    }
    return true;
}

static bool begin_metric(struct exposition *e, struct str msg)
{
    struct exposition_protobuf *p = e->pb;
    struct pb_in in = pb_in(msg);
    struct pb_field f;
    bool found = false;

    buf_reset(&p->labels);
    e->time = 0;
    while (pb_next(&in, &f)) {
        if (f.num == M_LABEL && f.wire == PB_BYTES && !add_pair(&p->labels, f.b)) return false;
        if (f.num == M_TIME && f.wire == PB_VARINT) e->time = (i64)f.v;
        if (f.num == p->kind->field && f.wire == PB_BYTES) {
            p->value = f.b;
            found = true;
        }
    }
    e->has_time = e->time != 0;
    return !in.bad && found && buf_err(&p->labels) == 0 && begin_stages(e);
}

/* --- families --- */

static void head_field(struct exposition_protobuf *p, const struct pb_field *f, u64 *type)
{
    if (f->num == F_TYPE && f->wire == PB_VARINT) *type = f->v;
    if (f->wire != PB_BYTES) return;
    if (f->num == F_NAME) p->name = f->b;
    if (f->num == F_HELP) p->help = f->b;
    if (f->num == F_UNIT) p->unit = f->b;
}

static bool begin_family(struct exposition *e, struct str msg)
{
    struct exposition_protobuf *p = e->pb;
    struct pb_in in = pb_in(msg);
    struct pb_field f;
    u64 type = 0;

    p->name = p->help = p->unit = STR("");
    while (pb_next(&in, &f))
        head_field(p, &f, &type);
    if (in.bad || type >= ARRAY_LEN(kinds) || p->name.n == 0) return false;
    if (!utf8_valid(p->name) || !utf8_valid(p->help) || !utf8_valid(p->unit)) return false;
    p->kind = &kinds[type];
    p->metrics = pb_in(msg);
    p->say_help = p->help.n > 0;
    p->say_type = true;
    p->say_unit = p->unit.n > 0;
    return true;
}

static enum exposition_event next_family(struct exposition *e)
{
    size_t n;

    if (e->at == e->end) {
        e->ended = true;
        return EXPOSITION_END;
    }
    const char *at = pb_len(e->at, e->end, &n);
    if (!at) return exposition_fail(e, "a family is cut short");
    e->at = at + n;
    if (!begin_family(e, str_n(at, n))) return broken(e, "the message is broken");
    return EXPOSITION_TYPE;
}

static bool say(struct exposition *e, bool *flag, struct str text)
{
    if (!*flag) return false;
    *flag = false;
    e->family = e->pb->name;
    e->text = text;
    return true;
}

static bool next_metric(struct exposition *e, struct pb_field *f)
{
    while (pb_next(&e->pb->metrics, f))
        if (f->num == F_METRIC && f->wire == PB_BYTES) return true;
    return false;
}

enum exposition_event exposition_pb_next(struct exposition *e)
{
    struct exposition_protobuf *p = e->pb;
    enum exposition_event event;
    struct pb_field f;

    for (e->expected = false; !e->ended;) {
        if (say(e, &p->say_help, p->help)) return EXPOSITION_HELP;
        if (say(e, &p->say_type, str_of(p->kind ? p->kind->name : ""))) {
            e->type = p->kind->type;
            return EXPOSITION_TYPE;
        }
        if (say(e, &p->say_unit, p->unit)) return EXPOSITION_UNIT;
        event = next_series(e);
        if (event != EXPOSITION_END) return event;
        if (p->stage != S_NONE) continue;
        if (!next_metric(e, &f))
            event = next_family(e);
        else if (!begin_metric(e, f.b))
            event = broken(e, "a metric is broken");
        if (event == EXPOSITION_ERROR || e->ended) return event;
    }
    return EXPOSITION_END;
}
