/* Tests of reading remote write requests (telemetry/remote_write.h): what is written comes back,
 * what is refused, hostile bytes. */
#include <errno.h>
#include <stdlib.h>
#include "base/test.h"
#include "telemetry/pb.h"
#include "telemetry/remote_write.h"

/* --- reading into text: one line a sample --- */

static struct series_table *table;
static struct series_keeper keeper;
static struct sample_builder *builder;
static struct rw_reading got;
static struct rw_reading options;
static struct buf text;
static char *why;

static int setup(void **state)
{
    table = series_table_new();
    series_keeper_init(&keeper, table);
    builder = sample_builder_new(NULL);
    text = BUF_INIT(1 << 20);
    why = NULL;
    return 0;
}

static void forget_reasons(void)
{
    free(got.why);
    free(why);
    got.why = why = NULL;
}

static int teardown(void **state)
{
    struct series_stats st;

    forget_reasons();
    buf_done(&text);
    sample_builder_free(builder);
    series_keeper_done(&keeper);
    series_table_stats(table, &st);
    assert_int_equal(st.series, 0);
    series_table_free(table);
    return 0;
}

static void say_labels(const struct label *v, u32 n)
{
    for (u32 i = 0; i < n; i++)
        buf_printf(&text, "%s" STR_FMT "=" STR_FMT, i ? "," : "", STR_ARG(v[i].name),
                   STR_ARG(v[i].value));
}

static void say_series(const struct series *s)
{
    for (u32 i = 0; i < series_n(s); i++)
        say_labels(&(struct label){s->shape->names[i], symbol_str(s->values[i])}, 1),
            buf_cstr(&text, i + 1 < series_n(s) ? "," : " ");
}

static void say_histogram(const struct histogram_sample *s)
{
    const struct histogram *h = s->h;

    say_series(s->series);
    buf_printf(&text, "H%lld+%lld %s sum %g schema %d hint %u", (long long)s->time,
               (long long)s->start,
               h->stale      ? "stale"
               : h->is_float ? "float"
                             : "int",
               h->sum, h->schema, h->reset_hint);
    for (u32 i = 0; i < h->n_pos_spans; i++)
        buf_printf(&text, " %d:%u", h->pos_spans[i].offset, h->pos_spans[i].length);
    for (u32 i = 0; i < h->n_pos; i++)
        if (h->is_float)
            buf_printf(&text, " %g", h->pos_counts[i]);
        else
            buf_printf(&text, " %lld", (long long)h->pos_deltas[i]);
    buf_printf(&text, " neg %u custom %u\n", h->n_neg, h->n_custom);
}

static void say(const struct samples *s)
{
    for (u32 i = 0; i < s->n; i++) {
        say_series(s->v[i].series);
        buf_printf(&text, "%g@%lld\n", sample_value(s->v[i].bits), (long long)s->v[i].time);
    }
    for (u32 i = 0; i < s->n_histograms; i++)
        say_histogram(&s->histograms[i]);
    for (u32 i = 0; i < s->n_exemplars; i++) {
        say_series(s->exemplars[i].series);
        buf_printf(&text, "E%g@%lld%s ", s->exemplars[i].value, (long long)s->exemplars[i].time,
                   s->exemplars[i].has_time ? "" : "?");
        say_labels(s->exemplars[i].labels, s->exemplars[i].n_labels);
        buf_ch(&text, '\n');
    }
    for (u32 i = 0; i < s->n_meta; i++)
        buf_printf(&text, STR_FMT " %d \"" STR_FMT "\" \"" STR_FMT "\"\n",
                   STR_ARG(s->meta[i].family), s->meta[i].type, STR_ARG(s->meta[i].help),
                   STR_ARG(s->meta[i].unit));
}

static int read_body(enum rw_version v, struct str body)
{
    struct series_epoch *e = series_epoch_now(&keeper);

    forget_reasons();
    got = options;
    got.table = table;
    got.keeper = &keeper;
    got.out = builder;
    sample_builder_keep(builder, e);
    series_epoch_unref(e);
    return rw_read(&got, v, body, &why);
}

static void assert_reads(enum rw_version v, struct str body, const char *want)
{
    struct batch *b = batch_new(SIGNAL_METRICS);

    assert_int_equal(read_body(v, body), 0);
    assert_int_equal(sample_builder_seal(builder, b), 0);
    say(b->samples);
    batch_unref(b);
    assert_buf(&text, want);
}

static void assert_broken(enum rw_version v, struct str body, const char *reason)
{
    assert_int_equal(read_body(v, body), -EBADMSG);
    assert_non_null(why);
    if (!strstr(why, reason)) fail_msg("\"%s\" does not say \"%s\"", why, reason);
    sample_builder_reset(builder);
}

/* --- bodies by hand --- */

#define BODY(b) ((struct str){(b).p, (b).n})

static void add_pair(struct buf *b, const char *name, const char *value)
{
    size_t at = pb_open(b, 1, 1);
    pb_add_bytes(b, 1, str_of(name));
    pb_add_bytes(b, 2, str_of(value));
    pb_close(b, at, 1);
}

static void add_float(struct buf *b, f64 value, i64 time)
{
    size_t at = pb_open(b, 2, 1);
    pb_add_double(b, 1, value);
    pb_add_u64(b, 2, (u64)time);
    pb_close(b, at, 1);
}

static void add_series1(struct buf *b, const char *name, const char *value, const char *more)
{
    size_t at = pb_open(b, 1, 1);
    add_float(b, 1, 1); /* labels may stand behind */
    if (more) add_pair(b, more, "x");
    add_pair(b, name, value);
    pb_close(b, at, 1);
}

/* --- what was written comes back --- */

static const struct histogram whole = {.reset_hint = 2,
                                       .schema = 3,
                                       .sum = 12.5,
                                       .count.i = 20,
                                       .zero_count.i = 1,
                                       .n_pos_spans = 2,
                                       .n_pos = 3,
                                       .n_neg_spans = 1,
                                       .n_neg = 1,
                                       .neg_spans = (const struct histogram_span[]){{0, 1}},
                                       .neg_deltas = (const i64[]){5},
                                       .pos_spans =
                                           (const struct histogram_span[]){{-2, 2}, {1, 1}},
                                       .pos_deltas = (const i64[]){4, -1, 200}};
static const struct histogram custom = {.is_float = true,
                                        .schema = -53,
                                        .sum = -1,
                                        .count.f = 2.5,
                                        .n_pos_spans = 1,
                                        .n_pos = 2,
                                        .pos_spans = (const struct histogram_span[]){{0, 2}},
                                        .pos_counts = (const f64[]){1, 1.5},
                                        .n_custom = 1,
                                        .custom = (const f64[]){0.5}};
static const struct histogram stale = {.stale = true};

static void write_all(struct rw_request *r, const struct series *s, enum rw_version v)
{
    const struct label own[] = {{STR("span_id"), STR("s")}, {STR("trace_id"), STR("up")}};
    const struct metric_meta m = {STR("up"), STR("is it"), STR("s"), TYPE_GAUGE};
    struct series *mine = (struct series *)s;
    const struct exemplar_sample x = {
        .series = mine, .time = 9, .value = 0.25, .labels = own, .n_labels = 2};

    assert_int_equal(rw_request_sample(r, s, NULL, &m, 1700000000123, sample_bits(1.5)), 0);
    assert_int_equal(rw_request_sample(r, s, NULL, &m, -7, SAMPLE_STALE_BITS), 0);
    assert_int_equal(
        rw_request_histogram(r, NULL, &m, &(struct histogram_sample){mine, 7, 3, &whole}), 0);
    assert_int_equal(
        rw_request_histogram(r, NULL, &m, &(struct histogram_sample){mine, 8, 0, &stale}), 0);
    if (v == RW_V2) {
        assert_int_equal(
            rw_request_histogram(r, NULL, &m, &(struct histogram_sample){mine, 9, 0, &custom}), 0);
    } else {
        assert_int_equal(rw_request_exemplar(r, NULL, &m, &x), 0);
        assert_int_equal(rw_request_meta(r, &m), 0);
    }
}

static void what_was_written_comes_back(void **state)
{
    static const char *const want[] = {
        "__name__=up,job=x 1.5@1700000000123\n__name__=up,job=x nan@-7\n"
        "__name__=up,job=x H7+0 int sum 12.5 schema 3 hint 2 -2:2 1:1 4 -1 200 neg 1 custom 0\n"
        "__name__=up,job=x H8+0 stale sum nan schema 0 hint 0 neg 0 custom 0\n"
        "__name__=up,job=x E0.25@9 span_id=s,trace_id=up\n"
        "up 2 \"is it\" \"s\"\n",
        "__name__=up,job=x 1.5@1700000000123\n__name__=up,job=x nan@-7\n"
        "__name__=up,job=x H7+3 int sum 12.5 schema 3 hint 2 -2:2 1:1 4 -1 200 neg 1 custom 0\n"
        "__name__=up,job=x H8+0 stale sum nan schema 0 hint 0 neg 0 custom 0\n"
        "__name__=up,job=x H9+0 float sum -1 schema -53 hint 0 0:2 1 1.5 neg 0 custom 1\n"
        "up 2 \"is it\" \"s\"\n"};
    const struct label labels[] = {{STR("__name__"), STR("up")}, {STR("job"), STR("x")}};

    for (enum rw_version v = RW_V1; v <= RW_V2; v++) {
        struct series *s = series_intern(table, labels, 2);
        struct rw_request *r = rw_request_new(v, 1 << 20);
        write_all(r, s, v);
        series_unref(table, s);
        assert_reads(v, rw_request_bytes(r), want[v]);
        assert_int_equal(got.counts.samples, 2);
        assert_int_equal(got.counts.histograms, v == RW_V1 ? 2 : 3);
        assert_int_equal(got.counts.exemplars, v == RW_V1);
        assert_int_equal(got.counts.metadata, 1);
        assert_int_equal(got.refused, 0);
        rw_request_free(r);
    }
}

/* 2.0: an exemplar beside a sample in one series, references unpacked. */
static void series_of_v2_by_hand(void **state)
{
    struct buf b = BUF_INIT(1000);
    static const char *const symbols[] = {"", "trace_id", "1", "__name__", "up"};

    for (size_t i = 0; i < ARRAY_LEN(symbols); i++)
        pb_add_bytes(&b, 4, str_of(symbols[i]));
    size_t at = pb_open(&b, 5, 1), x;
    pb_add_u64(&b, 1, 3); /* not packed */
    x = pb_open(&b, 4, 1);
    pb_add_bytes(&b, 1, STR("\x01\x02"));
    pb_add_double(&b, 2, 4);
    pb_close(&b, x, 1);
    pb_add_bytes(&b, 1, STR("\x04"));
    add_float(&b, 2, 3);
    pb_close(&b, at, 1);
    assert_reads(RW_V2, BODY(b), "__name__=up 2@3\n__name__=up E4@0? trace_id=1\n");
    buf_done(&b);
}

static void empty_requests(void **state)
{
    assert_reads(RW_V1, STR(""), "");
    assert_reads(RW_V2, STR(""), "");
    assert_reads(RW_V2, STR("\x22\x00"), "");
}

static void labels_are_sorted_and_empty_ones_left_out(void **state)
{
    struct buf b = BUF_INIT(1000);
    size_t at = pb_open(&b, 1, 1);

    add_pair(&b, "z", "1");
    add_pair(&b, "empty", "");
    add_pair(&b, "__name__", "up");
    add_pair(&b, "A", "2");
    add_float(&b, 5, 6);
    pb_close(&b, at, 1);
    assert_reads(RW_V1, BODY(b), "A=2,__name__=up,z=1 5@6\n");
    assert_int_equal(got.refused, 0);
    buf_done(&b);
}

/* Symbols: 1 __name__ 2 up 3 s; metadata: gauge, unit s. */
#define WITH_METADATA                                                                              \
    STR("\x22\x00\x22\x08__name__"                                                                 \
        "\x22\x02up\x22\x01s\x2a\x0e\x0a\x02\x01\x02\x12\x02\x10\x05\x2a\x04"                      \
        "\x08\x02\x20\x03")

static void type_and_unit_as_labels(void **state)
{
    assert_reads(RW_V2, WITH_METADATA, "__name__=up 0@5\nup 2 \"\" \"s\"\n");
    options = (struct rw_reading){.no_metadata = true};
    assert_reads(RW_V2, WITH_METADATA, "__name__=up 0@5\n");
    options.type_and_unit = true;
    assert_reads(RW_V2, WITH_METADATA, "__name__=up,__type__=gauge,__unit__=s 0@5\n");
    options = (struct rw_reading){0};
}

/* --- what is passed over --- */

static void series_that_are_refused(void **state)
{
    static const struct {
        const char *name, *value, *more, *why;
    } cases[] = {
        {"job", "x", NULL, "a series has no name"},
        {"__name__", "", NULL, "a series has no name"},
        {"__name__", "up", "__name__", "a label is there twice: \"__name__\""},
        {"__name__", "\xff", NULL, "the value of a label is not valid UTF-8: \"__name__\""},
        {"__name__", "up", "\xc3", "the name of a label is not valid UTF-8: \"\\xc3\""},
        {"__name__", "up", "", "a label has no name: \"\""},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf b = BUF_INIT(1000);
        add_series1(&b, cases[i].name, cases[i].value, cases[i].more);
        add_series1(&b, "__name__", "good", NULL);
        assert_reads(RW_V1, BODY(b), "__name__=good 1@1\n");
        assert_int_equal(got.refused, 1);
        assert_int_equal(got.counts.samples, 1);
        assert_string_equal(got.why, cases[i].why);
        buf_done(&b);
    }
}

static void a_series_of_v2_without_samples(void **state)
{
    assert_reads(RW_V2, STR("\x22\x00\x22\x08__name__\x22\x02up\x2a\x04\x0a\x02\x01\x02"), "");
    assert_int_equal(got.refused, 1);
    assert_string_equal(got.why, "a series has neither samples nor histograms: \"up\"");
}

static void refused_histogram(const struct histogram *h, const char *reason)
{
    struct series *s = series_intern(table, &(struct label){STR("__name__"), STR("h")}, 1);
    struct rw_request *r = rw_request_new(RW_V2, 1 << 20);

    assert_int_equal(rw_request_histogram(r, NULL, NULL, &(struct histogram_sample){s, 1, 0, h}),
                     0);
    assert_reads(RW_V2, rw_request_bytes(r), "");
    assert_int_equal(got.refused, 1);
    assert_non_null(got.why);
    if (!strstr(got.why, reason)) fail_msg("\"%s\" does not say \"%s\"", got.why, reason);
    rw_request_free(r);
    series_unref(table, s);
}

static void histograms_that_are_refused(void **state)
{
    struct histogram h = whole;

    h.pos_deltas = (const i64[]){4, -5, 200};
    refused_histogram(&h, "below zero");
    h = whole;
    h.pos_spans = (const struct histogram_span[]){{-2, 2}, {1, 3}};
    refused_histogram(&h, "do not agree");
    h.pos_spans = (const struct histogram_span[]){{-2, 2}, {-1, 1}};
    refused_histogram(&h, "do not agree");
    h = whole;
    h.schema = -20;
    refused_histogram(&h, "no known schema");
    h = whole;
    h.n_custom = 1;
    h.custom = (const f64[]){1};
    refused_histogram(&h, "not their schema");
    h = custom;
    h.custom = (const f64[]){3, 2};
    h.n_custom = 2;
    refused_histogram(&h, "do not increase");
    h = custom;
    h.pos_counts = (const f64[]){1, -1};
    refused_histogram(&h, "below zero");
    h = custom;
    h.n_neg_spans = h.n_neg = 1;
    h.neg_spans = (const struct histogram_span[]){{0, 1}};
    h.neg_counts = (const f64[]){1};
    refused_histogram(&h, "negative ones");
}

/* --- broken bodies --- */

static void broken_bodies(void **state)
{
    static const struct {
        enum rw_version v;
        struct str body;
        const char *why;
    } cases[] = {
        {RW_V1, STR("\x08\x01"), "byte 0: a field has the wrong wire type"},
        {RW_V1, STR("\x0a\x05"), "byte 0: a field is cut off"},
        {RW_V1, STR("\x0a\x02\x0a\x05"), "byte 2: a field is cut off"},
        {RW_V1, STR("\x0a\x02\x10\x05"), "byte 2: a field has the wrong wire type"},
        {RW_V1, STR("\x0a\x04\x0a\x02\x08\x01"), "byte 4: a field has the wrong wire type"},
        {RW_V1, STR("\x1a\x02\x12\x05"), "a field is cut off"},
        {RW_V2, STR("\x20\x01"), "wrong wire type"},
        {RW_V2, STR("\x22\x00\x2a\x04\x0a\x02\x00\x05"), "a reference points behind the symbols"},
        {RW_V2, STR("\x22\x00\x2a\x03\x0a\x01\x00"), "an odd number of label references"},
        {RW_V2, STR("\x22\x00\x2a\x03\x0a\x01\xff"), "a label reference is cut off"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_broken(cases[i].v, cases[i].body, cases[i].why);
}

static void too_many_labels(void **state)
{
    struct buf b = BUF_INIT(1 << 20);
    size_t at = pb_open(&b, 1, 2);
    char name[16];

    for (int i = 0; i <= RW_MAX_LABELS; i++) {
        snprintf(name, sizeof(name), "l%d", i);
        add_pair(&b, name, "x");
    }
    pb_close(&b, at, 2);
    assert_broken(RW_V1, BODY(b), "more than 1024 labels");
    buf_done(&b);
}

/* A megabyte that is named six hundred times by a few bytes each. */
static void symbols_that_blow_up(void **state)
{
    struct buf b = BUF_INIT((size_t)4 << 20);
    char *big = malloc(1 << 20);

    memset(big, 'x', 1 << 20);
    pb_add_bytes(&b, 4, STR(""));
    pb_add_bytes(&b, 4, STR("__name__"));
    pb_add_bytes(&b, 4, str_n(big, 1 << 20));
    for (int i = 0; i < 600; i++) {
        size_t at = pb_open(&b, 5, 1);
        pb_add_bytes(&b, 1, STR("\x01\x02"));
        add_float(&b, 1, i);
        pb_close(&b, at, 1);
    }
    assert_broken(RW_V2, BODY(b), "larger than 512 MiB");
    free(big);
    buf_done(&b);
}

static void too_many_buckets(void **state)
{
    struct buf b = BUF_INIT(1 << 20);
    char *deltas = calloc(1, 70000);
    size_t at = pb_open(&b, 1, 3), h;

    add_pair(&b, "__name__", "h");
    h = pb_open(&b, 4, 3);
    pb_add_bytes(&b, 12, str_n(deltas, 70000));
    pb_close(&b, h, 3);
    pb_close(&b, at, 3);
    assert_broken(RW_V1, BODY(b), "more than 65536 buckets");
    free(deltas);
    buf_done(&b);
}

/* Each way to cut a request, and each byte of it turned: an error or a result, never more. */
static void cut_and_turned(void **state)
{
    const struct label labels[] = {{STR("__name__"), STR("up")}, {STR("job"), STR("x")}};

    for (enum rw_version v = RW_V1; v <= RW_V2; v++) {
        struct series *s = series_intern(table, labels, 2);
        struct rw_request *r = rw_request_new(v, 1 << 20);
        write_all(r, s, v);
        series_unref(table, s);
        struct str body = rw_request_bytes(r);
        for (size_t i = 0; i < body.n; i++) {
            char *copy = malloc(body.n);
            memcpy(copy, body.p, body.n);
            int err = read_body(v, str_n(copy, i));
            assert_true(err == 0 || (err == -EBADMSG && why));
            copy[i] = (char)~copy[i];
            err = read_body(v, str_n(copy, body.n));
            assert_true(err == 0 || (err == -EBADMSG && why));
            sample_builder_reset(builder);
            free(copy);
        }
        rw_request_free(r);
    }
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(what_was_written_comes_back),
        T(series_of_v2_by_hand),
        T(empty_requests),
        T(labels_are_sorted_and_empty_ones_left_out),
        T(type_and_unit_as_labels),
        T(series_that_are_refused),
        T(a_series_of_v2_without_samples),
        T(histograms_that_are_refused),
        T(broken_bodies),
        T(too_many_labels),
        T(symbols_that_blow_up),
        T(too_many_buckets),
        T(cut_and_turned),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
