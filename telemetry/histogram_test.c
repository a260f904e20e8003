/* Tests of telemetry/histogram.h: buckets merged by hand, limits, factors, what cannot be lowered.
 */
#include "telemetry/histogram.h"
#include <errno.h>
#include "base/test.h"

/* Spans and counts as "offset:length ... | count ..." */
static void show(struct buf *b, const struct histogram_span *spans, u32 n_spans, const i64 *deltas,
                 const f64 *counts, u32 n)
{
    i64 count = 0;

    for (u32 i = 0; i < n_spans; i++)
        buf_printf(b, "%d:%u ", spans[i].offset, spans[i].length);
    buf_cstr(b, "|");
    for (u32 i = 0; i < n; i++) {
        if (deltas) count += deltas[i];
        if (deltas)
            buf_printf(b, " %lld", (long long)count);
        else
            buf_printf(b, " %g", counts[i]);
    }
}

static void assert_sides(const struct histogram *h, const char *pos, const char *neg)
{
    struct buf b = BUF_INIT(10000);

    show(&b, h->pos_spans, h->n_pos_spans, h->is_float ? NULL : h->pos_deltas, h->pos_counts,
         h->n_pos);
    assert_buf(&b, pos);
    show(&b, h->neg_spans, h->n_neg_spans, h->is_float ? NULL : h->neg_deltas, h->neg_counts,
         h->n_neg);
    assert_buf(&b, neg);
    buf_done(&b);
}

/* Counts 1 2 3 4 at 0..3, 5 6 at 6 and 7; below zero 9 at -3, 8 at -2. */
static const struct histogram_span pos_spans[] = {{0, 4}, {2, 2}}, neg_spans[] = {{-3, 2}};
static const i64 pos_deltas[] = {1, 1, 1, 1, 1, 1}, neg_deltas[] = {9, -1};
static const f64 pos_counts[] = {1, 2, 3, 4, 5, 6}, neg_counts[] = {9, 8};

static struct histogram sample(bool is_float)
{
    return (struct histogram){.is_float = is_float,
                              .schema = 2,
                              .pos_spans = pos_spans,
                              .n_pos_spans = 2,
                              .neg_spans = neg_spans,
                              .n_neg_spans = 1,
                              .n_pos = 6,
                              .n_neg = 2,
                              .pos_deltas = is_float ? NULL : pos_deltas,
                              .neg_deltas = is_float ? NULL : neg_deltas,
                              .pos_counts = is_float ? pos_counts : NULL,
                              .neg_counts = is_float ? neg_counts : NULL};
}

static void integers_are_merged(void **state)
{
    struct arena a;
    struct histogram h = sample(false);

    arena_init(&a, 0);
    assert_int_equal(histogram_lower(&h, 1, &a), 0);
    assert_int_equal(h.schema, 1);
    assert_sides(&h, "0:5 | 1 5 4 5 6", "-1:1 | 17");
    assert_int_equal(histogram_lower(&h, -1, &a), 0);
    assert_sides(&h, "0:2 | 1 20", "0:1 | 17");
    arena_done(&a);
}

static void floats_are_merged(void **state)
{
    struct arena a;
    struct histogram h = sample(true);

    arena_init(&a, 0);
    assert_int_equal(histogram_lower(&h, 1, &a), 0);
    assert_sides(&h, "0:5 | 1 5 4 5 6", "-1:1 | 17");
    arena_done(&a);
}

static void a_limit_lowers(void **state)
{
    struct arena a;
    struct histogram h = sample(false);

    arena_init(&a, 0);
    assert_int_equal(histogram_limit(&h, 8, &a), 0);
    assert_int_equal(h.schema, 2);
    assert_int_equal(histogram_limit(&h, 7, &a), 0);
    assert_int_equal(h.schema, 1);
    assert_int_equal(histogram_limit(&h, 3, &a), 0);
    assert_true(h.n_pos + h.n_neg <= 3);
    assert_int_equal(histogram_limit(&h, 1, &a), -ERANGE);
    arena_done(&a);
}

static void what_cannot_be_lowered(void **state)
{
    static const struct histogram_span far[] = {{0, 1}, {INT32_MAX, 0}, {9, 1}};
    struct arena a;
    struct histogram h = sample(false), custom = {.schema = HISTOGRAM_SCHEMA_CUSTOM, .n_pos = 9};

    arena_init(&a, 0);
    assert_int_equal(histogram_limit(&custom, 4, &a), -EINVAL);
    assert_int_equal(histogram_lower(&h, 3, &a), -EINVAL);
    assert_int_equal(histogram_lower(&h, -5, &a), -EINVAL);
    h.pos_spans = far;
    h.n_pos_spans = 3;
    h.n_pos = 2;
    assert_int_equal(histogram_lower(&h, 1, &a), 0); /* the gap is half of it then */
    assert_int_equal(h.n_pos_spans, 2);
    h = sample(false);
    h.pos_spans = (const struct histogram_span[]){
        {0, 1}, {INT32_MAX, 0}, {INT32_MAX, 0}, {INT32_MAX, 0}, {9, 1}};
    h.n_pos_spans = 5;
    h.n_pos = 2;
    assert_int_equal(histogram_lower(&h, 1, &a), -EINVAL);
    assert_int_equal(h.schema, 2);
    arena_done(&a);
}

static void factors(void **state)
{
    assert_int_equal(histogram_schema_of_factor(0), 8);
    assert_int_equal(histogram_schema_of_factor(1.002), 8);
    assert_int_equal(histogram_schema_of_factor(1.1), 2);
    assert_int_equal(histogram_schema_of_factor(2), 0);
    assert_int_equal(histogram_schema_of_factor(4), -1);
    assert_int_equal(histogram_schema_of_factor(1e9), -4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers_are_merged),
        cmocka_unit_test(floats_are_merged),
        cmocka_unit_test(a_limit_lowers),
        cmocka_unit_test(what_cannot_be_lowered),
        cmocka_unit_test(factors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
