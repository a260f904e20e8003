/* Tests of base/metric.h: exposition, and writers on several threads (for TSan). */
#include "base/metric.h"
#include <pthread.h>
#include "base/test.h"

static const f64 bounds[] = {0.1, 1, 2.5};
static const struct metric_desc requests = {
    .name = "http_requests_total", .help = "Requests\nby \\code.", .kind = METRIC_COUNTER};
static const struct metric_desc memory = {.name = "a_memory_bytes", .kind = METRIC_GAUGE};
static const struct metric_desc latency = {.name = "latency_seconds",
                                           .help = "Time.",
                                           .kind = METRIC_HISTOGRAM,
                                           .bounds = bounds,
                                           .n_bounds = ARRAY_LEN(bounds)};

static void counters_and_gauges(void **state)
{
    struct metrics *m = metrics_new();
    struct buf b = BUF_INIT(10000);
    struct metric *ok = metric_new(
        m, &requests, (struct metric_label[]){{"path", "/a\"b\\c\nd"}, {"code", "200"}}, 2);
    struct metric *bad = metric_new(m, &requests, (struct metric_label[]){{"code", "500"}}, 1);
    struct metric *mem = metric_new(m, &memory, NULL, 0);

    metric_inc(ok);
    metric_add(ok, 2);
    metric_set(mem, 5);
    metric_set(mem, 2500000);
    assert_true(metric_value(ok) == 3);
    metrics_write(m, &b, NULL, 0);
    assert_buf(&b, "# TYPE a_memory_bytes gauge\n"
                   "a_memory_bytes 2.5e+06\n"
                   "# HELP http_requests_total Requests\\nby \\\\code.\n"
                   "# TYPE http_requests_total counter\n"
                   "http_requests_total{code=\"200\",path=\"/a\\\"b\\\\c\\nd\"} 3\n"
                   "http_requests_total{code=\"500\"} 0\n");
    metric_free(m, mem);
    metric_free(m, bad);
    metric_free(m, NULL);
    metrics_write(m, &b, NULL, 0);
    assert_buf(&b, "# HELP http_requests_total Requests\\nby \\\\code.\n"
                   "# TYPE http_requests_total counter\n"
                   "http_requests_total{code=\"200\",path=\"/a\\\"b\\\\c\\nd\"} 3\n");
    buf_done(&b);
    metrics_free(m);
    metrics_free(NULL);
}

static void summaries(void **state)
{
    static const struct metric_desc length = {
        .name = "length_seconds", .kind = METRIC_HISTOGRAM, .summary = true};
    struct metrics *m = metrics_new();
    struct buf b = BUF_INIT(10000);
    struct metric *s = metric_new(m, &length, &(struct metric_label){"z", "1"}, 1);

    metric_observe(s, 0.5);
    metric_observe(s, 2);
    metrics_write(m, &b, NULL, 0);
    assert_buf(&b, "# TYPE length_seconds summary\n"
                   "length_seconds_sum{z=\"1\"} 2.5\n"
                   "length_seconds_count{z=\"1\"} 2\n");
    buf_done(&b);
    metrics_free(m);
}

static void histograms(void **state)
{
    static const f64 seen[] = {0.05, 0.1, 0.7, 1, 2, 9};
    struct metrics *m = metrics_new();
    struct buf b = BUF_INIT(10000);
    struct metric *h = metric_new(m, &latency, &(struct metric_label){"z", "1"}, 1);

    for (size_t i = 0; i < ARRAY_LEN(seen); i++)
        metric_observe(h, seen[i]);
    metrics_write(m, &b, NULL, 0);
    assert_buf(&b, "# HELP latency_seconds Time.\n"
                   "# TYPE latency_seconds histogram\n"
                   "latency_seconds_bucket{z=\"1\",le=\"0.1\"} 2\n"
                   "latency_seconds_bucket{z=\"1\",le=\"1\"} 4\n"
                   "latency_seconds_bucket{z=\"1\",le=\"2.5\"} 5\n"
                   "latency_seconds_bucket{z=\"1\",le=\"+Inf\"} 6\n"
                   "latency_seconds_sum{z=\"1\"} 12.85\n"
                   "latency_seconds_count{z=\"1\"} 6\n");
    buf_done(&b);
    metrics_free(m);
}

static f64 answer(void *arg)
{
    return *(f64 *)arg;
}

static void functions_and_selection(void **state)
{
    struct metrics *m = metrics_new();
    struct buf b = BUF_INIT(10000);
    f64 value = 42;

    metric_new(m, &requests, NULL, 0);
    metric_fn(metric_new(m, &memory, NULL, 0), answer, &value);
    metrics_write(m, &b, (struct str[]){STR("a_memory_bytes"), STR("none")}, 2);
    assert_buf(&b, "# TYPE a_memory_bytes gauge\na_memory_bytes 42\n");
    buf_done(&b);
    metrics_free(m);
}

static void no_metric(void **state)
{
    metric_inc(NULL);
    metric_add(NULL, 1);
    metric_set(NULL, 1);
    metric_observe(NULL, 1);
}

struct job {
    struct metric *count, *gauge, *time;
    int writer;
};

static void *count_up(void *arg)
{
    struct job *j = arg;

    metric_set_writer(j->writer);
    for (int i = 0; i < 10000; i++) {
        metric_inc(j->count);
        metric_set(j->gauge, j->writer);
        metric_observe(j->time, 0.5);
    }
    return NULL;
}

/* The sum is exact however the writers interleave, and it may be read meanwhile. */
static void several_writers(void **state)
{
    struct metrics *m = metrics_new();
    struct metric *count = metric_new(m, &requests, NULL, 0),
                  *gauge = metric_new(m, &memory, NULL, 0);
    struct metric *time = metric_new(m, &latency, NULL, 0);
    struct buf b = BUF_INIT(100000);
    struct job jobs[3];
    pthread_t t[3];

    for (int i = 0; i < 3; i++) {
        jobs[i] = (struct job){count, gauge, time, i + 1};
        assert_int_equal(pthread_create(&t[i], NULL, count_up, &jobs[i]), 0);
    }
    for (int i = 0; i < 20; i++) {
        buf_reset(&b);
        metrics_write(m, &b, NULL, 0);
        assert_true(metric_value(count) <= 30000);
    }
    for (int i = 0; i < 3; i++)
        pthread_join(t[i], NULL);
    assert_true(metric_value(count) == 30000);
    assert_true(metric_value(gauge) == 1 + 2 + 3);
    buf_reset(&b);
    metrics_write(m, &b, &STR("latency_seconds"), 1);
    assert_true(str_find(buf_view(&b), STR("latency_seconds_count 30000\n")) > 0);
    assert_true(str_find(buf_view(&b), STR("latency_seconds_sum 15000\n")) > 0);
    buf_done(&b);
    metrics_free(m);
}

/* Series go from anywhere in their family, also after writing has put them in order. */
static void series_go_in_any_order(void **state)
{
    static const char *const codes[] = {"9", "3", "7", "1", "5"};
    struct metrics *m = metrics_new();
    struct metric *s[ARRAY_LEN(codes)];
    struct buf b = BUF_INIT(10000);

    for (size_t i = 0; i < ARRAY_LEN(codes); i++)
        s[i] = metric_new(m, &requests, (struct metric_label[]){{"code", codes[i]}}, 1);
    metric_free(m, s[1]);
    metrics_write(m, &b, NULL, 0);
    metric_free(m, s[3]);
    metric_free(m, s[0]);
    buf_reset(&b);
    metrics_write(m, &b, NULL, 0);
    assert_buf(&b, "# HELP http_requests_total Requests\\nby \\\\code.\n"
                   "# TYPE http_requests_total counter\n"
                   "http_requests_total{code=\"5\"} 0\n"
                   "http_requests_total{code=\"7\"} 0\n");
    buf_done(&b);
    metrics_free(m);
}

static void equal_series_are_one(void **state)
{
    struct metrics *m = metrics_new();
    struct buf b = BUF_INIT(10000);
    struct metric *one = metric_new(m, &memory, NULL, 0), *two = metric_make(&memory, NULL, 0);

    metric_add(one, 2);
    metric_add(two, 3); /* counted before it is shown */
    metrics_write(m, &b, NULL, 0);
    assert_buf(&b, "# TYPE a_memory_bytes gauge\na_memory_bytes 2\n");
    assert_true(metric_register(m, two));
    metrics_write(m, &b, NULL, 0);
    assert_buf(&b, "# TYPE a_memory_bytes gauge\na_memory_bytes 5\n");
    buf_done(&b);
    metrics_free(m);
}

static void a_name_has_one_shape_at_a_time(void **state)
{
    struct metrics *m = metrics_new();
    struct buf b = BUF_INIT(10000);
    const struct metric_desc *counter =
        metric_desc_new(&(struct metric_desc){.name = "mine", .kind = METRIC_COUNTER});
    const struct metric_desc *gauge =
        metric_desc_new(&(struct metric_desc){.name = "mine", .kind = METRIC_GAUGE, .help = "X."});
    struct metric *first = metric_new(m, counter, NULL, 0), *other = metric_make(gauge, NULL, 0);

    metric_desc_unref(counter);
    metric_desc_unref(gauge);
    assert_false(metric_register(m, other));
    metric_free(m, first);
    assert_true(metric_register(m, other)); /* nobody has the name any more */
    metrics_write(m, &b, NULL, 0);
    assert_buf(&b, "# HELP mine X.\n# TYPE mine gauge\nmine 0\n");
    buf_done(&b);
    metrics_free(m);
}

static void labels_are_held_once(void **state)
{
    static const struct metric_desc lines = {.name = "lines_total", .kind = METRIC_COUNTER};
    static const struct metric_desc bytes = {.name = "bytes", .kind = METRIC_GAUGE};
    struct metrics *m = metrics_new();
    struct buf b = BUF_INIT(10000);
    struct metric *first = metric_new(m, &lines, &(struct metric_label){"path", "/a"}, 1);
    struct metric *like = metric_make_like(&bytes, first);

    assert_true(metric_register(m, like));
    assert_string_equal(metric_name(like), "bytes");
    metric_free(m, first);
    metric_set(like, 3);
    metric_set_writer(2);
    metric_add(like, 4); /* of another writer: its own */
    metric_set_writer(0);
    metric_set(like, 1);
    metrics_write(m, &b, NULL, 0);
    assert_buf(&b, "# TYPE bytes gauge\nbytes{path=\"/a\"} 5\n");
    buf_done(&b);
    metrics_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counters_and_gauges),
        cmocka_unit_test(histograms),
        cmocka_unit_test(summaries),
        cmocka_unit_test(functions_and_selection),
        cmocka_unit_test(no_metric),
        cmocka_unit_test(several_writers),
        cmocka_unit_test(series_go_in_any_order),
        cmocka_unit_test(equal_series_are_one),
        cmocka_unit_test(a_name_has_one_shape_at_a_time),
        cmocka_unit_test(labels_are_held_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
