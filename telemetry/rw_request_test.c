/* Tests of making remote write requests (telemetry/remote_write.h): what protobuf-c, with a .proto
 * of its own, reads from them. */
#include <errno.h>
#include <stdlib.h>
#include "base/budget.h"
#include "base/test.h"
#include "proto/remote_write.pb-c.h"
#include "telemetry/label_set.h"
#include "telemetry/remote_write.h"

static struct series_table *table;

static int setup(void **state)
{
    table = series_table_new();
    return 0;
}

static int teardown(void **state)
{
    struct series_stats st;

    series_table_stats(table, &st);
    assert_int_equal(st.series, 0);
    series_table_free(table);
    return 0;
}

#define SERIES(...)                                                                                \
    series_intern(table, (const struct label[]){__VA_ARGS__},                                      \
                  sizeof((const struct label[]){__VA_ARGS__}) / sizeof(struct label))
#define L(name, value)                                                                             \
    {                                                                                              \
        STR(name), STR(value)                                                                      \
    }
#define EXTERNAL(...)                                                                              \
    rw_external_new((const struct label[]){__VA_ARGS__},                                           \
                    sizeof((const struct label[]){__VA_ARGS__}) / sizeof(struct label))

/* --- what a request says, as text --- */

static void say_sample(struct buf *out, const Rwtest__Sample *s)
{
    buf_printf(out, " %g@%lld", s->value, (long long)s->timestamp);
}

static void say_spans(struct buf *out, Rwtest__BucketSpan **v, size_t n)
{
    for (size_t i = 0; i < n; i++)
        buf_printf(out, " %d:%u", v[i]->offset, v[i]->length);
}

static void say_histogram(struct buf *out, const Rwtest__Histogram *h)
{
    bool f = h->count_case == RWTEST__HISTOGRAM__COUNT_COUNT_FLOAT;

    buf_printf(out, " H%lld+%lld", (long long)h->timestamp, (long long)h->start_timestamp);
    if (f)
        buf_printf(out, " float %g zero %g", h->count_float, h->zero_count_float);
    else
        buf_printf(out, " int %llu zero %llu", (unsigned long long)h->count_int,
                   (unsigned long long)h->zero_count_int);
    assert_int_equal(h->zero_count_case, f ? RWTEST__HISTOGRAM__ZERO_COUNT_ZERO_COUNT_FLOAT
                                           : RWTEST__HISTOGRAM__ZERO_COUNT_ZERO_COUNT_INT);
    buf_printf(out, " sum %g schema %d below %g hint %u neg", h->sum, h->schema, h->zero_threshold,
               h->reset_hint);
    say_spans(out, h->negative_spans, h->n_negative_spans);
    for (size_t i = 0; i < h->n_negative_deltas; i++)
        buf_printf(out, " %lld", (long long)h->negative_deltas[i]);
    for (size_t i = 0; i < h->n_negative_counts; i++)
        buf_printf(out, " %g", h->negative_counts[i]);
    buf_cstr(out, " pos");
    say_spans(out, h->positive_spans, h->n_positive_spans);
    for (size_t i = 0; i < h->n_positive_deltas; i++)
        buf_printf(out, " %lld", (long long)h->positive_deltas[i]);
    for (size_t i = 0; i < h->n_positive_counts; i++)
        buf_printf(out, " %g", h->positive_counts[i]);
    for (size_t i = 0; i < h->n_custom_values; i++)
        buf_printf(out, " le %g", h->custom_values[i]);
}

static void say_labels(struct buf *out, Rwtest__Label **v, size_t n)
{
    for (size_t i = 0; i < n; i++)
        buf_printf(out, "%s%s=%s", i ? "," : "", v[i]->name, v[i]->value);
}

static void say_v1(struct buf *out, struct str bytes)
{
    Rwtest__WriteRequest *r =
        rwtest__write_request__unpack(NULL, bytes.n, (const uint8_t *)bytes.p);

    assert_non_null(r);
    for (size_t i = 0; i < r->n_timeseries; i++) {
        const Rwtest__TimeSeries *t = r->timeseries[i];
        say_labels(out, t->labels, t->n_labels);
        for (size_t k = 0; k < t->n_samples; k++)
            say_sample(out, t->samples[k]);
        for (size_t k = 0; k < t->n_histograms; k++)
            say_histogram(out, t->histograms[k]);
        for (size_t k = 0; k < t->n_exemplars; k++) {
            buf_printf(out, " E%g@%lld ", t->exemplars[k]->value,
                       (long long)t->exemplars[k]->timestamp);
            say_labels(out, t->exemplars[k]->labels, t->exemplars[k]->n_labels);
        }
        buf_ch(out, '\n');
    }
    for (size_t i = 0; i < r->n_metadata; i++)
        buf_printf(out, "%s %u \"%s\" \"%s\"\n", r->metadata[i]->metric_family_name,
                   r->metadata[i]->type, r->metadata[i]->help, r->metadata[i]->unit);
    rwtest__write_request__free_unpacked(r, NULL);
}

static void say_refs(struct buf *out, const Rwtest__Request2 *r, const uint32_t *v, size_t n)
{
    assert_int_equal(n % 2, 0);
    for (size_t i = 0; i < n; i++) {
        assert_true(v[i] < r->n_symbols);
        buf_printf(out, "%s%s", i == 0 ? "" : i % 2 ? "=" : ",", r->symbols[v[i]]);
    }
}

static void say_symbols(struct buf *out, const Rwtest__Request2 *r)
{
    for (size_t i = 0; i < r->n_symbols; i++)
        buf_printf(out, "%s|", r->symbols[i]);
    buf_ch(out, '\n');
}

static void say_v2(struct buf *out, struct str bytes)
{
    Rwtest__Request2 *r = rwtest__request2__unpack(NULL, bytes.n, (const uint8_t *)bytes.p);

    assert_non_null(r);
    say_symbols(out, r);
    for (size_t i = 0; i < r->n_timeseries; i++) {
        const Rwtest__TimeSeries2 *t = r->timeseries[i];
        say_refs(out, r, t->labels_refs, t->n_labels_refs);
        for (size_t k = 0; k < t->n_samples; k++)
            say_sample(out, t->samples[k]);
        for (size_t k = 0; k < t->n_histograms; k++)
            say_histogram(out, t->histograms[k]);
        for (size_t k = 0; k < t->n_exemplars; k++) {
            buf_printf(out, " E%g@%lld ", t->exemplars[k]->value,
                       (long long)t->exemplars[k]->timestamp);
            say_refs(out, r, t->exemplars[k]->labels_refs, t->exemplars[k]->n_labels_refs);
        }
        assert_non_null(t->metadata);
        buf_printf(out, " M%u,%u,%u\n", t->metadata->type, t->metadata->help_ref,
                   t->metadata->unit_ref);
    }
    rwtest__request2__free_unpacked(r, NULL);
}

static void assert_says(struct rw_request *r, enum rw_version v, const char *want)
{
    struct buf out = BUF_INIT(1 << 20);
    struct str bytes = rw_request_bytes(r);

    assert_non_null(bytes.p);
    (v == RW_V1 ? say_v1 : say_v2)(&out, bytes);
    assert_buf(&out, want);
    buf_done(&out);
}

/* --- floats --- */

static void floats_v1(void **state)
{
    struct rw_request *r = rw_request_new(RW_V1, 1 << 20);
    struct series *a = SERIES(L("__name__", "up"), L("job", "x")), *b = SERIES(L("b", "1"));

    assert_int_equal(rw_request_sample(r, a, NULL, NULL, 1700000000000, sample_bits(1.5)), 0);
    assert_int_equal(rw_request_sample(r, b, NULL, NULL, -5, 0), 0);
    assert_int_equal(rw_request_sample(r, b, NULL, NULL, 0, 0), 0);
    assert_int_equal(rw_request_sample(r, b, NULL, NULL, 0, sample_bits(-0.0)), 0);
    assert_says(r, RW_V1, "__name__=up,job=x 1.5@1700000000000\nb=1 0@-5\nb=1 0@0\nb=1 -0@0\n");
    assert_int_equal(rw_request_counts(r)->samples, 4);
    rw_request_reset(r);
    assert_int_equal(rw_request_counts(r)->samples, 0);
    assert_says(r, RW_V1, "");
    rw_request_free(r);
    series_unref(table, a);
    series_unref(table, b);
}

/* The stale marker is a NaN of its own: its bits must arrive. */
static void stale_marker_keeps_its_bits(void **state)
{
    struct rw_request *r = rw_request_new(RW_V1, 1 << 20);
    struct series *a = SERIES(L("a", "b"));

    assert_int_equal(rw_request_sample(r, a, NULL, NULL, 1, SAMPLE_STALE_BITS), 0);
    assert_non_null(memmem(rw_request_bytes(r).p, rw_request_bytes(r).n,
                           "\x09\x02\0\0\0\0\0\xf0\x7f\x10\x01", 11));
    rw_request_free(r);
    series_unref(table, a);
}

static void floats_v2(void **state)
{
    struct rw_request *r = rw_request_new(RW_V2, 1 << 20);
    struct series *a = SERIES(L("__name__", "job"), L("job", "x")), *b = SERIES(L("b", "x"));
    const struct metric_meta m = {STR("job"), STR("how many"), STR("s"), TYPE_COUNTER};

    assert_int_equal(rw_request_sample(r, a, NULL, &m, 5, sample_bits(1.5)), 0);
    assert_int_equal(rw_request_sample(r, b, NULL, NULL, 6, sample_bits(2)), 0);
    assert_int_equal(rw_request_sample(r, a, NULL, &m, 7, sample_bits(3)), 0);
    for (int i = 0; i < 2; i++) /* asking twice gives the same */
        assert_says(r, RW_V2,
                    "|__name__|job|x|how many|s|b|\n"
                    "__name__=job,job=x 1.5@5 M1,4,5\n"
                    "b=x 2@6 M0,0,0\n"
                    "__name__=job,job=x 3@7 M1,4,5\n");
    rw_request_reset(r);
    assert_int_equal(rw_request_sample(r, b, NULL, NULL, 6, sample_bits(2)), 0);
    assert_says(r, RW_V2, "|b|x|\nb=x 2@6 M0,0,0\n");
    rw_request_free(r);
    series_unref(table, a);
    series_unref(table, b);
}

static void an_empty_request(void **state)
{
    struct rw_request *one = rw_request_new(RW_V1, 100), *two = rw_request_new(RW_V2, 100);

    assert_says(one, RW_V1, "");
    assert_says(two, RW_V2, "|\n");
    rw_request_free(one);
    rw_request_free(two);
}

/* --- external labels --- */

static void external_labels(void **state)
{
    struct rw_external *e = EXTERNAL(L("zone", "z"), L("job", "mine"), L("cluster", "c"),
                                     L("empty", ""), L("A", "first"), L("cluster", "last"));
    struct series *s[] = {SERIES(L("__name__", "up"), L("job", "x")), SERIES(L("b", "1")),
                          SERIES(L("A", "own"), L("cluster", "own"), L("job", "x"), L("zone", "q")),
                          SERIES(L("zz", "1"))};
    static const char *const want[] = {"A=first,__name__=up,cluster=last,job=x,zone=z 1@1",
                                       "A=first,b=1,cluster=last,job=mine,zone=z 1@1",
                                       "A=own,cluster=own,job=x,zone=q 1@1",
                                       "A=first,cluster=last,job=mine,zone=z,zz=1 1@1"};

    for (enum rw_version v = RW_V1; v <= RW_V2; v++) {
        for (size_t i = 0; i < ARRAY_LEN(s) * 2; i++) { /* the second time the plans are there */
            struct rw_request *r = rw_request_new(v, 1 << 20);
            struct buf out = BUF_INIT(1000);
            assert_int_equal(rw_request_sample(r, s[i % ARRAY_LEN(s)], e, NULL, 1, sample_bits(1)),
                             0);
            (v == RW_V1 ? say_v1 : say_v2)(&out, rw_request_bytes(r));
            assert_non_null(strstr(out.p, want[i % ARRAY_LEN(s)]));
            buf_done(&out);
            rw_request_free(r);
        }
    }
    for (size_t i = 0; i < ARRAY_LEN(s); i++)
        series_unref(table, s[i]);
    rw_external_free(e);
}

static void external_labels_for_rules(void **state)
{
    struct rw_external *e = EXTERNAL(L("job", "mine"), L("cluster", "c"));
    struct series *s = SERIES(L("__name__", "up"), L("job", "x"));
    struct label_set set;
    struct buf out = BUF_INIT(1000);

    label_set_init(&set);
    rw_external_load(e, s, &set);
    label_set_text(&set, &out);
    assert_buf(&out, "{__name__=\"up\", cluster=\"c\", job=\"x\"}");
    label_set_done(&set);
    buf_done(&out);
    series_unref(table, s);
    rw_external_free(e);
}

/* Many shapes: the array of plans grows. */
static void a_plan_for_each_shape(void **state)
{
    struct rw_external *e = EXTERNAL(L("m", "mine"));

    for (int i = 0; i < 300; i++) {
        struct rw_request *r = rw_request_new(RW_V1, 1 << 20);
        char name[8], want[64];
        snprintf(name, sizeof(name), "%c%d", i % 2 ? 'a' : 'z', i);
        struct series *s = series_intern(table, &(struct label){str_of(name), STR("1")}, 1);
        assert_int_equal(rw_request_sample(r, s, e, NULL, 1, sample_bits(1)), 0);
        snprintf(want, sizeof(want), i % 2 ? "%s=1,m=mine 1@1\n" : "m=mine,%s=1 1@1\n", name);
        assert_says(r, RW_V1, want);
        series_unref(table, s);
        rw_request_free(r);
    }
    rw_external_free(e);
}

/* --- histograms, exemplars, metadata --- */

/* A shape that is gone may have left its id to another one, for which labels go elsewhere. */
static void a_plan_of_a_shape_that_is_gone(void **state)
{
    struct rw_external *e = EXTERNAL(L("job", "mine"));
    struct rw_request *r = rw_request_new(RW_V1, 1 << 20);
    struct series *s = SERIES(L("__name__", "up"), L("job", "x"));
    u32 id = s->shape->id;

    assert_int_equal(rw_request_sample(r, s, e, NULL, 5, 0), 0);
    series_unref(table, s);
    s = SERIES(L("__name__", "up"), L("zone", "x"));
    assert_int_equal(s->shape->id, id);
    assert_int_equal(rw_request_sample(r, s, e, NULL, 5, 0), 0);
    assert_says(r, RW_V1, "__name__=up,job=x 0@5\n__name__=up,job=mine,zone=x 0@5\n");
    series_unref(table, s);
    rw_request_free(r);
    rw_external_free(e);
}

static const struct histogram whole = {.reset_hint = 2,
                                       .schema = 3,
                                       .sum = 12.5,
                                       .zero_threshold = 0.001,
                                       .count.i = 20,
                                       .zero_count.i = 1,
                                       .n_pos_spans = 2,
                                       .n_neg_spans = 1,
                                       .n_pos = 3,
                                       .n_neg = 1,
                                       .pos_spans =
                                           (const struct histogram_span[]){{-2, 2}, {1, 1}},
                                       .neg_spans = (const struct histogram_span[]){{0, 1}},
                                       .pos_deltas = (const i64[]){4, -1, 200},
                                       .neg_deltas = (const i64[]){5}};
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

#define WHOLE " int 20 zero 1 sum 12.5 schema 3 below 0.001 hint 2 neg 0:1 5 pos -2:2 1:1 4 -1 200"

static void histograms(void **state)
{
    struct rw_request *one = rw_request_new(RW_V1, 1 << 20), *two = rw_request_new(RW_V2, 1 << 20);
    struct series *a = SERIES(L("__name__", "h"));
    const struct histogram_sample s = {a, 7, 3, &whole}, c = {a, 8, 0, &custom};

    assert_int_equal(rw_request_histogram(one, NULL, NULL, &s), 0);
    assert_int_equal(rw_request_histogram(one, NULL, NULL, &c), -ENOTSUP);
    assert_int_equal(rw_request_counts(one)->histograms, 1);
    assert_says(one, RW_V1, "__name__=h H7+0" WHOLE "\n");
    assert_int_equal(rw_request_histogram(two, NULL, NULL, &s), 0);
    assert_int_equal(rw_request_histogram(two, NULL, NULL, &c), 0);
    assert_int_equal(rw_request_counts(two)->histograms, 2);
    assert_says(two, RW_V2,
                "|__name__|h|\n__name__=h H7+3" WHOLE " M0,0,0\n"
                "__name__=h H8+0 float 2.5 zero 0 sum -1 schema -53 below 0 hint 0 neg pos 0:2 1 "
                "1.5 le 0.5 M0,0,0\n");
    rw_request_free(one);
    rw_request_free(two);
    series_unref(table, a);
}

static void a_stale_histogram(void **state)
{
    struct rw_request *r = rw_request_new(RW_V1, 1 << 20);
    struct series *a = SERIES(L("__name__", "h"));
    const struct histogram h = {.stale = true};

    assert_int_equal(rw_request_histogram(r, NULL, NULL, &(struct histogram_sample){a, 7, 0, &h}),
                     0);
    assert_non_null(
        memmem(rw_request_bytes(r).p, rw_request_bytes(r).n, "\x19\x02\0\0\0\0\0\xf0\x7f", 9));
    rw_request_free(r);
    series_unref(table, a);
}

static void exemplars(void **state)
{
    struct rw_external *e = EXTERNAL(L("cluster", "c"));
    struct series *a = SERIES(L("__name__", "up"));
    const struct label own[] = {L("span_id", "s"), L("trace_id", "up")};
    const struct exemplar_sample x = {
        .series = a, .time = 9, .has_time = true, .value = 0.25, .labels = own, .n_labels = 2};
    struct rw_request *one = rw_request_new(RW_V1, 1 << 20), *two = rw_request_new(RW_V2, 1 << 20);

    assert_int_equal(rw_request_exemplar(one, e, NULL, &x), 0);
    assert_int_equal(rw_request_exemplar(two, e, NULL, &x), 0);
    assert_int_equal(rw_request_counts(one)->exemplars, 1);
    assert_says(one, RW_V1, "__name__=up,cluster=c E0.25@9 span_id=s,trace_id=up\n");
    assert_says(two, RW_V2,
                "|span_id|s|trace_id|up|__name__|cluster|c|\n"
                "__name__=up,cluster=c E0.25@9 span_id=s,trace_id=up M0,0,0\n");
    rw_request_free(one);
    rw_request_free(two);
    rw_external_free(e);
    series_unref(table, a);
}

static void metadata_of_v1(void **state)
{
    struct rw_request *one = rw_request_new(RW_V1, 60), *two = rw_request_new(RW_V2, 1000);
    const struct metric_meta m = {STR("up"), STR("is it"), STR(""), TYPE_GAUGE};

    assert_int_equal(rw_request_meta(one, &m), 0);
    assert_int_equal(rw_request_meta(one, &(struct metric_meta){STR("x"), {0}, {0}, TYPE_UNKNOWN}),
                     0);
    assert_int_equal(rw_request_meta(two, &m), -ENOTSUP);
    assert_int_equal(rw_request_counts(one)->metadata, 2);
    assert_says(one, RW_V1, "up 2 \"is it\" \"\"\nx 0 \"\" \"\"\n");
    rw_request_free(one);
    rw_request_free(two);
}

/* --- limits --- */

/* What does not fit leaves nothing behind, not even symbols. */
static void over_the_limit(void **state)
{
    struct series *a = SERIES(L("__name__", "up")),
                  *b = SERIES(L("__name__", "a_longer_name"), L("another", "value of it"));
    const struct label own[] = {L("trace_id", "0123456789")};
    const struct exemplar_sample x = {.series = b, .labels = own, .n_labels = 1};
    static const char *const want[] = {"__name__=up 1@1\n",
                                       "|__name__|up|\n__name__=up 1@1 M0,0,0\n"};

    for (enum rw_version v = RW_V1; v <= RW_V2; v++) {
        struct rw_request *r = rw_request_new(v, 52);
        assert_int_equal(rw_request_sample(r, a, NULL, NULL, 1, sample_bits(1)), 0);
        assert_int_equal(rw_request_sample(r, b, NULL, NULL, 1, sample_bits(1)), -E2BIG);
        assert_int_equal(rw_request_exemplar(r, NULL, NULL, &x), -E2BIG);
        assert_says(r, v, want[v]);
        assert_int_equal(rw_request_counts(r)->samples, 1);
        assert_int_equal(rw_request_counts(r)->exemplars, 0);
        rw_request_free(r);
    }
    series_unref(table, a);
    series_unref(table, b);
}

/* More symbols than the first table has room for, and the texts that were taken back in between. */
static void many_symbols(void **state)
{
    struct rw_request *r = rw_request_new(RW_V2, (size_t)1 << 30);
    struct buf out = BUF_INIT((size_t)64 << 20), want = BUF_INIT((size_t)64 << 20);

    for (int i = 0; i < 3000; i++) {
        char value[16];
        snprintf(value, sizeof(value), "v%d", i / 2 * 7919 % 3001);
        struct series *s = series_intern(table, &(struct label){STR("n"), str_of(value)}, 1);
        assert_int_equal(rw_request_sample(r, s, NULL, NULL, i, sample_bits(1)), 0);
        buf_printf(&want, "n=%s 1@%d M0,0,0\n", value, i);
        series_unref(table, s); /* its memory serves another one */
    }
    say_v2(&out, rw_request_bytes(r));
    assert_string_equal(strchr(out.p, '\n') + 1, want.p);
    buf_done(&out);
    buf_done(&want);
    rw_request_free(r);
}

/* HOSTILE builds: whichever allocation fails, the request stays what it was. */
static void memory_is_out(void **state)
{
    struct series *a = SERIES(L("__name__", "up")), *b = SERIES(L("__name__", "b"), L("c", "d"));

    for (enum rw_version v = RW_V1; v <= RW_V2; v++) {
        for (long n = 1; n < 20; n++) {
            struct rw_request *r = rw_request_new(v, 1 << 20);
            u32 added = 0;
            budget_fail_nth(n);
            added += rw_request_sample(r, a, NULL, NULL, 1, sample_bits(1)) == 0;
            added += rw_request_sample(r, b, NULL, NULL, 1, sample_bits(1)) == 0;
            budget_fail_nth(0);
            assert_int_equal(rw_request_counts(r)->samples, added);
            assert_int_equal(rw_request_sample(r, b, NULL, NULL, 1, sample_bits(1)), 0);
            struct buf out = BUF_INIT(1000);
            (v == RW_V1 ? say_v1 : say_v2)(&out, rw_request_bytes(r));
            assert_non_null(strstr(out.p, "__name__=b,c=d 1@1"));
            buf_done(&out);
            rw_request_free(r);
        }
    }
    series_unref(table, a);
    series_unref(table, b);
}

static void what_headers_say(void **state)
{
    assert_string_equal(rw_content_type(RW_V1), "application/x-protobuf");
    assert_string_equal(rw_content_type(RW_V2),
                        "application/x-protobuf;proto=io.prometheus.write.v2.Request");
    assert_string_equal(rw_version_header(RW_V1), "0.1.0");
    assert_string_equal(rw_version_header(RW_V2), "2.0.0");
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(floats_v1),
        T(stale_marker_keeps_its_bits),
        T(floats_v2),
        T(an_empty_request),
        T(external_labels),
        T(external_labels_for_rules),
        T(a_plan_for_each_shape),
        T(a_plan_of_a_shape_that_is_gone),
        T(histograms),
        T(a_stale_histogram),
        T(exemplars),
        T(metadata_of_v1),
        T(over_the_limit),
        T(many_symbols),
        T(memory_is_out),
        T(what_headers_say),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
