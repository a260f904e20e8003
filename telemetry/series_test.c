/* Tests of telemetry/series.h and telemetry/sample_batch.h: one copy of each, what is freed when,
 * ids that are used again, epochs, batches, threads, memory that is out. */
#include "telemetry/series.h"
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include "base/budget.h"
#include "base/buf.h"
#include "base/test.h"
#include "telemetry/label_set.h"
#include "telemetry/sample_batch.h"

static struct series_table *table;

static int setup(void **state)
{
    table = series_table_new();
    return 0;
}

static void assert_left(size_t series, size_t symbols)
{
    struct series_stats st;

    series_table_stats(table, &st);
    assert_int_equal(st.series, series);
    assert_int_equal(st.symbols, symbols);
    if (!series) assert_int_equal(st.shapes, 0);
}

static int teardown(void **state)
{
    assert_left(0, 0);
    series_table_free(table);
    return 0;
}

static struct series *make(const char *name, const char *job)
{
    struct label v[] = {{STR("__name__"), str_of(name)}, {STR("job"), str_of(job)}};

    return series_intern(table, v, 2);
}

static struct series *with_label(size_t i)
{
    char name[32];

    snprintf(name, sizeof(name), "label_%zu", i);
    return series_intern(table, &(struct label){str_of(name), STR("x")}, 1);
}

/* A shape goes with its last series; its id is used again, its serial is not. */
static void shapes_go(void **state)
{
    struct series *a = make("up", "x"), *b = make("up", "y"), *c = with_label(1);
    struct series_stats st;

    series_table_stats(table, &st);
    assert_int_equal(st.shapes, 2);
    u32 id = a->shape->id;
    u64 serial = a->shape->serial;
    series_unref(table, a);
    assert_int_equal(b->shape->id, id);
    series_unref(table, b);
    series_table_stats(table, &st);
    assert_int_equal(st.shapes, 1);
    a = with_label(2);
    assert_int_equal(a->shape->id, id);
    assert_true(a->shape->serial != serial && a->shape->serial != c->shape->serial);
    series_unref(table, a);
    series_unref(table, c);
}

/* Whoever sends ever new label names is refused while they live, and hurts nobody afterwards. */
static void shapes_are_bounded(void **state)
{
    struct series **v = calloc(SERIES_SHAPES_MAX, sizeof(struct series *));

    for (int again = 0; again < 2; again++) {
        for (size_t i = 0; i < SERIES_SHAPES_MAX; i++)
            assert_non_null(v[i] = with_label(i + (size_t)again * 1000));
        assert_null(with_label(SERIES_SHAPES_MAX + 5000));
        assert_ptr_equal(with_label(5000), v[5000 - again * 1000]);
        series_unref(table, v[5000 - again * 1000]);
        for (size_t i = 0; i < SERIES_SHAPES_MAX; i++)
            series_unref(table, v[i]);
    }
    free(v);
}

static void one_copy(void **state)
{
    struct series *a = make("up", "x"), *b = make("up", "x"), *c = make("up", "y");

    assert_ptr_equal(a, b);
    assert_ptr_not_equal(a, c);
    assert_ptr_equal(a->shape, c->shape);
    assert_ptr_equal(a->values[0], c->values[0]);
    assert_text(series_name(a), "up");
    assert_text(series_get(c, STR("job")), "y");
    assert_null(series_get(c, STR("none")).p);
    assert_left(2, 3);
    series_unref(table, a);
    series_unref(table, b);
    assert_left(1, 2);
    series_unref(table, c);
}

static void empty_values_are_no_labels(void **state)
{
    struct label v[] = {{STR("__name__"), STR("up")}, {STR("job"), STR("")}, {STR("z"), STR("1")}};
    struct series *a = series_intern(table, v, 3), *none = series_intern(table, NULL, 0);
    struct buf text = BUF_INIT(1000);

    series_text(a, &text);
    assert_text(buf_view(&text), "{__name__=\"up\", z=\"1\"}");
    assert_int_equal(series_n(none), 0);
    assert_text(series_name(none), "");
    buf_done(&text);
    series_unref(table, a);
    series_unref(table, none);
}

static void wire_sizes(void **state)
{
    struct series *a = make("up", "x");

    /* 0a len {0a 08 __name__ 12 02 up}, 0a len {0a 03 job 12 01 x} */
    assert_int_equal(a->wire, 2 + 2 + 8 + 2 + 2 + 2 + 2 + 3 + 2 + 1);
    series_unref(table, a);
}

static void ids_are_used_again(void **state)
{
    struct series *a = make("a", "1"), *b = make("b", "1");
    u32 id = a->id;

    assert_int_not_equal(id, b->id);
    series_unref(table, a);
    a = make("c", "1");
    assert_int_equal(a->id, id);
    series_unref(table, a);
    series_unref(table, b);
}

static void sets_and_series(void **state)
{
    struct series *a = make("up", "x");
    struct label_set set;

    label_set_init(&set);
    series_load(a, &set);
    label_set_put(&set, STR("job"), STR("y"));
    struct series *b = label_set_series(&set, table);
    assert_text(series_get(b, STR("job")), "y");
    label_set_done(&set);
    series_unref(table, a);
    series_unref(table, b);
}

static void epochs_keep_what_was_retired(void **state)
{
    struct series_keeper k;

    series_keeper_init(&k, table);
    struct series_epoch *first = series_epoch_now(&k);
    series_retire(&k, make("a", "x"));
    struct series_epoch *second = series_epoch_now(&k);
    assert_ptr_not_equal(first, second);
    series_retire(&k, make("b", "x"));
    struct series_epoch *third = series_epoch_now(&k);
    series_epoch_unref(second); /* the first is still held: neither may go */
    assert_left(2, 3);
    series_epoch_unref(first);
    assert_left(0, 0);
    series_keeper_done(&k);
    series_epoch_unref(third);
}

/* --- batches --- */

static void batches_carry_samples(void **state)
{
    struct budget budget;
    struct series_keeper k;
    struct series *a = make("a", "x");

    budget_init(&budget, 1 << 20);
    series_keeper_init(&k, table);
    struct sample_builder *b = sample_builder_new(&budget);
    struct series_epoch *e = series_epoch_now(&k);
    sample_builder_keep(b, e);
    sample_builder_keep(b, e);
    series_epoch_unref(e);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(sample_builder_add(b, a, i, sample_bits(i)), 0);
    assert_int_equal(sample_builder_exemplar(
                         b, &(struct exemplar_sample){.series = a,
                                                      .labels = &(struct label){STR("t"), STR("1")},
                                                      .n_labels = 1}),
                     0);
    assert_int_equal(
        sample_builder_meta(b, &(struct metric_meta){STR("a"), STR("help"), STR(""), TYPE_GAUGE}),
        0);
    struct batch *batch = batch_new(SIGNAL_METRICS);
    assert_int_equal(sample_builder_seal(b, batch), 0);
    assert_int_equal(sample_builder_items(b), 0);
    sample_builder_free(b);
    series_retire(&k, a);
    series_keeper_done(&k);
    assert_left(1, 2); /* by the batch's epoch */
    assert_int_equal(batch->items, 1000);
    assert_int_equal(batch->samples->n_epochs, 1);
    assert_true(sample_value(batch->samples->v[999].bits) == 999);
    assert_text(batch->samples->exemplars[0].labels[0].value, "1");
    assert_text(batch->samples->meta[0].help, "help");
    struct batch *more = batch_own(batch_ref(batch));
    assert_ptr_equal(more->samples, batch->samples);
    batch_unref(more);
    batch_unref(batch);
    assert_int_equal(budget_used(&budget), 0);
}

static void histograms_are_copied(void **state)
{
    struct histogram_span span = {1, 2};
    i64 deltas[] = {3, -1};
    struct histogram h = {
        .schema = 3, .n_pos_spans = 1, .n_pos = 2, .pos_spans = &span, .pos_deltas = deltas};
    struct series *a = make("a", "x");
    struct sample_builder *b = sample_builder_new(NULL);
    struct batch *batch = batch_new(SIGNAL_METRICS);

    assert_int_equal(sample_builder_histogram(b, &(struct histogram_sample){.series = a, .h = &h}),
                     0);
    deltas[0] = 0;
    assert_int_equal(sample_builder_seal(b, batch), 0);
    const struct histogram *got = batch->samples->histograms[0].h;
    assert_int_equal(got->pos_deltas[0], 3);
    assert_int_equal(got->pos_spans[0].length, 2);
    assert_null(got->neg_spans);
    batch_unref(batch);
    sample_builder_free(b);
    series_unref(table, a);
}

static void budgets_refuse(void **state)
{
    struct budget budget;
    struct series *a = make("a", "x");

    budget_init(&budget, 10000);
    struct sample_builder *b = sample_builder_new(&budget);
    int err = 0, n = 0;
    for (; !err && n < 10000; n++)
        err = sample_builder_add(b, a, 1, 1);
    assert_int_equal(err, -ENOMEM);
    assert_true(n > 100);
    sample_builder_reset(b);
    assert_int_equal(sample_builder_items(b), 0);
    sample_builder_free(b);
    assert_int_equal(budget_used(&budget), 0);
    series_unref(table, a);
}

/* --- threads, memory --- */

static void *make_and_drop(void *arg)
{
    for (int i = 0; i < 20000; i++) {
        char name[16];
        snprintf(name, sizeof(name), "m%d", i % 50);
        struct series *s = make(name, "x");
        assert_text(series_name(s), name);
        series_unref(table, s);
    }
    return NULL;
}

static void threads(void **state)
{
    pthread_t t[3];

    for (int i = 0; i < 3; i++)
        pthread_create(&t[i], NULL, make_and_drop, NULL);
    for (int i = 0; i < 3; i++)
        pthread_join(t[i], NULL);
}

static void memory_is_out(void **state)
{
#ifdef HOSTILE
    struct series *got = NULL;

    for (long nth = 1; !got && nth < 100; nth++) {
        budget_fail_nth(nth);
        got = make("memory", "out");
        budget_fail_nth(0);
    }
    assert_non_null(got);
    series_unref(table, got);
#else
    skip();
#endif
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(one_copy, setup, teardown),
        cmocka_unit_test_setup_teardown(shapes_go, setup, teardown),
        cmocka_unit_test_setup_teardown(shapes_are_bounded, setup, teardown),
        cmocka_unit_test_setup_teardown(empty_values_are_no_labels, setup, teardown),
        cmocka_unit_test_setup_teardown(wire_sizes, setup, teardown),
        cmocka_unit_test_setup_teardown(ids_are_used_again, setup, teardown),
        cmocka_unit_test_setup_teardown(sets_and_series, setup, teardown),
        cmocka_unit_test_setup_teardown(epochs_keep_what_was_retired, setup, teardown),
        cmocka_unit_test_setup_teardown(batches_carry_samples, setup, teardown),
        cmocka_unit_test_setup_teardown(histograms_are_copied, setup, teardown),
        cmocka_unit_test_setup_teardown(budgets_refuse, setup, teardown),
        cmocka_unit_test_setup_teardown(threads, setup, teardown),
        cmocka_unit_test_setup_teardown(memory_is_out, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
