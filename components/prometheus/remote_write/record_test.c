/* Records of the log (what is written reads as the same, and broken bytes are refused), the number
 * of senders, and signatures for AWS against AWS' own example. */
#include "components/prometheus/remote_write/record.h"

#include <errno.h>
#include "base/test.h"
#include "base/xalloc.h"
#include "components/prometheus/remote_write/scaling.h"
#include "components/prometheus/remote_write/sigv4.h"

struct world {
    struct series_table *table;
    struct series *s[3];
    struct record r;
};

static int set_up(void **state)
{
    struct world *k = xnew(struct world);
    static const char *const jobs[] = {"a", "b", "c"};

    k->table = series_table_new();
    for (size_t i = 0; i < ARRAY_LEN(jobs); i++) {
        const struct label v[] = {{STR("__name__"), STR("up")}, {STR("job"), str_of(jobs[i])}};
        k->s[i] = series_intern(k->table, v, 2);
    }
    record_init(&k->r);
    *state = k;
    return 0;
}

static int tear_down(void **state)
{
    struct world *k = *state;

    for (size_t i = 0; i < ARRAY_LEN(k->s); i++)
        series_unref(k->table, k->s[i]);
    record_done(&k->r);
    series_table_free(k->table);
    free(k);
    return 0;
}

static int check_name(void *arg, u32 number, const struct label *v, size_t n)
{
    u32 *seen = arg;
    const char job[] = {(char)('a' + number - 7), 0};

    assert_int_equal(number, 7 + (*seen)++);
    assert_int_equal(n, 2);
    assert_text(v[0].name, "__name__");
    assert_text(v[1].value, job);
    return 0;
}

static void series_are_declared(void **state)
{
    struct world *k = *state;
    struct record_view v;
    u32 seen = 0;

    record_begin(&k->r, 7);
    for (int i = 0; i < 3; i++)
        record_declare(&k->r, k->s[i]);
    assert_int_equal(record_open(record_end(&k->r), &v), 0);
    assert_int_equal(v.n_names, 3);
    assert_int_equal(record_names(&v, check_name, &seen), 0);
    assert_int_equal(seen, 3);
}

static void samples_come_back(void **state)
{
    static const struct {
        u32 number;
        i64 time;
        u64 bits;
    } all[] = {
        {0, 0, 0},
        {1, 1700000000000, 0x3ff0000000000000},
        {2, 1700000000000, SAMPLE_STALE_BITS},
        {3, 1700000000000, SAMPLE_NAN_BITS},
        {16777215, -5, 1},
        {0, INT64_MAX, UINT64_MAX},
        {5, INT64_MIN, 0x40c81c8000000000},
    };
    struct world *k = *state;
    struct record_view v;

    record_begin(&k->r, 0);
    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        record_sample(&k->r, all[i].number, all[i].time, all[i].bits);
    assert_int_equal(record_open(record_end(&k->r), &v), 0);
    struct sample_cursor c = record_samples(&v);
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        assert_int_equal(sample_next(&c), 1);
        assert_int_equal(c.number, all[i].number);
        assert_true(c.time == all[i].time);
        assert_true(c.bits == all[i].bits);
    }
    assert_int_equal(sample_next(&c), 0);
}

static void a_counter_is_small(void **state)
{
    struct world *k = *state;

    record_begin(&k->r, 0);
    for (u32 i = 0; i < 1000; i++)
        record_sample(&k->r, i, 1700000000000, sample_bits(12345));
    assert_true(record_end(&k->r).n < 5 * 1000 + 64); /* one byte, and four of the value */
}

static void histograms_come_back(void **state)
{
    static const struct histogram_span spans[] = {{-3, 2}, {1, 1}};
    static const i64 deltas[] = {1, -2, 3};
    static const f64 counts[] = {0.5, 1, 2.5}, custom[] = {1, 2};
    struct world *k = *state;
    struct histogram h = {.schema = -53,
                          .sum = 1.5,
                          .reset_hint = 3,
                          .n_pos_spans = 2,
                          .pos_spans = spans,
                          .n_pos = 3,
                          .pos_deltas = deltas,
                          .n_custom = 2,
                          .custom = custom,
                          .count.i = 9};
    struct histogram_sample in = {.time = 5, .start = 3, .h = &h}, *out = NULL;
    struct record_view v;
    u32 number = 0;

    record_begin(&k->r, 0);
    record_histogram(&k->r, 4, &in);
    h.is_float = true;
    h.pos_counts = counts;
    record_histogram(&k->r, 5, &in);
    assert_int_equal(record_open(record_end(&k->r), &v), 0);
    struct item_cursor c = record_histograms(&v);
    assert_int_equal(histogram_next(&c, &number, &out), 1);
    assert_int_equal(number, 4);
    assert_int_equal(out->h->pos_spans[0].offset, -3);
    assert_int_equal(out->h->pos_deltas[1], -2);
    assert_int_equal(out->h->count.i, 9);
    assert_true(out->h->custom[1] == 2 && out->start == 3);
    free(out);
    assert_int_equal(histogram_next(&c, &number, &out), 1);
    assert_true(out->h->is_float && out->h->pos_counts[2] == 2.5);
    free(out);
    assert_int_equal(histogram_next(&c, &number, &out), 0);
}

static void exemplars_come_back(void **state)
{
    const struct label l = {STR("trace_id"), STR("abc")};
    const struct exemplar_sample in = {
        .time = 7, .has_time = true, .value = 2, .labels = &l, .n_labels = 1};
    struct exemplar_sample *out = NULL;
    struct world *k = *state;
    struct record_view v;
    u32 number = 0;

    record_begin(&k->r, 0);
    record_exemplar(&k->r, 9, &in);
    assert_int_equal(record_open(record_end(&k->r), &v), 0);
    struct item_cursor c = record_exemplars(&v);
    assert_int_equal(exemplar_next(&c, &number, &out), 1);
    assert_int_equal(number, 9);
    assert_text(out->labels[0].value, "abc");
    assert_int_equal(out->time, 7);
    free(out);
}

/* Cut anywhere: refused when opened. */
static void cut_records(void **state)
{
    struct world *k = *state;
    struct record_view v;

    record_begin(&k->r, 0);
    record_declare(&k->r, k->s[0]);
    record_sample(&k->r, 0, 1, 2);
    struct str all = record_end(&k->r);
    for (size_t n = 0; n < all.n; n++)
        assert_int_equal(record_open(str_n(all.p, n), &v), -EBADMSG);
}

/* --- senders --- */

static void no_change_without_need(void **state)
{
    struct scaling s = {.in = 10000, .out = 10000, .busy = NS_PER_SEC};
    const struct scaling_now now = {.senders = 1, .min = 1, .max = 50};

    scaling_step(&s);
    assert_int_equal(scaling_wanted(&s, &now, NULL), 1);
}

static void more_when_slow(void **state)
{
    struct scaling s = {.in = 40000, .out = 10000, .busy = 10 * NS_PER_SEC};
    struct scaling_now now = {.senders = 1, .min = 1, .max = 50, .delay = 20};

    scaling_step(&s);
    assert_int_equal(scaling_wanted(&s, &now, NULL), 8);
    now.max = 5;
    assert_int_equal(scaling_wanted(&s, &now, NULL), 5);
}

static void not_fewer_while_late(void **state)
{
    struct scaling s = {.in = 100, .out = 10000, .busy = NS_PER_SEC};
    struct scaling_now now = {.senders = 10, .min = 1, .max = 50, .delay = 60};

    scaling_step(&s);
    assert_int_equal(scaling_wanted(&s, &now, NULL), 10);
    now.delay = 1;
    assert_int_equal(scaling_wanted(&s, &now, NULL), 1);
}

static void unknown_when_nothing_is_sent(void **state)
{
    struct scaling s = {.in = 10000};
    const struct scaling_now now = {.senders = 3, .min = 1, .max = 50, .delay = 60};

    scaling_step(&s);
    assert_int_equal(scaling_wanted(&s, &now, NULL), 3);
}

/* --- AWS: "GET ListUsers" of the description of Signature Version 4 --- */

static void the_example_of_aws(void **state)
{
    static char id[] = "AKIDEXAMPLE", key[] = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
                region[] = "us-east-1";
    const struct aws_keys keys = {id, key, NULL, region};
    const struct http_header headers[] = {
        {STR("X-Amz-Date"), STR("20150830T123600Z")},
        {STR("Content-Type"), STR("application/x-www-form-urlencoded; charset=utf-8")}};
    char date[SIGV4_DATE];

    sigv4_date(1440938160, date);
    assert_string_equal(date, "20150830T123600Z");
    char *got = sigv4_sign(
        &(struct sigv4_request){
            .method = STR("GET"),
            .url = STR("https://iam.amazonaws.com/?Action=ListUsers&Version=2010-05-08"),
            .service = STR("iam"),
            .time = 1440938160,
            .headers = headers,
            .n_headers = 2},
        &keys);
    assert_string_equal(
        got, "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, "
             "SignedHeaders=content-type;host;x-amz-date, Signature="
             "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7");
    free(got);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(series_are_declared),
        TEST(samples_come_back),
        TEST(a_counter_is_small),
        TEST(histograms_come_back),
        TEST(exemplars_come_back),
        TEST(cut_records),
        cmocka_unit_test(no_change_without_need),
        cmocka_unit_test(more_when_slow),
        cmocka_unit_test(not_fewer_while_late),
        cmocka_unit_test(unknown_when_nothing_is_sent),
        cmocka_unit_test(the_example_of_aws),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
